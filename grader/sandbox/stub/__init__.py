"""Take the grader's place in the sandbox: the names that lessons import do nothing there."""

from __future__ import annotations


def _nothing(*_: object, **__: object) -> None:
    """Ignore the arguments."""


check = harden = predict = recall = recall_missed = _nothing
missions: set[str] = set()


class EarlierFunctions:
    """No functions: the sandbox has no other lesson and no finished function."""

    def __getattr__(self, name: str) -> None:
        raise AttributeError(f"{name}: no function of another lesson is available in grading")


def earlier(*_: str, **__: str) -> EarlierFunctions:
    """Return an object without functions."""
    return EarlierFunctions()

"""Find the misconception that explains a wrong answer: the one with the same outcomes."""

from __future__ import annotations

from functools import cached_property

from grader.comparison.compare import Result, alike
from grader.comparison.judge import Compared, misses_of
from grader.comparison.schema import ExerciseKey, MisconceptionData
from grader.comparison.vocabulary import LEADING, PROPERTIES, in_order, kind


class Known:
    """A misconception of a key, decoded at most once for all answers that it may explain."""

    def __init__(self, key: ExerciseKey, data: MisconceptionData) -> None:
        self.key, self.hint, self._outcomes = key, data["hint"], data["outcomes"]

    @cached_property
    def results(self) -> list[Result]:
        """Its result of each case, the reference's where they are the same."""
        pairs = zip(self.key["cases"], self._outcomes, strict=True)
        return [Result(case["expected"] if one is None else one) for case, one in pairs]

    @cached_property
    def missed(self) -> list[str]:
        """The properties that it misses, the most basic first."""
        return in_order(misses_of(self.key, self.results))

    def explains(self, prop: str, answer: Compared, places: list[int]) -> bool:
        """Return whether it has an answer's outcomes in some cases, as far as a property tells."""
        return all(alike(prop, answer.cases[i], answer.results[i], self.results[i]) for i in places)

    def agreement(self, answer: Compared) -> int:
        """Return in how many cases it agrees with an answer, their shapes counted, too."""
        trios = [*zip(answer.cases, answer.results, self.results, strict=True)]
        return sum(alike(prop, *trio) for trio in trios for prop in (trio[0]["property"], "shape"))


def known(key: ExerciseKey) -> list[Known]:
    """Return the misconceptions of a key."""
    return [Known(key, one) for one in key["misconceptions"]]


def misconception(answer: Compared, known: list[Known]) -> str | None:
    """Return the hint of a misconception with the same outcomes, or None.

    It agrees on every case that concerns the property missed first and misses no more basic
    property; of several, it agrees on the most cases. Where the values are right, the other missed
    properties are tried next, but not "quiet" after "stability", which has the same inputs.
    """
    for prop in _explained(answer.missed):
        places = answer.concerned(prop)
        same = [one for one in known if one.explains(prop, answer, places)]
        if same := [one for one in same if not _more_basic(one.missed, answer.missed[0])]:
            best = same[0] if len(same) == 1 else max(same, key=lambda one: one.agreement(answer))
            return best.hint
    return None


def _explained(missed: list[str]) -> list[str]:
    """Return the missed properties that a misconception may explain, the most basic first."""
    if kind(missed[0]) in LEADING:
        return missed[:1]
    unstable = kind(missed[0]) == "stability"
    return [prop for prop in missed if not (unstable and kind(prop) == "quiet")]


def _more_basic(missed: list[str], prop: str) -> bool:
    """Return whether one of the properties is of a more basic kind than `prop`."""
    order = [*PROPERTIES]
    return any(order.index(kind(one)) < order.index(kind(prop)) for one in missed)

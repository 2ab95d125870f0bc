"""Call a function with the inputs of a case and record the outcome."""

from __future__ import annotations

import contextlib
import inspect
import io
import random
import sys
import threading
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any, TextIO

import numpy as np

from grader.comparison.codec import decode_input, encode, encode_input
from grader.comparison.schema import Call, Function, Outcome, Plain

MAX_MESSAGE = 300  # characters kept of an exception, a warning, or a call's printed text
MAX_PRINTED = 1_000_000  # characters that a call may print; more come from an endless loop


class PrintedTooMuch(Exception):
    """A call printed more than `MAX_PRINTED` characters."""


class Printed(io.TextIOBase):
    """Keeps the beginning of this thread's output; passes that of other threads on."""

    def __init__(self, original: TextIO) -> None:
        self.text, self.count = "", 0
        self._original, self._thread = original, threading.get_ident()

    def write(self, text: str) -> int:
        """Keep a text, or raise `PrintedTooMuch`."""
        if threading.get_ident() != self._thread:
            return self._original.write(text)
        self.count += len(text)
        if self.count > MAX_PRINTED:
            raise PrintedTooMuch(f"it printed more than {MAX_PRINTED:,} characters")
        self.text = (self.text + text)[:MAX_MESSAGE]
        return len(text)


def observe(function: Function, call: Call) -> Outcome:
    """Return the outcome of `function` for one case, with any exception but KeyboardInterrupt."""
    with undisturbed() as (printed, caught):
        outcome = _sample(function, call) if call.get("draws") else _call(function, call)
    if loud := [one.message for one in caught if issubclass(one.category, RuntimeWarning)]:
        outcome["warnings"] = [str(message)[:MAX_MESSAGE] for message in loud[:3]]
    if printed.text:
        outcome["printed"] = printed.text
    return outcome


@cache
def warnings_are_heard() -> bool:
    """Return whether numpy reports floating-point exceptions; WebAssembly has none."""
    with np.errstate(all="warn"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        np.exp(np.array([1000.0]))
    return bool(caught)


@contextlib.contextmanager
def undisturbed() -> Iterator[tuple[Printed, list[warnings.WarningMessage]]]:
    """Run a block with warnings caught, output captured and the global generators seeded alike."""
    random.seed(0)
    np.random.seed(0)
    printed = Printed(sys.stdout)
    with (
        np.errstate(all="warn", under="ignore"),
        warnings.catch_warnings(record=True) as caught,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(Printed(sys.stderr)),
    ):
        warnings.simplefilter("always")
        yield printed, caught


@contextlib.contextmanager
def restored_generators() -> Iterator[None]:
    """Give the global generators their state back after a block; it takes as long as ten calls."""
    states = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def signature_mismatch(function: Function, calls: list[Call]) -> str | None:
    """Return the parameters of `function`, as text, if they can't take a call's inputs, or None."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    try:
        for call in calls:
            signature.bind(*call["inputs"])
    except TypeError:
        return str(signature)[:MAX_MESSAGE]
    return None


def _call(function: Function, call: Call) -> Outcome:
    points = [{"list": point} for point in call.get("at", ())]
    before = [*call["inputs"], *points]
    given = [*map(decode_input, before)]
    inputs = given[: len(call["inputs"])]
    try:
        result = function(*inputs)
        if points and result is not None:
            value: Plain = {"list": [encode(result(*point)) for point in given[len(inputs) :]]}
        else:
            value = encode(result)
    except (Exception, SystemExit) as error:
        return {**_failure(error), **_changes(given, before)}
    outcome: Outcome = {"value": value, **_changes(given, before)}
    if _aliases(result, inputs):
        outcome["aliased"] = True
    return outcome


def _failure(error: BaseException) -> Outcome:
    names = [kind.__name__ for kind in type(error).__mro__ if kind not in (object, BaseException)]
    try:
        message = str(error)
    except Exception:
        message = "(its message can't be read)"
    return {"error": names, "message": message[:MAX_MESSAGE]}


def _changes(inputs: list[Any], before: list[Plain]) -> Outcome:
    pairs = enumerate(zip(inputs, before, strict=True))
    changed = [i for i, (value, data) in pairs if _differs(value, data)]
    return {"changed": changed} if changed else {}


def _differs(value: Any, before: Plain) -> bool:
    """Return whether an array or a list is no longer what `before` describes."""
    if not isinstance(value, (np.ndarray, list, tuple)):
        return False
    try:
        now = encode_input(value)
    except ValueError:  # a list now holds a value that can't be an input
        return True
    return now != before and repr(now) != repr(before)  # equal texts: NaN is not equal to itself


def _aliases(result: Any, inputs: list[Any]) -> bool:
    parts = result if isinstance(result, (list, tuple)) else [result]
    arrays = [part for part in parts if isinstance(part, np.ndarray) and part.size > 0]
    given = [item for item in inputs if isinstance(item, np.ndarray)]
    return any(np.may_share_memory(part, item) for part in arrays for item in given)


def _sample(function: Function, call: Call) -> Outcome:
    """Return two draws from one generator, one from an equal one, and one from another."""
    inputs, again, other = ([decode_input(data) for data in call["inputs"]] for _ in range(3))
    other = [
        np.random.default_rng(data["rng"] + 1) if isinstance(data, dict) and "rng" in data else one
        for data, one in zip(call["inputs"], other, strict=True)
    ]
    try:
        draws = [encode(function(*each)) for each in (inputs, inputs, again, other)]
    except (Exception, SystemExit) as error:
        return _failure(error)
    return {"draws": draws, **_changes(inputs, call["inputs"])}

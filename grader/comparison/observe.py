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
from typing import Any, TextIO

import numpy as np

from grader.comparison.codec import decode_input, encode, encode_input
from grader.comparison.schema import Call, Function, Outcome, Plain

MAX_MESSAGE = 300
"""Most characters kept of an exception, a warning, or a call's printed text."""

MAX_PRINTED = 1_000_000
"""Most characters that a call may print; a call that prints more is in an endless loop."""


class PrintedTooMuch(Exception):
    """A call printed more than `MAX_PRINTED` characters."""


class Printed(io.TextIOBase):
    """Keeps the beginning of this thread's output; passes that of other threads on."""

    def __init__(self, original: TextIO) -> None:
        self.text, self.count = "", 0
        self._original, self._thread = original, threading.get_ident()

    def write(self, text: str) -> int:
        """Keep a text.

        Raises:
            PrintedTooMuch: the texts are longer than `MAX_PRINTED`.
        """
        if threading.get_ident() != self._thread:
            return self._original.write(text)
        self.count += len(text)
        if self.count > MAX_PRINTED:
            raise PrintedTooMuch(f"it printed more than {MAX_PRINTED:,} characters")
        self.text = (self.text + text)[:MAX_MESSAGE]
        return len(text)


def observe(function: Function, call: Call) -> Outcome:
    """Return the outcome of `function` for the inputs of one case.

    Exceptions are part of the outcome, SystemExit too; KeyboardInterrupt passes through.
    """
    with undisturbed() as (printed, caught):
        outcome = _sample(function, call) if call.get("draws") else _call(function, call)
    loud = [item.message for item in caught if issubclass(item.category, RuntimeWarning)]
    if loud:
        outcome["warnings"] = [str(message)[:MAX_MESSAGE] for message in loud[:3]]
    if printed.text:
        outcome["printed"] = printed.text
    return outcome


@contextlib.contextmanager
def undisturbed() -> Iterator[tuple[Printed, list[warnings.WarningMessage]]]:
    """Run a block with warnings caught, output captured and the global generators seeded.

    The seeds make the results of an answer that uses them repeatable; the generators' states are
    restored after the block.
    """
    states = random.getstate(), np.random.get_state()
    random.seed(0)
    np.random.seed(0)
    printed = Printed(sys.stdout)
    try:
        with (
            np.errstate(all="warn", under="ignore"),
            warnings.catch_warnings(record=True) as caught,
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(Printed(sys.stderr)),
        ):
            warnings.simplefilter("always")
            yield printed, caught
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def signature_mismatch(function: Function, calls: list[Call]) -> str | None:
    """Return the parameters of `function`, as text, if they can't take a call's inputs, or None."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    for count in {len(call["inputs"]) for call in calls}:
        try:
            signature.bind(*[None] * count)
        except TypeError:
            return str(signature)[:MAX_MESSAGE]
    return None


def _call(function: Function, call: Call) -> Outcome:
    inputs = [decode_input(data) for data in call["inputs"]]
    try:
        result = function(*inputs)
        if call.get("at") is not None and result is not None:
            points = [[decode_input(data) for data in point] for point in call["at"]]
            value: Plain = {"list": [encode(result(*point)) for point in points]}
        else:
            value = encode(result)
    except (Exception, SystemExit) as error:
        return {**_failure(error), **_changes(inputs, call["inputs"])}
    outcome: Outcome = {"value": value, **_changes(inputs, call["inputs"])}
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
    if isinstance(before, dict) and ("rng" in before or "function" in before):
        return False
    if isinstance(value, np.ndarray):
        original = decode_input(before)
        return not (
            value.shape == original.shape
            and value.dtype == original.dtype
            and value.tobytes() == original.tobytes()
        )
    return isinstance(value, (list, tuple)) and repr(encode_input(value)) != repr(before)


def _aliases(result: Any, inputs: list[Any]) -> bool:
    parts = result if isinstance(result, (list, tuple)) else [result]
    arrays = [part for part in parts if isinstance(part, np.ndarray) and part.size > 0]
    given = [item for item in inputs if isinstance(item, np.ndarray)]
    return any(np.may_share_memory(part, item) for part in arrays for item in given)


def _sample(function: Function, call: Call) -> Outcome:
    """Return two draws from one generator, one from an equal generator, and any global draws."""
    inputs = [decode_input(data) for data in call["inputs"]]
    again = [decode_input(data) for data in call["inputs"]]
    before = _global_state()
    try:
        draws = [encode(function(*inputs)), encode(function(*inputs)), encode(function(*again))]
    except (Exception, SystemExit) as error:
        return _failure(error)
    outcome: Outcome = {"draws": draws}
    if _global_state() != before:
        outcome["global_random"] = True
    return outcome


def _global_state() -> tuple[Any, ...]:
    name, keys, *rest = np.random.get_state(legacy=True)
    return name, np.asarray(keys).tobytes(), *rest, random.getstate()

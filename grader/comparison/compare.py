"""Compare the expected outcome of a case with a learner's and explain the difference."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from grader.comparison.codec import Array, decode, numbers_in, opaque, shape_of
from grader.comparison.distribution import sample_difference
from grader.comparison.schema import CaseData, Outcome, Plain
from grader.comparison.vocabulary import LEADING, kind

ALMOST = 1e-5
"""Relative error below which two numbers look the same where they are shown."""

ERROR_KINDS = re.compile(
    r"truth value|only (?:0-dim|length-1|size-1|integer)|has no attribute|has no len"
    r"|not subscriptable|invalid index|too many indices|out of bounds|out of range|broadcast"
    r"|not aligned|mismatch|Cannot cast|unsupported operand|not callable|not defined|unpack"
    r"|positional argument|sequence|read-only|axis|not iterable|bitwise"
)
"""Phrases that tell the causes of one class of exception apart, in any version of numpy."""


class Value:
    """A value as plain data, decoded at most once and only where its size can be right."""

    def __init__(self, data: Plain) -> None:
        self.data = data
        self.opaque = opaque(data)

    @property
    def sequence(self) -> str | None:
        """The kind of a list or a tuple; None for anything else."""
        known = isinstance(self.data, dict)
        return next((name for name in ("tuple", "list") if known and name in self.data), None)

    @cached_property
    def shape(self) -> tuple[int, ...] | None:
        """The shape as an array of numbers, from the first items at each depth; None for others."""
        return shape_of(self.data)

    @cached_property
    def numbers(self) -> Array | None:
        """The value as a float64 array; None if it holds anything else, or is ragged."""
        return numbers_in(self.data)

    @cached_property
    def parts(self) -> list[Value] | None:
        """The items of a tuple or list, or the rows of an array; None for other values."""
        if self.sequence:
            return [*map(Value, self.data[self.sequence])]
        if self.shape:
            rows = decode(self.data)
            form = {"shape": list(self.shape[1:]), "dtype": self.data["dtype"]}
            return [Value({"array": row.ravel().tolist(), **form}) for row in rows]
        return None

    @property
    def length(self) -> int | None:
        """The number of parts, without taking the value apart."""
        if self.sequence:
            return len(self.data[self.sequence])
        return self.shape[0] if self.shape else None


class Result:
    """An outcome, with its value ready to be compared."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.value = Value(outcome.get("value"))


@dataclass(frozen=True)
class Difference:
    """A difference from the expected outcome: the kind of property that it concerns, and why."""

    kind: str
    reason: str


def differences(case: CaseData, expected: Result, mine: Result) -> list[Difference]:
    """Return how an outcome differs from the expected one, the most basic difference first.

    Every case compares numbers, shapes and inputs. A wrong number concerns the case's own property
    ("stability" for "quiet", whose inputs are as extreme), a wrong shape "shape", a changed input
    "purity": what else an update in place makes wrong is not counted again.
    """
    own = kind(case["property"])
    changed = _changed(case, expected.outcome, mine.outcome)
    counted_again = changed and own not in (*LEADING, "error")
    found = [] if counted_again else _differences(own, case, expected, mine)
    return [*found, Difference("purity", changed)] if changed else found


def _differences(own: str, case: CaseData, expected: Result, mine: Result) -> list[Difference]:
    outcome = mine.outcome
    if wanted := case.get("raises"):
        if "error" not in outcome:
            return [Difference(own, f"It returned a result; a {wanted} was expected.")]
        reason = f"It raised {error_text(outcome).rstrip('.')}. A {wanted} was expected."
        return [] if wanted in outcome["error"] else [Difference(own, reason)]
    if "error" in outcome:
        return [Difference(own, f"It raised {error_text(outcome)}")]
    if _is_none(outcome) and not _is_none(expected.outcome):
        return [Difference(own, "It returned None: is its return missing?")]
    if own == "distribution":
        unlike = sample_difference(expected.outcome, outcome)
        return [Difference(own, unlike)] if unlike else []
    if numbers := _number_difference(case, expected.value, mine.value):
        return [Difference("stability" if own == "quiet" else own, numbers)]
    if form := _form_difference(expected.value, mine.value):
        return [Difference("shape", form)]
    effect = _side_effect(own, expected, mine)
    return [Difference(own, effect)] if effect else []


def alike(property: str, case: CaseData, mine: Result, theirs: Result) -> bool:
    """Return whether two outcomes of a case are equal as far as a property can tell."""
    one, other = mine.outcome, theirs.outcome
    if "error" in one or "error" in other:
        pure = kind(property) != "purity" or one.get("changed") == other.get("changed")
        return pure and error_kind(one) == error_kind(other)
    if "distribution" in (kind(property), kind(case["property"])):
        return sample_difference(one, other) is None
    if mine.value.opaque or theirs.value.opaque:
        return mine.value.opaque == theirs.value.opaque
    return (
        side_effects(property, one) == side_effects(property, other)
        and _number_difference(case, theirs.value, mine.value) is None
        and (kind(property) != "shape" or _same_form(mine.value, theirs.value))
    )


def side_effects(property: str, outcome: Outcome) -> Any:
    """Return the part of an outcome, besides its value, that a property tests."""
    match kind(property):
        case "quiet":
            return bool(outcome.get("warnings"))
        case "purity":
            return outcome.get("changed"), outcome.get("aliased")
        case "dtype":
            return _dtype_name(outcome["value"])
    return None


def error_text(outcome: Outcome) -> str:
    """Return the class and message of an exception."""
    message = outcome.get("message", "").strip()
    return f"{outcome['error'][0]}: {message}" if message else f"{outcome['error'][0]}."


def error_kind(outcome: Outcome) -> tuple[str, str] | None:
    """Return the class of an exception and the phrase that tells its cause; None without one."""
    if "error" not in outcome:
        return None
    phrase = ERROR_KINDS.search(outcome.get("message", ""))
    return outcome["error"][0], phrase.group() if phrase else ""


def _is_none(outcome: Outcome) -> bool:
    """Return whether the function returned None, in each of its draws if it draws."""
    returned = outcome.get("draws") or ([] if outcome.get("sample") else [outcome.get("value", 0)])
    return bool(returned) and all(one is None for one in returned)


def _number_difference(case: CaseData, want: Value, got: Value, subject: str = "It") -> str | None:
    """Return how the numbers differ, their shape aside, in one sentence."""
    if got.opaque:
        return f"{subject} returned {got.opaque}."
    if want.sequence:
        return _part_difference(case, want, got)
    if want.shape is None or got.shape is None:
        same = want.data == got.data
        return None if same else f"{subject} returned something of another kind than expected."
    if math.prod(want.shape) != math.prod(got.shape):
        return f"{subject} has shape {got.shape}; {want.shape} was expected."
    if kind(case["property"]) == "shape" and _is_random(case):
        return None  # random numbers may be drawn in many ways; "distribution" compares them
    wanted, numbers = want.numbers, got.numbers
    if wanted is None or numbers is None or numbers.size != wanted.size:
        return f"{subject} returned something of another kind than expected."
    wanted, numbers = wanted.ravel(), numbers.ravel()
    wrong = wanted.size - int(_close(numbers, wanted, case["rtol"], case["atol"]).sum())
    if not wrong:
        return None
    little = ""
    if _close(numbers, wanted, ALMOST, case["atol"]).all():
        little = f" They agree to {round(-np.log10(ALMOST))} digits, and not in all that count."
    few = "The numbers differ." if wanted.size == 1 else f"{wrong} of {wanted.size} numbers differ."
    return few + little


def _is_random(case: CaseData) -> bool:
    return any(isinstance(data, dict) and "rng" in data for data in case["inputs"])


def _close(got: Array, want: Array, rtol: float, atol: float) -> Array:
    """Return `np.isclose` with equal NaNs, without its overhead on short arrays."""
    with np.errstate(invalid="ignore", over="ignore"):
        near = (np.abs(got - want) <= atol + rtol * np.abs(want)) & np.isfinite(want)
    close: Array = near | (got == want) | (np.isnan(got) & np.isnan(want))
    return close


def _part_difference(case: CaseData, want: Value, got: Value) -> str | None:
    if got.length != want.length:
        returned = "one value" if got.length is None else f"{got.length} values"
        return f"It returned {returned}; {want.length} were expected."
    pairs = zip(want.parts or [], got.parts or [], strict=True)
    for position, (one, other) in enumerate(pairs, 1):
        if reason := _number_difference(case, one, other, f"Part {position}"):
            return f"Part {position} of {want.length}: {reason[0].lower()}{reason[1:]}"
    return None


def _form_difference(want: Value, got: Value) -> str | None:
    """Return how values of equal numbers differ in their shapes, or a list for an array."""
    if (wanted := _shapes(want, want)) != (shapes := _shapes(got, want)):
        return f"Its result has shape {_shape_text(shapes)}; {_shape_text(wanted)} was expected."
    if found := _sequence_for_array(want, got):
        return f"Its result is a {found} where an array was expected."
    return None


def same_shapes(expected: Outcome, mine: Outcome) -> bool:
    """Return whether two outcomes have values with the same parts and shapes."""
    want, got = Value(expected.get("value")), Value(mine.get("value"))
    return _shapes(want, want) == _shapes(got, want) and "error" not in mine


def _same_form(one: Value, other: Value) -> bool:
    return _form_difference(one, other) is None is _form_difference(other, one)


def _shapes(value: Value, like: Value) -> Any:
    """Return the shape of each part of a value, divided like another; lists equal tuples."""
    nested = like.sequence and any(part.sequence or part.shape for part in like.parts or [])
    if nested and value.length == like.length:
        return [_shapes(*pair) for pair in zip(value.parts or [], like.parts or [], strict=True)]
    return value.shape


def _sequence_for_array(want: Value, got: Value) -> str | None:
    """Return the kind of the first list or tuple that replaces an array."""
    if not want.sequence:
        return got.sequence if want.shape else None
    pairs = zip(want.parts or [], got.parts or [], strict=False)
    return next((found for pair in pairs if (found := _sequence_for_array(*pair))), None)


def _shape_text(shape: Any) -> str:
    if shape is None:
        return "none"
    return ", ".join(map(_shape_text, shape)) if isinstance(shape, list) else str(shape)


def _side_effect(own: str, expected: Result, mine: Result) -> str | None:
    """Return how an outcome with the right value misses a property that looks at more."""
    match own:
        case "dtype":
            want, got = _dtype_name(expected.value.data), _dtype_name(mine.value.data)
            return None if want == got else f"Its numbers are {got}; {want} was expected."
        case "quiet" if warned := mine.outcome.get("warnings"):
            return f"It warned: {warned[0]}."
        case "purity" if mine.outcome.get("aliased") and not expected.outcome.get("aliased"):
            return "Its result is one of its inputs, not a new array."
    return None


def _dtype_name(data: Plain) -> str:
    if isinstance(data, dict) and "dtype" in data:
        return str(data["dtype"])
    return "no numbers" if shape_of(data) is None else str(np.asarray(decode(data)).dtype)


def _changed(case: CaseData, expected: Outcome, outcome: Outcome) -> str | None:
    """Return which inputs the call changed that the reference leaves as they were."""
    changed = [i for i in outcome.get("changed", ()) if i not in expected.get("changed", ())]
    if not changed:
        return None
    if changed[0] >= len(case["inputs"]):
        return "The function that it returned changed its input."
    names = dict(enumerate(case["parameters"]))
    return f"It changed its input {' and '.join(names.get(i, f'input {i + 1}') for i in changed)}."

"""Compare the expected outcome of a case with a learner's and explain the difference."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.comparison.codec import Array, decode, encode, numbers_in, opaque
from grader.comparison.distribution import sample_difference
from grader.comparison.schema import CaseData, Outcome, Plain
from grader.comparison.vocabulary import kind

# Exceptions of numpy when an update in place writes a real result into an integer array.
WRITES_INTO_INTEGERS = {"UFuncTypeError", "_UFuncOutputCastingError", "UFuncOutputCastingError"}


ALMOST = 1e-5
"""Relative error below which two numbers look the same where they are shown."""


def difference(case: CaseData, expected: Outcome, outcome: Outcome) -> str | None:
    """Return how `outcome` misses the property of `case`, in one sentence, or None.

    What misses every property is looked for first, so that the sentence names the basic cause.
    """
    if wanted := case.get("raises"):
        if "error" not in outcome:
            return f"It returned a result; a {wanted} was expected."
        right = wanted in outcome["error"]
        return None if right else f"It raised {error_text(outcome)} A {wanted} was expected."
    if "error" in outcome:
        return f"It raised {error_text(outcome)}"
    if _is_none(outcome) and not _is_none(expected):
        return "It returned None: is its return missing?"
    property = kind(case["property"])
    if property == "distribution":
        return sample_difference(expected, outcome)
    if reason := opaque(outcome["value"]):
        return f"It returned {reason}."
    match property:
        case "shape":
            return _shape_difference(expected["value"], outcome["value"])
        case "dtype":
            want, got = _dtype_name(expected["value"]), _dtype_name(outcome["value"])
            return None if want == got else f"Its numbers are {got}; {want} was expected."
        case "quiet":
            warned = outcome.get("warnings")
            return f"It warned: {warned[0]}." if warned else None
        case "purity":
            return _impurity(case["parameters"], outcome)
    return _value_difference(case, expected["value"], outcome["value"])


def caused_by_impurity(outcome: Outcome) -> bool:
    """Return whether the call changed an input, or numpy refused to write into one."""
    refused = not WRITES_INTO_INTEGERS.isdisjoint(outcome.get("error", ()))
    return refused or bool(outcome.get("changed"))


def alike(case: CaseData, one: Outcome, other: Outcome) -> bool:
    """Return whether two outcomes of a case are equal as far as its property can tell."""
    if "error" in one or "error" in other:
        return one.get("error", [""])[0] == other.get("error", [""])[0]
    if kind(case["property"]) == "distribution":
        return sample_difference(one, other) is None
    value, theirs = one["value"], other["value"]
    if opaque(value) or opaque(theirs):
        return opaque(value) == opaque(theirs)
    return (
        side_effects(case["property"], one) == side_effects(case["property"], other)
        and _value_difference(case, value, theirs) is None
        and _shape_difference(value, theirs) is None
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


def _is_none(outcome: Outcome) -> bool:
    """Return whether the function returned None, in each of its draws if it draws."""
    returned = outcome.get("draws") or ([] if outcome.get("sample") else [outcome.get("value", 0)])
    return bool(returned) and all(one is None for one in returned)


def error_text(outcome: Outcome) -> str:
    """Return the class and message of an exception."""
    message = outcome.get("message", "").strip()
    return f"{outcome['error'][0]}: {message}" if message else f"{outcome['error'][0]}."


def _value_difference(
    case: CaseData, expected: Plain, actual: Plain, subject: str = "It"
) -> str | None:
    if reason := opaque(actual):
        return f"{subject} returned {reason}."
    if expected == actual:
        return None
    if isinstance(expected, dict) and ("tuple" in expected or "list" in expected):
        return _item_difference(case, expected, actual)
    want, got = numbers_in(expected), numbers_in(actual)
    if want is None or got is None:
        return f"{subject} returned something of another kind than expected."
    if want.size != got.size:
        return f"{subject} has shape {got.shape}; {want.shape} was expected."
    close = _close(got.ravel(), want.ravel(), case["rtol"], case["atol"])
    wrong = want.size - int(close.sum())
    if not wrong:
        return None
    little = ""
    if _close(got.ravel(), want.ravel(), ALMOST, case["atol"]).all():
        little = f" They agree to {round(-np.log10(ALMOST))} digits, and not in all that count."
    few = "The numbers differ." if want.size == 1 else f"{wrong} of {want.size} numbers differ."
    return few + little


def _close(got: Array, want: Array, rtol: float, atol: float) -> Array:
    """Return `np.isclose` with equal NaNs, without its overhead on short arrays."""
    with np.errstate(invalid="ignore", over="ignore"):
        near = (np.abs(got - want) <= atol + rtol * np.abs(want)) & np.isfinite(want)
    close: Array = near | (got == want) | (np.isnan(got) & np.isnan(want))
    return close


def _item_difference(case: CaseData, expected: Plain, actual: Plain) -> str | None:
    want, got = _items(expected) or [], _items(actual)
    if got is None or len(got) != len(want):
        returned = "one value" if got is None else f"{len(got)} values"
        return f"It returned {returned}; {len(want)} were expected."
    for position, (one, other) in enumerate(zip(want, got, strict=True), 1):
        if reason := _value_difference(case, one, other, f"Part {position}"):
            return f"Part {position} of {len(want)}: {reason[0].lower()}{reason[1:]}"
    return None


def _items(data: Plain) -> list[Plain] | None:
    """Return the parts of a tuple or list, or the rows of an array; None for other values."""
    if not isinstance(data, dict):
        return None
    if "array" in data and data["shape"]:
        return [*map(encode, decode(data))]
    items: list[Plain] | None = data.get("tuple", data.get("list"))
    return items


def _shape_difference(expected: Plain, actual: Plain) -> str | None:
    if (want := _shapes(expected, expected)) == (got := _shapes(actual, expected)):
        return None
    return f"Its result has shape {_shape_text(got)}; {_shape_text(want)} was expected."


def _shapes(data: Plain, expected: Plain) -> Any:
    """Return the shape of each part of `data`, divided like `expected`; lists equal tuples."""
    form: dict[str, Plain] = expected if isinstance(expected, dict) else {}
    if "tuple" in form or any(isinstance(item, dict) for item in form.get("list", ())):
        wanted, items = _items(expected) or [], _items(data)
        if items is not None and len(items) == len(wanted):
            return [*map(_shapes, items, wanted)]
    numbers = numbers_in(data)
    return None if numbers is None else numbers.shape


def _shape_text(shape: Any) -> str:
    if shape is None:
        return "none"
    return ", ".join(map(_shape_text, shape)) if isinstance(shape, list) else str(shape)


def _dtype_name(data: Plain) -> str:
    if isinstance(data, dict) and "dtype" in data:
        return str(data["dtype"])
    return "no numbers" if numbers_in(data) is None else str(np.asarray(decode(data)).dtype)


def _impurity(parameters: list[str], outcome: Outcome) -> str | None:
    if changed := outcome.get("changed"):
        names = dict(enumerate(parameters))
        listed = " and ".join(names.get(i, f"input {i + 1}") for i in changed)
        return f"It changed its input {listed}."
    return "Its result is one of its inputs, not a new array." if outcome.get("aliased") else None

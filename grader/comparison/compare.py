"""Compare the expected outcome of a case with a learner's and explain the difference."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.comparison.codec import decode, opaque
from grader.comparison.distribution import sample_difference
from grader.comparison.schema import CaseData, Outcome, Plain
from grader.comparison.vocabulary import kind

WRITES_INTO_INTEGERS = ("UFuncTypeError", "_UFuncOutputCastingError", "UFuncOutputCastingError")
"""What numpy raises when a real result is written into an array of integers: an update in place."""


def difference(case: CaseData, expected: Outcome, outcome: Outcome) -> str | None:
    """How `outcome` misses the property of `case`, in one sentence, or None where it has it.

    Args:
        case: ``"property"``, ``"raises"``, ``"rtol"``, ``"atol"`` and ``"parameters"``, the names of the inputs.
        expected: what the reference did with the same inputs.
        outcome: what the learner's function did.
    """
    if case.get("raises"):
        return _error_difference(case["raises"], outcome)
    if "error" in outcome:
        return f"It raised {error_text(outcome)}"
    if _is_nothing(outcome) and not _is_nothing(expected):
        return "It returned None: is its return missing?"
    if kind(case["property"]) == "distribution":
        return sample_difference(expected, outcome)
    if reason := opaque(outcome["value"]):
        return f"It returned {reason}."
    return {
        "shape": _shape_difference,
        "dtype": _dtype_difference,
        "quiet": _noise,
        "purity": _impurity,
    }.get(kind(case["property"]), _value_difference)(case, expected, outcome)


def caused_by_impurity(outcome: Outcome) -> bool:
    """Whether a miss comes from an update in place: the call changed an input, or numpy refused to write into it."""
    return bool(outcome.get("changed")) or any(
        name in WRITES_INTO_INTEGERS for name in outcome.get("error", ())
    )


def alike(case: CaseData, one: Outcome, other: Outcome) -> bool:
    """Whether two outcomes of the same case are the same result, as far as the property of the case can tell."""
    if "error" in one or "error" in other:
        return bool(one.get("error", [None])[0] == other.get("error", [None])[0])
    if kind(case["property"]) == "distribution":
        return sample_difference(one, other) is None
    if opaque(one["value"]) or opaque(other["value"]):
        return opaque(one["value"]) == opaque(other["value"])
    return (
        _same_side_effects(case, one, other)
        and _value_difference(case, one, other) is None
        and _shape_difference(case, one, other) is None
    )


def _same_side_effects(case: CaseData, one: Outcome, other: Outcome) -> bool:
    match kind(case["property"]):
        case "quiet":
            return bool(one.get("warnings")) == bool(other.get("warnings"))
        case "purity":
            return (one.get("changed"), one.get("aliased")) == (
                other.get("changed"),
                other.get("aliased"),
            )
        case "dtype":
            return _dtype_difference(case, one, other) is None
    return True


def _is_nothing(outcome: Outcome) -> bool:
    """Whether the function returned None, in each of its draws where it was to draw."""
    returned = outcome.get("draws") or ([] if outcome.get("sample") else [outcome.get("value", 0)])
    return bool(returned) and all(one is None for one in returned)


def error_text(outcome: Outcome) -> str:
    """An exception as one phrase: its class and message."""
    message = outcome.get("message", "").strip()
    return f"{outcome['error'][0]}: {message}" if message else f"{outcome['error'][0]}."


def _error_difference(wanted: str, outcome: Outcome) -> str | None:
    if "error" not in outcome:
        return f"It returned a result; a {wanted} was expected."
    if wanted in outcome["error"]:
        return None
    return f"It raised {error_text(outcome)} A {wanted} was expected."


def _value_difference(case: CaseData, expected: Outcome, outcome: Outcome) -> str | None:
    return _compare(expected["value"], outcome["value"], case["rtol"], case["atol"], "It")


def _compare(expected: Plain, actual: Plain, rtol: float, atol: float, what: str) -> str | None:
    if reason := opaque(actual):
        return f"{what} returned {reason}."
    if expected == actual:
        return None
    if isinstance(expected, dict) and ("tuple" in expected or "list" in expected):
        return _compare_items(expected, actual, rtol, atol)
    want, got = numbers_in(expected), numbers_in(actual)
    if want is None or got is None:
        return (
            None
            if expected == actual
            else f"{what} returned something of another kind than expected."
        )
    if want.size != got.size:
        return f"{what} has shape {got.shape}; {want.shape} was expected."
    wrong = want.size - int(_close(got.ravel(), want.ravel(), rtol, atol).sum())
    if not wrong:
        return None
    return "The numbers differ." if want.size == 1 else f"{wrong} of {want.size} numbers differ."


def _close(
    got: np.ndarray[Any, Any], want: np.ndarray[Any, Any], rtol: float, atol: float
) -> np.ndarray[Any, Any]:
    """Return where two arrays agree, like `np.isclose` with equal NaNs, without its overhead on short arrays."""
    with np.errstate(invalid="ignore", over="ignore"):
        near = (np.abs(got - want) <= atol + rtol * np.abs(want)) & np.isfinite(want)
    close: np.ndarray[Any, Any] = near | (got == want) | (np.isnan(got) & np.isnan(want))
    return close


def _compare_items(expected: Plain, actual: Plain, rtol: float, atol: float) -> str | None:
    want = expected["tuple"] if "tuple" in expected else expected["list"]
    got = _items(actual)
    if got is None or len(got) != len(want):
        returned = "one value" if got is None else f"{len(got)} values"
        return f"It returned {returned}; {len(want)} were expected."
    for position, (one, other) in enumerate(zip(want, got, strict=True), 1):
        if reason := _compare(one, other, rtol, atol, f"Part {position}"):
            return f"Part {position} of {len(want)}: {reason[0].lower()}{reason[1:]}"
    return None


def _items(data: Plain) -> list[Plain] | None:
    if not isinstance(data, dict):
        return None
    if "tuple" in data or "list" in data:
        items: list[Plain] = data["tuple"] if "tuple" in data else data["list"]
        return items
    if "array" in data and data["shape"]:
        array = decode(data)
        return [
            {"array": row.ravel().tolist(), "shape": list(row.shape), "dtype": data["dtype"]}
            for row in array
        ]
    return None


def numbers_in(data: Plain) -> np.ndarray[Any, Any] | None:
    """The numbers of `data` as a float64 array, or None where it holds anything else (text, None, a ragged list)."""
    if isinstance(data, str) or data is None:
        return None
    try:
        array = np.asarray(decode(data))
        return array.astype(np.float64) if array.dtype.kind in "biuf" else None
    except (ValueError, TypeError, OverflowError):
        return None


def _shape_difference(case: CaseData, expected: Outcome, outcome: Outcome) -> str | None:
    want, got = (
        _shapes(value, expected["value"]) for value in (expected["value"], outcome["value"])
    )
    return (
        None
        if want == got
        else f"Its result has shape {_shape_text(got)}; {_shape_text(want)} was expected."
    )


def _shapes(data: Plain, expected: Plain) -> Any:
    """The shape of each part of `data`, taken apart as `expected` is: a list of parts counts as a tuple of parts."""
    if isinstance(expected, dict) and _has_parts(expected):
        wanted, items = _items(expected) or [], _items(data)
        if items is not None and len(items) == len(wanted):
            return [_shapes(item, one) for item, one in zip(items, wanted, strict=True)]
    numbers = numbers_in(data)
    return None if numbers is None else numbers.shape


def _has_parts(data: dict[str, Any]) -> bool:
    return "tuple" in data or any(isinstance(item, dict) for item in data.get("list", ()))


def _shape_text(shape: Any) -> str:
    if shape is None:
        return "none"
    return ", ".join(map(_shape_text, shape)) if isinstance(shape, list) else str(shape)


def _dtype_difference(case: CaseData, expected: Outcome, outcome: Outcome) -> str | None:
    want, got = _dtype_name(expected["value"]), _dtype_name(outcome["value"])
    return None if want == got else f"Its numbers are {got}; {want} was expected."


def _dtype_name(data: Plain) -> str:
    if isinstance(data, dict) and "dtype" in data:
        return str(data["dtype"])
    numbers = numbers_in(data)
    return "no numbers" if numbers is None else str(np.asarray(decode(data)).dtype)


def _noise(case: CaseData, expected: Outcome, outcome: Outcome) -> str | None:
    texts = outcome.get("warnings")
    return f"It warned: {texts[0]}." if texts else None


def _impurity(case: CaseData, expected: Outcome, outcome: Outcome) -> str | None:
    names = case["parameters"]
    if changed := outcome.get("changed"):
        listed = " and ".join(names[i] if i < len(names) else f"input {i + 1}" for i in changed)
        return f"It changed its input {listed}."
    return "Its result is one of its inputs, not a new array." if outcome.get("aliased") else None

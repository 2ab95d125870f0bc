"""Reduce the outcomes of an answer to a short text, equal for answers that behave alike."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from grader.comparison.codec import opaque
from grader.comparison.compare import numbers_in
from grader.comparison.schema import CaseData, Outcome, Plain
from grader.comparison.vocabulary import kind

DIGITS = 6
"""Significant digits of a number that count: two ways to write one formula differ only in later ones."""

NEGLIGIBLE = 1e-9
"""Sizes below this are 0: what is left where numbers cancel out differs from one way of writing to the next."""


def fingerprint(cases: list[CaseData], outcomes: list[Outcome], property: str) -> str:
    """Twelve letters for what an answer did on the cases of one property, as far as that property can tell: see `grader.comparison.compare.alike`."""
    digest = hashlib.sha256()
    for case, outcome in zip(cases, outcomes, strict=True):
        if case["property"] == property:
            digest.update(repr(_outcome(kind(property), outcome)).encode())
    return digest.hexdigest()[:12]


def _outcome(property: str, outcome: Outcome) -> Any:
    if "error" in outcome:
        return "raised", outcome["error"][0]
    if property == "distribution":
        return _sample(outcome.get("sample"))
    side_effects = {
        "quiet": bool(outcome.get("warnings")),
        "purity": (outcome.get("changed"), outcome.get("aliased")),
        "dtype": _dtype(outcome["value"]),
    }.get(property)
    return side_effects, _value(outcome["value"])


def _value(data: Plain) -> Any:
    """A value as text that doesn't tell a list from an array of the same numbers."""
    if reason := opaque(data):
        return "opaque", reason
    if (numbers := numbers_in(data)) is not None:
        return numbers.shape, hashlib.sha256(_rounded(numbers).tobytes()).hexdigest()
    if isinstance(data, dict):
        return [
            _value(item) for item in (data["tuple"] if "tuple" in data else data.get("list", ()))
        ]
    return repr(data)


def _rounded(numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Numbers cut to `DIGITS` significant digits; every NaN is the same, and so are the two zeros."""
    with np.errstate(all="ignore"):
        size = np.abs(numbers)
        ordinary = np.isfinite(numbers) & (size >= NEGLIGIBLE)
        unit = 10.0 ** (np.floor(np.log10(np.where(ordinary, size, 1.0))) - (DIGITS - 1))
        rounded = np.where(ordinary, np.round(numbers / unit), 0.0)
        steps = np.where(ordinary, np.round(np.log10(unit)), 0.0)
    special = np.where(
        np.isnan(numbers), 1.0, np.where(np.isinf(numbers), np.sign(numbers) * 2.0, 0.0)
    )
    return np.stack([rounded + 0.0, steps, special])


def _dtype(data: Plain) -> str:
    return str(data["dtype"]) if isinstance(data, dict) and "dtype" in data else ""


def _sample(sample: dict[str, Any] | None) -> Any:
    """Random draws by shape, use of the generator and, in steps of a fifth, their spread and centre: less than a law, but the same for the same law."""
    if sample is None or not sample["quantiles"]:
        return sample and sample["shape"]
    quantiles = np.array(sample["quantiles"])
    spread = float(quantiles.std())
    if not np.isfinite(spread):
        return sample["shape"], "not finite"
    step = round(5 * float(np.log2(spread))) if spread > NEGLIGIBLE else None
    centre = (
        round(2 * float(quantiles.mean()) / spread)
        if spread > NEGLIGIBLE
        else round(float(quantiles.mean()), 3)
    )
    return (
        sample["shape"],
        sample["follows_rng"],
        sample["moves_on"],
        sample["distinct"],
        step,
        centre,
    )

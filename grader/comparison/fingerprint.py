"""Reduce the outcomes of an answer to a short text, equal for answers that behave alike."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from grader.comparison.codec import Array, numbers_in, opaque
from grader.comparison.compare import side_effects
from grader.comparison.schema import CaseData, Outcome, Plain, Sample
from grader.comparison.vocabulary import kind

DIGITS = 6  # significant digits compared: two ways to write one formula differ only in later ones
TIE = 0.6180339887  # the last digit is rounded up from 0.38…, as short decimals often end at a half
NEGLIGIBLE = 1e-9  # smaller numbers count as 0: rounding leaves rests where numbers cancel out


def fingerprint(cases: list[CaseData], outcomes: list[Outcome], property: str) -> str:
    """Return twelve letters for the outcomes of one property's cases, as far as it can tell."""
    digest = hashlib.sha256()
    for case, outcome in zip(cases, outcomes, strict=True):
        if case["property"] == property:
            digest.update(repr(_outcome(property, outcome)).encode())
    return digest.hexdigest()[:12]


def _outcome(property: str, outcome: Outcome) -> Any:
    if "error" in outcome:
        return "raised", outcome["error"][0]
    if kind(property) == "distribution":
        return _sample(outcome.get("sample"))
    return side_effects(property, outcome), _value(outcome["value"])


def _value(data: Plain) -> Any:
    """Return a value in a form that doesn't tell a list from an array of the same numbers."""
    if reason := opaque(data):
        return "opaque", reason
    if (numbers := numbers_in(data)) is not None:
        return numbers.shape, hashlib.sha256(_rounded(numbers).tobytes()).hexdigest()
    if isinstance(data, dict):
        items: list[Plain] = data.get("tuple") or data.get("list") or []
        return [*map(_value, items)]
    return repr(data)


def _rounded(numbers: Array) -> Array:
    """Return numbers cut to `DIGITS` significant digits; NaNs are equal, and so are both zeros."""
    with np.errstate(all="ignore"):
        size = np.abs(numbers)
        ordinary = np.isfinite(numbers) & (size >= NEGLIGIBLE)
        power = np.floor(np.log10(np.where(ordinary, size, 1.0)) + 1e-9)  # 0.9999999999 is 1
        unit = 10.0 ** (power - (DIGITS - 1))
        rounded = np.where(ordinary, np.floor(numbers / unit + TIE), 0.0)
        steps = np.where(ordinary, power, 0.0)
    infinite = np.where(np.isinf(numbers), np.sign(numbers) * 2.0, 0.0)
    special = np.where(np.isnan(numbers), 1.0, infinite)
    return np.stack([rounded + 0.0, steps, special])


def _sample(sample: Sample | None) -> Any:
    """Return a sample's shape, use of the generator and, in steps of a fifth, spread and centre."""
    if sample is None or not sample["quantiles"]:
        return sample and sample["shape"]
    quantiles = np.array(sample["quantiles"])
    mean, spread = float(quantiles.mean()), float(quantiles.std())
    if not np.isfinite(spread):
        return sample["shape"], "not finite"
    known = sample["shape"], sample["follows_rng"], sample["moves_on"], sample["distinct"]
    if spread <= NEGLIGIBLE:
        return *known, None, round(mean, 3)
    return *known, round(5 * float(np.log2(spread))), round(2 * mean / spread)

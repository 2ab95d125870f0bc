"""Compare random draws of two functions: do they follow the same distribution?"""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.comparison.codec import decode, opaque
from grader.comparison.schema import Outcome, Plain

LEVELS = 256
"""A sample is kept as its quantiles at k/256, smallest and largest included."""

MIN_NUMBERS = 4_000
"""Fewest numbers that two draws must hold for `MAX_DISTANCE` to tell the laws of a lesson apart."""

MAX_DISTANCE = 0.045
"""Largest Kolmogorov distance between two samples of the same law: with 4,000 numbers each, one pair in 10⁷ is farther apart
(Kolmogorov–Smirnov: 2·exp(−n·d²))."""

MAX_SPREAD_RATIO = 1.12
"""The standard deviations of two samples of the same law stay within this factor: eight standard errors for normal and uniform numbers."""

MAX_EXTREME_RATIO = 1.6
"""The largest magnitudes of two samples of the same law stay within this factor."""


def summarise(outcome: Outcome) -> Outcome:
    """The outcome of a distribution case with its draws replaced by what is compared: quantiles, shape and use of the generator."""
    if "draws" not in outcome:
        return outcome
    draws = [_array(data) for data in outcome["draws"]]
    if any(draw is None for draw in draws):
        return {**outcome, "sample": None}
    first, second, again = (np.asarray(draw) for draw in draws)
    both = np.concatenate([first.ravel(), second.ravel()])
    sample = {
        "shape": list(first.shape),
        "quantiles": np.quantile(both, np.linspace(0, 1, LEVELS + 1)).tolist() if both.size else [],
        "distinct": len(np.unique(both)) > 0.99 * both.size,
        "moves_on": not np.array_equal(first, second, equal_nan=True),
        "follows_rng": np.array_equal(first, again, equal_nan=True)
        and not outcome.get("global_random"),
    }
    summary: Outcome = {**outcome, "value": None, "sample": sample}
    del summary["draws"]
    return summary


def numbers_drawn(outcome: Outcome) -> int:
    """How many numbers the two draws of a summarised outcome hold."""
    return 2 * int(np.prod(sample["shape"])) if (sample := outcome.get("sample")) else 0


def sample_difference(expected: Outcome, outcome: Outcome) -> str | None:
    """How the draws of `outcome` differ from those of `expected` in law or in their use of the generator, or None.

    The order of the numbers never counts: a transposed or reordered draw is the same sample.
    """
    want, got = summarise(expected)["sample"], summarise(outcome)["sample"]
    if want is None or got is None:
        return None if want == got else f"It returned {_reason(outcome)}."
    checks = (
        (
            "shape",
            f"Its result has shape {tuple(got['shape'])}; {tuple(want['shape'])} was expected.",
        ),
        ("follows_rng", "Its numbers do not come from the generator rng alone."),
        ("moves_on", "A second call with the same generator repeats the first."),
        ("distinct", "Many of its numbers are the same."),
    )
    for name, sentence in checks:
        if want[name] != got[name]:
            return sentence
    return _law_difference(np.array(want["quantiles"]), np.array(got["quantiles"]))


def _law_difference(want: np.ndarray[Any, Any], got: np.ndarray[Any, Any]) -> str | None:
    if not want.size or not np.isfinite(got).all():
        return (
            None
            if want.size == got.size and np.isfinite(got).all()
            else "Its numbers are not finite."
        )
    spread = f"standard deviation {_std(got):.3g}, largest magnitude {np.abs(got).max():.3g}; expected {_std(want):.3g} and {np.abs(want).max():.3g}"
    farther = _apart(float(np.abs(want).max()), float(np.abs(got).max())) > MAX_EXTREME_RATIO
    wider = _apart(_std(want), _std(got)) > MAX_SPREAD_RATIO
    if _distance(want, got) > MAX_DISTANCE or farther or wider:
        return f"Its numbers follow another law: mean {got.mean():.3g}, {spread}."
    return None


def _apart(one: float, other: float) -> float:
    """By which factor the larger of two sizes exceeds the smaller."""
    return max(one, other) / max(min(one, other), 1e-300)


def _std(quantiles: np.ndarray[Any, Any]) -> float:
    return float(quantiles.std())


def _distance(want: np.ndarray[Any, Any], got: np.ndarray[Any, Any]) -> float:
    """Kolmogorov distance of two laws given by their quantiles at the same levels."""
    grid = np.union1d(want, got)
    levels = np.linspace(0, 1, LEVELS + 1)
    return float(np.abs(np.interp(grid, want, levels) - np.interp(grid, got, levels)).max())


def _array(data: Plain) -> np.ndarray[Any, Any] | None:
    if opaque(data) or isinstance(data, str) or data is None:
        return None
    try:
        array = np.asarray(decode(data), dtype=np.float64)
    except (ValueError, TypeError):
        return None
    return array


def _reason(outcome: Outcome) -> str:
    return opaque(outcome.get("draws", [None])[0]) or "no array of numbers"

"""Compare random draws of two functions: do they follow the same distribution?"""

from __future__ import annotations

import numpy as np

from grader.comparison.codec import Array, numbers_in, opaque
from grader.comparison.schema import CaseData, Outcome, Plain, Sample

LEVELS = 256  # a sample is kept as its quantiles at k/256, smallest and largest included
MIN_NUMBERS = 18_000  # in two draws, for MAX_DISTANCE to tell a lesson's distributions apart

# Largest differences between two samples of one distribution. A right answer may draw the opposite
# of the reference's numbers: with 18,000 each, one such pair in 10⁷ has a larger Kolmogorov
# distance (Kolmogorov–Smirnov: 2·exp(−n·d²/2), for independent ones 2·exp(−n·d²)). The ratio of the
# standard deviations allows eight standard errors of normal and uniform numbers, and more.
MAX_DISTANCE = 0.045
MAX_SPREAD_RATIO = 1.12
MAX_EXTREME_RATIO = 1.6


def summarise(outcome: Outcome) -> Outcome:
    """Return the outcome with its draws, if any, replaced by their `Sample`."""
    if "draws" not in outcome:
        return outcome
    arrays = [isinstance(data, dict) and "array" in data for data in outcome["draws"]]
    draws = [numbers_in(data) for data in outcome["draws"]] if all(arrays) else [None]
    if any(draw is None for draw in draws):
        return {**outcome, "sample": None}
    first, second, again, other = (np.asarray(draw) for draw in draws)
    both = np.concatenate([first.ravel(), second.ravel()])
    with np.errstate(invalid="ignore"):
        quantiles = np.quantile(both, np.linspace(0, 1, LEVELS + 1)).tolist() if both.size else []
    sample: Sample = {
        "shape": list(first.shape),
        "quantiles": quantiles,
        "distinct": len(np.unique(both)) > 0.99 * both.size,
        "moves_on": not np.array_equal(first, second, equal_nan=True),
        "follows_rng": np.array_equal(first, again, equal_nan=True)
        and (not other.size or not np.array_equal(first, other, equal_nan=True)),
    }
    summary: Outcome = {**outcome, "value": None, "sample": sample}
    del summary["draws"]
    return summary


def numbers_drawn(outcome: Outcome) -> int:
    """Return the count of numbers in the two draws of a summarised outcome."""
    return 2 * int(np.prod(sample["shape"])) if (sample := outcome.get("sample")) else 0


def sample_difference(expected: Outcome, outcome: Outcome) -> str | None:
    """Return how two outcomes' draws differ, their order aside, or in use of the generator."""
    want, got = summarise(expected)["sample"], summarise(outcome)["sample"]
    if want is None or got is None:
        kinds, wanted = ([*map(_kind_of, one.get("draws", []))] for one in (outcome, expected))
        same = want is got and kinds == wanted
        other = next((one for one in kinds if one != "an array"), "something else")
        return None if same else f"It returned {other}, no array of numbers."
    if want["shape"] != got["shape"]:
        return f"Its result has shape {(*got['shape'],)}; {(*want['shape'],)} was expected."
    if want["moves_on"] != got["moves_on"]:
        return "A second call with the same generator repeats the first."
    if want["follows_rng"] != got["follows_rng"]:
        return "Its numbers do not come from the generator rng alone."
    if want["distinct"] != got["distinct"]:
        return "Many of its numbers are the same."
    return distribution_difference(np.array(want["quantiles"]), np.array(got["quantiles"]))


def same_numbers(case: CaseData, outcome: Outcome) -> bool:
    """Return whether draws are the expected numbers, whatever their order and sign.

    Those of other generators differ by a thousand times as much.
    """
    want, got = case["expected"].get("sample"), outcome.get("sample")
    if not want or not got:
        return False
    first, second = np.array(want["quantiles"]), np.array(got["quantiles"])
    if first.shape != second.shape:
        return False
    close = 1e-6 * np.abs(first).max(initial=0)
    return any(np.abs(first - one).max(initial=0) <= close for one in (second, -second[::-1]))


def _kind_of(draw: Plain) -> str:
    """Return what kind of value a draw is."""
    kinds = {"array": "an array", "list": "a list", "tuple": "a tuple"}
    kind = next(iter(draw)) if isinstance(draw, dict) else ""
    return opaque(draw) or kinds.get(kind, "one value")


def distribution_difference(want: Array, got: Array) -> str | None:
    """Return how two distributions differ, given by their quantiles."""
    if not np.isfinite(got).all():
        return "Its numbers are not finite."
    if not want.size:
        return None
    wanted, largest = np.abs(want).max(), np.abs(got).max()
    near = _distance(want, got) <= MAX_DISTANCE
    extreme, spread = _ratio(wanted, largest), _ratio(want.std(), got.std())
    if near and extreme <= MAX_EXTREME_RATIO and spread <= MAX_SPREAD_RATIO:
        return None
    return (
        f"Its numbers follow another distribution: mean {got.mean():.3g},"
        f" standard deviation {got.std():.3g}, largest magnitude {largest:.3g};"
        f" expected {want.std():.3g} and {wanted:.3g}."
    )


def _ratio(one: float, other: float) -> float:
    """Return the larger of two sizes divided by the smaller."""
    return max(one, other) / max(min(one, other), 1e-300)


def _distance(want: Array, got: Array) -> float:
    """Return the Kolmogorov distance of two distributions, given by their quantiles."""
    grid = np.union1d(want, got)
    levels = np.linspace(0, 1, LEVELS + 1)
    return float(np.abs(np.interp(grid, want, levels) - np.interp(grid, got, levels)).max())

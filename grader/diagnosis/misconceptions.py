"""Find the misconception that explains a wrong answer: the one with the same outcomes."""

from __future__ import annotations

from grader.comparison.compare import Result, alike
from grader.comparison.judge import misses_of
from grader.comparison.schema import ExerciseKey, Outcome
from grader.comparison.vocabulary import LEADING, PROPERTIES, in_order, kind


def misconception(key: ExerciseKey, outcomes: list[Outcome]) -> str | None:
    """Return the hint of a misconception with the same outcomes, or None.

    It agrees on every case that concerns the property missed first and misses no more basic
    property; of several, it agrees on the most cases. Where the values are right, the other missed
    properties are tried next, but not "quiet" after "stability", which has the same inputs.
    """
    results = [*map(Result, outcomes)]
    misses = misses_of(key, results)
    first = in_order(misses)[0]
    for prop in _explained(in_order(misses)):
        concerned = {id(failure.case) for failure in misses[prop]}
        matches = []
        for misconception in key["misconceptions"]:
            theirs = results_of(key, misconception["outcomes"])
            trios = [*zip(key["cases"], results, theirs, strict=True)]
            same = all(
                alike(prop, case, mine, its)
                for case, mine, its in trios
                if case["property"] == prop or id(case) in concerned
            )
            if same and not _more_basic(in_order(misses_of(key, theirs)), first):
                agreed = sum(
                    alike(p, *trio) for trio in trios for p in (trio[0]["property"], "shape")
                )
                matches.append((agreed, misconception["hint"]))
        if matches:
            return max(matches, key=lambda match: match[0])[1]
    return None


def results_of(key: ExerciseKey, outcomes: list[Outcome | None]) -> list[Result]:
    """Return a misconception's results, the reference's where they are the same."""
    pairs = zip(key["cases"], outcomes, strict=True)
    return [Result(case["expected"] if outcome is None else outcome) for case, outcome in pairs]


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

"""Judge an exercise: points, properties, the first failing case and the hint."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from grader.comparison.compare import alike, caused_by_impurity, difference
from grader.comparison.distribution import summarise
from grader.comparison.observe import observe
from grader.comparison.schema import Call, CaseData, ExerciseKey, Function, Outcome
from grader.comparison.vocabulary import BASIC, in_order, kind


class State(StrEnum):
    """The state of an exercise."""

    SOLVED = "solved"  # every property passed
    PARTLY = "partly"  # some points, but not every property
    MISSED = "missed"  # no points
    UNWRITTEN = "unwritten"  # the stub is still there
    UNJUDGED = "unjudged"  # the function is missing or can't be called; the verdict's note says why

    @property
    def mark(self) -> str:
        """The state as one character."""
        return {"solved": "✓", "partly": "✗", "missed": "✗"}.get(self, "○")


@dataclass(frozen=True)
class Failure:
    """The first case that an answer missed, its outcome, and the difference in one sentence."""

    case: CaseData
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of one exercise."""

    exercise: str
    state: State
    points: float
    max_points: float
    passed: tuple[str, ...] = ()  # properties, the most basic first; so is `missed`
    missed: tuple[str, ...] = ()
    failure: Failure | None = None
    hint: str | None = None  # of the misconception that returns the same results
    note: str | None = None  # why the answer could not be judged, in one sentence
    returned: str | None = None  # fingerprint of an answer without a hint; set by grading runs only

    @property
    def solved(self) -> bool:
        """Whether every property passed."""
        return self.state is State.SOLVED

    @property
    def works(self) -> bool:
        """Whether values and shapes are right, and some other property is missed."""
        basic = [prop for prop in self.missed if kind(prop) in BASIC]
        return self.state is State.PARTLY and not basic


def observe_all(function: Function, cases: list[CaseData]) -> list[Outcome]:
    """Return the outcomes of `function`, ready to be compared."""
    return [summarise(observe(function, call_of(case))) for case in cases]


def call_of(case: CaseData) -> Call:
    """Return the part of a case that a learner's code may see."""
    call = {name: value for name, value in case.items() if name in ("inputs", "at", "draws")}
    return cast(Call, call)


def judge(name: str, key: ExerciseKey, outcomes: list[Outcome]) -> Verdict:
    """Return the verdict on the exercise `name` from an outcome for each case of its key."""
    if all(outcome.get("error", [""])[0] == "NotImplementedError" for outcome in outcomes):
        way_out = "replace the line that raises NotImplementedError, and run its cell (Shift+Enter)"
        return unjudged(name, key, f"{name} is not written yet: {way_out}.", State.UNWRITTEN)
    misses, total = _misses(key["cases"], outcomes), float(key["points"])
    tested = in_order(case["property"] for case in key["cases"])
    without_points = {prop for prop, _ in misses}
    passed = tuple(prop for prop in tested if prop not in without_points)
    missed = tuple(prop for prop in tested if prop in without_points)
    earned = points(total, tested, without_points)
    if not misses:
        return Verdict(name, State.SOLVED, earned, total, passed)
    state, failure = State.PARTLY if earned else State.MISSED, _first_failure(misses)
    hint = diagnose(key, outcomes, failure)
    return Verdict(name, state, earned, total, passed, missed, failure, hint)


def accepted(key: ExerciseKey, outcomes: list[Outcome]) -> bool:
    """Return whether an answer with these outcomes misses nothing."""
    return not _misses(key["cases"], outcomes)


def unjudged(name: str, key: ExerciseKey, note: str, state: State = State.UNJUDGED) -> Verdict:
    """Return the verdict on an answer that could not be called."""
    return Verdict(name, state, 0.0, float(key["points"]), note=note)


def points(total: float, tested: list[str], missed: set[str]) -> float:
    """Return the points of an answer.

    Right values earn half, and are needed for any points; the other properties share the other
    half equally. In an exercise with random results, "distribution" counts as "value".
    """
    leading = [prop for prop in tested if kind(prop) in ("value", "distribution")] or tested[:1]
    if not missed.isdisjoint(leading):
        return 0.0
    kept = [prop not in missed for prop in tested if prop not in leading]
    return round(total * (0.5 + 0.5 * sum(kept) / len(kept)), 2) if kept else total


def diagnose(key: ExerciseKey, outcomes: list[Outcome], failure: Failure) -> str | None:
    """Return the hint of the misconception with the same outcomes, or None.

    It agrees on every case of the property missed first and, of several, on the most cases.
    """
    matches = []
    for misconception in key["misconceptions"]:
        triples = zip(key["cases"], outcomes, misconception["outcomes"], strict=True)
        agreed = [
            (case["property"], alike(case, outcome, theirs or case["expected"]))
            for case, outcome, theirs in triples
        ]
        if all(same for prop, same in agreed if prop == failure.case["property"]):
            matches.append((sum(same for _, same in agreed), misconception["hint"]))
    return max(matches, key=lambda match: match[0])[1] if matches else None


def _misses(cases: list[CaseData], outcomes: list[Outcome]) -> list[tuple[str, Failure]]:
    """Return each missed case with the property that pays for it.

    A miss caused by an update in place counts against purity, so that one cause costs once.
    """
    purity = next((case["property"] for case in cases if kind(case["property"]) == "purity"), None)
    misses = []
    for case, outcome in zip(cases, outcomes, strict=True):
        if reason := difference(case, case["expected"], outcome):
            prop, leading = case["property"], ("value", "distribution")
            if purity and kind(prop) not in leading and caused_by_impurity(outcome):
                prop = purity
            misses.append((prop, Failure(case, outcome, reason)))
    return misses


def _first_failure(misses: list[tuple[str, Failure]]) -> Failure:
    """Return the failure of the most basic property, if possible on a case of that property."""
    first = in_order(prop for prop, _ in misses)[0]
    failures = [failure for prop, failure in misses if prop == first]
    return min(failures, key=lambda failure: failure.case["property"] != first)

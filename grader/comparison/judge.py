"""Judge an exercise: points, properties, the first failing case and the hint."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from grader.comparison.compare import alike, caused_by_impurity, difference
from grader.comparison.distribution import summarise
from grader.comparison.observe import observe
from grader.comparison.schema import Call, CaseData, ExerciseKey, Function, Outcome
from grader.comparison.vocabulary import in_order, kind


class State(StrEnum):
    """The state of an exercise."""

    SOLVED = "solved"
    """Every property passed."""
    PARTLY = "partly"
    """Some points, but not every property."""
    MISSED = "missed"
    """No points."""
    UNWRITTEN = "unwritten"
    """The stub is still there."""
    UNJUDGED = "unjudged"
    """The function is missing or could not be called; the verdict's note says why."""

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
    passed: tuple[str, ...] = ()
    """Properties, the most basic first; so is `missed`."""
    missed: tuple[str, ...] = ()
    failure: Failure | None = None
    hint: str | None = None
    """The hint of the misconception that returns the same results."""
    note: str | None = None
    """Why the answer could not be judged, in one sentence."""
    returned: str | None = None
    """The `fingerprint` of an answer without a hint; set by a grading run alone."""

    @property
    def solved(self) -> bool:
        """Whether every property passed."""
        return self.state is State.SOLVED


def observe_all(function: Function, cases: list[CaseData]) -> list[Outcome]:
    """Return the outcomes of `function`, ready to be compared."""
    return [summarise(observe(function, call_of(case))) for case in cases]


def call_of(case: CaseData) -> Call:
    """Return the part of a case that a learner's code may see."""
    call: Call = {"inputs": case["inputs"]}
    if "at" in case:
        call["at"] = case["at"]
    if "draws" in case:
        call["draws"] = case["draws"]
    return call


def judge(name: str, key: ExerciseKey, outcomes: list[Outcome]) -> Verdict:
    """Return the verdict on the exercise `name` from an outcome for each case of its key."""
    if all(outcome.get("error", [""])[0] == "NotImplementedError" for outcome in outcomes):
        note = (
            f"{name} is not written yet: replace the line that raises NotImplementedError"
            " with your own code, and run its cell (Shift+Enter)."
        )
        return unjudged(name, key, note, State.UNWRITTEN)
    misses = _misses(key["cases"], outcomes)
    missed = {prop for prop, _ in misses}
    tested = in_order(case["property"] for case in key["cases"])
    failure = _first_failure(misses)
    earned = points(float(key["points"]), tested, missed)
    return Verdict(
        exercise=name,
        state=State.SOLVED if not missed else State.PARTLY if earned else State.MISSED,
        points=earned,
        max_points=float(key["points"]),
        passed=tuple(prop for prop in tested if prop not in missed),
        missed=tuple(prop for prop in tested if prop in missed),
        failure=failure,
        hint=diagnose(key, outcomes, failure) if failure else None,
    )


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
    others = [prop for prop in tested if prop not in leading]
    if not others:
        return total
    kept = sum(prop not in missed for prop in others)
    return round(total * (0.5 + 0.5 * kept / len(others)), 2)


def diagnose(key: ExerciseKey, outcomes: list[Outcome], failure: Failure) -> str | None:
    """Return the hint of the misconception with the same outcomes, or None.

    It has to agree with the answer on every case of the property that was missed first; of
    several, the one that agrees on the most cases counts.
    """
    matches = []
    for misconception in key["misconceptions"]:
        agreed = [
            (case["property"], alike(case, outcome, theirs or case["expected"]))
            for case, outcome, theirs in zip(
                key["cases"], outcomes, misconception["outcomes"], strict=True
            )
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
        reason = difference(case, case["expected"], outcome)
        if reason is None:
            continue
        prop = case["property"]
        if purity and kind(prop) not in ("value", "distribution") and caused_by_impurity(outcome):
            prop = purity
        misses.append((prop, Failure(case, outcome, reason)))
    return misses


def _first_failure(misses: list[tuple[str, Failure]]) -> Failure | None:
    """Return the failure of the most basic property, if possible on a case of that property."""
    order = in_order(prop for prop, _ in misses)
    return min(
        misses,
        key=lambda miss: (order.index(miss[0]), miss[1].case["property"] != miss[0]),
        default=("", None),
    )[1]

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
    """The first case that an answer missed: which one, and how, in one sentence."""

    case: CaseData
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of one exercise.

    Attributes:
        exercise: the function's name.
        state: solved, partly solved, missed, or why it could not be judged.
        points, max_points: earned and possible.
        passed, missed: properties, the most basic first.
        failure: the first case missed, or None.
        hint: the sentence of the misconception that returns the same results, or None.
        returned: where there is a failure and no hint, what the answer did, as `grader.comparison.fingerprint` writes it; only a grading run fills it in.
        note: why the answer could not be judged, in one sentence (not written yet, other parameters, missing), or None.
    """

    exercise: str
    state: State
    points: float
    max_points: float
    passed: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    failure: Failure | None = None
    hint: str | None = None
    note: str | None = None
    returned: str | None = None

    @property
    def solved(self) -> bool:
        """Whether every property passed."""
        return self.state is State.SOLVED


def observe_all(function: Function, cases: list[CaseData]) -> list[Outcome]:
    """What `function` does on each case, ready to be compared."""
    return [summarise(observe(function, call_of(case))) for case in cases]


def call_of(case: CaseData) -> Call:
    """The part of a case that the learner's side may see: what to call, and nothing about what is expected."""
    call: Call = {"inputs": case["inputs"]}
    if "at" in case:
        call["at"] = case["at"]
    if "draws" in case:
        call["draws"] = case["draws"]
    return call


def judge(name: str, key: ExerciseKey, outcomes: list[Outcome]) -> Verdict:
    """The verdict on an answer, from what it did on each case of the key.

    Args:
        name: the exercise.
        key: its part of the answer key.
        outcomes: one for each case, in order.
    """
    if all(outcome.get("error", [""])[0] == "NotImplementedError" for outcome in outcomes):
        return unjudged(
            name,
            key,
            f"{name} is not written yet: replace the line that raises NotImplementedError"
            " with your own code, and run its cell (Shift+Enter).",
            State.UNWRITTEN,
        )
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
    return not any(
        difference(case, case["expected"], one)
        for case, one in zip(key["cases"], outcomes, strict=True)
    )


def unjudged(name: str, key: ExerciseKey, note: str, state: State = State.UNJUDGED) -> Verdict:
    """Return the verdict on an answer that could not be called."""
    return Verdict(name, state, 0.0, float(key["points"]), note=note)


def points(total: float, tested: list[str], missed: set[str]) -> float:
    """What an answer earns: nothing without right values; with them half, and an equal share of the other half for each other property.

    The leading property is "value"; an exercise whose results are random has "distribution" in its place.
    """
    leading = [prop for prop in tested if kind(prop) in ("value", "distribution")] or tested[:1]
    if missed & set(leading):
        return 0.0
    others = [prop for prop in tested if prop not in leading]
    if not others:
        return total
    kept = sum(prop not in missed for prop in others)
    return round(total * (0.5 + 0.5 * kept / len(others)), 2)


def diagnose(key: ExerciseKey, outcomes: list[Outcome], failure: Failure) -> str | None:
    """The hint of the misconception that does what this answer does on every case of the property it missed first.

    Among several, the one that agrees with the answer on the most cases overall.
    """
    cases = key["cases"]
    matches = []
    for misconception in key["misconceptions"]:
        triples = [
            (case, outcome, case["expected"] if theirs is None else theirs)
            for case, outcome, theirs in zip(
                cases, outcomes, misconception["outcomes"], strict=True
            )
        ]
        if all(
            alike(*triple)
            for triple in triples
            if triple[0]["property"] == failure.case["property"]
        ):
            matches.append((sum(alike(*triple) for triple in triples), misconception["hint"]))
    return max(matches, key=lambda match: match[0])[1] if matches else None


def _misses(cases: list[CaseData], outcomes: list[Outcome]) -> list[tuple[str, Failure]]:
    """Each case missed, with the property that the miss counts against: one cause costs once."""
    purity = next((case["property"] for case in cases if kind(case["property"]) == "purity"), None)
    misses = []
    for case, outcome in zip(cases, outcomes, strict=True):
        reason = difference(case, case["expected"], outcome)
        if reason is None:
            continue
        to_purity = (
            purity
            and kind(case["property"]) not in ("value", "distribution")
            and caused_by_impurity(outcome)
        )
        misses.append(
            (purity if purity and to_purity else case["property"], Failure(case, outcome, reason))
        )
    return misses


def _first_failure(misses: list[tuple[str, Failure]]) -> Failure | None:
    """The failure to show: of the most basic property missed, a case of that property itself where there is one."""
    order = in_order(prop for prop, _ in misses)
    ranked = sorted(
        misses, key=lambda miss: (order.index(miss[0]), miss[1].case["property"] != miss[0])
    )
    return ranked[0][1] if ranked else None

"""Judge an exercise: points, properties and the first failing case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from grader.comparison.compare import Result, differences
from grader.comparison.distribution import summarise
from grader.comparison.observe import observe, restored_generators
from grader.comparison.schema import Call, CaseData, ExerciseKey, Function, Outcome
from grader.comparison.vocabulary import BASIC, LEADING, in_order, kind

if TYPE_CHECKING:
    from grader.comparison.pictures import Picture

# Exceptions of numpy when an update in place writes a real result into an integer array.
WRITES_INTO_INTEGERS = {"UFuncTypeError", "_UFuncOutputCastingError", "UFuncOutputCastingError"}


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


Misses = dict[str, list[Failure]]  # the failures of each missed property


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
    repair: str | None = None  # a mistake that an edit of the learner's code proves
    relation: str | None = None  # what holds between the learner's results and the expected ones
    picture: Picture | None = None  # of where the values part from the expected ones
    mistake: str | None = None  # name of the repair, which groups the answers of a class
    note: str | None = None  # why the answer could not be judged, in one sentence
    returned: str | None = None  # fingerprint of an answer without a hint; set by grading runs only
    open: tuple[str, ...] = ()  # properties that can't be seen here; a grading run looks at them

    @property
    def solved(self) -> bool:
        """Whether every property passed."""
        return self.state is State.SOLVED

    @property
    def advice(self) -> str | None:
        """The sentence about the first mistake, with its title, or None."""
        hint = self.hint or self.repair
        return f"Hint: {hint}" if hint else f"Notice: {self.relation}" if self.relation else None

    @property
    def works(self) -> bool:
        """Whether values and shapes are right, and some other property is missed."""
        basic = [prop for prop in self.missed if kind(prop) in BASIC]
        return self.state is State.PARTLY and not basic


def observe_all(function: Function, cases: list[CaseData]) -> list[Outcome]:
    """Return the outcomes of `function`, ready to be compared."""
    with restored_generators():
        return [summarise(observe(function, call_of(case))) for case in cases]


def call_of(case: CaseData) -> Call:
    """Return the part of a case that a learner's code may see."""
    call = {name: value for name, value in case.items() if name in ("inputs", "at", "draws")}
    return cast(Call, call)


class Compared:
    """The outcomes of an answer, compared with those of its key.

    Attributes:
        missed: the properties that the answer misses, the most basic first.
    """

    def __init__(self, key: ExerciseKey, outcomes: list[Outcome]) -> None:
        self.key, self.cases, self.outcomes = key, key["cases"], outcomes
        self.results = [*map(Result, outcomes)]
        self.misses = misses_of(key, self.results)
        self.missed = in_order(self.misses)

    def concerned(self, prop: str) -> list[int]:
        """Return the positions of the cases of a property, and of others that miss it."""
        failing = {id(failure.case) for failure in self.misses[prop]}
        pairs = enumerate(self.cases)
        return [i for i, case in pairs if case["property"] == prop or id(case) in failing]

    def failure(self, prop: str) -> Failure:
        """Return a missed property's first failure, if possible on a case of that property."""
        return min(self.misses[prop], key=lambda failure: failure.case["property"] != prop)


def judge(name: str, key: ExerciseKey, outcomes: list[Outcome]) -> Verdict:
    """Return the verdict on the exercise `name` from an outcome for each case of its key."""
    return judged(name, Compared(key, outcomes))


def judged(name: str, answer: Compared) -> Verdict:
    """Return the verdict on the exercise `name` from its comparison with the key."""
    key, misses, outcomes = answer.key, answer.misses, answer.outcomes
    if all(outcome.get("error", [""])[0] == "NotImplementedError" for outcome in outcomes):
        way_out = "replace the line that raises NotImplementedError, and run its cell (Shift+Enter)"
        return unjudged(name, key, f"{name} is not written yet: {way_out}.", State.UNWRITTEN)
    tested, total = _tested(key), float(key["points"])
    passed = tuple(prop for prop in tested if prop not in misses)
    missed = tuple(prop for prop in tested if prop in misses)
    got = earned(key, misses)
    if not misses:
        return Verdict(name, State.SOLVED, got, total, passed)
    state, failure = State.PARTLY if got else State.MISSED, answer.failure(missed[0])
    return Verdict(name, state, got, total, passed, missed, failure)


def earned(key: ExerciseKey, missed: Iterable[str]) -> float:
    """Return the points of an answer that misses these properties."""
    return points(float(key["points"]), _tested(key), {*missed})


def misses_of(key: ExerciseKey, results: list[Result]) -> Misses:
    """Return each missed property, the one that a difference concerns where that is tested.

    numpy's refusal to write a fraction into integers is an update in place of an input only where
    another case shows one, and then costs what the update costs.
    """
    tested, misses = _tested(key), Misses()
    impure = any(result.outcome.get("changed") for result in results)
    for case, mine in zip(key["cases"], results, strict=True):
        own = case["property"]
        refused = not WRITES_INTO_INTEGERS.isdisjoint(mine.outcome.get("error", ()))
        in_place = refused and impure and kind(own) not in LEADING
        for one in differences(case, Result(case["expected"]), mine):
            concerned = "purity" if in_place else one.kind
            same = (prop for prop in tested if kind(prop) == concerned)
            prop = own if kind(own) == concerned else next(same, own)
            misses.setdefault(prop, []).append(Failure(case, mine.outcome, one.reason))
    return misses


def without_warnings(verdict: Verdict) -> Verdict:
    """Return the verdict of a place where numpy's warnings aren't heard: "quiet" stays open."""
    quiet = tuple(prop for prop in verdict.passed if kind(prop) == "quiet")
    passed = tuple(prop for prop in verdict.passed if prop not in quiet)
    return replace(verdict, passed=passed, open=quiet)


def unjudged(name: str, key: ExerciseKey, note: str, state: State = State.UNJUDGED) -> Verdict:
    """Return the verdict on an answer that could not be called."""
    return Verdict(name, state, 0.0, float(key["points"]), note=note)


def points(total: float, tested: list[str], missed: set[str]) -> float:
    """Return the points of an answer.

    Right values earn half, and are needed for any points; the other properties share the other
    half equally. In an exercise with random results, "distribution" counts as "value".
    """
    leading = [prop for prop in tested if kind(prop) in LEADING] or tested[:1]
    if not missed.isdisjoint(leading):
        return 0.0
    kept = [prop not in missed for prop in tested if prop not in leading]
    return round(total * (0.5 + 0.5 * sum(kept) / len(kept)), 2) if kept else total


def _tested(key: ExerciseKey) -> list[str]:
    return in_order(case["property"] for case in key["cases"])

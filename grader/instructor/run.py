"""One run of a lesson with one seed: draw inputs, get a learner's outcomes, judge them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, NotRequired, TypedDict

from grader.author.key import exercise_key, lines_of
from grader.author.lesson import Lesson, cell_ids, role
from grader.comparison.fingerprint import fingerprint
from grader.comparison.judge import Compared, State, Verdict, call_of, judged
from grader.comparison.pictures import LineOutcomes, Picture, illustrated, lines_to_ask
from grader.comparison.present import Texts, failure_rows, failure_texts, verdict_html
from grader.comparison.schema import Answer, Call, ExerciseKey, Line, Outcome, Request, Response
from grader.diagnosis import explain
from grader.diagnosis.misconceptions import Known, known
from grader.execution.answers import gave_up, verdict_on
from grader.execution.notebook import read_notebook
from grader.execution.submission import Selection, Template, select
from grader.instructor.draws import ask_again, doubtful
from grader.instructor.repairs import Ask, Repairs

QUICK = 5.0  # seconds: a notebook that takes longer is not run again for repairs and figures


class Unexplained(TypedDict):
    """A wrong answer that no misconception explains; its texts are short, but not escaped.

    `returned` is the fingerprint of its outcomes, `case` the rows of the first failing case.
    """

    returned: str
    property: str
    reason: str
    case: list[tuple[str, str]]
    relation: NotRequired[str | None]


class ExerciseResult(TypedDict):
    """A verdict as plain data of bounded size; its texts are not escaped."""

    state: str
    points: float
    max_points: float
    passed: list[str]
    missed: list[str]
    hint: str | None
    repair: NotRequired[str | None]
    relation: NotRequired[str | None]
    mistake: NotRequired[str | None]
    note: str | None
    failed: NotRequired[Texts]
    picture: NotRequired[dict[str, Any]]
    unexplained: NotRequired[Unexplained]


class Result(TypedDict):
    """The verdicts on one notebook as plain data, for the journal."""

    points: float
    max_points: float
    exercises: dict[str, ExerciseResult]
    repaired: list[str]


@dataclass(frozen=True)
class Graded:
    """The verdicts on one notebook, and the repairs that were needed to find its answers."""

    verdicts: dict[str, Verdict]
    repaired: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """Points earned in the whole lesson."""
        return round(sum(verdict.points for verdict in self.verdicts.values()), 2)

    @property
    def max_points(self) -> float:
        """Points possible in the whole lesson."""
        return sum(verdict.max_points for verdict in self.verdicts.values())

    def result(self) -> Result:
        """Return the verdicts as plain data."""
        return {
            "points": self.points,
            "max_points": self.max_points,
            "exercises": {name: _exercise_result(one) for name, one in self.verdicts.items()},
            "repaired": list(self.repaired),
        }


@dataclass(frozen=True)
class Run:
    """One grading run of a lesson: every learner gets the same inputs, drawn from `seed`."""

    lesson: Lesson
    seed: int

    @cached_property
    def keys(self) -> dict[str, ExerciseKey]:
        """The key of each exercise for this seed; it never leaves the grader."""
        return {name: exercise_key(self.lesson, name, self.seed) for name in self.lesson.exercises}

    def add_lines(self) -> None:
        """Add to the keys the lines that figures need."""
        for name, key in self.keys.items():
            key["lines"] = lines_of(self.lesson, name, key)

    @cached_property
    def mistakes(self) -> dict[str, list[Known]]:
        """The misconceptions of each key, decoded at most once for all submissions."""
        return {name: known(key) for name, key in self.keys.items()}

    @cached_property
    def repairs(self) -> Repairs:
        """The repairs of answers that were found."""
        return Repairs()

    @cached_property
    def calls(self) -> dict[str, list[Call]]:
        """The calls for the learner's side, without expected values."""
        return {name: [call_of(case) for case in key["cases"]] for name, key in self.keys.items()}

    @cached_property
    def template(self) -> Template:
        """The cells of the lesson's notebook."""
        return template(self.lesson)

    def grade(self, notebook: bytes, ask: Ask) -> Graded:
        """Grade one notebook.

        Raises:
            UnreadableNotebook: it is no notebook.
        """
        return self.grade_cells(select(self.template, read_notebook(notebook)), ask)

    def grade_cells(self, chosen: Selection, ask: Ask) -> Graded:
        """Run and judge the chosen cells of a notebook, and look for repairs of wrong answers."""
        response = ask(self.request(chosen))
        return self.repaired(chosen, *self.judge(chosen, response, ask), ask)

    def grade_with_figures(
        self, chosen: Selection, ask: Ask, judged: Callable[[], None] = lambda: None
    ) -> Graded:
        """Grade as `grade_cells` does, and ask functions with wrong values along lines.

        That is another request: nothing that happens in it costs a point. `judged` is called once
        the points are known.
        """
        start = time.monotonic()
        response = ask(self.request(chosen))
        graded, answers = self.judge(chosen, response, ask)
        if gave_up(response) or time.monotonic() - start > QUICK:
            return graded
        judged()
        graded = self.repaired(chosen, graded, answers, ask)
        asked = {name: lines_to_ask(one, self.keys[name]) for name, one in graded.verdicts.items()}
        calls = {
            name: [call for _, along in lines for call in along] for name, lines in asked.items()
        }
        request = self.request(chosen)
        request["calls"] = {name: some for name, some in calls.items() if some}
        along = ask(request)["answers"] if request["calls"] else {}
        verdicts = {
            name: illustrated(one, self.keys[name], _along(asked[name], along.get(name, {})))
            for name, one in graded.verdicts.items()
        }
        return replace(graded, verdicts=verdicts)

    def repaired(
        self, chosen: Selection, graded: Graded, answers: dict[str, Compared], ask: Ask
    ) -> Graded:
        """Return the verdicts with the mistakes that repairs of copies prove.

        Copies run in requests of their own: nothing that happens there costs a point.
        """
        verdicts, start = dict(graded.verdicts), time.monotonic()
        for name, verdict in verdicts.items():
            if verdict.failure and time.monotonic() - start < QUICK:
                with suppress(Exception):  # a learner's process may answer with any data
                    verdicts[name] = self.repairs.repaired(verdict, answers[name], chosen, ask)
        return replace(graded, verdicts=verdicts)

    def request(self, chosen: Selection) -> Request:
        """Return the request for a notebook's cells and the calls of all exercises."""
        request: Request = {"cells": chosen.cells, "calls": self.calls, "asked": chosen.asked}
        return {**request, "order_seed": self.seed}

    def judge(
        self, chosen: Selection, response: Response, ask: Ask
    ) -> tuple[Graded, dict[str, Compared]]:
        """Judge the response to the request; random draws are asked for again.

        Return the answers as well, compared.
        """
        answers: dict[str, Compared] = {}
        doubts: dict[str, list[int]] = {}

        def by(name: str, key: ExerciseKey, outcomes: list[Outcome]) -> Verdict:
            answers[name] = Compared(key, outcomes)
            doubts[name] = doubtful(key["cases"], outcomes)
            return self._judged(name, answers[name])

        def judge(name: str) -> Verdict:
            why = chosen.missing[name]
            return verdict_on(name, self.keys[name], chosen.cells, response, by, why)

        verdicts = {name: judge(name) for name in self.keys}
        asked = {name: one for name, one in doubts.items() if one and verdicts[name].points}
        if asked:
            ask_again(self.request(chosen), response, asked, ask)
            verdicts |= {name: judge(name) for name in asked}
        return Graded(verdicts, tuple(chosen.repaired)), answers

    def _judged(self, name: str, answer: Compared) -> Verdict:
        """Return the verdict, with a fingerprint where no misconception explains a failure."""
        verdict = explain(judged(name, answer), answer, mistakes=self.mistakes[name])
        if verdict.failure is None or verdict.hint:
            return verdict
        missed = verdict.failure.case["property"]
        return replace(verdict, returned=fingerprint(answer.cases, answer.outcomes, missed))


def within_bounds(result: Result, lesson: Lesson) -> Result:
    """Return a worker's result, with no more points than the lesson has.

    Raises:
        KeyError, TypeError, ValueError: it is no result for this lesson.
    """
    exercises = {name: result["exercises"][name] for name in lesson.exercises}
    for name, one in exercises.items():
        one["max_points"] = float(lesson.exercises[name].points or 0)
        one["points"] = max(0.0, min(float(one["points"]), one["max_points"]))
    points = round(sum(one["points"] for one in exercises.values()), 2)
    most = sum(one["max_points"] for one in exercises.values())
    return {**result, "points": points, "max_points": most, "exercises": exercises}


def result_html(name: str, one: ExerciseResult) -> str:
    """Return the card of an exercise; whatever a worker sent, its texts are escaped here."""
    return verdict_html(verdict_of(name, one), failed=one.get("failed"))


def verdict_of(name: str, one: ExerciseResult) -> Verdict:
    """Return a verdict from plain data; the failing case stays there, as texts."""
    return Verdict(
        name,
        State(one["state"]),
        one["points"],
        one["max_points"],
        tuple(one["passed"]),
        tuple(one["missed"]),
        hint=one["hint"],
        repair=one.get("repair"),
        relation=one.get("relation"),
        note=one["note"],
        picture=Picture.of(one["picture"]) if "picture" in one else None,
    )


def template(lesson: Lesson) -> Template:
    """Return the cells of a lesson's notebook as the grader needs them."""
    cells = [
        (cell_id, role(cell)[0], cell.source.strip())
        for cell_id, cell in zip(cell_ids(lesson), lesson.notebook.cells, strict=True)
    ]
    idle_kinds = ("check", "play", "drawing", "question", "script", "setup")
    idle = {cell_id: text for cell_id, kind, text in cells if kind in idle_kinds}
    return Template(
        exercises=tuple(lesson.exercises),
        setup=tuple(text for _, kind, text in cells if kind == "setup"),
        locked={cell_id: text for cell_id, kind, text in cells if kind in ("code", "setup")},
        idle=frozenset(idle),
        idle_texts=frozenset(idle.values()),
    )


def _along(asked: list[tuple[Line, list[Call]]], answer: Answer) -> LineOutcomes:
    """Return lines with the outcomes along them, which an answer has one after the other."""
    outcomes = iter(answer.get("outcomes", ()))
    return [(line, [*islice(outcomes, len(calls))]) for line, calls in asked]


def _exercise_result(verdict: Verdict) -> ExerciseResult:
    result: ExerciseResult = {
        "state": verdict.state,
        "points": verdict.points,
        "max_points": verdict.max_points,
        "passed": list(verdict.passed),
        "missed": list(verdict.missed),
        "hint": verdict.hint,
        "repair": verdict.repair,
        "relation": verdict.relation,
        "mistake": verdict.mistake,
        "note": verdict.note,
    }
    if failure := verdict.failure:
        result["failed"] = failure_texts(failure)
    if verdict.picture:
        result["picture"] = verdict.picture.data()
    if verdict.returned and failure:
        result["unexplained"] = {
            "returned": verdict.returned,
            "property": failure.case["property"],
            "reason": failure.reason,
            "case": failure_rows(failure, printed=False),
            "relation": verdict.relation,
        }
    return result

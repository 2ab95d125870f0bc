"""One run of a lesson with one seed: get outcomes on freshly drawn inputs and judge them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from grader.author.key import exercise_key
from grader.author.lesson import Lesson, cell_ids, role
from grader.comparison.fingerprint import fingerprint
from grader.comparison.judge import Verdict, call_of, judge
from grader.comparison.schema import Call, ExerciseKey, Outcome, Request, Response
from grader.execution.answers import verdict_on
from grader.execution.notebook import Cell, read_notebook
from grader.execution.submission import Template, cells_to_run, why_missing


class Runner(Protocol):
    """Something that runs a learner's cells; see `grader.execution.runner` for what goes in and out."""

    def run(self, request: Request) -> Response:
        """The response to a request; never raises for anything that a learner's code does."""


@dataclass(frozen=True)
class Graded:
    """The verdicts on one notebook, and what had to be repaired to find its answers."""

    verdicts: dict[str, Verdict]
    repaired: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """Earned in the whole lesson."""
        return round(sum(verdict.points for verdict in self.verdicts.values()), 2)

    @property
    def max_points(self) -> float:
        """Possible in the whole lesson."""
        return sum(verdict.max_points for verdict in self.verdicts.values())


@dataclass(frozen=True)
class Run:
    """One grading run of a lesson: the same inputs for every learner, drawn from `seed`; what is expected is computed once."""

    lesson: Lesson
    seed: int

    @cached_property
    def keys(self) -> dict[str, ExerciseKey]:
        """The key of each exercise for this seed; it stays with the grader."""
        return {name: exercise_key(self.lesson, name, self.seed) for name in self.lesson.exercises}

    @cached_property
    def calls(self) -> dict[str, list[Call]]:
        """What the learner's side is asked to do; nothing in it says what is expected."""
        return {name: [call_of(case) for case in key["cases"]] for name, key in self.keys.items()}

    @cached_property
    def template(self) -> Template:
        """How the lesson's notebook looks."""
        return template(self.lesson)

    def grade(self, notebook: bytes, runner: Runner) -> Graded:
        """The verdicts on one notebook.

        Raises:
            UnreadableNotebook: it is no notebook.
        """
        return self.grade_cells(read_notebook(notebook), runner)

    def grade_cells(self, submitted: list[Cell], runner: Runner) -> Graded:
        """The verdicts on a notebook that has been read."""
        cells, repaired = cells_to_run(self.template, submitted)
        response = runner.run({"cells": cells, "calls": self.calls, "order_seed": self.seed})
        verdicts = {
            name: verdict_on(
                name, key, cells, response, why_missing(self.template, submitted, name), _judged
            )
            for name, key in self.keys.items()
        }
        return Graded(verdicts, tuple(repaired))


def _judged(name: str, key: ExerciseKey, outcomes: list[Outcome]) -> Verdict:
    """The verdict, with a fingerprint of what the answer did where no misconception explains it."""
    verdict = judge(name, key, outcomes)
    if verdict.failure is None or verdict.hint:
        return verdict
    return replace(
        verdict, returned=fingerprint(key["cases"], outcomes, verdict.failure.case["property"])
    )


def template(lesson: Lesson) -> Template:
    """How a lesson's notebook looks, by the ids that its cells have for learners."""
    cells = [
        (cell_id, *role(cell), cell.source.strip())
        for cell_id, cell in zip(cell_ids(lesson), lesson.notebook.cells, strict=True)
    ]
    idle = [
        (cell_id, text)
        for cell_id, kind, _, text in cells
        if kind in ("check", "play", "question", "setup")
    ]
    return Template(
        exercises=tuple(lesson.exercises),
        setup=tuple(text for _, kind, _, text in cells if kind == "setup"),
        locked={cell_id: text for cell_id, kind, _, text in cells if kind in ("code", "setup")},
        idle=frozenset(cell_id for cell_id, _ in idle),
        idle_texts=frozenset(text for _, text in idle),
    )

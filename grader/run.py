"""A lesson and a seed come in; a run goes out, which asks for outcomes on freshly drawn inputs and turns them into verdicts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

from grader.build import cell_ids
from grader.fingerprint import fingerprint
from grader.judge import Verdict, call_of, judge, unjudged
from grader.key import exercise_key
from grader.lesson import Lesson
from grader.observe import Outcome
from grader.sample import summarise
from grader.submission import Cell, Template, cells_to_run, read_notebook, template

Request = dict[str, Any]
Response = dict[str, Any]


class Runner(Protocol):
    """Something that runs a learner's cells; see `grader.runner` for what goes in and out."""

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
    def keys(self) -> dict[str, Any]:
        """The key of each exercise for this seed; it stays with the grader."""
        return {name: exercise_key(self.lesson, name, self.seed) for name in self.lesson.exercises}

    @cached_property
    def calls(self) -> dict[str, list[dict[str, Any]]]:
        """What the learner's side is asked to do; nothing in it says what is expected."""
        return {name: [call_of(case) for case in key["cases"]] for name, key in self.keys.items()}

    @cached_property
    def template(self) -> Template:
        """How the lesson's notebook looks."""
        return template(self.lesson, cell_ids(self.lesson))

    def grade(self, notebook: bytes, runner: Runner) -> Graded:
        """The verdicts on one notebook.

        Raises:
            UnreadableNotebook: it is no notebook.
        """
        return self.grade_cells(read_notebook(notebook), runner)

    def grade_cells(self, submitted: list[Cell], runner: Runner) -> Graded:
        """The verdicts on a notebook that has been read."""
        cells, repaired = cells_to_run(self.template, submitted)
        response = runner.run({"cells": cells, "calls": self.calls})
        return Graded({name: self._verdict(name, cells, response) for name in self.keys}, tuple(repaired))

    def _verdict(self, name: str, cells: list[str], response: Response) -> Verdict:
        key, answers = self.keys[name], response.get("answers")
        answer = answers.get(name) if isinstance(answers, dict) else None
        try:
            if note := _note(name, key, answer, cells, response):
                return unjudged(name, key, note)
            assert isinstance(answer, dict)
            return _judged(name, key, [summarise(dict(outcome)) for outcome in answer["outcomes"]])
        except Exception:  # whatever comes from a learner's process is only data, and this is what is made of nonsense
            return unjudged(name, key, f"{name} sent back something that can't be read as a result.")


def _judged(name: str, key: dict[str, Any], outcomes: list[Outcome]) -> Verdict:
    """The verdict, with a fingerprint of what the answer did where no misconception explains it."""
    verdict = judge(name, key, outcomes)
    if verdict.failure is None or verdict.hint:
        return verdict
    return replace(verdict, returned=fingerprint(key["cases"], outcomes, verdict.failure.case["property"]))


def _note(name: str, key: dict[str, Any], answer: Any, cells: list[str], response: Response) -> str | None:
    """Why an answer can't be judged, or None where it can."""
    if not isinstance(answer, dict):
        return f"{name} gave no results."
    if limit := answer.get("limit"):
        return str(limit)
    if misfit := answer.get("misfit"):
        return f"{name} takes ({', '.join(key['parameters'])}); yours takes {misfit}."
    if "missing" in answer:
        stopped = [error for cell, error in zip(cells, response.get("errors") or [], strict=False) if error and f"def {name}" in cell]
        return f"The cell of {name} stops with {stopped[-1]}" if stopped else f"No function is called {name}."
    if not isinstance(answer.get("outcomes"), list) or len(answer["outcomes"]) != len(key["cases"]):
        return f"{name} did not give a result for every case."
    return None


class Unconfined:
    """Runs a learner's cells in a process of their own and nothing more: for one's own notebooks."""

    def __init__(self, seconds: float = 60) -> None:
        self.seconds = seconds

    def run(self, request: Request) -> Response:
        """See `Runner`."""
        with tempfile.TemporaryDirectory(prefix="grading-") as folder:
            command = [sys.executable, "-m", "grader.runner"]
            environment = {**os.environ, "MPLBACKEND": "agg"}
            try:
                done = subprocess.run(
                    command, input=json.dumps(request), capture_output=True, text=True, timeout=self.seconds, cwd=folder, env=environment, check=False
                )
                response: Response = json.loads(done.stdout)
            except subprocess.TimeoutExpired:
                return _all(request, f"The notebook ran for more than {self.seconds:g} seconds and was stopped.")
            except ValueError:
                return _all(request, "The notebook ended its own process before it gave any result.")
        return response


def _all(request: Request, sentence: str) -> Response:
    return {"answers": {name: {"limit": sentence} for name in request["calls"]}, "errors": []}

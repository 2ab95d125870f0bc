"""Repairs of submissions: copies run in the sandbox, their outcomes are compared outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from course import ROOT, SETTINGS, lesson
from grader.comparison.judge import Verdict
from grader.comparison.schema import Call, Request, Response
from grader.execution.submission import Selection
from grader.instructor.repairs import COPIES
from grader.instructor.run import Run
from grader.sandbox.engine import Engine

EARLY = """def weighted_sum(x, w, b):
    if len(x) != len(w):
        raise ValueError
    s = 0
    for i in range(len(x)):
        s += x[i] * w[i]
        return s + b
"""
ENDLESS = "def f(x):\n    while x:\n        pass\n    return x\n"


class Asked:
    """Passes requests on, and keeps the names that each asks for."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.names = engine, list[list[str]]()

    def run(self, request: Request) -> Response:
        self.names.append([*request["calls"]])
        return self.engine.run(request)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(SETTINGS) as engine:
        yield engine


@pytest.fixture
def graded(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Verdict, list[list[str]]]]:
    """Return a function that grades one answer after some cells; it keeps the repairs."""
    monkeypatch.chdir(ROOT)
    # However busy this machine is, no copy but an endless one is ended.
    patient = COPIES.replace("each=0.1, all=0.5", "each=5, all=60")
    assert patient != COPIES
    monkeypatch.setattr("grader.instructor.repairs.COPIES", patient)
    run = Run(lesson("neuron"), seed=7)

    def grade(*cells: str) -> tuple[Verdict, list[list[str]]]:
        asked = Asked(engine)
        chosen = Selection(["import numpy as np", *cells], {}, [], dict.fromkeys(run.keys, ""))
        return run.grade_cells(chosen, asked.run).verdicts["weighted_sum"], asked.names

    return grade


def test_a_slip_is_proven_and_counts_no_point(graded: Callable[..., tuple[Verdict, Any]]) -> None:
    verdict, names = graded(EARLY)
    assert (verdict.mistake, verdict.points) == ("return_in_loop", 0)
    assert verdict.hint is verdict.relation is verdict.returned is None
    assert all("weighted_sum" not in asked for asked in names[1:])


def test_copies_of_one_answer_are_repaired_once(graded: Callable[..., tuple[Verdict, Any]]) -> None:
    first, many = graded(EARLY)
    second, one = graded(EARLY.replace("s + b", "(s  +  b)  # done"))
    assert second == first
    assert (len(many), len(one)) == (3, 1)


def test_copies_that_never_end_are_ended(engine: Engine) -> None:
    sources = {f"copy {i}": ENDLESS for i in range(20)}
    calls: dict[str, list[Call]] = {copy: [{"inputs": [0]}, {"inputs": [1]}] for copy in sources}
    cells = [f"{COPIES}\n_copies('f', {sources!r})"]
    answers = engine.run({"cells": cells, "calls": calls, "asked": {}})["answers"].values()
    ended = [[one.get("error", [""])[0] for one in answer["outcomes"]] for answer in answers]
    assert ended[0] == ["", "SystemExit"]
    assert ended[-1] == ["SystemExit"] * 2


@pytest.mark.parametrize(
    "cell",
    [
        "globals().__class__.__call__ = None",
        "import signal\nsignal.setitimer = None",
        "def _copies(*_):\n    raise SystemExit",
        "import os\nif '_copies' in dir():\n    os._exit(1)",
    ],
)
def test_a_notebook_that_spoils_its_copies_has_the_same_points(
    cell: str, graded: Callable[..., tuple[Verdict, Any]]
) -> None:
    verdict, _ = graded(cell, EARLY)
    assert (verdict.points, verdict.missed) == (0, graded(EARLY)[0].missed)


SPOILS = """import grader.execution.runner as runner
def forged(function, call, honest=runner.observe):
    name = function.__closure__ is not None
    return {"value": 0.0} if name else honest(function, call)
runner.observe = forged
"""


def test_a_notebook_spoils_no_repair_of_the_same_answer_in_another(
    graded: Callable[..., tuple[Verdict, Any]],
) -> None:
    graded(SPOILS, EARLY)
    assert graded(EARLY)[0].mistake == "return_in_loop"


def test_a_copy_runs_after_the_cells_that_its_answer_needs(
    graded: Callable[..., tuple[Verdict, Any]],
) -> None:
    helped = EARLY.replace("len(x)", "size(x)")
    verdict, _ = graded("def size(x):\n    return count(x)", "count = len", helped)
    assert verdict.mistake == "return_in_loop"

"""Grade hostile notebooks in the sandbox, each followed by an honest one."""

from __future__ import annotations

import json
from dataclasses import replace

from course import lesson, solved, written
from grader.execution.limits import Limits
from grader.instructor.run import Graded, Run
from grader.sandbox.engine import Engine

RUN = Run(lesson("neuron"), seed=11)
FULL = {"weighted_sum": 2.0, "sigmoid": 3.0, "relu": 2.0, "dense": 3.0}
HONEST = json.dumps(solved("neuron")).encode()
LIMITS = Limits(cell_seconds=2, exercise_seconds=2, total_seconds=60, cpu_seconds=60)
"""For notebooks that hang."""
PATIENT = replace(LIMITS, cell_seconds=60, exercise_seconds=60, total_seconds=300)
"""For all others: a busy machine costs them nothing."""

RIGHT = "return np.maximum(z, 0)"
"""Ends an attack that should fail: if it worked, it would earn all points."""


def points(graded: Graded) -> dict[str, float]:
    return {name: verdict.points for name, verdict in graded.verdicts.items()}


def graded(notebook: bytes, engine: Engine, limits: Limits = PATIENT) -> Graded:
    """Grade under these limits of wall time; the running server keeps its processor time."""
    engine.limits = limits
    return RUN.grade(notebook, engine.run)


def attack(engine: Engine, relu: str, first: str = "", limits: Limits = PATIENT) -> Graded:
    """Grade a notebook with a hostile relu, and check that an honest one then gets all points."""
    notebook = written("neuron", **{**dict.fromkeys(FULL, "..."), "relu": relu})
    if first:
        cell = {"cell_type": "code", "source": first, "metadata": {}, "outputs": []}
        notebook["cells"].insert(1, cell)
    graded(HONEST, engine)  # makes sure that the server runs
    server = engine._server
    assert server is not None
    attacked = graded(json.dumps(notebook).encode(), engine, limits)
    assert points(graded(HONEST, engine)) == FULL
    assert engine._server is server
    assert server.poll() is None, "the attack ended the server"
    return attacked


def function(body: str) -> str:
    return "def relu(z):\n" + "\n".join(f"    {line}" for line in body.splitlines())

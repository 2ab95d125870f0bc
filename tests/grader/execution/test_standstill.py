"""A machine that stands still for longer than a limit costs a notebook nothing that it was doing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from grader.engine.engine import Engine
from grader.engine.sandbox import Protection, protection
from grader.execution.attempt import Attempt
from grader.execution.limits import Limits
from grader.execution.unconfined import Unconfined

LIMITS = Limits(cell_seconds=2, exercise_seconds=2, total_seconds=4)
WORKING = "import time\nfor _ in range(20):\n    time.sleep(0.05)\ndef f(x):\n    return x\n"
REQUEST = {"cells": [WORKING], "calls": {"f": [{"inputs": [1.0]}]}}
FREEZER = """
import sys, time, psutil
grader = psutil.Process(int(sys.argv[1]))
print("ready", flush=True)
time.sleep(0.5)
all_of_it = [grader, *(one for one in grader.children(recursive=True) if one.pid != psutil.Process().pid)]
for one in all_of_it:
    one.suspend()
time.sleep(5)
for one in reversed(all_of_it):
    one.resume()
"""
"""Stops a process and its children for five seconds."""


@pytest.mark.parametrize("confined", [False, True], ids=["unconfined", "confined"])
def test_it_gets_the_time_of_its_step_again(confined: bool) -> None:
    if confined and protection() is Protection.NONE:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("This machine can't confine notebooks.")
    with ExitStack() as stack:
        if confined:
            run: Callable[[dict[str, Any]], dict[str, Any]] = stack.enter_context(Engine(LIMITS)).run
        else:
            unconfined = Unconfined()
            unconfined.limits = LIMITS
            run = unconfined.run
        freezer = subprocess.Popen([sys.executable, "-c", FREEZER, str(os.getpid())], stdout=subprocess.PIPE)
        assert freezer.stdout is not None
        freezer.stdout.readline()
        response = run(REQUEST)
        freezer.communicate()
    assert response == {"errors": [None], "answers": {"f": {"outcomes": [{"value": 1.0}]}}}


def test_a_step_that_does_not_end_is_given_up_nonetheless(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 100.0
    monkeypatch.setattr("grader.execution.attempt.time.monotonic", lambda: clock)
    attempt = Attempt(REQUEST, Limits())
    attempt.begin()
    attempt.take({"cell": 0})
    clock += 3600
    assert attempt.left() == 10
    clock += 10.1
    assert attempt.left() < 0
    attempt.end(clock)
    assert attempt.response()["errors"] == ["Cell 1 ran for more than 10 seconds and was stopped: is there a loop that never ends?"]
    assert attempt.deadline == 100 + 60 + 3590

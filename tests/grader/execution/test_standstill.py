"""A suspended machine costs a notebook nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from grader.execution.limits import Limits
from grader.execution.request_state import RequestState
from grader.execution.unconfined import Unconfined
from grader.sandbox.engine import Engine
from grader.sandbox.launch import Protection, protection

LIMITS = Limits(cell_seconds=30, exercise_seconds=30, total_seconds=600)
REQUEST = {"cells": ["def f(x):\n    return x\n"], "calls": {"f": [{"inputs": [1.0]}]}}


@pytest.mark.parametrize("confined", [False, True], ids=["unconfined", "confined"])
def test_a_step_gets_its_time_again_after_a_standstill(
    confined: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes pass after each step, before the grader looks at the clock again."""
    if confined and protection() is Protection.NONE:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "This machine can't confine notebooks."
        )
    begin, take, monotonic = RequestState.begin, RequestState.take, time.monotonic
    stood_still = 0.0

    def standing_still(step: Callable[..., None]) -> Callable[..., None]:
        def stepped(*arguments: Any) -> None:
            nonlocal stood_still
            step(*arguments)
            stood_still += 600

        return stepped

    with ExitStack() as stack:
        if confined:
            run: Callable[[dict[str, Any]], dict[str, Any]] = stack.enter_context(
                Engine(None, LIMITS)
            ).run
        else:
            unconfined = Unconfined()
            unconfined.limits, run = LIMITS, unconfined.run
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + stood_still)
        monkeypatch.setattr(RequestState, "begin", standing_still(begin))
        monkeypatch.setattr(RequestState, "take", standing_still(take))
        response = run(REQUEST)
    assert stood_still >= 3 * 600
    assert response["errors"] == [None]
    assert response["answers"] == {"f": {"outcomes": [{"value": 1.0}]}}


def test_a_step_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 100.0
    monkeypatch.setattr("grader.execution.request_state.time.monotonic", lambda: clock)
    attempt = RequestState(REQUEST, Limits())
    attempt.begin()
    attempt.take({"cell": 0})
    clock += 3600
    assert attempt.left() == 10
    clock += 10.1
    assert attempt.left() < 0
    attempt.end(clock)
    assert attempt.response()["errors"] == [
        "Cell 1 ran for more than 10 seconds and was stopped: is there a loop that never ends?"
    ]
    assert attempt.deadline == 100 + 60 + 3590

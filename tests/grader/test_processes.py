"""A guard ends what takes too much time or memory, and nothing else."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from grader.processes import Guard, OverBudget, extend

MEMORY = 64 << 20


def work(what: str, ask: Callable[[str], str] | None = None) -> Any:
    match what:
        case "spin":
            return sum(iter(int, 1))
        case "spin in C":
            return 9 ** (9**9)
        case "fill":
            return len(bytes(200 << 20))
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "raise":
            raise LookupError("not there")
        case "raise oddly":
            raise type("Odd", (Exception,), {})("odd")
        case "extend":
            extend(100)
            while time.process_time() < 1:
                pass
        case "extend and spin":
            extend(0.1)
            return sum(iter(int, 1))
        case "ask":
            return ask and ask("what?") + ask("and?")
    return what


@pytest.fixture
def guard() -> Iterator[Guard[Any]]:
    with closing(Guard(work, MEMORY)) as guard:
        yield guard


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("spin", "0.2 seconds of processor time"),
        ("spin in C", "0.2 seconds of processor time"),
        ("extend and spin", "0.2 seconds of processor time"),
        ("fill", "64 MB of memory"),
        ("die", "its process ended"),
    ],
)
def test_a_call_over_its_budget_is_ended_and_the_next_one_served(
    guard: Guard[Any], what: str, why: str
) -> None:
    with pytest.raises(OverBudget, match=why):
        guard.call(0.2, what)
    assert guard.call(0.2, "honest") == "honest"


@pytest.mark.parametrize(("what", "kind"), [("raise", LookupError), ("raise oddly", RuntimeError)])
def test_an_exception_of_the_function_is_raised_here(
    guard: Guard[Any], what: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        guard.call(5, what)
    assert guard.call(5, "honest") == "honest"


def test_a_call_may_get_more_time(guard: Guard[Any]) -> None:
    assert guard.call(0.2, "extend") == "extend"


def test_a_function_asks_this_process(guard: Guard[Any]) -> None:
    here = os.getpid()
    assert guard.call(5, "ask", answer=lambda data: f"{data} {os.getpid()} ") == (
        f"what? {here} and? {here} "
    )

    def fails(_: str) -> str:
        raise KeyError("no answer")

    with pytest.raises(KeyError):
        guard.call(5, "ask", answer=fails)
    assert guard.call(5, "honest") == "honest"

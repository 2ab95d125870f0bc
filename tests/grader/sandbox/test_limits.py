"""Time, memory, files and output are limited, and a lost sandbox costs nobody anything."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hostile import FULL, HONEST, LIMITS, PATIENT, RIGHT, RUN, attack, function, graded, points

from course import SETTINGS, references, written
from grader.errors import SandboxUnavailable
from grader.execution.limits import Limits, ended
from grader.execution.request_state import RequestState
from grader.sandbox.engine import Engine

FILES = "may write 64 MB of files"
MEMORY = "may use 1 GB of memory"

DISASTERS = {
    "exit": "import os\nos._exit(0)",
    "segfault": "import ctypes\nctypes.string_at(0)",
    "abort": "import os\nos.abort()",
    "an endless loop": "while True: pass",
    "a loop that ignores every signal": (
        "import signal\n"
        "for s in {*range(1, 32)} - {9, 19}:\n"
        "    signal.signal(s, signal.SIG_IGN)\n"
        "while True: pass"
    ),
    "sleep": "import time\ntime.sleep(1000)",
    "an endless repr": (
        "class Endless:\n"
        "    def __repr__(self):\n"
        "        while True: pass\n"
        "raise ValueError(Endless())"
    ),
    "kill of the parent": (
        "import os, signal\n"
        "try: os.kill(os.getppid() or -2, signal.SIGKILL)\n"
        "except OSError: pass\n"
        "os._exit(1)"
    ),
    "a nested list without end": "x = []\nwhile True: x = [x, x]",
}
if platform.machine() == "x86_64":
    DISASTERS |= {
        "calls by their x32 numbers": (
            f"import ctypes\nctypes.CDLL(None).syscall(0x40000000 + 39)\n{RIGHT}"
        ),
        "calls by the gate for 32 bits": (
            "import ctypes, mmap\n"
            "words = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7)\n"
            "words.write(bytes.fromhex('b814000000cd80c3'))\n"
            "place = ctypes.addressof(ctypes.c_char.from_buffer(words))\n"
            f"ctypes.CFUNCTYPE(ctypes.c_int)(place)()\n{RIGHT}"
        ),
    }


HANGS = (
    "an endless loop",
    "a loop that ignores every signal",
    "sleep",
    "an endless repr",
    "a nested list without end",
)


@pytest.mark.parametrize("disaster", [name for name in DISASTERS if name not in HANGS])
def test_a_crash_costs_only_the_exercise_it_was_in(disaster: str, engine: Engine) -> None:
    attacked = attack(engine, function(DISASTERS[disaster]))
    assert points(attacked) == {**FULL, "relu": 0.0}
    assert "relu ended its own process" in (attacked.verdicts["relu"].note or "")


@pytest.mark.parametrize(
    "disaster", [HANGS[0], *(pytest.param(one, marks=pytest.mark.long) for one in HANGS[1:])]
)
def test_a_hang_costs_only_the_exercise_it_was_in(disaster: str, engine: Engine) -> None:
    attacked = attack(engine, function(DISASTERS[disaster]), limits=LIMITS)
    assert points(attacked) == {**FULL, "relu": 0.0}
    verdict = attacked.verdicts["relu"]
    why = verdict.failure.reason if verdict.failure else verdict.note or ""
    assert "relu ran for more than 2 seconds" in why or (
        "list" in disaster and (MEMORY in why or "relu ended its own process" in why)
    )


SLEEP = "import time\ntime.sleep(1000)"
PRIVATE = "flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS"

EXCEEDED = {
    "deep recursion": ("return relu(z)", "maximum recursion depth"),
    "4 GB": ("np.ones(2**29)", MEMORY),
    "4 GB that could be shared": ("import mmap\nmmap.mmap(-1, 4 << 30)", MEMORY),
    "4 GB of a device": (
        "import mmap, os\n"
        "mmap.mmap(os.open('/dev/zero', os.O_RDONLY), 4 << 30, prot=mmap.PROT_READ)",
        MEMORY,
    ),
    "4 GB of stack": (f"import mmap\nmmap.mmap(-1, 4 << 30, {PRIVATE} | 0x100)", MEMORY),
    "4 GB that are only read": (
        f"import mmap\nmmap.mmap(-1, 4 << 30, {PRIVATE}, prot=mmap.PROT_READ)",
        MEMORY,
    ),
    "a full disk": (
        "with open('big', 'wb') as big:\n    big.seek(65 << 20)\n    big.write(b'x')",
        FILES,
    ),
    "a disk full of files": (
        f"for i in range(8): open(f'f{{i}}', 'wb').write(bytes(20 << 20))\n{SLEEP}",
        FILES,
    ),
    "a disk full of files without a name": (
        "import os\n"
        "keep = []\n"
        "for i in range(8):\n"
        "    keep.append(open('f', 'wb'))\n"
        "    os.unlink('f')\n"
        f"    keep[-1].write(bytes(20 << 20))\n{SLEEP}",
        FILES,
    ),
    "5,000 empty files": (f"for i in range(5000): open(f'f{{i}}', 'w').close()\n{SLEEP}", FILES),
    "many open files": (
        "keep = [open(f'f{i}', 'w') for i in range(10_000)]",
        "may have 64 files open",
    ),
    "higher limits": (
        "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6))",
        "not allowed to raise maximum limit",
    ),
    "a result of 80 MB": ("return np.zeros(10_000_000)", "more than 1,000,000 numbers"),
    "a million-element nested result": ("return [[0.0] * 1000 for _ in range(1001)]", "more than"),
    "gigabytes of output": (
        "for i in range(10**9):\n    print('x' * 10**6)",
        "it printed more than 1,000,000 characters",
    ),
    "nan": ("return np.full(np.shape(z), np.nan)", "numbers differ"),
    "objects": ("return np.array([object()] * 3)", "object"),
    "a generator": ("return (x for x in [1])", "generator"),
    "its own exit": ("raise SystemExit(0)", "SystemExit"),
}


@pytest.mark.parametrize("attempt", EXCEEDED)
def test_an_exceeded_limit_costs_its_exercise_and_is_explained(
    attempt: str, engine: Engine
) -> None:
    body, why = EXCEEDED[attempt]
    attacked = attack(engine, function(f"{body}\n{RIGHT}"))
    assert points(attacked) == {**FULL, "relu": 0.0}
    verdict = attacked.verdicts["relu"]
    assert why in (verdict.failure.reason if verdict.failure else verdict.note or "")


BOMB = (
    "import os, time\n"
    "for i in range(2000):\n"
    "    os.mkdir('d' * 50, 0o300)\n"
    "    os.chdir('d' * 50)\n"
    "open('end', 'w').close()\n"
    "return z"
)


def test_unreadable_folders_2000_deep_are_removed(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Engine(SETTINGS, PATIENT, engine.kind) as fresh:
        assert points(attack(fresh, function(BOMB)))["relu"] == 0
    assert os.listdir(tmp_path) == []


def test_files_of_a_child_are_removed_with_the_server(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine is closed before the next look at the child's files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(
        "grader.sandbox.engine.Engine._stop_child", lambda self: self._stop_server()
    )
    with Engine(SETTINGS, PATIENT, engine.kind) as fresh:
        graded(json.dumps(written("neuron", relu=function(BOMB))).encode(), fresh)
    assert os.listdir(tmp_path) == []


def test_a_flood_on_the_results_pipe_is_cut_off(engine: Engine) -> None:
    flood = "import os\nwhile True:\n    os.write(4, b'\\xff' * 65536)"
    assert points(attack(engine, function(flood), limits=LIMITS))["relu"] == 0


HANG = "while True: pass"


def test_a_cell_that_hangs_costs_no_exercise(engine: Engine) -> None:
    assert points(attack(engine, references("neuron")["relu"], HANG, LIMITS)) == FULL


def test_a_set_of_strings_has_the_same_order_in_every_run(engine: Engine) -> None:
    request = {
        "cells": ["def order():\n    return ' '.join({str(i) for i in range(100)})"],
        "calls": {"order": [{"inputs": []}]},
    }
    with Engine(SETTINGS, PATIENT, engine.kind) as fresh:
        first, second = (
            one.run(request)["answers"]["order"]["outcomes"][0]["value"] for one in (engine, fresh)
        )
    assert first == second


def test_a_notebook_of_hangs_ends_with_its_total_time(engine: Engine) -> None:
    limits = Limits(cell_seconds=0.5, total_seconds=1.5, starts=20)
    with Engine(SETTINGS, limits, engine.kind) as fresh:
        response: dict[str, Any] = fresh.run(
            {"cells": [HANG] * 20, "calls": {"f": [{"inputs": []}]}}
        )
    assert "limit" in response["answers"]["f"]
    given_up = sum(error is not None for error in response["errors"])
    assert given_up <= 4, "three of half a second each, and the one during which the total was over"


@pytest.mark.long
def test_a_lost_server_is_restarted(engine: Engine) -> None:
    with Engine(SETTINGS, PATIENT, engine.kind) as fresh:
        assert points(RUN.grade(HONEST, fresh.run)) == FULL
        assert fresh._server is not None
        fresh._server.kill()
        assert points(RUN.grade(HONEST, fresh.run)) == FULL


@pytest.mark.long
def test_a_server_that_did_not_restart_is_started_by_the_next_run(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Engine(SETTINGS, PATIENT, engine.kind) as fresh:
        assert fresh._server is not None
        fresh._server.kill()
        with monkeypatch.context() as broken:
            for program in ("false", "/no/such/program", "false"):
                broken.setattr(
                    "grader.sandbox.engine.command", lambda *rest, program=program: ([program], {})
                )
                with pytest.raises(SandboxUnavailable, match="did not start"):
                    RUN.grade(HONEST, fresh.run)
        assert points(RUN.grade(HONEST, fresh.run)) == FULL


def test_an_engine_closes_no_descriptor_of_another_thread(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    take = RequestState.take

    def take_and_open(self: RequestState, frame: Any) -> None:
        opened.extend(os.open(os.devnull, os.O_RDONLY) for _ in range(4 if not opened else 0))
        take(self, frame)

    monkeypatch.setattr(RequestState, "take", take_and_open)
    assert points(graded(HONEST, engine)) == FULL
    assert len(opened) == 4
    for descriptor in opened:
        os.close(descriptor)  # raises where it was closed before


def test_a_server_lost_during_a_notebook_costs_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first child never gets beyond a cell, and its server is killed meanwhile."""
    request, take = RequestState.request, RequestState.take
    with Engine(SETTINGS, PATIENT, engine.kind) as fresh:
        assert fresh._server is not None
        first = fresh._server

        def hanging_at_first(self: RequestState) -> bytes:
            return request(self).replace(
                b"MOMENT", b"import time; time.sleep(1000)" if first.poll() is None else b"pass"
            )

        def killing(self: RequestState, frame: Any) -> None:
            take(self, frame)
            if "cell" in frame:
                first.kill()

        monkeypatch.setattr(RequestState, "request", hanging_at_first)
        monkeypatch.setattr(RequestState, "take", killing)
        answers = dict.fromkeys(FULL, "...") | {"relu": f"MOMENT\n{function(RIGHT)}"}
        notebook = json.dumps(written("neuron", **answers)).encode()
        assert points(graded(notebook, fresh)) == FULL
        assert fresh._server is not first


def test_a_cell_that_ends_the_server_twice_is_given_up() -> None:
    attempt = RequestState({"cells": ["1"], "calls": {"f": [{"inputs": []}]}}, LIMITS)
    for error in (None, ended("Cell 1")):
        attempt.begin()
        attempt.take({"cell": 0})
        attempt.end(0.0, innocent=True)
        assert attempt.errors == [error]

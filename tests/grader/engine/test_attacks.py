"""What a hostile notebook tries: it earns nothing, costs nobody else anything, and the next honest notebook gets its full points."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from course import ROOT, lesson, references, solved, written
from grader.engine.engine import Engine
from grader.engine.sandbox import Protection, protection
from grader.execution.attempt import Attempt
from grader.execution.limits import Limits, ended
from grader.instructor.run import Graded, Run

RUN = Run(lesson("neuron"), seed=11)
FULL = {"weighted_sum": 2.0, "sigmoid": 3.0, "relu": 2.0, "dense": 3.0}
HONEST = json.dumps(solved("neuron")).encode()
KINDS = {Protection.NAMESPACES: [Protection.NAMESPACES, Protection.LANDLOCK], Protection.LANDLOCK: [Protection.LANDLOCK], Protection.NONE: []}[protection()]
LIMITS = Limits(cell_seconds=2, exercise_seconds=2, total_seconds=20, cpu_seconds=4)
"""For notebooks that hang; the others get `PATIENT`, so that a machine that stands still for a moment costs none of them anything."""
PATIENT = replace(LIMITS, cell_seconds=10, exercise_seconds=10, total_seconds=60)


@pytest.fixture(scope="module", params=KINDS or [None], ids=lambda kind: kind.name.lower() if kind else "unprotected")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("This machine can't confine notebooks, so no attack on the confinement was tried.")
    with Engine(LIMITS, request.param) as engine:
        yield engine


def points(graded: Graded) -> dict[str, float]:
    return {name: verdict.points for name, verdict in graded.verdicts.items()}


def graded(notebook: bytes, engine: Engine, limits: Limits = PATIENT) -> Graded:
    """The verdicts under these limits of wall time; the engine's server, and with it the limit of processor time, stays as it is."""
    engine.limits = limits
    return RUN.grade(notebook, engine)


def attack(engine: Engine, relu: str, first: str = "", limits: Limits = PATIENT) -> Graded:
    """The verdicts on a notebook whose relu is hostile and whose other answers are right; an honest one follows and gets all."""
    notebook = written("neuron", **{**dict.fromkeys(FULL, "..."), "relu": relu})
    if first:
        notebook["cells"].insert(1, {"cell_type": "code", "source": first, "metadata": {}, "outputs": []})
    attacked = graded(json.dumps(notebook).encode(), engine, limits)
    assert points(graded(HONEST, engine)) == FULL
    return attacked


def function(body: str) -> str:
    return "def relu(z):\n" + "\n".join(f"    {line}" for line in body.splitlines())


EVERY_EQUAL = """
class Same(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return 0.0
    __rsub__ = __abs__ = lambda self, *other: 0.0
    __hash__ = float.__hash__
class Anything(np.ndarray):
    def __array_function__(self, *rest): return True
    def __array_ufunc__(self, *rest, **more): return True
    def __eq__(self, other): return True
    def tolist(self): return [0.0]
"""

CHEATS = {
    "patched numpy": (
        "import numpy as np\nnp.isclose = np.allclose = np.array_equal = lambda *a, **k: True\nnp.testing.assert_allclose = lambda *a, **k: None",
        "return 0 * np.asarray(z) - 1",
    ),
    "patched comparison": (
        "from grader.comparison import compare, judge\ncompare.difference = judge.difference = lambda *a, **k: None\njudge.points = lambda *a: 2.0",
        "return 7",
    ),
    "objects equal to everything": (EVERY_EQUAL, "return Same(1)"),
    "array subclass": (EVERY_EQUAL, "return np.zeros(3).view(Anything)"),
    "patched encoding": ("from grader.comparison import plain, observe\nobserve.encode = plain.encode = lambda value: {'points': 2}", "return 1"),
    "patched json": ("import json\njson.dumps = lambda *a, **k: '{\"answer\": {\"points\": 2, \"solved\": true}}'", "return 1"),
    "trace and audit hooks": ("import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)\nsys.addaudithook(lambda *a: None)", "return z"),
    "import hooks": (
        "import sys\nclass Hook:\n    def find_spec(self, name, *rest): return None\nsys.meta_path.insert(0, Hook())\nsys.modules['grader.comparison.judge'] = None", "return z"
    ),
    "IPython hooks": ("get_ipython().events.register('post_run_cell', print)\nget_ipython().ast_transformers.append(3)", "return z"),
    "frames and the garbage collector": (
        "import gc, sys",
        "found = [o for o in gc.get_objects() if isinstance(o, dict) and 'expected' in o and 'property' in o]\n"
        "frame = sys._getframe()\nwhile frame:\n    if 'expected' in frame.f_locals: return frame.f_locals['expected']\n    frame = frame.f_back\n"
        "return found[0]['expected'] if found else z",
    ),
    "forged frames": (
        "import os, json\nfor answer in ('relu', 'sigmoid'):\n"
        "    for frame in ({'exercise': answer}, {'answer': {'outcomes': [{'value': 0.0}] * 10, 'points': 99}}):\n"
        "        data = json.dumps(frame).encode()\n        os.write(4, len(data).to_bytes(8, 'big') + data)", "return z"
    ),
    "finished functions": ("try:\n    from playground.finished import relu as theirs\nexcept ImportError:\n    theirs = lambda z: z", "return theirs(z)"),
    "the answer key": ("", f"import json\nreturn json.load(open({str(ROOT / 'course/neuron/answers.json')!r}))['exercises']['relu']['cases'][0]['expected']['value']['array']"),
    "the solutions": ("", f"space = {{}}\nexec(open({str(ROOT / 'solutions/neuron/exercises.py')!r}).read(), space)\nreturn space['by_clip'](z)"),
    "modules of the grader that know more": ("", "import grader.author.key\nreturn np.maximum(z, 0)"),
    "a symlink": ("", f"import os\nif not os.path.islink('link'): os.symlink({str(ROOT / 'solutions')!r}, 'link')\nos.listdir('link')\nreturn np.maximum(z, 0)"),
    "the gradebook": ("", f"with open({str(ROOT / 'class/gradebook.db')!r}, 'ab') as book: book.write(b'')\nreturn np.maximum(z, 0)"),
    "another submission": ("", f"import pathlib\nassert list(pathlib.Path({str(ROOT / 'tests')!r}).iterdir())\nreturn np.maximum(z, 0)"),
    "what runs beside it": ("", "import os\nos.listdir('/proc')\nreturn np.maximum(z, 0)"),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_earns_nothing(cheat: str, engine: Engine) -> None:
    first, body = CHEATS[cheat]
    assert points(attack(engine, function(body), first))["relu"] == 0


def test_forged_metadata_and_outputs_decide_nothing(engine: Engine) -> None:
    notebook = written("neuron", weighted_sum="...")
    for cell in notebook["cells"]:
        cell["metadata"] = {"nbgrader": {"points": 100, "grade": True, "grade_id": "check-relu", "schema_version": 3}, "tags": ["setup", "play"]}
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "execute_result", "data": {"text/plain": "100"}, "metadata": {}, "execution_count": 1}]
    assert points(graded(json.dumps(notebook).encode(), engine)) == {**dict.fromkeys(FULL, 0.0), "weighted_sum": 2.0}


DISASTERS = {
    "exit": "import os\nos._exit(0)",
    "segfault": "import ctypes\nctypes.string_at(0)",
    "abort": "import os\nos.abort()",
    "an endless loop": "while True: pass",
    "a loop that ignores every signal": "import signal\nfor s in {*range(1, 32)} - {9, 19}:\n    signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
    "sleep": "import time\ntime.sleep(1000)",
    "an endless repr": "class Endless:\n    def __repr__(self):\n        while True: pass\nraise ValueError(Endless())",
    "kill of the parent": "import os, signal\nfor pid in (os.getppid(), 1, -1):\n    try: os.kill(pid, signal.SIGKILL)\n    except OSError: pass\nos._exit(1)",
    "a nested list without end": "x = []\nwhile True: x = [x, x]",
}


@pytest.mark.parametrize("disaster", DISASTERS)
def test_a_crash_or_a_hang_costs_only_the_exercise_it_was_in(disaster: str, engine: Engine) -> None:
    attacked = attack(engine, function(DISASTERS[disaster]), limits=LIMITS)
    assert points(attacked) == {**FULL, "relu": 0.0}
    note = attacked.verdicts["relu"].note or ""
    assert "relu ran for more than 2 seconds" in note or "relu ended its own process" in note


RIGHT = "return np.maximum(z, 0)"
"""Ends an attack that should fail: if it worked, it would earn all points."""

ALONE, FILES = "may start no other process, use no network", "may write 64 MB of files"

REFUSED = {
    "deep recursion": ("return relu(z)", "maximum recursion depth"),
    "4 GB": (f"np.ones(2**29)\n{RIGHT}", "may use 1 GB of memory"),
    "a fork": (f"import os\nif os.fork() == 0: os._exit(0)\n{RIGHT}", ALONE),
    "a program": (f"import os\nos.posix_spawn('/bin/true', ['true'], {{}})\n{RIGHT}", ALONE),
    "a process in the background": (f"import multiprocessing\nmultiprocessing.get_context('fork').Process(target=print).start()\n{RIGHT}", ALONE),
    "a socket": (f"import socket\nsocket.socket()\n{RIGHT}", ALONE),
    "a full disk": (f"with open('big', 'wb') as big:\n    big.seek(65 << 20)\n    big.write(b'x')\n{RIGHT}", FILES),
    "many files": (f"keep = [open(f'f{{i}}', 'w') for i in range(10_000)]\n{RIGHT}", "may have 64 files open"),
    "ptrace": (f"import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nassert libc.ptrace(0, 0, 0, 0) == 0\n{RIGHT}", "AssertionError"),
    "namespaces": (f"import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == 0\n{RIGHT}", "AssertionError"),
    "shared memory": (f"import os\nos.memfd_create('x')\n{RIGHT}", ALONE),
    "higher limits": (f"import resource\nresource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6))\n{RIGHT}", "not allowed to raise maximum limit"),
    "a result of 80 MB": ("return np.zeros(10_000_000)", "more than 1,000,000 numbers"),
    "a million-element nested result": ("return [[0.0] * 1000 for _ in range(1001)]", "more than"),
    "gigabytes of output": ("for i in range(10**9):\n    print('x' * 10**6)\nreturn z", "it printed more than 1,000,000 characters"),
    "nan": ("return np.full(np.shape(z), np.nan)", "numbers differ"),
    "objects": ("return np.array([object()] * 3)", "object"),
    "a generator": ("return (x for x in [1])", "generator"),
    "its own exit": ("raise SystemExit(0)", "SystemExit"),
}


@pytest.mark.parametrize("attempt", REFUSED)
def test_what_is_refused_fails_its_exercise_and_nothing_else_and_the_learner_reads_why(attempt: str, engine: Engine) -> None:
    body, why = REFUSED[attempt]
    attacked = attack(engine, function(body))
    assert points(attacked) == {**FULL, "relu": 0.0}
    verdict = attacked.verdicts["relu"]
    assert why in (verdict.failure.reason if verdict.failure else verdict.note or "")


def test_a_flood_on_the_results_pipe_is_cut_off(engine: Engine) -> None:
    flood = "import os\nwhile True:\n    os.write(4, b'\\xff' * 65536)"
    assert points(attack(engine, function(flood), limits=LIMITS))["relu"] == 0


HANG = "while True: pass"


@pytest.mark.parametrize("cell", ["import os\nos._exit(1)", HANG, "raise KeyboardInterrupt", "import sys\nsys.exit()", "1 / 0", "%%bash\nrm -rf /", "def ("])
def test_a_cell_that_fails_costs_no_exercise(cell: str, engine: Engine) -> None:
    assert points(attack(engine, references("neuron")["relu"], cell, LIMITS if cell == HANG else PATIENT)) == FULL


def test_what_one_notebook_left_behind_no_other_finds(engine: Engine) -> None:
    leaves = "import builtins, os\nopen('left.txt', 'w').write('here')\nbuiltins.left = 1\nnp.left = 1\nos.environ['LEFT'] = '1'\nreturn z"
    attack(engine, function(leaves))
    finds = "import builtins, os\nassert os.path.exists('left.txt') or hasattr(builtins, 'left') or hasattr(np, 'left') or 'LEFT' in os.environ\nreturn np.maximum(z, 0)"
    verdict = attack(engine, function(finds)).verdicts["relu"]
    assert verdict.points == 0
    assert "AssertionError" in (verdict.failure.reason if verdict.failure else "")


def test_the_environment_holds_nothing_of_ours(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "of ours")
    with Engine(PATIENT, engine.kind) as fresh:
        request = {"cells": ["import os\nnames = lambda: ' '.join(sorted(os.environ)) + os.environ['HOME']"], "calls": {"names": [{"inputs": []}]}}
        found = fresh.run(request)["answers"]["names"]["outcomes"][0]["value"]
    assert "A_SECRET" not in found
    assert str(Path.home()) not in found or Path.home() == Path("/")


def test_open_files_of_the_grader_are_closed_to_a_notebook(engine: Engine, tmp_path: Path) -> None:
    with open(tmp_path / "gradebook", "w+") as secret:
        os.set_inheritable(secret.fileno(), True)
        secret.write("points")
        secret.flush()
        with Engine(PATIENT, engine.kind) as fresh:
            cell = "import os\ndef read(n):\n    try:\n        return os.pread(n, 6, 0).decode()\n    except OSError:\n        return ''"
            calls = {"read": [{"inputs": [n]} for n in range(5, 64)]}
            outcomes = fresh.run({"cells": [cell], "calls": calls})["answers"]["read"]["outcomes"]
    assert {outcome["value"] for outcome in outcomes} == {""}


def test_a_notebook_of_hangs_ends_in_time(engine: Engine) -> None:
    cells = [HANG] * 20
    start = time.monotonic()
    with Engine(Limits(cell_seconds=1, total_seconds=4), engine.kind) as fresh:
        response: dict[str, Any] = fresh.run({"cells": cells, "calls": {"f": [{"inputs": []}]}})
    assert time.monotonic() - start < 15
    assert "limit" in response["answers"]["f"]


def test_the_server_is_started_again_after_it_was_lost(engine: Engine) -> None:
    with Engine(PATIENT, engine.kind) as fresh:
        assert points(RUN.grade(HONEST, fresh)) == FULL
        assert fresh._server is not None
        fresh._server.kill()
        assert points(RUN.grade(HONEST, fresh)) == FULL


SLEEPY = """
import time
time.sleep(2)
def relu(z):
    return np.maximum(0, z)
"""


def test_a_server_lost_in_the_middle_costs_nobody_anything(engine: Engine) -> None:
    notebook = json.dumps(written("neuron", **{**dict.fromkeys(FULL, "..."), "relu": SLEEPY})).encode()
    patient = Limits(cell_seconds=20, exercise_seconds=20, total_seconds=60, cpu_seconds=20)
    with Engine(patient, engine.kind) as fresh:
        assert fresh._server is not None
        first = fresh._server
        killer = threading.Timer(0.3, first.kill)
        killer.start()
        assert points(RUN.grade(notebook, fresh)) == FULL
        assert fresh._server is not first


def test_a_cell_that_takes_the_server_with_it_twice_is_given_up() -> None:
    attempt = Attempt({"cells": ["1"], "calls": {"f": [{"inputs": []}]}}, LIMITS)
    for error in (None, ended("Cell 1")):
        attempt.begin()
        attempt.take({"cell": 0})
        attempt.end(time.monotonic(), innocent=True)
        assert attempt.errors == [error]

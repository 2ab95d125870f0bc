"""Hostile code reaches no points, files, network or answers, and costs nobody else anything."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hostile import FULL, HONEST, LIMITS, PATIENT, RIGHT, attack, function, graded, points

from course import ROOT, SETTINGS, references, written
from grader.sandbox.engine import Engine

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
        (
            "import numpy as np\n"
            "np.isclose = np.allclose = np.array_equal = lambda *a, **k: True\n"
            "np.testing.assert_allclose = lambda *a, **k: None"
        ),
        "return 0 * np.asarray(z) - 1",
    ),
    "patched comparison": (
        "import sys, types\n"
        "fake = types.ModuleType('grader.comparison.judge')\n"
        "fake.difference = fake.judge = fake.points = lambda *a, **k: 2.0\n"
        "sys.modules['grader.comparison.compare'] = sys.modules[fake.__name__] = fake\n"
        "from grader.comparison.judge import points",
        "return 7",
    ),
    "objects equal to everything": (EVERY_EQUAL, "return Same(1)"),
    "array subclass": (EVERY_EQUAL, "return np.zeros(3).view(Anything)"),
    "patched encoding": (
        "from grader.comparison import codec, observe\n"
        "observe.encode = codec.encode = lambda value: {'points': 2}",
        "return 1",
    ),
    "patched json": (
        'import json\njson.dumps = lambda *a, **k: \'{"answer": {"points": 2, "solved": true}}\'',
        "return 1",
    ),
    "finished functions": (
        (
            "try:\n"
            "    from playground.functions.finished import relu as theirs\n"
            "except ImportError:\n"
            "    theirs = lambda z: z"
        ),
        "return theirs(z)",
    ),
    "the answer key": (
        "",
        f"open({str(ROOT / 'course/neuron/answers.key')!r}).read()\nreturn np.maximum(z, 0)",
    ),
    "the solutions": (
        "",
        (
            f"space = {{}}\n"
            f"exec(open({str(ROOT / 'solutions/neuron/exercises.py')!r}).read(), space)\n"
            "return space['by_clip'](z)"
        ),
    ),
    "modules of the grader that hold answers": (
        "",
        "import grader.author.key\nreturn np.maximum(z, 0)",
    ),
    "a symlink": (
        "",
        (
            "import os\n"
            f"if not os.path.islink('link'): os.symlink({str(ROOT / 'solutions')!r}, 'link')\n"
            "os.listdir('link')\n"
            "return np.maximum(z, 0)"
        ),
    ),
    "another submission": (
        "",
        (
            "import pathlib\n"
            f"assert list(pathlib.Path({str(ROOT / 'tests')!r}).iterdir())\n"
            "return np.maximum(z, 0)"
        ),
    ),
    "other processes": ("", "import os\nos.listdir('/proc')\nreturn np.maximum(z, 0)"),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_earns_nothing(cheat: str, engine: Engine) -> None:
    first, body = CHEATS[cheat]
    assert points(attack(engine, function(body), first))["relu"] == 0


SEARCH = """
import gc, sys
import numpy as np
found = []
def look(thing):
    if isinstance(thing, dict) and "expected" in thing: found.append(thing["expected"])
    if isinstance(thing, (list, tuple)):
        for each in thing[:20]: look(each)
def spy(frame, event, arg):
    for name, value in list(frame.f_locals.items()):
        if name == "expected": found.append(value)
        look(value)
    look(arg)
    return spy
def back(frame):
    while frame:
        spy(frame, "call", None)
        frame = frame.f_back
"""
CHEATING = """
from importlib.machinery import ModuleSpec
class Hook:
    def find_spec(self, name, *rest):
        return ModuleSpec(name, self) if name == "grader.comparison.judge" else None
    def create_module(self, spec): return None
    def exec_module(self, module): module.points = module.judge = lambda *a, **k: 2.0
sys.modules.pop("grader.comparison.judge", None)
sys.meta_path.insert(0, Hook())
import importlib
judge = importlib.import_module("grader.comparison.judge")
"""
SHELL = """
from IPython.core.inputtransformer2 import TransformerManager
TransformerManager.transform_cell = lambda self, cell: "relu = lambda z: found[0]"
shell = get_ipython()
def after_cell(*rest): shell.user_ns.update(relu=lambda z: found[0])
for hook in (
    "shell.events.register('post_run_cell', after_cell)", "shell.ast_transformers.append(spy)"
):
    try: exec(hook)
    except AttributeError: pass
type(shell).__getattr__ = lambda self, name: found
from grader.execution import runner
runner.signature_mismatch = lambda function, calls: look(calls)
"""
SPIES = {
    "trace hooks": (f"{SEARCH}sys.settrace(spy)", ""),
    "profile hooks": (f"{SEARCH}sys.setprofile(spy)", ""),
    "audit hooks": (
        f"{SEARCH}def hook(event, args): event == 'sys._getframe' or back(sys._getframe(1))\n"
        "sys.addaudithook(hook)",
        "open('any', 'w').close()\n",
    ),
    "import hooks": (
        f"{SEARCH}{CHEATING}",
        "assert judge.judge() == judge.points() == 2.0\nback(sys._getframe())\n",
    ),
    "IPython hooks": (f"{SEARCH}{SHELL}", "assert get_ipython().anything is found\n"),
    "frames": (SEARCH, "back(sys._getframe())\n"),
    "the garbage collector": (
        SEARCH,
        "look(gc.get_objects())\nfor each in gc.get_objects(): look(each)\n",
    ),
}
"""Cells that look for what is expected, and what relu does first; it returns what was found."""
TELL = "if found: return found[0]\nreturn 12345.0"


@pytest.mark.parametrize("spy", SPIES)
def test_a_spy_would_find_expected_values_but_there_are_none(spy: str, engine: Engine) -> None:
    first, body = SPIES[spy]
    attacked = attack(engine, function(body + TELL), first)
    assert points(attacked)["relu"] == 0
    assert "12345" in str(attacked.verdicts["relu"].failure)
    told = {
        "cells": [first, function(body + TELL)],
        "calls": {"relu": [{"inputs": [1], "expected": 678.5}] * 2},
    }
    assert engine.run(told)["answers"]["relu"]["outcomes"][1]["value"] == 678.5


FORGED = (
    "import os, json\n"
    "def forge(frame):\n"
    "    data = frame if isinstance(frame, bytes) else json.dumps(frame).encode()\n"
    "    os.write(4, len(data).to_bytes(8, 'big') + data)\n"
)
OUTCOMES = "{'outcomes': [{'value': 0.0}] * 10, 'points': 99}"
FRAMES = {
    "answers to its own and to another exercise": (
        "for answer in ('relu', 'sigmoid'):\n"
        f"    forge({{'exercise': answer}})\n"
        f"    forge({{'answer': {OUTCOMES}}})"
    ),
    "an exercise that is a list": "forge({'exercise': ['relu']})",
    "an exercise that nobody has": "forge({'exercise': 'points'})",
    "a cell that is true": "forge({'cell': True})",
    "a cell far away": "forge({'cell': 10**30})\nforge({'cell': -1})\nforge({'cell': 1e308})",
    "an answer that is a number": "forge({'answer': 2})",
    "an answer of answers": "forge({'answer': {'outcomes': {'value': 1}}})",
    "outcomes that are none": "forge({'answer': {'outcomes': [None, 1, [], 'x'] * 3}})",
    "values that are none": (
        "value = {'array': [[1], 'x'], 'shape': [-1], 'dtype': 'O'}\n"
        "forge({'answer': {'outcomes': [{'value': value}] * 12}})"
    ),
    "an error that is a number": (
        "error = {'error': 3, 'message': [1], 'warnings': 5, 'changed': 'x', 'printed': {}}\n"
        "forge({'answer': {'outcomes': [error] * 12}})"
    ),
    "a signature_mismatch that is a list": "forge({'answer': {'signature_mismatch': [1]}})",
    "a missing that is a dict": "forge({'answer': {'missing': {}}})",
    "a list": "forge([{'answer': 1}])",
    "no JSON": "forge(b'{')",
    "no text": "forge(bytes(range(256)))",
    "brackets without end": "forge(b'[' * 200_000)",
    "digits without end": "forge(b'{\"cell\": ' + b'9' * 100_000 + b'}')",
    "NaN": 'forge(b\'{"answer": {"outcomes": [{"value": NaN}, {"value": -Infinity}]}}\')',
    "half a surrogate": 'forge(b\'{"answer": {"missing": "\\\\ud800"}}\')',
    "a length without end": "os.write(4, b'\\xff' * 8)",
    "half a frame": "os.write(4, (1000).to_bytes(8, 'big') + b'{')\nos._exit(0)",
    "an empty frame": "os.write(4, bytes(8))",
    "a million frames": "os.write(4, ((2).to_bytes(8, 'big') + b'{}') * 1_000_000)",
}


@pytest.mark.parametrize("frame", FRAMES)
def test_a_forged_frame_earns_nothing(frame: str, engine: Engine) -> None:
    attacked = points(attack(engine, function(f"{FORGED}{FRAMES[frame]}\nreturn z"), limits=LIMITS))
    assert attacked["relu"] == 0
    assert all(attacked[name] <= FULL[name] for name in FULL)


HARM = """
import os
def harm(book):
    folder, before, done = os.path.dirname(book), os.stat(book), []
    def empty():
        os.truncate(book, 0)
    def append():
        with open(book, "ab") as file: file.write(b"points")
    def hide():
        os.chmod(book, 0)
    def open_up():
        os.chmod(folder, 0o777)
    def date():
        os.utime(book, (1, 1))
    def label():
        os.setxattr(book, "user.points", b"10")
    def own():
        os.chown(book, before.st_uid, before.st_gid)
    def name():
        os.rename(book, book + ".old")
    def second_name():
        os.link(book, folder + "/second")
    def link():
        os.symlink(book, folder + "/link")
    def beside():
        open(folder + "/beside", "w").close()
    def below():
        os.mkdir(folder + "/below")
    def pipe():
        os.mkfifo(folder + "/pipe")
    def read():
        open(book).read()
    def see():
        os.listdir(folder)
    for act in (empty, append, hide, open_up, date, label, own, name, second_name, link, beside,
                below, pipe, read, see):
        try:
            act()
            done.append(act.__name__)
        except OSError:
            pass
    return " ".join(done)
"""


def test_a_file_that_the_grader_may_change_is_unharmed(engine: Engine, tmp_path: Path) -> None:
    book, free = tmp_path / "class" / "gradebook.db", tmp_path / "free" / "gradebook.db"
    for path in (book, free):
        path.parent.mkdir()
        path.write_bytes(b"points of all")
    before = book.stat(), book.parent.stat()
    response = engine.run({"cells": [HARM], "calls": {"harm": [{"inputs": [str(book)]}]}})
    (outcome,) = response["answers"]["harm"]["outcomes"]
    assert outcome.get("value", "") == "" or "No such file" in str(response)
    assert points(graded(HONEST, engine)) == FULL
    assert book.read_bytes() == b"points of all"
    for path, was in zip((book, book.parent), before, strict=True):
        now = path.stat()
        for field in ("st_mode", "st_uid", "st_mtime", "st_ctime"):
            assert getattr(now, field) == getattr(was, field)
    assert os.listdir(book.parent) == ["gradebook.db"]
    space: dict[str, Any] = {}
    exec(HARM, space)  # the same outside does harm
    assert {"empty", "append", "hide", "open_up", "date", "own", "name"} <= set(
        space["harm"](str(free)).split()
    )


def test_forged_metadata_and_outputs_decide_nothing(engine: Engine) -> None:
    forged = {"points": 100, "grade": True, "grade_id": "check-relu", "schema_version": 3}
    output = {
        "output_type": "execute_result",
        "data": {"text/plain": "100"},
        "metadata": {},
        "execution_count": 1,
    }
    notebook = written("neuron", weighted_sum="...")
    for cell in notebook["cells"]:
        cell["metadata"] = {"nbgrader": forged, "tags": ["setup", "play"]}
        if cell["cell_type"] == "code":
            cell["outputs"] = [output]
    earned = points(graded(json.dumps(notebook).encode(), engine))
    assert earned == {**dict.fromkeys(FULL, 0.0), "weighted_sum": 2.0}


ALONE = "may start no other process or thread, use no network"
PIPE = "import fcntl, os\nread, write = os.pipe()\n"
VISIBLE = "import os\npath, stat = np.__file__, os.stat(np.__file__)\n"
"""A file that every child can read."""
OWN = "import os\nown = open('own', 'w')\n"
LIBC = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"

FORBIDDEN = {
    "a fork": "import os\nif os.fork() == 0: os._exit(0)",
    "a program": "import os\nos.posix_spawn('/bin/true', ['true'], {})",
    "a process in the background": (
        "import multiprocessing\nmultiprocessing.get_context('fork').Process(target=print).start()"
    ),
    "a thread": "import threading\nthreading.Thread(target=print).start()",
    "a small thread": (
        "import threading\nthreading.stack_size(32768)\nthreading.Thread(target=print).start()"
    ),
    "another's priority": (
        "import os\nos.sched_setscheduler(os.getppid(), os.SCHED_BATCH, os.sched_param(0))"
    ),
    "a signal to the parent about a pipe": (
        f"{PIPE}fcntl.fcntl(read, fcntl.F_SETOWN, os.getppid())"
    ),
    "a signal to the parent's group about a pipe": (
        f"{PIPE}import struct\nfcntl.fcntl(read, 15, struct.pack('ii', 2, os.getppid()))"
    ),
    "a deadly signal about a pipe": f"{PIPE}fcntl.fcntl(read, 10, 9)",
    "a signal by a device": f"{PIPE}fcntl.ioctl(read, 0x8901, np.int32(os.getppid()).tobytes())",
    "a signal to its group": "import os\nos.kill(0, 0)",
    # 0 only asks: if it were let through, another would end all of a user's processes
    "a signal to everybody": "import os\nos.kill(-1, 0)",
    "a signal by a timer": (
        f"{LIBC}assert libc.timer_create(1, None, ctypes.create_string_buffer(8)) == 0"
    ),
    "a watch on files": f"{LIBC}assert libc.inotify_init() >= 0",
    "rights of a file": f"{VISIBLE}os.chmod(path, stat.st_mode)",
    "rights of an own file": f"{OWN}os.fchmod(own.fileno(), 0o6777)",
    "owner of a file": f"{VISIBLE}os.chown(path, -1, -1)",
    "times of a file": f"{VISIBLE}os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))",
    "labels of a file": f"{VISIBLE}os.removexattr(path, 'user.none')",
    "emptying a file by its name": f"{OWN}os.truncate('own', 0)",
    "a new device": "import os\nos.mkfifo('own')",
    "a second name of a file": f"{OWN}os.link('own', 'second')",
    "space for a file": f"{OWN}os.posix_fallocate(own.fileno(), 0, 4096)",
    "a socket": "import socket\nsocket.socket()",
    "ptrace": f"{LIBC}assert libc.ptrace(0, 0, 0, 0) == 0",
    "namespaces": f"{LIBC}assert libc.unshare(0x10000000) == 0",
    "shared memory": "import os\nos.memfd_create('x')",
}


@pytest.mark.parametrize("attempt", FORBIDDEN)
def test_a_forbidden_call_costs_its_exercise_and_is_explained(attempt: str, engine: Engine) -> None:
    attacked = attack(engine, function(f"{FORBIDDEN[attempt]}\n{RIGHT}"))
    assert points(attacked) == {**FULL, "relu": 0.0}
    failure = attacked.verdicts["relu"].failure
    assert failure is not None
    assert ("AssertionError" if "assert" in FORBIDDEN[attempt] else ALONE) in failure.reason


EVERY_CALL = """
import ctypes
from grader.sandbox import linux
def relu(z):
    libc, allowed = ctypes.CDLL(None, use_errno=True), []
    column = linux.ARCHITECTURES[linux.platform.machine()][1]
    # uretprobe and uprobe pass every filter of Linux; they end a process that has no probe
    checked = {335, 336} if column == 0 else set()
    for numbers in (*linux.CALLS.values(), linux.FCNTL, linux.IOCTL, *linux.SIGNALS):
        checked.add(numbers[column])
    for number in set(range(600)) - checked:
        result = libc.syscall(number, *[ctypes.c_long(-1)] * 6)
        if result != -1 or ctypes.get_errno() != (38 if number >= 424 else 1):
            allowed.append(number)
    assert allowed, "every call that is not listed is refused"
    return np.maximum(z, 0)
"""


def test_every_system_call_that_is_not_listed_is_refused(engine: Engine) -> None:
    verdict = attack(engine, EVERY_CALL).verdicts["relu"]
    assert verdict.points == 0
    assert "not listed is refused" in (verdict.failure.reason if verdict.failure else "")


@pytest.mark.parametrize(
    "cell",
    [
        "import os\nos._exit(1)",
        "raise KeyboardInterrupt",
        "import sys\nsys.exit()",
        "1 / 0",
        "%%bash\nrm -rf /",
        "def (",
    ],
)
def test_a_cell_that_fails_costs_no_exercise(cell: str, engine: Engine) -> None:
    assert points(attack(engine, references("neuron")["relu"], cell)) == FULL


def test_a_notebook_finds_nothing_that_another_left_behind(engine: Engine) -> None:
    leaves = (
        "import builtins, os\n"
        "open('left.txt', 'w').write('here')\n"
        "builtins.left = 1\n"
        "np.left = 1\n"
        "os.environ['LEFT'] = '1'\n"
        "return z"
    )
    attack(engine, function(leaves))
    finds = (
        "import builtins, os\n"
        "left = hasattr(builtins, 'left') or hasattr(np, 'left') or 'LEFT' in os.environ\n"
        "assert left or os.path.exists('left.txt')\n"
        "return np.maximum(z, 0)"
    )
    verdict = attack(engine, function(finds)).verdicts["relu"]
    assert verdict.points == 0
    assert "AssertionError" in (verdict.failure.reason if verdict.failure else "")


def test_the_environment_is_empty_and_only_the_pipe_is_open(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "of ours")
    names = "import os\nnames = lambda: ' '.join(sorted(os.environ)) + os.environ['HOME']"
    kind = (
        "def kind(n):\n"
        "    try:\n"
        "        return os.fstat(n).st_mode\n"
        "    except OSError:\n"
        "        return 0"
    )
    with open(tmp_path / "gradebook", "w+") as secret:
        os.set_inheritable(secret.fileno(), True)
        with Engine(SETTINGS, PATIENT, engine.kind) as fresh:
            calls = {"names": [{"inputs": []}], "kind": [{"inputs": [n]} for n in range(1200)]}
            answers = fresh.run({"cells": [names, kind], "calls": calls})["answers"]
    found, outcomes = answers["names"]["outcomes"][0]["value"], answers["kind"]["outcomes"]
    assert "A_SECRET" not in found
    assert str(Path.home()) not in found or Path.home() == Path("/")
    kinds = {n: stat.S_IFMT(one["value"]) for n, one in enumerate(outcomes) if one["value"]}
    assert kinds == {**dict.fromkeys(range(3), stat.S_IFCHR), 4: stat.S_IFIFO}

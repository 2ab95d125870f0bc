"""What a hostile notebook tries: it earns nothing, costs nobody else anything, and the next honest notebook gets its full points."""

from __future__ import annotations

import json
import os
import platform
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from course import ROOT, lesson, references, solved, written
from grader.errors import SandboxUnavailable
from grader.execution.attempt import Attempt
from grader.execution.limits import Limits, ended
from grader.instructor.run import Graded, Run
from grader.sandbox.engine import Engine
from grader.sandbox.launch import Protection, protection

RUN = Run(lesson("neuron"), seed=11)
FULL = {"weighted_sum": 2.0, "sigmoid": 3.0, "relu": 2.0, "dense": 3.0}
HONEST = json.dumps(solved("neuron")).encode()
KINDS = {
    Protection.NAMESPACES: [Protection.NAMESPACES, Protection.LANDLOCK],
    Protection.LANDLOCK: [Protection.LANDLOCK],
    Protection.NONE: [],
}[protection()]
LIMITS = Limits(cell_seconds=2, exercise_seconds=2, total_seconds=60, cpu_seconds=60)
"""For notebooks that hang; the others get `PATIENT`, so that a machine that stands still for a moment costs none of them anything."""
PATIENT = replace(LIMITS, cell_seconds=60, exercise_seconds=60, total_seconds=300)


def name_of(kind: Protection | None) -> str:
    return kind.name.lower() if kind else "unprotected"


KIND, *OTHERS = KINDS or [None]


@pytest.fixture(
    scope="module",
    params=[KIND, *(pytest.param(other, marks=pytest.mark.long) for other in OTHERS)],
    ids=name_of,
)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "This machine can't confine notebooks, so no attack on the confinement was tried."
        )
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
        notebook["cells"].insert(
            1, {"cell_type": "code", "source": first, "metadata": {}, "outputs": []}
        )
    graded(HONEST, engine)  # the server is there
    server = engine._server
    assert server is not None
    attacked = graded(json.dumps(notebook).encode(), engine, limits)
    assert points(graded(HONEST, engine)) == FULL
    assert engine._server is server
    assert server.poll() is None, "the attack ended the server"
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
    "patched encoding": (
        "from grader.comparison import plain, observe\nobserve.encode = plain.encode = lambda value: {'points': 2}",
        "return 1",
    ),
    "patched json": (
        'import json\njson.dumps = lambda *a, **k: \'{"answer": {"points": 2, "solved": true}}\'',
        "return 1",
    ),
    "finished functions": (
        "try:\n    from playground.functions.finished import relu as theirs\nexcept ImportError:\n    theirs = lambda z: z",
        "return theirs(z)",
    ),
    "the answer key": (
        "",
        f"open({str(ROOT / 'course/neuron/answers.json')!r}).read()\nreturn np.maximum(z, 0)",
    ),
    "the solutions": (
        "",
        f"space = {{}}\nexec(open({str(ROOT / 'solutions/neuron/exercises.py')!r}).read(), space)\nreturn space['by_clip'](z)",
    ),
    "modules of the grader that know more": (
        "",
        "import grader.author.key\nreturn np.maximum(z, 0)",
    ),
    "a symlink": (
        "",
        f"import os\nif not os.path.islink('link'): os.symlink({str(ROOT / 'solutions')!r}, 'link')\nos.listdir('link')\nreturn np.maximum(z, 0)",
    ),
    "another submission": (
        "",
        f"import pathlib\nassert list(pathlib.Path({str(ROOT / 'tests')!r}).iterdir())\nreturn np.maximum(z, 0)",
    ),
    "what runs beside it": ("", "import os\nos.listdir('/proc')\nreturn np.maximum(z, 0)"),
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
    def find_spec(self, name, *rest): return ModuleSpec(name, self) if name == "grader.comparison.judge" else None
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
for hook in ("shell.events.register('post_run_cell', lambda *a: shell.user_ns.update(relu=lambda z: found[0]))", "shell.ast_transformers.append(spy)"):
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
        f"{SEARCH}sys.addaudithook(lambda event, args: event == 'sys._getframe' or back(sys._getframe(1)))",
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
def test_a_spy_finds_nothing_and_would_find_what_is_expected_if_it_were_there(
    spy: str, engine: Engine
) -> None:
    first, body = SPIES[spy]
    attacked = attack(engine, function(body + TELL), first)
    assert points(attacked)["relu"] == 0
    assert "12345" in str(attacked.verdicts["relu"].failure)
    told = {
        "cells": [first, function(body + TELL)],
        "calls": {"relu": [{"inputs": [1], "expected": 678.5}] * 2},
    }
    assert engine.run(told)["answers"]["relu"]["outcomes"][1]["value"] == 678.5


FORGED = "import os, json\ndef forge(frame):\n    data = frame if isinstance(frame, bytes) else json.dumps(frame).encode()\n    os.write(4, len(data).to_bytes(8, 'big') + data)\n"
OUTCOMES = "{'outcomes': [{'value': 0.0}] * 10, 'points': 99}"
FRAMES = {
    "answers to its own and to another exercise": f"for answer in ('relu', 'sigmoid'):\n    forge({{'exercise': answer}})\n    forge({{'answer': {OUTCOMES}}})",
    "an exercise that is a list": "forge({'exercise': ['relu']})",
    "an exercise that nobody has": "forge({'exercise': 'points'})",
    "a cell that is true": "forge({'cell': True})",
    "a cell far away": "forge({'cell': 10**30})\nforge({'cell': -1})\nforge({'cell': 1e308})",
    "an answer that is a number": "forge({'answer': 2})",
    "an answer of answers": "forge({'answer': {'outcomes': {'value': 1}}})",
    "outcomes that are none": "forge({'answer': {'outcomes': [None, 1, [], 'x'] * 3}})",
    "values that are none": "forge({'answer': {'outcomes': [{'value': {'array': [[1], 'x'], 'shape': [-1], 'dtype': 'O'}}] * 12}})",
    "an error that is a number": "forge({'answer': {'outcomes': [{'error': 3, 'message': [1], 'warnings': 5, 'changed': 'x', 'printed': {}}] * 12}})",
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
    for act in (empty, append, hide, open_up, date, label, own, name, second_name, link, beside, below, pipe, read, see):
        try:
            act()
            done.append(act.__name__)
        except OSError:
            pass
    return " ".join(done)
"""


def test_a_file_that_whoever_grades_may_change_is_unharmed(engine: Engine, tmp_path: Path) -> None:
    book, free = tmp_path / "class" / "gradebook.db", tmp_path / "free" / "gradebook.db"
    for path in (book, free):
        path.parent.mkdir()
        path.write_bytes(b"points of all")
    before = book.stat(), book.parent.stat()
    response = engine.run({"cells": [HARM], "calls": {"harm": [{"inputs": [str(book)]}]}})
    assert response["answers"]["harm"]["outcomes"][0].get(
        "value", ""
    ) == "" or "No such file" in str(response)
    assert points(graded(HONEST, engine)) == FULL
    assert book.read_bytes() == b"points of all"
    for path, was in zip((book, book.parent), before, strict=True):
        now = path.stat()
        assert (now.st_mode, now.st_uid, now.st_mtime, now.st_ctime) == (
            was.st_mode,
            was.st_uid,
            was.st_mtime,
            was.st_ctime,
        )
    assert os.listdir(book.parent) == ["gradebook.db"]
    space: dict[str, Any] = {}
    exec(HARM, space)  # the same outside does harm
    assert {"empty", "append", "hide", "open_up", "date", "own", "name"} <= set(
        space["harm"](str(free)).split()
    )


def test_forged_metadata_and_outputs_decide_nothing(engine: Engine) -> None:
    notebook = written("neuron", weighted_sum="...")
    for cell in notebook["cells"]:
        cell["metadata"] = {
            "nbgrader": {
                "points": 100,
                "grade": True,
                "grade_id": "check-relu",
                "schema_version": 3,
            },
            "tags": ["setup", "play"],
        }
        if cell["cell_type"] == "code":
            cell["outputs"] = [
                {
                    "output_type": "execute_result",
                    "data": {"text/plain": "100"},
                    "metadata": {},
                    "execution_count": 1,
                }
            ]
    assert points(graded(json.dumps(notebook).encode(), engine)) == {
        **dict.fromkeys(FULL, 0.0),
        "weighted_sum": 2.0,
    }


DISASTERS = {
    "exit": "import os\nos._exit(0)",
    "segfault": "import ctypes\nctypes.string_at(0)",
    "abort": "import os\nos.abort()",
    "an endless loop": "while True: pass",
    "a loop that ignores every signal": "import signal\nfor s in {*range(1, 32)} - {9, 19}:\n    signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
    "sleep": "import time\ntime.sleep(1000)",
    "an endless repr": "class Endless:\n    def __repr__(self):\n        while True: pass\nraise ValueError(Endless())",
    "kill of the parent": "import os, signal\ntry: os.kill(os.getppid() or -2, signal.SIGKILL)\nexcept OSError: pass\nos._exit(1)",
    "a nested list without end": "x = []\nwhile True: x = [x, x]",
}
if platform.machine() == "x86_64":
    RIGHT_AFTER = "\nreturn np.maximum(z, 0)"
    DISASTERS |= {
        "calls by their x32 numbers": f"import ctypes\nctypes.CDLL(None).syscall(0x40000000 + 39){RIGHT_AFTER}",
        "calls by the gate for 32 bits": (
            "import ctypes, mmap\nwords = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7)\nwords.write(bytes.fromhex('b814000000cd80c3'))\n"
            f"ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(words)))(){RIGHT_AFTER}"
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


RIGHT = "return np.maximum(z, 0)"
"""Ends an attack that should fail: if it worked, it would earn all points."""

ALONE, FILES, MEMORY = (
    "may start no other process or thread, use no network",
    "may write 64 MB of files",
    "may use 1 GB of memory",
)
PACKAGE = "import os\nstat = os.stat(np.__file__)\n"
"""A file that every child can see."""
SIGNAL = "import fcntl, os\nread, write = os.pipe()\n"

REFUSED = {
    "deep recursion": ("return relu(z)", "maximum recursion depth"),
    "4 GB": (f"np.ones(2**29)\n{RIGHT}", MEMORY),
    "4 GB that could be shared": (f"import mmap\nmmap.mmap(-1, 4 << 30)\n{RIGHT}", MEMORY),
    "4 GB of a device": (
        f"import mmap, os\nmmap.mmap(os.open('/dev/zero', os.O_RDONLY), 4 << 30, prot=mmap.PROT_READ)\n{RIGHT}",
        MEMORY,
    ),
    "4 GB of stack": (
        f"import mmap\nmmap.mmap(-1, 4 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x100)\n{RIGHT}",
        MEMORY,
    ),
    "4 GB that are only read": (
        f"import mmap\nmmap.mmap(-1, 4 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ)\n{RIGHT}",
        MEMORY,
    ),
    "a fork": (f"import os\nif os.fork() == 0: os._exit(0)\n{RIGHT}", ALONE),
    "a program": (f"import os\nos.posix_spawn('/bin/true', ['true'], {{}})\n{RIGHT}", ALONE),
    "a process in the background": (
        f"import multiprocessing\nmultiprocessing.get_context('fork').Process(target=print).start()\n{RIGHT}",
        ALONE,
    ),
    "a thread": (f"import threading\nthreading.Thread(target=print).start()\n{RIGHT}", ALONE),
    "a small thread": (
        f"import threading\nthreading.stack_size(32768)\nthreading.Thread(target=print).start()\n{RIGHT}",
        ALONE,
    ),
    "another's priority": (
        f"import os\nos.sched_setscheduler(os.getppid(), os.SCHED_BATCH, os.sched_param(0))\n{RIGHT}",
        ALONE,
    ),
    "a signal to the parent about a pipe": (
        f"{SIGNAL}fcntl.fcntl(read, fcntl.F_SETOWN, os.getppid())\n{RIGHT}",
        ALONE,
    ),
    "a signal to the parent's group about a pipe": (
        f"{SIGNAL}import struct\nfcntl.fcntl(read, 15, struct.pack('ii', 2, os.getppid()))\n{RIGHT}",
        ALONE,
    ),
    "a deadly signal about a pipe": (f"{SIGNAL}fcntl.fcntl(read, 10, 9)\n{RIGHT}", ALONE),
    "a signal by a device": (
        f"{SIGNAL}fcntl.ioctl(read, 0x8901, np.int32(os.getppid()).tobytes())\n{RIGHT}",
        ALONE,
    ),
    "a signal to its group": (f"import os\nos.kill(0, 0)\n{RIGHT}", ALONE),
    "a signal to everybody": (
        f"import os\nos.kill(-1, 0)\n{RIGHT}",
        ALONE,
    ),  # 0, which only asks: were it let through, another would end all of a user's processes
    "a signal by a timer": (
        f"import ctypes\nassert ctypes.CDLL(None).timer_create(1, None, ctypes.create_string_buffer(8)) == 0\n{RIGHT}",
        "AssertionError",
    ),
    "a watch on files": (
        f"import ctypes\nassert ctypes.CDLL(None).inotify_init() >= 0\n{RIGHT}",
        "AssertionError",
    ),
    "rights of a file": (f"{PACKAGE}os.chmod(np.__file__, stat.st_mode)\n{RIGHT}", ALONE),
    "rights of a file of its own": (
        f"import os\nwith open('own', 'w') as own: os.fchmod(own.fileno(), 0o6777)\n{RIGHT}",
        ALONE,
    ),
    "owner of a file": (f"{PACKAGE}os.chown(np.__file__, -1, -1)\n{RIGHT}", ALONE),
    "times of a file": (
        f"{PACKAGE}os.utime(np.__file__, ns=(stat.st_atime_ns, stat.st_mtime_ns))\n{RIGHT}",
        ALONE,
    ),
    "labels of a file": (f"{PACKAGE}os.removexattr(np.__file__, 'user.none')\n{RIGHT}", ALONE),
    "emptying a file by its name": (
        f"import os\nopen('own', 'w').close()\nos.truncate('own', 0)\n{RIGHT}",
        ALONE,
    ),
    "a device of its own": (f"import os\nos.mkfifo('own')\n{RIGHT}", ALONE),
    "a second name of a file": (
        f"import os\nopen('own', 'w').close()\nos.link('own', 'second')\n{RIGHT}",
        ALONE,
    ),
    "space for a file": (
        f"import os\nwith open('own', 'w') as own: os.posix_fallocate(own.fileno(), 0, 4096)\n{RIGHT}",
        ALONE,
    ),
    "a socket": (f"import socket\nsocket.socket()\n{RIGHT}", ALONE),
    "a full disk": (
        f"with open('big', 'wb') as big:\n    big.seek(65 << 20)\n    big.write(b'x')\n{RIGHT}",
        FILES,
    ),
    "a disk full of files": (
        f"import time\nfor i in range(8): open(f'f{{i}}', 'wb').write(bytes(20 << 20))\ntime.sleep(1000)\n{RIGHT}",
        FILES,
    ),
    "a disk full of files without a name": (
        f"import os, time\nkeep = []\nfor i in range(8):\n    keep.append(open('f', 'wb'))\n    os.unlink('f')\n    keep[-1].write(bytes(20 << 20))\ntime.sleep(1000)\n{RIGHT}",
        FILES,
    ),
    "5,000 empty files": (
        f"import time\nfor i in range(5000): open(f'f{{i}}', 'w').close()\ntime.sleep(1000)\n{RIGHT}",
        FILES,
    ),
    "many files": (
        f"keep = [open(f'f{{i}}', 'w') for i in range(10_000)]\n{RIGHT}",
        "may have 64 files open",
    ),
    "ptrace": (
        f"import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nassert libc.ptrace(0, 0, 0, 0) == 0\n{RIGHT}",
        "AssertionError",
    ),
    "namespaces": (
        f"import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == 0\n{RIGHT}",
        "AssertionError",
    ),
    "shared memory": (f"import os\nos.memfd_create('x')\n{RIGHT}", ALONE),
    "higher limits": (
        f"import resource\nresource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6))\n{RIGHT}",
        "not allowed to raise maximum limit",
    ),
    "a result of 80 MB": ("return np.zeros(10_000_000)", "more than 1,000,000 numbers"),
    "a million-element nested result": ("return [[0.0] * 1000 for _ in range(1001)]", "more than"),
    "gigabytes of output": (
        "for i in range(10**9):\n    print('x' * 10**6)\nreturn z",
        "it printed more than 1,000,000 characters",
    ),
    "nan": ("return np.full(np.shape(z), np.nan)", "numbers differ"),
    "objects": ("return np.array([object()] * 3)", "object"),
    "a generator": ("return (x for x in [1])", "generator"),
    "its own exit": ("raise SystemExit(0)", "SystemExit"),
}


@pytest.mark.parametrize("attempt", REFUSED)
def test_what_is_refused_fails_its_exercise_and_nothing_else_and_the_learner_reads_why(
    attempt: str, engine: Engine
) -> None:
    body, why = REFUSED[attempt]
    attacked = attack(engine, function(body))
    assert points(attacked) == {**FULL, "relu": 0.0}
    verdict = attacked.verdicts["relu"]
    assert why in (verdict.failure.reason if verdict.failure else verdict.note or "")


EVERY_CALL = """
import ctypes
from grader.sandbox import linux
def relu(z):
    libc, allowed = ctypes.CDLL(None, use_errno=True), []
    column = linux.ARCHITECTURES[linux.platform.machine()][1]
    checked = {335, 336} if column == 0 else set()  # uretprobe and uprobe, which Linux lets past every filter: they end a process that has no probe
    checked |= {numbers[column] for numbers in (*linux.CALLS.values(), linux.FCNTL, linux.IOCTL, *linux.SIGNALS)}
    for number in set(range(600)) - checked:
        if libc.syscall(number, *[ctypes.c_long(-1)] * 6) != -1 or ctypes.get_errno() != (38 if number >= 424 else 1):
            allowed.append(number)
    assert allowed, "every call is refused that is not named"
    return np.maximum(z, 0)
"""


def test_every_system_call_is_refused_that_is_not_named(engine: Engine) -> None:
    verdict = attack(engine, EVERY_CALL).verdicts["relu"]
    assert verdict.points == 0
    assert "every call is refused" in (verdict.failure.reason if verdict.failure else "")


BOMB = "import os, time\nfor i in range(2000):\n    os.mkdir('d' * 50, 0o300)\n    os.chdir('d' * 50)\nopen('end', 'w').close()\nreturn z"


def test_folders_2000_deep_and_closed_are_removed_like_others(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Engine(PATIENT, engine.kind) as fresh:
        assert points(attack(fresh, function(BOMB)))["relu"] == 0
    assert os.listdir(tmp_path) == []


def test_what_a_child_left_is_removed_with_the_server_as_well(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folders are looked at only now and then: here the engine is closed before."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(
        "grader.sandbox.engine.Engine._stop_child", lambda self: self._stop_server()
    )
    with Engine(PATIENT, engine.kind) as fresh:
        graded(json.dumps(written("neuron", relu=function(BOMB))).encode(), fresh)
    assert os.listdir(tmp_path) == []


def test_a_flood_on_the_results_pipe_is_cut_off(engine: Engine) -> None:
    flood = "import os\nwhile True:\n    os.write(4, b'\\xff' * 65536)"
    assert points(attack(engine, function(flood), limits=LIMITS))["relu"] == 0


HANG = "while True: pass"


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


def test_a_cell_that_hangs_costs_no_exercise(engine: Engine) -> None:
    assert points(attack(engine, references("neuron")["relu"], HANG, LIMITS)) == FULL


def test_what_one_notebook_left_behind_no_other_finds(engine: Engine) -> None:
    leaves = "import builtins, os\nopen('left.txt', 'w').write('here')\nbuiltins.left = 1\nnp.left = 1\nos.environ['LEFT'] = '1'\nreturn z"
    attack(engine, function(leaves))
    finds = "import builtins, os\nassert os.path.exists('left.txt') or hasattr(builtins, 'left') or hasattr(np, 'left') or 'LEFT' in os.environ\nreturn np.maximum(z, 0)"
    verdict = attack(engine, function(finds)).verdicts["relu"]
    assert verdict.points == 0
    assert "AssertionError" in (verdict.failure.reason if verdict.failure else "")


def test_a_set_of_texts_has_the_same_order_in_every_run(engine: Engine) -> None:
    request = {
        "cells": ["def order():\n    return ' '.join({str(i) for i in range(100)})"],
        "calls": {"order": [{"inputs": []}]},
    }
    with Engine(PATIENT, engine.kind) as fresh:
        first, second = (
            one.run(request)["answers"]["order"]["outcomes"][0]["value"] for one in (engine, fresh)
        )
    assert first == second


def test_the_environment_holds_nothing_of_ours_and_only_the_pipe_is_open(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "of ours")
    names = "import os\nnames = lambda: ' '.join(sorted(os.environ)) + os.environ['HOME']"
    kind = "def kind(n):\n    try:\n        return os.fstat(n).st_mode\n    except OSError:\n        return 0"
    with open(tmp_path / "gradebook", "w+") as secret:
        os.set_inheritable(secret.fileno(), True)
        with Engine(PATIENT, engine.kind) as fresh:
            calls = {"names": [{"inputs": []}], "kind": [{"inputs": [n]} for n in range(1200)]}
            answers = fresh.run({"cells": [names, kind], "calls": calls})["answers"]
    found, outcomes = answers["names"]["outcomes"][0]["value"], answers["kind"]["outcomes"]
    assert "A_SECRET" not in found
    assert str(Path.home()) not in found or Path.home() == Path("/")
    assert [(n, stat.S_IFMT(outcome["value"])) for n, outcome in enumerate(outcomes) if outcome["value"]] == [
        *((n, stat.S_IFCHR) for n in range(3)), (4, stat.S_IFIFO)
    ]  # fmt: skip


def test_a_notebook_of_hangs_is_given_up_when_its_total_time_is_over(engine: Engine) -> None:
    limits = Limits(cell_seconds=0.5, total_seconds=1.5, starts=20)
    with Engine(limits, engine.kind) as fresh:
        response: dict[str, Any] = fresh.run(
            {"cells": [HANG] * 20, "calls": {"f": [{"inputs": []}]}}
        )
    assert "limit" in response["answers"]["f"]
    given_up = sum(error is not None for error in response["errors"])
    assert given_up <= 4, "three of half a second each, and the one during which the total was over"


@pytest.mark.long
def test_the_server_is_started_again_after_it_was_lost(engine: Engine) -> None:
    with Engine(PATIENT, engine.kind) as fresh:
        assert points(RUN.grade(HONEST, fresh)) == FULL
        assert fresh._server is not None
        fresh._server.kill()
        assert points(RUN.grade(HONEST, fresh)) == FULL


@pytest.mark.long
def test_a_server_that_could_not_be_started_again_is_tried_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Engine(PATIENT, engine.kind) as fresh:
        assert fresh._server is not None
        fresh._server.kill()
        with monkeypatch.context() as broken:
            for program in ("false", "/no/such/program", "false"):
                broken.setattr(
                    "grader.sandbox.engine.command", lambda *rest, program=program: ([program], {})
                )
                with pytest.raises(SandboxUnavailable, match="did not start"):
                    RUN.grade(HONEST, fresh)
        assert points(RUN.grade(HONEST, fresh)) == FULL


def test_an_engine_closes_no_descriptor_that_somebody_else_has_opened_meanwhile(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    take = Attempt.take

    def take_and_open(self: Attempt, frame: Any) -> None:
        opened.extend(os.open(os.devnull, os.O_RDONLY) for _ in range(4 if not opened else 0))
        take(self, frame)

    monkeypatch.setattr(Attempt, "take", take_and_open)
    assert points(graded(HONEST, engine)) == FULL
    assert len(opened) == 4
    for descriptor in opened:
        os.close(descriptor)  # raises where it was closed before


def test_a_server_lost_in_the_middle_costs_nobody_anything(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first child never gets beyond a cell, and its server is killed meanwhile."""
    request, take = Attempt.request, Attempt.take
    with Engine(PATIENT, engine.kind) as fresh:
        assert fresh._server is not None
        first = fresh._server

        def hanging_at_first(self: Attempt) -> bytes:
            return request(self).replace(
                b"MOMENT", b"import time; time.sleep(1000)" if first.poll() is None else b"pass"
            )

        def killing(self: Attempt, frame: Any) -> None:
            take(self, frame)
            if "cell" in frame:
                first.kill()

        monkeypatch.setattr(Attempt, "request", hanging_at_first)
        monkeypatch.setattr(Attempt, "take", killing)
        assert (
            points(
                graded(
                    json.dumps(
                        written(
                            "neuron",
                            **dict.fromkeys(FULL, "...") | {"relu": f"MOMENT\n{function(RIGHT)}"},
                        )
                    ).encode(),
                    fresh,
                    PATIENT,
                )
            )
            == FULL
        )
        assert fresh._server is not first


def test_a_cell_that_takes_the_server_with_it_twice_is_given_up() -> None:
    attempt = Attempt({"cells": ["1"], "calls": {"f": [{"inputs": []}]}}, LIMITS)
    for error in (None, ended("Cell 1")):
        attempt.begin()
        attempt.take({"cell": 0})
        attempt.end(0.0, innocent=True)
        assert attempt.errors == [error]

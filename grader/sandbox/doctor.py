"""Hostile cells for `grader doctor`, and which of them work in a sandbox."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from grader.comparison.schema import Request, Response
from grader.execution.limits import Limits
from grader.settings import Settings

IMPORTS = """
import fcntl, mmap, os, socket, sys, threading, time
from importlib.util import find_spec
import numpy as np
"""
TRIALS = {
    "reads a file of yours": "open(SECRET).read()",
    "writes outside its own folder": "open(HERE + '/grader-doctor', 'w')",
    "changes the rights of a file of yours": "os.chmod(SECRET, 0o600)",
    "empties a file of yours": "os.truncate(SECRET, 0)",
    "opens a network connection": "socket.socket()",
    "starts a process": "os.fork()",
    "starts a thread": "threading.Thread(target=print).start()",
    "starts a program": "os.posix_spawn('/bin/true', ['true'], {})",
    "stops another process": "os.kill(os.getppid() or 1 / 0, 0)",
    "has another process stopped": "fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, os.getppid())",
    "sees other processes": "os.listdir('/proc')",
    "takes 4 GB of memory": "np.ones(2**29).sum()",
    "takes 4 GB that could be shared": "mmap.mmap(-1, 4 << 30)",
    "fills the disk": "[open(i, 'wb').write(bytes(20 << 20)) for i in '01234567'], time.sleep(1)",
    "runs forever": "sum(iter(int, 1))",
}
"""Hostile expressions; each has a value if it works."""

COURSE_TRIALS = {
    "reads the lessons' sources": "os.listdir(SOURCES)",
    "imports finished functions": "next(filter(find_spec, HIDDEN))",
    "reads finished functions": "open(next(filter(os.path.exists, FILES))).read()",
}

VISIBLE = {
    "ask for the size and the date of a file of yours": "os.stat(SECRET).st_size",
    "ask which processes there are": "os.stat(f'/proc/{os.getppid() or 1 / 0}').st_mode",
}
"""Expressions that have a value under Landlock all the same."""

LIMITS = Limits(cell_seconds=3, exercise_seconds=3, total_seconds=10)


def trials_of(settings: Settings | None) -> dict[str, str]:
    """Return the trials; without a course, its own are left out."""
    return TRIALS | COURSE_TRIALS if settings else TRIALS


def try_out(
    run: Callable[[Request], Response], settings: Settings | None, trials: dict[str, str]
) -> dict[str, bool]:
    """Return for each trial whether it worked."""
    places = [folder for folder in (Path.home(), Path.cwd()) if os.access(folder, os.W_OK)]
    worked = {}
    with tempfile.NamedTemporaryFile("w", dir=places[0] if places else None) as secret:
        secret.write("a secret")
        secret.flush()
        setup = _setup(secret.name, settings)
        for name, trial in trials.items():
            cell = f"def probe(x):\n    return {trial}"
            response = run({"cells": [setup, cell], "calls": {"probe": [{"inputs": [0]}]}})
            outcomes = response["answers"]["probe"].get("outcomes", [])
            worked[name] = any("value" in outcome for outcome in outcomes)
    return worked


def _setup(secret: str, settings: Settings | None) -> str:
    """Return the cell that the trials need."""
    cell = f"{IMPORTS}SECRET, HERE = {secret!r}, {str(Path.cwd())!r}\n"
    if settings is None:
        return cell
    sources = str(settings.root / settings.sources)
    files = [f"{name.replace('.', '/')}.py" for name in settings.hidden]
    cell += f"SOURCES, HIDDEN = {sources!r}, {settings.hidden!r}\n"
    return f"{cell}FILES = [f'{{path}}/{{file}}' for path in sys.path for file in {files!r}]"

"""`grader doctor`: run hostile cells in the sandbox and report which ones it stopped."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

from grader.execution.limits import Limits
from grader.sandbox.engine import Engine
from grader.sandbox.launch import Protection, protection, refusal

TRIALS = {
    "reads files of yours": "probe = lambda x: len(open({secret!r}).read())",
    "reads the solutions": "import os\nprobe = lambda x: len(os.listdir({here!r} + '/solutions'))",
    "has finished functions": "import playground.functions.finished\nprobe = lambda x: 1",
    "reads finished functions": "import sys\n"
    "def probe(x):\n"
    "    for path in sys.path:\n"
    "        try: return len(open(path + '/playground/functions/finished.py').read())\n"
    "        except OSError: pass\n"
    "    return no_file_of_that_name",
    "writes outside its own folder": "probe = lambda x: open({here!r} + '/grader-doctor', 'w').write('x')",
    "changes the rights of a file of yours": "import os\nprobe = lambda x: os.chmod({secret!r}, 0o600) or 1",
    "empties a file of yours": "import os\nprobe = lambda x: os.truncate({secret!r}, 0) or 1",
    "opens a network connection": "import socket\nprobe = lambda x: socket.socket().fileno()",
    "starts a process": "import os\nprobe = lambda x: os.fork() or 1",
    "starts a thread": "import threading\nprobe = lambda x: threading.Thread(target=print).start() or 1",
    "starts a program": "import os\nprobe = lambda x: os.execv('/bin/true', ['true'])",
    "stops another process": "import os\nprobe = lambda x: 1 + (os.kill(os.getppid(), 0) or 0) if os.getppid() > 0 else 1 / 0",
    "has another process stopped": "import fcntl, os\nprobe = lambda x: 1 + fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, os.getppid())",
    "sees other processes": "import os\nprobe = lambda x: len(os.listdir('/proc'))",
    "takes 4 GB of memory": "import numpy as np\nprobe = lambda x: float(np.ones(2**29).sum())",
    "takes 4 GB that could be shared": "import mmap\nprobe = lambda x: len(mmap.mmap(-1, 4 << 30))",
    "fills the disk": "import time\ndef probe(x):\n    for i in range(8): open(str(i), 'wb').write(bytes(20 << 20))\n    time.sleep(1)\n    return 1",
    "runs for ever": "def probe(x):\n    while True: pass",
}
"""What a hostile notebook may try, as a cell in which `probe(0)` returns a number where it works."""


def try_out(kind: Protection) -> dict[str, bool]:
    """For each trial, whether it worked."""
    worked = {}
    with tempfile.NamedTemporaryFile(
        "w", dir=_writable(Path.home(), Path.cwd()), prefix=".grader-doctor-"
    ) as secret:
        secret.write("a secret")
        secret.flush()
        names = {"secret": secret.name, "here": str(Path.cwd())}
        with Engine(Limits(cell_seconds=3, exercise_seconds=3, total_seconds=10), kind) as engine:
            for what, cell in TRIALS.items():
                for name, value in names.items():
                    cell = cell.replace(f"{{{name}!r}}", repr(value))
                answer = engine.run({"cells": [cell], "calls": {"probe": [{"inputs": [0]}]}})[
                    "answers"
                ]["probe"]
                worked[what] = (
                    isinstance(answer.get("outcomes"), list) and "value" in answer["outcomes"][0]
                )
    return worked


def _writable(*folders: Path) -> Path | None:
    return next((folder for folder in folders if os.access(folder, os.W_OK)), None)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `doctor`."""
    parser = subparsers.add_parser(
        "doctor",
        help="say what protection this machine gives against hostile notebooks, and try it",
    )
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    kind = protection()
    if kind is Protection.NONE:
        print(json.dumps({"protection": None}) if arguments.json else refusal())
        return 1
    worked = try_out(kind)
    if arguments.json:
        print(json.dumps({"protection": kind.value, "worked": worked}))
    else:
        print(f"Notebooks are confined by {kind.value}. Tried: a notebook that")
        print(
            *(f"  {'✗ STILL' if done else '✓ never'} {what}" for what, done in worked.items()),
            sep="\n",
        )
        print(
            "Something got through; don't grade strangers' notebooks here."
            if any(worked.values())
            else "All was refused."
        )
    return int(any(worked.values()))

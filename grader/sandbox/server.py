"""The fork server: a confined child for each notebook. It runs in the sandbox without answers.

`grader.sandbox.launch` starts `main` with its settings: ``{"scratch": "/scratch", "namespaces": true, "readable": [], "hidden": [], "limits": {…}}``.

On standard input, a SOCK_SEQPACKET socket: ``start`` with two descriptors (request, results) forks a child, ``stop`` kills it
and is answered by ``stopped``, or by ``full`` where the child had to be killed because it wrote too many files. A frame on a child's pipe is its length
(8 bytes) and JSON.
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib.util
import json
import mmap
import os
import pkgutil
import resource
import select
import signal
import socket
import sys
import tempfile
from typing import Any

from grader.execution.runner import steps
from grader.sandbox import linux, scratch

WARM = (
    "numpy",
    "numpy.linalg",
    "numpy.random",
    "numpy.testing",
    "matplotlib.figure",
    "ipywidgets",
    "IPython.core.inputtransformer2",
    "grader",
)
"""What notebooks import, loaded once before any child is forked; and all of `playground`."""


RULES = 5
LOOK_SECONDS = 0.05
"""How often a child's files are counted where no file system of its own bounds them: a disk takes few of them in that time."""


def serve(settings: dict[str, Any]) -> None:
    """Start and stop children until the other end of the socket is closed."""
    control = socket.socket(fileno=os.dup(0))
    _warm_up()
    settings["mapped"] = _mapped_bytes()
    if not settings["namespaces"]:
        settings["rules"] = linux.file_rules(
            settings["readable"], settings["hidden"], settings["scratch"]
        )
    control.send(b"ready")
    child, full = 0, False
    while True:
        if child and not settings["namespaces"]:
            full = _overfull_before_word(control, child, settings)
        message, descriptors = _receive(control)
        if message == b"start" and len(descriptors) == 2:
            child = _start(settings, *descriptors)
        elif message == b"stop":
            _stop(child)
            child = 0
            if not settings["namespaces"] and not scratch.empty(settings["scratch"]):
                return  # the next child must not find it: a fresh server gets a fresh folder
            control.send(b"full" if full else b"stopped")
        elif not message:
            return


def _overfull_before_word(control: socket.socket, child: int, settings: dict[str, Any]) -> bool:
    """Wait for the next message; a child that writes too much meanwhile is killed."""
    while not select.select([control], [], [], LOOK_SECONDS)[0]:
        if scratch.too_full(settings["scratch"], child, settings["limits"]["scratch_bytes"]):
            os.kill(child, signal.SIGKILL)
            return True
    return False


def _warm_up() -> None:
    for name in [*WARM, *_plays()]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    list(
        steps({"cells": ["import numpy as np\nx = np.ones(3) @ np.ones(3)\nprint(x)"], "calls": {}})
    )
    gc.collect()
    gc.freeze()


def _plays() -> list[str]:
    found = importlib.util.find_spec("playground")
    places = (found and found.submodule_search_locations) or []
    return [
        f"playground.{module.name}"
        for module in pkgutil.iter_modules(places)
        if module.name != "server"
    ]


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    message, ancillary, _, _ = control.recvmsg(64, socket.CMSG_SPACE(2 * 4))
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    return message, list(descriptors)


def _start(settings: dict[str, Any], request: int, results: int) -> int:
    """Fork a child; returns its process number. With namespaces it is the first process of a fresh one."""
    if settings["namespaces"]:
        linux.new_process_namespace()
    child = os.fork()
    if child == 0:
        _child(settings, request, results)
    if settings["namespaces"]:
        linux.old_process_namespace()
    os.close(request)
    os.close(results)
    return child


def _stop(child: int) -> None:
    if child:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _child(settings: dict[str, Any], request: int, results: int) -> None:
    """Confine this process for good, then run the notebook. Never returns."""
    try:
        os.setsid()
        _keep_only(request, results, *([settings["rules"]] if "rules" in settings else []))
        _confine(settings)
        with os.fdopen(3, "rb") as file:
            asked = json.load(file)
        limit = settings["limits"]["result_bytes"]
        for frame in steps(asked):
            data = json.dumps(frame).encode()
            _send(4, data if len(data) <= limit else json.dumps({"too_large": len(data)}).encode())
    except MemoryError:
        pass
    finally:
        os._exit(0)


def _keep_only(*descriptors: int) -> None:
    """Descriptors 3 and 4 are the two pipes, `RULES` those of Landlock until they hold, 0 to 2 lead nowhere, and nothing else is open."""
    out_of_the_way = [os.dup2(number, 101 + i) for i, number in enumerate(descriptors)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    for place in (0, 1, 2):
        os.dup2(nowhere, place)
    for i, number in enumerate(out_of_the_way):
        os.dup2(number, 3 + i)
    os.closerange(3 + len(descriptors), 1024)


def _confine(settings: dict[str, Any]) -> None:
    limits, folder = settings["limits"], settings["scratch"]
    linux.die_with_parent()
    if settings["namespaces"]:
        linux.own_mounts()
        linux.mount_scratch(folder, limits["scratch_bytes"], scratch.MOST_FILES)
    os.chdir(folder)
    os.environ.update(HOME=folder, TMPDIR=folder, MPLCONFIGDIR=folder)
    tempfile.tempdir = None
    for what, most in (
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_DATA, limits["memory_bytes"]),
        (
            resource.RLIMIT_AS,
            settings["mapped"] + limits["memory_bytes"],
        ),  # counts what others could share and what grows by itself, too
        (resource.RLIMIT_FSIZE, limits["scratch_bytes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (_at_most(most, what),) * 2)
    if not settings["namespaces"]:
        linux.restrict_files(RULES)
    linux.drop_capabilities()
    linux.filter_calls()


def _at_most(most: int, what: int) -> int:
    """A limit, or the lower one that this machine sets already."""
    hard = resource.getrlimit(what)[1]
    return most if hard == resource.RLIM_INFINITY else min(most, hard)


def _mapped_bytes() -> int:
    """Address space of this process, to a MB, found by trying how much more fits under a limit: a sandbox has no /proc that would say it."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    roof = _at_most(1 << 36, resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (roof, before[1]))
    fits, too_much = 0, roof
    while too_much - fits > 1 << 20:
        middle = (fits + too_much) // 2
        try:
            mmap.mmap(
                -1, middle, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ
            ).close()
            fits = middle
        except OSError:
            too_much = middle
    resource.setrlimit(resource.RLIMIT_AS, before)
    return roof - fits


def _send(descriptor: int, data: bytes) -> None:
    view = memoryview(len(data).to_bytes(8, "big") + data)
    while view:
        view = view[os.write(descriptor, view) :]


def main() -> None:
    """See the module."""
    settings = json.loads(sys.argv[1])
    serve(settings)


if __name__ == "__main__":
    main()

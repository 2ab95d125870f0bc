"""Requests to start a child come in on a socket, with two pipe ends; each child runs one notebook, confined. Runs inside the sandbox and knows no answer.

`grader.engine.sandbox` starts `main` with its settings: ``{"scratch": "/scratch", "namespaces": true, "readable": [], "limits": {…}}``.

On standard input, a SOCK_SEQPACKET socket: ``start`` with two descriptors (request, results) forks a child, ``stop`` kills it
and is answered by ``stopped``. A frame on a child's pipe is its length (8 bytes) and JSON.
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib.util
import json
import os
import pkgutil
import resource
import shutil
import signal
import socket
import sys
import tempfile
from typing import Any

from grader.engine import kernel
from grader.execution.runner import steps

WARM = ("numpy", "numpy.linalg", "numpy.random", "numpy.testing", "matplotlib.figure", "ipywidgets", "IPython.core.inputtransformer2", "grader")
"""What notebooks import, loaded once before any child is forked; and all of `playground`."""


def serve(settings: dict[str, Any]) -> None:
    """Start and stop children until the other end of the socket is closed."""
    control = socket.socket(fileno=os.dup(0))
    _warm_up()
    control.send(b"ready")
    child = 0
    while True:
        message, descriptors = _receive(control)
        if message == b"start" and len(descriptors) == 2:
            child = _start(settings, *descriptors)
        elif message == b"stop":
            _stop(child)
            if not settings["namespaces"]:
                _empty(settings["scratch"])
            control.send(b"stopped")
        elif not message:
            return


def _warm_up() -> None:
    for name in [*WARM, *_plays()]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    list(steps({"cells": ["import numpy as np\nx = np.ones(3) @ np.ones(3)\nprint(x)"], "calls": {}}))
    gc.collect()
    gc.freeze()


def _plays() -> list[str]:
    found = importlib.util.find_spec("playground")
    places = (found and found.submodule_search_locations) or []
    return [f"playground.{module.name}" for module in pkgutil.iter_modules(places) if module.name != "server"]


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    message, ancillary, _, _ = control.recvmsg(64, socket.CMSG_SPACE(2 * 4))
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    return message, list(descriptors)


def _start(settings: dict[str, Any], request: int, results: int) -> int:
    """Fork a child; returns its process number. With namespaces it is the first process of a fresh one."""
    if not settings["namespaces"]:
        settings = {**settings, "scratch": tempfile.mkdtemp(dir=settings["scratch"])}
        child = os.fork()
        if child == 0:
            _child(settings, request, results)
        _close(request, results)
        return child
    kernel.new_process_namespace()
    child = os.fork()
    if child == 0:
        _child(settings, request, results)
    kernel.old_process_namespace()
    _close(request, results)
    return child


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _stop(child: int) -> None:
    if child:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _empty(scratch: str) -> None:
    """Remove what a child left behind; its own folder in memory went with it where there are namespaces."""
    for name in os.listdir(scratch):
        shutil.rmtree(os.path.join(scratch, name), ignore_errors=True)


def _child(settings: dict[str, Any], request: int, results: int) -> None:
    """Confine this process for good, then run the notebook. Never returns."""
    try:
        os.setsid()
        _keep_only(request, results)
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


def _keep_only(request: int, results: int) -> None:
    """Descriptors 3 and 4 are the two pipes, 0 to 2 lead nowhere, and nothing else is open."""
    request, results = (os.dup2(number, place) for number, place in ((request, 101), (results, 102)))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for place in (0, 1, 2):
        os.dup2(nowhere, place)
    os.dup2(request, 3)
    os.dup2(results, 4)
    os.closerange(5, 1024)


def _confine(settings: dict[str, Any]) -> None:
    limits, scratch = settings["limits"], settings["scratch"]
    kernel.die_with_parent()
    if settings["namespaces"]:
        kernel.own_mounts()
        kernel.mount_scratch(scratch, limits["scratch_bytes"])
    os.chdir(scratch)
    os.environ.update(HOME=scratch, TMPDIR=scratch, MPLCONFIGDIR=scratch)
    tempfile.tempdir = None
    for what, most in (
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_DATA, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["scratch_bytes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    if not settings["namespaces"]:
        kernel.restrict_files(settings["readable"], scratch)
    kernel.drop_capabilities()
    kernel.filter_calls(signals_to=None if settings["namespaces"] else os.getpid())


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

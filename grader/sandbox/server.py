"""Fork a confined child for each notebook, inside the sandbox and without answers.

The script of `grader.sandbox.launch` starts the server. On its standard input, a SOCK_SEQPACKET
socket, arrive `start`, with descriptors of two pipes (request, results), and `stop`. The reply is
`stopped`, or `full` if the child was killed because it wrote too many files. A child reads its
request as JSON and sends frames: 8 bytes for the length, then JSON.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import mmap
import os
import pkgutil
import resource
import select
import signal
import socket
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec

from grader.comparison.schema import Request
from grader.execution.runner import steps
from grader.sandbox import linux, scratch

WARM = (
    *("numpy", "numpy.linalg", "numpy.random", "numpy.testing", "matplotlib.figure"),
    *("ipywidgets", "IPython.core.inputtransformer2"),
)
"""Modules that notebooks use, imported once before any child is forked."""

REQUEST, RESULTS, RULES = 3, 4, 5
"""A child's descriptors; the last one, of Landlock's rules, is closed before a cell runs."""


class Server:
    """Starts and stops children, one at a time."""

    def __init__(self, confinement: linux.Confinement, packages: Sequence[str]) -> None:
        """Import the packages' modules and prepare the bounds of all children."""
        self.control = socket.socket(fileno=os.dup(0))
        _warm_up(packages)
        self.confinement, self.limits = confinement, confinement.limits
        self.mapped = _mapped_bytes()
        self.rules = [] if confinement.namespaces else [linux.file_rules(confinement)]

    def serve(self) -> None:
        """Obey messages until the other end of the socket is closed."""
        namespaces, folder = self.confinement.namespaces, self.confinement.scratch
        self.control.send(b"ready")
        child, full = 0, False
        while True:
            if child and not namespaces:
                full = self._killed_for_files(child)
            message, descriptors, _, _ = socket.recv_fds(self.control, 64, 2)
            if message == b"start" and len(descriptors) == 2:
                child = self._start(*descriptors)
                continue
            if child:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            child = 0
            # A grader that was killed leaves no files; a server that can't remove them ends.
            if not (namespaces or scratch.empty(folder)) or not message:
                return
            self.control.send(b"full" if full else b"stopped")

    def _killed_for_files(self, child: int) -> bool:
        """Wait for the next message; return whether the child was killed before, for its files."""
        while not select.select([self.control], [], [], 0.05)[0]:  # a disk takes few bytes in it
            if scratch.too_full(self.confinement.scratch, child, self.limits.scratch_bytes):
                os.kill(child, signal.SIGKILL)
                return True
        return False

    def _start(self, request: int, results: int) -> int:
        """Fork a child and return its process id."""
        namespaces = self.confinement.namespaces
        with linux.new_process_namespace() if namespaces else contextlib.nullcontext():
            child = os.fork()
            if child == 0:
                self._run_child(request, results)
        os.close(request)
        os.close(results)
        return child

    def _run_child(self, request: int, results: int) -> None:
        """Confine this process for good, then run the notebook; never return."""
        try:
            os.setsid()
            _keep_only(request, results, *self.rules)
            self._confine()
            with os.fdopen(REQUEST, "rb") as file:
                asked: Request = json.load(file)
            results_file = os.fdopen(RESULTS, "wb")
            for frame in steps(asked):
                data = json.dumps(frame).encode()
                if len(data) > self.limits.result_bytes:
                    data = json.dumps({"too_large": len(data)}).encode()
                results_file.write(len(data).to_bytes(8, "big") + data)
                results_file.flush()
        except MemoryError:
            pass
        finally:
            os._exit(0)

    def _confine(self) -> None:
        limits, folder = self.limits, self.confinement.scratch
        linux.die_with_parent()
        if self.confinement.namespaces:
            linux.mount_scratch(folder, limits.scratch_bytes, scratch.MAX_FILES)
        os.chdir(folder)
        os.environ.update(HOME=folder, TMPDIR=folder, MPLCONFIGDIR=folder)
        tempfile.tempdir = None
        for kind, limit in (
            (resource.RLIMIT_CPU, limits.cpu_seconds),
            (resource.RLIMIT_DATA, limits.memory_bytes),
            # includes shared memory and a growing stack
            (resource.RLIMIT_AS, self.mapped + limits.memory_bytes),
            (resource.RLIMIT_FSIZE, limits.scratch_bytes),
            (resource.RLIMIT_NOFILE, limits.open_files),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(kind, (_at_most(limit, kind),) * 2)
        linux.confine(range(RULES, RULES + len(self.rules)))


def _warm_up(packages: Sequence[str]) -> None:
    modules = [
        f"{package}.{module.name}"
        for package in packages
        if (spec := find_spec(package))
        for module in pkgutil.iter_modules(spec.submodule_search_locations)
    ]
    for name in (*WARM, *modules):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    cell = "import numpy as np\nx = np.ones(3) @ np.ones(3)\nprint(x)"
    list(steps({"cells": [cell], "calls": {}}))
    gc.collect()
    gc.freeze()


def _keep_only(*descriptors: int) -> None:
    """Renumber these from `REQUEST` on, connect 0 to 2 with nothing, and close all others."""
    copies = [os.dup2(number, 101 + i) for i, number in enumerate(descriptors)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    for i, number in enumerate(copies):
        os.dup2(number, REQUEST + i)
    os.closerange(REQUEST + len(descriptors), 1024)


def _at_most(limit: int, kind: int) -> int:
    """Return a limit, or this machine's own if that is lower."""
    hard = resource.getrlimit(kind)[1]
    return limit if hard == resource.RLIM_INFINITY else min(limit, hard)


def _mapped_bytes() -> int:
    """Return this process's address space to 1 MB, by what still fits below a limit: no /proc."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    limit, free = _at_most(1 << 36, resource.RLIMIT_AS), 0
    resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    for size in (1 << bit for bit in range(36, 19, -1)):
        with contextlib.suppress(OSError):
            mmap.mmap(-1, free + size, flags=private, prot=mmap.PROT_READ).close()
            free += size
    resource.setrlimit(resource.RLIMIT_AS, before)
    return limit - free

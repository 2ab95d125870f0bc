"""Run a learner's cells in child processes on this machine, without a sandbox.

For one's own notebooks only. A cell or an exercise that takes too long, or ends its process, costs only itself.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from grader.comparison.schema import Request, Response
from grader.execution.attempt import Attempt
from grader.execution.limits import Limits
from grader.execution.protocol import parsed

PATIENCE = 0.2
"""Seconds between two looks at whether a run is still wanted."""

POSIX = os.name == "posix"


class Cancelled(Exception):
    """Nobody waits for the results any more."""


class Unconfined:
    """Runs a learner's cells in a process of their own and nothing more.

    Args:
        seconds: that one cell, and all calls of one exercise, may take.
        folder: where they run; an empty one where none is given.
        wanted: asked every now and then; once it says no, the run is given up.
    """

    def __init__(
        self,
        seconds: float = 60,
        folder: Path | None = None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.limits = Limits(
            cell_seconds=seconds, exercise_seconds=seconds, total_seconds=max(60, 3 * seconds)
        )
        self._folder, self._wanted = folder, wanted

    def run(self, request: Request) -> Response:
        """The response to a request, in the form of `grader.execution.runner`.

        Raises:
            Cancelled: `wanted` said no before the end.
        """
        attempt = Attempt(request, self.limits, shuffled=False)
        for _ in range(self.limits.starts):
            if attempt.complete or time.monotonic() > attempt.deadline:
                break
            with _folder(self._folder) as folder:
                self._run_child(attempt, folder)
        return attempt.response()

    def _run_child(self, attempt: Attempt, folder: str) -> None:
        attempt.begin()
        with _child(attempt.request(), folder) as lines:
            while (left := attempt.left()) > 0:
                if not self._wanted():
                    raise Cancelled
                with contextlib.suppress(queue.Empty):
                    if (line := lines.get(timeout=min(left, PATIENCE))) is None:
                        break
                    attempt.take(_read(line))
                if attempt.complete:
                    return
        attempt.end(time.monotonic())


@contextlib.contextmanager
def _child(request: bytes, folder: str) -> Iterator[queue.SimpleQueue[bytes | None]]:
    """The lines that a child writes about a request, None at its end; it is stopped with the block, whatever it does."""
    child = subprocess.Popen(
        [sys.executable, "-m", "grader.execution.runner"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={**os.environ, "MPLBACKEND": "agg"},
        start_new_session=POSIX,  # Ctrl-C is for the one who watches
    )
    assert child.stdin is not None
    assert child.stdout is not None
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read_all, args=(child.stdout, lines), daemon=True)
    reader.start()
    try:
        with contextlib.suppress(OSError):
            child.stdin.write(request + b"\n")
            child.stdin.flush()
        yield lines
    finally:
        _stop(child)
        reader.join(timeout=1)
        for pipe in (child.stdin, child.stdout):
            with contextlib.suppress(OSError):
                pipe.close()


def _read_all(pipe: IO[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in pipe:
            lines.put(line)
    lines.put(None)


def _stop(child: subprocess.Popen[bytes]) -> None:
    """End a child and, where the system knows such a thing, all that it started."""
    with contextlib.suppress(OSError):
        if POSIX:
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()


@contextlib.contextmanager
def _folder(given: Path | None) -> Iterator[str]:
    if given is not None:
        yield str(given)
        return
    with tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True) as folder:
        yield folder


def _read(line: bytes) -> Any:
    try:
        return parsed(line)
    except (ValueError, RecursionError):
        return None

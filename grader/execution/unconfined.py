"""Run the user's own notebook in child processes, without a sandbox.

A cell or an exercise that takes too long or ends its process loses only its own result.
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
from typing import IO

from grader.comparison.schema import Request, Response
from grader.execution.limits import Limits
from grader.execution.protocol import frame_of
from grader.execution.request_state import RequestState

PATIENCE = 0.2  # seconds between two questions whether a run is still wanted
POSIX = os.name == "posix"


class Cancelled(Exception):
    """The results are no longer wanted."""


class Unconfined:
    """Runs requests in child processes.

    Args:
        seconds: limit for one cell, and for all calls of one exercise.
        folder: working directory of the cells; None means a new, empty one.
        wanted: called regularly; once it returns False, the run is cancelled.
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
        """Return the response to a request; raise `Cancelled` once `wanted` returns False."""
        state = RequestState(request, self.limits)
        for _ in range(self.limits.starts):
            if state.complete or time.monotonic() > state.deadline:
                break
            if self._folder:
                self._run_child(state, str(self._folder))
                continue
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                self._run_child(state, folder)
        return state.response()

    def _run_child(self, state: RequestState, folder: str) -> None:
        state.begin()
        with _child(state.request(), folder) as lines:
            while not state.complete and (left := state.left()) > 0:
                if not self._wanted():
                    raise Cancelled
                with contextlib.suppress(queue.Empty, ValueError, RecursionError):
                    if (line := lines.get(timeout=min(left, PATIENCE))) is None:
                        break
                    state.take(frame_of(line))
        state.end(time.monotonic())


@contextlib.contextmanager
def _child(request: bytes, folder: str) -> Iterator[queue.SimpleQueue[bytes | None]]:
    """Start a child, yield its lines as a queue (None at the end), and kill it after the block."""
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "grader.execution.runner"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={**os.environ, "MPLBACKEND": "agg"},
        start_new_session=POSIX,  # Ctrl-C ends the command, not the child
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
    """Kill a child and, on POSIX, all processes that it started."""
    with contextlib.suppress(OSError):
        if POSIX:
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()

"""Run a learner's cells in the sandbox and return the outcome of each call.

- `grader.sandbox.launch` starts a confined and warm fork server; `Engine` restarts a lost one.
- `grader.sandbox.server` forks a child that runs the notebook.
- JSON frames cross the child's two pipes; `RequestState` keeps what they say and what is missing.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Any

from grader.comparison.schema import Request, Response
from grader.errors import SandboxUnavailable
from grader.execution.limits import Limits
from grader.execution.protocol import frame_of
from grader.execution.request_state import RequestState
from grader.processes import OverBudget
from grader.sandbox.launch import Protection, command, protection
from grader.sandbox.scratch import remove
from grader.sandbox.stage import make_stage
from grader.settings import Settings

START_SECONDS = 60
LIMITS = Limits()
REFUSAL = (
    "This machine can't confine learners' code: it has neither Landlock nor a bubblewrap that may"
    " create namespaces. On Linux, install bubblewrap; elsewhere, grade in a Linux container or"
    " virtual machine that allows it. `grader grade --unsafe` runs your own notebooks unconfined."
)


class Engine:
    """Runs learners' notebooks, one at a time; several engines may run side by side.

    Raises:
        SandboxUnavailable: this machine gives no protection.
    """

    def __init__(
        self, settings: Settings | None, limits: Limits = LIMITS, kind: Protection | None = None
    ) -> None:
        """Take the settings of the course whose packages notebooks may import, None for none."""
        self.settings, self.limits, self.kind = settings, limits, kind or protection()
        if self.kind is Protection.NONE:
            raise SandboxUnavailable(REFUSAL)
        self._stage: Path | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def __enter__(self) -> Engine:
        self._stage = make_stage(self.settings)
        try:
            self._start_server()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server and remove its files."""
        self._stop_server()
        if self._stage is not None:
            remove(str(self._stage))
            self._stage = None

    def run(self, request: Request, most: float = 0) -> Response:
        """Return the response to a request; never raise for anything that a learner's code does.

        But with `most` seconds, raise OverBudget when they have passed.

        A crash, a hang or a flood costs only its cell or exercise, which gets a sentence. A new
        child does the rest, within `Limits.starts` and `Limits.total_seconds`. The first loss of
        a child together with its server costs nothing.
        """
        seconds = most or self.limits.total_seconds
        state = RequestState(request, replace(self.limits, total_seconds=seconds))
        for _ in range(self.limits.starts):
            if state.complete or time.monotonic() > state.deadline:
                break
            self._run_child(state)
        if most and time.monotonic() > state.deadline:
            raise OverBudget(f"it ran for more than {most:g} seconds")
        response = state.response()
        for answer in response["answers"].values():
            for outcome in answer.get("outcomes", ()):
                if reason := self.limits.reason(outcome):
                    outcome["message"] = f"{outcome['message'].rstrip('. ')}. {reason}"
        return response

    def _run_child(self, state: RequestState) -> None:
        with _pipe() as (request, to_child), _pipe() as (from_child, results):
            self._start_child(request, results)
            request.close()
            results.close()
            try:
                state.begin()
                for frame in _frames(to_child, from_child, state):
                    state.take(frame)
                    if state.complete:
                        break
            finally:
                ended = time.monotonic()
                reply = self._stop_child()
                full = self.limits.files if reply == b"full" else None
                state.end(ended, innocent=reply is None, why=full)

    def _start_child(self, request: FileIO, results: FileIO) -> None:
        """Let the server fork a child with these ends of its pipes; restart a lost server once."""
        for _ in range(2):
            if self._control is None:
                self._start_server()
            assert self._control is not None
            try:
                socket.send_fds(self._control, [b"start"], [request.fileno(), results.fileno()])
                return
            except OSError:
                self._stop_server()
        why = "stops right after its start. Check this machine's free memory, then try again."
        raise SandboxUnavailable(f"The sandbox ({self.kind.value}) {why}")

    def _stop_child(self) -> bytes | None:
        """Return the server's reply; None if there is none: the next child gets a new server."""
        assert self._control is not None
        assert self._server is not None
        with contextlib.suppress(OSError):
            self._control.send(b"stop")
            if (reply := self._control.recv(64)) and self._server.poll() is None:
                return reply
        self._stop_server()
        return None

    def _start_server(self) -> None:
        assert self._stage is not None, "use the engine in a with block"
        failed = f"The sandbox ({self.kind.value}) did not start"
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(START_SECONDS)
        with theirs:
            try:
                packages = self.settings.packages if self.settings else ()
                words, env = command(self.kind, self._stage, packages, self.limits)
                outputs: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
                self._server = subprocess.Popen(
                    words,
                    stdin=theirs.fileno(),
                    **outputs,
                    env=env,
                    cwd="/",
                    start_new_session=True,
                )
            except OSError as error:
                self._stop_server()
                raise SandboxUnavailable(f"{failed}: {error}. Fix that, then try again.") from error
        with contextlib.suppress(OSError):
            if self._control.recv(64) == b"ready":
                return
        errors, ended = self._server.stderr, self._server.poll() is not None
        why = errors.read() if errors and ended else b""
        self._stop_server()
        reason = why.decode(errors="replace").strip()[-500:] or "no reply"
        raise SandboxUnavailable(f"{failed}: {reason}")

    def _stop_server(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._server is not None:
            with self._server:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._server.wait(2)
                self._server.kill()
            self._server = None


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[FileIO, FileIO]]:
    """Yield the two ends of a pipe, for reading and for writing.

    Each is a file object because a second close of a bare descriptor could hit another thread's.
    """
    read, write = os.pipe()
    with open(read, "rb", buffering=0) as reader, open(write, "wb", buffering=0) as writer:
        yield reader, writer


def _frames(to_child: FileIO, from_child: FileIO, state: RequestState) -> Iterator[Any]:
    """Send the request and yield the child's frames, until it ends, is too slow or sends junk."""
    for end in (to_child, from_child):
        os.set_blocking(end.fileno(), False)
    to_send = memoryview(state.request())
    received = bytearray()
    while (left := state.left()) > 0:
        readable, writable, _ = select.select([from_child], [to_child] if to_send else [], [], left)
        if writable:
            try:
                to_send = to_send[to_child.write(to_send) or 0 :]
            except OSError:
                return
            if not to_send:
                to_child.close()
        if not readable:
            continue
        data = from_child.read(1 << 20)
        if not data:
            return
        received += data
        while len(received) >= 8:
            size = int.from_bytes(received[:8], "big")
            if size > state.limits.result_bytes + 1024:
                state.flood()
                return
            if len(received) < 8 + size:
                break
            frame = bytes(received[8 : 8 + size])
            del received[: 8 + size]
            try:
                yield frame_of(frame)
            except (ValueError, RecursionError):
                return

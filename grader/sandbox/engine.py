"""Run a learner's cells in the sandbox and return the outcome of each call.

One fork server, warm and confined, forks a child for each notebook; only plain data crosses the pipes between here and there.
"""

from __future__ import annotations

import array
import contextlib
import os
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

from grader.comparison.schema import Request, Response
from grader.errors import SandboxUnavailable
from grader.execution.attempt import Attempt
from grader.execution.limits import Limits
from grader.execution.protocol import parsed
from grader.sandbox.launch import Protection, command, make_stage, protection, refusal
from grader.sandbox.scratch import remove

START_SECONDS = 60


class Engine:
    """Runs learners' notebooks, one at a time; many engines may run side by side.

    Raises:
        SandboxUnavailable: this machine gives no protection. The sentence says what to do.
    """

    def __init__(self, limits: Limits | None = None, kind: Protection | None = None) -> None:
        self.limits = limits or Limits()
        self.kind = kind or protection()
        if self.kind is Protection.NONE:
            raise refusal()
        self._stage: Path | None = None
        self._lock = -1
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def __enter__(self) -> Engine:
        self._stage, self._lock = make_stage()
        try:
            self._start_server()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server and remove what it was given."""
        self._stop_server()
        if self._stage is not None:
            remove(str(self._stage))
            os.close(self._lock)
            self._stage = None

    def run(self, request: Request) -> Response:
        """The response to a request, in the form of `grader.execution.runner`; never raises for anything that a learner's code does.

        Calls reach the child in an order of their own for each notebook. What was lost to a crash, a hang or a flood is a
        ``{"limit": sentence}``; a fresh child does what is left, within `Limits.starts` and `Limits.total_seconds`. A child that
        went down with its server is no learner's fault: the first time, it costs nothing.
        """
        attempt = Attempt(request, self.limits)
        for _ in range(self.limits.starts):
            if attempt.complete or time.monotonic() > attempt.deadline:
                break
            self._run_child(attempt)
        return self._with_reasons(attempt.response())

    def _with_reasons(self, response: Response) -> Response:
        """The response, with the limit named that an exception speaks of."""
        for outcome in (
            one for answer in response["answers"].values() for one in answer.get("outcomes", ())
        ):
            if reason := self.limits.reason(outcome):
                outcome["message"] = f"{outcome['message'].rstrip('. ')}. {reason}"
        return response

    def _run_child(self, attempt: Attempt) -> None:
        with _pipe() as (request, to_child), _pipe() as (from_child, results):
            self._start_child(request, results)
            try:
                attempt.begin()
                for frame in _frames(to_child, from_child, attempt):
                    attempt.take(frame)
                    if attempt.complete:
                        break
            finally:
                ended = time.monotonic()
                answer = self._stop_child()
                attempt.end(
                    ended,
                    innocent=answer is None,
                    why=self.limits.files if answer == b"full" else None,
                )

    def _start_child(self, request: FileIO, results: FileIO) -> None:
        """Hand a child its ends of the pipes; a server that was lost meanwhile is started again.

        Raises:
            SandboxUnavailable: it can't be. The next notebook tries again.
        """
        rights = [
            (
                socket.SOL_SOCKET,
                socket.SCM_RIGHTS,
                array.array("i", [request.fileno(), results.fileno()]),
            )
        ]
        for _ in range(2):
            if self._control is None:
                self._start_server()
            assert self._control is not None
            try:
                self._control.sendmsg([b"start"], rights)
            except OSError:
                self._stop_server()
                continue
            request.close()
            results.close()
            return
        raise SandboxUnavailable(
            f"The sandbox ({self.kind.value}) ends as soon as it has started: see whether this machine has memory left, then try again."
        )

    def _stop_child(self) -> bytes | None:
        """What the server says to it; None if it does not answer any more: the next child gets a new server."""
        assert self._control is not None
        assert self._server is not None
        with contextlib.suppress(OSError):
            self._control.send(b"stop")
            if (answer := self._control.recv(64)) and self._server.poll() is None:
                return answer
        self._stop_server()
        return None

    def _start_server(self) -> None:
        assert self._stage is not None, "use the engine in a with block"
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            words, environment = command(self.kind, self._stage, self.limits)
            self._server = subprocess.Popen(
                words,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise SandboxUnavailable(
                f"The sandbox ({self.kind.value}) did not start: {error}. Mend that, then try again."
            ) from error
        finally:
            theirs.close()
        ours.settimeout(START_SECONDS)
        self._control = ours
        with contextlib.suppress(OSError):
            if ours.recv(64) == b"ready":
                return
        said = b""
        if self._server.poll() is not None and self._server.stderr:
            said = self._server.stderr.read()
        self._stop_server()
        raise SandboxUnavailable(
            f"The sandbox ({self.kind.value}) did not start: {said.decode(errors='replace').strip()[-500:] or 'it gave no answer'}"
        )

    def _stop_server(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._server is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._server.wait(2)
            self._server.kill()
            self._server.wait()
            if self._server.stderr:
                self._server.stderr.close()
            self._server = None


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[FileIO, FileIO]]:
    """The ends of a pipe, to read and to write. Each is closed once: its number may be another thread's by then."""
    read, write = os.pipe()
    with open(read, "rb", buffering=0) as reader, open(write, "wb", buffering=0) as writer:
        yield reader, writer


def _frames(to_child: FileIO, from_child: FileIO, attempt: Attempt) -> Iterator[Any]:
    """Send the request and yield the frames that come back, until the pipe is closed, time is up, or a frame is no frame."""
    for end in (to_child, from_child):
        os.set_blocking(end.fileno(), False)
    to_send = memoryview(attempt.request())
    received = bytearray()
    while (left := attempt.left()) > 0:
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
            if size > attempt.limits.result_bytes + 1024:
                attempt.flood()
                return
            if len(received) < 8 + size:
                break
            frame = bytes(received[8 : 8 + size])
            del received[: 8 + size]
            try:
                yield parsed(frame)
            except (ValueError, RecursionError):
                return

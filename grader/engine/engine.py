"""A learner's cells and the calls to make come in; what each call did goes out, however hostile the cells are.

One fork server, warm and confined, forks a child for each notebook; only plain data crosses the pipes between here and there.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.engine.refused import EngineRefused
from grader.engine.sandbox import Protection, command, make_stage, protection, refusal
from grader.execution.attempt import Attempt, Request, Response
from grader.execution.limits import Limits

START_SECONDS = 60


class Engine:
    """Runs learners' notebooks, one at a time; many engines may run side by side.

    Raises:
        EngineRefused: this machine gives no protection. The sentence says what to do.
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
            shutil.rmtree(self._stage, ignore_errors=True)
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
        outcomes = (answer["outcomes"] for answer in response["answers"].values() if isinstance(answer, dict) and isinstance(answer.get("outcomes"), list))
        for outcome in (one for each in outcomes for one in each if isinstance(one, dict)):
            if reason := self.limits.reason(outcome):
                outcome["message"] = f"{str(outcome.get('message'))[:300].rstrip('. ')}. {reason}"
        return response

    def _run_child(self, attempt: Attempt) -> None:
        (request_read, request_write), (results_read, results_write) = os.pipe(), os.pipe()
        try:
            self._start_child(request_read, results_write)
            os.close(request_read)
            os.close(results_write)
            attempt.begin()
            for frame in _frames(request_write, results_read, attempt):
                attempt.take(frame)
                if attempt.complete:
                    break
        finally:
            for descriptor in (request_write, results_read):
                with contextlib.suppress(OSError):
                    os.close(descriptor)
            ended = time.monotonic()
            attempt.end(ended, innocent=not self._stop_child())

    def _start_child(self, request: int, results: int) -> None:
        for attempt in (1, 2):
            try:
                assert self._control is not None, "use the engine in a with block"
                rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [request, results]))]
                self._control.sendmsg([b"start"], rights)
                return
            except OSError:
                if attempt == 2:
                    raise
                self._start_server()

    def _stop_child(self) -> bool:
        """Whether the server could do it; one that does not answer any more is replaced."""
        if self._control is None or self._server is None:  # it could not be started
            return False
        with contextlib.suppress(OSError):
            self._control.send(b"stop")
            if self._control.recv(64) == b"stopped" and self._server.poll() is None:
                return True
        self._start_server()
        return False

    def _start_server(self) -> None:
        self._stop_server()
        assert self._stage is not None
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words, environment = command(self.kind, self._stage, self.limits)
        self._server = subprocess.Popen(
            words, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, cwd="/", start_new_session=True
        )
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
        raise EngineRefused(f"The sandbox ({self.kind.value}) did not start: {said.decode(errors='replace').strip()[-500:] or 'it gave no answer'}")

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


def _frames(write: int, read: int, attempt: Attempt) -> Iterator[Any]:
    """Send the request and yield the frames that come back, until the pipe is closed, time is up, or a frame is no frame."""
    for descriptor in (write, read):
        os.set_blocking(descriptor, False)
    to_send = memoryview(attempt.request())
    received = bytearray()
    while (left := attempt.until - time.monotonic()) > 0:
        readable, writable, _ = select.select([read], [write] if to_send else [], [], left)
        if writable:
            try:
                to_send = to_send[os.write(write, to_send) :]
            except BlockingIOError:
                continue
            except OSError:
                return
            if not to_send:
                os.close(write)
        if not readable:
            continue
        data = os.read(read, 1 << 20)
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
                yield json.loads(frame)
            except (ValueError, RecursionError):
                return

"""A learner's cells and the calls to make come in; what each call did goes out, however hostile the cells are.

One fork server, warm and confined, forks a child for each notebook; only plain data crosses the pipes between here and there.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import random
import select
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.engine.limits import Limits, ended, too_large, too_slow
from grader.engine.refused import EngineRefused
from grader.engine.sandbox import Protection, command, make_stage, protection, refusal

__all__ = ["Engine", "EngineRefused", "Limits", "Protection", "protection"]

Request = dict[str, Any]
Response = dict[str, Any]

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
        """The response to a request, in the form of `grader.runner`; never raises for anything that a learner's code does.

        Calls reach the child in an order of their own for each notebook. What was lost to a crash, a hang or a flood is a
        ``{"limit": sentence}``; a fresh child does what is left, within `Limits.starts` and `Limits.total_seconds`.
        """
        progress = _Progress(request, self.limits)
        for _ in range(self.limits.starts):
            if progress.complete or time.monotonic() > progress.deadline:
                break
            self._run_child(progress)
        return progress.response()

    def _run_child(self, progress: _Progress) -> None:
        (request_read, request_write), (results_read, results_write) = os.pipe(), os.pipe()
        try:
            self._start_child(request_read, results_write)
            os.close(request_read)
            os.close(results_write)
            progress.begin()
            for frame in _frames(request_write, results_read, progress):
                progress.take(frame)
                if progress.complete:
                    break
            progress.end()
        finally:
            for descriptor in (request_write, results_read):
                with contextlib.suppress(OSError):
                    os.close(descriptor)
            self._stop_child()

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

    def _stop_child(self) -> None:
        try:
            assert self._control is not None
            self._control.send(b"stop")
            if self._control.recv(64) == b"stopped":
                return
        except OSError:
            pass
        self._start_server()  # it does not answer any more: take a new one

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


class _Progress:
    """What is known of one notebook: which cells are given up, which exercises are answered, and what the child does now."""

    def __init__(self, request: Request, limits: Limits) -> None:
        self.limits = limits
        self.deadline = time.monotonic() + limits.total_seconds
        self.cells: list[str | None] = list(request["cells"])
        self.errors: list[str | None] = [None] * len(self.cells)
        self.calls: dict[str, list[Any]] = request["calls"]
        self.answers: dict[str, Any] = {}
        self.order = {name: random.sample(range(len(calls)), len(calls)) for name, calls in self.calls.items()}
        self.doing: tuple[str, Any] = ("start", None)
        self.until = self.deadline

    @property
    def complete(self) -> bool:
        return all(name in self.answers for name in self.calls)

    def request(self) -> bytes:
        """What the next child is asked: a cell that was given up is empty, and answered exercises are left out."""
        calls = {name: [self.calls[name][i] for i in self.order[name]] for name in self.calls if name not in self.answers}
        return json.dumps({"cells": [cell or "" for cell in self.cells], "calls": calls}).encode()

    def begin(self) -> None:
        self._do("start", None, self.limits.cell_seconds)

    def take(self, frame: Any) -> None:
        """Note a frame; one that makes no sense is as good as none."""
        if not isinstance(frame, dict):
            return
        kind, what = self.doing
        if isinstance(cell := frame.get("cell"), int) and 0 <= cell < len(self.cells):
            self._do("cell", cell, self.limits.cell_seconds)
        elif "error" in frame and kind == "cell":
            if self.cells[what] is not None:
                self.errors[what] = None if frame["error"] is None else str(frame["error"])[:300]
            self._do("start", None, self.limits.cell_seconds)
        elif (name := frame.get("exercise")) in self.calls:
            self._do("exercise", name, self.limits.exercise_seconds)
        elif kind == "exercise" and "answer" in frame:
            self.answers.setdefault(what, self._in_order(what, frame["answer"]))
            self._do("start", None, self.limits.cell_seconds)
        elif kind == "exercise" and "too_large" in frame:
            self._give_up(too_large(str(what), self.limits.result_bytes))

    def end(self) -> None:
        """The child is over, done or not: what it did last is given up if that was not finished."""
        if self.complete:
            return
        kind, what = self.doing
        slow = time.monotonic() >= self.until
        seconds = self.limits.exercise_seconds if kind == "exercise" else self.limits.cell_seconds
        name = what if kind == "exercise" else f"Cell {what + 1}" if kind == "cell" else "The notebook"
        self._give_up(too_slow(str(name), seconds) if slow else ended(str(name)))

    def flood(self) -> None:
        """A frame larger than allowed is on its way."""
        if self.doing[0] == "exercise":
            self._give_up(too_large(str(self.doing[1]), self.limits.result_bytes))

    def response(self) -> Response:
        late = too_slow("The notebook", self.limits.total_seconds) if time.monotonic() > self.deadline else ended("The notebook, again and again,")
        return {"answers": {name: self.answers.get(name, {"limit": late}) for name in self.calls}, "errors": self.errors}

    def _do(self, kind: str, what: Any, seconds: float) -> None:
        self.doing = kind, what
        self.until = min(self.deadline, time.monotonic() + seconds)

    def _give_up(self, sentence: str) -> None:
        kind, what = self.doing
        if kind == "exercise":
            self.answers.setdefault(what, {"limit": sentence})
        elif kind == "cell":
            self.cells[what], self.errors[what] = None, sentence

    def _in_order(self, name: str, answer: Any) -> Any:
        """An answer with its outcomes in the order in which the calls were given, and with the limit named that an exception speaks of."""
        outcomes = answer.get("outcomes") if isinstance(answer, dict) else None
        if not isinstance(outcomes, list) or len(outcomes) != len(self.order[name]):
            return answer
        sorted_outcomes: list[Any] = [None] * len(outcomes)
        for place, outcome in zip(self.order[name], outcomes, strict=True):
            sorted_outcomes[place] = outcome
            if isinstance(outcome, dict) and (reason := self.limits.reason(outcome)):
                outcome["message"] = f"{str(outcome.get('message'))[:300].rstrip('. ')}. {reason}"
        return {**answer, "outcomes": sorted_outcomes}


def _frames(write: int, read: int, progress: _Progress) -> Iterator[Any]:
    """Send the request and yield the frames that come back, until the pipe is closed, time is up, or a frame is no frame."""
    for descriptor in (write, read):
        os.set_blocking(descriptor, False)
    to_send = memoryview(progress.request())
    received = bytearray()
    while (left := progress.until - time.monotonic()) > 0:
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
            if size > progress.limits.result_bytes + 1024:
                progress.flood()
                return
            if len(received) < 8 + size:
                break
            frame = bytes(received[8 : 8 + size])
            del received[: 8 + size]
            try:
                yield json.loads(frame)
            except (ValueError, RecursionError):
                return

"""Ask child processes for outcomes until each exercise is answered or given up.

A step that takes too long or ends its child is given up with a sentence, and the next child is
asked for the rest.
"""

from __future__ import annotations

import json
import random
import time
from typing import Any

from grader.comparison.schema import Answer, Call, Request, Response
from grader.execution.limits import Limits, ended, too_large, too_slow, unreadable
from grader.execution.protocol import answer_of, text_of

STANDSTILL = 1.0  # seconds that the grader may be late; after more, it was suspended


class RequestState:
    """The answers to a request so far, and the state of its notebook.

    With an ``order_seed`` in the request, the calls of an exercise are shuffled: always alike for
    the same notebook and seed, and independently for any other.

    `doing` is the current step: a cell's number, an exercise's name, or None between two steps.
    """

    def __init__(self, request: Request, limits: Limits) -> None:
        self.limits = limits
        self.deadline = time.monotonic() + limits.total_seconds
        self.cells = list(request["cells"])
        self.asked = request.get("asked", {})
        self.stopped: list[int] = []
        self.errors: list[str | None] = [None] * len(self.cells)
        self.calls: dict[str, list[Call]] = request["calls"]
        self.answers: dict[str, Answer] = {}
        self.order = {name: [*range(len(calls))] for name, calls in self.calls.items()}
        if "order_seed" in request:
            generator = random.Random(f"{request['order_seed']} {request['cells']}")
            for order in self.order.values():
                generator.shuffle(order)
        self.seconds: dict[str, float] = {}
        self.doing: int | str | None = None
        self.until = self._due = self.deadline
        self._since = 0.0
        self.forgiven = False

    @property
    def complete(self) -> bool:
        """Whether every exercise is answered or given up."""
        return all(name in self.answers for name in self.calls)

    def left(self) -> float:
        """Return the seconds left for the current step; call again when they have passed.

        If that call is late, the grader itself was suspended (Ctrl-Z; a machine out of memory) and
        results may be waiting: the step gets its time again, and the notebook that much more.
        """
        now = time.monotonic()
        if (late := now - self._due) > STANDSTILL:
            self.deadline += late
            self._do(self.doing)
        self._due = self.until
        return self.until - now

    def request(self) -> bytes:
        """Return the request for the next child, without cells and exercises that are done."""
        calls = {
            name: [self.calls[name][i] for i in order]
            for name, order in self.order.items()
            if name not in self.answers
        }
        request: Request = {"cells": self.cells, "calls": calls, "asked": self.asked}
        return json.dumps({**request, "stopped": self.stopped}).encode()

    def begin(self) -> None:
        """Note that a child was started."""
        self._do(None)
        self._due = self.until

    def take(self, frame: Any) -> None:
        """Note a child's frame; a frame without meaning is ignored."""
        doing = self.doing
        match frame:
            case {"cell": int(cell)} if 0 <= cell < len(self.cells):
                self._do(cell)
            case {"error": error} if isinstance(doing, int):
                if isinstance(error, str) and self.errors[doing] is None:
                    self.errors[doing] = text_of(error)
                self._do(None)
            case {"postponed": str(name)} if name == doing:
                self._do(None)
            case {"exercise": str(name)} if name in self.calls:
                self._do(name)
            case {"answer": data} if isinstance(doing, str):
                self.seconds[doing] = time.monotonic() - self._since
                self.answers.setdefault(doing, self._answer(doing, data))
                self._do(None)
            case {"too_large": _}:
                self.flood()

    def end(self, at: float, innocent: bool = False, why: str | None = None) -> None:
        """Give up the step that a child left unfinished; the first `innocent` end costs nothing."""
        if self.complete:
            return
        if innocent and not self.forgiven:
            self.forgiven = True
            return
        name = f"Cell {self.doing + 1}" if isinstance(self.doing, int) else str(self.doing)
        slow = at >= self.until
        self._give_up(why or (too_slow(name, self._seconds()) if slow else ended(name)))

    def flood(self) -> None:
        """Give up an exercise whose answer is larger than allowed."""
        if isinstance(self.doing, str):
            self._give_up(too_large(self.doing, self.limits.result_bytes))

    def response(self) -> Response:
        """Return the answers; exercises without one get the reason."""
        why = ended("The notebook, again and again,")
        if time.monotonic() > self.deadline:
            why = too_slow("The notebook", self.limits.total_seconds)
        answers = {name: self.answers.get(name, {"limit": why}) for name in self.calls}
        return {"answers": answers, "errors": self.errors, "seconds": self.seconds}

    def _do(self, step: int | str | None) -> None:
        self.doing = step
        self._since = time.monotonic()
        self.until = min(self.deadline, self._since + self._seconds())

    def _seconds(self) -> float:
        limits = self.limits
        return limits.exercise_seconds if isinstance(self.doing, str) else limits.cell_seconds

    def _give_up(self, sentence: str) -> None:
        if isinstance(self.doing, str):
            self.answers.setdefault(self.doing, {"limit": sentence})
        elif self.doing is not None:
            if self.doing in self.stopped:
                self.cells[self.doing] = ""
            self.stopped.append(self.doing)
            self.errors[self.doing] = sentence

    def _answer(self, name: str, data: Any) -> Answer:
        """Return a child's answer with its outcomes in the original order of the calls."""
        order = self.order[name]
        answer = answer_of(data, [self.calls[name][i] for i in order])
        if answer is None:
            return {"limit": unreadable(name)}
        if "outcomes" in answer:
            outcomes = dict(zip(order, answer["outcomes"], strict=True))
            answer["outcomes"] = [outcomes[i] for i in range(len(order))]
        return answer

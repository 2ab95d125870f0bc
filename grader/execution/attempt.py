"""Ask child processes for outcomes until each exercise has an answer or was given up.

What took too long or ended the child is given up with a sentence, and the next child is asked for the rest.
"""

from __future__ import annotations

import json
import random
import time
from typing import Any

from grader.comparison.schema import Answer, Call, Request, Response
from grader.execution.limits import Limits, ended, too_large, too_slow, unreadable
from grader.execution.protocol import answer_of, text_of

STANDSTILL = 1.0
"""Seconds that a grader may be late to notice that time is up; after more, it stood still itself."""


class Attempt:
    """What is known of one notebook: which cells are given up, which exercises are answered, and what the child does now."""

    def __init__(self, request: Request, limits: Limits, shuffled: bool = True) -> None:
        self.limits = limits
        self.deadline = time.monotonic() + limits.total_seconds
        self.cells: list[str | None] = list(request["cells"])
        self.errors: list[str | None] = [None] * len(self.cells)
        self.calls: dict[str, list[Call]] = request["calls"]
        self.answers: dict[str, Answer] = {}
        mixed = random.Random(
            json.dumps(request)
        )  # the same notebook and seed are asked in the same order, any other in one of its own
        self.order = {
            name: mixed.sample(range(len(calls)), len(calls))
            if shuffled
            else list(range(len(calls)))
            for name, calls in self.calls.items()
        }
        self.doing: tuple[str, Any] = ("start", None)
        self.until = self._due = self.deadline
        self._seconds = limits.total_seconds
        self.forgiven = False

    @property
    def complete(self) -> bool:
        """Whether every exercise has an answer, or a sentence in its place."""
        return all(name in self.answers for name in self.calls)

    def left(self) -> float:
        """Seconds that what the child does may still take, to be asked again when they are over.

        Where that comes late, the grader itself stood still (Ctrl-Z; a machine out of memory), and results may be waiting: what the
        child does gets its time again, and the notebook as much more.
        """
        now = time.monotonic()
        if (late := now - self._due) > STANDSTILL:
            self.deadline += late
            self.until = min(self.deadline, now + self._seconds)
        self._due = self.until
        return self.until - now

    def request(self) -> bytes:
        """What the next child is asked: a cell that was given up is empty, and answered exercises are left out."""
        calls = {
            name: [self.calls[name][i] for i in self.order[name]]
            for name in self.calls
            if name not in self.answers
        }
        return json.dumps({"cells": [cell or "" for cell in self.cells], "calls": calls}).encode()

    def begin(self) -> None:
        """A child has been started."""
        self._do("start", None, self.limits.cell_seconds)
        self._due = self.until

    def take(self, frame: Any) -> None:
        """Note a frame; one that makes no sense is as good as none."""
        if not isinstance(frame, dict):
            return
        kind, what = self.doing
        if isinstance(cell := frame.get("cell"), int) and 0 <= cell < len(self.cells):
            self._do("cell", cell, self.limits.cell_seconds)
        elif "error" in frame and kind == "cell":
            if self.cells[what] is not None:
                self.errors[what] = (
                    text_of(frame["error"]) if isinstance(frame["error"], str) else None
                )
            self._do("start", None, self.limits.cell_seconds)
        elif isinstance(name := frame.get("exercise"), str) and name in self.calls:
            self._do("exercise", name, self.limits.exercise_seconds)
        elif kind == "exercise" and "answer" in frame:
            answer = answer_of(frame["answer"], [self.calls[what][i] for i in self.order[what]])
            self.answers.setdefault(
                what, self._in_order(what, answer) if answer else {"limit": unreadable(what)}
            )
            self._do("start", None, self.limits.cell_seconds)
        elif kind == "exercise" and "too_large" in frame:
            self._give_up(too_large(str(what), self.limits.result_bytes))

    def end(self, at: float, innocent: bool = False, why: str | None = None) -> None:
        """The child was over at that moment, done or not: what it did last is given up if that was not finished, but for the first innocent end.

        `why` is the sentence where more is known than that.
        """
        if self.complete:
            return
        if innocent and not self.forgiven:
            self.forgiven = True
            return
        kind, what = self.doing
        slow = at >= self.until
        seconds = self.limits.exercise_seconds if kind == "exercise" else self.limits.cell_seconds
        name = (
            what if kind == "exercise" else f"Cell {what + 1}" if kind == "cell" else "The notebook"
        )
        self._give_up(why or (too_slow(str(name), seconds) if slow else ended(str(name))))

    def flood(self) -> None:
        """A frame larger than allowed is on its way."""
        if self.doing[0] == "exercise":
            self._give_up(too_large(str(self.doing[1]), self.limits.result_bytes))

    def response(self) -> Response:
        """What is known by now, in the form of `grader.execution.runner`."""
        late = (
            too_slow("The notebook", self.limits.total_seconds)
            if time.monotonic() > self.deadline
            else ended("The notebook, again and again,")
        )
        return {
            "answers": {name: self.answers.get(name, {"limit": late}) for name in self.calls},
            "errors": self.errors,
        }

    def _do(self, kind: str, what: Any, seconds: float) -> None:
        self.doing, self._seconds = (kind, what), seconds
        self.until = min(self.deadline, time.monotonic() + seconds)

    def _give_up(self, sentence: str) -> None:
        kind, what = self.doing
        if kind == "exercise":
            self.answers.setdefault(what, {"limit": sentence})
        elif kind == "cell":
            self.cells[what], self.errors[what] = None, sentence

    def _in_order(self, name: str, answer: Answer) -> Answer:
        """An answer with its outcomes, if it has any, in the order in which the calls were given."""
        if "outcomes" not in answer:
            return answer
        return {
            "outcomes": [
                outcome
                for _, outcome in sorted(
                    zip(self.order[name], answer["outcomes"], strict=True), key=lambda pair: pair[0]
                )
            ]
        }

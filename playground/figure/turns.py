"""The order in which figures work between the kernel's messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol
from weakref import WeakKeyDictionary


class Worker(Protocol):
    """A figure, which its page may report to be in view."""

    @property
    def in_view(self) -> bool:
        """Whether the learner sees it."""


class Turns:
    """Work of several figures, one piece a turn: first pictures, then those in view, then others.

    Of equals, the one that has waited longest comes first.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._coming = loop, False
        self._waiting: dict[Worker, tuple[bool, Callable[[], object]]] = {}

    def add(self, worker: Worker, work: Callable[[], object], first: bool) -> None:
        """Call `work` when it is a worker's turn; `first` if its first picture waits for it."""
        self.drop(worker)
        self._waiting[worker] = first, work
        self._schedule()

    def drop(self, worker: Worker) -> None:
        """Forget the work of a worker, if any is waiting."""
        self._waiting.pop(worker, None)

    def _schedule(self) -> None:
        if self._waiting and not self._coming:
            self._coming = True
            self._loop.call_later(0, self._turn)

    def _turn(self) -> None:
        self._coming = False
        try:
            if self._waiting:
                _, work = self._waiting.pop(min(self._waiting, key=self._rank))
                work()
        finally:
            self._schedule()

    def _rank(self, worker: Worker) -> tuple[bool, bool]:
        first, _ = self._waiting[worker]
        return not first, not worker.in_view


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()
"""Those of each event loop: a kernel has one, and one for each subshell."""


def turns(loop: asyncio.AbstractEventLoop) -> Turns:
    """Return the turns of all figures on an event loop."""
    return _turns.setdefault(loop, Turns(loop))

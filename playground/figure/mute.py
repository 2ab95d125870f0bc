"""Silence `print` for one thread at a time."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

_muted = threading.local()


class _Stream:
    """A stream to which a muted thread can't write; in all else it is the one beneath.

    It stays in its place: were it put there and taken away again around each use, two threads at once could leave the wrong one behind.
    """

    def __init__(self, beneath: Any) -> None:
        self._beneath = beneath

    def write(self, text: str) -> int:
        return len(text) if _is_muted() else int(self._beneath.write(text))

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if (
            not _is_muted()
        ):  # a kernel's stream waits for another thread, and Python flushes what it throws away
            self._beneath.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._beneath, name)


def listen() -> None:
    """Let printing go through streams that can be muted. Called again, it changes nothing."""
    streams = vars(sys)
    for name in ("stdout", "stderr"):
        ours = _Stream(None)
        # No call from here to the end, at which another thread could come in: it may put back what it had replaced, and that is to stay.
        ours._beneath = streams[name]
        if ours._beneath is not None and ours._beneath.__class__ is not _Stream:
            streams[name] = ours


@contextmanager
def muted() -> Iterator[None]:
    """Without what this thread prints; other threads still may print."""
    listen()
    before, _muted.on = _is_muted(), True
    try:
        yield
    finally:
        _muted.on = before


def _is_muted() -> bool:
    return getattr(_muted, "on", False)

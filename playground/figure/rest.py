"""Do background work bit by bit while no slider moves and no cell runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

REST_SECONDS = 0.1
"""The hand rests if no slider has moved for so long."""

Work = Callable[[], bool]
"""Does a bit of its work, some milliseconds long, and says whether there is more."""

_waiting: dict[Work, None] = {}
_changed = threading.Condition()
_moved = 0.0
_held = False
_thread: threading.Thread | None = None


def moved() -> None:
    """A slider has moved: what waits, waits on."""
    global _moved
    _moved = time.monotonic()


def hold(on: bool) -> None:
    """Let nothing go on while a cell runs, nor before the next one of many has begun: the processor, and the random numbers, are the cell's."""
    global _held
    moved()
    with _changed:
        _held = on
        _changed.notify()


def later(work: Work) -> None:
    """Do this while the hand rests, before all that waits already."""
    global _thread
    with _changed:
        _waiting.pop(work, None)
        _waiting[work] = None
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_work, name="playground", daemon=True)
            _thread.start()
        _changed.notify()


def _work() -> None:
    while True:
        with _changed:
            while _held or not _waiting:
                _changed.wait()
            while (left := _moved + REST_SECONDS - time.monotonic()) > 0:
                _changed.wait(left)
            if _held:
                continue
            work, _ = _waiting.popitem()
        if work():
            with _changed:
                _waiting.setdefault(work)

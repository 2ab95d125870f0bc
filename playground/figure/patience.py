"""Say every few seconds that a long computation is still at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS = 2.0
"""So much of it goes by in silence; then it is said so often."""

_guard = threading.Lock()
_waiting: tuple[float, Callable[[float], None]] | None = None
_thread: threading.Thread | None = None


@contextmanager
def patient(say: Callable[[float], None]) -> Iterator[None]:
    """Within this, `say` is told from time to time for how many seconds the work has been going on; one work at a time."""
    global _waiting, _thread
    if _thread is None or not _thread.is_alive():
        _thread = threading.Thread(target=_watch, name="patience", daemon=True)
        _thread.start()
    with _guard:
        _waiting = time.monotonic(), say
    try:
        yield
    finally:
        with _guard:
            _waiting = None


def _watch() -> None:
    while True:
        time.sleep(SECONDS / 2)
        with _guard:
            if _waiting and (seconds := time.monotonic() - _waiting[0]) >= SECONDS:
                _waiting[1](seconds)

"""A lock on a folder, shared by kernels, `watch` and `lab`."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except (
    ImportError
):  # Windows, where two that write at the same moment may undo a part of each other's work
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def folder_lock(folder: Path, timeout: float) -> Iterator[None]:
    """Hold the folder's lock; after `timeout` seconds, or where locks are unsupported, continue without it."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError, AttributeError):
            place = os.open(folder, os.O_RDONLY)
            held.callback(os.close, place)
            end = time.monotonic() + timeout
            while not _locked(place) and time.monotonic() < end:
                time.sleep(0.005)
        yield


def _locked(place: int) -> bool:
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

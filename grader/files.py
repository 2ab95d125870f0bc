"""Lock a folder, and write a file whole or not at all."""

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
    """Hold a folder's lock; after `timeout` seconds, or without lock support, go on without it."""
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


def atomic_write(path: Path, data: bytes | str) -> None:
    """Write a file whole or not at all: first beside it, then renamed over it.

    Raises:
        OSError: it can't be written; a file that was there is as before, and nothing is left beside it.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(data.encode() if isinstance(data, str) else data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)

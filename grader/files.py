"""Lock folders and write files atomically."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # on Windows, concurrent writers may lose a part of each other's work
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def folder_lock(folder: Path, timeout: float) -> Iterator[None]:
    """Hold a folder's lock; after `timeout` seconds, or without lock support, continue without."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError, AttributeError):
            descriptor = os.open(folder, os.O_RDONLY)
            held.callback(os.close, descriptor)
            end = time.monotonic() + timeout
            while not _locked(descriptor) and time.monotonic() < end:
                time.sleep(0.005)
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def atomic_write(path: Path, data: bytes | str) -> None:
    """Write a file by renaming a temporary one.

    Raises:
        OSError: the file can't be written; it is unchanged, and the temporary file is removed.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(data.encode() if isinstance(data, str) else data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)

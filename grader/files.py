"""Lock folders, write files atomically, and read files that others may replace."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

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


def open_regular(path: str | Path, folder: int | None = None) -> BinaryIO:
    """Open a file that its owner may replace at any moment, without following links or waiting.

    Where `folder` is given, the descriptor of an open folder, `path` lies below it.

    Raises:
        OSError: it is a link or can't be opened.
    """
    return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder), "rb")


def read_regular(path: Path, most: int) -> bytes:
    """Read the beginning of an ordinary file; OSError where it is something else."""
    with open_regular(path) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is not an ordinary file")
        return file.read(most)

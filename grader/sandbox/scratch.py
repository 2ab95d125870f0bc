"""Measure and remove folders that hostile code may have filled."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat

MOST_FILES, MOST_DEPTH = 4096, 64


def too_full(folder: str, process: int, most_bytes: int) -> bool:
    """Whether there is more below a folder than allowed: bytes, those of files included that the process holds open without a name, or files, or depth.

    What can't be looked at counts as too much.
    """
    count, size, left = 0, _nameless(process), [(folder, 0)]
    while left and size <= most_bytes:
        path, depth = left.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    count += 1
                    with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        left.append((entry.path, depth + 1))
                    if count > MOST_FILES or depth > MOST_DEPTH:
                        return True
        except FileNotFoundError:
            continue
        except OSError:
            return True
    return size > most_bytes


def _nameless(process: int) -> int:
    """Bytes of the files that a process has open and that are in no folder any more."""
    size = 0
    with contextlib.suppress(OSError):  # it ended
        for name in os.listdir(f"/proc/{process}/fd"):
            with contextlib.suppress(OSError):  # it closed that one
                found = os.stat(f"/proc/{process}/fd/{name}")
                size += (
                    found.st_blocks * 512
                    if stat.S_ISREG(found.st_mode) and not found.st_nlink
                    else 0
                )
    return size


def remove(folder: str) -> None:
    """Remove a folder and all below it; never raises, and follows no link."""
    empty(folder)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def empty(folder: str) -> bool:
    """Remove all below a folder; returns whether that was possible.

    Folders in folders are moved up before they are looked into, so no depth needs a long path or a deep stack.
    """
    try:
        top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        while names := os.listdir(top):
            if not sum(_remove_one(top, name) for name in names):
                return False
        return True
    except OSError:
        return False
    finally:
        os.close(top)


def _remove_one(top: int, name: str) -> bool:
    """Remove a file, or a folder after what is in it; returns whether it is gone."""
    with contextlib.suppress(OSError):
        if not _opened_up(top, name):
            os.unlink(name, dir_fd=top)
            return True
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
        try:
            for each in os.listdir(inner):
                if _opened_up(inner, each):
                    os.rename(each, secrets.token_hex(16), src_dir_fd=inner, dst_dir_fd=top)
                else:
                    os.unlink(each, dir_fd=inner)
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=top)
        return True
    return False


def _opened_up(parent: int, name: str) -> bool:
    """Whether this is a folder; its owner may look into it then, whatever rights it was made with."""
    if not stat.S_ISDIR(os.lstat(name, dir_fd=parent).st_mode):
        return False
    os.chmod(name, 0o700, dir_fd=parent)
    return True

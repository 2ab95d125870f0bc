"""Measure and remove folders that hostile code may have filled."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat

MAX_FILES, MAX_DEPTH = 4096, 64


def too_full(folder: str, process: int, max_bytes: int) -> bool:
    """Return whether a folder exceeds `max_bytes`, `MAX_FILES` or `MAX_DEPTH`.

    Deleted files that the process still holds open count; unreadable folders are too full.
    """
    count, size, left = 0, _deleted_bytes(process), [(folder, 0)]
    while left and size <= max_bytes:
        path, depth = left.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    count += 1
                    with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        left.append((entry.path, depth + 1))
                    if count > MAX_FILES or depth > MAX_DEPTH:
                        return True
        except FileNotFoundError:
            continue
        except OSError:
            return True
    return size > max_bytes


def _deleted_bytes(process: int) -> int:
    """Return the bytes of deleted files that a process holds open."""
    size, folder = 0, f"/proc/{process}/fd"
    with contextlib.suppress(OSError):  # it ended
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):  # it closed that one
                found = os.stat(f"{folder}/{name}")
                if stat.S_ISREG(found.st_mode) and not found.st_nlink:
                    size += found.st_blocks * 512
    return size


def remove(folder: str) -> None:
    """Remove a folder with its contents; follow no link, and never raise."""
    empty(folder)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def empty(folder: str) -> bool:
    """Remove a folder's contents and return whether that worked.

    Subfolders are moved up before they are entered: no long path, no deep recursion.
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
    """Remove a file, or a folder after its contents; return whether it is gone."""
    with contextlib.suppress(OSError):
        if not _unlocked_folder(top, name):
            os.unlink(name, dir_fd=top)
            return True
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
        try:
            for each in os.listdir(inner):
                if _unlocked_folder(inner, each):
                    os.rename(each, secrets.token_hex(16), src_dir_fd=inner, dst_dir_fd=top)
                else:
                    os.unlink(each, dir_fd=inner)
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=top)
        return True
    return False


def _unlocked_folder(parent: int, name: str) -> bool:
    """Return whether this is a folder; if so, let its owner read and change it."""
    if not stat.S_ISDIR(os.lstat(name, dir_fd=parent).st_mode):
        return False
    os.chmod(name, 0o700, dir_fd=parent)
    return True

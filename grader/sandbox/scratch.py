"""Measure and remove folders that hostile code may have filled."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess

MAX_FILES, MAX_DEPTH = 4096, 64


def too_full(folder: str, process: int, max_bytes: int) -> bool:
    """Return whether a folder exceeds `max_bytes`, `MAX_FILES` or `MAX_DEPTH`.

    Deleted files that the process still holds open count. Unreadable folders are too full, and so
    is a process that keeps a deleted file mapped: nobody can ask how large that is.
    """
    if _maps_deleted_file(process, folder):
        return True
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


def _maps_deleted_file(process: int, folder: str) -> bool:
    """Return whether a process keeps a file of the folder by its mapping alone."""
    with contextlib.suppress(OSError), open(f"/proc/{process}/maps", "rb") as maps:
        start = f" {folder}/".encode()
        return any(start in line and line.endswith(b" (deleted)\n") for line in maps)
    return False


def remove(folder: str) -> None:
    """Remove a folder with its contents; follow no link, and never raise."""
    if empty(folder):
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def empty(folder: str) -> bool:
    """Remove a folder's contents and return whether that worked; follow no link."""
    with contextlib.suppress(OSError):
        if paths := [f"{folder}/{name}" for name in os.listdir(folder)]:
            # not on the paths: chmod follows a link that is an argument
            for words in (("chmod", "-R", "u+rwx", "--", folder), ("rm", "-rf", "--", *paths)):
                # these programs can remove folders of any depth
                subprocess.run(words, capture_output=True, check=False)
        return not os.listdir(folder)
    return False

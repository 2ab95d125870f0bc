"""Copy a folder that its owner may fill and change at any moment: ordinary files, within limits."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from grader.execution.limits import OUTSIDE

MACHINE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""Errors that stop a run, because every submission would meet them."""

CHUNK = 1 << 20
TOO_LARGE = "all files together are too large"


def copy_ordinary_files(
    folder: Path,
    copy: Path,
    most_bytes: int = OUTSIDE.file_bytes,
    skip: Callable[[str], bool] = lambda name: False,
    own_only: bool = True,
    mode: int = 0o644,
) -> Copying:
    """Copy a folder without what `skip` names; return what became of it.

    Links, pipes and devices are left out, and with `own_only` files of another owner: a hard link
    to one looks like the learner's own. So is what exceeds a limit, counted while it is copied. A
    file whose name is taken in `copy` stays as it is there.

    Raises:
        OSError: the disk is full.
    """
    work = Copying(most_bytes, skip, mode)
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
    except FileNotFoundError:  # the notebook was found elsewhere
        return work
    except OSError as error:
        linked = error.errno in (errno.ELOOP, errno.ENOTDIR)
        work.left_out["the whole folder"] = "it is a link" if linked else _unreadable(error)
        return work
    try:
        work.owner = os.fstat(descriptor).st_uid if own_only else None
        work.copy(descriptor, Path(), copy, 0)
    finally:
        work.close(descriptor)
    return work


@dataclass
class Copying:
    """The copy of one folder, and what is left of its limits.

    Attributes:
        left_out: why files were left out.
        changed: the last change of a file or folder by the kernel's clock, in seconds since 1970.
    """

    bytes_left: int
    skip: Callable[[str], bool]
    mode: int
    files_left: int = OUTSIDE.files
    owner: int | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    changed: float = 0

    def copy(self, folder: int, inside: Path, target: Path, depth: int) -> None:
        """Copy an open folder."""
        target.mkdir(parents=True, exist_ok=True)
        for name in sorted(os.listdir(folder)):
            if self.skip(name):
                continue
            if not self.files_left:
                self.left_out["more files"] = f"at most {OUTSIDE.files:,} are copied"
                return
            self.files_left -= 1
            try:
                why = self._one(name, folder, inside / name, target / name, depth)
            except FileExistsError:
                continue
            except OSError as error:
                if error.errno in MACHINE_ERRORS:
                    raise
                why = _unreadable(error)
            if why:
                self.left_out[str(inside / name)] = why

    def _one(self, name: str, folder: int, inside: Path, target: Path, depth: int) -> str:
        """Copy a file or a folder; return the reason where it was left out.

        What is opened is examined once more: its name may belong to another file by then.
        """
        kind = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISLNK(kind):
            return "it is a link"
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            return "it is no ordinary file"
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        opened = os.open(name, flags, dir_fd=folder)
        try:
            found = os.fstat(opened)
            if self.owner not in (None, found.st_uid):
                return "it belongs to somebody else"
            if stat.S_ISREG(found.st_mode):
                return self._contents(opened, target)
            if depth == OUTSIDE.depth:
                return f"it is more than {OUTSIDE.depth} folders deep"
            self.copy(opened, inside, target, depth + 1)
        finally:
            self.close(opened)
        return ""

    def close(self, opened: int) -> None:
        """Close a file or a folder after the copy of it."""
        self.changed = max(self.changed, os.fstat(opened).st_ctime)
        os.close(opened)

    def _contents(self, file: int, target: Path) -> str:
        """Copy an open file."""
        with open(target, "xb") as copy:
            while data := os.read(file, min(CHUNK, self.bytes_left + 1)):
                if len(data) > self.bytes_left:
                    target.unlink()
                    return TOO_LARGE
                self.bytes_left -= len(data)
                copy.write(data)
        target.chmod(self.mode)
        return ""


def _unreadable(error: OSError) -> str:
    return f"it can't be read: {error.strerror}"

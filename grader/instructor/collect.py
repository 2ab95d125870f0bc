"""Collect submissions from nbgrader's exchange: ordinary files only, no links."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbgrader.exchange.default import ExchangeCollect

from grader.instructor.submissions import opened


class SafeCollect(ExchangeCollect):  # type: ignore[misc]
    """`nbgrader collect`, which on its own follows each link in what a learner handed in, with the rights of the teacher who collects it."""

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """nbgrader's hook."""
        student, limit = self._path_to_record(src)["username"], self.coursedir.max_dir_size
        if self.get_size(src) > 1000 * limit:
            self.log.warning(
                "%s: nothing was collected: the folder holds more than %s kB (CourseDirectory.max_dir_size)",
                student,
                limit,
            )
            return
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            for name, why in copy_ordinary_files(Path(src), copy).items():
                self.log.warning("%s: %s was left out: %s", student, name, why)
            if copy.is_dir():
                super().do_copy(str(copy), dest, log)


def copy_ordinary_files(folder: Path, copy: Path) -> dict[str, str]:
    """Copy a folder that its owner may change at any moment; returns what was left out, and why.

    No link is followed, no pipe or device read, and a file of anyone else's is left out: a hard link to it looks like the owner's own.
    """
    left_out: dict[str, str] = {}

    def leave_out(error: OSError) -> None:
        left_out[os.path.relpath(error.filename or folder, folder)] = (
            f"it can't be read: {error.strerror}"
        )

    try:
        owner = folder.lstat().st_uid
        for here, folders, names, opened in os.fwalk(folder, onerror=leave_out):
            inside = Path(os.path.relpath(here, folder))
            (copy / inside).mkdir()
            for name in names + [
                name for name in folders if stat.S_ISLNK(_looked_at(name, opened).st_mode)
            ]:
                if why := _copy_file(name, opened, owner, copy / inside / name):
                    left_out[str(inside / name)] = why
    except OSError as error:
        leave_out(error)
    return left_out if copy.is_dir() or left_out else {"the whole folder": "it is a link"}


def _copy_file(name: str, folder: int, owner: int, copy: Path) -> str:
    """Copy a file of an opened folder; returns why not where it wasn't. What counts is the file that was opened, whatever has its name by now."""
    try:
        kind = _looked_at(name, folder).st_mode
        if stat.S_ISLNK(kind):
            return "it is a link"
        if not stat.S_ISREG(kind):
            return "it is no ordinary file"
        with opened(name, folder) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_uid != owner:
                return "it belongs to somebody else"
            with open(copy, "wb") as target:
                shutil.copyfileobj(file, target)
    except OSError as error:
        return f"it can't be read: {error.strerror}"
    return ""


def _looked_at(name: str, folder: int) -> os.stat_result:
    return os.stat(name, dir_fd=folder, follow_symlinks=False)

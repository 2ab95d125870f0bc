"""Collect submissions from nbgrader's exchange: ordinary files only, no links."""

from __future__ import annotations

import os
import shutil
import stat
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbgrader.exchange.default import ExchangeCollect

from grader.files import open_regular


class SafeCollect(ExchangeCollect):  # type: ignore[misc]
    """`nbgrader collect` without links.

    nbgrader's own follows the links in a learner's folder, with the rights of the instructor.
    """

    def _path_to_record(self, path: str) -> dict[str, Any]:
        """Read a submission's folder name; one without a readable time is the oldest."""
        try:
            record: dict[str, Any] = super()._path_to_record(path)
        except (ValueError, OverflowError):
            self.log.warning("%s: its name has no time that can be read", path)
            name = os.path.basename(path)
            username = name.rsplit("+", 3)[0]
            return {"username": username, "filename": name, "timestamp": datetime.min}
        return record

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy one submission (nbgrader's hook)."""
        student, limit = self._path_to_record(src)["username"], self.coursedir.max_dir_size
        if self.get_size(src) > 1000 * limit:
            why = "the folder holds more than %s kB (CourseDirectory.max_dir_size)"
            self.log.warning(f"%s: nothing was collected: {why}", student, limit)
            return
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            for name, why in copy_ordinary_files(Path(src), copy).items():
                self.log.warning("%s: %s was left out: %s", student, name, why)
            if copy.is_dir():
                super().do_copy(str(copy), dest, log)


def copy_ordinary_files(folder: Path, copy: Path) -> dict[str, str]:
    """Copy a folder that its owner may change at any moment; return the files left out, and why.

    Links, pipes and devices are left out, and files of another owner: a hard link to one looks like
    the learner's own.
    """
    left_out: dict[str, str] = {}

    def leave_out(error: OSError) -> None:
        name = os.path.relpath(error.filename or folder, folder)
        left_out[name] = f"it can't be read: {error.strerror}"

    try:
        owner = folder.lstat().st_uid
        for here, folders, names, descriptor in os.fwalk(folder, onerror=leave_out):
            inside = Path(os.path.relpath(here, folder))
            (copy / inside).mkdir()
            links = [name for name in folders if stat.S_ISLNK(_stat(name, descriptor).st_mode)]
            for name in names + links:
                if why := _copy_file(name, descriptor, owner, copy / inside / name):
                    left_out[str(inside / name)] = why
    except OSError as error:
        leave_out(error)
    return left_out if copy.is_dir() or left_out else {"the whole folder": "it is a link"}


def _copy_file(name: str, folder: int, owner: int, copy: Path) -> str:
    """Copy a file of an open folder; return the reason where it was left out.

    The opened file is examined once more: its name may belong to another file by then.
    """
    try:
        kind = _stat(name, folder).st_mode
        if stat.S_ISLNK(kind):
            return "it is a link"
        if not stat.S_ISREG(kind):
            return "it is no ordinary file"
        with open_regular(name, folder) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_uid != owner:
                return "it belongs to somebody else"
            with open(copy, "wb") as target:
                shutil.copyfileobj(file, target)
    except OSError as error:
        return f"it can't be read: {error.strerror}"
    return ""


def _stat(name: str, folder: int) -> os.stat_result:
    return os.stat(name, dir_fd=folder, follow_symlinks=False)

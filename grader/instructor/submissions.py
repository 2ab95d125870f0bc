"""Read a student's submission and write the graded notebook under `class/autograded`."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, BinaryIO

from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

from grader.execution.notebook import MAX_BYTES, UnreadableNotebook
from grader.instructor.feedback import has_verdicts

MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""What concerns everyone and stops a run: no room, or a disk that may only be read."""

MAX_TIMESTAMP = 200
"""Most bytes that are read of the time of handing in."""

MAX_COPIED = 50_000_000
"""Most bytes of one other file of a submission that travel to `class/autograded`."""


@dataclass(frozen=True)
class Submission:
    """One student's submission of one lesson, where nbgrader keeps it.

    Attributes:
        student: the student's id.
        folder: what was handed in.
        marked: where it lies once it is graded.
    """

    student: str
    lesson: str
    folder: Path
    marked: Path

    def read(self) -> bytes:
        """The notebook.

        Raises:
            UnreadableNotebook: there is none, or it is no file of this folder.
        """
        path = self._notebook()
        try:
            data = _read_file(path, MAX_BYTES + 1)
            if data is None:
                raise UnreadableNotebook(f"{path.name} is not an ordinary file")
            return data
        except OSError as error:
            raise UnreadableNotebook(
                f"{path.name} is a link or can't be opened: {error.strerror}"
            ) from None

    @property
    def timestamp(self) -> datetime | None:
        """When it was handed in, in UTC; None where that isn't known."""
        try:
            text = (
                (_read_file(self.folder / "timestamp.txt", MAX_TIMESTAMP) or b"").decode().strip()
            )
            return parse_utc(text) if text else None
        except (OSError, ValueError, OverflowError):
            return None

    def is_marked(self) -> bool:
        """Whether the marked notebook is in its place, with its verdicts."""
        return has_verdicts(self.marked / f"{self.lesson}.ipynb")

    def put(self, notebook: dict[str, Any], material: Path, ignored: list[str]) -> None:
        """Put the marked notebook in its place, with the files of the lesson and the others of the submission that get in nobody's way.

        It appears all at once: a kill leaves the old one, or none.
        """
        half = self.marked.with_name(f".{self.lesson}.half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        for path in _files(material, ignored):
            _copy(path, half / path.relative_to(material))
        for path in _files(self.folder, ignored):
            try:
                _copy(path, half / path.relative_to(self.folder))
            except OSError as error:  # a name that the lesson has, of a file or a folder; or a file that may not be read
                if error.errno in MACHINE:
                    raise
        (half / f"{self.lesson}.ipynb").write_text(
            json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
        (half / f"{self.lesson}.ipynb").chmod(0o444)
        shutil.rmtree(self.marked, ignore_errors=True)
        half.rename(self.marked)

    def _notebook(self) -> Path:
        """The lesson's notebook, or the only one where it was renamed."""
        wanted = self.folder / f"{self.lesson}.ipynb"
        if os.path.lexists(wanted):
            return wanted
        others = sorted(self.folder.glob("*.ipynb"))
        if len(others) != 1:
            raise UnreadableNotebook(
                f"{self.lesson}.ipynb is missing"
                + (f"; there are {len(others)} others" if others else "")
            )
        return others[0]


def submissions(coursedir: CourseDirectory, lesson: str, students: list[str]) -> list[Submission]:
    """What was handed in for a lesson, by student in alphabetical order; only of `students` where some are named."""
    found = []
    for folder in sorted(
        Path(coursedir.format_path(coursedir.submitted_directory, "x", lesson)).parent.parent.glob(
            "*"
        )
    ):
        inside = folder / lesson
        real = (
            folder.is_dir()
            and inside.is_dir()
            and not folder.is_symlink()
            and not inside.is_symlink()
        )
        if real and not folder.name.startswith(".") and folder.name in (students or [folder.name]):
            marked = Path(
                coursedir.format_path(coursedir.autograded_directory, folder.name, lesson)
            )
            found.append(Submission(folder.name, lesson, inside, marked))
    return found


def opened(path: str | Path, folder: int | None = None) -> BinaryIO:
    """A file that others may exchange at any moment, open for reading: nothing is waited for, and no link is followed.

    Args:
        path: below an opened `folder`, where one is given.

    Raises:
        OSError: it is a link or can't be opened.
    """
    return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder), "rb")


def _read_file(path: Path, most: int) -> bytes | None:
    """The beginning of an ordinary file; None where it is none. Raises like `opened`."""
    with opened(path) as file:
        return file.read(most) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None


def _copy(path: Path, target: Path) -> None:
    """A file's copy, which may only be read, as nbgrader leaves them.

    Raises:
        OSError: there is something of that name, or it can't be copied.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "rb") as file, open(target, "xb") as copy:
        shutil.copyfileobj(file, copy)
    target.chmod(0o444)


def _files(folder: Path, ignored: list[str]) -> Iterator[Path]:
    """The ordinary files of a folder that are no notebooks; links lead nowhere."""
    for here, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not _ignored(name, ignored)]
        for path in (
            Path(here) / name for name in names if not _ignored(name, [*ignored, "*.ipynb"])
        ):
            if stat.S_ISREG((found := path.lstat()).st_mode) and found.st_size <= MAX_COPIED:
                yield path


def _ignored(name: str, patterns: list[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)

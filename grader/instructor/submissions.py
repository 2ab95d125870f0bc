"""Read a student's submission and write the feedback notebook under `class/autograded`."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO

from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

from grader.execution.notebook import MAX_BYTES, UnreadableNotebook
from grader.instructor.copying import copy_ordinary_files
from grader.instructor.feedback import Json, has_verdicts


@dataclass(frozen=True)
class Submission:
    """One student's submission: its folders in `class/submitted` and `class/autograded`.

    Files whose names match `ignored` are not copied from one to the other.
    """

    student: str
    lesson: str
    folder: Path
    graded: Path
    ignored: tuple[str, ...] = ()

    def read(self) -> bytes:
        """Read the notebook; raise UnreadableNotebook if there is none or no ordinary file."""
        path = self._notebook()
        try:
            return _read_file(path, MAX_BYTES + 1)
        except OSError as error:
            why = f"{path.name} is a link or can't be opened: {error.strerror}"
            raise UnreadableNotebook(why) from None

    @property
    def timestamp(self) -> datetime | None:
        """Time of the submission in UTC, or None where it is unknown."""
        try:
            text = _read_file(self.folder / "timestamp.txt", most=200).decode().strip()
            return parse_utc(text) if text else None
        except (OSError, ValueError, ArithmeticError):
            return None

    def not_graded(self) -> list[str]:
        """Return a sentence for each other notebook in the folder."""
        try:
            read = self._notebook()
        except UnreadableNotebook:
            return []
        others = [path.name for path in self._visible() if path != read]
        return [f"{name} was not graded: {read.name} next to it was." for name in others[:5]]

    def has_feedback(self) -> bool:
        """Return whether the feedback notebook is there, with its verdicts."""
        return has_verdicts(self.graded / f"{self.lesson}.ipynb")

    def write_feedback(self, notebook: Json, material: Path) -> list[str]:
        """Write the feedback notebook, with the files of `material` and of the submission.

        Return a sentence about each file that was left out, five at most.
        A file of the submission is left out where the lesson has one of that name. The folder
        appears whole: a kill leaves the old one, or none.
        """
        partial = self.graded.with_name(f".{self.lesson}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for path in _files(material, self.ignored):
            _copy(path, partial / path.relative_to(material))
        left_out = copy_ordinary_files(
            self.folder, partial, skip=self._is_not_copied, own_only=False, mode=0o444
        )
        file = partial / f"{self.lesson}.ipynb"
        text = json.dumps(notebook, ensure_ascii=False, indent=1)
        file.write_text(text + "\n", encoding="utf-8")
        file.chmod(0o444)
        shutil.rmtree(self.graded, ignore_errors=True)
        partial.rename(self.graded)
        return [f"{name} was left out: {why}." for name, why in left_out.items()][:5]

    def _is_not_copied(self, name: str) -> bool:
        return _matches(name, (*self.ignored, "*.ipynb"))

    def _visible(self) -> list[Path]:
        """Return the folder's notebooks; a Mac's archive has a hidden file for each, ._x.ipynb."""
        return sorted(one for one in self.folder.glob("*.ipynb") if not one.name.startswith("."))

    def _notebook(self) -> Path:
        """Return the lesson's notebook, or the only one if it was renamed."""
        wanted = self.folder / f"{self.lesson}.ipynb"
        if os.path.lexists(wanted):
            return wanted
        others = self._visible()
        if len(others) == 1:
            return others[0]
        more = f"; there are {len(others)} others" if others else ""
        raise UnreadableNotebook(f"{wanted.name} is missing{more}")


def submissions(
    coursedir: CourseDirectory, lesson: str, students: Sequence[str] = ()
) -> list[Submission]:
    """Return a lesson's submissions, of `students` or of all, in the order of their names."""
    submitted, autograded = coursedir.submitted_directory, coursedir.autograded_directory
    ignored = (*coursedir.ignore, ".nbgrader.log")
    found = []
    for folder in sorted(Path(coursedir.format_path(submitted, "x", lesson)).parents[1].glob("*")):
        student, inside = folder.name, folder / lesson
        if student.startswith(".") or (students and student not in students):
            continue
        if inside.is_dir() and not folder.is_symlink() and not inside.is_symlink():
            graded = Path(coursedir.format_path(autograded, student, lesson))
            found.append(Submission(student, lesson, inside, graded, ignored))
    return found


def open_regular(path: str | Path, folder: int | None = None) -> BinaryIO:
    """Open a file that its owner may replace at any moment, without following links or waiting.

    Where `folder` is given, the descriptor of an open folder, `path` lies below it.

    Raises:
        OSError: it is a link or can't be opened.
    """
    return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder), "rb")


def _read_file(path: Path, most: int) -> bytes:
    """Read the beginning of an ordinary file; OSError where it is something else."""
    with open_regular(path) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is not an ordinary file")
        return file.read(most)


def _copy(path: Path, target: Path) -> None:
    """Copy a file, read-only as nbgrader's are; OSError where the target's name is taken."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "rb") as file, open(target, "xb") as copy:
        shutil.copyfileobj(file, copy)
    target.chmod(0o444)


def _files(folder: Path, ignored: Sequence[str]) -> Iterator[Path]:
    """Yield the ordinary files of a folder except notebooks; no link is followed."""
    for here, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not _matches(name, ignored)]
        for name in names:
            path = Path(here) / name
            if stat.S_ISREG(path.lstat().st_mode) and not _matches(name, (*ignored, "*.ipynb")):
                yield path


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)

"""Read a student's submission and write the feedback notebook under `class/autograded`."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from unicodedata import normalize

from nbgrader.coursedir import CourseDirectory

from grader.execution.notebook import UnreadableNotebook, read_submitted
from grader.files import read_regular
from grader.instructor.copying import copy_ordinary_files
from grader.instructor.feedback import Json, has_verdicts
from grader.instructor.locate import TIME, Found, Lessons, collect_command, find_notebook


@dataclass(frozen=True)
class Submission:
    """One student's submission: its folders in `class/submitted` and `class/autograded`.

    Files whose names match `ignored` are not copied from one to the other.
    """

    student: str
    lesson: str
    folder: Path
    graded: Path
    lessons: Lessons
    ignored: tuple[str, ...] = ()

    @cached_property
    def found(self) -> Found:
        """The notebook that counts; UnreadableNotebook if there is none, or none is certain."""
        if self.folder.parent.is_dir():
            return find_notebook(self.folder.parent, self.lesson, self.lessons)
        command = collect_command(self.lesson, self.folder.parent)
        raise UnreadableNotebook(f"it is not in a student's folder. {command} finds its student")

    def read(self) -> bytes:
        """Read the notebook; raise UnreadableNotebook if there is none or no ordinary file."""
        return read_submitted(self.found.path)

    @property
    def timestamp(self) -> datetime | None:
        """Time of the submission in UTC, or None where it is unknown."""
        return read_time(self.folder)[0]

    def notes(self) -> list[str]:
        """Return a sentence about each other notebook, and about a time that can't be read."""
        why = read_time(self.folder)[1]
        unread = f"{TIME} {why}: no time is known, and lateness costs no points."
        return [*self.found.notes, *[unread] * bool(why)]

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
        for folder in (material, self.folder):
            left_out = copy_ordinary_files(
                folder, partial, skip=self._is_not_copied, own_only=False, mode=0o444
            ).left_out
        file = partial / f"{self.lesson}.ipynb"
        file.write_text(json.dumps(notebook, ensure_ascii=False) + "\n", encoding="utf-8")
        file.chmod(0o444)
        shutil.rmtree(self.graded, ignore_errors=True)
        partial.rename(self.graded)
        return [f"{name} was left out: {why}." for name, why in left_out.items()][:5]

    def _is_not_copied(self, name: str) -> bool:
        return matches(name, (*self.ignored, "*.ipynb"))


def submissions(
    coursedir: CourseDirectory, lesson: str, students: Sequence[str] = ()
) -> list[Submission]:
    """Return a lesson's submissions, of `students` or of all, in the order of their names."""
    submitted, autograded = coursedir.submitted_directory, coursedir.autograded_directory
    ignored = (*coursedir.ignore, ".nbgrader.log")
    release = coursedir.format_path(coursedir.release_directory, ".", lesson)
    lessons = Lessons(Path(release).parent)
    wanted = {normalize("NFC", student) for student in students}
    found = []
    for home in sorted(Path(coursedir.format_path(submitted, "x", lesson)).parents[1].glob("*")):
        student = home.name
        if student.startswith(".") or (students and normalize("NFC", student) not in wanted):
            continue
        graded = Path(coursedir.format_path(autograded, student, lesson))
        one = Submission(student, lesson, home / lesson, graded, lessons, ignored)
        if os.path.lexists(one.folder) or lessons.may_hold(home, lesson):
            found.append(one)
    return found


def read_time(folder: Path) -> tuple[datetime | None, str]:
    """Return the time of a submission in UTC, None where it is unknown, and what is wrong with it.

    A time counts only if it can be meant in one way. Without a zone it is in UTC, as in nbgrader.
    """
    path = folder / TIME
    try:
        text = read_regular(path, most=200).decode().strip()
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError) as error:
        return None, f"can't be read ({getattr(error, 'strerror', None) or 'not in UTF-8'})"
    zoned = text.removesuffix("UTC").removesuffix("GMT").strip() + "+00:00" * text.endswith(
        ("UTC", "GMT")
    )
    try:
        time = datetime.fromisoformat(zoned.replace(" +", "+").replace(" -", "-"))
        if ":" not in text:
            raise ValueError
        return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC).replace(tzinfo=None), ""
    except (ValueError, OverflowError):
        return None, f'says "{text[:40]}"' if text else "is empty"


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Return whether a name matches one of the patterns."""
    return any(fnmatch(name, pattern) for pattern in patterns)

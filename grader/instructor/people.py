"""Find the student of an upload: by an instructor's word, an earlier one, or the roster.

The roster is the gradebook's list of students, as `grader roster` fills it. Where it has no names,
an upload's own name becomes the student's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from unicodedata import normalize

from nbgrader.api import Student
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import select

from grader.instructor.gradebook import reading
from grader.instructor.uploads import Upload, name_key, shared_names

UNSAFE = re.compile(r'[\\/:*?"<>|\[\]+\x00-\x1f]')
"""Characters that a folder's name can't have somewhere, or that nbgrader reads as a pattern."""


@dataclass(frozen=True)
class Person:
    """A student of the gradebook, with nbgrader's columns; an empty one is ""."""

    columns: dict[str, str]

    @property
    def id(self) -> str:
        """The student's id, and folder."""
        return self.columns["id"]

    @property
    def name(self) -> str:
        """First and last name, as far as they are known."""
        return " ".join(filter(None, (self.columns["first_name"], self.columns["last_name"])))

    @cached_property
    def keys(self) -> set[str]:
        """The spellings of the name, and the id."""
        first, last = self.columns["first_name"], self.columns["last_name"]
        return {name_key(self.id), name_key(first, last), name_key(last, first)} - {""}

    def is_meant(self, upload: Upload) -> bool:
        """Return whether an upload has this student's id: Moodle's numbers are an assignment's."""
        id, lms_id = self.id, self.columns["lms_user_id"]
        if upload.system == "folder":
            return upload.label in (id, lms_id)
        return upload.system == "Canvas" and upload.label == (lms_id or id)

    def is_called(self, upload: Upload) -> bool:
        """Return whether an upload has this student's name."""
        return name_key(upload.name) in self.keys


def roster(coursedir: CourseDirectory) -> list[Person]:
    """Return the students of the gradebook, in the order of their ids."""
    names = ("id", "first_name", "last_name", "email", "lms_user_id")
    columns = [getattr(Student, name) for name in names]
    with reading(coursedir) as connection:
        rows = connection.execute(select(*columns).order_by(Student.id)) if connection else ()
        return [
            Person({name: text or "" for name, text in zip(names, row, strict=True)})
            for row in rows
        ]


def students_of(
    uploads: Sequence[Upload],
    people: Sequence[Person],
    given: Mapping[str, list[str]],
    lessons: set[str],
) -> list[list[str] | str]:
    """Return the students of each upload, or why it is nobody's for certain."""
    shared = shared_names(uploads)
    found = [_students_of(upload, people, given, shared, lessons) for upload in uploads]
    claims = Counter(name for names in found if isinstance(names, list) for name in names)
    for number, names in enumerate(found):
        sure = isinstance(names, str) or uploads[number].label in given
        if not sure and claims[names[0]] > 1:
            found[number] = f"{claims[names[0]]} uploads could be by {names[0]}"
    return found


def _students_of(
    upload: Upload,
    people: Sequence[Person],
    given: Mapping[str, list[str]],
    shared: set[str],
    lessons: set[str],
) -> list[str] | str:
    if upload.label in given:
        return given[upload.label]
    known = [person.id for person in people if person.is_meant(upload)]
    known = known or [person.id for person in people if person.is_called(upload)]
    if len(known) == 1:
        return known
    if known:
        return f"{' and '.join(known)} have this name"
    if upload.name in lessons:
        return "it is named after a lesson"
    if any(person.name for person in people):
        return "it is not in the roster"
    return "no student's name is in its path" if upload.loose else [_own_name(upload, shared)]


def _own_name(upload: Upload, shared: set[str]) -> str:
    """Return a name for a student that nothing else names.

    Canvas's number of a user is for good; Moodle's is the assignment's, so it is taken only where
    the name is not enough.
    """
    alone = upload.system != "Canvas" and name_key(upload.name) not in shared
    text = upload.name if alone else f"{upload.name} {upload.id}"
    return folder_name(text)


def same_id(student: str, ids: Collection[str]) -> str | None:
    """Return the id that is `student` in either form of its accents, as files of a Mac have them.

    An equal one comes before one in the other form; None means that there is neither.
    """
    form = normalize("NFC", student)
    others = (one for one in ids if normalize("NFC", one) == form)
    return student if student in ids else next(others, None)


def folder_name(text: str) -> str:
    """Return a text as the name of a student's folder, without characters that one can't have."""
    visible = "".join(filter(str.isprintable, normalize("NFC", text)))
    return UNSAFE.sub("-", visible)[:100].strip(" .") or "unnamed"

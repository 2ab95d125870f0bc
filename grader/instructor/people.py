"""Find the student of an upload: by an instructor's word, an earlier one, or the roster.

The roster is the gradebook's list of students, as `nbgrader db student import` fills it. Where it
has no names, an upload's own name becomes the student's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    """A student of the gradebook: the id, the id in an LMS, and spellings of the name."""

    id: str
    lms_id: str
    named: bool
    keys: frozenset[str]

    def is_meant(self, upload: Upload) -> bool:
        """Return whether an upload has this student's id."""
        return upload.label in (self.id, self.lms_id)

    def is_called(self, upload: Upload) -> bool:
        """Return whether an upload has this student's name."""
        return name_key(upload.name) in self.keys


def roster(coursedir: CourseDirectory) -> list[Person]:
    """Return the students of the gradebook."""
    columns = Student.id, Student.first_name, Student.last_name, Student.lms_user_id
    with reading(coursedir) as connection:
        rows = connection.execute(select(*columns)).all() if connection else []
    return [
        Person(
            id,
            lms_id or "",
            bool(first or last),
            frozenset({name_key(id), name_key(first, last), name_key(last, first)} - {""}),
        )
        for id, first, last, lms_id in rows
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
    if any(person.named for person in people):
        return "it is not in the roster"
    return "nothing says whose it is" if upload.loose else [_own_name(upload, shared)]


def _own_name(upload: Upload, shared: set[str]) -> str:
    """Return a name for a student that nothing else names.

    Canvas's number of a user is for good; Moodle's is the assignment's, so it is taken only where
    the name is not enough.
    """
    alone = upload.system != "Canvas" and name_key(upload.name) not in shared
    text = upload.name if alone else f"{upload.name} {upload.id}"
    visible = "".join(filter(str.isprintable, normalize("NFC", text)))
    name = UNSAFE.sub("-", visible)[:100].strip(" .")
    return name or "unnamed"

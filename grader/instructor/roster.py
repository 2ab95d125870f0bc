"""`grader roster`: put a course's students into the gradebook, and list who has not submitted.

Moodle   Participants, "Download table data as CSV" (user/action_redir.php)
Canvas   Grades, Export (lib/gradebook_exporter.rb); its ID is the number in a download
nbgrader the columns of `nbgrader db student import`
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from grader.author.lesson import authors_root
from grader.comparison.present import count_of, one_line
from grader.errors import SOME_LEFT_OUT, UserError
from grader.instructor.uploads import name_key

if TYPE_CHECKING:  # nbgrader takes a second to import
    from nbgrader.coursedir import CourseDirectory

    from grader.instructor.people import Person

COLUMNS = {
    "id": ("Username", "SIS Login ID", "id"),
    "first_name": ("First name", "FirstName", "first_name"),
    "last_name": ("Last name", "Surname", "LastName", "last_name"),
    "email": ("Email address", "email"),
    "lms_user_id": ("ID", "lms_user_id"),
    "sortable": ("Student",),
}
"""nbgrader's columns, and the headings that Moodle, Canvas and nbgrader give them."""

TELL_APART = (*COLUMNS["id"], *COLUMNS["email"], *COLUMNS["lms_user_id"])


def read_students(file: Path) -> list[dict[str, str]]:
    """Return nbgrader's columns of each line, without lines that are no student's.

    Raises:
        UserError: it can't be read, or has no heading that says who its students are.
    """
    try:
        data = file.read_bytes()
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        text = text.lstrip("\r\n")
        heading = text.partition("\n")[0]
        alone = not heading or heading.strip() in TELL_APART
        delimiter = "," if alone else csv.Sniffer().sniff(heading, ",;\t").delimiter
        reader = csv.DictReader(StringIO(text, newline=""), delimiter=delimiter)
        rows, there = [*reader], {*(reader.fieldnames or ())}
    except OSError as error:
        raise UserError(f"{file} can't be opened: {error.strerror}.") from None
    except ValueError:
        raise UserError(f"{file} is not in UTF-8; save it as CSV in UTF-8.") from None
    except csv.Error as error:
        raise UserError(f"{file} is no CSV file with headings: {error}.") from None
    if there.isdisjoint(TELL_APART):
        known = ", ".join(name for names in COLUMNS.values() for name in names)
        raise UserError(f"{file} has no column that tells students apart. Known headings: {known}.")
    students = [_student(row) for row in rows]
    return [one for one in students if one["id"] or one["email"] or one["lms_user_id"]]


def _student(row: dict[str, str]) -> dict[str, str]:
    def cell(names: Sequence[str]) -> str:
        return next((" ".join(row[name].split()) for name in names if row.get(name)), "")

    student = {column: cell(names) for column, names in COLUMNS.items()}
    last, comma, first = student.pop("sortable").rpartition(", ")
    if last or first:
        student["last_name"] = student["last_name"] or (last if comma else first)
        student["first_name"] = student["first_name"] or (first if comma else "")
    return student


def import_students(coursedir: CourseDirectory, file: Path) -> tuple[str, list[str]]:
    """Add the students of a file to the gradebook, or complete those that are there.

    Return a sentence with counts, and one about each line that was left out.
    """
    from grader.instructor.gradebook import open_gradebook
    from grader.instructor.people import roster

    read, people = read_students(file), {one.id: one for one in roster(coursedir)}
    ids = [_known(one, [*people.values()], read) or _new_id(one) for one in read]
    twice, states, left_out = Counter(ids), Counter[str](), []
    with open_gradebook(coursedir) as gradebook:
        for id, one in zip(ids, read, strict=True):
            if twice[id] > 1:
                name = f"{one['first_name']} {one['last_name']}".strip() or id
                left_out.append(f"Left out: {name}: {twice[id]} lines are {id}'s.")
                continue
            new = {name: text for name, text in one.items() if text and name != "id"}
            before = people[id].columns if id in people else None
            if before is not None and before | new == before:
                states["unchanged"] += 1
            else:
                gradebook.update_or_create_student(id, **new)
                states["new" if before is None else "updated"] += 1
    counts = ", ".join(f"{states[one]} {one}" for one in ("new", "updated", "unchanged"))
    return f"{count_of(states.total(), 'student')} ({counts}).", left_out


def _known(
    one: dict[str, str], people: Sequence[Person], read: Sequence[dict[str, str]]
) -> str | None:
    """Return the id of the student in the gradebook that a line means, or None.

    A name, also an upload's like "Ada Lovelace" or "lovelaceada 12345", decides where it is alone.
    """
    for column in ("id", "lms_user_id", "email"):
        for person in people:
            if one[column] and person.columns[column].casefold() == one[column].casefold():
                return person.id
    keys = _keys(one)
    alone = sum(bool(keys & _keys(other)) for other in read) == 1
    called = [person.id for person in people if keys & person.keys and not _differ(person, one)]
    return called[0] if alone and len(called) == 1 else None


def _differ(person: Person, one: dict[str, str]) -> bool:
    """Return whether an address, a number or an id says that these are two of one name.

    The id of a student without a name is no more than an upload's name.
    """
    pairs = [(person.columns[column], one[column]) for column in ("lms_user_id", "email")]
    return any(old and new for old, new in [*pairs, (person.name, one["id"])])


def _keys(one: dict[str, str]) -> set[str]:
    first, last = one["first_name"], one["last_name"]
    with_number = {name_key(last, first, one["lms_user_id"])} if one["lms_user_id"] else set()
    return {name_key(first, last), name_key(last, first)} - {""} | with_number


def _new_id(one: dict[str, str]) -> str:
    from grader.instructor.people import folder_name

    return folder_name(one["id"] or one["email"] or one["lms_user_id"])


def who_is_there(root: Path, coursedir: CourseDirectory) -> Iterator[str]:
    """Yield a line for each lesson that was submitted: who has not."""
    from grader.instructor.locate import Lessons
    from grader.instructor.people import roster
    from grader.instructor.submissions import submissions

    people = [one.id for one in roster(coursedir)]
    for lesson in sorted(Lessons(root / coursedir.release_directory).names):
        there = {normalize("NFC", one.student) for one in submissions(coursedir, lesson)}
        missing = [id for id in people if normalize("NFC", id) not in there]
        if there:
            names = f": {', '.join(missing)}" if missing else ""
            yield f"{lesson}: {len(missing)} of {len(people)} have not submitted{names}."


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `roster`."""
    does = "read the students of a course from Moodle's or Canvas's CSV; list who has not submitted"
    parser = subparsers.add_parser("roster", help=does)
    file = "Moodle's participants or Canvas's grades as CSV; without it, the students are listed"
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, help=file)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from grader.instructor.gradebook import course_directory
    from grader.instructor.people import roster

    root = authors_root(Path.cwd())
    coursedir, left_out = course_directory(root), list[str]()
    if arguments.file:
        counts, left_out = import_students(coursedir, arguments.file)
        lines = [counts, *left_out]
    else:
        people = roster(coursedir)
        lines = [
            "  ".join(filter(None, (one.id, one.name, one.columns["email"]))) for one in people
        ] or ["No students yet: `grader roster FILE` reads Moodle's or Canvas's CSV."]
    print("\n".join(map(one_line, [*lines, *who_is_there(root, coursedir)])))
    return SOME_LEFT_OUT if left_out else 0

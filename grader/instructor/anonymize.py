"""`grader anonymize`: write an archive in which pseudonyms take the place of names and ids.

It holds all that insights need: submitted and graded notebooks, their times, the gradebook and the
journals. All else is left out, because a command makes it again (feedback pages), or because it is
about people (uploads, reasons of extensions, settings, secrets, files that are no notebooks).
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from os.path import relpath
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import cast

from grader.author.lesson import Lesson, authors_root, load_lesson, named_lessons
from grader.comparison.present import STYLE, count_of, one_line
from grader.errors import UserError
from grader.execution.limits import OUTSIDE
from grader.execution.notebook import MAX_BYTES
from grader.files import parsed, read_regular
from grader.instructor.archive import (
    COLLECT,
    GRADEBOOK,
    class_files,
    default_target,
    is_text,
    manifest_of,
    write_zip,
)
from grader.instructor.blame import costs_only
from grader.instructor.journal import Record, journal_path, read_journal
from grader.instructor.locate import TIME, is_notebook
from grader.instructor.pseudonyms import Pseudonyms
from grader.instructor.received import read_records
from grader.instructor.run import Result
from grader.instructor.run_id import RunId, digest_of
from grader.processes import Guard

ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


def anonymize(
    root: Path, lessons: Sequence[Lesson], target: Path
) -> tuple[int, set[str], dict[str, str]]:
    """Write an archive with pseudonyms; return the number of students, and words that stay.

    Also return why files were left out. Nothing says which student a pseudonym means, and each
    archive has others.

    Raises:
        UserError: nothing was submitted, or the gradebook can't be read or copied.
        OSError: the archive can't be written.
    """
    from grader.instructor.gradebook import course_directory
    from grader.instructor.gradebook_copy import copy_lessons

    names = [one.name for one in lessons]
    found, beyond = class_files(root, names)
    students = _students(root, lessons, found)
    if not students:
        raise UserError(f"Nothing of {', '.join(names)} was submitted. {COLLECT}")
    pseudonyms = Pseudonyms(students, _known(lessons))
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files, digests, left_out = _notebooks(found, pseudonyms, folder)
        for lesson in lessons:
            path = journal_path(root, lesson.name)
            if path.exists():
                (folder / path.name).write_bytes(b"".join(_journal(path, pseudonyms, digests)))
                files[f"class/journal/{path.name}"] = folder / path.name
        if copy_lessons(course_directory(root), names, folder / "gradebook.db"):
            _rename_in_gradebook(folder / "gradebook.db", pseudonyms)
            files[GRADEBOOK] = folder / "gradebook.db"
        write_zip(target, manifest_of(root, lessons, anonymous=True), files)
    return len(students), pseudonyms.left, beyond | left_out


def _students(
    root: Path, lessons: Sequence[Lesson], files: dict[str, Path]
) -> dict[str, list[str]]:
    """Return the names and numbers of each student in the roster, folders, journals, uploads."""
    from grader.instructor.gradebook import course_directory
    from grader.instructor.people import roster

    students = {PurePosixPath(name).parts[2]: list[str]() for name in files if _by_student(name)}
    for lesson in lessons:
        journal = read_journal(journal_path(root, lesson.name))
        served = (student for student, _ in journal.shown)  # some of them were never graded
        students |= {one: [] for one in (*journal.notebooks, *served)}
    for person in roster(course_directory(root)):
        first, last = person.columns["first_name"], person.columns["last_name"]
        more = person.columns["email"], person.columns["lms_user_id"]
        students[person.id] = [first, last, f"{first} {last}", f"{last} {first}", *more]
    for lesson in lessons:
        for student, record in read_records(root, lesson.name).items():
            students.setdefault(student, []).extend([record["name"], record["id"]])
    return students


def _by_student(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return len(parts) > 3 and parts[1] in ("submitted", "autograded")


def _known(lessons: Sequence[Lesson]) -> Iterator[str]:
    """Yield texts whose words are no names: the lessons, and the style of a verdict."""
    yield STYLE
    for lesson in lessons:
        yield lesson.name
        yield json.dumps([*lesson.exercises])
        yield (lesson.release / f"{lesson.name}.ipynb").read_text(encoding="utf-8")
        yield (lesson.folder / f"{lesson.name}.md").read_text(encoding="utf-8")
        yield (lesson.folder / "exercises.py").read_text(encoding="utf-8")


def _notebooks(
    found: dict[str, Path], pseudonyms: Pseudonyms, folder: Path
) -> tuple[dict[str, Path], dict[str, str], dict[str, str]]:
    """Return notebooks and times under their new names, and new digests by those of before.

    Also return why others are left out. A file with another content is written to `folder`.
    """
    files, digests, left_out = dict[str, Path](), dict[str, str](), dict[str, str]()
    with closing(Guard(partial(_content, pseudonyms=pseudonyms), OUTSIDE.memory_bytes)) as guard:
        for number, (name, path) in enumerate(found.items()):
            parts, own = PurePosixPath(name).parts, path.name.lower()
            if not _by_student(name) or not (is_notebook(path) or own == TIME):
                continue
            inside = [pseudonyms.text(part) for part in parts[3:]]
            new = "/".join([*parts[:2], pseudonyms.ids[parts[2]], *inside])
            data = read_regular(path, MAX_BYTES + 1)
            with costs_only(name, left_out):
                changed = guard.call(OUTSIDE.seconds, data)
                digests[digest_of(data)] = digest_of(changed)
                files[new] = path
                if changed != data:
                    files[new] = folder / f"{number}"
                    files[new].write_bytes(changed)
    return files, digests, left_out


def _content(data: bytes, pseudonyms: Pseudonyms) -> bytes:
    """Return a file with pseudonyms; one without a name in it keeps its bytes."""
    try:
        notebook = json.loads(data)
        changed = pseudonyms.data(notebook)
        return data if changed == notebook else json.dumps(changed, indent=1).encode()
    except (ValueError, RecursionError):  # a text, or a damaged notebook
        code = json.detect_encoding(data)
        text = data.decode(code, "surrogateescape" if code.startswith("utf-8") else "replace")
        text = ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
        return pseudonyms.text(text).encode(errors="surrogateescape")


def _journal(path: Path, pseudonyms: Pseudonyms, digests: dict[str, str]) -> Iterator[bytes]:
    """Yield the lines of a journal with pseudonyms, and with the keys that follow from them."""
    keys: dict[str, str] = {}
    for line in path.read_bytes().splitlines():
        with suppress(ValueError, KeyError):  # a damaged line, or what follows from one
            record = cast(Record, parsed(line, Record))
            if "student" in record:
                record["student"] = pseudonyms.ids[record["student"]]
            if "graded" in record:
                digest = digests.get(record["digest"], record["digest"])
                run_id = RunId(record["grader_version"], record["lesson_version"], record["seed"])
                key = keys[record["graded"]] = run_id.key(record["student"], digest)
                result: Result = pseudonyms.data(record["result"])
                record |= {"graded": key, "digest": digest, "result": result}
            elif "written" in record:
                record["written"] = keys[record["written"]]
            yield json.dumps(record).encode() + b"\n"


def _rename_in_gradebook(file: Path, pseudonyms: Pseudonyms) -> None:
    from nbgrader.api import Comment, Student, SubmittedAssignment
    from sqlalchemy import select, update

    from grader.instructor.gradebook_copy import compact, writing

    nothing = {"first_name": None, "last_name": None, "email": None, "lms_user_id": None}
    with writing(file) as connection:
        # A folder's name may be no text; a gradebook has texts alone.
        written = {id: one for id, one in pseudonyms.ids.items() if is_text(id)}
        free = {id: f" {pseudonym}" for id, pseudonym in written.items()}
        ids = [*free.items(), *zip(free.values(), written.values(), strict=True)]
        for id, pseudonym in ids:  # an id may be another's pseudonym: student_1
            named = update(Student).where(Student.id == id)
            connection.execute(named.values(id=pseudonym, **nothing))
            submitted = update(SubmittedAssignment).where(SubmittedAssignment.student_id == id)
            connection.execute(submitted.values(student_id=pseudonym))
        for column in (Comment.auto_comment, Comment.manual_comment):
            texts = connection.execute(select(Comment.id, column).where(column.is_not(None))).all()
            for id, text in texts:
                one = update(Comment).where(Comment.id == id)
                connection.execute(one.values({column: pseudonyms.text(text)}))
        connection.commit()
    compact(file)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `anonymize`."""
    does = "write an archive of a class with pseudonyms in place of names and ids"
    parser = subparsers.add_parser("anonymize", help=does)
    parser.add_argument("lessons", metavar="LESSON", nargs="*", help="default: all lessons")
    parser.add_argument("--output", type=Path, help="default: class/archive/LESSON-anonymous.zip")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    target = arguments.output or default_target(root, arguments.lessons, "-anonymous")
    lessons = [load_lesson(folder) for folder in named_lessons(root, arguments.lessons)]
    count, left, left_out = anonymize(root, lessons, target)
    print(one_line(f"{relpath(target)}: {count_of(count, 'student')} with pseudonyms."))
    if left:
        why = "These are also words of a lesson or of Python, or short; alone they stay in texts"
        print(one_line(f"{why}: {', '.join(sorted(left))}."))
    for name, why in left_out.items():
        print(one_line(f"{name} was left out: {why}."))
    return 0

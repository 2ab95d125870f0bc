"""`grader return LESSON moodle|canvas`: make the archive of feedback and the file of points.

Files have the names by which Moodle and Canvas find a student: those that came in.

Moodle   NAME_PARTICIPANT_assignsubmission_file_/PAGE (mod/assign/feedback/file/importziplib.php)
Canvas   the name of a file in the download, of which it reads USER_ATTACHMENT
         (infer_comment_context_from_filename in app/models/assignment.rb)
"""

from __future__ import annotations

import argparse
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from io import BytesIO
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING

from grader.author.lesson import authors_root, named_lessons
from grader.comparison.present import count_of, listed, one_line
from grader.errors import SOME_LEFT_OUT, UserError
from grader.execution.notebook import UnreadableNotebook
from grader.files import atomic_write
from grader.instructor.journal import journal_path, read_journal
from grader.instructor.run_id import digest_of
from grader.instructor.uploads import canvas_name, name_key

if TYPE_CHECKING:  # nbgrader takes a second to import
    from nbgrader.coursedir import CourseDirectory

    from grader.instructor.people import Person
    from grader.instructor.received import Record

SYSTEMS = {"moodle": "Moodle", "canvas": "Canvas"}
WAY_IN = {
    "Moodle": "In Moodle: Submissions, Upload multiple feedback files in a zip.",
    "Canvas": "In Canvas: Gradebook, the assignment's menu, Re-Upload Submissions.",
}
BLIND = "participant"


def give_back(root: Path, lesson: str, system: str) -> tuple[list[str], dict[str, str]]:
    """Write a lesson's feedback and points to `class/return`, for Moodle or Canvas.

    Pages of feedback that are out of date are written first.

    Return sentences about the files, and why students are not in them, by student.

    Raises:
        UserError: no submission of the lesson came from this system, or none has points.
    """
    from grader.instructor.export import Canvas, MoodleWorksheet, write_points
    from grader.instructor.gradebook import course_directory
    from grader.instructor.nbgrader_feedback import write_pages
    from grader.instructor.people import roster
    from grader.instructor.received import read_records

    name = SYSTEMS[system]
    coursedir, left_out = course_directory(root), dict[str, str]()
    every = read_records(root, lesson)
    records = {student: one for student, one in every.items() if one["system"] == name}
    if not records:
        command = f"grader collect {lesson} FILE takes a download of {name}'s"
        raise UserError(f"No submission of {lesson} was collected from {name}; {command}.")
    others = sorted(every.keys() - records.keys())
    left_out |= dict.fromkeys(others, f"it was not collected from {name}")
    people = {one.id: one for one in roster(coursedir)}
    numbers = Counter(one["id"] for one in records.values())
    ids, pages = dict[str, str](), dict[str, Path]()
    for student, record in records.items():
        if why := _why_not(record, people.get(student), numbers):
            left_out[student] = why
            continue
        ids[student] = record["id"]
    if ids:
        made = write_pages(root, lesson, [*ids])
        for student in sorted([*made.written, *made.unchanged]):
            page = root / "class" / "feedback" / student / lesson / f"{lesson}.html"
            pages[_name_inside(records[student], lesson)] = page
        left_out |= made.failed
    folder = root / "class" / "return"
    archive, points = folder / f"{lesson}-{system}.zip", folder / f"{lesson}-{system}.csv"
    form = MoodleWorksheet if name == "Moodle" else Canvas
    exporter = write_points(coursedir, lesson, form, points, ids)
    atomic_write(archive, _zipped(pages))
    for student in sorted(ids.keys() - {*exporter.written}):
        left_out[student] = "it has no points yet"
    lines = [
        f"{relpath(archive)}: {count_of(len(pages), 'page')} of feedback. {WAY_IN[name]}",
        f"{relpath(points)}: the points of {count_of(len(exporter.written), 'student')}."
        f" {exporter.next_step}",
    ]
    if newer := [*_with_newer(root, coursedir, lesson, exporter.written)]:
        lines.append(
            f"Of an earlier submission, as the newer one is not graded: {', '.join(newer)}."
            f" `grader autograde {lesson}` grades it, or says why it can't."
        )
    return lines, left_out


def _with_newer(
    root: Path, coursedir: CourseDirectory, lesson: str, students: Collection[str]
) -> Iterator[str]:
    """Yield the students who submitted another notebook than the one that has the points."""
    from grader.instructor.submissions import submissions

    journal = read_journal(journal_path(root, lesson))
    for one in submissions(coursedir, lesson, [*students]) if students else ():
        grading, digest = journal.latest.get(one.student), ""
        with suppress(UnreadableNotebook):
            digest = digest_of(one.read())
        if grading and grading.digest != digest:
            yield one.student


def _why_not(record: Record, person: Person | None, numbers: Counter[str]) -> str:
    """Return why nothing can go back under a record's number, or nothing."""
    number, name = record["id"], record["name"]
    if not number.isascii() or not number.isdigit():
        return f"{record['system']} gave no number for this student"
    if record["system"] == "Canvas" and {*record["files"]} <= {"text.html", "link.html"}:
        return "Canvas takes feedback for files only"
    if numbers[number] > 1:
        return f"{numbers[number]} students share upload {number}, so it may be a group's"
    own = person is None or not person.name or name_key(name) in {*person.keys, BLIND, ""}
    if not own and record["system"] == "Moodle":
        return f"upload {number} is {name}'s, so its number may be a group's"
    return ""


def _name_inside(record: Record, lesson: str) -> str:
    """Return the name in the archive by which the system finds the student."""
    if record["system"] == "Moodle":
        name = "-".join(record["name"].replace("_", " ").split("/"))
        return f"{name}_{record['id']}_assignsubmission_file_/{lesson}.html"
    files = [one for one, _ in filter(None, map(canvas_name, record["files"].values()))]
    files = [one for one in files if one["file"]]
    *_, last = sorted(files, key=lambda one: (".ipynb" in one["file"], int(one["attachment"])))
    return f"{last[0].removesuffix('.ipynb')}.html"


def _zipped(pages: dict[str, Path]) -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, page in pages.items():
            archive.writestr(name, page.read_bytes())
    return data.getvalue()


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `return`."""
    does = "make the files that give feedback and points back to Moodle or Canvas"
    parser = subparsers.add_parser(
        "return",
        help=does,
        description=f"{does.capitalize()}, in class/return.",
        epilog=f"Exit code: 0, or {SOME_LEFT_OUT} where some students are not in them.",
    )
    parser.add_argument("lesson", metavar="LESSON")
    parser.add_argument("system", choices=tuple(SYSTEMS), help="where the submissions came from")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    lesson = named_lessons(root, [arguments.lesson])[0].name
    lines, left_out = give_back(root, lesson, arguments.system)
    print("\n".join(map(one_line, [*lines, *listed("Left out", left_out.items())])))
    return SOME_LEFT_OUT if left_out else 0

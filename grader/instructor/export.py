"""Export a lesson's points as the CSV file that Moodle or Canvas imports.

Both are exporters of nbgrader's:

    nbgrader export --exporter=grader.instructor.export.Moodle \\
        --assignment='["neuron"]' --to=points.csv
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path

from nbgrader.api import Gradebook, Student, SubmittedAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import ExportPlugin

from grader.author.lesson import LessonError
from grader.files import atomic_write
from grader.instructor.gradebook import open_gradebook, timestamps_in
from grader.instructor.people import folder_name

HARMLESS = re.compile(r"-|[+-]?[0-9]+(\.[0-9]+)?")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
AFTER_SEPARATOR = re.compile(r"(;\s*)(?=[=+\-@])")
"""A formula in a cell for a spreadsheet that takes ; for the end of a cell, as in Germany."""

Row = tuple[Student, dict[str, float]]
"""A student with points by lesson."""


class PointsExport(ExportPlugin):  # type: ignore[misc]
    """Write the points of all students with a submission.

    Other students are left out: an empty cell would erase points in the other system.

    Attributes:
        ids: the other system's identifiers by student, where only these students are meant.
        written: the ids of the students in the file.
    """

    system = next_step = ""
    ids: Mapping[str, str] | None = None
    written: Sequence[str] = ()

    def export(self, gradebook: Gradebook) -> None:
        """Write the file that ``--to`` names (nbgrader's hook)."""
        target = Path(self.to or f"{self.system.lower()}.csv")
        wanted = set(map(str, self.assignment))
        lessons = [one for one in gradebook.assignments if not wanted or one.name in wanted]
        possible = {one.name: float(one.max_score) for one in lessons}
        rows = [
            row for row in _rows(gradebook, possible) if self.ids is None or row[0].id in self.ids
        ]
        self.written = [student.id for student, _ in rows]
        text = StringIO(newline="")
        csv.writer(text).writerows(map(escape_formula, line) for line in self.lines(possible, rows))
        atomic_write(target, text.getvalue())
        self.log.info("Wrote the points of %d students to %s", len(rows), target)

    def lines(self, possible: dict[str, float], rows: Sequence[Row]) -> Iterator[list[str]]:
        """Yield the lines of the file, the header first; `possible` holds points by lesson."""
        raise NotImplementedError


class Moodle(PointsExport):
    """The form of Moodle, which finds a student by username or e-mail address."""

    system = "Moodle"

    def lines(self, possible: dict[str, float], rows: Sequence[Row]) -> Iterator[list[str]]:
        """Yield the lines of the file, the header first."""
        by_mail = any(
            student.email and student.id.casefold() == folder_name(student.email).casefold()
            for student, _ in rows
        )
        heading = "Email address" if by_mail else "Username"
        self.next_step = (
            "In Moodle: Grades, Import, CSV file; map the lesson to its grade item, and identify"
            f" users by their {heading.lower()}."
        )
        yield [heading, *possible]
        for student, points in rows:
            user = student.email if by_mail and student.email else student.id
            yield [user, *(_number(points.get(name), "-") for name in possible)]


class MoodleWorksheet(PointsExport):
    """The grading worksheet of an assignment in Moodle, which finds a student by `ids`.

    Moodle needs three of its columns (mod/assign/feedback/offline/importgradeslib.php).
    """

    system = "Moodle"

    def lines(self, possible: dict[str, float], rows: Sequence[Row]) -> Iterator[list[str]]:
        """Yield the lines of the file, the header first."""
        yield ["Identifier", "Full name", "Grade", "Last modified (grade)"]
        most = max(possible.values(), default=0.0)
        self.next_step = (
            f"In Moodle: Submissions, Upload grading worksheet, with updates of newer records"
            f" allowed; its maximum grade must be {most:g} or more."
        )
        for student, points in rows:
            name = " ".join(filter(None, (student.first_name, student.last_name)))
            identifier = f"Participant {(self.ids or {})[student.id]}"
            yield [identifier, name or student.id, *map(_number, points.values()), "-"]


class Canvas(PointsExport):
    """The form of Canvas: Grades, Import.

    Canvas finds a student by ID, one of `ids` or nbgrader's lms_user_id, or by SIS Login ID,
    nbgrader's student id.
    """

    system = "Canvas"
    next_step = "In Canvas: Grades, Import; name the column as Canvas's own export does."

    def lines(self, possible: dict[str, float], rows: Sequence[Row]) -> Iterator[list[str]]:
        """Yield the lines of the file, the header first."""
        yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *possible]
        yield ["    Points Possible", "", "", "", "", *map(_number, possible.values())]
        for student, points in rows:
            name = ", ".join(filter(None, (student.last_name, student.first_name)))
            number = (self.ids or {}).get(student.id) or student.lms_user_id or ""
            login = student.id if self.ids is None else ""
            identity = [name or student.id, number, "", login, ""]
            yield [*identity, *(_number(points.get(lesson)) for lesson in possible)]


def write_points(
    coursedir: CourseDirectory,
    lesson: str,
    exporter: type[PointsExport],
    target: Path,
    ids: Mapping[str, str] | None = None,
) -> PointsExport:
    """Write a lesson's points of all students, or of those in `ids`; return the exporter.

    Raises:
        LessonError: the lesson has no points.
        GradebookUnusable: the gradebook can't be read.
    """
    if not timestamps_in(coursedir, lesson):
        raise LessonError(f"{lesson} has no points; run grader autograde {lesson}")
    target.parent.mkdir(parents=True, exist_ok=True)
    export = exporter(config=coursedir.config, assignment=[lesson], to=str(target))
    export.ids = ids
    with open_gradebook(coursedir) as gradebook:
        export.export(gradebook)
    return export


def escape_formula(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run as a formula."""
    cell = AFTER_SEPARATOR.sub(r"\1'", cell)
    starts = cell.lstrip(" ").startswith(FORMULA_STARTS)
    return f"'{cell}" if starts and not HARMLESS.fullmatch(cell) else cell


def _rows(gradebook: Gradebook, possible: dict[str, float]) -> Iterator[Row]:
    """Yield the students with points in the order of their ids; points after penalties."""
    for student in sorted(gradebook.students, key=lambda one: str(one.id)):
        points = {
            one.name: max(0.0, one.score - one.late_submission_penalty)
            for one in student.submissions
            if one.name in possible and _graded(one)
        }
        if points:
            yield student, points


def _graded(submission: SubmittedAssignment) -> bool:
    """Return whether a submission has points: an extension may come before it."""
    grades = (grade for notebook in submission.notebooks for grade in notebook.grades)
    return any(one.auto_score is not None or one.manual_score is not None for one in grades)


def _number(points: float | None, missing: str = "") -> str:
    return missing if points is None else f"{round(points, 2):g}"

"""Export a lesson's points as the CSV file that Moodle or Canvas imports.

Both are exporters of nbgrader's:

    nbgrader export --exporter=grader.instructor.export.Moodle \\
        --assignment='["neuron"]' --to=points.csv
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

from nbgrader.api import Gradebook, Student, SubmittedAssignment
from nbgrader.plugins import ExportPlugin

from grader.files import atomic_write

HARMLESS = re.compile(r"-|[+-]?[0-9]+(\.[0-9]+)?")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")

Row = tuple[Student, dict[str, float]]
"""A student with points by lesson."""


class PointsExport(ExportPlugin):  # type: ignore[misc]
    """Write the points of all students with a submission.

    Other students are left out: an empty cell would erase points in the other system.
    """

    system = next_step = ""

    def export(self, gradebook: Gradebook) -> None:
        """Write the file that ``--to`` names (nbgrader's hook)."""
        target = Path(self.to or f"{self.system.lower()}.csv")
        wanted = set(map(str, self.assignment))
        lessons = [one for one in gradebook.assignments if not wanted or one.name in wanted]
        possible = {one.name: float(one.max_score) for one in lessons}
        rows = list(_rows(gradebook, possible))
        text = StringIO(newline="")
        csv.writer(text).writerows(map(escape_formula, line) for line in self.lines(possible, rows))
        atomic_write(target, text.getvalue())
        self.log.info("Wrote the points of %d students to %s", len(rows), target)

    def lines(self, possible: dict[str, float], rows: Sequence[Row]) -> Iterator[list[str]]:
        """Yield the lines of the file, the header first; `possible` holds points by lesson."""
        raise NotImplementedError


class Moodle(PointsExport):
    """The form of Moodle, which finds a student by username."""

    system = "Moodle"
    next_step = "In Moodle: Grades, Import, CSV file; map the lesson to its grade item."

    def lines(self, possible: dict[str, float], rows: Sequence[Row]) -> Iterator[list[str]]:
        """Yield the lines of the file, the header first."""
        yield ["Username", *possible]
        for student, points in rows:
            yield [student.id, *(_number(points.get(name), "-") for name in possible)]


class Canvas(PointsExport):
    """The form of Canvas: Grades, Import.

    Canvas finds a student by ID, nbgrader's lms_user_id, or by SIS Login ID, nbgrader's student id.
    """

    system = "Canvas"
    next_step = "In Canvas: Grades, Import; name the column as Canvas's own export does."

    def lines(self, possible: dict[str, float], rows: Sequence[Row]) -> Iterator[list[str]]:
        """Yield the lines of the file, the header first."""
        yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *possible]
        yield ["    Points Possible", "", "", "", "", *map(_number, possible.values())]
        for student, points in rows:
            name = ", ".join(filter(None, (student.last_name, student.first_name)))
            identity = [name or student.id, student.lms_user_id or "", "", student.id, ""]
            yield [*identity, *(_number(points.get(lesson)) for lesson in possible)]


def escape_formula(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run as a formula."""
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

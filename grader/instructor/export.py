"""Export a lesson's points as the CSV file that Moodle or Canvas imports.

Each is an exporter of nbgrader's: ``nbgrader export --exporter=grader.instructor.export.Moodle --assignment='["neuron"]' --to=points.csv``.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nbgrader.api import Gradebook, Student, SubmittedAssignment
from nbgrader.plugins import ExportPlugin

RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula."""

Cells = list[str]


class _Row(NamedTuple):
    student: Student
    points: dict[str, float]


class PointsExport(ExportPlugin):  # type: ignore[misc]
    """What both forms share: who is in the file, and how it is written.

    A student without a submission is left out: an empty cell would erase what the other system has.
    """

    system = next_step = ""

    def export(self, gradebook: Gradebook) -> None:
        """nbgrader's hook: write the file that ``--to`` names."""
        target = Path(self.to or f"{self.system.lower()}.csv")
        names = [
            one.name
            for one in gradebook.assignments
            if not self.assignment or one.name in map(str, self.assignment)
        ]
        most = {
            one.name: float(one.max_score) for one in gradebook.assignments if one.name in names
        }
        rows = [
            row
            for row in _rows(gradebook, names)
            if not self.student or row.student.id in map(str, self.student)
        ]
        with open(
            half := target.with_name(f".{target.name}.half"), "w", newline="", encoding="utf-8"
        ) as file:
            csv.writer(file).writerows(
                [tamed(cell) for cell in line] for line in self.lines(names, most, rows)
            )
        os.replace(half, target)
        self.log.info(
            "Wrote the points of %d students for %s to %s", len(rows), self.system, target
        )

    def lines(
        self, names: Sequence[str], most: dict[str, float], rows: Sequence[_Row]
    ) -> Iterator[Cells]:
        """The lines of the file, the heads first."""
        raise NotImplementedError


class Moodle(PointsExport):
    """For Moodle: Grades, Import, CSV file; map the column Username to "Username", and each lesson to its grade item.

    A column that isn't filled for everyone is left out: Moodle gives the points of a line whose identifier is empty to the
    student of the line before.
    """

    system = "Moodle"
    next_step = "In Moodle: Grades, Import, CSV file; map Username to Username, and the lesson to its grade item."

    def lines(
        self, names: Sequence[str], most: dict[str, float], rows: Sequence[_Row]
    ) -> Iterator[Cells]:
        """The lines of the file, the heads first."""
        facts = {"First name": "first_name", "Last name": "last_name", "Email address": "email"}
        full = {
            head: field
            for head, field in facts.items()
            if rows and all(getattr(row.student, field) for row in rows)
        }
        yield ["Username", *full, *names]
        for row in rows:
            yield [
                row.student.id,
                *(getattr(row.student, field) for field in full.values()),
                *(_number(row.points.get(name), "-") for name in names),
            ]


class Canvas(PointsExport):
    """For Canvas: Gradebook, Import; it finds a student by ID, which is nbgrader's lms_user_id, else by SIS Login ID, which is nbgrader's student id."""

    system = "Canvas"
    next_step = "In Canvas: Grades, Import; name the column as Canvas's own export does where the assignment is there already."

    def lines(
        self, names: Sequence[str], most: dict[str, float], rows: Sequence[_Row]
    ) -> Iterator[Cells]:
        """The lines of the file, the heads first."""
        yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *names]
        yield ["    Points Possible", "", "", "", "", *(_number(most[name]) for name in names)]
        for student, points in rows:
            name = (
                f"{student.last_name}, {student.first_name}"
                if student.last_name and student.first_name
                else student.last_name or student.id
            )
            yield [
                name,
                student.lms_user_id or "",
                "",
                student.id,
                "",
                *(_number(points.get(one)) for one in names),
            ]


def tamed(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe stands before what would begin one, but not before a plain number."""
    return (
        f"'{cell}"
        if cell.lstrip(" ").startswith(RUNS) and cell != "-" and not _is_number(cell)
        else cell
    )


def _rows(gradebook: Gradebook, names: Sequence[str]) -> Iterator[_Row]:
    """The students who handed something in, in the order of their ids, with their points after penalties."""
    for student in sorted(gradebook.students, key=lambda one: str(one.id)):
        handed_in: list[SubmittedAssignment] = [
            one for one in student.submissions if one.name in names
        ]
        if handed_in:
            yield _Row(
                student,
                {one.name: max(0.0, one.score - one.late_submission_penalty) for one in handed_in},
            )


def _number(points: float | None, missing: str = "") -> str:
    return missing if points is None else f"{round(points, 2):g}"


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True

"""Read students, points, penalties and times of a lesson from nbgrader's gradebook."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import Connection, select

from grader.instructor.gradebook import reading


@dataclass
class GradebookRow:
    """What the gradebook has of one student.

    Attributes:
        names: first name, last name and e-mail address, "" where they are not known.
        submitted: whether there is a submission of this lesson.
        timestamp: when it was handed in, in UTC.
        due: until when it had to be, with this student's extension.
        penalty: points that handing in late costs.
        scores: points by exercise, those given by hand included.
        by_hand: exercises whose points someone gave by hand.
    """

    names: tuple[str, str, str]
    submitted: bool = False
    timestamp: datetime | None = None
    due: datetime | None = None
    penalty: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)
    by_hand: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Book:
    """The gradebook's part of a lesson: its due date in UTC, and its students by id."""

    due: datetime | None
    students: dict[str, GradebookRow]


def read_book(coursedir: CourseDirectory, lesson: str) -> Book:
    """What the gradebook has; nothing where there is none.

    Raises:
        GradebookUnusable: it can't be read.
    """
    with reading(coursedir) as connection:
        if connection is None:
            return Book(None, {})
        people = connection.execute(
            select(Student.id, Student.first_name, Student.last_name, Student.email).order_by(
                Student.id
            )
        )
        students = {
            row.id: GradebookRow((row.first_name or "", row.last_name or "", row.email or ""))
            for row in people
        }
        due = connection.execute(
            select(Assignment.duedate).where(Assignment.name == lesson)
        ).scalar()
        _read_submissions(connection, lesson, due, students)
        _read_grades(connection, lesson, students)
    return Book(due, students)


def _read_submissions(
    connection: Connection, lesson: str, due: datetime | None, students: dict[str, GradebookRow]
) -> None:
    wanted = select(
        SubmittedAssignment.student_id,
        SubmittedAssignment.timestamp,
        SubmittedAssignment.extension,
        SubmittedNotebook.late_submission_penalty,
    )
    joined = wanted.join(Assignment, SubmittedAssignment.assignment_id == Assignment.id).outerjoin(
        SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id
    )
    for row in connection.execute(joined.where(Assignment.name == lesson)):
        student = students[row.student_id]
        student.submitted, student.timestamp = True, row.timestamp
        student.due = due + row.extension if due and row.extension else due
        student.penalty += row.late_submission_penalty or 0.0


def _read_grades(connection: Connection, lesson: str, students: dict[str, GradebookRow]) -> None:
    wanted = select(
        SubmittedAssignment.student_id,
        BaseCell.name,
        Grade.score.label("score"),
        Grade.manual_score,
    )
    joined = wanted.join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id).join(
        BaseCell, Grade.cell_id == BaseCell.id
    )
    of_lesson = joined.join(
        SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id
    ).join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
    for row in connection.execute(of_lesson.where(Assignment.name == lesson)):
        exercise = row.name.removeprefix("check-")
        students[row.student_id].scores[exercise] = row.score
        if row.manual_score is not None:
            students[row.student_id].by_hand.add(exercise)

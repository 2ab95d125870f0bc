"""Write results to nbgrader's gradebook, one commit a submission, as nbgrader would."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from nbformat import from_dict
from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Gradebook,
    Notebook,
    SourceCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties, SaveCells
from sqlalchemy import Connection, create_engine, inspect, make_url, select
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from grader.author.lesson import LessonError
from grader.instructor.feedback import Released

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class GradebookUnusable(OSError):
    """The gradebook can't be read or written; the message says why and what helps."""


def course_directory(root: Path) -> CourseDirectory:
    """nbgrader's own view of the course at `root`: where everything lies, and its settings."""
    config: Config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    return CourseDirectory(config=config)


@dataclass
class Book:
    """The gradebook, open for one lesson.

    Attributes:
        cells: ids of the graded cells and of the answers' cells in the gradebook, by name.
        due: until when it is to be handed in, in UTC, or None.
    """

    gradebook: Gradebook
    lesson: str
    assignment: str
    notebook: str
    cells: dict[str, str]
    due: datetime | None
    penalties: AssignLatePenalties

    def write(
        self,
        student: str,
        timestamp: datetime | None,
        scores: dict[str, float],
        unanswered: set[str],
    ) -> None:
        """Write one submission: all of it, in one commit, or nothing. What was given by hand stays.

        A run of another lesson may make the same student meanwhile; then it is written once more.

        Args:
            student: created where the gradebook doesn't know them.
            timestamp: when it was handed in, in UTC.
            scores: the points of each graded cell.
            unanswered: the exercises in whose cell nothing was written.
        """
        try:
            self._write(student, timestamp, scores, unanswered)
        except IntegrityError:
            self.gradebook.db.rollback()
            self._write(student, timestamp, scores, unanswered)

    def _write(
        self,
        student: str,
        timestamp: datetime | None,
        scores: dict[str, float],
        unanswered: set[str],
    ) -> None:
        db = self.gradebook.db
        with db.no_autoflush:  # one flush, at the commit, in place of one before each question
            if db.query(Student.id).filter_by(id=student).first() is None:
                db.add(Student(id=student))
            submission, notebook = self._submitted(student)
            submission.timestamp = timestamp
            earned = self._grade(notebook, scores)
            self._comment(notebook, unanswered)
            notebook.late_submission_penalty = self._penalty(student, submission, earned)
            db.commit()
        db.expunge_all()

    def _submitted(self, student: str) -> tuple[SubmittedAssignment, SubmittedNotebook]:
        """The rows of a submission and its notebook; made where they are not there."""
        db = self.gradebook.db
        submission = (
            db.query(SubmittedAssignment)
            .filter_by(assignment_id=self.assignment, student_id=student)
            .one_or_none()
        )
        notebook = (
            submission
            and db.query(SubmittedNotebook)
            .filter_by(assignment_id=submission.id, notebook_id=self.notebook)
            .one_or_none()
        )
        if submission is None:
            submission = SubmittedAssignment(
                id=uuid4().hex, assignment_id=self.assignment, student_id=student
            )
            db.add(submission)
        if notebook is None:
            notebook = SubmittedNotebook(
                id=uuid4().hex, assignment_id=submission.id, notebook_id=self.notebook
            )
            db.add(notebook)
        return submission, notebook

    def _rows(self, kind: type[Any], notebook: SubmittedNotebook) -> dict[str, Any]:
        """The grades or the comments of a notebook by cell; a notebook that is new has none."""
        new = notebook in self.gradebook.db.new
        return (
            {}
            if new
            else {
                row.cell_id: row
                for row in self.gradebook.db.query(kind).filter_by(notebook_id=notebook.id)
            }
        )

    def _grade(self, notebook: SubmittedNotebook, scores: dict[str, float]) -> float:
        """Write the automatic points; returns what the notebook earns with those given by hand."""
        db = self.gradebook.db
        there = self._rows(Grade, notebook)
        earned = 0.0
        for name, score in scores.items():
            cell = self.cells[name]
            if (grade := there.get(cell)) is None:
                db.add(grade := Grade(cell_id=cell, notebook_id=notebook.id))
            grade.auto_score = score
            grade.needs_manual_grade = (
                grade.manual_score is not None
            )  # as nbgrader: a grade given by hand wants another look
            earned += (score if grade.manual_score is None else grade.manual_score) + (
                grade.extra_credit or 0
            )
        return earned

    def _comment(self, notebook: SubmittedNotebook, unanswered: set[str]) -> None:
        db = self.gradebook.db
        there = self._rows(Comment, notebook)
        for name, cell in self.cells.items():
            if name.startswith("check-"):
                continue
            if (comment := there.get(cell)) is None:
                db.add(comment := Comment(cell_id=cell, notebook_id=notebook.id))
            comment.auto_comment = "No response." if name in unanswered else None

    def _penalty(
        self, student: str, submission: SubmittedAssignment, earned: float
    ) -> float | None:
        """What handing in late costs, by the plugin that nbgrader is configured with; None where it was in time."""
        due = self.due
        if submission.timestamp is None or due is None:
            return None
        late = (
            submission.timestamp - (due + submission.extension if submission.extension else due)
        ).total_seconds()
        penalty = (
            self.penalties.plugin_inst.late_submission_penalty(student, earned, late)
            if late > 0
            else None
        )
        return None if penalty is None else min(max(penalty, 0.0), earned)


@contextmanager
def open_book(coursedir: CourseDirectory, lesson: str, notebook: Released) -> Iterator[Book]:
    """The gradebook of a course, with the lesson's assignment in it as `nbgrader generate_assignment` would have put it there.

    Raises:
        LessonError: the gradebook's edition of the lesson has other cells, and submissions.
        GradebookUnusable: it is locked, too old, damaged or can't be written; inside the block as well.
    """
    with open_gradebook(coursedir) as gradebook:
        gradebook.update_or_create_assignment(lesson)
        if _sources(gradebook, lesson) != _wanted(notebook):
            _save_cells(coursedir, lesson, notebook)
            gradebook.db.expire_all()
        found = gradebook.find_notebook(lesson, lesson)
        cells = {cell.name: cell.id for cell in (*found.grade_cells, *found.solution_cells)}
        penalties = AssignLatePenalties(config=coursedir.config)
        penalties.init_plugin()
        yield Book(
            gradebook,
            lesson,
            found.assignment_id,
            found.id,
            cells,
            found.assignment.duedate,
            penalties,
        )


@contextmanager
def open_gradebook(coursedir: CourseDirectory) -> Iterator[Gradebook]:
    """The gradebook as nbgrader opens it, made where there is none.

    Raises:
        GradebookUnusable: it is locked, too old, damaged or can't be written; inside the block as well.
    """
    with _in_words(coursedir), _connected(coursedir) as gradebook:
        yield gradebook


def timestamps_in(coursedir: CourseDirectory, lesson: str) -> dict[str, datetime | None]:
    """When each student in the gradebook handed a lesson in, read without changing or making anything.

    Raises:
        GradebookUnusable: it can't be read.
    """
    rows = select(SubmittedAssignment.student_id, SubmittedAssignment.timestamp).join(
        Assignment, SubmittedAssignment.assignment_id == Assignment.id
    )
    with reading(coursedir) as connection:
        return (
            {
                row.student_id: row.timestamp
                for row in connection.execute(rows.where(Assignment.name == lesson))
            }
            if connection
            else {}
        )


@contextmanager
def reading(coursedir: CourseDirectory) -> Iterator[Connection | None]:
    """The gradebook for reading, without changing or making anything; None where there is none yet.

    Raises:
        GradebookUnusable: it can't be read; inside the block as well.
    """
    url = make_url(coursedir.db_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        yield None
        return
    engine = create_engine(url)
    try:
        with _in_words(coursedir):
            if not inspect(engine).has_table(
                SubmittedAssignment.__tablename__
            ):  # nbgrader has not made its tables yet
                yield None
                return
            with engine.connect() as connection:
                yield connection
    finally:
        engine.dispose()


def _connected(coursedir: CourseDirectory) -> Gradebook:
    """The gradebook, made where there is none; one run at a time, because of two that make its tables at once both may fail."""
    folder = Path(make_url(coursedir.db_url).database or "").parent
    if fcntl is None or not folder.is_dir():
        return Gradebook(coursedir.db_url, coursedir.course_id)
    turn = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        return Gradebook(coursedir.db_url, coursedir.course_id)
    finally:
        os.close(turn)


@contextmanager
def _in_words(coursedir: CourseDirectory) -> Iterator[None]:
    """Turns what the database refuses into a sentence."""
    try:
        yield
    except DatabaseError as error:
        if isinstance(error, IntegrityError | DataError):
            raise
        url = make_url(coursedir.db_url)
        name, said = Path(url.database or "").name or "the gradebook", str(error.orig)
        ways = {
            "locked": "another program is writing to it; wait until it has ended",
            "no such column": "an older nbgrader made it; copy the file to a safe place, then run nbgrader db upgrade",
            "no such table": "an older nbgrader made it; copy the file to a safe place, then run nbgrader db upgrade",
            "readonly": "it may not be changed; make the file and its folder yours to write",
            "full": "the disk is full; make room",
            "not a database": "it is damaged; put a copy of it back, or rename it, and a new one is made",
            "malformed": "it is damaged; put a copy of it back, or rename it, and a new one is made",
        }
        way = next(
            (way for word, way in ways.items() if word in said), "see what the database says"
        )
        raise GradebookUnusable(f"{name}: {said}: {way}") from error


def _sources(gradebook: Gradebook, lesson: str) -> dict[str, Any]:
    rows = gradebook.db.query(SourceCell.name, SourceCell.checksum).join(
        Notebook, SourceCell.notebook_id == Notebook.id
    )
    return dict(
        rows.join(Assignment, Notebook.assignment_id == Assignment.id)
        .filter(Assignment.name == lesson, Notebook.name == lesson)
        .all()
    )


def _wanted(notebook: Released) -> dict[str, Any]:
    return {
        cell_id: cell["metadata"]["nbgrader"].get("checksum")
        for cell_id, cell in notebook.cells.items()
        if "nbgrader" in cell["metadata"]
    }


def _save_cells(coursedir: CourseDirectory, lesson: str, notebook: Released) -> None:
    """Tell the gradebook which cells a lesson has, by nbgrader's own means."""
    cells = [{**cell, "source": "".join(cell["source"])} for cell in notebook.cells.values()]
    resources = {"nbgrader": {"notebook": lesson, "assignment": lesson, "db_url": coursedir.db_url}}
    notebook_node = from_dict({"cells": cells, "metadata": notebook.metadata})  # type: ignore[no-untyped-call]
    try:
        SaveCells(config=coursedir.config).preprocess(notebook_node, resources)
    except RuntimeError:
        raise LessonError(
            f"the gradebook holds submissions to another edition of {lesson}, with other cells; keep it by renaming class/gradebook.db, and grade again"
        ) from None

"""Write results to nbgrader's gradebook, one commit a submission, as nbgrader would."""

from __future__ import annotations

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
from grader.errors import UserError
from grader.files import folder_lock
from grader.instructor.feedback import ReleasedLesson

OLDER = "an older nbgrader made it; copy the file to a safe place, then run nbgrader db upgrade"
DAMAGED = "it is damaged; restore a copy, or rename it, and a new one is made"
ADVICE = {
    "locked": "another program is writing to it; wait until it has ended",
    "no such column": OLDER,
    "no such table": OLDER,
    "readonly": "it may not be changed; make the file and its folder writable for you",
    "full": "the disk is full; make room",
    "not a database": DAMAGED,
    "malformed": DAMAGED,
}
"""Ways out, by a part of SQLite's message."""


class GradebookUnusable(UserError):
    """The gradebook can't be read or written."""


def course_directory(root: Path) -> CourseDirectory:
    """Return nbgrader's view of the course at `root`: its folders and settings."""
    config: Config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    return CourseDirectory(config=config)


@dataclass
class LessonGradebook:
    """The gradebook, open for writing one lesson: ids of its rows and cells, due date in UTC."""

    gradebook: Gradebook
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
        """Write one submission, all of it or nothing; points and comments given by hand stay."""
        db = self.gradebook.db
        for last_try in (False, True):
            try:
                with db.no_autoflush:  # one flush at the commit, instead of one before each query
                    if db.query(Student.id).filter_by(id=student).first() is None:
                        db.add(Student(id=student))
                    submission, notebook = self._submitted(student)
                    submission.timestamp = timestamp
                    earned = self._grade(notebook, scores)
                    self._comment(notebook, unanswered)
                    notebook.late_submission_penalty = self._penalty(student, submission, earned)
                    db.commit()
                break
            except Exception as error:
                db.rollback()
                # A run of another lesson may have added the student at the same moment.
                if last_try or not isinstance(error, IntegrityError):
                    raise
        db.expunge_all()

    def _submitted(self, student: str) -> tuple[SubmittedAssignment, SubmittedNotebook]:
        """Return the rows of a submission and its notebook, created where they are missing."""
        db = self.gradebook.db
        submissions = db.query(SubmittedAssignment)
        wanted = {"assignment_id": self.assignment, "student_id": student}
        submission = submissions.filter_by(**wanted).one_or_none()
        if submission is None:
            submission = SubmittedAssignment(id=uuid4().hex, **wanted)
            db.add(submission)
        wanted = {"assignment_id": submission.id, "notebook_id": self.notebook}
        notebook = db.query(SubmittedNotebook).filter_by(**wanted).one_or_none()
        if notebook is None:
            notebook = SubmittedNotebook(id=uuid4().hex, **wanted)
            db.add(notebook)
        return submission, notebook

    def _rows(self, kind: type[Any], notebook: SubmittedNotebook) -> dict[str, Any]:
        """Return the grades or comments of a notebook by cell."""
        db = self.gradebook.db
        if notebook in db.new:
            return {}
        return {row.cell_id: row for row in db.query(kind).filter_by(notebook_id=notebook.id)}

    def _grade(self, notebook: SubmittedNotebook, scores: dict[str, float]) -> float:
        """Write the automatic points; return the total, with points given by hand."""
        there = self._rows(Grade, notebook)
        earned = 0.0
        for name, score in scores.items():
            cell = self.cells[name]
            if (grade := there.get(cell)) is None:
                self.gradebook.db.add(grade := Grade(cell_id=cell, notebook_id=notebook.id))
            by_hand = grade.manual_score
            grade.auto_score = score
            # As nbgrader does: a grade given by hand needs another look.
            grade.needs_manual_grade = by_hand is not None
            earned += (score if by_hand is None else by_hand) + (grade.extra_credit or 0)
        return earned

    def _comment(self, notebook: SubmittedNotebook, unanswered: set[str]) -> None:
        there = self._rows(Comment, notebook)
        for name, cell in self.cells.items():
            if name.startswith("check-"):
                continue
            if (comment := there.get(cell)) is None:
                self.gradebook.db.add(comment := Comment(cell_id=cell, notebook_id=notebook.id))
            comment.auto_comment = "No response." if name in unanswered else None

    def _penalty(
        self, student: str, submission: SubmittedAssignment, earned: float
    ) -> float | None:
        """Return the penalty of nbgrader's configured plugin; None for a submission in time."""
        if submission.timestamp is None or self.due is None:
            return None
        due = self.due + submission.extension if submission.extension else self.due
        late = (submission.timestamp - due).total_seconds()
        if late <= 0:
            return None
        penalty = self.penalties.plugin_inst.late_submission_penalty(student, earned, late)
        return None if penalty is None else min(max(penalty, 0.0), earned)


@contextmanager
def open_lesson(
    coursedir: CourseDirectory, lesson: str, release: ReleasedLesson
) -> Iterator[LessonGradebook]:
    """Open the gradebook for a lesson, added as `nbgrader generate_assignment` would.

    Raises:
        LessonError: it holds submissions to a version of the lesson with other cells.
        GradebookUnusable: see `open_gradebook`.
    """
    with open_gradebook(coursedir) as gradebook:
        gradebook.update_or_create_assignment(lesson)
        if _checksums(gradebook, lesson) != _released_checksums(release):
            _save_cells(coursedir, lesson, release)
            gradebook.db.expire_all()
        found = gradebook.find_notebook(lesson, lesson)
        cells = {cell.name: cell.id for cell in (*found.grade_cells, *found.solution_cells)}
        due = found.assignment.duedate
        penalties = AssignLatePenalties(config=coursedir.config)
        penalties.init_plugin()
        yield LessonGradebook(gradebook, found.assignment_id, found.id, cells, due, penalties)


@contextmanager
def open_gradebook(coursedir: CourseDirectory) -> Iterator[Gradebook]:
    """Open nbgrader's gradebook, created where there is none.

    Raises:
        GradebookUnusable: it is locked, too old, damaged or read-only; inside the block as well.
    """
    with _explained(coursedir), _connected(coursedir) as gradebook:
        yield gradebook


def timestamps_in(coursedir: CourseDirectory, lesson: str) -> dict[str, datetime | None]:
    """Return the timestamps of a lesson's submissions in the gradebook; see `reading`."""
    columns = SubmittedAssignment.student_id, SubmittedAssignment.timestamp
    rows = select(*columns).join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
    with reading(coursedir) as connection:
        if connection is None:
            return {}
        found = connection.execute(rows.where(Assignment.name == lesson))
        return {row.student_id: row.timestamp for row in found}


@contextmanager
def reading(coursedir: CourseDirectory) -> Iterator[Connection | None]:
    """Open the gradebook for reading, without creating anything; None where there is none.

    Raises:
        GradebookUnusable: it can't be read; inside the block as well.
    """
    url = make_url(coursedir.db_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        yield None
        return
    engine = create_engine(url)
    try:
        with _explained(coursedir):
            # A file in which nbgrader has not created its tables yet counts as none.
            if not inspect(engine).has_table(SubmittedAssignment.__tablename__):
                yield None
                return
            with engine.connect() as connection:
                yield connection
    finally:
        engine.dispose()


def _connected(coursedir: CourseDirectory) -> Gradebook:
    """Connect under a lock: of two processes that create the tables at once, both may fail."""
    with folder_lock(Path(make_url(coursedir.db_url).database or "").parent, timeout=60):
        return Gradebook(coursedir.db_url, coursedir.course_id)


@contextmanager
def _explained(coursedir: CourseDirectory) -> Iterator[None]:
    """Turn a database error into a sentence."""
    try:
        yield
    except DatabaseError as error:
        if isinstance(error, IntegrityError | DataError):
            raise
        name = Path(make_url(coursedir.db_url).database or "").name or "the gradebook"
        message = str(error.orig)
        advice = next((way for part, way in ADVICE.items() if part in message), "")
        raise GradebookUnusable(": ".join(filter(None, (name, message, advice)))) from error


def _checksums(gradebook: Gradebook, lesson: str) -> dict[str, str | None]:
    rows = gradebook.db.query(SourceCell.name, SourceCell.checksum)
    rows = rows.join(Notebook, SourceCell.notebook_id == Notebook.id)
    rows = rows.join(Assignment, Notebook.assignment_id == Assignment.id)
    return dict(rows.filter(Assignment.name == lesson, Notebook.name == lesson).all())


def _released_checksums(release: ReleasedLesson) -> dict[str, str | None]:
    return {
        cell_id: cell["metadata"]["nbgrader"].get("checksum")
        for cell_id, cell in release.cells.items()
        if "nbgrader" in cell["metadata"]
    }


def _save_cells(coursedir: CourseDirectory, lesson: str, release: ReleasedLesson) -> None:
    """Add a lesson's cells to the gradebook with nbgrader's own preprocessor."""
    cells = [{**cell, "source": "".join(cell["source"])} for cell in release.cells.values()]
    resources = {"nbgrader": {"notebook": lesson, "assignment": lesson, "db_url": coursedir.db_url}}
    notebook = from_dict({"cells": cells, "metadata": release.metadata})  # type: ignore[no-untyped-call]
    try:
        SaveCells(config=coursedir.config).preprocess(notebook, resources)
    except RuntimeError:
        raise LessonError(
            f"The gradebook holds submissions to a version of {lesson} with other cells. "
            "Rename class/gradebook.db to keep it, and grade again."
        ) from None

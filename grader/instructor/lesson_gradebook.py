"""Write a lesson's results to nbgrader's gradebook, one commit a submission, as nbgrader would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from nbformat import from_dict
from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    SolutionCell,
    SourceCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties, SaveCells
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Query, load_only

from grader.author.lesson import LessonError
from grader.instructor.feedback import ReleasedLesson
from grader.instructor.gradebook import open_gradebook
from grader.instructor.report import Standing


@dataclass
class LessonGradebook:
    """The gradebook, open for writing one lesson: ids of its rows, names of its cells by id."""

    gradebook: Gradebook
    assignment: str
    notebook: str
    grade_cells: dict[str, str]
    solution_cells: dict[str, str]
    penalties: AssignLatePenalties

    def write(
        self,
        student: str,
        timestamp: datetime | None,
        scores: dict[str, float],
        unanswered: frozenset[str],
    ) -> tuple[Standing | None, Standing]:
        """Write one submission, all of it or nothing; points and comments given by hand stay.

        Return its points before and after, None where it had none.
        """
        db = self.gradebook.db
        for last_try in (False, True):
            try:
                submission = self._submitted(student)
                submission.timestamp = timestamp
                (notebook,) = submission.notebooks
                before = self._standing(notebook)
                for grade in notebook.grades:
                    # A grading from before an exercise was added has no points for it.
                    grade.auto_score = scores.get(self.grade_cells[grade.cell_id])
                    # As nbgrader does: a grade given by hand needs another look.
                    grade.needs_manual_grade = grade.manual_score is not None
                for one in notebook.comments:
                    missing = self.solution_cells[one.cell_id] in unanswered
                    one.auto_comment = "No response." if missing else None
                db.flush()  # gives a new row its due date
                after = self._settle(submission, notebook)
                db.commit()
                return before, after
            except IntegrityError:
                # A run of another lesson may have added the student at the same moment.
                if last_try:
                    raise
            finally:
                db.rollback()
                db.expunge_all()
        raise AssertionError("the last try returns or raises")

    def settle(self, student: str) -> tuple[Standing | None, Standing]:
        """Write the penalty of a graded submission by the dates and extensions of now.

        Return its points before and after.
        """
        submission = self._query(student).one()
        (notebook,) = submission.notebooks
        before = self._standing(notebook)
        after = self._settle(submission, notebook)
        self.gradebook.db.commit()
        return before, after

    def by_hand(self, student: str) -> list[str]:
        """Return the exercises of a submission whose points were given by hand."""
        (notebook,) = self._query(student).one().notebooks
        cells = (one.cell_id for one in notebook.grades if one.manual_score is not None)
        return [self.grade_cells[cell].removeprefix("check-") for cell in cells]

    def standing(self, student: str, scores: dict[str, float]) -> Standing:
        """Return the points that a submission would have with other automatic ones."""
        return self._standing_with(self._query(student).one(), scores)

    def counts(
        self, student: str, timestamp: datetime, scores: dict[str, float], best: bool
    ) -> bool:
        """Return whether another submission counts in place of the one in the gradebook.

        It does where it is not older, or with `best`, where it has more points after the penalty.
        """
        try:
            submission = self._submitted(student)
            (notebook,) = submission.notebooks
            before, earlier = self._standing(notebook), submission.timestamp
            submission.timestamp = timestamp
            self.gradebook.db.flush()  # gives a new row its due date
            after = self._standing_with(submission, scores)
        finally:
            self.gradebook.db.rollback()
            self.gradebook.db.expunge_all()
        if best:
            return before is None or after.points > before.points
        return earlier is None or timestamp >= earlier

    def timestamp(self, student: str) -> datetime | None:
        """Return the time of the submission that counts."""
        submission = self._query(student).one_or_none()
        return submission.timestamp if submission else None

    def due(self, student: str = "") -> datetime | None:
        """Return the due date of all in UTC, or that of a student, extension included."""
        due: datetime | None = self.gradebook.db.get(Assignment, self.assignment).duedate
        submission = self._query(student).one_or_none() if student and due else None
        return submission.duedate if submission else due

    def extend(self, student: str, extension: timedelta | None) -> None:
        """Set a student's extension, before or after a submission; None takes it back."""
        self._submitted(student).extension = extension
        self.gradebook.db.commit()

    def _query(self, student: str) -> Query[SubmittedAssignment]:
        """Return a query for a submission, without the sums that nbgrader adds to each row."""
        columns = SubmittedAssignment.timestamp, SubmittedAssignment.extension
        query = self.gradebook.db.query(SubmittedAssignment).options(load_only(*columns))
        return query.filter_by(assignment_id=self.assignment, student_id=student)  # type: ignore[no-any-return]

    def _submitted(self, student: str) -> SubmittedAssignment:
        """Return the row of a submission, created with all it needs where it is missing."""
        db = self.gradebook.db
        submission = self._query(student).one_or_none()
        if submission is None:
            if db.get(Student, student) is None:
                db.add(Student(id=student))
            notebook = SubmittedNotebook(notebook_id=self.notebook, late_submission_penalty=None)
            notebook.grades = [Grade(cell_id=cell) for cell in self.grade_cells]
            notebook.comments = [Comment(cell_id=cell) for cell in self.solution_cells]
            submission = SubmittedAssignment(
                assignment_id=self.assignment, student_id=student, notebooks=[notebook]
            )
            db.add(submission)
        return submission

    def _settle(self, submission: SubmittedAssignment, notebook: SubmittedNotebook) -> Standing:
        """Set the penalty as due date, extension and points are now; return the points."""
        earned = self._earned(notebook)
        penalty = self._penalty(submission, earned)
        if penalty != notebook.late_submission_penalty:
            notebook.late_submission_penalty = penalty
        return Standing(earned, notebook.late_submission_penalty or 0.0)

    def _standing(self, notebook: SubmittedNotebook) -> Standing | None:
        """Return the points as the gradebook has them, None where it has none."""
        if all(one.auto_score is None and one.manual_score is None for one in notebook.grades):
            return None
        return Standing(self._earned(notebook), notebook.late_submission_penalty or 0.0)

    def _standing_with(self, submission: SubmittedAssignment, scores: dict[str, float]) -> Standing:
        """Return the points with other automatic ones, penalty included."""
        (notebook,) = submission.notebooks
        earned = self._earned(notebook, scores)
        return Standing(earned, self._penalty(submission, earned) or 0.0)

    def _earned(self, notebook: SubmittedNotebook, scores: dict[str, float] | None = None) -> float:
        """Return the points before a penalty, those given by hand in place of automatic ones."""
        earned = 0.0
        for one in notebook.grades:
            auto = one.auto_score if scores is None else scores.get(self.grade_cells[one.cell_id])
            score = auto if one.manual_score is None else one.manual_score
            earned += (score or 0.0) + (one.extra_credit or 0.0)
        return earned

    def _penalty(self, submission: SubmittedAssignment, earned: float) -> float | None:
        """Return the penalty of nbgrader's configured plugin; None for a submission in time."""
        if self.due() is None:  # nbgrader can't add an extension to none
            return None
        if (late := submission.total_seconds_late) <= 0:
            return None
        plugin = self.penalties.plugin_inst
        penalty = plugin.late_submission_penalty(submission.student_id, earned, late)
        return None if penalty is None else min(max(penalty, 0.0), earned)


@contextmanager
def open_lesson(
    coursedir: CourseDirectory, lesson: str, release: ReleasedLesson
) -> Iterator[LessonGradebook]:
    """Open the gradebook for a lesson, added as `nbgrader generate_assignment` would.

    Raises:
        LessonError: it has grades for an exercise that the lesson no longer has.
        GradebookUnusable: see `open_gradebook`.
    """
    cells = release.cells.values()
    of_nbgrader = {cell["id"]: cell["metadata"].get("nbgrader") for cell in cells}
    checksums = {name: one.get("checksum") for name, one in of_nbgrader.items() if one}
    with open_gradebook(coursedir) as gradebook:
        gradebook.update_or_create_assignment(lesson)
        try:
            found = gradebook.find_notebook(lesson, lesson).source_cells
        except MissingEntry:
            found = []
        if {cell.name: cell.checksum for cell in found} != checksums:
            _save_cells(gradebook, coursedir, lesson, release)
            gradebook.db.expire_all()
        found = gradebook.find_notebook(lesson, lesson)
        grade_cells = {cell.id: cell.name for cell in found.grade_cells}
        solution_cells = {cell.id: cell.name for cell in found.solution_cells}
        penalties = AssignLatePenalties(config=coursedir.config)
        penalties.init_plugin()
        yield LessonGradebook(
            gradebook, found.assignment_id, found.id, grade_cells, solution_cells, penalties
        )


def _save_cells(
    gradebook: Gradebook, coursedir: CourseDirectory, lesson: str, release: ReleasedLesson
) -> None:
    """Bring the cells of a lesson in the gradebook up to date; grades that are there stay.

    Raises:
        LessonError: it has submissions with a grade for a cell that the lesson no longer has.
    """
    _add_cells(gradebook, lesson, release)
    cells = [{**cell, "source": "".join(cell["source"])} for cell in release.cells.values()]
    resources = {"nbgrader": {"notebook": lesson, "assignment": lesson, "db_url": coursedir.db_url}}
    notebook = from_dict({"cells": cells, "metadata": release.metadata})  # type: ignore[no-untyped-call]
    SaveCells(config=coursedir.config).preprocess(notebook, resources)


def _add_cells(gradebook: Gradebook, lesson: str, release: ReleasedLesson) -> None:
    """Add new cells to a lesson that has submissions, which nbgrader's own preprocessor refuses.

    Each submission gets an empty grade for a new graded cell, and none for its text.
    """
    try:
        notebook = gradebook.find_notebook(lesson, lesson)
    except MissingEntry:
        return
    if not notebook.submissions:
        return
    of_nbgrader = {
        cell["metadata"]["nbgrader"]["grade_id"]: {**cell["metadata"]["nbgrader"], **cell}
        for cell in release.cells.values()
        if "nbgrader" in cell["metadata"]
    }
    graded = {name for name, one in of_nbgrader.items() if one["grade"]}
    answers = {name for name, one in of_nbgrader.items() if one["solution"]}
    there = {cell.name: cell for cell in notebook.grade_cells}
    if gone := sorted(there.keys() - graded):
        raise LessonError(
            f"The gradebook has grades of {lesson} for {', '.join(gone)}, which the lesson no "
            "longer has. Put it back, or rename class/gradebook.db to keep it, and grade again."
        )
    db, rows = gradebook.db, [one.id for one in notebook.submissions]
    for name in graded - there.keys():
        kind, most = of_nbgrader[name]["cell_type"], float(of_nbgrader[name]["points"])
        cell = GradeCell(name=name, notebook_id=notebook.id, cell_type=kind, max_score=most)
        db.add(cell)
        db.flush()  # gives it its id
        db.add_all(Grade(cell_id=cell.id, notebook_id=row) for row in rows)
    for name in answers - {cell.name for cell in notebook.solution_cells}:
        cell = SolutionCell(name=name, notebook_id=notebook.id)
        db.add(cell)
        db.flush()
        db.add_all(Comment(cell_id=cell.id, notebook_id=row) for row in rows)
    sources = {cell.name: cell for cell in notebook.source_cells}
    for name in of_nbgrader.keys() - sources.keys():
        kind = of_nbgrader[name]["cell_type"]
        db.add(SourceCell(name=name, notebook_id=notebook.id, cell_type=kind))
    for name in sources.keys() - of_nbgrader.keys():
        db.delete(sources[name])
    db.commit()

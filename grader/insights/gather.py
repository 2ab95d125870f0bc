"""Gather a class's results from the journal, the gradebook and the submissions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

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

from grader.author.lesson import Lesson, LessonError
from grader.comparison.present import count_of
from grader.execution.notebook import UnreadableNotebook, load_notebook
from grader.instructor.gradebook import course_directory, reading
from grader.instructor.journal import Journal, digest_of, journal_path, read_journal
from grader.instructor.run import ExerciseResult
from grader.instructor.submissions import Submission, submissions

NOT_YET = "it has not been graded yet"
NO_SUBMISSION = "nothing was handed in"


@dataclass
class GradebookRow:
    """The gradebook's data about one student.

    Attributes:
        name: first and last name, as far as they are known.
        submitted: the gradebook has a submission of this lesson.
        timestamp: time of the submission, in UTC.
        due: the due date with this student's extension.
        penalty: points lost for a late submission.
        scores: points by exercise, manual ones included.
        manual: exercises with manual points.
    """

    name: str = ""
    submitted: bool = False
    timestamp: datetime | None = None
    due: datetime | None = None
    penalty: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)
    manual: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class GradebookSnapshot:
    """The gradebook's data about a lesson: its due date in UTC, and its students by id."""

    due: datetime | None
    students: dict[str, GradebookRow]


@dataclass(frozen=True)
class StudentResult:
    """One student's results.

    Attributes:
        exercises: results of the last grading, by exercise.
        repaired: sentences about repairs before the grading.
        digest: of the notebook that was graded.
        row: the gradebook's data, with the journal's points where it has none.
    """

    student: str
    exercises: dict[str, ExerciseResult]
    repaired: list[str]
    digest: str
    row: GradebookRow

    @property
    def points(self) -> float:
        """The final points."""
        return round(max(0.0, sum(self.row.scores.values()) - self.row.penalty), 2)

    @property
    def late(self) -> bool:
        """True if the submission came after its due date."""
        at, due = self.row.timestamp, self.row.due
        return at is not None and due is not None and at > due


@dataclass
class ClassResults:
    """The results of a class for one lesson.

    Attributes:
        graded: results of each graded student.
        ungraded: the reason why there is no grade, by student.
        resubmitted: students with a newer submission than the graded one.
        submissions: by student.
        due: the due date in UTC, or None.
        draws: number of different seeds and lesson versions behind the grades.
    """

    lesson: Lesson
    graded: list[StudentResult] = field(default_factory=list)
    ungraded: dict[str, str] = field(default_factory=dict)
    resubmitted: list[str] = field(default_factory=list)
    submissions: dict[str, Submission] = field(default_factory=dict)
    due: datetime | None = None
    draws: int = 1

    @property
    def max_points(self) -> float:
        """Points of the whole lesson."""
        return sum(self.max_of(name) for name in self.lesson.exercises)

    def max_of(self, name: str) -> float:
        """Return the points of one exercise."""
        return float(self.lesson.exercises[name].points or 0)

    def answers(self, name: str) -> list[tuple[StudentResult, ExerciseResult]]:
        """Return each student's result for one exercise."""
        return [(one, one.exercises[name]) for one in self.graded if name in one.exercises]


def gather(root: Path, lesson: Lesson) -> ClassResults:
    """Return the results of a class.

    Raises:
        LessonError: nothing of this lesson has been graded.
        GradebookUnusable: the gradebook can't be read.
    """
    coursedir = course_directory(root)
    journal = read_journal(journal_path(root, lesson))
    submitted = {one.student: one for one in submissions(coursedir, lesson.name, [])}
    if not journal.latest:
        raise LessonError(_why_nothing(len(submitted), lesson.name))
    snapshot = read_gradebook(coursedir, lesson.name)
    run_ids = [grading.run_id for grading in journal.latest.values()]
    results = ClassResults(
        lesson,
        [_student(journal, name, snapshot, submitted) for name in sorted(journal.latest)],
        submissions=submitted,
        due=snapshot.due,
        draws=len({(run_id.lesson_version, run_id.seed) for run_id in run_ids}),
    )
    for student, submission in submitted.items():
        if reason := _newer(journal, student, submission):
            if student in journal.latest:
                results.resubmitted.append(student)
            else:
                results.ungraded[student] = reason
    missing = snapshot.students.keys() - submitted.keys() - journal.latest.keys()
    results.ungraded |= dict.fromkeys(sorted(missing), NO_SUBMISSION)
    return results


def _why_nothing(count: int, lesson: str) -> str:
    if not count:
        return (
            f"Nobody has handed in {lesson}: class/submitted has no folder of that name in a"
            f" student's; nbgrader collect {lesson} fills it"
        )
    none = f"None of the {count_of(count, 'submission')} of {lesson} was graded"
    return f"{none}; run grader autograde {lesson} first"


def _student(
    journal: Journal, student: str, snapshot: GradebookSnapshot, submitted: dict[str, Submission]
) -> StudentResult:
    grading = journal.latest[student]
    record = journal.result(grading)
    exercises: dict[str, ExerciseResult] = record["exercises"]
    for one in exercises.values():
        one["html"] = ""  # most of a record's bytes, and not shown here
    row = snapshot.students.get(student, GradebookRow())
    if not row.submitted:
        timestamp = submitted[student].timestamp if student in submitted else None
        row = replace(row, timestamp=timestamp, due=snapshot.due)
    scores = {name: row.scores.get(name, float(one["points"])) for name, one in exercises.items()}
    row = replace(row, scores=scores)
    return StudentResult(student, exercises, record["repaired"], grading.digest, row)


def _newer(journal: Journal, student: str, submission: Submission) -> str:
    """Return the reason why the journal has no grade for this submission; empty if it has one."""
    grading = journal.latest.get(student)
    try:
        data = submission.read()
        if grading and grading.digest == digest_of(data):
            return ""
        load_notebook(data)
    except UnreadableNotebook as error:
        return f"{error}"
    return NOT_YET


def read_gradebook(coursedir: CourseDirectory, lesson: str) -> GradebookSnapshot:
    """Return the gradebook's data; nothing where there is no gradebook.

    Raises:
        GradebookUnusable: it can't be read.
    """
    with reading(coursedir) as connection:
        if connection is None:
            return GradebookSnapshot(None, {})
        students = {
            row.id: GradebookRow(f"{row.first_name or ''} {row.last_name or ''}".strip())
            for row in connection.execute(select(Student.id, Student.first_name, Student.last_name))
        }
        wanted = select(Assignment.duedate).where(Assignment.name == lesson)
        snapshot = GradebookSnapshot(connection.execute(wanted).scalar(), students)
        _read_submissions(connection, lesson, snapshot)
        _read_grades(connection, lesson, snapshot)
    return snapshot


def _read_submissions(connection: Connection, lesson: str, snapshot: GradebookSnapshot) -> None:
    query = (
        select(
            SubmittedAssignment.student_id,
            SubmittedAssignment.timestamp,
            SubmittedAssignment.extension,
            SubmittedNotebook.late_submission_penalty,
        )
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .outerjoin(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .where(Assignment.name == lesson)
    )
    for row in connection.execute(query):
        student, due = snapshot.students[row.student_id], snapshot.due
        student.submitted, student.timestamp = True, row.timestamp
        student.due = due + row.extension if due and row.extension else due
        student.penalty += row.late_submission_penalty or 0.0


def _read_grades(connection: Connection, lesson: str, snapshot: GradebookSnapshot) -> None:
    query = (
        select(
            SubmittedAssignment.student_id,
            BaseCell.name,
            Grade.score.label("score"),
            Grade.manual_score,
        )
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .where(Assignment.name == lesson)
    )
    for row in connection.execute(query):
        exercise, student = row.name.removeprefix("check-"), snapshot.students[row.student_id]
        student.scores[exercise] = row.score
        if row.manual_score is not None:
            student.manual.add(exercise)

"""Gather a class's results from the journal, the gradebook and the submissions."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from os.path import relpath
from pathlib import Path
from urllib.parse import quote

from nbgrader import api
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import select

from grader.author.lesson import Lesson, LessonError
from grader.execution.limits import OUTSIDE
from grader.insights.code import Code, finished_forms, read_code
from grader.instructor.blame import costs_only
from grader.instructor.gradebook import course_directory, reading
from grader.instructor.journal import Journal, journal_path, read_journal
from grader.instructor.run import ExerciseResult, template
from grader.instructor.run_id import digest_of
from grader.instructor.submissions import Submission, submissions
from grader.processes import Guard

INSIGHTS = "class/insights"
"""Folder of the pages about a class."""

NOT_YET = "it has not been graded yet"
NO_SUBMISSION = "nothing was handed in"


@dataclass
class GradebookRow:
    """The gradebook's data about one student.

    Attributes:
        name: first and last name, as far as they are known.
        submitted: the gradebook has a row for this lesson, of a submission or an extension.
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
    def label(self) -> str:
        """The student's id, with the name where it is known."""
        return f"{self.student} ({self.row.name})" if self.row.name else self.student

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
        code: each graded student's answers by exercise, where the notebook is still there.
        before: results of the grading before the last, by student and exercise, of those who have
            one.
        pages: the address of each student's page of feedback, seen from `class/insights`.
        due: the due date in UTC, or None.
    """

    lesson: Lesson
    graded: list[StudentResult] = field(default_factory=list)
    ungraded: dict[str, str] = field(default_factory=dict)
    resubmitted: list[str] = field(default_factory=list)
    submissions: dict[str, Submission] = field(default_factory=dict)
    code: dict[str, dict[str, Code]] = field(default_factory=dict)
    before: dict[str, dict[str, ExerciseResult]] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    due: datetime | None = None

    def max_of(self, name: str) -> float:
        """Return the points of one exercise."""
        return float(self.lesson.exercises[name].points or 0)

    @property
    def most(self) -> float:
        """The points of the whole lesson."""
        return sum(map(self.max_of, self.lesson.exercises))

    @property
    def absent(self) -> list[str]:
        """The students of the gradebook who handed in nothing."""
        return [student for student, why in self.ungraded.items() if why == NO_SUBMISSION]

    def answers(self, name: str) -> list[tuple[StudentResult, ExerciseResult]]:
        """Return each student's result for one exercise."""
        return [(one, one.exercises[name]) for one in self.graded if name in one.exercises]


def gather(root: Path, lesson: Lesson) -> ClassResults:
    """Return the results of a class; a notebook that can't be read costs only its own code.

    Raises:
        LessonError: nothing of this lesson has been graded.
        GradebookUnusable: the gradebook can't be read.
    """
    coursedir = course_directory(root)
    journal = read_journal(journal_path(root, lesson.name))
    if not journal.latest:
        sentence = f"No submission of {lesson.name} has been graded"
        raise LessonError(f"{sentence}; run grader autograde {lesson.name} first")
    submitted = {one.student: one for one in submissions(coursedir, lesson.name, [])}
    due, rows = read_gradebook(coursedir, lesson.name)
    results = ClassResults(lesson, submissions=submitted, due=due)
    for student in sorted(journal.latest):
        row = rows.get(student, GradebookRow())
        if not row.submitted:
            timestamp = submitted[student].timestamp if student in submitted else None
            row = replace(row, timestamp=timestamp, due=due)
        results.graded.append(_student_result(journal, student, row))
        if earlier := journal.previous.get(student):
            results.before[student] = journal.result(earlier)["exercises"]
    for student in {*submitted, *journal.latest}:
        folder = coursedir.format_path(coursedir.feedback_directory, student, lesson.name)
        page = Path(folder, f"{lesson.name}.html")
        if page.is_file():
            results.pages[student] = quote(relpath(page, root / INSIGHTS))
    read = partial(read_code, template(lesson), finished_forms(lesson))
    with closing(Guard(read, OUTSIDE.memory_bytes)) as reader:
        for student, submission in submitted.items():
            _add_code(results, journal, reader, student, submission)
    missing = rows.keys() - submitted.keys() - journal.latest.keys()
    results.ungraded |= dict.fromkeys(sorted(missing), NO_SUBMISSION)
    return results


def _student_result(journal: Journal, student: str, row: GradebookRow) -> StudentResult:
    grading = journal.latest[student]
    record = journal.result(grading)
    exercises: dict[str, ExerciseResult] = record["exercises"]
    for one in exercises.values():
        one.pop("failed", None)  # with the picture most of a record's bytes, and not shown here
        one.pop("picture", None)
    scores = {name: row.scores.get(name, float(one["points"])) for name, one in exercises.items()}
    row = replace(row, scores=scores)
    return StudentResult(student, exercises, record["repaired"], grading.digest, row)


def _add_code(
    results: ClassResults,
    journal: Journal,
    reader: Guard[dict[str, Code]],
    student: str,
    submission: Submission,
) -> None:
    """Add a student's code if the journal has its grade; else the reason why it has none."""
    grading, graded, why = journal.latest.get(student), False, {student: NOT_YET}
    with costs_only(student, why):
        data = submission.read()
        graded = grading is not None and grading.digest == digest_of(data)
        code = reader.call(OUTSIDE.seconds, data)
        if graded:
            results.code[student] = code
    if grading and not graded:
        results.resubmitted.append(student)
    elif not grading:
        results.ungraded[student] = why[student]


def read_gradebook(
    coursedir: CourseDirectory, lesson: str
) -> tuple[datetime | None, dict[str, GradebookRow]]:
    """Return the due date in UTC and the students by id; nothing where there is no gradebook.

    Raises:
        GradebookUnusable: it can't be read.
    """
    submission, notebook = api.SubmittedAssignment, api.SubmittedNotebook
    query = (
        select(submission.student_id, submission.timestamp, submission.extension)
        .add_columns(notebook.late_submission_penalty, api.BaseCell.name)
        .add_columns(api.Grade.score.label("score"), api.Grade.manual_score)
        .join(api.Assignment, submission.assignment_id == api.Assignment.id)
        .outerjoin(notebook, notebook.assignment_id == submission.id)
        .outerjoin(api.Grade, api.Grade.notebook_id == notebook.id)
        .outerjoin(api.BaseCell, api.Grade.cell_id == api.BaseCell.id)
        .where(api.Assignment.name == lesson)
    )
    with reading(coursedir) as connection:
        if connection is None:
            return None, {}
        named = select(api.Student.id, api.Student.first_name, api.Student.last_name)
        rows = {
            student: GradebookRow(" ".join(filter(None, names)))
            for student, *names in connection.execute(named)
        }
        wanted = select(api.Assignment.duedate).where(api.Assignment.name == lesson)
        due: datetime | None = connection.execute(wanted).scalar()
        for found in connection.execute(query):
            row = rows[found.student_id]
            row.submitted, row.timestamp = True, found.timestamp
            row.due = due + found.extension if due and found.extension else due
            row.penalty = found.late_submission_penalty or 0.0
            if found.name is not None:
                exercise = found.name.removeprefix("check-")
                row.scores[exercise] = found.score
                if found.manual_score is not None:
                    row.manual.add(exercise)
    return due, rows

"""Gather a class's results from the journal, the gradebook and the submissions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory

from grader.author.lesson import Lesson, LessonError
from grader.execution.notebook import UnreadableNotebook, load_notebook
from grader.insights.book import Book, read_book
from grader.instructor.gradebook import course_directory
from grader.instructor.journal import Grading, Journal, digest_of, journal_path, read_journal
from grader.instructor.run import Result
from grader.instructor.submissions import Submission, submissions

NOT_YET = "it has not been graded yet"
GONE = "nothing was handed in"


@dataclass(frozen=True)
class Work:
    """What one student got.

    Attributes:
        result: of the last grading, see `grader.instructor.run.Result`.
        digest: of the notebook that it was given for.
        scores: points by exercise, those given by hand included.
        penalty: points that handing in late costs.
        timestamp, due: when it was handed in, and until when it had to be, in UTC, where that is known.
        by_hand: exercises whose points someone gave by hand.
    """

    student: str
    result: dict[str, Any]
    digest: str
    scores: dict[str, float]
    penalty: float = 0.0
    timestamp: datetime | None = None
    due: datetime | None = None
    by_hand: frozenset[str] = frozenset()

    @property
    def points(self) -> float:
        """What the student gets in the end."""
        return round(max(0.0, sum(self.scores.values()) - self.penalty), 2)

    @property
    def late(self) -> bool:
        """Whether it was handed in after it was due."""
        return self.timestamp is not None and self.due is not None and self.timestamp > self.due


@dataclass
class Class:
    """What is known of a class and one lesson.

    Attributes:
        works: what each graded student got.
        ungraded: by student, why there is no grade.
        renewed: who handed in again since they were graded.
        submissions: by student, where what was handed in lies.
        due: until when it is to be handed in, in UTC, or None.
        draws: how many different seeds and editions the grades rest on.
        people: first name, last name and e-mail address by student.
    """

    lesson: Lesson
    works: list[Work] = field(default_factory=list)
    ungraded: dict[str, str] = field(default_factory=dict)
    renewed: list[str] = field(default_factory=list)
    submissions: dict[str, Submission] = field(default_factory=dict)
    due: datetime | None = None
    draws: int = 1
    people: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    @property
    def max_points(self) -> float:
        """Possible in the whole lesson."""
        return sum(self.max_of(name) for name in self.lesson.exercises)

    def max_of(self, name: str) -> float:
        """Possible in one exercise."""
        return float(self.lesson.exercises[name].points or 0)

    def verdicts(self, name: str) -> list[tuple[Work, dict[str, Any]]]:
        """What each student's answer to an exercise got."""
        return [
            (work, work.result["exercises"][name])
            for work in self.works
            if name in work.result["exercises"]
        ]


def gather(root: Path, lesson: Lesson) -> Class:
    """What is known of a class.

    Raises:
        LessonError: nothing of this lesson has been graded.
        GradebookUnusable: the gradebook can't be read.
    """
    coursedir = course_directory(root)
    journal = read_journal(journal_path(root, lesson))
    if not journal.latest:
        raise LessonError(_why_nothing(coursedir, lesson))
    book = read_book(coursedir, lesson.name)
    of_class = Class(
        lesson,
        due=book.due,
        people={student: booked.names for student, booked in book.students.items()},
    )
    of_class.submissions = {one.student: one for one in submissions(coursedir, lesson.name, [])}
    of_class.works = [
        _work(grading, _without_html(journal.result(grading)), book, of_class.submissions)
        for _, grading in sorted(journal.latest.items())
    ]
    of_class.draws = len(
        {(grading.run_id.lesson_version, grading.run_id.seed) for grading in journal.latest.values()}
    )
    _sort_ungraded(of_class, journal, book)
    return of_class


def _why_nothing(coursedir: CourseDirectory, lesson: Lesson) -> str:
    count = len(submissions(coursedir, lesson.name, []))
    if not count:
        return f"Nobody has handed in {lesson.name}: class/submitted has no folder of that name in a student's; nbgrader collect {lesson.name} fills it"
    return f"None of the {count} hand-ins of {lesson.name} is in the journal that insights are made from; run grader autograde {lesson.name} first"


def _without_html(result: Result) -> dict[str, Any]:
    """A result as it is kept for a whole class: what a page of feedback shows is most of it."""
    return {
        **result,
        "exercises": {
            name: {key: fact for key, fact in one.items() if key != "html"}
            for name, one in result["exercises"].items()
        },
    }


def _work(
    grading: Grading, result: dict[str, Any], book: Book, submissions: dict[str, Submission]
) -> Work:
    student = grading.student
    booked = book.students.get(student)
    scores = {name: float(exercise["points"]) for name, exercise in result["exercises"].items()}
    if booked is None or not booked.submitted:
        timestamp = submissions[student].timestamp if student in submissions else None
        return Work(student, result, grading.digest, scores, timestamp=timestamp, due=book.due)
    scores |= {name: score for name, score in booked.scores.items() if name in scores}
    return Work(
        student,
        result,
        grading.digest,
        scores,
        booked.penalty,
        booked.timestamp,
        booked.due,
        frozenset(booked.by_hand),
    )


def _sort_ungraded(of_class: Class, journal: Journal, book: Book) -> None:
    """Find students without a grade, and those who handed in again."""
    for student, one in of_class.submissions.items():
        grading = journal.latest.get(student)
        try:
            data = one.read()
            if grading and grading.digest == digest_of(data):
                continue
            load_notebook(data)
            reason = NOT_YET
        except UnreadableNotebook as error:
            reason = f"{error}"
        if grading is None:
            of_class.ungraded[student] = reason
        else:
            of_class.renewed.append(student)
    nowhere = book.students.keys() - of_class.submissions.keys() - journal.latest.keys()
    of_class.ungraded |= dict.fromkeys(sorted(nowhere), GONE)

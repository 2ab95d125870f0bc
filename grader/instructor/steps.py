"""Grade submissions and write their results: the steps of `grader autograde` and `grader serve`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.author.lesson import Lesson
from grader.execution.submission import Selection
from grader.instructor.blame import costs_only
from grader.instructor.feedback import LoadedNotebook, ReleasedLesson, feedback_notebook
from grader.instructor.grade import draw_seed
from grader.instructor.journal import Grading, Journal
from grader.instructor.report import Standing
from grader.instructor.run import Result, within_bounds
from grader.instructor.run_id import RunId, grader_version, lesson_version
from grader.instructor.workers import Job, Workers, grade_many
from grader.processes import Guard, OverBudget

if TYPE_CHECKING:  # nbgrader takes a second to import, which no other command needs
    from grader.instructor.lesson_gradebook import LessonGradebook
    from grader.instructor.submissions import Submission

Reader = Guard[LoadedNotebook]
Task = tuple[RunId, "Submission"]


def current_run(journal: Journal, lesson: Lesson, seed: int | None = None) -> RunId:
    """Return the run to start or resume: its seed is given, or the last run's, or drawn."""
    versions = grader_version(), lesson_version(lesson)
    seed = journal.seed(versions) if seed is None else seed
    return RunId(*versions, draw_seed() if seed is None else seed)


@dataclass(frozen=True)
class Step:
    """A submission with its result, ready to be recorded."""

    submission: Submission
    loaded: LoadedNotebook
    digest: str
    run_id: RunId
    result: Result


@dataclass(frozen=True)
class Pass:
    """Grades submissions within a budget of processor time; notes those that exceed it in `slow`.

    Without `slow`, they are errors.
    """

    lesson: Lesson
    reader: Reader
    executor: Workers
    width: int
    seconds: float
    slow: list[Task] | None
    errors: dict[str, str]

    def steps(self, tasks: Iterable[Task]) -> Iterator[Step]:
        """Grade one submission of each student; a notebook is in memory until its step is done."""
        in_memory: dict[str, tuple[Task, LoadedNotebook]] = {}

        def notebooks() -> Iterator[tuple[str, Job, Selection]]:
            for task in tasks:
                run_id, submission = task
                with costs_only(submission.student, self.errors), self._in_time(task):
                    loaded = self.reader.call(self.seconds, submission.read())
                    in_memory[submission.student] = task, loaded
                if submission.student in in_memory:
                    job = Job(self.lesson.folder, run_id.lesson_version, run_id.seed)
                    yield submission.student, job, loaded.chosen

        for student, result in grade_many(
            self.executor, notebooks(), self.width, self.slow is not None
        ):
            (run_id, submission), loaded = in_memory.pop(student)
            step = None
            with costs_only(student, self.errors), self._in_time((run_id, submission)):
                if isinstance(result, Exception):
                    raise result
                result = within_bounds(result, self.lesson)
                result["repaired"] = [*result["repaired"], *submission.notes()]
                step = Step(submission, loaded, loaded.digest, run_id, result)
            if step:
                yield step

    @contextmanager
    def _in_time(self, task: Task) -> Iterator[None]:
        try:
            yield
        except OverBudget:
            if self.slow is None:
                raise
            self.slow.append(task)


def write_grade(
    step: Step,
    grading: Grading,
    journal: Journal,
    gradebook: LessonGradebook,
    release: ReleasedLesson,
) -> tuple[tuple[Standing | None, Standing], list[str]]:
    """Write a grading that is in the journal to `class/autograded` and the gradebook.

    Return the points before and after, and a sentence about each file that was left out.
    """
    submission, timestamp = step.submission, step.submission.timestamp
    notebook = feedback_notebook(release, step.loaded, step.result, grading, timestamp)
    left_out = submission.write_feedback(notebook, release.folder)
    scores, unanswered = scores_of(step.result), step.loaded.unanswered
    standings = gradebook.write(submission.student, timestamp, scores, unanswered)
    journal.add_written(grading, str(timestamp))
    return standings, left_out


def scores_of(result: Result) -> dict[str, float]:
    """Return the points of a result by the names of the graded cells."""
    return {f"check-{name}": one["points"] for name, one in result["exercises"].items()}

"""`grader autograde`: grade a class into nbgrader's gradebook; a killed run resumes.

`autograde` reads from top to bottom: collect the submissions, plan (`plan.py`), grade
(`workers.py`), record (`journal.py`, then `submissions.py` and `gradebook.py`), report.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from grader.author.lesson import Lesson, LessonError, authors_root, load_lesson, named_lessons
from grader.execution.notebook import Cell, UnreadableNotebook
from grader.instructor.feedback import (
    LoadedNotebook,
    ReleasedLesson,
    feedback_notebook,
    load_submitted,
    released,
    unanswered,
)
from grader.instructor.grade import draw_seed
from grader.instructor.journal import (
    Journal,
    RunId,
    grader_version,
    journal_path,
    lesson_version,
    open_journal,
    read_journal,
)
from grader.instructor.report import Summary, show_progress
from grader.instructor.run import Result
from grader.instructor.workers import Job, cluster_workers, grade_many, local_workers

if TYPE_CHECKING:  # nbgrader takes a second to import, which no other command needs
    from grader.instructor.gradebook import LessonGradebook
    from grader.instructor.plan import Plan
    from grader.instructor.submissions import Submission

SOME_NOT_GRADED = 3
"""Exit code of a run that graded all but some submissions."""


@dataclass(frozen=True)
class AutogradeOptions:
    """The options of a run, see the command's help; no `students` means all of them."""

    students: Sequence[str] = ()
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    scheduler: str | None = None
    seed: int | None = None
    regrade: bool = False
    dry: bool = False


@dataclass(frozen=True)
class _Step:
    """A submission with its result, ready to be recorded."""

    submission: Submission
    loaded: LoadedNotebook
    digest: str
    run_id: RunId
    result: Result


def autograde(
    root: Path,
    lesson: Lesson,
    options: AutogradeOptions,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Summary:
    """Grade the submissions of a class that have no grade yet.

    Raises:
        LessonError: the lesson is not built, the gradebook has another version of it, or one of
            `options.students` has no submission.
        JournalBusy: another run grades this lesson.
        SandboxUnavailable: this machine can't confine learners' code.
    """
    from grader.instructor.gradebook import course_directory, open_lesson, timestamps_in
    from grader.instructor.plan import make_plan
    from grader.instructor.submissions import submissions

    coursedir = course_directory(root)
    release = released(root, lesson)
    found = submissions(coursedir, lesson.name, options.students)
    if absent := sorted({*options.students} - {one.student for one in found}):
        raise LessonError(
            f"No submission of {lesson.name} from {', '.join(absent)} in class/submitted."
        )
    path = journal_path(root, lesson)
    with ExitStack() as stack:
        if options.dry:
            journal, gradebook = read_journal(path), None
        else:
            journal = stack.enter_context(open_journal(path))
            gradebook = stack.enter_context(open_lesson(coursedir, lesson.name, release))
        run_id = current_run(journal, lesson, options.seed)
        in_gradebook = timestamps_in(coursedir, lesson.name)
        plan = make_plan(found, journal, in_gradebook, run_id, options.regrade)

        summary = Summary(lesson.name, run_id.seed, options.dry, plan.outdated)
        summary.errors, summary.planned = plan.unreadable, plan.students
        for grading in plan.up_to_date:
            result = journal.result(grading)
            summary.add(grading.student, result, kept=True)
            if options.regrade and not options.dry and grading.before:
                summary.compare(grading.student, journal.result(grading.before), result)
        if options.dry and not options.regrade:
            return summary

        if gradebook and plan.to_grade:
            journal.start(run_id)
        known = _known_steps(plan, journal, release, summary.errors)
        new = _new_steps(plan, lesson, release, run_id, options, summary.errors)
        for done, step in enumerate(chain(known, new), 1):
            student = step.submission.student
            if before := journal.before(step.run_id, student, step.digest):
                summary.compare(student, journal.result(before), step.result)
            if gradebook:
                _record(step, journal, gradebook, release, summary)
            progress(done, len(plan.students))
        return summary


def current_run(journal: Journal, lesson: Lesson, seed: int | None = None) -> RunId:
    """Return the run to start or resume: its seed is given, or the last run's, or drawn."""
    versions = grader_version(), lesson_version(lesson)
    seed = journal.seed(versions) if seed is None else seed
    return RunId(*versions, draw_seed() if seed is None else seed)


def _known_steps(
    plan: Plan, journal: Journal, release: ReleasedLesson, errors: dict[str, str]
) -> Iterator[_Step]:
    """Yield the submissions whose result is in the journal, but not in the gradebook."""
    for submission, grading in plan.to_write:
        if loaded := _load(submission, release, errors):
            result = journal.result(grading)
            yield _Step(submission, loaded, grading.digest, grading.run_id, result)


def _new_steps(
    plan: Plan,
    lesson: Lesson,
    release: ReleasedLesson,
    run_id: RunId,
    options: AutogradeOptions,
    errors: dict[str, str],
) -> Iterator[_Step]:
    """Grade submissions; a notebook is in memory only until its step is done."""
    if not plan.to_grade:
        return
    in_memory: dict[str, tuple[Submission, LoadedNotebook]] = {}

    def notebooks() -> Iterator[tuple[str, list[Cell]]]:
        for submission in plan.to_grade:
            if loaded := _load(submission, release, errors):
                in_memory[submission.student] = submission, loaded
                yield submission.student, loaded.cells

    job = Job(lesson.folder, run_id.lesson_version, run_id.seed)
    with ExitStack() as stack:
        if options.scheduler:
            executor, workers = stack.enter_context(cluster_workers(options.scheduler))
        else:
            workers = max(1, min(options.workers, len(plan.to_grade)))
            executor = stack.enter_context(local_workers(workers))
        for student, result in grade_many(executor, job, notebooks(), 2 * workers):
            submission, loaded = in_memory.pop(student)
            if isinstance(result, str):
                errors[student] = result
            else:
                result["repaired"] = [*result["repaired"], *submission.notes()]
                yield _Step(submission, loaded, loaded.digest, run_id, result)


def _load(
    submission: Submission, release: ReleasedLesson, errors: dict[str, str]
) -> LoadedNotebook | None:
    """Load a submission's notebook; None, and an error, where it can't be read."""
    try:
        return load_submitted(release, submission.read())
    except UnreadableNotebook as error:
        errors[submission.student] = f"{error}"
        return None


def _record(
    step: _Step,
    journal: Journal,
    gradebook: LessonGradebook,
    release: ReleasedLesson,
    summary: Summary,
) -> None:
    """Put a result into the journal, then where nbgrader looks for it.

    A submission that can't be written costs only itself; a full disk or a locked gradebook stops
    the run.
    """
    from sqlalchemy.exc import OperationalError, SQLAlchemyError

    from grader.instructor.submissions import MACHINE_ERRORS

    submission, student = step.submission, step.submission.student
    timestamp = submission.timestamp
    grading = journal.latest.get(student)
    if grading is None or grading.key != step.run_id.key(student, step.digest):
        grading = journal.add_grading(step.run_id, student, step.digest, step.result)
    scores = {f"check-{name}": one["points"] for name, one in step.result["exercises"].items()}
    try:
        notebook = feedback_notebook(release, step.loaded, step.result)
        submission.write_feedback(notebook, release.folder)
        gradebook.write(student, timestamp, scores, unanswered(release, step.loaded))
    except (OSError, ValueError, SQLAlchemyError) as error:
        if isinstance(error, OperationalError) or getattr(error, "errno", None) in MACHINE_ERRORS:
            raise
        summary.errors[student] = f"its grade could not be written: {error}"
        return
    journal.add_written(grading, str(timestamp))
    summary.add(student, step.result)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `autograde`."""
    parser = subparsers.add_parser(
        "autograde",
        help="grade a class from class/submitted into nbgrader's gradebook; a killed run resumes",
        epilog="Exit code: 0 if every submission is graded, "
        f"{SOME_NOT_GRADED} if some could not be, 1 if the run stopped.",
    )
    add = parser.add_argument
    add("lesson", metavar="LESSON")
    cores = os.cpu_count() or 1
    add("--workers", type=int, default=cores, help="processes (default: one per core)")
    add("--scheduler", metavar="ADDRESS", help="grade on this Dask cluster: tcp://10.0.0.1:8786")
    only = "only this student (repeatable)"
    add("--student", dest="students", action="append", default=[], help=only)
    add("--seed", type=int, help="seed of the inputs (default: the last run's, or a new one)")
    again = "grade again where the lesson, the grader or the seed has changed"
    add("--regrade", action="store_true", help=again)
    dry = "change nothing: list the submissions to grade, with --regrade the points to change"
    add("--dry-run", dest="dry", action="store_true", help=dry)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    lesson = load_lesson(named_lessons(root, [arguments.lesson])[0])
    given = vars(arguments)
    options = AutogradeOptions(**{one.name: given[one.name] for one in fields(AutogradeOptions)})
    with show_progress() as progress:
        summary = autograde(root, lesson, options, progress)
    print(summary.text())
    return SOME_NOT_GRADED if summary.errors else 0

"""`grader autograde`: grade a class into nbgrader's gradebook; a killed run resumes.

`autograde` reads from top to bottom: find the submissions, plan (`plan.py`), grade (`steps.py`,
`workers.py`), record (`journal.py`, then `submissions.py` and `lesson_gradebook.py`), report.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from grader.author.lesson import Lesson, LessonError, authors_root, load_lesson, named_lessons
from grader.errors import SOME_LEFT_OUT
from grader.execution.limits import OUTSIDE
from grader.instructor.blame import costs_only
from grader.instructor.feedback import ReleasedLesson, reader_of, released
from grader.instructor.grade import seed_number
from grader.instructor.journal import (
    JOURNAL_TIMEOUT,
    Journal,
    journal_path,
    open_journal,
    read_journal,
)
from grader.instructor.report import Summary, show_progress
from grader.instructor.steps import Pass, Reader, Step, Task, current_run, scores_of, write_grade
from grader.instructor.workers import cluster_workers, local_workers

if TYPE_CHECKING:  # nbgrader takes a second to import, which no other command needs
    from grader.instructor.lesson_gradebook import LessonGradebook
    from grader.instructor.plan import Plan

OPEN_CLUSTER = (
    "Warning: without tls:// anybody who reaches the scheduler can run programs as you."
    " docs/class-server.md, section 6, sets up certificates."
)
NOT_WRITTEN = "its grade could not be written: "


@dataclass(frozen=True)
class AutogradeOptions:
    """The options of a run, see the command's help; no `students` means all of them."""

    students: Sequence[str] = ()
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    scheduler: str | None = None
    seed: int | None = None
    regrade: bool = False
    dry: bool = False


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
    from grader.instructor.gradebook import copy_for_dry_run, course_directory, timestamps_in
    from grader.instructor.lesson_gradebook import open_lesson
    from grader.instructor.plan import make_plan
    from grader.instructor.submissions import submissions

    coursedir = course_directory(root)
    release = released(lesson)
    found = submissions(coursedir, lesson.name, options.students)
    there = {normalize("NFC", one.student) for one in found}
    if absent := sorted(one for one in options.students if normalize("NFC", one) not in there):
        raise LessonError(
            f"No submission of {lesson.name} from {', '.join(absent)} in class/submitted."
            " `grader roster` lists the ids, `grader collect` adds submissions."
        )
    path = journal_path(root, lesson.name)
    with ExitStack() as stack:
        if options.dry:
            journal = read_journal(path)
            coursedir = stack.enter_context(copy_for_dry_run(coursedir))
        else:
            journal = stack.enter_context(open_journal(path, JOURNAL_TIMEOUT))
        gradebook = stack.enter_context(open_lesson(coursedir, lesson.name, release))
        run_id = current_run(journal, lesson, options.seed)
        in_gradebook = timestamps_in(coursedir, lesson.name)
        plan = make_plan(found, journal, in_gradebook, run_id, options.regrade, options.dry)

        summary = Summary(lesson.name, run_id.seed, options.dry, plan.outdated)
        summary.errors, summary.planned = plan.unreadable, plan.students
        _settle(plan, journal, gradebook, summary, options.regrade)
        if plan.to_grade and not options.dry:
            journal.start(run_id)
        reader = reader_of(release)
        stack.callback(reader.close)
        steps = _steps(plan, lesson, journal, reader, options, summary.errors)
        for done, step in enumerate(steps, 1):
            with costs_only(step.submission.student, summary.errors, NOT_WRITTEN):
                _record(step, journal, gradebook, release, summary)
            progress(done, len(plan.students))
        return summary


def _settle(
    plan: Plan, journal: Journal, gradebook: LessonGradebook, summary: Summary, regrade: bool
) -> None:
    """Bring the penalties of grades that are up to date to the dates of now."""
    for grading in plan.up_to_date:
        result = journal.result(grading)
        summary.add(grading.student, result, kept=True)
        with costs_only(grading.student, summary.errors, NOT_WRITTEN):
            was, now = gradebook.settle(grading.student)
            results = None
            if was == now and regrade and not summary.dry and grading.before:
                results = journal.result(grading.before), result
                was = gradebook.standing(grading.student, scores_of(results[0]))
            if was:
                summary.compare(grading.student, was, now, results)


def _steps(
    plan: Plan,
    lesson: Lesson,
    journal: Journal,
    reader: Reader,
    options: AutogradeOptions,
    errors: dict[str, str],
) -> Iterator[Step]:
    """Yield the submissions whose result is not in the gradebook: known ones, then new ones."""
    for submission, grading in plan.to_write:
        loaded = None
        with costs_only(submission.student, errors):
            loaded = reader.call(OUTSIDE.seconds, submission.read())
        if loaded:
            result = journal.result(grading)
            yield Step(submission, loaded, grading.digest, grading.run_id, result)
    listed = options.dry and not options.regrade
    if plan.to_grade and not listed:
        yield from _new_steps(plan, lesson, reader, options, errors)


def _new_steps(
    plan: Plan, lesson: Lesson, reader: Reader, options: AutogradeOptions, errors: dict[str, str]
) -> Iterator[Step]:
    """Grade submissions, those that are slow to read or to judge after all others."""
    with ExitStack() as stack:
        if options.scheduler:
            executor, workers = stack.enter_context(cluster_workers(options.scheduler))
        else:
            workers = max(1, min(options.workers, sum(map(len, plan.to_grade.values()))))
            executor = stack.enter_context(local_workers(workers))
        slow: list[Task] = []
        first = Pass(lesson, reader, executor, 2 * workers, OUTSIDE.first_seconds, slow, errors)
        yield from first.steps(
            (run_id, one) for run_id, submissions in plan.to_grade.items() for one in submissions
        )
        yield from replace(first, seconds=OUTSIDE.seconds, slow=None).steps(slow)


def _record(
    step: Step,
    journal: Journal,
    gradebook: LessonGradebook,
    release: ReleasedLesson,
    summary: Summary,
) -> None:
    """Put a result into the journal, then where nbgrader looks for it, then into the summary.

    A dry run writes only into its copy of the gradebook.
    """
    student, result = step.submission.student, step.result
    latest = journal.latest.get(student)
    earlier = journal.before(step.run_id, student, step.digest)
    if summary.dry:
        timestamp, unanswered = step.submission.timestamp, step.loaded.unanswered
        was, now = gradebook.write(student, timestamp, scores_of(result), unanswered)
    else:
        grading = latest
        if grading is None or grading.key != step.run_id.key(student, step.digest):
            grading = journal.add_grading(step.run_id, student, step.digest, result)
        (was, now), left_out = write_grade(step, grading, journal, gradebook, release)
        before = journal.previous.get(student)
        if before and before.digest != step.digest and (names := gradebook.by_hand(student)):
            summary.by_hand[student] = ", ".join(names)
        summary.add(student, {**result, "repaired": [*result["repaired"], *left_out]})
    if was and latest and latest.digest == step.digest:
        results = (journal.result(earlier), result) if earlier else None
        summary.compare(student, was, now, results)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `autograde`."""
    parser = subparsers.add_parser(
        "autograde",
        help="grade a class from class/submitted into nbgrader's gradebook; a killed run resumes",
        epilog="Exit code: 0 if every submission is graded, "
        f"{SOME_LEFT_OUT} if some could not be, 1 if the run stopped.",
    )
    add = parser.add_argument
    add("lesson", metavar="LESSON")
    cores = os.cpu_count() or 1
    add("--workers", type=int, default=cores, help="processes (default: one per core)")
    add("--scheduler", metavar="ADDRESS", help="grade on this Dask cluster: tls://10.0.0.1:8786")
    only = "only this student (repeatable)"
    add("--student", dest="students", action="append", default=[], help=only)
    seed = "seed of the inputs (default: the last run's, or a new one)"
    add("--seed", type=seed_number, help=seed)
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
    if options.scheduler and not options.scheduler.startswith("tls://"):
        print(OPEN_CLUSTER, file=sys.stderr)
    with show_progress() as progress:
        summary = autograde(root, lesson, options, progress)
    print(summary.text())
    return SOME_LEFT_OUT if summary.errors else 0

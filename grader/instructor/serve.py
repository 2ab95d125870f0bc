"""`grader serve`: grade submissions on a class server as they come, and show each its results.

A `Desk` serves one lesson, in rounds: receive new ones (`attempts.py`), grade it with the parts
of `autograde.py`, write those that count, show pages (`attempt_page.py`), all by the rules of
`policy.py`. Each step is in the journal, so after a kill the next round does the missing ones.
Submissions that are slow to grade run in another thread, with a worker of their own.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from grader.author.lesson import Lesson, authors_root, load_lesson, named_lessons
from grader.comparison.present import one_line
from grader.execution.limits import OUTSIDE
from grader.instructor.autograde import (
    Pass,
    Reader,
    Step,
    Task,
    current_run,
    scores_of,
    write_grade,
)
from grader.instructor.blame import costs_only
from grader.instructor.feedback import LoadedNotebook, load_submitted, released
from grader.instructor.journal import Grading, Journal, JournalBusy, journal_path, open_journal
from grader.instructor.locate import Lessons
from grader.instructor.policy import Counting, Policy, Results, Shown, policy_path, read_policy
from grader.instructor.workers import Job, Workers, grade_batch, local_workers
from grader.processes import Guard

if TYPE_CHECKING:  # nbgrader takes a second to import
    from nbgrader.coursedir import CourseDirectory

    from grader.instructor.attempt_page import FeedbackPages, ResultPages
    from grader.instructor.attempts import Attempt, Exchange
    from grader.instructor.gradebook import LessonGradebook
    from grader.instructor.submissions import Submission

POLL = 0.5  # seconds between two looks into the exchange
MOST = 16  # submissions graded in one round; what comes meanwhile waits for its end
LOOK_AGAIN = timedelta(minutes=1)  # for a due date that was changed, and after an error

RESULTS, REPLACED, FAILED = "results", "replaced", "failed"
"""Last pages about an attempt; earlier ones say until when it waits.

An attempt that could not be graded is tried again when the process starts again."""

IS_REPLACED = "A later submission of yours came on the same day; it is graded in place of this one."
IS_WAITING = (
    "You have submitted more often today than is graded on one day ({most}). Your last submission"
    " of today is graded after {until}."
)
IS_HIDDEN = "This submission is graded. Its results are here after {until}."
HAS_FAILED = (
    "This submission could not be graded: {why}. Check that your notebook opens and runs from the"
    " top, then submit again, or ask your teacher."
)
UNCOUNTED = "{points:g} of {most:g} points. It does not count: your submission of {counted} does."
HINTS_ONLY = "Its points are not shown here."


Slow = tuple[list[Step], dict[str, str]]
"""Results of the other thread, and reasons why it has none, by student."""


def _now() -> datetime:
    """Return the time in UTC, without a zone as nbgrader has it."""
    return datetime.now(UTC).replace(tzinfo=None)


class Changed(Exception):
    """The lesson, the course, the grader or the settings are not those that were loaded."""


@dataclass
class Common:
    """The parts that the desks of all lessons share."""

    root: Path
    coursedir: CourseDirectory
    exchange: Exchange
    feedback: FeedbackPages
    results: ResultPages
    seed: Callable[[str, int], int]
    workers: Workers
    width: int
    slow_workers: Workers
    slow_thread: ThreadPoolExecutor


@dataclass
class Desk:
    """Serves one lesson.

    `attempts` holds all by student, in order of time, and `open` the keys of those whose last page
    is not shown yet. Those in `slow` run in the other thread. At `look_at` there is something to do
    even if nothing new comes.
    """

    common: Common
    lesson: Lesson
    policy: Policy
    attempts: dict[str, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    open: set[tuple[str, str]] = field(default_factory=set)
    slow: dict[str, tuple[Attempt, Future[Slow]]] = field(default_factory=dict)
    look_at: datetime | None = datetime.min

    def __post_init__(self) -> None:
        self._stamp = stamp(self.common.root, self.lesson)
        self.release = released(self.common.root, self.lesson)
        self.lessons = Lessons(self.release.folder.parent)
        self.reader = self._new_reader()
        self._take(self.common.exchange.received(self.lesson.name))

    def round(self, now: datetime) -> None:
        """Do all that can be done at a time, in UTC.

        Raises:
            Changed: what was loaded is out of date.
            JournalBusy, GradebookUnusable: another program has the journal or the gradebook.
        """
        from grader.instructor.gradebook import open_lesson

        name = self.lesson.name
        new = self._take(self.common.exchange.receive(name))
        ended = any(future.done() for _, future in self.slow.values())
        if not (new or ended or (self.look_at and self.look_at <= now)):
            return
        self.look_at = now  # in case of an error
        if stamp(self.common.root, self.lesson) != self._stamp:
            raise Changed
        with (
            open_journal(journal_path(self.common.root, self.lesson), timeout=1) as journal,
            open_lesson(self.common.coursedir, name, self.release) as gradebook,
        ):
            look_at = _Round(self, journal, gradebook, now).do()
        self.look_at = now if new else look_at  # a student may have submitted more

    def submission(self, attempt: Attempt) -> Submission:
        """Return an attempt as a submission to be graded."""
        from grader.instructor.submissions import Submission

        course = self.common.coursedir
        graded = course.format_path(course.autograded_directory, attempt.student, attempt.lesson)
        given = attempt.student, attempt.lesson, attempt.folder, Path(graded), self.lessons
        return Submission(*given, (*course.ignore, ".nbgrader.log"))

    def first_pass(self, slow: list[Task], errors: dict[str, str]) -> Pass:
        """Return the quick pass over submissions; those that take longer get into `slow`."""
        common = self.common
        seconds = OUTSIDE.first_seconds
        return Pass(self.lesson, self.reader, common.workers, common.width, seconds, slow, errors)

    def grade_slowly(self, attempt: Attempt, task: Task) -> None:
        """Grade a submission in the other thread."""

        def grade() -> Slow:
            errors: dict[str, str] = {}
            reader, workers = self._new_reader(), self.common.slow_workers
            last = Pass(self.lesson, reader, workers, 1, OUTSIDE.seconds, None, errors)
            try:
                return [*last.steps([task])], errors
            finally:
                reader.close()

        self.slow[attempt.student] = attempt, self.common.slow_thread.submit(grade)

    def _take(self, attempts: Iterable[Attempt]) -> int:
        """Add attempts; return how many they are."""
        before = len(self.open)
        for one in attempts:
            self.attempts[one.student].append(one)
            self.attempts[one.student].sort(key=lambda other: (other.time, other.id))
            self.open.add(one.key)
        return len(self.open) - before

    def _new_reader(self) -> Reader:
        return Guard(partial(load_submitted, self.release), OUTSIDE.memory_bytes)


class _Round:
    """One round of a desk, while this process has the journal and the gradebook."""

    def __init__(
        self, desk: Desk, journal: Journal, gradebook: LessonGradebook, now: datetime
    ) -> None:
        self.desk, self.journal, self.gradebook, self.now = desk, journal, gradebook, now
        self.again: list[datetime] = []

    def do(self) -> datetime | None:
        """Do the round; return when the next one is due even if nothing new comes."""
        for student, (attempt, future) in [*self.desk.slow.items()]:
            if future.done():
                del self.desk.slow[student]
                steps, errors = future.result()
                self._settle({student: attempt}, steps, errors)
        found = map(self._attend, sorted({student for student, _ in self.desk.open}))
        attempts = self.desk.attempts  # students with few come first
        if to_grade := sorted(
            filter(None, found), key=lambda one: (len(attempts[one.student]), one.time)
        ):
            self._grade({one.student: one for one in to_grade[:MOST]})
            self.again.append(self.now)
        return min(self.again, default=None)

    def _attend(self, student: str) -> Attempt | None:
        """Bring the pages of a student up to date; return the attempt to grade next, if any."""
        attempts, policy = self.desk.attempts[student], self.desk.policy
        for attempt, start in zip(
            attempts, policy.graded_from([one.time for one in attempts]), strict=True
        ):
            if attempt.key not in self.desk.open:
                continue
            if self.journal.shown.get(attempt.key) in (RESULTS, REPLACED):
                self.desk.open.discard(attempt.key)
            elif grading := self.journal.attempts.get(attempt.key):
                self._finish(attempt, grading)
            elif start is None:
                self._notice(attempt, REPLACED, IS_REPLACED)
            elif start > self.now:
                self.again.append(start)
                until = policy.local(start)
                text = IS_WAITING.format(most=policy.most_a_day, until=until)
                self._notice(attempt, f"waiting until {until}", text)
            else:
                return None if student in self.desk.slow else attempt
        return None

    def _grade(self, attempts: dict[str, Attempt]) -> None:
        """Grade an attempt of each student."""
        desk, run_id = self.desk, current_run(self.journal, self.desk.lesson)
        self.journal.start(run_id)
        tasks: list[Task] = []
        for student, attempt in attempts.items():
            number = sum(one == student for one, _ in self.journal.attempts)
            seed = self.desk.common.seed(student, number)
            tasks.append((replace(run_id, seed=seed), desk.submission(attempt)))
        slow, errors = list[Task](), dict[str, str]()
        self._settle(attempts, desk.first_pass(slow, errors).steps(tasks), errors)
        for task in slow:
            desk.grade_slowly(attempts[task[1].student], task)

    def _settle(
        self, attempts: dict[str, Attempt], steps: Iterable[Step], errors: dict[str, str]
    ) -> None:
        """Record the results of attempts, and write those that count; show their pages."""
        for step in steps:
            student = step.submission.student
            with costs_only(student, errors):
                attempt, result = attempts[student], step.result
                best = self.desk.policy.counts is Counting.BEST
                scores = scores_of(result)
                counts = self.gradebook.counts(student, attempt.time, scores, best)
                grading = self.journal.add_grading(
                    step.run_id, student, step.digest, result, attempt.id, counts
                )
                if counts:
                    self._write(attempt, step, grading)
                self._finish(attempt, grading)
        for student, why in errors.items():
            self._log(attempts[student], f"not graded: {why}")
            self._notice(attempts[student], FAILED, HAS_FAILED.format(why=_for_students(why)))

    def _write(self, attempt: Attempt, step: Step, grading: Grading) -> None:
        """Put an attempt that counts where autograde and nbgrader have it."""
        from grader.instructor.attempts import install

        course = self.desk.common.coursedir
        folder = course.format_path(course.submitted_directory, attempt.student, attempt.lesson)
        install(attempt, Path(folder))
        write_grade(step, grading, self.journal, self.gradebook, self.desk.release)

    def _finish(self, attempt: Attempt, grading: Grading) -> None:
        """Write a grading that counts and is not written yet; show its results when it is time."""
        errors: dict[str, str] = {}
        with costs_only(attempt.student, errors):
            latest = self.journal.latest.get(attempt.student)
            if latest is grading and grading.key not in self.journal.written:
                given = grading.digest, grading.run_id, self.journal.result(grading)
                step = Step(self.desk.submission(attempt), self._loaded(attempt), *given)
                self._write(attempt, step, grading)
            self._show_results(attempt, grading)
        for why in errors.values():
            self._log(attempt, f"its page could not be made: {why}")
            self.again.append(self.now + LOOK_AGAIN)

    def _show_results(self, attempt: Attempt, grading: Grading) -> None:
        if self.desk.policy.results is Results.AFTER_DUE:
            due = self.gradebook.due(attempt.student)
            if due is None or self.now < due:
                self.again.append(min(due or datetime.max, self.now + LOOK_AGAIN))
                until = self.desk.policy.local(due) if due else "the due date"
                text = IS_HIDDEN.format(until=until)
                self._notice(attempt, f"hidden until {until}", text)
                return
        self._page(attempt, RESULTS, lambda: self._results(attempt, grading))
        points = self.journal.result(grading)["points"]
        self._log(attempt, f"{points:g} points, seed {grading.run_id.seed}")

    def _results(self, attempt: Attempt, grading: Grading) -> bytes:
        """Return the page with an attempt's results; nbgrader's own, where that can be shown."""
        from grader.instructor.attempt_page import without_points

        common, policy, student = self.desk.common, self.desk.policy, attempt.student
        hints, result = policy.shown is Shown.HINTS, self.journal.result(grading)
        if not hints and self.journal.is_latest(grading):
            return common.feedback.write(attempt.lesson, student)
        counted = self.gradebook.timestamp(student)
        text = UNCOUNTED.format(
            points=result["points"],
            most=result["max_points"],
            counted=policy.local(counted) if counted else "another time",
        )
        summary = f"Submission of {policy.local(attempt.time)}: {HINTS_ONLY if hints else text}"
        result = without_points(result) if hints else result
        loaded = self._loaded(attempt)
        return common.results.render(
            self.desk.release, loaded, result, grading, attempt.time, summary
        )

    def _loaded(self, attempt: Attempt) -> LoadedNotebook:
        return self.desk.reader.call(OUTSIDE.seconds, self.desk.submission(attempt).read())

    def _notice(self, attempt: Attempt, page: str, text: str) -> None:
        from grader.instructor.attempt_page import notice

        submitted = f"Your submission of {self.desk.policy.local(attempt.time)} has arrived. "
        self._page(attempt, page, lambda: notice(attempt.lesson, submitted + text))

    def _page(self, attempt: Attempt, page: str, make: Callable[[], bytes]) -> None:
        """Show a page about an attempt, unless it is there already."""
        if self.journal.shown.get(attempt.key) != page:
            if not self.desk.common.exchange.show(attempt, make()):
                self._log(attempt, "it has no secret, so its student can't fetch a page")
            self.journal.add_shown(*attempt.key, page)
        if page in (RESULTS, REPLACED, FAILED):
            self.desk.open.discard(attempt.key)

    def _log(self, attempt: Attempt, text: str) -> None:
        when = f"{attempt.time:%Y-%m-%d %H:%M:%S} UTC"
        print(one_line(f"{attempt.lesson}: {attempt.student}, {when}: {text}"), flush=True)


@contextmanager
def open_common(root: Path, workers: int) -> Iterator[Common]:
    """Open the exchange of a course for this process alone; workers start when they are needed.

    Raises:
        UserError: another process serves this course, or nbgrader's settings can't be read.
    """
    from grader.instructor.attempt_page import FeedbackPages, ResultPages
    from grader.instructor.attempts import open_exchange, seeds
    from grader.instructor.gradebook import course_directory

    coursedir = course_directory(root)
    with (
        open_exchange(root, coursedir) as exchange,
        local_workers(workers) as quick,
        local_workers(1) as slow,
        ThreadPoolExecutor(1) as thread,
    ):
        pages = FeedbackPages(coursedir), ResultPages()
        try:
            yield Common(
                root, coursedir, exchange, *pages, seeds(root), quick, 2 * workers, slow, thread
            )
        finally:
            thread.shutdown(cancel_futures=True)  # the next start takes the rest


def serve(
    common: Common, names: Sequence[str], once: bool = False, now: Callable[[], datetime] = _now
) -> None:
    """Serve lessons until something ends it, or `once` until nothing is left to do.

    Raises:
        Changed: a lesson or a setting is out of date.
        UserError: a lesson can't be graded, class/serve.toml holds something that is no rule, or
            this machine can't confine learners' code.
    """
    from grader.instructor.gradebook import GradebookUnusable

    folders, root = named_lessons(common.root, [*names]), common.root
    desks = [Desk(common, load_lesson(one), read_policy(root, one.name)) for one in folders]
    idle = Job(folders[0], "", 0)
    for started in [
        common.workers(None).submit(grade_batch, idle, [], True) for _ in range(common.width)
    ]:
        started.result()  # with a sandbox, so that no student waits for that
    print(f"Serving {', '.join(names)}.", flush=True)
    told = ""
    while True:
        problem = ""
        for desk in desks:
            try:
                desk.round(now())
            except (JournalBusy, GradebookUnusable) as error:
                problem = f"{error}"
        if problem != told:
            print(one_line(f"Waiting: {problem}" if problem else "Resumed."), flush=True)
            told = problem
        at_once = any(desk.look_at and desk.look_at <= now() for desk in desks)
        if once and not at_once and not any(desk.slow for desk in desks):
            return
        if problem or not at_once:
            time.sleep(POLL)


def stamp(root: Path, lesson: Lesson) -> tuple[tuple[str, int, int], ...]:
    """Return names, times and sizes of all files that decide about grading and its rules."""
    settings, own = lesson.settings, Path(__file__).parents[1]
    folders = [own, lesson.folder, *(root / name for name in settings.packages)]
    files = [path for folder in folders for path in sorted(folder.rglob("*.[pm][yd]"))]
    release = root / settings.release / lesson.name / f"{lesson.name}.ipynb"
    configs = [root / "nbgrader_config.py", root / "class" / "nbgrader_config.py"]
    found = []
    for path in (*files, release, *configs, policy_path(root)):
        with suppress(FileNotFoundError):
            state = path.stat()
            found.append((str(path), state.st_mtime_ns, state.st_size))
    return (*found,)


def _for_students(why: str) -> str:
    """Return the beginning of a reason, without the advice for an instructor after it."""
    return re.split(r"[.;] ", why)[0]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `serve`."""
    parser = subparsers.add_parser(
        "serve",
        help="on a class server: grade submissions as they come, and show each student the results",
        epilog="class/serve.toml has the rules; docs/class-server.md, section 7, explains them.",
    )
    parser.add_argument("lessons", nargs="+", metavar="LESSON")
    cores = os.cpu_count() or 1
    parser.add_argument(
        "--workers", type=int, default=cores, help="processes (default: one per core)"
    )
    once = "end when nothing is left to do now"
    parser.add_argument("--once", action="store_true", help=once)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        with open_common(authors_root(Path.cwd()), arguments.workers) as common:
            serve(common, arguments.lessons, arguments.once)
    except Changed:
        print("The lesson, the course, the grader or a setting has changed: starting again.")
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    return 0

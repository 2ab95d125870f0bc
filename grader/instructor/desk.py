"""Hold what `grader serve` knows of a lesson between two rounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from grader.author.lesson import Lesson
from grader.execution.limits import OUTSIDE
from grader.instructor.attempt_page import AttemptPages
from grader.instructor.attempts import Attempt, Exchange
from grader.instructor.feedback import reader_of, released
from grader.instructor.journal import journal_path, open_journal
from grader.instructor.lesson_gradebook import open_lesson
from grader.instructor.locate import Lessons
from grader.instructor.policy import Policy, policy_path
from grader.instructor.round import Round
from grader.instructor.steps import Pass, Step, Task
from grader.instructor.submissions import Submission
from grader.instructor.workers import Workers

Slow = tuple[list[Step], dict[str, str]]
"""Results of the other thread, and reasons why it has none, by student."""


class Changed(Exception):
    """The lesson, the course, the grader or the settings are not those that were loaded."""


@dataclass
class Common:
    """The parts that the desks of all lessons share."""

    root: Path
    coursedir: CourseDirectory
    exchange: Exchange
    pages: AttemptPages
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
        self.release = released(self.lesson)
        self.lessons = Lessons(self.release.folder.parent)
        self.reader = reader_of(self.release)
        self._take(self.common.exchange.received(self.lesson.name))

    def round(self, now: datetime) -> None:
        """Do all that can be done at a time, in UTC.

        Raises:
            Changed: what was loaded is out of date.
            JournalBusy, GradebookUnusable: another program has the journal or the gradebook.
        """
        name = self.lesson.name
        new = self._take(self.common.exchange.receive(name))
        ended = any(future.done() for _, future in self.slow.values())
        if not (new or ended or (self.look_at and self.look_at <= now)):
            return
        self.look_at = now  # in case of an error
        if stamp(self.common.root, self.lesson) != self._stamp:
            raise Changed
        with (
            open_journal(journal_path(self.common.root, self.lesson.name), timeout=1) as journal,
            open_lesson(self.common.coursedir, name, self.release) as gradebook,
        ):
            look_at = Round(self, journal, gradebook, now).do()
        self.look_at = now if new else look_at  # a student may have submitted more

    def submission(self, attempt: Attempt) -> Submission:
        """Return an attempt as a submission to be graded."""
        course = self.common.coursedir
        graded = course.format_path(course.autograded_directory, attempt.student, attempt.lesson)
        given = attempt.student, attempt.lesson, attempt.folder, Path(graded), self.lessons
        return Submission(*given, (*course.ignore, ".nbgrader.log"))

    def first_pass(self, slow: list[Task], errors: dict[str, str]) -> Pass:
        """Return the quick pass over submissions; those that take longer get into `slow`."""
        workers, width = self.common.workers, self.common.width
        seconds = OUTSIDE.first_seconds
        return Pass(self.lesson, self.reader, workers, width, seconds, slow, errors)

    def grade_slowly(self, attempt: Attempt, task: Task) -> None:
        """Grade a submission in the other thread."""

        def grade() -> Slow:
            errors: dict[str, str] = {}
            workers = self.common.slow_workers
            with closing(reader_of(self.release)) as reader:
                last = Pass(self.lesson, reader, workers, 1, OUTSIDE.seconds, None, errors)
                return [*last.steps([task])], errors

        self.slow[attempt.student] = attempt, self.common.slow_thread.submit(grade)

    def _take(self, attempts: Iterable[Attempt]) -> int:
        """Add attempts; return how many they are."""
        before = len(self.open)
        for one in attempts:
            self.attempts[one.student].append(one)
            self.attempts[one.student].sort(key=lambda other: (other.time, other.id))
            self.open.add(one.key)
        return len(self.open) - before


def stamp(root: Path, lesson: Lesson) -> tuple[tuple[str, int, int], ...]:
    """Return names, times and sizes of all files that decide about grading and its rules."""
    settings, own = lesson.settings, Path(__file__).parents[1]
    folders = [own, lesson.folder, *(root / name for name in settings.packages)]
    files = [path for folder in folders for path in sorted(folder.rglob("*.[pm][yd]"))]
    files += sorted(own.rglob("*.j2"))  # the page of feedback
    release = lesson.release / f"{lesson.name}.ipynb"
    configs = [root / "nbgrader_config.py", root / "class" / "nbgrader_config.py"]
    found = []
    for path in (*files, release, *configs, root / "pyproject.toml", policy_path(root)):
        with suppress(FileNotFoundError):
            state = path.stat()
            found.append((str(path), state.st_mtime_ns, state.st_size))
    return (*found,)

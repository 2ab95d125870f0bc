"""`grader autograde`: grade a class into nbgrader's gradebook; a killed run resumes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.author.lesson import Lesson, LessonError, authors_root, load_lesson, named_lessons
from grader.execution.notebook import Cell, UnreadableNotebook, cells_of, load_notebook
from grader.execution.submission import Template
from grader.instructor.feedback import Released, marked, released, unanswered
from grader.instructor.grade import draw_seed
from grader.instructor.journal import (
    Grading,
    Journal,
    RunId,
    digest_of,
    edition_of,
    grader_version,
    journal_path,
    open_journal,
    read_journal,
)
from grader.instructor.report import Change, Summary, progress_bar
from grader.instructor.run import Run
from grader.instructor.workers import Order, Result, cluster_workers, grade_many, local_workers

if TYPE_CHECKING:  # nbgrader takes a second to import, which no other command needs
    from grader.instructor.gradebook import Book
    from grader.instructor.submissions import Submission

SOME_LEFT_OUT = 3
"""The exit code where all that could be graded is graded, and some could not."""


@dataclass(frozen=True)
class AutogradeOptions:
    """What is wanted of a run.

    Attributes:
        students: whose submissions; all where none is named.
        workers: processes on this machine; or `scheduler`, the address of a Dask cluster.
        seed: of the inputs; None goes on with the last run's, or draws one.
        regrade: grade again what was graded on another edition of the lesson, by another grader, or with another seed.
        dry: change nothing, only say what would be done.
        unsafe: run code without confining it.
    """

    students: tuple[str, ...] = ()
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    scheduler: str | None = None
    seed: int | None = None
    regrade: bool = False
    dry: bool = False
    unsafe: bool = False


def autograde(
    root: Path,
    lesson: Lesson,
    wish: AutogradeOptions,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Summary:
    """Grade what is missing of a class.

    Raises:
        LessonError: the lesson is not made, the gradebook has another edition of it, or nobody of a name that is wanted has handed it in.
        JournalBusy: another run grades this lesson.
        SandboxUnavailable: this machine gives no protection to run learners' code under.
    """
    from grader.instructor.gradebook import course_directory, open_book, timestamps_in
    from grader.instructor.submissions import submissions

    coursedir = course_directory(root)
    notebook = released(root, lesson)
    handed_in = submissions(coursedir, lesson.name, list(wish.students))
    if absent := sorted(set(wish.students) - {one.student for one in handed_in}):
        raise LessonError(
            f"No submission of {lesson.name} from {', '.join(absent)}. Nothing was graded; use the folder names in class/submitted."
        )
    path = journal_path(root, lesson)
    with ExitStack() as stack:
        journal = read_journal(path) if wish.dry else stack.enter_context(open_journal(path))
        book = (
            None if wish.dry else stack.enter_context(open_book(coursedir, lesson.name, notebook))
        )
        basis = RunId(grader_version(), edition_of(lesson), _seed(journal, lesson, wish))
        class_run = _ClassRun(root, lesson, notebook, journal, book, basis, wish, coursedir.ignore)
        class_run.sort(handed_in, timestamps_in(coursedir, lesson.name))
        class_run.work(progress)
        return class_run.summary


def _seed(journal: Journal, lesson: Lesson, wish: AutogradeOptions) -> int:
    """The seed asked for, else that of the last run on the same basis, else a new one."""
    last = journal.seed(grader_version(), edition_of(lesson))
    return next(seed for seed in (wish.seed, last, draw_seed()) if seed is not None)


class _ClassRun:
    """One run over a class: what is to do, and the state while it is done."""

    def __init__(
        self,
        root: Path,
        lesson: Lesson,
        notebook: Released,
        journal: Journal,
        book: Book | None,
        basis: RunId,
        wish: AutogradeOptions,
        ignored: list[str],
    ) -> None:
        self.lesson, self.notebook, self.journal, self.book, self.basis, self.wish = (
            lesson,
            notebook,
            journal,
            book,
            basis,
            wish,
        )
        self.material, self.ignored = root / "course" / lesson.name, [*ignored, ".nbgrader.log"]
        self.summary = Summary(lesson.name, basis.seed, dry=wish.dry)
        self.known: Template = Run(lesson, basis.seed).template
        self.to_grade: list[Submission] = []
        self.to_write: list[tuple[Submission, Grading]] = []
        self.under_way: dict[str, tuple[Submission, str, list[dict[str, Any]]]] = {}

    def sort(self, all_of_them: list[Submission], in_book: dict[str, datetime | None]) -> None:
        """Find out what is to be graded, what is only to be written, and what is done; `in_book` says when what the gradebook has was handed in."""
        for one in all_of_them:
            try:
                digest = digest_of(one.read())
            except UnreadableNotebook as error:
                self.summary.errors[one.student] = f"{error}"
                continue
            grading = self._grading(one.student, digest)
            if grading is None:
                self.to_grade.append(one)
            elif self._is_written(one, grading, in_book):
                self._keep(grading)
            else:
                self.to_write.append((one, grading))
            self.summary.outdated += grading is not None and not self._is_current(grading)

    def work(self, progress: Callable[[int, int], None]) -> None:
        """Do what is to be done."""
        total = len(self.to_grade) + len(self.to_write)
        if self.wish.dry and not self.wish.regrade:
            self.summary.planned = [one.student for one in self.to_grade] + [
                one.student for one, _ in self.to_write
            ]
            return
        if not self.wish.dry and self.to_grade:
            self.journal.start(self.basis)
        for done, (one, grading) in enumerate(self.to_write, 1):
            self._take_up(one, grading)
            progress(done, total)
        for done, (student, result) in enumerate(
            self._graded() if self.to_grade else [], len(self.to_write) + 1
        ):
            self._take(student, result)
            progress(done, total)

    def _graded(self) -> Iterator[tuple[str, Result]]:
        order = Order(self.lesson.folder, self.basis.edition, self.basis.seed, self.wish.unsafe)
        with ExitStack() as stack:
            make: Callable[[], Executor]
            if self.wish.scheduler:
                make, workers = stack.enter_context(cluster_workers(self.wish.scheduler))
            else:
                workers = min(self.wish.workers, len(self.to_grade))
                make = stack.enter_context(local_workers(workers))
            yield from grade_many(make, order, self._read(), 2 * workers)

    def _read(self) -> Iterator[tuple[str, list[Cell]]]:
        """The cells of what is to be graded; a submission stays in memory only until it is written."""
        for one in self.to_grade:
            try:
                data = one.read()
                loaded = load_notebook(data)
            except UnreadableNotebook as error:
                self.summary.errors[one.student] = f"{error}"
                continue
            self.under_way[one.student] = one, digest_of(data), loaded
            yield one.student, cells_of(loaded)

    def _take(self, student: str, result: Result) -> None:
        """A notebook has been graded: into the journal, then into the gradebook."""
        one, digest, loaded = self.under_way.pop(student)
        if "error" in result:
            self.summary.errors[student] = result["error"]
            return
        self._adopt(one, self.basis, digest, result, loaded)

    def _take_up(self, one: Submission, grading: Grading) -> None:
        """A notebook was graded before and is not written: after a kill, or because other points were written since."""
        result = self.journal.result(grading)
        if self.journal.latest[one.student] is not grading:
            self._adopt(one, grading.basis, grading.digest, result, None)
            return
        self._note_change(grading.before, one.student, result)
        if self.wish.dry:
            self.summary.planned.append(one.student)
        else:
            self._write(one, grading, result, None)

    def _adopt(
        self,
        one: Submission,
        basis: RunId,
        digest: str,
        result: Result,
        loaded: list[dict[str, Any]] | None,
    ) -> None:
        """Make a result the last one of a student, who may have had another for the same notebook."""
        last = self.journal.latest.get(one.student)
        if self.wish.dry:
            self._note_change(last if last and last.digest == digest else None, one.student, result)
            self.summary.planned.append(one.student)
            return
        grading = self.journal.add_grading(basis, one.student, digest, result)
        self._note_change(grading.before, one.student, result)
        self._write(one, grading, result, loaded)

    def _keep(self, grading: Grading) -> None:
        """A notebook's grade is where it belongs; what a killed regrade has changed by now is told with the rest."""
        result = self.journal.result(grading)
        if self.wish.regrade and not self.wish.dry:
            self._note_change(grading.before, grading.student, result)
        self.summary.keep(grading.student, result)

    def _note_change(self, before: Grading | None, student: str, result: Result) -> None:
        if before and (change := Change.between(student, self.journal.result(before), result)):
            self.summary.changes.append(change)

    def _write(
        self, one: Submission, grading: Grading, result: Result, loaded: list[dict[str, Any]] | None
    ) -> None:
        """Put what a submission got where nbgrader looks for it; whatever is wrong with it stops nobody else."""
        from sqlalchemy.exc import OperationalError, SQLAlchemyError

        from grader.instructor.submissions import MACHINE

        assert self.book is not None, "a dry run writes nothing"
        timestamp = one.timestamp
        try:
            loaded = load_notebook(one.read()) if loaded is None else loaded
            one.put(marked(self.known, self.notebook, loaded, result), self.material, self.ignored)
            scores = {
                f"check-{name}": float(exercise["points"])
                for name, exercise in result["exercises"].items()
            }
            self.book.write(
                one.student, timestamp, scores, unanswered(self.known, self.notebook, loaded)
            )
        except (OSError, ValueError, SQLAlchemyError, UnreadableNotebook) as error:
            self.book.gradebook.db.rollback()
            if (
                isinstance(error, OperationalError) or getattr(error, "errno", None) in MACHINE
            ):  # what is graded is in the journal
                raise
            self.summary.errors[one.student] = f"its grade could not be written: {error}"
            return
        self.journal.add_written(grading, str(timestamp))
        self.summary.add(one.student, result)

    def _grading(self, student: str, digest: str) -> Grading | None:
        """What this very notebook got before, where that still counts."""
        if self.wish.regrade:
            return self.journal.graded.get(self.basis.key(student, digest))
        latest = self.journal.latest.get(student)
        return latest if latest and latest.digest == digest else None

    def _is_current(self, grading: Grading) -> bool:
        return (grading.basis.version, grading.basis.edition) == (
            self.basis.version,
            self.basis.edition,
        )

    def _is_written(self, one: Submission, grading: Grading, in_book: dict[str, Any]) -> bool:
        at_that_time = self.journal.latest[one.student] is grading and self.journal.written.get(
            grading.key
        ) == str(one.timestamp)
        return (
            at_that_time
            and one.is_marked()
            and one.student in in_book
            and in_book[one.student] == one.timestamp
        )


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `autograde`."""
    parser = subparsers.add_parser(
        "autograde",
        help="grade a class from class/submitted into nbgrader's gradebook; a killed run resumes",
        epilog=f"Exit code: 0 where all are graded, {SOME_LEFT_OUT} where all that can be graded are and some could not be, 1 where the run stopped.",
    )
    parser.add_argument("lesson", metavar="LESSON")
    parser.add_argument(
        "--workers", type=_at_least_one, help="worker processes (default: one per core)"
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of a Dask cluster that grades instead, like tcp://10.0.0.1:8786",
    )
    parser.add_argument(
        "--student",
        action="append",
        default=[],
        help="only this student's; may be given several times",
    )
    parser.add_argument(
        "--seed",
        type=int,
        help="of the inputs; goes on with the last run's, or draws one, where it is not given",
    )
    parser.add_argument(
        "--regrade",
        action="store_true",
        help="grade again where the lesson, the grader or the seed has changed",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="change nothing: say what would be graded, with --regrade whose points would change",
    )
    parser.add_argument(
        "--unsafe", action="store_true", help="run the notebooks unconfined: only for your own"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    lesson = load_lesson(named_lessons(root, [arguments.lesson])[0])
    wish = AutogradeOptions(
        students=tuple(arguments.student),
        workers=arguments.workers or os.cpu_count() or 1,
        scheduler=arguments.scheduler,
        seed=arguments.seed,
        regrade=arguments.regrade,
        dry=arguments.dry_run,
        unsafe=arguments.unsafe,
    )
    with progress_bar() as progress:
        summary = autograde(root, lesson, wish, progress)
    print(summary.text())
    return SOME_LEFT_OUT if summary.errors else 0


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number

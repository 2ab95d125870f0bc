"""Replace `nbgrader generate_feedback` and formgrader's button.

nbgrader takes a page for current until a newer submission arrives, and asks its gradebook cell by
cell. Here every page is made, quickly, and written where it differs from the one that is there.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from nbconvert.exporters.exporter import Exporter
from nbgrader.apps import api as apps_api
from nbgrader.apps import generatefeedbackapp
from nbgrader.converters import GenerateFeedback, NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files
from traitlets import List, Type

from grader.comparison.answer_key import KEY_FILE
from grader.comparison.present import count_of
from grader.errors import UserError
from grader.execution.limits import OUTSIDE
from grader.files import atomic_write
from grader.instructor.blame import costs_only, reason
from grader.instructor.feedback_page import FeedbackExporter, Pages, read
from grader.instructor.gradebook import course_directory
from grader.instructor.grades import Grades, grades_of
from grader.instructor.nbgrader_files import paths_like
from grader.processes import Guard

NO_GRADE = "the gradebook has no points of it; grade it again"


@dataclass(frozen=True)
class Page:
    """A page to make: its notebook in `class/autograded`, nbgrader's facts about it, its grades."""

    source: Path
    about: dict[str, Any]
    grades: Grades

    @property
    def student(self) -> str:
        """The student's id."""
        return str(self.about["student"])


class CurrentFeedback(GenerateFeedback):  # type: ignore[misc]
    """nbgrader's loop over a class: its options, hooks and permissions, and pages that are current.

    Attributes:
        written, unchanged: the students of these pages.
        alone: why a page shows the verdicts alone, by student.
        failed: why there is no page, by student.
    """

    pages: Pages
    exporter_class = Type(FeedbackExporter, klass=Exporter).tag(config=True)
    preprocessors: Any = List([]).tag(config=True)

    def __init__(self, coursedir: CourseDirectory, students: Sequence[str] = (), **kw: Any) -> None:
        super().__init__(coursedir=coursedir, **kw)
        self.students = students
        self.written: list[str] = []
        self.unchanged: list[str] = []
        self.alone: dict[str, str] = {}
        self.failed: dict[str, str] = {}

    def convert_notebooks(self) -> None:
        """Make the pages, and write those that differ.

        Raises:
            NbGraderException: some submissions have no page.
        """
        wanted = [*self._wanted()]
        if not hasattr(self, "pages"):
            self.pages = Pages(self.exporter)
            self._warm_up(wanted)
        for page, made in self._made(wanted):
            with costs_only(page.student, self.failed):
                if isinstance(made, Exception):
                    self.alone[page.student] = why = reason(made)
                    self.log.error("%s: its page shows the verdicts alone: %s", page.student, why)
                    made = self._html(page, why)
                self._write(page, made)
            if page.student in self.failed:
                self._target(page.about, f"{page.source.stem}.html").unlink(missing_ok=True)
        written, unchanged = len(self.written), len(self.unchanged)
        self.log.info("%s written, %s unchanged", count_of(written, "page"), unchanged)
        for student, why in self.failed.items():
            self.log.error("%s has no page: %s", student, why)
        if self.failed:
            raise NbGraderException(f"{len(self.failed)} have no page; the log says why")

    def _wanted(self) -> Iterator[Page]:
        """Yield the pages to make."""
        student = self.coursedir.student_id
        only = "" if has_magic(student) else student  # it may be a pattern
        grades = grades_of(self.coursedir, self.coursedir.assignment_id, only)
        excluded = self.coursedir.student_id_exclude.split(",")
        for _, notebooks in sorted(self.assignments.items()):
            self.notebooks = sorted(notebooks)
            resources = [*map(self.init_single_notebook_resources, self.notebooks)]
            student = resources[0]["nbgrader"]["student"]
            if student in excluded or (self.students and student not in self.students):
                continue
            self.run_pre_convert_hook()
            for path, one in zip(self.notebooks, resources, strict=True):
                about = one["nbgrader"]
                if known := grades.get((student, about["notebook"])):
                    yield Page(Path(path), about | known.totals(), known)
                else:
                    self.failed[student] = NO_GRADE
                    self._target(about, f"{about['notebook']}.html").unlink(missing_ok=True)

    def _warm_up(self, wanted: list[Page]) -> None:
        """Render the cells that all have in common."""
        for page in wanted[:1]:
            place, about = self.coursedir.release_directory, page.about
            folder = self.coursedir.format_path(place, ".", about["assignment"])
            with suppress(OSError, ValueError, KeyError):  # that page meets it again, and it alone
                lesson = {cell.source for cell in read(Path(folder, page.source.name)).cells}
                self.pages.warm_up(read(page.source), lesson, page.grades, about)

    def _made(self, wanted: list[Page]) -> Iterator[tuple[Page, str | Exception]]:
        """Yield the HTML of each page, or why it can't be made; slow pages come last."""
        again = []
        for page, made in self._try(wanted, OUTSIDE.first_seconds, fresh=False):
            if isinstance(made, Exception):
                again.append(page)
            else:
                yield page, made
        yield from self._try(again, OUTSIDE.page_seconds, fresh=True)

    def _try(
        self, wanted: list[Page], seconds: float, fresh: bool
    ) -> Iterator[tuple[Page, str | Exception]]:
        """Make pages in processes that may be ended, with `fresh` each in a new one."""
        if not wanted:
            return
        width = min(os.cpu_count() or 1, len(wanted))
        free: SimpleQueue[Guard[str]] = SimpleQueue()
        guards = [Guard(self._html, OUTSIDE.memory_bytes) for _ in range(width)]
        for one in guards:
            free.put(one)

        def make(page: Page) -> str | Exception:
            guard = free.get()
            try:
                return guard.call(seconds, page)
            except Exception as error:  # of memory that is used up, C code raises any kind
                guard.close()
                return error
            finally:
                if fresh:
                    guard.close()
                free.put(guard)

        try:
            with ThreadPoolExecutor(width) as pool:
                yield from zip(wanted, pool.map(make, wanted), strict=True)
        finally:
            for one in guards:
                one.close()

    def _html(self, page: Page, why: str = "") -> str:
        """Return a page, with the verdicts alone if there is a reason why."""
        return self.pages.graded(read(page.source), page.grades, page.about, why)

    def _write(self, page: Page, html: str) -> None:
        """Write a page where it differs, and before it those files that can be written."""
        self.notebooks = [str(page.source)]
        folder, own, changed = page.source.parent, f"{page.source.stem}.html", False
        target = self._target(page.about, own)
        for name in find_all_files(str(folder), [*self.coursedir.ignore, "*.ipynb", KEY_FILE]):
            inside = Path(name).relative_to(folder)
            with costs_only(name, {}):
                if inside.parts[0] != own:
                    changed |= _renew(target.parent / inside, Path(name).read_bytes())
        differs = _renew(target, html.encode(errors="replace"))
        if differs or changed:
            self.set_permissions(page.about["assignment"], page.student)
            self.run_post_convert_hook()
        (self.written if differs else self.unchanged).append(page.student)

    def _target(self, about: dict[str, Any], name: str) -> Path:
        return Path(self._format_dest(about["assignment"], about["student"])) / name


def _renew(path: Path, data: bytes) -> bool:
    """Write a file unless it has this content; return whether it was written."""
    with suppress(OSError):
        if path.read_bytes() == data:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, data)
    return True


def write_pages(root: Path, lesson: str, students: Sequence[str] = ()) -> CurrentFeedback:
    """Bring the pages of a lesson up to date, of `students` or of all; return the counts.

    Raises:
        UserError: nothing of the lesson is graded, or the gradebook can't be read.
    """
    coursedir = course_directory(root)
    coursedir.assignment_id = lesson
    quiet = logging.Logger("feedback", logging.CRITICAL)  # the caller reports
    feedback = CurrentFeedback(coursedir, students, config=coursedir.config, log=quiet)
    if not paths_like(feedback._format_source(lesson, "*")):
        raise UserError(f"No submission of {lesson} is graded: grader autograde {lesson}.")
    with suppress(NbGraderException):
        feedback.start()
    return feedback


def use_current_feedback() -> None:
    """Make nbgrader's command and formgrader's button use `CurrentFeedback`.

    nbgrader names its class and has no setting for another. If it ever names it elsewhere, pages
    are stale again: tests/grader/instructor/test_nbgrader_feedback.py fails then.
    """
    generatefeedbackapp.GenerateFeedback = apps_api.GenerateFeedback = CurrentFeedback

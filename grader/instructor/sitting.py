"""Keep a lesson's journal open while nbgrader grades its submissions one by one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict

from grader.author.lesson import Lesson
from grader.execution.notebook import cells_of, load_notebook
from grader.instructor.feedback import marked, released
from grader.instructor.grade import draw_seed
from grader.instructor.journal import (
    Grading,
    Journal,
    JournalBusy,
    RunId,
    digest_of,
    edition_of,
    grader_version,
    journal_path,
    open_journal,
)
from grader.instructor.submissions import Submission
from grader.instructor.workers import Order, Result, grade_batch, run_of

PATIENCE = 10.0
"""Seconds that another run may still have a lesson's journal."""


class GradingSession:
    """A lesson while nbgrader grades it: the run that goes on in its journal, and the submission that is being graded."""

    def __init__(self, lesson: Lesson, journal: Journal) -> None:
        version, edition = grader_version(), edition_of(lesson)
        seed = journal.seed(version, edition)
        self.basis, self.journal = (
            RunId(version, edition, draw_seed() if seed is None else seed),
            journal,
        )
        self.order, self.released = (
            Order(lesson.folder, edition, self.basis.seed),
            released(lesson.folder.parent.parent, lesson),
        )
        self.journal.start(self.basis)
        self.loaded: list[dict[str, Any]] = []
        self.result: Result = {}
        self.record: Grading | None = None

    def grade(self, student: str, data: bytes) -> None:
        """Grade a notebook and note what it got."""
        self.loaded = load_notebook(data)
        (self.result,) = grade_batch(self.order, [cells_of(self.loaded)])
        self.record = self.journal.add_grading(self.basis, student, digest_of(data), self.result)

    def notebook(self, result: Result) -> NotebookNode:
        """The notebook that is being graded, marked with a result."""
        node: NotebookNode = from_dict(
            marked(run_of(self.order).template, self.released, self.loaded, result)
        )  # type: ignore[no-untyped-call]
        return node

    def note_written(self, folder: Path) -> None:
        """Note that the gradebook and `autograded/` have what was handed in in a folder."""
        if self.record is not None:
            self.journal.add_written(self.record, str(Submission("", "", folder, folder).timestamp))
        self.record = None


@contextmanager
def sitting_for(lesson: Lesson) -> Iterator[GradingSession]:
    """A lesson's sitting; while the block lasts, no other run grades the lesson.

    Raises:
        JournalBusy: another run still does after `PATIENCE` seconds.
    """
    end = time.monotonic() + PATIENCE
    with ExitStack() as stack:
        while True:
            try:
                journal = stack.enter_context(
                    open_journal(journal_path(lesson.folder.parent.parent, lesson))
                )
                break
            except JournalBusy:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
        yield GradingSession(lesson, journal)

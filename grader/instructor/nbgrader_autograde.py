"""Replace the grading of `nbgrader autograde` and of formgrader's button by the sandboxed one.

nbgrader's loop stays. Before it copies a submission, that is graded. Then nbgrader reads the
notebook twice: at first, the exporter hands on the lesson's own cells, then the verdicts too, which
nbgrader saves as points.
"""

from __future__ import annotations

import logging
import shutil
from contextlib import ExitStack
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import Exporter
from nbformat import NotebookNode, from_dict
from nbgrader.apps import api, autogradeapp
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades
from traitlets import List, Type

from grader.author.lesson import Lesson, authors_root, load_lesson, named_lessons
from grader.comparison.present import count_of, one_line
from grader.errors import UserError
from grader.execution.limits import OUTSIDE
from grader.instructor.blame import costs_only
from grader.instructor.copying import copy_ordinary_files
from grader.instructor.feedback import (
    LoadedNotebook,
    feedback_notebook,
    has_verdicts,
    reader_of,
    released,
)
from grader.instructor.journal import JOURNAL_TIMEOUT, Grading, Journal, journal_path, open_journal
from grader.instructor.lesson_gradebook import open_lesson
from grader.instructor.run import Result
from grader.instructor.steps import current_run
from grader.instructor.submissions import Submission, read_time, submissions
from grader.instructor.workers import Job, grade_batch

Resources = dict[str, Any]


class GradingSession:
    """The run of a lesson in its journal, and the submission that nbgrader is grading."""

    loaded: LoadedNotebook
    result: Result

    def __init__(self, lesson: Lesson, journal: Journal) -> None:
        self.lesson, self.journal = lesson.name, journal
        self.run_id = current_run(journal, lesson)
        self.folder = lesson.folder
        self.release = released(lesson)
        self.reader = reader_of(self.release)
        self.journal.start(self.run_id)
        self.grading: Grading | None = None
        self.time: datetime | None = None

    def grade(self, submission: Submission) -> None:
        """Grade a notebook and record its result."""
        self.loaded = self.reader.call(OUTSIDE.seconds, submission.read())
        student, digest = submission.student, self.loaded.digest
        run_id = self.journal.run_for(self.run_id, student, digest)
        job = Job(self.folder, run_id.lesson_version, run_id.seed)
        (result,) = grade_batch(job, [self.loaded.chosen], first=False)
        if isinstance(result, Exception):
            raise result
        self.result = {**result, "repaired": [*result["repaired"], *submission.notes()]}
        self.grading = self.journal.add_grading(run_id, student, digest, self.result)
        self.time = submission.timestamp

    def notebook(self, verdicts: bool) -> NotebookNode:
        """Return the feedback notebook, with or without verdicts."""
        result: Result = self.result if verdicts else {**self.result, "exercises": {}}
        assert self.grading, "a notebook is graded before it is handed on"
        notebook = feedback_notebook(self.release, self.loaded, result, self.grading, self.time)
        return from_dict(notebook)  # type: ignore[no-any-return, no-untyped-call]

    def record_written(self, folder: Path) -> None:
        """Record that the gradebook holds the submission in `folder`."""
        if self.grading is not None:
            self.journal.add_written(self.grading, str(read_time(folder)[0]))
        self.grading = None


class GradingExporter(NotebookExporter):
    """Hand on a graded notebook: nbgrader's reader stops at many tools' notebooks."""

    def from_filename(
        self, filename: str, resources: Resources | None = None, **kw: Any
    ) -> tuple[NotebookNode, Resources]:
        """Implement nbconvert's hook; the notebook may lie in another place than `filename`."""
        loop: Any = self.parent
        notebook = loop.session.notebook(verdicts=not loop._sanitizing)
        return self.from_notebook_node(notebook, resources, **kw)  # type: ignore[no-any-return, no-untyped-call]


class SandboxedAutograde(Autograde):  # type: ignore[misc]
    """nbgrader's loop over a class, for a lesson.

    It differs from nbgrader's in three ways. nbgrader takes a submission for graded once its folder
    is in `autograded/`, before its points are written: a kill between the two would leave zero
    points for good. nbgrader follows links. And it knows a lesson only after `nbgrader
    generate_assignment`, which `make course` makes unnecessary.
    """

    copied = ""
    """Folder from which nbgrader copies the files of a submission, while it does that."""

    exporter_class = Type(GradingExporter, klass=Exporter).tag(config=True)
    sanitize_preprocessors: Any = List([]).tag(config=True)
    autograde_preprocessors = List([SaveAutoGrades, AssignLatePenalties]).tag(config=True)

    def convert_notebooks(self) -> None:
        """Grade a class.

        Raises:
            NbGraderException: some submissions or the whole assignment could not be graded.
        """
        self.refused = 0
        with ExitStack() as stack:
            try:
                root = authors_root(Path.cwd())  # nbgrader works in the course's folder
                lesson = load_lesson(named_lessons(root, [self.coursedir.assignment_id])[0])
                path = journal_path(root, lesson.name)
                journal = stack.enter_context(open_journal(path, JOURNAL_TIMEOUT))
                self.session = GradingSession(lesson, journal)
                stack.callback(self.session.reader.close)
                with open_lesson(self.coursedir, lesson.name, self.session.release):
                    pass  # adds the lesson's cells where they are missing
            except UserError as error:
                self.log.error("%s", error)
                raise NbGraderException(f"{error}") from None
            super().convert_notebooks()
        if self.refused:
            refused = count_of(self.refused, "submission")
            raise NbGraderException(f"{refused} could not be graded; the log says why")

    def init_notebooks(self) -> None:
        """Find the submissions that `grader autograde` finds."""
        lesson, pattern = self.coursedir.assignment_id, self.coursedir.student_id
        everyone = submissions(self.coursedir, lesson)
        found = [one for one in everyone if pattern == one.student or fnmatch(one.student, pattern)]
        if not found:
            self.log.error("There is no submission of %s by %s", lesson, pattern)
            raise NbGraderException(f"There is no submission of {lesson} by {pattern}")
        self.submitted = {str(one.folder): one for one in found}
        self.assignments = {folder: [f"{folder}/{lesson}.ipynb"] for folder in self.submitted}

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """Grade a submission; return whether nbgrader is to write the result."""
        folder = Path(self._format_dest(assignment_id, student_id))
        if folder.is_dir() and not has_verdicts(folder / f"{assignment_id}.ipynb"):
            self.log.warning("%s was left half graded; it is graded again", folder)
            shutil.rmtree(folder)
        if not super().init_destination(assignment_id, student_id):
            return False
        errors: dict[str, str] = {}
        with costs_only(student_id, errors):
            self.session.grade(self.submitted[self._format_source(assignment_id, student_id)])
        for why in errors.values():
            self.log.error("%s was not graded: %s", student_id, why)
            self.refused += 1
        return not errors

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Copy a submission's other files to `autograded/`: ordinary ones, within limits."""
        source = Path(self._format_source(assignment_id, student_id))
        with TemporaryDirectory() as folder:
            copy = Path(folder, assignment_id)
            left_out = copy_ordinary_files(source, copy, own_only=False).left_out
            for name, why in left_out.items():
                place = f"{student_id}/{assignment_id}/{name}"
                self.log.warning("%s was left out: %s", place, why)
            self.copied = str(copy)
            try:
                super().init_assignment(assignment_id, student_id)
            finally:
                self.copied = ""

    def _format_source(self, assignment_id: str, student_id: str, escape: bool = False) -> str:
        source: str = super()._format_source(assignment_id, student_id, escape)
        return self.copied or source

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Grade one notebook; when it has been saved, record that."""
        super().convert_single_notebook(notebook_filename)
        self.session.record_written(Path(notebook_filename).parent)


def use_sandboxed_autograde() -> None:
    """Make nbgrader's command and formgrader's button use `SandboxedAutograde`.

    nbgrader names its class and has no setting for another. If it ever names it elsewhere, lessons
    are graded without the sandbox's verdicts: tests/grader/instructor/test_nbgrader_autograde.py
    fails then.
    """
    autogradeapp.Autograde = api.Autograde = SandboxedAutograde


def keep_logs_harmless() -> None:
    """Let no name from a submission give orders to a terminal that shows a log."""
    make = logging.getLogRecordFactory()
    if make is not _harmless:
        _harmless.make = make  # type: ignore[attr-defined]
        logging.setLogRecordFactory(_harmless)


def _harmless(*args: Any, **kw: Any) -> logging.LogRecord:
    """Return a log record without control characters; only its own line breaks stay."""
    record: logging.LogRecord = _harmless.make(*args, **kw)  # type: ignore[attr-defined]
    record.msg = "\n".join(map(one_line, f"{record.msg}".split("\n")))
    if isinstance(record.args, tuple):
        texts = (
            one if isinstance(one, (int, float)) else one_line(f"{one}") for one in record.args
        )
        record.args = (*texts,)
    return record

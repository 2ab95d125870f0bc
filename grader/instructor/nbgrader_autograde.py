"""Replace the grading of `nbgrader autograde` and of formgrader's button by the sandboxed one.

nbgrader's loop stays. For a lesson its chain of preprocessors is:

LenientExporter    hand on the notebook's bytes
GradeSubmission    grade them; continue with the lesson's own cells
WriteVerdicts      write the verdicts into the checks
SkipLessons        skip nbgrader's check of metadata that were just written

Any other assignment goes through nbgrader's own steps.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import ExitStack
from glob import escape
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import Exporter
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import api, autogradeapp
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import CheckCellMetadata, Execute, NbGraderPreprocessor
from traitlets import Type

from grader.author.lesson import Lesson, authors_root, lessons_in, load_lesson
from grader.comparison.present import count_of
from grader.execution.notebook import UnreadableNotebook, load_notebook
from grader.instructor.autograde import current_run
from grader.instructor.feedback import (
    LoadedNotebook,
    ReleasedLesson,
    feedback_notebook,
    has_verdicts,
    load_submitted,
    released,
)
from grader.instructor.gradebook import open_lesson
from grader.instructor.journal import Grading, Journal, JournalBusy, journal_path, open_journal
from grader.instructor.run import Result
from grader.instructor.submissions import Submission
from grader.instructor.workers import Job, grade_batch

Resources = dict[str, Any]

JOURNAL_TIMEOUT = 10.0
"""Seconds to wait for another run that grades the lesson."""


class GradingSession:
    """The run of a lesson in its journal, and the submission that nbgrader is grading."""

    loaded: LoadedNotebook
    result: Result

    def __init__(self, lesson: Lesson, journal: Journal) -> None:
        self.lesson, self.journal = lesson.name, journal
        self.run_id = current_run(journal, lesson)
        self.job = Job(lesson.folder, self.run_id.lesson_version, self.run_id.seed)
        self.release = released(lesson.folder.parents[1], lesson)
        self.journal.start(self.run_id)
        self.grading: Grading | None = None

    def grade(self, student: str, data: bytes) -> None:
        """Grade a notebook and record its result."""
        self.loaded = load_submitted(self.release, data)
        (self.result,) = grade_batch(self.job, [self.loaded.cells])
        digest = self.loaded.digest
        self.grading = self.journal.add_grading(self.run_id, student, digest, self.result)

    def notebook(self, verdicts: bool) -> NotebookNode:
        """Return the feedback notebook, with or without verdicts."""
        result: Result = self.result if verdicts else {**self.result, "exercises": {}}
        notebook = feedback_notebook(self.release, self.loaded, result)
        node: NotebookNode = from_dict(notebook)  # type: ignore[no-untyped-call]
        return node

    def record_written(self, folder: Path) -> None:
        """Record that the gradebook holds the submission in `folder`."""
        if self.grading is not None:
            timestamp = Submission("", "", folder, folder).timestamp
            self.journal.add_written(self.grading, str(timestamp))
        self.grading = None


class LenientExporter(NotebookExporter):
    """Hand on a lesson's notebook as bytes: nbgrader's reader stops at many tools' notebooks."""

    def from_file(
        self, file_stream: Any, resources: Resources | None = None, **kw: Any
    ) -> tuple[NotebookNode, Resources]:
        """Implement nbconvert's hook."""
        loop: Any = self.parent
        if resources is None or loop.session is None:
            return super().from_file(file_stream, resources, **kw)
        resources["nbgrader"]["submitted"] = file_stream.buffer.read()
        empty = new_notebook()  # type: ignore[no-untyped-call]
        done: tuple[NotebookNode, Resources] = self.from_notebook_node(empty, resources, **kw)  # type: ignore[no-untyped-call]
        return done


class GradeSubmission(NbGraderPreprocessor):  # type: ignore[misc]
    """Grade a lesson's notebook, and continue with the lesson's own metadata and locked cells."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Implement nbgrader's hook."""
        if (session := _session(self)) is None:
            return nb, resources
        session.grade(resources["nbgrader"]["student"], resources["nbgrader"]["submitted"])
        return session.notebook(verdicts=False), resources


class WriteVerdicts(Execute):  # type: ignore[misc]
    """Write the verdicts into a lesson's notebook; run any other assignment as nbgrader does."""

    def preprocess(
        self, nb: NotebookNode, resources: Resources, km: Any = None
    ) -> tuple[NotebookNode, Resources]:
        """Implement nbgrader's hook."""
        if (session := _session(self)) is None:
            done: tuple[NotebookNode, Resources] = super().preprocess(nb, resources, km)
            return done
        return session.notebook(verdicts=True), resources


class SkipLessons(CheckCellMetadata):  # type: ignore[misc]
    """Check the metadata of a notebook that is no lesson's."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Implement nbgrader's hook."""
        if _session(self) is not None:
            return nb, resources
        done: tuple[NotebookNode, Resources] = super().preprocess(nb, resources)
        return done


class SandboxedAutograde(Autograde):  # type: ignore[misc]
    """nbgrader's loop over a class, with a session where the assignment is a lesson.

    It differs from nbgrader's in three ways. nbgrader takes a submission for graded once its folder
    is in `autograded/`, before its points are written: a kill between the two would leave zero
    points for good. nbgrader follows links. And it knows a lesson only after `nbgrader
    generate_assignment`, which `make course` makes unnecessary.
    """

    exporter_class = Type(LenientExporter, klass=Exporter).tag(config=True)

    def convert_notebooks(self) -> None:
        """Grade a class.

        Raises:
            NbGraderException: some submissions could not be graded, or another run has the lesson.
        """
        self.session: GradingSession | None = None
        self.refused = 0
        lesson = _lesson(self.coursedir.assignment_id)
        with ExitStack() as stack:
            if lesson is not None:
                path = journal_path(lesson.folder.parents[1], lesson)
                try:
                    journal = stack.enter_context(open_journal(path, JOURNAL_TIMEOUT))
                except JournalBusy as error:
                    self.log.error("%s", error)
                    raise NbGraderException(f"{error}") from None
                self.session = GradingSession(lesson, journal)
                _add_lesson(self.coursedir, self.session.release)
            super().convert_notebooks()
        if self.refused:
            refused = count_of(self.refused, "submission")
            raise NbGraderException(f"{refused} could not be graded; the log says why")

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """Return whether a submission is to be graded."""
        folder = Path(self._format_dest(assignment_id, student_id))
        complete = self.session is None or has_verdicts(folder / f"{assignment_id}.ipynb")
        if folder.is_dir() and not complete:
            self.log.warning("%s was left half graded; it is graded again", folder)
            shutil.rmtree(folder)
        if not super().init_destination(assignment_id, student_id):
            return False
        if why := self._why_not(Path(self._format_source(assignment_id, student_id))):
            self.log.error("%s was not graded: %s", student_id, why)
            self.refused += 1
            return False
        return True

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Copy a submission's other files to `autograded/`, except links."""
        ignore = self.coursedir.ignore
        strange = _not_regular(self._format_source(assignment_id, student_id))
        for path in strange:
            self.log.warning("%s was left out: it is a link or no ordinary file", path)
        self.coursedir.ignore = [*ignore, *map(escape, strange)]
        try:
            super().init_assignment(assignment_id, student_id)
        finally:
            self.coursedir.ignore = ignore

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Grade one notebook; when it has been saved, record that."""
        super().convert_single_notebook(notebook_filename)
        if self.session:
            self.session.record_written(Path(notebook_filename).parent)

    def _why_not(self, folder: Path) -> str:
        """Return the reason why a submission can't be graded, or nothing."""
        if folder.is_symlink() or folder.parent.is_symlink():
            return "its folder is a link"
        notebooks = [Path(name) for name in self.notebooks]
        if self.session:
            notebooks = [folder / f"{self.session.lesson}.ipynb"]
        try:
            for path in notebooks:
                if not os.path.lexists(path):
                    return f"{path.name} is missing; give the notebook that name"
                data = Submission("", path.stem, path.parent, path.parent).read()
                if self.session:
                    load_notebook(data)
        except UnreadableNotebook as error:
            return f"{error}"
        return ""


def use_sandboxed_autograde() -> None:
    """Make nbgrader's command and formgrader's button use `SandboxedAutograde`.

    nbgrader names its class and has no setting for another. If it ever names it elsewhere, lessons
    are graded without the sandbox's verdicts: tests/grader/instructor/test_nbgrader_autograde.py
    fails then.
    """
    autogradeapp.Autograde = api.Autograde = SandboxedAutograde


def _session(preprocessor: NbGraderPreprocessor) -> GradingSession | None:
    """Return the lesson's session: the parent's parent is the loop, the parent the exporter."""
    session: GradingSession | None = preprocessor.parent.parent.session
    return session


def _not_regular(folder: str) -> list[str]:
    """Return the paths in a folder that are neither ordinary files nor folders."""
    paths = [os.path.join(here, name) for here, _, names in os.walk(folder) for name in names]
    return [path for path in paths if not stat.S_ISREG(os.lstat(path).st_mode)]


def _add_lesson(coursedir: CourseDirectory, release: ReleasedLesson) -> None:
    """Add a lesson's cells to the gradebook where they are missing."""
    lesson = release.folder.name
    try:
        with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
            gradebook.find_notebook(lesson, lesson)
    except MissingEntry:
        with open_lesson(coursedir, lesson, release):
            pass


def _lesson(assignment: str) -> Lesson | None:
    """Return the lesson of an assignment's name, or None; nbgrader works in the course's folder."""
    for folder in lessons_in(authors_root(Path.cwd())):
        if folder.name == assignment:
            return load_lesson(folder)
    return None

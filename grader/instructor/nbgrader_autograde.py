"""Replace nbgrader's `autograde` and formgrader's button by the sandboxed grading."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import ExitStack
from functools import cache
from glob import escape
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import Exporter
from nbformat import NotebookNode
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
from grader.instructor.feedback import has_verdicts, released
from grader.instructor.gradebook import open_book
from grader.instructor.journal import JournalBusy
from grader.instructor.sitting import GradingSession, sitting_for
from grader.instructor.submissions import Submission

Resources = dict[str, Any]


class LenientExporter(NotebookExporter):
    """Hands a lesson's notebook on as its bytes, which `GradeSubmission` reads like `grader autograde`; nbgrader's own way stops at what other tools leave in one."""

    def from_file(
        self, file_stream: Any, resources: Resources | None = None, **kw: Any
    ) -> tuple[NotebookNode, Resources]:
        """nbconvert's hook, which `from_filename` ends in."""
        if resources is None or _lesson(resources["nbgrader"]["assignment"]) is None:
            return super().from_file(file_stream, resources, **kw)
        resources["nbgrader"]["submitted"] = file_stream.buffer.read()
        empty = new_notebook()  # type: ignore[no-untyped-call]
        done: tuple[NotebookNode, Resources] = self.from_notebook_node(empty, resources, **kw)  # type: ignore[no-untyped-call]
        return done


class GradeSubmission(NbGraderPreprocessor):  # type: ignore[misc]
    """Grades a lesson's notebook; it goes on with the lesson's metadata and locked cells, whatever its own say, so that nothing in it stops a class."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """nbgrader's hook."""
        if (sitting := _sitting(self, resources)) is None:
            return nb, resources
        sitting.grade(resources["nbgrader"]["student"], resources["nbgrader"]["submitted"])
        return sitting.notebook(
            {"exercises": {}, "repaired": sitting.result["repaired"]}
        ), resources


class WriteVerdicts(Execute):  # type: ignore[misc]
    """Gives a lesson's notebook the verdicts that it got; any other assignment is run as nbgrader does."""

    def preprocess(
        self, nb: NotebookNode, resources: Resources, km: Any = None
    ) -> tuple[NotebookNode, Resources]:
        """nbgrader's hook."""
        if (sitting := _sitting(self, resources)) is None:
            done: tuple[NotebookNode, Resources] = super().preprocess(nb, resources, km)
            return done
        return sitting.notebook(sitting.result), resources


class SkipLessons(CheckCellMetadata):  # type: ignore[misc]
    """nbgrader's check of a notebook's metadata, which `GradeSubmission` and `WriteVerdicts` have just written where the assignment is a lesson."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """nbgrader's hook."""
        if _lesson(resources["nbgrader"]["assignment"]) is not None:
            return nb, resources
        done: tuple[NotebookNode, Resources] = super().preprocess(nb, resources)
        return done


class SandboxedAutograde(Autograde):  # type: ignore[misc]
    """nbgrader's loop over a class, with a lesson's journal open as long as it lasts.

    On its own it takes a submission for graded once its folder is in `autograded/`, which is there before the points are: a kill
    in between would leave a student at zero for good. It follows links. And it knows a lesson only after `nbgrader
    generate_assignment`, which nobody has to run on what `make course` has made.
    """

    exporter_class = Type(LenientExporter, klass=Exporter).tag(config=True)

    def convert_notebooks(self) -> None:
        """nbgrader's loop.

        Raises:
            NbGraderException: a submission could not be graded, or another run has the lesson; the log says which and why.
        """
        self.sittings: dict[str, GradingSession] = {}
        self.refused = 0
        lesson = _lesson(self.coursedir.assignment_id)
        with ExitStack() as stack:
            try:
                if lesson is not None:
                    self.sittings[lesson.name] = stack.enter_context(sitting_for(lesson))
            except JournalBusy as error:
                self.log.error("%s", error)
                raise NbGraderException(f"{error}") from None
            super().convert_notebooks()
        if self.refused:
            raise NbGraderException(
                f"{count_of(self.refused, 'submission')} could not be graded; the log says why"
            )

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """Whether a submission is to be graded."""
        lesson, folder = _lesson(assignment_id), Path(self._format_dest(assignment_id, student_id))
        if (
            folder.is_dir()
            and lesson is not None
            and not has_verdicts(folder / f"{assignment_id}.ipynb")
        ):
            self.log.warning("%s was left half graded; it is graded again", folder)
            shutil.rmtree(folder)
        if not super().init_destination(assignment_id, student_id):
            return False
        if why := self._why_not(lesson, Path(self._format_source(assignment_id, student_id))):
            self.log.error("%s was not graded: %s", student_id, why)
            self.refused += 1
            return False
        if lesson is not None:
            _enter(self.coursedir, lesson)
        return True

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Prepare a submission's folder in `autograded/`, with what else was handed in; links in it lead nowhere."""
        kept, strange = (
            self.coursedir.ignore,
            _no_files(self._format_source(assignment_id, student_id)),
        )
        for path in strange:
            self.log.warning("%s was left out: it is a link or no ordinary file", path)
        self.coursedir.ignore = [*kept, *map(escape, strange)]
        try:
            super().init_assignment(assignment_id, student_id)
        finally:
            self.coursedir.ignore = kept

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Grade one notebook; when it has been saved, that is noted."""
        super().convert_single_notebook(notebook_filename)
        for sitting in self.sittings.values():
            sitting.note_written(Path(notebook_filename).parent)

    def _why_not(self, lesson: Lesson | None, folder: Path) -> str:
        """Why a submission can't be graded, or nothing."""
        if folder.is_symlink() or folder.parent.is_symlink():
            return "its folder is a link"
        notebooks = (
            [Path(name) for name in self.notebooks]
            if lesson is None
            else [folder / f"{lesson.name}.ipynb"]
        )
        try:
            for path in notebooks:
                if not os.path.lexists(path):
                    return f"{path.name} is missing; give the notebook that name"
                data = Submission("", path.stem, path.parent, path.parent).read()
                if lesson is not None:
                    load_notebook(data)
        except UnreadableNotebook as error:
            return f"{error}"
        return ""


def grade_in_the_engine() -> None:
    """Make this process's `nbgrader autograde`, and formgrader's button, use `SandboxedAutograde`; nbgrader has no setting for it."""
    autogradeapp.Autograde = api.Autograde = SandboxedAutograde


def _sitting(preprocessor: NbGraderPreprocessor, resources: Resources) -> GradingSession | None:
    """The sitting that a submission belongs to; None where its assignment is no lesson. A preprocessor's parent is the exporter, whose parent is the loop."""
    lesson = _lesson(resources["nbgrader"]["assignment"])
    sittings: dict[str, GradingSession] = preprocessor.parent.parent.sittings
    return None if lesson is None else sittings[lesson.name]


def _no_files(folder: str) -> list[str]:
    """What lies in a folder and is neither an ordinary file nor a folder."""
    paths = [os.path.join(here, name) for here, _, names in os.walk(folder) for name in names]
    return [path for path in paths if not stat.S_ISREG(os.lstat(path).st_mode)]


def _enter(coursedir: CourseDirectory, lesson: Lesson) -> None:
    """Put a lesson's cells into the gradebook where it doesn't know them."""
    try:
        with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
            gradebook.find_notebook(lesson.name, lesson.name)
    except MissingEntry:
        with open_book(coursedir, lesson.name, released(lesson.folder.parent.parent, lesson)):
            pass


def _lesson(assignment: str) -> Lesson | None:
    """The lesson that an assignment is, or None; nbgrader works in the course's folder."""
    folder = next(
        (folder for folder in lessons_in(authors_root(Path.cwd())) if folder.name == assignment),
        None,
    )
    return (
        None
        if folder is None
        else _loaded(
            folder,
            max(
                (folder / name).stat().st_mtime_ns for name in (f"{assignment}.md", "exercises.py")
            ),
        )
    )


@cache
def _loaded(folder: Path, changed: int) -> Lesson:
    return load_lesson(folder)

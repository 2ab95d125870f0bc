"""nbgrader's own `autograde`, and formgrader's button, come in with a submission; it goes out repaired and graded by the engine, without a kernel."""

from __future__ import annotations

import atexit
import shutil
import time
from contextlib import ExitStack
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import CheckCellMetadata, Execute, NbGraderPreprocessor

from grader.author.lesson import Lesson, authors_root, lessons_in, load_lesson
from grader.execution.submission import cells_of, cells_to_run
from grader.instructor.grade import draw_seed, open_runner
from grader.instructor.gradebook import open_book
from grader.instructor.journal import Basis, JournalBusy, edition_of, grader_version, journal_path, open_journal, read_journal
from grader.instructor.marked import Released, has_verdicts, marked, released
from grader.instructor.run import Run, Runner
from grader.instructor.workforce import Result, grade_one

Resources = dict[str, Any]

_NBGRADERS_WAY = Autograde.init_destination


class Repair(NbGraderPreprocessor):  # type: ignore[misc]
    """Gives a submission the lesson's metadata and locked cells again, whatever its own say, so that nothing in it stops a class."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """nbgrader's hook."""
        lesson = _lesson(resources["nbgrader"]["assignment"])
        if lesson is None:
            return nb, resources
        loaded = [dict(cell) for cell in nb.cells]
        run, notebook = _run(lesson)
        _, repaired = cells_to_run(run.template, cells_of(loaded))
        return _node(marked(run.template, notebook, loaded, {"exercises": {}, "repaired": repaired})), resources


class Confined(Execute):  # type: ignore[misc]
    """Grades a lesson's notebook in the engine, on the inputs of the lesson's journal; any other assignment is run as nbgrader does."""

    def preprocess(self, nb: NotebookNode, resources: Resources, km: Any = None) -> tuple[NotebookNode, Resources]:
        """nbgrader's hook."""
        lesson = _lesson(resources["nbgrader"]["assignment"])
        if lesson is None:
            done: tuple[NotebookNode, Resources] = super().preprocess(nb, resources, km)
            return done
        loaded = [dict(cell) for cell in nb.cells]
        run, notebook = _run(lesson)
        result: Result = grade_one(run, cells_of(loaded), _runner())
        return _node(marked(run.template, notebook, loaded, {**result, "repaired": []})), resources


class CheckOthers(CheckCellMetadata):  # type: ignore[misc]
    """nbgrader's check of a notebook's metadata, which `Repair` and `Confined` have just written where the assignment is a lesson."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """nbgrader's hook."""
        if _lesson(resources["nbgrader"]["assignment"]) is not None:
            return nb, resources
        done: tuple[NotebookNode, Resources] = super().preprocess(nb, resources)
        return done


def grade_again_what_a_kill_left() -> None:
    """Make this process's `nbgrader autograde` look at the notebook in `autograded/` before it takes a lesson for graded.

    On its own it is content with the folder, which is there before the points are: a kill in between would leave a student
    at zero for good. And a lesson goes into the gradebook by itself: nobody has to run `nbgrader generate_assignment` on
    what `make course` has made.
    """
    def init_destination(self: Autograde, assignment_id: str, student_id: str) -> bool:
        folder = Path(self._format_dest(assignment_id, student_id))
        if folder.is_dir() and _lesson(assignment_id) is not None and not has_verdicts(folder / f"{assignment_id}.ipynb"):
            self.log.warning("%s was left half graded; it is graded again", folder)
            shutil.rmtree(folder)
        wanted: bool = _NBGRADERS_WAY(self, assignment_id, student_id)
        if wanted and (lesson := _lesson(assignment_id)) is not None:
            _enter(self.coursedir, lesson)
        return wanted

    Autograde.init_destination = init_destination


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
    folder = next((folder for folder in lessons_in(authors_root(Path.cwd())) if folder.name == assignment), None)
    return None if folder is None else _loaded(folder, max((folder / name).stat().st_mtime_ns for name in (f"{assignment}.md", "exercises.py")))


@cache
def _loaded(folder: Path, changed: int) -> Lesson:
    return load_lesson(folder)


def _run(lesson: Lesson) -> tuple[Run, Released]:
    """The run that goes on in the lesson's journal, or starts there, and the notebook that learners got."""
    edition = edition_of(lesson)
    root = lesson.folder.parent.parent
    return _kept_run(lesson.folder, edition, _seed(journal_path(root, lesson), edition)), released(root, lesson)


def _seed(path: Path, edition: str) -> int:
    """The seed of the journal's last run on this lesson and this grader; a new one is noted where there is none."""
    version = grader_version()
    while (seed := _noted_seed(path, _state(path), version, edition)) is None:
        try:
            with open_journal(path) as journal:
                if journal.seed(version, edition) is None:
                    journal.start(Basis(version, edition, draw_seed()))
        except JournalBusy:
            time.sleep(0.1)  # the run that has it is about to note its seed
    return seed


@lru_cache(maxsize=1)
def _noted_seed(path: Path, state: tuple[int, int], version: str, edition: str) -> int | None:
    return read_journal(path).seed(version, edition)


def _state(path: Path) -> tuple[int, int]:
    """What changes whenever a file does."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


@cache
def _kept_run(folder: Path, edition: str, seed: int) -> Run:
    return Run(load_lesson(folder), seed)


@cache
def _runner() -> Runner:
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(open_runner())


def _node(notebook: dict[str, Any]) -> NotebookNode:
    node: NotebookNode = from_dict(notebook)  # type: ignore[no-untyped-call]
    return node

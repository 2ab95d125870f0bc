"""Read a lesson as its author wrote it: cells, exercises, questions and reference functions."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode

from grader.comparison.schema import Function
from grader.comparison.vocabulary import Exercise, Question
from grader.errors import UserError
from grader.execution.cell_facts import checked_name, facts
from grader.settings import Settings, load_settings

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


class LessonError(UserError):
    """An author's mistake; the message names the file and the way out."""


@dataclass(frozen=True)
class Lesson:
    """One topic of a course.

    Attributes:
        settings: of the course that the lesson belongs to.
        folder: its name is the lesson's name.
        notebook: the cells of the MyST source, in order.
        exercises: by name, in the order of the notebook's cells.
        questions: predictions and recall cards by name.
    """

    settings: Settings
    folder: Path
    notebook: NotebookNode
    exercises: dict[str, Exercise]
    questions: dict[str, Question]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def title(self) -> str:
        """The first heading, or the name where there is none."""
        texts = (cell.source for cell in self.notebook.cells if cell.cell_type == "markdown")
        lines = (line for text in texts for line in text.splitlines())
        return next((line[2:].strip() for line in lines if line.startswith("# ")), self.name)

    @property
    def source_file(self) -> str:
        """The path of the MyST source, relative to the course."""
        return f"{_relative(self.folder, self.settings)}/{self.name}.md"

    @property
    def exercises_file(self) -> str:
        """The path of exercises.py, relative to the course."""
        return f"{_relative(self.folder, self.settings)}/exercises.py"

    @cached_property
    def reference(self) -> dict[str, Function]:
        """The reference functions by name, made by running the setup and exercise cells."""
        namespace: dict[str, Any] = {"__name__": f"reference_{self.name}"}
        for cell in self.notebook.cells:
            if role(cell)[0] in ("setup", "exercise"):
                try:
                    exec(compile(cell.source, self.source_file, "exec"), namespace)
                except Exception as error:
                    reason = f"{type(error).__name__}: {error}"
                    message = f"{self.source_file}: a cell of the source fails: {reason}"
                    raise LessonError(message) from error
        return {name: namespace[name] for name in self.exercises}


def load_lesson(folder: Path) -> Lesson:
    """Read a lesson's MyST source and its exercises.py.

    Raises:
        LessonError: a file is missing, or the two contradict each other.
    """
    folder = folder.resolve()
    settings = load_settings(authors_root(folder))
    source, place = folder / f"{folder.name}.md", _relative(folder, settings)
    for path in (source, folder / "exercises.py"):
        if not path.is_file():
            raise LessonError(
                f"{place}: {path.name} is missing;"
                f" a lesson is a folder with {source.name} and exercises.py"
            )
    notebook = jupytext.read(source)
    objects = vars(_load_module(folder / "exercises.py", place))
    declared = {name: item for name, item in objects.items() if isinstance(item, Exercise)}
    questions = {name: item for name, item in objects.items() if isinstance(item, Question)}
    names = _exercise_names(notebook, place)
    roles = map(role, notebook.cells)
    checked = Counter(name for kind, name in roles if kind == "check")
    if mistakes := _contradictions(place, folder.name, Counter(names), declared, checked):
        raise LessonError("\n".join(mistakes))
    return Lesson(settings, folder, notebook, {name: declared[name] for name in names}, questions)


def lessons_in(root: Path) -> list[Path]:
    """Return the folders of a course's lessons, in alphabetical order."""
    sources = (root / load_settings(root).sources).glob("*/*.md")
    return sorted(path.parent for path in sources if path.stem == path.parent.name)


def authors_root(start: Path) -> Path:
    """Return the nearest folder from `start` upwards whose pyproject.toml has [tool.grader].

    Raises:
        LessonError: there is none.
    """
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file() and "[tool.grader]" in file.read_text(encoding="utf-8"):
            return folder
    raise LessonError(
        f"Neither {start} nor a folder above it has a pyproject.toml with [tool.grader];"
        " run this in an author's clone of the course."
    )


def named_lessons(root: Path, names: list[str]) -> list[Path]:
    """Return the folders of the named lessons; without names, of all lessons.

    Raises:
        LessonError: there is no such lesson.
    """
    known = {folder.name: folder for folder in lessons_in(root)}
    if unknown := [name for name in names if name not in known]:
        there = ", ".join(known) or "none"
        sources = load_settings(root).sources
        raise LessonError(f"{sources}/ has no lesson {unknown[0]}; it has {there}")
    return [known[name] for name in names or known]


def role(cell: NotebookNode) -> tuple[str, str]:
    """Return the kind of a source's cell, and the function's name for an exercise or a check.

    The kinds are exercise, check, play, setup, question, code and text.
    """
    if cell.cell_type != "code":
        return "text", ""
    if BEGIN in cell.source:
        return "exercise", "".join(facts(cell.source).functions[-1:])
    if name := checked_name(cell.source):
        return "check", name
    tags = [tag for tag in cell.metadata.get("tags", []) if tag in ("play", "setup", "question")]
    return (tags[0] if tags else "code"), ""


def cell_ids(lesson: Lesson) -> list[str]:
    """Return the cells' lasting ids: relu for an exercise, check-relu, else play-01 and so on."""
    ids = []
    counts: Counter[str] = Counter()
    for kind, name in map(role, lesson.notebook.cells):
        counts[kind] += 1
        named = {"exercise": name, "check": f"check-{name}"}
        ids.append(named.get(kind, f"{kind}-{counts[kind]:02}"))
    return ids


def _relative(folder: Path, settings: Settings) -> str:
    return folder.relative_to(settings.root).as_posix()


def _load_module(path: Path, place: str) -> Any:
    name = f"_exercises_of_{path.parent.name}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise LessonError(f"{place}/exercises.py can't be read: {reason}") from error
    return module


def _exercise_names(notebook: NotebookNode, place: str) -> list[str]:
    names = []
    for cell in notebook.cells:
        kind, name = role(cell)
        if kind != "exercise":
            continue
        if not name:
            raise LessonError(
                f"{place}: a cell with {BEGIN} defines no function;"
                " an exercise cell defines the function of its name"
            )
        if END not in cell.source:
            raise LessonError(f"{place}: the cell of {name} has {BEGIN} without {END}")
        names.append(name)
    return names


def _contradictions(
    place: str,
    lesson: str,
    cells: Counter[str],
    declared: dict[str, Exercise],
    checked: Counter[str],
) -> list[str]:
    """Return a sentence for each exercise without exactly one cell and check, points and cases."""
    md, py = f"{place}/{lesson}.md", f"{place}/exercises.py"
    mistakes = []
    for name in dict.fromkeys([*cells, *declared, *checked]):
        item, known = declared.get(name), name in cells
        checks = checked[name]
        rules = (
            (cells[name] > 1, f"{md}: two cells define the exercise {name}"),
            (known and not item, f"{py}: {name} is missing; write {name} = Exercise(points=…)"),
            (item and not known, f"{md}: {name} has no cell with {BEGIN}, but an Exercise"),
            (checks and not known, f"{md}: check({name}) has no exercise; define {name} in a cell"),
            (known and not checks, f"{md}: the exercise {name} has no check; add check({name})"),
            (checks > 1, f"{md}: check({name}) appears twice; an exercise has one check"),
            (item and not item.points, f"{py}: {name} has no points; write Exercise(points=…)"),
            (item and not item.draw, f"{py}: {name} has no cases; add them under @{name}.cases"),
        )
        mistakes += [sentence for wrong, sentence in rules if wrong]
    return mistakes

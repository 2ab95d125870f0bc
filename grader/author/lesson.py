"""Read a lesson as its author wrote it: cells, exercises, questions and reference functions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode

from grader.comparison.schema import Function
from grader.comparison.vocabulary import Exercise, NumberQuestion, Question
from grader.errors import UserError
from grader.execution.cell_facts import checked_name, facts
from grader.settings import Settings, load_settings

TAGS = ("play", "drawing", "setup", "question", "script")
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
    questions: dict[str, Question | NumberQuestion]

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
        return _relative(self.folder / f"{self.name}.md", self.settings)

    @property
    def exercises_file(self) -> str:
        """The path of exercises.py, relative to the course."""
        return _relative(self.folder / "exercises.py", self.settings)

    @property
    def release(self) -> Path:
        """The folder of the lesson that learners get."""
        return self.settings.root / self.settings.release / self.name

    @property
    def hardened(self) -> list[str]:
        """The exercises that a cell of the notebook hardens."""
        names = (checked_name(cell.source, "harden") for cell in self.notebook.cells)
        return [name for name in names if name is not None]

    @cached_property
    def reference(self) -> dict[str, Function]:
        """The reference functions by name, made by running the setup and exercise cells."""
        cells = [one for one in self.notebook.cells if role(one)[0] in ("setup", "exercise")]
        namespace = _namespace([cell.source for cell in cells], self.source_file, self.source_file)
        return {name: namespace[name] for name in self.exercises}


def load_lesson(folder: Path) -> Lesson:
    """Read a lesson's MyST source and its exercises.py.

    Raises:
        LessonError: a file is missing, or the two contradict each other.
    """
    folder = folder.resolve()
    settings = load_settings(authors_root(folder))
    source, exercises = folder / f"{folder.name}.md", folder / "exercises.py"
    for path in (source, exercises):
        if not path.is_file():
            raise LessonError(f"{_relative(path, settings)} is missing; a lesson needs it")
    file = _relative(exercises, settings)
    try:
        notebook, text = jupytext.read(source), exercises.read_text(encoding="utf-8")
    except Exception as error:  # of jupytext, nbformat and yaml, or another encoding
        place = _relative(folder, settings)
        raise LessonError(f"{place} can't be read: {type(error).__name__}: {error}") from None
    objects = _namespace([text], str(exercises), file)
    declared = {name: item for name, item in objects.items() if isinstance(item, Exercise)}
    kinds = Question | NumberQuestion
    questions = {name: item for name, item in objects.items() if isinstance(item, kinds)}
    shown = _relative(source, settings)
    if mistakes := _mistakes(notebook, declared, shown, file):
        raise LessonError("\n".join(mistakes))
    names = [name for kind, name in map(role, notebook.cells) if kind == "exercise"]
    ordered = {name: declared[name] for name in names}
    lesson = Lesson(settings, folder, notebook, ordered, questions)
    if unknown := [name for name in lesson.hardened if name not in ordered]:
        raise LessonError(f"{shown}: harden({unknown[0]}) names no exercise of this lesson")
    return lesson


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
        if file.is_file() and b"[tool.grader]" in file.read_bytes():
            return folder
    message = f"Neither {start} nor a folder above it has a pyproject.toml with [tool.grader]"
    raise LessonError(f"{message}; run this in an author's clone of the course.")


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

    The kinds are exercise, check, play, drawing, setup, question, script, code and text.
    """
    if cell.cell_type != "code":
        return "text", ""
    if BEGIN in cell.source:
        return "exercise", "".join(facts(cell.source).functions[-1:])
    if name := checked_name(cell.source):
        return "check", name
    tags = [tag for tag in cell.metadata.get("tags", []) if tag in TAGS]
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


def _relative(path: Path, settings: Settings) -> str:
    return path.relative_to(settings.root).as_posix()


def _namespace(sources: list[str], path: str, shown: str) -> dict[str, Any]:
    """Return the namespace after running pieces of code of a file; errors name it as `shown`."""
    namespace: dict[str, Any] = {"__name__": __name__}  # dataclasses look the module up
    try:
        for source in sources:
            exec(compile(source, path, "exec", dont_inherit=True), namespace)
    except Exception as error:
        message = f"{shown}: running its code fails: {type(error).__name__}: {error}"
        raise LessonError(message) from error
    return namespace


def _mistakes(notebook: NotebookNode, declared: dict[str, Exercise], md: str, py: str) -> list[str]:
    """Return a sentence for each exercise without exactly one cell and check, points and cases."""
    exercises = [cell for cell in notebook.cells if role(cell)[0] == "exercise"]
    cells = Counter(role(cell)[1] for cell in exercises)
    checks = Counter(name for kind, name in map(role, notebook.cells) if kind == "check")
    if "" in cells:
        return [f"{md}: a cell with {BEGIN} defines no function"]
    mistakes = [
        f"{md}: the cell of {role(cell)[1]} has {BEGIN} without {END}"
        for cell in exercises
        if END not in cell.source
    ]
    for name in dict.fromkeys([*cells, *declared, *checks]):
        item = declared.get(name) or Exercise()
        rules = (
            (cells[name] != 1, f"{md}: {name} needs one cell with {BEGIN}, not {cells[name]}"),
            (checks[name] != 1, f"{md}: {name} needs one check({name}), not {checks[name]}"),
            (not item.points, f"{py}: {name} has no points; write {name} = Exercise(points=…)"),
            (not item.draw, f"{py}: {name} has no cases; add them under @{name}.cases"),
        )
        mistakes += [sentence for wrong, sentence in rules if wrong]
    return mistakes

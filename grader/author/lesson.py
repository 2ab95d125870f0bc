"""Read a lesson from `solutions/`: its cells, exercises, questions and reference functions."""

from __future__ import annotations

import ast
import importlib.util
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode

from grader.comparison.schema import Function
from grader.comparison.vocabulary import Exercise, Question
from grader.errors import UserError
from grader.execution.cell_facts import checked_name

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


class LessonError(UserError):
    """An author's mistake, in one sentence with the file and the way out."""


@dataclass(frozen=True)
class Lesson:
    """One topic, as its author wrote it.

    Attributes:
        folder: the lesson's folder; its name is the lesson's name.
        notebook: the cells of the MyST source, in order.
        exercises: by name, in the order of the notebook's cells.
        questions: predictions and recall cards by name.
    """

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
        """The text of the first heading."""
        lines = (
            line
            for cell in self.notebook.cells
            if cell.cell_type == "markdown"
            for line in cell.source.splitlines()
        )
        return next(
            (line.lstrip("# ").strip() for line in lines if line.startswith("# ")), self.name
        )

    @property
    def source_file(self) -> str:
        """The MyST source, as an error message names it."""
        return f"{self.folder.parent.name}/{self.name}/{self.name}.md"

    @property
    def exercises_file(self) -> str:
        """The author's other file, as an error message names it."""
        return f"{self.folder.parent.name}/{self.name}/exercises.py"

    @cached_property
    def reference(self) -> dict[str, Function]:
        """The reference functions by name, from running the setup and exercise cells of the source."""
        namespace: dict[str, Any] = {"__name__": f"reference_{self.name}"}
        for cell in self.notebook.cells:
            if role(cell)[0] in ("setup", "exercise"):
                try:
                    exec(compile(cell.source, self.source_file, "exec"), namespace)
                except Exception as error:
                    raise LessonError(
                        f"{self.source_file}: a cell of the source fails: {type(error).__name__}: {error}"
                    ) from error
        return {name: namespace[name] for name in self.exercises}


def load_lesson(folder: Path) -> Lesson:
    """Read the two files of an author.

    Raises:
        LessonError: one is missing, or the two do not fit together.
    """
    folder = folder.resolve()
    source = folder / f"{folder.name}.md"
    place = f"{folder.parent.name}/{folder.name}"
    for path in (source, folder / "exercises.py"):
        if not path.is_file():
            raise LessonError(
                f"{place}: {path.name} is missing; a lesson is a folder with {folder.name}.md and exercises.py"
            )
    notebook = jupytext.read(source)
    module = _load_module(folder / "exercises.py", place)
    declared = {name: item for name, item in vars(module).items() if isinstance(item, Exercise)}
    questions = {name: item for name, item in vars(module).items() if isinstance(item, Question)}
    names = _exercise_names(notebook, place)
    _hold_together(
        place,
        folder.name,
        names,
        declared,
        [role(cell)[1] for cell in notebook.cells if role(cell)[0] == "check"],
    )
    return Lesson(folder, notebook, {name: declared[name] for name in names}, questions)


def lessons_in(root: Path) -> list[Path]:
    """The lesson folders under `solutions/` of a course, those with a source, in alphabetical order."""
    return sorted(
        path.parent for path in (root / "solutions").glob("*/*.md") if path.stem == path.parent.name
    )


def authors_root(start: Path) -> Path:
    """The nearest folder upwards that holds `solutions/`.

    Raises:
        LessonError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / "solutions").is_dir():
            return folder
    raise LessonError(
        f"There is no solutions/ in {start} or above it; run this in an author's clone of the course"
    )


def named_lessons(root: Path, names: list[str]) -> list[Path]:
    """The folders of the lessons of these names, or of all where none is named.

    Raises:
        LessonError: there is no such lesson.
    """
    there = {folder.name: folder for folder in lessons_in(root)}
    if unknown := [name for name in names if name not in there]:
        raise LessonError(
            f"solutions/ has no lesson {unknown[0]}; it has {', '.join(there) or 'none'}"
        )
    return [there[name] for name in names or there]


def role(cell: NotebookNode) -> tuple[str, str]:
    """What a cell of a source is: ("exercise" or "check", the function's name), (a tag: "play", "setup", …, ""), ("text", "") or ("code", "")."""
    if cell.cell_type != "code":
        return "text", ""
    if BEGIN in cell.source:
        return "exercise", ", ".join(defined_functions(cell.source)[-1:])
    if name := checked_name(cell.source):
        return "check", name
    tags = [tag for tag in cell.metadata.get("tags", []) if tag in ("play", "setup", "question")]
    return (tags[0], "") if tags else ("code", "")


def cell_ids(lesson: Lesson) -> list[str]:
    """The lasting id of each cell: the function's name for an exercise, `check-` and the name for its check, else kind and number."""
    ids = []
    counts: dict[str, int] = {}
    for kind, name in map(role, lesson.notebook.cells):
        counts[kind] = counts.get(kind, 0) + 1
        ids.append(
            {"exercise": name, "check": f"check-{name}"}.get(kind, f"{kind}-{counts[kind]:02}")
        )
    return ids


def defined_functions(source: str) -> list[str]:
    """Names of the functions that a cell defines at its top level, in order; none where it is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


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
        raise LessonError(
            f"{place}/exercises.py can't be read: {type(error).__name__}: {error}"
        ) from error
    return module


def _exercise_names(notebook: NotebookNode, place: str) -> list[str]:
    names = []
    for cell in notebook.cells:
        if role(cell)[0] != "exercise":
            continue
        if not role(cell)[1]:
            raise LessonError(
                f"{place}: a cell with {BEGIN} defines no function; an exercise cell defines the function of its name"
            )
        if END not in cell.source:
            raise LessonError(f"{place}: the cell of {role(cell)[1]} has {BEGIN} without {END}")
        names.append(role(cell)[1])
    return names


def _hold_together(
    place: str, lesson: str, names: list[str], declared: dict[str, Exercise], checked: list[str]
) -> None:
    """Every exercise has a cell, a check and points; every check has an exercise. One sentence for each mistake."""
    md, py = f"{place}/{lesson}.md", f"{place}/exercises.py"
    mistakes = [
        *(
            f"{md}: two cells define the exercise {name}"
            for name in sorted(set(names))
            if names.count(name) > 1
        ),
        *(
            f"{py}: the exercise {name} of {lesson}.md is missing; write {name} = Exercise(points=…) and its cases"
            for name in names
            if name not in declared
        ),
        *(
            f"{md}: {name} has no cell with {BEGIN}, but exercises.py declares it"
            for name in declared
            if name not in names
        ),
        *(
            f"{md}: check({name}) has no exercise; write a cell that defines {name} between {BEGIN} and {END}"
            for name in checked
            if name not in names
        ),
        *(
            f"{md}: the exercise {name} has no check; write a cell with check({name}) after it"
            for name in names
            if name not in checked
        ),
        *(
            f"{md}: check({name}) stands twice; one graded cell an exercise"
            for name in sorted(set(checked))
            if checked.count(name) > 1
        ),
        *(
            f"{py}: {name} has no points; write Exercise(points=…)"
            for name, item in declared.items()
            if not item.points or item.points <= 0
        ),
        *(
            f"{py}: {name} has no cases; write a function under @{name}.cases that yields some"
            for name, item in declared.items()
            if item.draw is None
        ),
    ]
    if mistakes:
        raise LessonError("\n".join(mistakes))

"""`earlier(…)`: get the learner's functions from earlier lessons, or the course's instead."""

from __future__ import annotations

import ast
import importlib
from html import escape
from pathlib import Path
from typing import Any

from grader.comparison.answer_key import KEY_FILE, KeyMissing, load_key
from grader.comparison.judge import call_of, judge, observe_all
from grader.comparison.observe import signature_mismatch, undisturbed
from grader.comparison.schema import AnswerKey, ExerciseKey, Function
from grader.execution.cell_facts import parsed
from grader.execution.notebook import UnreadableNotebook
from grader.learner.notebook import cells_that_count, found


class EarlierFunctions:
    """Functions by name, as attributes. As the last expression of a cell it says where each comes from.

    Attributes:
        sources: for each name a sentence: the learner's own, from which lesson, or why it is the course's.
    """

    def __init__(self, functions: dict[str, Function], sources: dict[str, str]) -> None:
        self.__dict__.update(functions)
        self.sources = sources

    def __getattr__(self, name: str) -> Function:
        raise AttributeError(
            f"{name} is not among the functions here; there are {', '.join(self.sources) or 'none'}."
        )

    def __repr__(self) -> str:
        return f"Functions from earlier lessons: {', '.join(self.sources)}"

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<p class="progress"><code>{escape(name)}</code> {escape(source)}</p>'
            for name, source in self.sources.items()
        )
        return f'<div class="earlier">{rows}</div>'


def earlier(*names: str, fallback: str) -> EarlierFunctions:
    """The learner's functions of these names, each from the lesson beside this one that has it as an exercise.

    A function counts if it passes every case of that lesson's answer key. Only its notebook's imports, functions, classes and
    plain constants are run, and whatever goes wrong there makes it the course's own, never an error here.

    Args:
        names: of exercises of other lessons.
        fallback: the module with the course's own functions of these names; it may be missing, as where learners' work is graded.
    """
    lessons = _lessons(Path.cwd())
    notebooks: dict[Path, tuple[dict[str, Any], str]] = {}
    functions: dict[str, Function] = {}
    sources: dict[str, str] = {}
    for name in names:
        folder = next((folder for folder, key in lessons.items() if name in key["exercises"]), None)
        why = "no lesson beside this one has it"
        if folder is not None:
            if folder not in notebooks:
                notebooks[folder] = _definitions(folder, lessons[folder])
            defined, unread = notebooks[folder]
            why = unread or _shortcoming(
                name, defined, lessons[folder]["exercises"][name], folder.name
            )
            if not why:
                functions[name], sources[name] = (
                    defined[name],
                    f"is yours, from the lesson {folder.name}.",
                )
                continue
        if (finished := _from_module(fallback, name)) is not None:
            functions[name] = finished
        sources[name] = f"is the course's own: {why}."
    return EarlierFunctions(functions, sources)


def _lessons(here: Path) -> dict[Path, AnswerKey]:
    """The answer keys of the lessons whose folders lie beside this one's."""
    keys = {}
    try:
        folders = sorted(
            path.parent for path in here.parent.glob(f"*/{KEY_FILE}") if path.parent != here
        )
    except OSError:
        return {}
    for folder in folders:
        try:
            keys[folder] = load_key(folder)
        except KeyMissing:
            continue
    return keys


def _definitions(folder: Path, key: AnswerKey) -> tuple[dict[str, Any], str]:
    """What a lesson's notebook defines, without what it does: no call of it that stands by itself is made. With it, why it can't be read, or nothing."""
    if (notebook := found(folder / f"{folder.name}.ipynb")) is None:
        return {}, f"no notebook of the lesson {folder.name} is in {folder.name}/"
    try:
        cells, _ = cells_that_count(key, notebook.read_bytes())
    except UnreadableNotebook as error:
        return (
            {},
            f"{folder.name}/{notebook.name} can't be read: {error.told('run this cell again')}",
        )
    except OSError as error:
        return {}, f"{folder.name}/{notebook.name} can't be opened: {error.strerror}"
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells:
        for statement in _statements(cell):
            _run(statement, namespace)
    return namespace, ""


def _statements(source: str) -> list[ast.stmt]:
    tree = parsed(source)
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    body = tree.body if tree else []
    return [
        one
        for one in body
        if isinstance(one, kept)
        or (
            isinstance(one, ast.Assign)
            and not any(isinstance(part, ast.Call) for part in ast.walk(one))
        )
    ]


def _run(statement: ast.stmt, namespace: dict[str, Any]) -> None:
    try:
        with undisturbed():
            exec(compile(ast.Module([statement], []), "<another lesson>", "exec"), namespace)
    except Exception:
        return


def _shortcoming(name: str, defined: dict[str, Any], exercise: ExerciseKey, lesson: str) -> str:
    """Why the learner's function can't be used, or nothing."""
    function = defined.get(name)
    if not callable(function):
        return f"your notebook of the lesson {lesson} has none"
    if signature_mismatch(function, [call_of(case) for case in exercise["cases"]]):
        return f"yours, in the lesson {lesson}, takes other arguments"
    verdict = judge(name, exercise, observe_all(function, exercise["cases"]))
    return "" if verdict.solved else f"yours, in the lesson {lesson}, is not solved yet"


def _from_module(module: str, name: str) -> Function | None:
    try:
        function: Function | None = getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None
    return function

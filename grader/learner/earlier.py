"""`earlier(…)`: get the learner's functions from earlier lessons, or the course's instead."""

from __future__ import annotations

import ast
import contextlib
import importlib
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from grader.comparison.judge import call_of, judge, observe_all
from grader.comparison.observe import restored_generators, signature_mismatch, undisturbed
from grader.comparison.schema import AnswerKey, ExerciseKey, Function
from grader.execution.cell_facts import names_bound, parsed
from grader.execution.notebook import UnreadableNotebook
from grader.execution.submission import Selection
from grader.learner.notebook import find_notebooks, graded_cells, lesson_folder, lesson_keys, reason
from grader.learner.progress import load_progress
from grader.syntax import names_in


class EarlierFunctions(SimpleNamespace):
    """Functions as attributes; as a cell's output it shows where each comes from.

    Attributes:
        sources: for each name, whether the function is the learner's, or why it is the course's.
    """

    sources: dict[str, str]

    def __repr__(self) -> str:
        return f"Functions from earlier lessons: {', '.join(self.sources)}"

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<p class="overall"><code>{escape(name)}</code> {escape(source)}</p>'
            for name, source in self.sources.items()
        )
        return f'<div class="earlier">{rows}</div>'


def earlier(*names: str, fallback: str) -> EarlierFunctions:
    """Return the learner's functions from the lessons next to this one.

    A function counts if it passes every case of its lesson's answer key; otherwise the course's
    function takes its place. Of a notebook only the statements that a function depends on are run,
    and errors in them are ignored.

    Args:
        names: exercises of other lessons.
        fallback: module with the course's functions; missing in the sandbox that grades.
    """
    here = lesson_folder()
    keys = lesson_keys(here.parent)
    keys.pop(here.name, None)
    notebooks: dict[str, list[Selection] | str] = {}
    functions: dict[str, Function] = {}
    sources: dict[str, str] = {}
    course: object = None
    with contextlib.suppress(ImportError):
        course = importlib.import_module(fallback)
    for name in names:
        problems: list[str] = []
        # Several folders have it where the learner keeps a copy of a lesson's.
        for lesson in (lesson for lesson, key in keys.items() if name in key["exercises"]):
            solved = name in load_progress(here.parent / lesson)["solved"]
            if lesson not in notebooks:
                notebooks[lesson] = _selections(here.parent / lesson, keys[lesson])
            found = notebooks[lesson]
            if isinstance(found, str):
                function, problem = cast(Any, None), found
            else:
                exercise = keys[lesson]["exercises"][name]
                function, problem = _first_solved(name, found, exercise, lesson)
            if problem and solved:
                problem = (
                    f"you have solved it in the lesson {lesson}, and another version is saved."
                    " Save that notebook (Ctrl+S), then run this cell again"
                )
            if not problem:
                functions[name] = function
                sources[name] = f"is yours, from the lesson {lesson}."
                break
            problems.append(problem)
        else:
            if hasattr(course, name):
                functions[name] = getattr(course, name)
            problems.sort(key=lambda one: not one.startswith("you have solved it"))
            problem = problems[0] if problems else "no lesson next to this one has it"
            sources[name] = f"is the course's: {problem}."
    return EarlierFunctions(**functions, sources=sources)


def _selections(folder: Path, key: AnswerKey) -> list[Selection] | str:
    """Return the graded cells of a lesson's notebook and of copies, or why none can be read."""
    found, problem = [], f"no notebook of the lesson {folder.name} is in {folder.name}/"
    for notebook in find_notebooks(folder / f"{folder.name}.ipynb"):
        try:
            found.append(graded_cells(key, notebook.read_bytes()))
        except (UnreadableNotebook, OSError) as error:
            place = f"{folder.name}/{notebook.name}"
            problem = f"{place} can't be read: {reason(error, 'run this cell again')}"
    return found or problem


def _first_solved(
    name: str, selections: list[Selection], exercise: ExerciseKey, lesson: str
) -> tuple[Any, str]:
    """Return the learner's function and "", or the problem of the one in the lesson's notebook.

    It is looked for where it is checked, then with the cells below, which may hold a helper.
    """
    problems = []
    for selection in selections:
        for end in dict.fromkeys((selection.asked.get(name), None)):
            try:
                function = _defined(name, selection.cells[:end])
                problems.append(_problem(function, name, exercise, lesson))
            except KeyboardInterrupt:  # a loop that never ends; it would in the next try as well
                return None, f"yours, in the lesson {lesson}, was interrupted before it ended"
            if not problems[-1]:
                return function, ""
    return None, problems[0]


def _defined(name: str, cells: list[str]) -> Any:
    """Return the value of a name after some cells, from the statements that it depends on."""
    statements = [one for cell in cells if (tree := parsed(cell)) for one in tree.body]
    needed, kept = {name, "*"}, set[int]()  # what `from numpy import *` gives isn't known
    while found := {
        number
        for number, one in enumerate(statements)
        if number not in kept and needed & (names_bound(one) | _filled(one))
    }:
        kept |= found
        needed = needed.union(*(names_in(statements[number]) for number in found))
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number in sorted(kept):
        code = ast.Module([statements[number]], [])
        with contextlib.suppress(Exception), restored_generators(), undisturbed():
            exec(compile(code, "<another lesson>", "exec"), namespace)
    return namespace.get(name)


def _filled(statement: ast.stmt) -> set[str]:
    """Return the names of which a statement sets an item or an attribute, as in ``low[0] = 1``."""
    found = set()
    for node in ast.walk(statement):
        if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            inner: ast.expr = node
            while isinstance(inner, (ast.Subscript, ast.Attribute)):
                inner = inner.value
            found |= {inner.id} if isinstance(inner, ast.Name) else set()
    return found


def _problem(function: Any, name: str, exercise: ExerciseKey, lesson: str) -> str:
    """Return why the learner's function can't be used, or ""."""
    if not callable(function):
        return f"your notebook of the lesson {lesson} has none"
    if signature_mismatch(function, [call_of(case) for case in exercise["cases"]]):
        return f"yours, in the lesson {lesson}, takes other arguments"
    verdict = judge(name, exercise, observe_all(function, exercise["cases"]))
    return "" if verdict.solved else f"yours, in the lesson {lesson}, is not solved yet"

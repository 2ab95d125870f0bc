"""Find lines of the author's answers in the files that learners get."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from grader.author.lesson import BEGIN, Lesson, defined_functions

SHORTEST = 15
"""Characters of a line that gives something away; shorter ones, like ``return x``, stand anywhere."""


def leaks(lessons: Sequence[Lesson], files: Mapping[str, bytes]) -> list[str]:
    """What stands in files and should not, one phrase each: the file, the line, whose it is.

    In a notebook or a key each line of an answer counts, but for what some lesson's text shows to everybody. In a module only a whole
    answer does: libraries share lines like ``with np.errstate(all="ignore"):``. Functions that solve an exercise in other words, like those
    of `playground.functions.finished`, are not found here; a test runs every function of an edition against the answer keys.
    """
    shown = "\n".join(
        cell.source
        for lesson in lessons
        for cell in lesson.notebook.cells
        if BEGIN not in cell.source
    )
    secret = [
        (whose, lines, [line for line in lines if len(line) >= SHORTEST and line not in shown])
        for lesson in lessons
        for whose, lines in answers(lesson)
    ]
    found = []
    for name, data in files.items():
        text = data.decode(errors="replace").replace('\\"', '"')
        for whose, lines, telling in secret:
            there = next((line for line in telling if line in text), None)
            if there and (not name.endswith(".py") or all(line in text for line in lines)):
                found.append(f"{name}: {there} ({whose})")
    return found


def answers(lesson: Lesson) -> Iterator[tuple[str, list[str]]]:
    """What no learner may get: the reference of each exercise, each misconception, each other right answer and each drawing of cases, as lines."""
    for cell in lesson.notebook.cells:
        if BEGIN in cell.source:
            function = defined_functions(cell.source)[-1]
            tree = ast.parse(cell.source)
            yield (
                f"the reference of {function}",
                _lines(
                    cell.source,
                    next(
                        node
                        for node in tree.body
                        if isinstance(node, ast.FunctionDef) and node.name == function
                    ),
                ),
            )
    source = (lesson.folder / "exercises.py").read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            name = [] if node.name == "_" else [f"def {node.name}("]
            yield f"{node.name} of {lesson.name}/exercises.py", [*name, *_lines(source, node)]


def _lines(source: str, function: ast.FunctionDef) -> list[str]:
    """The lines of a function's body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    lines = source.splitlines()
    return [line.strip() for part in body for line in lines[part.lineno - 1 : part.end_lineno]]

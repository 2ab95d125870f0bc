"""Choose the cells of a submission to run, in Jupyter's order, and repair what can be.

Metadata, tags and outputs of a submission decide nothing: a cell is known by its id in the lesson, by its text, and by the
functions that it defines.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from grader.execution.cell_facts import facts, is_stub, is_unwritten, parsed
from grader.execution.notebook import Cell, left_out

MAX_REPAIRS = 20
"""Most sentences on what was repaired."""


@dataclass(frozen=True)
class Template:
    """What the grader knows of a lesson's notebook.

    Attributes:
        exercises: names of the functions to find.
        setup: texts of the setup cells, which run first, as the lesson has them.
        locked: texts of setup and other locked code cells by id; they run as the lesson has them.
        idle: ids of the cells that are not run: checks, plays, questions and setup.
        idle_texts: their texts, for copies under another id.
    """

    exercises: tuple[str, ...]
    setup: tuple[str, ...]
    locked: dict[str, str]
    idle: frozenset[str]
    idle_texts: frozenset[str]


def cells_to_run(known: Template, submitted: list[Cell]) -> tuple[list[str], list[str]]:
    """The texts of the cells to run, the lesson's setup first, and one sentence for each thing that was repaired."""
    repaired: list[str] = []
    texts = list(known.setup)
    finished = {name for cell in submitted for name in _written(known, cell)}
    seen: dict[str, int] = {}
    for cell in submitted:
        if cell.left_out:
            repaired.append(left_out(cell.left_out))
        elif answers := answers_in(known, cell):
            for name in answers:
                seen[name] = seen.get(name, 0) + 1
            if cell.type != "code":
                repaired.append(
                    f"The cell of {', '.join(answers)} was of type {cell.type}; it was read as code."
                )
            if stubs := [
                name for name in answers if name in finished and is_stub(cell.source, name)
            ]:
                repaired.append(f"A second, unfinished {', '.join(stubs)} was left out.")
            texts.append(_without(stubs, cell.source))
        elif cell.type == "code":
            text = known.locked.get(cell.id, cell.source)
            if text != cell.source:
                repaired.append(
                    f"The lesson's cell {cell.id} was changed; what ran is the lesson's own."
                )
            if not _is_idle(known, cell):
                texts.append(text)
    repaired += [
        f"{name} is defined in {count} cells; the last finished one counts."
        for name, count in seen.items()
        if count > 1
    ]
    return [text for text in texts if text], _few(repaired)


def _without(names: list[str], source: str) -> str:
    """A cell's text with blank lines in place of its stubs of these names."""
    tree = parsed(source) if names else None
    lines = source.split("\n")
    for node in tree.body if tree else []:
        if isinstance(node, ast.FunctionDef) and node.name in names and is_unwritten(node):
            first, last = (
                min([node.lineno, *(part.lineno for part in node.decorator_list)]),
                node.end_lineno or node.lineno,
            )
            lines[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(lines) if any(map(str.strip, lines)) else ""


def _few(repaired: list[str]) -> list[str]:
    """Each sentence once, and not more than a person reads."""
    sentences = list(dict.fromkeys(repaired))
    more = len(sentences) - MAX_REPAIRS
    return (
        sentences
        if more <= 0
        else [*sentences[:MAX_REPAIRS], f"Of such sentences there are {more} more."]
    )


def why_missing(known: Template, submitted: list[Cell], name: str) -> str:
    """What stands in place of a function that a notebook doesn't define."""
    start = f"No function is called {name}"
    places = {cell.id: cell.source for cell in submitted}
    if name in places:
        others = [other for other in facts(places[name]).functions if other not in known.exercises]
        return (
            f"{start}; its cell defines {', '.join(others)[:60]}. Keep the name that the cell came with."
            if others
            else f"{start}; its cell defines none."
        )
    return (
        f"{start}, and its cell is gone; a fresh copy of the lesson has it."
        if places.keys() & {*known.exercises}
        else f"{start}."
    )


def answers_in(known: Template, cell: Cell) -> list[str]:
    """The exercises that a cell defines; a cell that isn't code counts only in the place of an exercise."""
    if cell.type != "code" and cell.id not in known.exercises:
        return []
    return [name for name in facts(cell.source).functions if name in known.exercises]


def _written(known: Template, cell: Cell) -> set[str]:
    """The exercises that a cell gives a function to, other than a stub."""
    if cell.type != "code":
        return {name for name in answers_in(known, cell) if not is_stub(cell.source, name)}
    found = facts(cell.source)
    return ({*found.functions} - found.stubs | found.assigned) & {*known.exercises}


def _is_idle(known: Template, cell: Cell) -> bool:
    return (
        cell.id in known.idle
        or cell.source in known.idle_texts
        or facts(cell.source).checked is not None
    )

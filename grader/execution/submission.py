"""Choose the cells of a submission to run, in the notebook's order, and repair small damage.

A submission's metadata, tags and outputs decide nothing: a cell is identified by its id in the
lesson, by its text, and by the functions that it defines.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from grader.execution.cell_facts import facts, is_unwritten, parsed
from grader.execution.notebook import Cell, left_out

MAX_REPAIRS = 20  # sentences about repairs


@dataclass(frozen=True)
class Template:
    """The parts of a lesson's notebook that decide how a submission is run."""

    exercises: tuple[str, ...]  # names of the functions to find
    setup: tuple[str, ...]  # the lesson's setup cells, which run first
    locked: dict[str, str]  # its locked code cells by id, which replace those of a submission
    idle: frozenset[str]  # ids of cells that are not run: checks, plays, questions and setup
    idle_texts: frozenset[str]  # texts of these cells, for copies with another id


class Selection(NamedTuple):
    """The cells of a submission that are run."""

    cells: list[str]  # texts, setup first
    asked: dict[str, int]  # exercises with a check after their last definition: cells before it
    repaired: list[str]  # a sentence about each repair
    missing: dict[str, str]  # the note about each exercise, if no function has its name


def select(known: Template, submitted: list[Cell]) -> Selection:
    """Return the cells to run, and when to ask for each exercise: where the notebook checks it."""
    repaired: list[str] = []
    asked: dict[str, int] = {}
    texts = list(known.setup)
    finished = {name for cell in submitted for name in _written(known, cell)}
    seen: Counter[str] = Counter()
    for cell in submitted:
        if cell.left_out:
            repaired.append(left_out(cell.left_out))
        elif answers := answers_in(known, cell):
            seen.update(answers)
            if cell.type != "code":
                who = f"The cell of {', '.join(answers)}"
                repaired.append(f"{who} was of type {cell.type}; it was read as code.")
            if stubs := [one for one in answers if one in finished & cell.facts.stubs]:
                repaired.append(f"A second, unfinished {', '.join(stubs)} was left out.")
            for name in {*answers} - {*stubs}:
                asked.pop(name, None)
            texts += filter(None, [_without(stubs, cell.source)])
        elif cell.type == "code":
            text, added = _text_of(known, cell)
            texts += [*filter(None, [text]), *added]
            if text is None and (checked := _checks(known, cell)):
                asked[checked] = len(texts)
            elif known.locked.get(cell.id, cell.source) != cell.source:
                repaired.append(_replaced(cell, added))
    repaired += [
        f"{name} is defined in {count} cells; the last finished one counts."
        for name, count in seen.items()
        if count > 1
    ]
    missing = {name: _why_missing(known, submitted, name) for name in known.exercises}
    return Selection(texts, asked, list(dict.fromkeys(repaired))[:MAX_REPAIRS], missing)


def _text_of(known: Template, cell: Cell) -> tuple[str | None, list[str]]:
    """Return the text to run for a cell, None if it is idle, and the imports that it adds."""
    text = known.locked.get(cell.id, cell.source)
    idle = cell.id in known.idle or cell.source in known.idle_texts or _checks(known, cell)
    added = () if cell.source == text and not idle else cell.facts.imports
    known_imports = facts(text).imports if cell.id in known.locked else ()
    return None if idle else text, [one for one in added if one not in known_imports]


def _checks(known: Template, cell: Cell) -> str | None:
    """Return the exercise that a cell checks, by its text or its id."""
    _, found, by_id = cell.id.rpartition("check-")
    name = cell.facts.checked or (found and by_id)
    return name if name in known.exercises else None


def _replaced(cell: Cell, added: list[str]) -> str:
    also = " with the imports that were added" if added else ""
    return f"The lesson's cell {cell.id} was changed; the original was run{also}."


def _without(names: list[str], source: str) -> str:
    """Return a cell's text with its stubs of these names replaced by blank lines."""
    tree = parsed(source) if names else None
    lines = source.split("\n")
    for node in tree.body if tree else []:
        if isinstance(node, ast.FunctionDef) and node.name in names and is_unwritten(node):
            first = min([node.lineno, *(part.lineno for part in node.decorator_list)])
            last = node.end_lineno or node.lineno
            lines[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(lines) if any(map(str.strip, lines)) else ""


def _why_missing(known: Template, submitted: list[Cell], name: str) -> str:
    """Return the note about a function that a notebook doesn't define."""
    start = f"No function is called {name}"
    places = {cell.id: cell for cell in submitted}
    if name in places:
        others = [other for other in places[name].facts.functions if other not in known.exercises]
        defined = ", ".join(others)[:60] or "none"
        return f"{start}; its cell defines {defined}. Keep the name that the cell came with."
    if places.keys() & {*known.exercises}:
        return f"{start}, and its cell is gone; a fresh copy of the lesson has it."
    return f"{start}."


def answers_in(known: Template, cell: Cell) -> list[str]:
    """Return the exercises that a cell defines; a text cell counts only if it was a stub's."""
    if cell.type != "code" and cell.id not in known.exercises:
        return []
    return [name for name in cell.facts.functions if name in known.exercises]


def _written(known: Template, cell: Cell) -> set[str]:
    """Return the exercises that a cell defines, without stubs."""
    if cell.type != "code":
        return {*answers_in(known, cell)} - cell.facts.stubs
    found = cell.facts
    return ({*found.functions} - found.stubs | found.assigned) & {*known.exercises}

"""A submitted notebook's bytes come in; the cells to run go out, as Jupyter would run them, with what had to be repaired.

Metadata, tags and outputs of a submission decide nothing: a cell is known by its id in the lesson, by its text, and by the
functions that it defines.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

MAX_BYTES = 50_000_000
"""Largest notebook that is read."""

MAX_NESTED = 2_000_000
"""Most lists and objects in a notebook's file: each takes many times its two bytes once it is read."""

MAX_CELLS = 2_000
"""Most cells of a notebook that is read."""

MAX_SOURCE = 200_000
"""Most characters of a code cell that is read; a longer one is left out."""

MAX_SOURCES = 1_000_000
"""Most characters of all cells together; code beyond is left out."""

MAX_REPAIRS = 20
"""Most sentences on what was repaired."""

MAX_LABEL = 40
"""Most characters of a cell's id and type."""

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""How a file begins that a tool of Windows wrote in its own encoding."""

CONFLICT = "has conflict markers (<<<<<<<) of a merge in it"

MAX_KEPT = 20_000
"""Most characters of a cell whose facts are kept for the whole class, and of a text that is only shown."""

CONFLICT_BEGINS, CONFLICT_ENDS = re.compile(r"^<{7} ", re.MULTILINE), re.compile(r"^>{7} ", re.MULTILINE)

MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)
"""A line that is IPython's and not Python's."""


class UnreadableNotebook(Exception):
    """Why a notebook can't be read; its text is for who handed it in.

    Args:
        reason: a clause without a full stop, "it is empty".
        way_out: what to do with the notebook, "Settle the merge"; none where nothing can be done.
    """

    def __init__(self, reason: str, way_out: str = "") -> None:
        super().__init__(reason, way_out)
        self.reason, self.way_out = reason, way_out

    def __str__(self) -> str:
        return self.told("hand it in again")

    def told(self, then: str | None = None) -> str:
        """The reason and the way out, with what to do `then`; without the last full stop."""
        return ". ".join(filter(None, (self.reason, f"{self.way_out} and {then}" if self.way_out and then else self.way_out)))


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook: its id ("" where it has none), its type ("code", "markdown", …) and its text.

    Attributes:
        left_out: how many characters of code it had, where those were too many; `source` is then a comment that says so.
    """

    id: str
    type: str
    source: str
    left_out: int = 0


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


def read_notebook(data: bytes) -> list[Cell]:
    """The cells of a notebook of any version, however its editor left it.

    Raises:
        UnreadableNotebook: it is no notebook.
    """
    return cells_of(load_notebook(data))


def load_notebook(data: bytes) -> list[dict[str, Any]]:
    """The cells of a notebook as its file has them, with outputs and metadata.

    Raises:
        UnreadableNotebook: it is no notebook.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableNotebook(f"it is {len(data) / 1e6:.0f} MB large; at most {MAX_BYTES / 1e6:.0f} MB are read", "Clear its outputs")
    if (nested := data.count(b"[") + data.count(b"{")) > MAX_NESTED:
        raise UnreadableNotebook(f"it holds some {nested:,} lists and objects; at most {MAX_NESTED:,} are read", "Clear its outputs")
    try:
        notebook = json.loads(text_of(data))
    except (ValueError, RecursionError) as error:
        raise _not_json(data, error) from None
    if isinstance(notebook, dict) and isinstance(notebook.get("worksheets"), list):
        sheets = [sheet["cells"] for sheet in notebook["worksheets"] if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)]
        notebook = {"cells": [cell for sheet in sheets for cell in sheet]}  # nbformat 3
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise UnreadableNotebook("it is not a notebook: it has no list of cells")
    cells = [cell for cell in notebook["cells"] if isinstance(cell, dict)]
    if len(cells) > MAX_CELLS:
        raise UnreadableNotebook(f"it has {len(cells):,} cells; at most {MAX_CELLS:,} are read", "Take out what is not needed")
    return cells


def text_of(data: bytes) -> str:
    """A notebook's text, in whichever encoding its editor wrote it.

    Raises:
        UnicodeDecodeError: in none that is known.
    """
    return data.decode("utf-16" if data.startswith(UTF_16) else "utf-8-sig")


def cells_of(loaded: list[dict[str, Any]]) -> list[Cell]:
    """What counts of each cell: its id, type and text, within `MAX_SOURCE` and `MAX_SOURCES`."""
    cells, left = [], MAX_SOURCES
    for raw in loaded:
        cell = _within(_cell(raw), left)
        left -= len(cell.source)
        cells.append(cell)
    return cells


def cells_to_run(known: Template, submitted: list[Cell]) -> tuple[list[str], list[str]]:
    """The texts of the cells to run, the lesson's setup first, and one sentence for each thing that was repaired."""
    repaired: list[str] = []
    texts = list(known.setup)
    finished = {name for cell in submitted for name in _written(known, cell)}
    seen: dict[str, int] = {}
    for cell in submitted:
        if cell.left_out:
            repaired.append(_left_out(cell.left_out))
        elif answers := answers_in(known, cell):
            for name in answers:
                seen[name] = seen.get(name, 0) + 1
            if cell.type != "code":
                repaired.append(f"The cell of {', '.join(answers)} was of type {cell.type}; it was read as code.")
            if stubs := [name for name in answers if name in finished and is_stub(cell.source, name)]:
                repaired.append(f"A second, unfinished {', '.join(stubs)} was left out.")
            texts.append(_without(stubs, cell.source))
        elif cell.type == "code":
            text = known.locked.get(cell.id, cell.source)
            if text != cell.source:
                repaired.append(f"The lesson's cell {cell.id} was changed; what ran is the lesson's own.")
            if not _is_idle(known, cell):
                texts.append(text)
    repaired += [f"{name} is defined in {count} cells; the last finished one counts." for name, count in seen.items() if count > 1]
    return [text for text in texts if text], _few(repaired)


def _cell(cell: dict[str, Any]) -> Cell:
    text = text_in(cell.get("source", cell.get("input"))).replace("\r\n", "\n").replace("\r", "\n")
    return Cell(_label(cell.get("id")), _label(cell.get("cell_type")), _writable(text).strip())


def text_in(data: Any, between: str = "") -> str:
    """A text of a notebook's file, which may be a list of lines; what else stands in its place is none, and may be nested too deep to be written as one."""
    return between.join(part for part in data if isinstance(part, str)) if isinstance(data, list) else data if isinstance(data, str) else ""


def _label(data: Any) -> str:
    return _writable(text_in(data)[:MAX_LABEL])


def _writable(text: str) -> str:
    """The text without halves of letters, which no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _within(cell: Cell, left: int) -> Cell:
    """The cell where its text fits into what is `left`; else without its code, or with the beginning of a text that is only shown."""
    if cell.type != "code":
        return replace(cell, source=cell.source[: min(MAX_KEPT, left)])
    if len(cell.source) <= min(MAX_SOURCE, left):
        return cell
    return replace(cell, source=f"# {_left_out(len(cell.source))}"[:left], left_out=len(cell.source))


def _left_out(length: int) -> str:
    return f"A cell of {length:,} characters was left out; at most {MAX_SOURCE:,} of a cell and {MAX_SOURCES:,} of a notebook are read."


def _without(names: list[str], source: str) -> str:
    """A cell's text with blank lines in place of its stubs of these names."""
    tree = parsed(source) if names else None
    lines = source.split("\n")
    for node in tree.body if tree else []:
        if isinstance(node, ast.FunctionDef) and node.name in names and _is_unwritten(node):
            first, last = min([node.lineno, *(part.lineno for part in node.decorator_list)]), node.end_lineno or node.lineno
            lines[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(lines) if any(map(str.strip, lines)) else ""


def _few(repaired: list[str]) -> list[str]:
    """Each sentence once, and not more than a person reads."""
    sentences = list(dict.fromkeys(repaired))
    more = len(sentences) - MAX_REPAIRS
    return sentences if more <= 0 else [*sentences[:MAX_REPAIRS], f"Of such sentences there are {more} more."]


def has_conflict_markers(text: str) -> bool:
    """Whether git left both sides of a merge in a text."""
    begin = CONFLICT_BEGINS.search(text)
    return begin is not None and CONFLICT_ENDS.search(text, begin.end()) is not None


def _not_json(data: bytes, error: Exception) -> UnreadableNotebook:
    if not data.strip():
        return UnreadableNotebook("it is empty")
    if has_conflict_markers(data.decode("latin-1")):
        return UnreadableNotebook(f"it {CONFLICT}", "Settle the merge")
    if data.lstrip().startswith(b"<"):
        return UnreadableNotebook("it is a web page that shows a notebook", "Take the notebook itself (in JupyterLab: File, Download)")
    if isinstance(error, UnicodeDecodeError):
        line = data.count(b"\n", 0, error.start) + 1
        return UnreadableNotebook(f"its line {line} is not written in UTF-8", "Save it in that encoding")
    where = f" from its line {error.lineno} on" if isinstance(error, json.JSONDecodeError) else ""
    way_out = "Save it in JupyterLab (if that can't open it, File, Revert Notebook to Checkpoint goes back to its last whole state)"
    return UnreadableNotebook(f"it is damaged: it can't be read as JSON{where}", way_out)


def why_missing(known: Template, submitted: list[Cell], name: str) -> str:
    """What stands in place of a function that a notebook doesn't define."""
    start = f"No function is called {name}"
    places = {cell.id: cell.source for cell in submitted}
    if name in places:
        others = [other for other in facts(places[name]).functions if other not in known.exercises]
        return f"{start}; its cell defines {', '.join(others)[:60]}. Keep the name that the cell came with." if others else f"{start}; its cell defines none."
    return f"{start}, and its cell is gone; a fresh copy of the lesson has it." if places.keys() & {*known.exercises} else f"{start}."


def answers_in(known: Template, cell: Cell) -> list[str]:
    """The exercises that a cell defines; a cell that isn't code counts only in the place of an exercise."""
    if cell.type != "code" and cell.id not in known.exercises:
        return []
    return [name for name in facts(cell.source).functions if name in known.exercises]


def is_stub(source: str, name: str) -> bool:
    """Whether the function `name` of a cell ends by raising NotImplementedError and returns nothing before."""
    return name in facts(source).stubs


@dataclass(frozen=True)
class Facts:
    """What can be read off a cell's text without running it.

    Attributes:
        functions: names that it defines as functions.
        stubs: those of them that are not written yet.
        assigned: names that it binds in another way, like ``relu = np.vectorize(one_relu)``.
        checked: the name in a cell that only calls ``check(name)``, or None.
    """

    functions: tuple[str, ...] = ()
    stubs: frozenset[str] = frozenset()
    assigned: frozenset[str] = frozenset()
    checked: str | None = None


def facts(source: str) -> Facts:
    """The facts about a cell; most cells of a class are the same, so they are kept, and those of long cells as long as one notebook is looked at."""
    return _kept_facts(source) if len(source) <= MAX_KEPT else _facts_kept_briefly(source)


def _read_facts(source: str) -> Facts:
    tree = parsed(source)
    if tree is None:
        return Facts()
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    targets = (target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets)
    return Facts(
        functions=tuple(functions),
        stubs=frozenset(name for name, node in functions.items() if _is_unwritten(node)),
        assigned=frozenset(target.id for target in targets if isinstance(target, ast.Name)),
        checked=checked_name(source) if "check" in source else None,
    )


_kept_facts = lru_cache(maxsize=4096)(_read_facts)
_facts_kept_briefly = lru_cache(maxsize=MAX_SOURCES // MAX_KEPT)(_read_facts)


def checked_name(source: str) -> str | None:
    """The name in a cell that does nothing but call ``check(name)``, or None."""
    match tree.body if (tree := _tree(source)) else ():
        case [ast.Expr(ast.Call(func=ast.Name(id="check"), args=[ast.Name(id=name)]))]:
            return name
    return None


def parsed(source: str) -> ast.Module | None:
    """A cell's syntax, with magics and shell lines blank; None where it is no Python."""
    return _tree(source) or _tree(MAGIC.sub(r"\1pass", source))


def _tree(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an escape in a docstring, say: nobody here can mend it
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_unwritten(function: ast.FunctionDef) -> bool:
    match function.body[-1]:
        case ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError")) | ast.Name(id="NotImplementedError")):
            return not any(isinstance(node, ast.Return) for node in ast.walk(function))
    return False


def _written(known: Template, cell: Cell) -> set[str]:
    """The exercises that a cell gives a function to, other than a stub."""
    if cell.type != "code":
        return {name for name in answers_in(known, cell) if not is_stub(cell.source, name)}
    found = facts(cell.source)
    return ({*found.functions} - found.stubs | found.assigned) & {*known.exercises}


def _is_idle(known: Template, cell: Cell) -> bool:
    return cell.id in known.idle or cell.source in known.idle_texts or facts(cell.source).checked is not None

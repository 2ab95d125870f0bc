"""Read the cells of a notebook from any editor, within limits."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from grader.execution.cell_facts import Facts, facts
from grader.files import read_regular

MAX_BYTES = 50_000_000  # of a notebook's file
MAX_NESTED = 2_000_000  # lists and objects in it: each takes many times its two bytes in memory
MAX_CELLS = 2_000
MAX_SOURCE = 200_000  # characters of a code cell; a longer cell is left out
MAX_SOURCES = 1_000_000  # characters of all cells together; code beyond is left out
MAX_SHOWN = 20_000  # characters of a text cell
MAX_LABEL = 40  # characters of a cell's id and type

CONFLICT = "has conflict markers (<<<<<<<) of a merge in it"
CONFLICT_BEGINS = re.compile(r"^<{7} ", re.MULTILINE)
CONFLICT_ENDS = re.compile(r"^>{7} ", re.MULTILINE)


class UnreadableNotebook(Exception):
    """A notebook can't be read.

    Args:
        reason: a clause without a full stop, "it is empty".
        way_out: advice, "Settle the merge"; empty if nothing can be done.
    """

    def __init__(self, reason: str, way_out: str = "") -> None:
        super().__init__(reason, way_out)
        self.reason, self.way_out = reason, way_out

    def __str__(self) -> str:
        return self.told("hand it in again")

    def told(self, then: str | None = None) -> str:
        """Return the reason, the way out and the step after it, without the last full stop."""
        step = f" and {then}" if then else ""
        return f"{self.reason}. {self.way_out}{step}" if self.way_out else self.reason


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook."""

    id: str  # empty if the cell has none
    type: str  # "code", "markdown", or another text
    source: str
    left_out: int = 0  # length of a code cell that was left out for it; `source` is then a comment

    @cached_property
    def facts(self) -> Facts:
        """The names in the cell; it is parsed once."""
        return facts(self.source)


def read_submitted(path: Path) -> bytes:
    """Read a file that a learner submitted, as far as a notebook may be long.

    Raises:
        UnreadableNotebook: it is no ordinary file.
    """
    try:
        return read_regular(path, MAX_BYTES + 1)
    except OSError as error:
        why = f"{path.name} is a link or can't be opened: {error.strerror}"
        raise UnreadableNotebook(why) from None


def read_notebook(data: bytes) -> list[Cell]:
    """Return the cells of a notebook, or raise `UnreadableNotebook`."""
    return cells_of(load_notebook(data))


def load_notebook(data: bytes) -> list[dict[str, Any]]:
    """Return the raw cells of a notebook, with outputs and metadata.

    Raises:
        UnreadableNotebook: `data` isn't a notebook of nbformat 4.
    """
    if len(data) > MAX_BYTES:
        size = f"{len(data) / 1e6:.0f} MB large; at most {MAX_BYTES / 1e6:.0f} MB"
        raise UnreadableNotebook(f"it is {size} are read", "Clear its outputs")
    nested = data.count(b"[") + data.count(b"{") if len(data) > MAX_NESTED else 0
    if nested > MAX_NESTED:
        size = f"some {nested:,} lists and objects; at most {MAX_NESTED:,}"
        raise UnreadableNotebook(f"it holds {size} are read", "Clear its outputs")
    try:
        notebook = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _not_json(data, error) from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise UnreadableNotebook("it is not a notebook: it has no list of cells")
    cells = [cell for cell in notebook["cells"] if isinstance(cell, dict)]
    if len(cells) > MAX_CELLS:
        size = f"{len(cells):,} cells; at most {MAX_CELLS:,}"
        raise UnreadableNotebook(f"it has {size} are read", "Remove cells that aren't needed")
    return cells


def cells_of(loaded: list[dict[str, Any]]) -> list[Cell]:
    """Return raw cells as `Cell`s, within `MAX_SOURCE` and `MAX_SOURCES`."""
    cells, left = [], MAX_SOURCES
    for raw in loaded:
        cells.append(_cell(raw, left))
        left -= len(cells[-1].source)
    return cells


def text_in(data: Any, between: str = "") -> str:
    """Join a text field, a string or a list of strings; any other data counts as empty."""
    if isinstance(data, list):
        return between.join(part for part in data if isinstance(part, str))
    return data if isinstance(data, str) else ""


def left_out(length: int) -> str:
    """Return the sentence about a cell that was left out for its length."""
    most = f"{MAX_SOURCE:,} of a cell and {MAX_SOURCES:,} of a notebook"
    return f"A cell of {length:,} characters was left out; at most {most} are read."


def has_conflict_markers(text: str) -> bool:
    """Return whether git left both sides of a merge in a text."""
    begin = CONFLICT_BEGINS.search(text)
    return begin is not None and CONFLICT_ENDS.search(text, begin.end()) is not None


def _not_json(data: bytes, error: Exception) -> UnreadableNotebook:
    if not data.strip():
        return UnreadableNotebook("it is empty")
    if has_conflict_markers(data.decode("latin-1")):
        return UnreadableNotebook(f"it {CONFLICT}", "Settle the merge")
    if data.lstrip().startswith(b"<"):
        way_out = "Take the notebook itself (in JupyterLab: File, Download)"
        return UnreadableNotebook("it is a web page that shows a notebook", way_out)
    if isinstance(error, UnicodeDecodeError):
        line = data.count(b"\n", 0, error.start) + 1
        return UnreadableNotebook(f"its line {line} is not in UTF-8", "Save it in that encoding")
    where = f" from its line {error.lineno} on" if isinstance(error, json.JSONDecodeError) else ""
    way_out = (
        "Save it in JupyterLab (if it doesn't open there, File, Revert Notebook to Checkpoint)"
    )
    return UnreadableNotebook(f"it is damaged: it can't be read as JSON{where}", way_out)


def _cell(raw: dict[str, Any], left: int) -> Cell:
    """Return a cell of at most `left` characters: longer code is left out, other text is cut."""
    id, kind = (_writable(text_in(raw.get(key))[:MAX_LABEL]) for key in ("id", "cell_type"))
    text = text_in(raw.get("source")).replace("\r\n", "\n").replace("\r", "\n")
    source = _writable(text).strip()
    if kind != "code":
        return Cell(id, kind, source[: min(MAX_SHOWN, left)])
    if len(source) <= min(MAX_SOURCE, left):
        return Cell(id, kind, source)
    return Cell(id, kind, f"# {left_out(len(source))}"[:left], len(source))


def _writable(text: str) -> str:
    """Return the text without lone surrogates, which UTF-8 can't encode."""
    return text.encode("utf-8", "replace").decode()

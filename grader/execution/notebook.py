"""Read a notebook's cells, whichever editor wrote the file, within bounds."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
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

MAX_SHOWN = 20_000
"""Most characters of a text that is only shown."""

MAX_LABEL = 40
"""Most characters of a cell's id and type."""

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""How a file begins that a tool of Windows wrote in its own encoding."""

CONFLICT = "has conflict markers (<<<<<<<) of a merge in it"

CONFLICT_BEGINS, CONFLICT_ENDS = (
    re.compile(r"^<{7} ", re.MULTILINE),
    re.compile(r"^>{7} ", re.MULTILINE),
)


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
        return ". ".join(
            filter(
                None,
                (
                    self.reason,
                    f"{self.way_out} and {then}" if self.way_out and then else self.way_out,
                ),
            )
        )


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
        raise UnreadableNotebook(
            f"it is {len(data) / 1e6:.0f} MB large; at most {MAX_BYTES / 1e6:.0f} MB are read",
            "Clear its outputs",
        )
    if (nested := data.count(b"[") + data.count(b"{")) > MAX_NESTED:
        raise UnreadableNotebook(
            f"it holds some {nested:,} lists and objects; at most {MAX_NESTED:,} are read",
            "Clear its outputs",
        )
    try:
        notebook = json.loads(text_of(data))
    except (ValueError, RecursionError) as error:
        raise _not_json(data, error) from None
    if isinstance(notebook, dict) and isinstance(notebook.get("worksheets"), list):
        sheets = [
            sheet["cells"]
            for sheet in notebook["worksheets"]
            if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)
        ]
        notebook = {"cells": [cell for sheet in sheets for cell in sheet]}  # nbformat 3
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise UnreadableNotebook("it is not a notebook: it has no list of cells")
    cells = [cell for cell in notebook["cells"] if isinstance(cell, dict)]
    if len(cells) > MAX_CELLS:
        raise UnreadableNotebook(
            f"it has {len(cells):,} cells; at most {MAX_CELLS:,} are read",
            "Take out what is not needed",
        )
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


def text_in(data: Any, between: str = "") -> str:
    """A text of a notebook's file, which may be a list of lines; what else stands in its place is none, and may be nested too deep to be written as one."""
    return (
        between.join(part for part in data if isinstance(part, str))
        if isinstance(data, list)
        else data
        if isinstance(data, str)
        else ""
    )


def left_out(length: int) -> str:
    """The sentence about a cell whose code is too long."""
    return f"A cell of {length:,} characters was left out; at most {MAX_SOURCE:,} of a cell and {MAX_SOURCES:,} of a notebook are read."


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
        return UnreadableNotebook(
            "it is a web page that shows a notebook",
            "Take the notebook itself (in JupyterLab: File, Download)",
        )
    if isinstance(error, UnicodeDecodeError):
        line = data.count(b"\n", 0, error.start) + 1
        return UnreadableNotebook(
            f"its line {line} is not written in UTF-8", "Save it in that encoding"
        )
    where = f" from its line {error.lineno} on" if isinstance(error, json.JSONDecodeError) else ""
    way_out = "Save it in JupyterLab (if that can't open it, File, Revert Notebook to Checkpoint goes back to its last whole state)"
    return UnreadableNotebook(f"it is damaged: it can't be read as JSON{where}", way_out)


def _cell(cell: dict[str, Any]) -> Cell:
    text = text_in(cell.get("source", cell.get("input"))).replace("\r\n", "\n").replace("\r", "\n")
    return Cell(_label(cell.get("id")), _label(cell.get("cell_type")), _writable(text).strip())


def _label(data: Any) -> str:
    return _writable(text_in(data)[:MAX_LABEL])


def _writable(text: str) -> str:
    """The text without halves of letters, which no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _within(cell: Cell, left: int) -> Cell:
    """The cell where its text fits into what is `left`; else without its code, or with the beginning of a text that is only shown."""
    if cell.type != "code":
        return replace(cell, source=cell.source[: min(MAX_SHOWN, left)])
    if len(cell.source) <= min(MAX_SOURCE, left):
        return cell
    return replace(cell, source=f"# {left_out(len(cell.source))}"[:left], left_out=len(cell.source))

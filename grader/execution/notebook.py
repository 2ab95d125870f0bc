"""Read the cells of a notebook from any editor, within limits."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

MAX_BYTES = 50_000_000
"""Largest notebook that is read."""

MAX_NESTED = 2_000_000
"""Most lists and objects in a notebook's file: each takes many times its two bytes in memory."""

MAX_CELLS = 2_000
"""Most cells of a notebook."""

MAX_SOURCE = 200_000
"""Most characters of a code cell; a longer cell is left out."""

MAX_SOURCES = 1_000_000
"""Most characters of all cells together; code beyond is left out."""

MAX_SHOWN = 20_000
"""Most characters of a text cell."""

MAX_LABEL = 40
"""Most characters of a cell's id and type."""

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""Byte order marks that tools of Windows write."""

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
        if not self.way_out:
            return self.reason
        return f"{self.reason}. {self.way_out}{f' and {then}' if then else ''}"


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook."""

    id: str
    """Empty if the cell has none."""
    type: str
    """"code", "markdown", or another text."""
    source: str
    left_out: int = 0
    """Length of a code cell that was left out for it; `source` is then a comment."""


def read_notebook(data: bytes) -> list[Cell]:
    """Return the cells of a notebook of any version.

    Raises:
        UnreadableNotebook: `data` isn't a notebook.
    """
    return cells_of(load_notebook(data))


def load_notebook(data: bytes) -> list[dict[str, Any]]:
    """Return the raw cells of a notebook, with outputs and metadata.

    Raises:
        UnreadableNotebook: `data` isn't a notebook.
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
        sheets = [sheet for sheet in notebook["worksheets"] if isinstance(sheet, dict)]
        lists = [sheet["cells"] for sheet in sheets if isinstance(sheet.get("cells"), list)]
        notebook = {"cells": [cell for cells in lists for cell in cells]}  # nbformat 3
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise UnreadableNotebook("it is not a notebook: it has no list of cells")
    cells = [cell for cell in notebook["cells"] if isinstance(cell, dict)]
    if len(cells) > MAX_CELLS:
        raise UnreadableNotebook(
            f"it has {len(cells):,} cells; at most {MAX_CELLS:,} are read",
            "Remove cells that aren't needed",
        )
    return cells


def text_of(data: bytes) -> str:
    """Decode a notebook from UTF-8 or UTF-16.

    Raises:
        UnicodeDecodeError: it is in neither.
    """
    return data.decode("utf-16" if data.startswith(UTF_16) else "utf-8-sig")


def cells_of(loaded: list[dict[str, Any]]) -> list[Cell]:
    """Return raw cells as `Cell`s, within `MAX_SOURCE` and `MAX_SOURCES`."""
    cells, left = [], MAX_SOURCES
    for raw in loaded:
        cell = _within(_cell(raw), left)
        left -= len(cell.source)
        cells.append(cell)
    return cells


def text_in(data: Any, between: str = "") -> str:
    """Join a text field, a string or a list of strings; any other data counts as empty."""
    if isinstance(data, list):
        return between.join(part for part in data if isinstance(part, str))
    return data if isinstance(data, str) else ""


def left_out(length: int) -> str:
    """Return the sentence about a cell that was left out for its length."""
    return (
        f"A cell of {length:,} characters was left out;"
        f" at most {MAX_SOURCE:,} of a cell and {MAX_SOURCES:,} of a notebook are read."
    )


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
    way_out = (
        "Save it in JupyterLab (if that can't open it, File, Revert Notebook to Checkpoint goes"
        " back to its last whole state)"
    )
    return UnreadableNotebook(f"it is damaged: it can't be read as JSON{where}", way_out)


def _cell(cell: dict[str, Any]) -> Cell:
    text = text_in(cell.get("source", cell.get("input"))).replace("\r\n", "\n").replace("\r", "\n")
    return Cell(_label(cell.get("id")), _label(cell.get("cell_type")), _writable(text).strip())


def _label(data: Any) -> str:
    return _writable(text_in(data)[:MAX_LABEL])


def _writable(text: str) -> str:
    """Return the text without lone surrogates, which UTF-8 can't encode."""
    return text.encode("utf-8", "replace").decode()


def _within(cell: Cell, left: int) -> Cell:
    """Return a cell within the limits: code that is too long is left out, text is cut."""
    if cell.type != "code":
        return replace(cell, source=cell.source[: min(MAX_SHOWN, left)])
    if len(cell.source) <= min(MAX_SOURCE, left):
        return cell
    return replace(cell, source=f"# {left_out(len(cell.source))}"[:left], left_out=len(cell.source))

"""Know the last run of each cell, so that a check judges the function that its cell now holds."""

from __future__ import annotations

import inspect
import linecache
from dataclasses import dataclass
from typing import Any

from IPython.core.interactiveshell import ExecutionResult


@dataclass(frozen=True)
class CellRun:
    """The text that IPython ran, and the class of the exception that ended it."""

    text: str
    error: str | None


class Runs:
    """The last run of each cell, and the cell of each text."""

    def __init__(self) -> None:
        self._last: dict[str, CellRun] = {}
        self._cell_of: dict[str, str] = {}

    def note(self, result: ExecutionResult) -> None:
        """Remember a run; a front end that names no cells leaves nothing to remember."""
        if (info := result.info) is None or (cell := info.cell_id) is None or info.silent:
            return
        error = result.error_before_exec or result.error_in_exec
        text = _lines(info.transformed_cell or info.raw_cell)
        self._last[cell] = CellRun(text, type(error).__name__ if error else None)
        self._cell_of[text] = cell

    def outdated(self, function: Any) -> str | None:
        """Return why a function is not the one of its cell's last run, or None if it is."""
        code = getattr(inspect.unwrap(function), "__code__", None)
        if code is None or "<locals>" in code.co_qualname:  # made by a call in any cell
            return None
        text = _lines("".join(linecache.getlines(code.co_filename)))
        last = self._last.get(self._cell_of.get(text, ""))
        if last is None or last.text == text:
            return None
        if last.error:
            return f"The last run of its cell ended with a {last.error}: fix the cell and run it,"
        return (
            "Its cell has been run since without defining it: run the cell that it is in now, or"
            " write it there again and run it,"
        )


def _lines(text: str) -> str:
    """Return a cell's text with the line ends that Python keeps for tracebacks."""
    return "\n".join(text.splitlines()).strip()


RUNS = Runs()  # one for a kernel, which is one process; `name_error` has IPython tell of each run

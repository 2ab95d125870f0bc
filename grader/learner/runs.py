"""Know the last run of each cell, so that a check judges the function that its cell now holds."""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from typing import Any

from IPython.core.interactiveshell import ExecutionResult


@dataclass(frozen=True)
class Run:
    """The text that IPython ran, and the class of the exception that ended it."""

    text: str
    error: str | None


class Runs:
    """The last run of each cell, and the cell of each text."""

    def __init__(self) -> None:
        self._last: dict[str, Run] = {}
        self._cell_of: dict[str, str] = {}

    def note(self, result: ExecutionResult) -> None:
        """Remember a run; a front end that names no cells leaves nothing to remember."""
        if (info := result.info) is None or (cell := info.cell_id) is None or info.silent:
            return
        error = result.error_before_exec or result.error_in_exec
        text = (info.transformed_cell or info.raw_cell).strip()
        self._last[cell] = Run(text, type(error).__name__ if error else None)
        self._cell_of[text] = cell

    def outdated(self, function: Any) -> str | None:
        """Return why a function is not the one of its cell's last run, or None if it is."""
        code = getattr(function, "__code__", None)
        text = "".join(linecache.getlines(code.co_filename)).strip() if code else ""
        last = self._last.get(self._cell_of.get(text, ""))
        if last is None or last.text == text:
            return None
        if last.error:
            return f"The last run of its cell ended with a {last.error}: fix the cell and run it,"
        return "Its cell has been run since without defining it: write it there again and run it,"


RUNS = Runs()  # one for a kernel, which is one process; `name_error` has IPython tell of each run

"""Make submissions that take time, memory, disk or the terminal outside the sandbox."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course import solved, written

Notebook = dict[str, Any]
ORDERS = "\x1b]0;owned\x07\x1b[2J"
"""A new title for a terminal, and an empty screen."""


def with_cells(*sources: str, kind: str = "code") -> Notebook:
    """Return a right notebook with more cells in front."""
    notebook = solved("neuron")
    notebook["cells"][:0] = [
        {"cell_type": kind, "metadata": {}, "source": source, "outputs": []} for source in sources
    ]
    return notebook


def answering(outcome: str) -> Notebook:
    """Return a notebook whose process answers each call with an outcome."""
    return with_cells(
        "import grader.execution.runner as runner\n"
        f"runner.observe = lambda function, call: {outcome}"
    )


def deep(folder: Path, levels: int = 1_100) -> None:
    """Make folders in each other; their path is longer than the system allows."""
    before = os.open(".", os.O_RDONLY)
    try:
        os.chdir(folder)
        for _ in range(levels):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.fchdir(before)
        os.close(before)


def sparse(folder: Path) -> None:
    for number in range(40):
        with (folder / f"{number}.bin").open("wb") as file:
            file.truncate(49_000_000)


def showing(cells: int, kind: str, data: object) -> Notebook:
    """Return a right notebook with outputs in front."""
    notebook = with_cells(*["1"] * cells)
    output = {"output_type": "display_data", "metadata": {}, "data": {kind: data}}
    for cell in notebook["cells"][:cells]:
        cell["outputs"] = [output]
    return notebook


FIELDS = 'f"' + "{1}" * 65_000 + '"'
LIST = '{"list": [1.0] * 100_000}'
NOTEBOOKS: dict[str, Callable[[], Notebook]] = {
    "f-strings": lambda: with_cells(*[f"check = {FIELDS}"] * 5),
    "f-string of lines": lambda: with_cells(
        *[f"x = f'''{'{1}⏎' * 40_000}'''".replace("⏎", "\n")] * 4
    ),
    "many cells": lambda: with_cells(*[f"x = {i}\n" * 50 + "check" for i in range(1_900)]),
    "lines of a blank": lambda: with_cells(*["a\n" + " \n" * 9_900 + "b"] * 12),
    "like a table": lambda: with_cells(*["|a" * 9_000 + "\n|-"] * 12, kind="markdown"),
    "like tables": lambda: with_cells(*["a|b\n" + "-|" * 9_000 + "\n"] * 12, kind="markdown"),
    "one hash": lambda: answering(
        '{"value": 1.0, "changed": [i * (2**61 - 1) for i in range(60_000)]}'
    ),
    "no columns": lambda: answering(
        '{"value": {"array": [], "shape": [600_000, 0], "dtype": "float64"}}'
    ),
    "text among numbers": lambda: answering('{"value": {"list": ["x" * 2_000, *[1.0] * 100_000]}}'),
    "lists": lambda: answering(f'{{"value": {LIST}}}'),
    "lists in lists": lambda: answering(
        '{"value": eval("lambda f: f(f, 5)")(lambda f, n: {"list": [f(f, n - 1) for _ in '
        'range(8)]} if n else {"list": [1.0] * 3})}'
    ),
    "large and wrong": lambda: written(
        "neuron", **dict.fromkeys(("relu", "sigmoid"), "import numpy as np\n")
    ),
    "much text": lambda: showing(1_900, "text/plain", "x" * 24_000),
    "many pictures": lambda: showing(24, "image/png", "A" * 1_900_000),
    "long line": lambda: with_cells("y = " + "1 + " * 40_000 + "1"),
    "nested": lambda: with_cells("z = " + "(" * 90 + ")" * 90 + "\n" + "a = b\n" * 30_000),
}
"""Notebooks by kind."""

FOLDERS: dict[str, Callable[[Path], object]] = {
    "minutes of lateness": lambda one: (one / "timestamp.txt").write_text("9" * 30 + "m"),
    "the last date": lambda one: (one / "timestamp.txt").write_text("9999-12-31 23:59:59 UTC"),
    "deep folders": deep,
    "sparse files": sparse,
    "many files": lambda one: [(one / f"{number}").touch() for number in range(20_000)],
    "orders": lambda one: os.mkfifo(one / ORDERS),
}
"""What is next to a right notebook, by kind."""

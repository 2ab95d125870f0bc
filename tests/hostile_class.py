"""Make submissions that take time, memory, disk or the terminal outside the sandbox."""

from __future__ import annotations

import json
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


def long_names(folder: Path) -> None:
    """Make folders whose path is too long for the system, each within its depth."""
    before = os.open(".", os.O_RDONLY)
    try:
        os.chdir(folder)
        for _ in range(19):
            os.mkdir("n" * 250)
            os.chdir("n" * 250)
        Path("x").touch()
    finally:
        os.fchdir(before)
        os.close(before)


def in_place_of(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Return what makes something else of a file."""
    return lambda folder: ((folder / name).unlink(), make(folder / name))


def slow_notebooks(folder: Path) -> None:
    data = json.dumps(NOTEBOOKS["f-strings"]())
    for number in range(50):
        (folder / f"{number}.ipynb").write_text(data)


SMILE = "\U0001f600"
ODD_NOTEBOOKS: dict[str, Callable[[], Notebook]] = {
    "much text of four bytes": lambda: showing(120, "text/plain", SMILE * 20_000),
    "opaque values": lambda: answering('{"value": {"list": [{"opaque": "x" * 290}] * 6_000}}'),
    "numbers": lambda: answering(
        '{"value": {"array": [0.1] * 30_000, "shape": [30_000], "dtype": "float64"}}'
    ),
    "classes of errors": lambda: answering('{"error": ["E" * 300] * 6_000, "message": "x" * 300}'),
    "three to the eighth": lambda: answering(
        '{"value": eval("lambda f: f(f, 8)")(lambda f, n: {"list": [f(f, n - 1) for _ in '
        "range(3)]} if n else 1.0)}"
    ),
    "deep data": lambda: with_cells("1") | {"metadata": json.loads("[" * 900 + "]" * 900)},
    "a huge number": lambda: with_cells("x = " + "9" * 190_000),
    "a huge power": lambda: with_cells("x = 9**9**9**9"),
    "colours": lambda: showing(50, "text/plain", "\x1b[31m\x1b[1mx" * 2_000),
    "decorators": lambda: with_cells("@a\n" * 60_000 + "def relu(z): return z"),
    "one name": lambda: with_cells(*["def relu(z): return z"] * 1_500),
    "lambdas": lambda: with_cells("relu = " + "lambda z: " * 80 + "z\n" + "relu = 1\n" * 3_000),
    "half letters": lambda: with_cells("x = '\ud800'"),
    "other types": lambda: {
        "cells": [5, {"cell_type": ["code"], "source": {"a": 1}, "id": 5, "outputs": {"x": 1}}],
        "metadata": [],
        "nbformat": "x",
    },
}
"""Notebooks that cost less, but are odd in many ways."""

ODD_FOLDERS: dict[str, Callable[[Path], object]] = {
    "the first date": lambda one: (one / "timestamp.txt").write_text("0001-01-01 00:00 +14:00"),
    "a pipe for a time": in_place_of("timestamp.txt", os.mkfifo),
    "a folder for a time": in_place_of("timestamp.txt", Path.mkdir),
    "a folder for a notebook": in_place_of("neuron.ipynb", Path.mkdir),
    "an endless notebook": in_place_of("neuron.ipynb", lambda one: one.symlink_to("/dev/zero")),
    "a sparse notebook": lambda one: os.truncate(one / "neuron.ipynb", 40_000_000_000),
    "many short texts": lambda one: (one / "neuron.ipynb").write_text(
        '{"cells": [], "x": [' + '"ab",' * 9_000_000 + "1]}"
    ),
    "no text for a name": lambda one: open(os.fsencode(one) + b"/\xff.txt", "w").close(),
    "a circle": lambda one: (one / "circle").symlink_to("circle"),
    "long names": long_names,
    "slow notebooks": slow_notebooks,
    "a file of the lesson's": lambda one: (one / "answers.key").mkdir(),
}
"""Folders that are odd in as many; some have no notebook that can be read."""

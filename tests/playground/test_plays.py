"""Show that each play is short, and handles every kind of wrong function."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from figures import png
from plays import PLAYS, Notebook

from course import LESSONS
from playground.functions import Function


def bent(function: Function, bend: Function) -> Function:
    """Return the function with a change of each array or number in its result."""

    def through(result: Any) -> Any:
        if isinstance(result, tuple | list):
            return type(result)(through(part) for part in result)
        return (lambda *points: through(result(*points))) if callable(result) else bend(result)

    return lambda *inputs: through(function(*inputs))


def stops(*_: Any) -> Any:
    raise ZeroDivisionError("on purpose")


WAYS: dict[str, Callable[[Function], Function]] = {
    "stops": lambda right: stops,
    "returns None": lambda right: lambda *_: None,
    "returns words": lambda right: lambda *_: "words",
    "returns nothing in a list": lambda right: lambda *_: [],
    "returns None in a pair": lambda right: lambda *_: (None, None),
    "returns a function": lambda right: lambda *_: lambda *_: None,
    "has no numbers": lambda right: bent(
        right, lambda part: np.full_like(part, np.nan, dtype=float)
    ),
    "has infinite numbers": lambda right: bent(
        right, lambda part: np.full_like(part, np.inf, dtype=float)
    ),
    "has large numbers": lambda right: bent(right, lambda part: np.multiply(part, -1e9)),
    "has one number more": lambda right: bent(right, lambda part: np.append(part, 1.0)),
    "lacks a dimension": lambda right: bent(right, lambda part: np.asarray(part).ravel()[:1]),
    "has another dimension": lambda right: bent(right, lambda part: np.asarray(part)[None]),
}
LONGEST = 270
"""Signs in three of the four lines that a readout has room for; the fourth is the target's."""
FEW = ("stops", "returns None", "lacks a dimension")
"""The ways of a usual run; `make long` tries all of them."""


def test_every_lesson_has_plays() -> None:
    assert {name for name, _ in PLAYS.values()} == set(LESSONS)


@pytest.mark.parametrize("title", PLAYS)
def test_a_play_is_at_most_25_lines_of_code(title: str) -> None:
    source = ast.parse(inspect.getsource(PLAYS[title][1])).body[0]
    assert isinstance(source, ast.FunctionDef)
    body = source.body[1:]  # without the docstring
    assert ast.unparse(ast.Module(body, [])).count("\n") + 1 <= 25


@pytest.mark.parametrize(
    "ways", [FEW, pytest.param(tuple(WAYS), marks=pytest.mark.long)], ids=["few", "all"]
)
@pytest.mark.parametrize("title", PLAYS)
def test_a_function_gone_wrong_makes_a_sentence_or_a_picture(
    title: str, ways: tuple[str, ...], brief: None
) -> None:
    notebook = Notebook(title)
    has_target = PLAYS[title][0] != "capstone"
    assert not has_target or notebook.play.readout[-1] == "The target is the same."
    assert all(0 < len(line) <= LONGEST for line in notebook.reads())
    for part, right in notebook.right.items():
        for way in ways:
            notebook.define(part, WAYS[way](right))
            said = notebook.reads()
            if way == "stops":
                assert f"{part} stopped with ZeroDivisionError: on purpose." in " ".join(said)
            if way in ("returns None", "returns words"):
                assert any(
                    line.startswith((f"{part} returned", f"the function from {part} returned"))
                    for line in said
                ), (part, way, said)
        assert png(notebook.play).startswith(b"\x89PNG")
        notebook.define(part, right)
        assert not any("run its cell again" in line for line in notebook.reads()), part

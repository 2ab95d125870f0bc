"""Answers for the tests of diagnosis: keys made from a reference, and a bank of mistakes."""

from __future__ import annotations

import json
import linecache
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from course import LESSONS, ROOT
from grader.comparison.codec import encode_input
from grader.comparison.judge import Compared, Verdict, judged, observe_all
from grader.comparison.schema import ExerciseKey
from grader.diagnosis import explain
from grader.learner.trial import code_of


def function_of(source: str, **names: Any) -> Callable[..., Any]:
    """Return the last function of a cell; its source can be read, as IPython's cells can."""
    name = f"<cell {abs(hash(source))}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace = {"np": np, "__name__": "__main__", **names}
    exec(compile(source, name, "exec"), namespace)
    function: Callable[..., Any] = namespace[re.findall(r"^def (\w+)", source, re.MULTILINE)[-1]]
    return function


def key_of(reference: str, *cases: tuple[Any, ...], **raising: tuple[Any, ...]) -> ExerciseKey:
    """Return a key with a reference's results: a property and inputs for each case.

    `raising` holds bad inputs by the name of the exception.
    """
    function = function_of(reference)
    names = list(function.__code__.co_varnames[: function.__code__.co_argcount])
    data: list[Any] = [
        {"property": prop, "inputs": [*map(encode_input, inputs)], "parameters": names}
        for prop, *inputs in [*cases, *(("error", *bad) for bad in raising.values())]
    ]
    for one, error in zip(data[len(cases) :], raising, strict=True):
        one["raises"] = error
    for one in data:
        one |= {"rtol": 1e-6, "atol": 1e-9}
        one |= {"draws": True} if one["property"] == "distribution" else {}
    for one, outcome in zip(data, observe_all(function, data), strict=True):
        one["expected"] = outcome
    return {"points": 1, "parameters": names, "optional": 0, "cases": data, "misconceptions": []}


def explained(source: str, key: ExerciseKey) -> Verdict:
    """Return the explained verdict on an answer, however slow the machine is."""
    function = function_of(source)
    answer = Compared(key, observe_all(function, key["cases"]))
    code = code_of(function, seconds=600, each=60)
    return explain(judged(function.__name__, answer), answer, code)


@cache
def course_keys() -> dict[str, ExerciseKey]:
    """Return the keys of all exercises of the course, by name."""
    found: dict[str, ExerciseKey] = {}
    for lesson in LESSONS:
        text = (ROOT / "course" / lesson / "answers.key").read_text(encoding="utf-8")
        found |= json.loads(text)["exercises"]
    return found


def beginners() -> Iterator[tuple[str, str, str]]:
    """Yield the exercise, the mistake and the source of each answer of the bank."""
    text = (Path(__file__).parent / "beginners.txt").read_text(encoding="utf-8")
    for part in re.split(r"^# ", text, flags=re.MULTILINE)[1:]:
        head, _, source = part.partition("\n")
        exercise, _, mistake = head.partition(": ")
        yield exercise, mistake, source

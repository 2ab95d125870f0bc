"""The words of `exercises.py`: exercises with cases and misconceptions, and questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.comparison.schema import Function

PROPERTIES = {
    "value": "right values",
    "shape": "right shape",
    "dtype": "right type of number",
    "integer": "whole numbers as input",
    "stability": "right at extreme inputs",
    "quiet": "no warnings at extreme inputs",
    "purity": "leaves its inputs as they were",
    "error": "refuses bad input",
    "distribution": "right distribution",
}
"""The kinds of property that a case can test, each in the words that a learner reads.

A contract that promises several of one kind subdivides it: "error/empty input" is compared as every "error" is, and has points of its own.
"""


def kind(property: str) -> str:
    """How a property is compared: the key of `PROPERTIES` before its slash."""
    return property.partition("/")[0]


def in_words(property: str) -> str:
    """A property as a learner reads it."""
    detail = property.partition("/")[2]
    return f"{PROPERTIES[kind(property)]}: {detail}" if detail else PROPERTIES[kind(property)]


def in_order(properties: Iterable[str]) -> list[str]:
    """Each property once, the most basic kind first, within a kind as they came."""
    order = list(PROPERTIES)
    return sorted(dict.fromkeys(properties), key=lambda one: order.index(kind(one)))


CaseSource = Callable[[np.random.Generator], Iterable["Case"]]


@dataclass(frozen=True)
class Case:
    """One set of inputs, and the property that it tests. Made by `case`."""

    property: str
    inputs: tuple[Any, ...]
    raises: type[Exception] | None = None
    at: tuple[tuple[Any, ...], ...] | None = None
    rtol: float = 1e-6
    atol: float = 1e-9


def case(
    property: str,
    *inputs: Any,
    raises: type[Exception] | None = None,
    at: Sequence[Any] | None = None,
    rtol: float = 1e-6,
    atol: float = 1e-9,
) -> Case:
    """One set of inputs of an exercise, and the property that it tests.

    Args:
        property: a key of `PROPERTIES`, alone or with a slash and the detail that sets it apart. Every case also has to end without an exception unless `raises` is given.
        inputs: the arguments, in order: numbers, arrays, strings, seeded generators, or functions importable by name.
        raises: the exception that the contract asks for ("error" cases).
        at: where the exercise returns a function, the points (tuples of arguments) at which its values are compared.
        rtol, atol: numbers agree when |yours − expected| ≤ atol + rtol·|expected|. rtol is never tighter than 1e-6.

    Raises:
        ValueError: the property is unknown, or the arguments contradict it.
    """
    if kind(property) not in PROPERTIES:
        raise ValueError(f"unknown property {property!r}; one of {', '.join(PROPERTIES)}")
    if (raises is not None) != (kind(property) == "error"):
        raise ValueError('raises=… belongs to an "error" case, and every "error" case needs it')
    if rtol < 1e-6:
        raise ValueError(
            f"rtol={rtol} is tighter than 1e-6: right answers written another way would fail"
        )
    points = (
        None
        if at is None
        else tuple(point if isinstance(point, tuple) else (point,) for point in at)
    )
    return Case(property, inputs, raises, points, rtol, atol)


@dataclass(frozen=True)
class Misconception:
    """A plausible wrong implementation, and the one sentence that helps whoever wrote it."""

    name: str
    hint: str
    function: Function


@dataclass
class Exercise:
    """One function that the learner fills in. Its name is the name that `exercises.py` gives it.

    Attributes:
        points: what a right answer is worth. Right values earn half; the other properties share the other half.
    """

    points: float | None = None
    draw: CaseSource | None = None
    misconceptions: list[Misconception] = field(default_factory=list)
    right_answers: list[Function] = field(default_factory=list)

    def cases(self, draw: CaseSource) -> CaseSource:
        """Register the function that draws the cases from an rng."""
        self.draw = draw
        return draw

    def misconception(self, hint: str) -> Callable[[Function], Function]:
        """Register a wrong implementation with its hint: one sentence, about the idea, without the solution."""

        def register(function: Function) -> Function:
            self.misconceptions.append(Misconception(function.__name__, hint, function))
            return function

        return register

    def right_answer(self, function: Function) -> Function:
        """Register a right implementation that is written differently from the reference; it must pass every case."""
        self.right_answers.append(function)
        return function


@dataclass(frozen=True)
class Question:
    """A prediction or a recall card: the options, which one is right, and why.

    Attributes:
        text: the question.
        options: what the learner chooses from.
        answer: the right option, word for word.
        why: what the learner reads after choosing.
    """

    text: str
    options: tuple[str, ...]
    answer: str
    why: str

    def __post_init__(self) -> None:
        if self.answer not in self.options:
            raise ValueError(
                f"the answer {self.answer!r} is not one of the options of {self.text!r}"
            )

"""The words of `exercises.py`: exercises with cases and misconceptions, and questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.comparison.schema import Function

# The kinds of property that a case can test, with the words that a learner reads. A detail after a
# slash divides a kind: "error/empty input" is compared like "error", with its own share of points.
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


LEADING = ("value", "distribution")
"""Kinds that earn half of the points, and without which there are none."""

BASIC = (*LEADING, "shape")
"""Kinds that a first version of a function has to pass; hardening is for the others."""


def kind(property: str) -> str:
    """Return the kind of a property: its part before the slash."""
    return property.partition("/")[0]


def in_words(property: str) -> str:
    """Return a property in the words that a learner reads."""
    basic, _, detail = property.partition("/")
    return f"{PROPERTIES[basic]}: {detail}" if detail else PROPERTIES[basic]


def in_order(properties: Iterable[str]) -> list[str]:
    """Return each property once, sorted by kind, the most basic first."""
    order = list(PROPERTIES)
    return sorted(dict.fromkeys(properties), key=lambda one: order.index(kind(one)))


CaseSource = Callable[[np.random.Generator], Iterable["Case"]]


@dataclass(frozen=True)
class Case:
    """One set of inputs and the property that it tests; made by `case`, which explains it."""

    property: str
    inputs: tuple[Any, ...]
    raises: type[Exception] | None
    at: tuple[tuple[Any, ...], ...] | None
    rtol: float
    atol: float


def case(
    property: str,
    *inputs: Any,
    raises: type[Exception] | None = None,
    at: Sequence[Any] | None = None,
    rtol: float = 1e-6,
    atol: float = 1e-9,
) -> Case:
    """Return one set of inputs with the property that it tests.

    Args:
        property: a key of `PROPERTIES`, alone or with a slash and a detail.
        inputs: numbers, arrays, strings, seeded generators, or functions importable by name.
        raises: the expected exception ("error" cases). Any other exception misses the case.
        at: points (tuples of arguments) at which a function that the exercise returns is called.
        rtol, atol: numbers agree if |yours − expected| ≤ atol + rtol·|expected|; rtol ≥ 1e-6.

    Raises:
        ValueError: the property is unknown, or the arguments contradict it.
    """
    if kind(property) not in PROPERTIES:
        raise ValueError(f"unknown property {property!r}; one of {', '.join(PROPERTIES)}")
    if (raises is not None) != (kind(property) == "error"):
        raise ValueError('raises=… belongs to an "error" case, and every "error" case needs it')
    if rtol < 1e-6:
        raise ValueError(f"rtol={rtol} is below 1e-6: right answers written another way would fail")
    points = tuple(point if isinstance(point, tuple) else (point,) for point in at or ()) or None
    return Case(property, inputs, raises, points, rtol, atol)


@dataclass(frozen=True)
class Misconception:
    """A plausible wrong implementation, and the sentence that helps its author."""

    name: str
    hint: str
    function: Function


@dataclass
class Exercise:
    """One function that the learner fills in, named by its variable in `exercises.py`."""

    points: float | None = None  # of a right answer: half for values, half for other properties
    vary: dict[str, tuple[float, float]] = field(default_factory=dict)  # see docs/lesson.md
    path: bool = False  # the rows of a result are the points of a path, and are drawn as one
    draw: CaseSource | None = None
    misconceptions: list[Misconception] = field(default_factory=list)
    right_answers: list[Function] = field(default_factory=list)

    def cases(self, draw: CaseSource) -> CaseSource:
        """Register the function that draws the cases from an rng."""
        self.draw = draw
        return draw

    def misconception(self, hint: str) -> Callable[[Function], Function]:
        """Register a wrong implementation, with a hint of one sentence that isn't the solution."""

        def register(function: Function) -> Function:
            self.misconceptions.append(Misconception(function.__name__, hint, function))
            return function

        return register

    def right_answer(self, function: Function) -> Function:
        """Register an implementation unlike the reference that must pass every case."""
        self.right_answers.append(function)
        return function


@dataclass(frozen=True)
class Question:
    """A prediction or a recall card with options."""

    text: str
    answer: str  # the right option
    wrong: dict[str, str]  # each wrong option, and why it is wrong, in one sentence
    why: str  # the explanation shown after choosing

    def __post_init__(self) -> None:
        if len(self.wrong) < 2 or self.answer in self.wrong:
            raise ValueError(f"{self.text!r} needs two wrong options, other than its answer")


@dataclass(frozen=True)
class NumberQuestion:
    """A question whose answer is a number, guessed on a slider."""

    text: str
    answer: float
    low: float
    high: float
    step: float
    close: float  # the largest distance between the answer and a right guess
    too_low: str  # the explanation of a guess that is too low, in one sentence
    too_high: str
    why: str

    def __post_init__(self) -> None:
        if not self.low <= self.answer <= self.high:
            raise ValueError(f"the answer of {self.text!r} is outside its slider's range")

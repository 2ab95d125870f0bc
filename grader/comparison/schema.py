"""Types of the data that crosses a boundary: answer keys, calls, outcomes, answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NotRequired, TypedDict

Function = Callable[..., Any]
"""A learner's function, the reference or a misconception."""

Plain = Any
"""Data that JSON can hold, as `grader.comparison.codec.encode` writes it."""


class Call(TypedDict):
    """The part of a case that a learner's code may see: nothing about the expected result."""

    inputs: list[Plain]
    at: NotRequired[list[list[Plain]]]
    """Points at which a returned function is called."""
    draws: NotRequired[bool]
    """True where the inputs hold a random generator whose use is observed."""


class Sample(TypedDict):
    """Statistics of random draws, see `grader.comparison.distribution.summarise`."""

    shape: list[int]
    quantiles: list[float]
    distinct: bool
    """Hardly any two numbers are equal."""
    moves_on: bool
    """A second call with the same generator returns other numbers."""
    follows_rng: bool
    """The numbers depend on the generator alone."""


class Outcome(TypedDict, total=False):
    """The result of one call (a value, an error or draws) and its side effects."""

    value: Plain
    error: list[str]
    """Names of the exception's classes, subclasses first."""
    message: str
    draws: list[Plain]
    """Results of two calls that share a generator, and of one with a new, equal generator."""
    warnings: list[str]
    """Texts of RuntimeWarnings."""
    changed: list[int]
    """Positions of the inputs that the call changed."""
    aliased: bool
    """The result shares memory with an input."""
    printed: str
    global_random: bool
    """The call used numpy's or Python's global generator."""
    sample: Sample | None
    """Statistics of `draws`; None if they are not arrays of numbers."""


class CaseData(Call):
    """A case of an answer key: a call, the property that it tests, the reference's outcome."""

    property: str
    raises: NotRequired[str]
    """Name of the expected exception."""
    rtol: float
    atol: float
    parameters: list[str]
    """Names of the inputs."""
    expected: Outcome


class MisconceptionData(TypedDict):
    """A misconception's hint and outcomes."""

    hint: str
    outcomes: list[Outcome | None]
    """One for each case; None if it equals the reference's."""


class ExerciseKey(TypedDict):
    """The part of an answer key that judges one exercise."""

    points: float
    parameters: list[str]
    optional: int
    """Number of parameters with a default, the last ones."""
    cases: list[CaseData]
    misconceptions: list[MisconceptionData]


class QuestionData(TypedDict):
    """A question, its options, the right one, and the sentence shown after choosing."""

    text: str
    options: list[str]
    answer: str
    why: str


class AnswerKey(TypedDict):
    """The answer key of a lesson for one seed."""

    format: int
    lesson: str
    title: str
    seed: int
    exercises: dict[str, ExerciseKey]
    questions: dict[str, QuestionData]
    packages: list[str]
    """Packages of the course: a function that one of them defines is not the learner's."""


class Request(TypedDict):
    """Work for a child process: cells to run, then calls for each exercise."""

    cells: list[str]
    calls: dict[str, list[Call]]
    order_seed: NotRequired[int]
    """Decides the order of an exercise's calls; the child does not see it."""


class Answer(TypedDict, total=False):
    """A child's answer for one exercise: outcomes, or why there are none."""

    outcomes: list[Outcome]
    signature_mismatch: str
    """Parameters of a function that can't take the inputs."""
    missing: str
    """No function has the name of the exercise."""
    limit: str
    """A sentence about the limit that ended the exercise."""


class Response(TypedDict):
    """A child's answers, and for each cell the text of its exception or None."""

    answers: dict[str, Answer]
    errors: list[str | None]

"""Types of the plain data that crosses a boundary: an answer key, a call, an outcome, a child's answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NotRequired, TypedDict

Function = Callable[..., Any]
"""A learner's function, the reference or a misconception: it may take and return anything."""

Plain = Any
"""Data that JSON can hold: what `grader.comparison.codec.encode` writes."""


class Call(TypedDict):
    """The part of a case that a learner's code may see: the inputs, and nothing about the expected result."""

    inputs: list[Plain]
    at: NotRequired[list[list[Plain]]]
    """Points at which the values of a returned function are wanted."""
    draws: NotRequired[bool]
    """True where the inputs hold a random generator whose use is observed."""


class Outcome(TypedDict, total=False):
    """What one call did: a value, an error or draws, and what went with it. An absent field means none."""

    value: Plain
    error: list[str]
    """Names of the exception's classes, the most special first."""
    message: str
    draws: list[Plain]
    """Results of three calls: two that share a generator, and one with a new generator at the same start."""
    warnings: list[str]
    """Texts of RuntimeWarnings."""
    changed: list[int]
    """Positions of the inputs that the call changed."""
    aliased: bool
    """The result shares memory with an input."""
    printed: str
    global_random: bool
    """The call used numpy's or Python's global generator."""
    sample: dict[str, Any] | None
    """Statistics of `draws`, see `grader.comparison.distribution.summarise`."""


class CaseData(Call):
    """One case of an answer key: a call, the property that it tests, and the reference's outcome."""

    property: str
    raises: NotRequired[str]
    """Name of the exception that is expected."""
    rtol: float
    atol: float
    parameters: list[str]
    """Names of the inputs."""
    expected: Outcome


class MisconceptionData(TypedDict):
    """A misconception's hint, and its outcome on each case; None where it is the reference's."""

    hint: str
    outcomes: list[Outcome | None]


class ExerciseKey(TypedDict):
    """The part of an answer key that is needed to judge one exercise."""

    points: float
    parameters: list[str]
    optional: int
    """How many of the last parameters have a default."""
    cases: list[CaseData]
    misconceptions: list[MisconceptionData]


class QuestionData(TypedDict):
    """A question with its options, the right one word for word, and the sentence read after choosing."""

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


class Request(TypedDict):
    """What a child process is asked: cells to run, then calls for each exercise."""

    cells: list[str]
    calls: dict[str, list[Call]]
    order_seed: NotRequired[int]
    """Decides the order of the calls of an exercise; the child does not see it."""


class Answer(TypedDict, total=False):
    """A child's answer for one exercise: outcomes, or the reason why there are none."""

    outcomes: list[Outcome]
    signature_mismatch: str
    """The function's own parameters, which don't take the inputs."""
    missing: str
    """No function has the name of the exercise."""
    limit: str
    """The sentence about the limit that ended the exercise."""


class Response(TypedDict):
    """A child's answers, and for each cell the exception that ended it, as text, or None."""

    answers: dict[str, Answer]
    errors: list[str | None]

"""Types of the data that crosses a boundary: answer keys, calls, outcomes, answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NotRequired, TypedDict, final

Function = Callable[..., Any]  # a learner's function, the reference or a misconception
Plain = Any  # data that JSON can hold, as `grader.comparison.codec.encode` writes it


class Call(TypedDict):
    """The part of a case that a learner's code may see: nothing about the expected result."""

    inputs: list[Plain]
    at: NotRequired[list[list[Plain]]]  # points at which a returned function is called
    draws: NotRequired[bool]  # the inputs hold a random generator whose use is observed


class Sample(TypedDict):
    """Statistics of random draws, see `grader.comparison.distribution.summarise`."""

    shape: list[int]
    quantiles: list[float]
    distinct: bool  # hardly any two numbers are equal
    moves_on: bool  # a second call with the same generator returns other numbers
    follows_rng: bool  # equal generators give equal numbers, and others others


class Outcome(TypedDict, total=False):
    """The result of one call (a value, an error or draws) and its side effects."""

    value: Plain
    error: list[str]  # names of the exception's classes, subclasses first
    message: str
    draws: list[Plain]  # two share a generator, the third has an equal one, the fourth another
    warnings: list[str]  # texts of RuntimeWarnings
    changed: list[int]  # positions of changed inputs, the points of `at` counted after them
    aliased: bool  # the result shares memory with an input
    printed: str
    sample: Sample | None  # statistics of `draws`; None if they are not arrays of numbers


class CaseData(Call):
    """A case of an answer key: a call, the property that it tests, the reference's outcome."""

    property: str
    raises: NotRequired[str]  # name of the expected exception
    rtol: float
    atol: float
    parameters: list[str]  # names of the inputs
    expected: Outcome


class Line(TypedDict):
    """One number of a case's inputs varied, and the reference's results along it."""

    case: int  # position of the case
    input: int  # position of the input; `grader.comparison.lines.AT` for a returned function's
    entry: int | None  # position of the number in an array, row by row; None for a scalar
    values: list[float]
    # For each number of the result its values, or one float if it is constant.
    expected: list[float | list[float]]


class MisconceptionData(TypedDict):
    """A misconception's hint and its outcome of each case, None if it equals the reference's."""

    hint: str
    outcomes: list[Outcome | None]


class ExerciseKey(TypedDict):
    """The part of an answer key that judges one exercise."""

    points: float
    parameters: list[str]
    optional: int  # number of parameters with a default, the last ones
    cases: list[CaseData]
    misconceptions: list[MisconceptionData]
    lines: NotRequired[list[Line]]  # through its cases, for the figure of a mistake
    solution: NotRequired[str]  # lines of the reference, packed, for the puzzle of their order
    hints: NotRequired[int]  # number of hints in the text above its cell, folded
    ways: NotRequired[str]  # other right answers, each below the line on what it is good at, packed
    path: NotRequired[bool]  # the rows of a result are the points of a path


@final
class QuestionData(TypedDict):
    """A question, the right option, each wrong one with a sentence, and the explanation."""

    text: str
    answer: str
    wrong: dict[str, str]
    why: str


@final
class NumberQuestionData(TypedDict):
    """A question whose answer is guessed on a slider, see `NumberQuestion`."""

    text: str
    answer: float
    low: float
    high: float
    step: float
    close: float
    too_low: str
    too_high: str
    why: str


AnyQuestion = QuestionData | NumberQuestionData


class AnswerKey(TypedDict):
    """The answer key of a lesson for one seed."""

    format: int
    lesson: str
    title: str
    seed: int
    exercises: dict[str, ExerciseKey]
    questions: dict[str, AnyQuestion]
    hardened: list[str]  # exercises whose lesson has a cell `harden(name)`
    packages: list[str]  # of the course: a function that one of them defines is not the learner's


class Request(TypedDict):
    """Work for a child process: cells to run, then calls for each exercise."""

    cells: list[str]
    calls: dict[str, list[Call]]
    asked: NotRequired[dict[str, int]]  # exercises that are asked after that many cells
    stopped: NotRequired[list[int]]  # cells that were given up: only their definitions are run
    order_seed: NotRequired[int]  # decides the order of the calls; the child does not see it


class Answer(TypedDict, total=False):
    """A child's answer for one exercise: outcomes, or why there are none."""

    outcomes: list[Outcome]
    signature_mismatch: str  # parameters of a function that can't take the inputs
    missing: str  # no function has the name of the exercise
    limit: str  # a sentence about the limit that ended the exercise


class Response(TypedDict):
    """A child's answers, and for each cell the text of its exception or None."""

    answers: dict[str, Answer]
    errors: list[str | None]
    seconds: NotRequired[dict[str, float]]  # that all calls of an exercise took

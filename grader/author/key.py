"""Make an answer key: cases, expected results and each misconception's results, as data."""

from __future__ import annotations

import inspect
import zlib
from typing import Any

import numpy as np

from grader.author.lesson import Lesson, LessonError
from grader.comparison.answer_key import KEY_FORMAT
from grader.comparison.codec import encode_input
from grader.comparison.compare import alike
from grader.comparison.distribution import MIN_NUMBERS, numbers_drawn, summarise
from grader.comparison.judge import call_of, observe_all
from grader.comparison.observe import observe
from grader.comparison.schema import AnswerKey, CaseData, ExerciseKey, Function, Outcome
from grader.comparison.vocabulary import Case, Exercise, kind

DIGITS = 12
"""Significant digits of the numbers that a key holds: processors differ in the last ones, the comparison looks at six."""

"""``{"format", "lesson", "seed", "exercises": {name: exercise key}, "questions": {name: question}}``"""


def make_key(lesson: Lesson, seed: int) -> AnswerKey:
    """The answer key of a lesson for one seed.

    Raises:
        LessonError: a case can't be written as plain data, or the reference fails on one.
    """
    return {
        "format": KEY_FORMAT,
        "lesson": lesson.name,
        "title": lesson.title,
        "seed": seed,
        "exercises": {name: exercise_key(lesson, name, seed) for name in lesson.exercises},
        "questions": {
            name: {"text": q.text, "options": list(q.options), "answer": q.answer, "why": q.why}
            for name, q in lesson.questions.items()
        },
    }


def exercise_key(lesson: Lesson, name: str, seed: int) -> ExerciseKey:
    """The part of the key that belongs to one exercise; what `grader.comparison.judge` needs to judge an answer."""
    exercise, reference = lesson.exercises[name], lesson.reference[name]
    parameters = list(inspect.signature(reference).parameters)
    cases = [_case_data(lesson, name, one, parameters) for one in draw_cases(lesson, name, seed)]
    for position, data in enumerate(cases, 1):
        data["expected"] = _expected(lesson, name, reference, data, position)
    assert exercise.points is not None, "a lesson that was loaded has points for every exercise"
    return {
        "points": exercise.points,
        "parameters": parameters,
        "optional": sum(
            p.default is not p.empty for p in inspect.signature(reference).parameters.values()
        ),
        "cases": cases,
        "misconceptions": [
            {"hint": one.hint, "outcomes": _where_different(cases, one.function)}
            for one in exercise.misconceptions
        ],
    }


def draw_cases(lesson: Lesson, name: str, seed: int) -> list[Case]:
    """The cases of one exercise for a seed; every exercise has a stream of random numbers of its own."""
    exercise: Exercise = lesson.exercises[name]
    if exercise.draw is None:
        raise LessonError(
            f"{lesson.exercises_file}: {name} has no cases; write a function under @{name}.cases that yields some"
        )
    try:
        cases = list(exercise.draw(np.random.default_rng([seed, zlib.crc32(name.encode())])))
    except Exception as error:
        raise LessonError(
            f"{lesson.exercises_file}: drawing the cases of {name} failed: {type(error).__name__}: {error}"
        ) from error
    if not cases:
        raise LessonError(
            f"{lesson.exercises_file}: {name} has no cases; its function under @{name}.cases yields none"
        )
    return cases


def _case_data(lesson: Lesson, name: str, one: Case, parameters: list[str]) -> CaseData:
    try:
        data: CaseData = {
            "property": one.property,
            "inputs": [encode_input(value) for value in one.inputs],
            "rtol": one.rtol,
            "atol": one.atol,
            "parameters": parameters[: len(one.inputs)],
            "expected": {},
        }
        if one.at is not None:
            data["at"] = [[encode_input(value) for value in point] for point in one.at]
    except ValueError as error:
        raise LessonError(
            f"{lesson.exercises_file}: a {one.property} case of {name}: {error}"
        ) from error
    if one.raises is not None:
        data["raises"] = one.raises.__name__
    if kind(one.property) == "distribution":
        data["draws"] = True
    return data


def _expected(
    lesson: Lesson, name: str, reference: Function, data: CaseData, position: int
) -> Outcome:
    outcome = summarise(observe(reference, call_of(data)))
    raised = outcome.get("error", [None])
    if "raises" not in data and raised[0] is not None:
        raise LessonError(
            f"{lesson.source_file}: the reference {name} raises {raised[0]}: {outcome['message']} on its case {position}"
            f" ({data['property']}); fix the reference, or the case in {lesson.exercises_file}"
        )
    if data.get("draws") and (drawn := numbers_drawn(outcome)) < MIN_NUMBERS:
        raise LessonError(
            f"{lesson.exercises_file}: case {position} of {name} draws {drawn} numbers in two calls, too few to tell two laws apart;"
            f" ask for at least {MIN_NUMBERS // 2} a call"
        )
    rounded: Outcome = _rounded(outcome)
    return rounded


def _where_different(cases: list[CaseData], function: Function) -> list[Outcome | None]:
    """A misconception's outcome on each case; None where it is the reference's."""
    outcomes = observe_all(function, cases)
    return [
        None if alike(case, case["expected"], outcome) else _rounded(outcome)
        for case, outcome in zip(cases, outcomes, strict=True)
    ]


def _rounded(data: Any) -> Any:
    """Return plain data with its floats cut to `DIGITS` significant digits."""
    if isinstance(data, float):
        return float(f"{data:.{DIGITS}g}")
    if isinstance(data, dict):
        return {key: _rounded(item) for key, item in data.items()}
    return [_rounded(item) for item in data] if isinstance(data, list) else data

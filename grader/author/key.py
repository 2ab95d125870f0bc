"""Make an answer key: cases, the reference's outcomes and each misconception's, as data."""

from __future__ import annotations

import ast
import inspect
import zlib
from dataclasses import asdict
from typing import Any, cast

import numpy as np

from grader.author.lesson import Lesson, LessonError, role
from grader.comparison.answer_key import KEY_FORMAT, packed
from grader.comparison.codec import encode_input
from grader.comparison.compare import Result, alike, differences
from grader.comparison.distribution import MIN_NUMBERS, numbers_drawn, summarise
from grader.comparison.judge import call_of, observe_all
from grader.comparison.lines import lines_through
from grader.comparison.observe import observe
from grader.comparison.schema import (
    AnswerKey,
    AnyQuestion,
    CaseData,
    ExerciseKey,
    Function,
    Line,
    Outcome,
)
from grader.comparison.vocabulary import Case, kind

DIGITS = 12
"""Significant digits of a key's numbers: processors differ in the 16th, a comparison needs six."""

SHORT = 4
"""A function of fewer lines, with its head, has no puzzle: there is little to order."""


def make_key(lesson: Lesson, seed: int) -> AnswerKey:
    """Return the answer key of a lesson for one seed.

    Raises:
        LessonError: a case can't be written as plain data, or the reference fails on it.
    """
    return {
        "format": KEY_FORMAT,
        "lesson": lesson.name,
        "title": lesson.title,
        "seed": seed,
        "exercises": {name: _learners_key(lesson, name, seed) for name in lesson.exercises},
        "questions": {
            name: cast(AnyQuestion, asdict(one)) for name, one in lesson.questions.items()
        },
        "hardened": lesson.hardened,
        "packages": list(lesson.settings.packages),
    }


def exercise_key(lesson: Lesson, name: str, seed: int) -> ExerciseKey:
    """Return one exercise's part of the key."""
    exercise, reference = lesson.exercises[name], lesson.reference[name]
    signature = inspect.signature(reference).parameters
    parameters, drawn = list(signature), draw_cases(lesson, name, seed)
    cases = [_case_data(lesson, name, one, parameters) for one in drawn]
    for position, data in enumerate(cases, 1):
        data["expected"] = _expected(lesson, name, reference, data, position)
    assert exercise.points is not None, "load_lesson checks the points"
    key: ExerciseKey = {
        "points": exercise.points,
        "parameters": parameters,
        "optional": sum(p.default is not p.empty for p in signature.values()),
        "cases": cases,
        "misconceptions": [
            {"hint": one.hint, "outcomes": _where_different(cases, one.function)}
            for one in exercise.misconceptions
        ],
    }
    if exercise.path:
        key["path"] = True
    return key


def solution_lines(lesson: Lesson, name: str) -> list[str]:
    """Return the head of a reference function and its lines, without docstring and comments."""
    cells = [one.source for one in lesson.notebook.cells if role(one) == ("exercise", name)]
    found = [one for one in ast.parse(cells[0]).body if getattr(one, "name", "") == name]
    function = found[-1]
    assert isinstance(function, ast.FunctionDef), "load_lesson checks the cell"
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:]
    return [line for line in ast.unparse(function).splitlines() if line]


def hints_above(lesson: Lesson, name: str) -> int:
    """Return the number of folded hints in the text above an exercise's cell."""
    cells = lesson.notebook.cells
    at = next(i for i, cell in enumerate(cells) if role(cell) == ("exercise", name))
    return cells[at - 1].source.count("<summary>") if at and role(cells[at - 1])[0] == "text" else 0


def other_ways(lesson: Lesson, name: str) -> list[str]:
    """Return the right answers with a docstring: that line, and their code below it."""
    ways = []
    for answer in lesson.exercises[name].right_answers:
        if answer.__doc__:
            (function,) = ast.parse(inspect.getsource(answer)).body
            assert isinstance(function, ast.FunctionDef)
            function.name, function.decorator_list, function.body = name, [], function.body[1:]
            ways.append(f"{answer.__doc__}\n{ast.unparse(function)}")
    return ways


def lines_of(lesson: Lesson, name: str, key: ExerciseKey) -> list[Line]:
    """Return the lines through the cases of an exercise's key; a path needs none."""
    vary, cases = lesson.exercises[name].vary, key["cases"]
    if unknown := vary.keys() - {*key["parameters"]}:
        raise LessonError(
            f"{lesson.exercises_file}: {name} has no parameter {min(unknown)} to vary"
        )
    if key.get("path"):
        return []
    places = range(len(cases))
    return [one for i in places for one in lines_through(cases, i, lesson.reference[name], vary)]


def _learners_key(lesson: Lesson, name: str, seed: int) -> ExerciseKey:
    """Return the key with the parts that only a notebook shows."""
    key = exercise_key(lesson, name, seed)
    solution = solution_lines(lesson, name)
    if lesson.settings.show_solutions:
        if len(solution) >= SHORT:
            key["solution"] = packed(solution)
        if ways := other_ways(lesson, name):
            key["ways"] = packed(ways)
    if hints := hints_above(lesson, name):
        key["hints"] = hints
    key["lines"] = lines_of(lesson, name, key)
    return key


def draw_cases(lesson: Lesson, name: str, seed: int) -> list[Case]:
    """Return the cases of an exercise for a seed; each exercise has its own random stream."""
    draw, where = lesson.exercises[name].draw, lesson.exercises_file
    assert draw is not None, "load_lesson checks that there are cases"
    try:
        cases = list(draw(np.random.default_rng([seed, zlib.crc32(name.encode())])))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise LessonError(f"{where}: drawing the cases of {name} failed: {reason}") from error
    if not cases:
        raise LessonError(f"{where}: {name} has no cases; @{name}.cases yields none")
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
        where = f"{lesson.exercises_file}: a {one.property} case of {name}"
        raise LessonError(f"{where}: {error}") from error
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
        where = f"on its case {position} ({data['property']})"
        reason = f"raises {raised[0]}: {outcome['message']}"
        raise LessonError(f"{lesson.source_file}: the reference {name} {reason} {where}")
    if data.get("draws") and (drawn := numbers_drawn(outcome)) < MIN_NUMBERS:
        mistake = f"case {position} of {name} draws {drawn} numbers in two calls, too few"
        advice = f"draw at least {MIN_NUMBERS // 2} in a call"
        raise LessonError(f"{lesson.exercises_file}: {mistake}; {advice}")
    rounded: Outcome = _rounded(outcome)
    return rounded


def _where_different(cases: list[CaseData], function: Function) -> list[Outcome | None]:
    """Return a misconception's outcome on each case; None where it is the reference's."""
    found: list[Outcome | None] = []
    for case, outcome in zip(cases, observe_all(function, cases), strict=True):
        expected, mine = Result(case["expected"]), Result(outcome)
        same = alike(case["property"], case, mine, expected)
        found.append(None if same and not differences(case, expected, mine) else _rounded(outcome))
    return found


def _rounded(data: Any) -> Any:
    """Return plain data with its floats rounded to `DIGITS` significant digits."""
    if isinstance(data, float):
        return float(f"{data:.{DIGITS}g}")
    if isinstance(data, dict):
        return {key: _rounded(item) for key, item in data.items()}
    return [_rounded(item) for item in data] if isinstance(data, list) else data

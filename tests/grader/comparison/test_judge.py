"""Missed properties and points; outcomes, states, first failures and hints."""

from __future__ import annotations

from typing import Any

import pytest

from grader.comparison.judge import Compared, State, call_of, judge, points, unjudged
from grader.comparison.schema import ExerciseKey, Outcome
from grader.diagnosis.misconceptions import known, misconception

VALUE, SHAPE, QUIET, PURITY = "value", "shape", "quiet", "purity"

POINTS = [
    # total, tested, missed, points
    (2, [VALUE], [], 2),
    (2, [VALUE], [VALUE], 0),
    (2, [VALUE, SHAPE], [SHAPE], 1),
    (2, [VALUE, SHAPE], [VALUE], 0),
    (4, [VALUE, SHAPE, QUIET], [SHAPE], 3),
    (4, [VALUE, SHAPE, QUIET], [SHAPE, QUIET], 2),
    (3, [VALUE, SHAPE, QUIET, PURITY], [QUIET], 2.5),
    (1, [VALUE, SHAPE, QUIET, PURITY], [QUIET, PURITY], 0.67),
    (2, [VALUE, "value/large", SHAPE], ["value/large"], 0),
    (2, [SHAPE, "distribution"], ["distribution"], 0),
    (2, [SHAPE, "distribution"], [SHAPE], 1),
    (2, ["error", SHAPE], ["error"], 0),
    (2, ["error", SHAPE], [SHAPE], 1),
]


@pytest.mark.parametrize(("total", "tested", "missed", "expected"), POINTS)
def test_points_are_shared(
    total: float, tested: list[str], missed: list[str], expected: float
) -> None:
    assert points(total, tested, {*missed}) == expected


PROPERTIES = ("quiet", "value", "value", "purity")
RIGHT: list[Outcome] = [{"value": 1.0}, {"value": 2.0}, {"value": 3.0}, {"value": 4.0}]


def with_outcomes(**changed: Outcome) -> list[Outcome]:
    """Return the right outcomes with some replaced: `at_1` is the second."""
    return [changed.get(f"at_{number}", outcome) for number, outcome in enumerate(RIGHT)]


KEY: ExerciseKey = {
    "points": 4,
    "parameters": ["x"],
    "optional": 0,
    "cases": [
        {
            "property": property,
            "inputs": [0.5],
            "parameters": ["x"],
            "rtol": 1e-6,
            "atol": 1e-9,
            "expected": outcome,
        }
        for property, outcome in zip(PROPERTIES, RIGHT, strict=True)
    ],
    "misconceptions": [
        {"hint": "twice", "outcomes": [{"value": 2.0}, {"value": 4.0}, {"value": 6.0}, None]},
        {"hint": "nine", "outcomes": [None, {"value": 4.0}, {"value": 9.0}, None]},
        {"hint": "also nine", "outcomes": [{"value": 0.0}, {"value": 4.0}, {"value": 9.0}, None]},
        {"hint": "loud", "outcomes": [{"value": 1.0, "warnings": ["w"]}, None, None, None]},
    ],
}
STUB: Outcome = {"error": ["NotImplementedError", "Exception"], "message": ""}
LOUD: Outcome = {"value": 1.0, "warnings": ["overflow"]}
WRITES: Outcome = {"error": ["UFuncTypeError", "TypeError"], "message": ""}

VERDICTS: dict[str, tuple[list[Outcome], dict[str, Any]]] = {
    "right": (RIGHT, {"state": State.SOLVED, "points": 4, "first": None, "hint": None}),
    "stub": ([STUB] * 4, {"state": State.UNWRITTEN, "points": 0, "first": None}),
    "half a stub": (with_outcomes(at_1=STUB), {"state": State.MISSED, "points": 0, "first": 1}),
    "a warning": (
        with_outcomes(at_0=LOUD),
        {"state": State.PARTLY, "points": 3, "first": 0, "hint": "loud", "missed": ("quiet",)},
    ),
    "a warning and a change": (
        with_outcomes(at_0=LOUD, at_3={"value": 4.0, "changed": [0]}),
        {"state": State.PARTLY, "points": 2, "first": 0, "missed": ("quiet", "purity")},
    ),
    "an update in place counts once": (
        with_outcomes(at_0=WRITES, at_3={"value": 4.0, "changed": [0]}),
        {"state": State.PARTLY, "points": 3, "first": 3, "missed": ("purity",)},
    ),
    "a wrong value before a warning": (
        with_outcomes(at_0=LOUD, at_2={"value": 0.0}),
        {"state": State.MISSED, "points": 0, "first": 2, "hint": None},
    ),
    "the hint of the same results": (
        with_outcomes(at_1={"value": 4.0}, at_2={"value": 6.0}),
        {"state": State.MISSED, "points": 0, "first": 1, "hint": "twice"},
    ),
    "of two hints the closer one": (
        with_outcomes(at_0={"value": 0.0}, at_1={"value": 4.0}, at_2={"value": 9.0}),
        {"state": State.MISSED, "points": 0, "first": 1, "hint": "also nine"},
    ),
}


BASICS = ("value", "shape", "integer", "purity", "quiet", "stability")
RIGHT_BASICS: list[Outcome] = [{"value": 1.0}] * len(BASICS)


def basics(**wrong: Outcome | None) -> list[Outcome | None]:
    """Return no outcome of a misconception but those of the named properties."""
    return [wrong.get(property) for property in BASICS]


BASICS_KEY: ExerciseKey = {
    **KEY,
    "cases": [
        {**KEY["cases"][0], "property": property, "expected": outcome}
        for property, outcome in zip(BASICS, RIGHT_BASICS, strict=True)
    ],
    "misconceptions": [
        {"hint": "no values", "outcomes": basics(value={"value": 9.0}, shape={"value": 5.0})},
        {"hint": "integers", "outcomes": basics(integer={"value": 0.0})},
        {"hint": "in place", "outcomes": basics(purity={"value": 1.0, "changed": [0]})},
        {"hint": "loud", "outcomes": basics(quiet={"value": 1.0, "warnings": ["w"]})},
        {"hint": "vanishes", "outcomes": basics(stability={"value": 0.0})},
    ],
}
IN_PLACE: Outcome = {"value": 1.0, "changed": [0]}

HINTS: list[tuple[dict[str, Outcome], str | None]] = [
    ({"integer": {"value": 0.0}}, "integers"),
    ({"integer": {"value": 7.0}}, None),
    ({"shape": {"value": 5.0}}, None),  # whose only match misses the values too
    ({"shape": {"value": 6.0}, "integer": {"value": 0.0}}, "integers"),  # the next one missed
    ({"value": {"value": 6.0}, "integer": {"value": 0.0}}, None),  # not where values are wrong
    ({"stability": IN_PLACE}, None),  # on another case than the misconception
    ({"purity": IN_PLACE}, "in place"),
    ({"stability": {"value": 3.0}, "quiet": LOUD}, None),  # not "right values, with a warning"
    ({"quiet": LOUD}, "loud"),
]


@pytest.mark.parametrize(("wrong", "hint"), HINTS)
def test_a_hint_fits_what_the_answer_misses(wrong: dict[str, Outcome], hint: str | None) -> None:
    outcomes = [wrong.get(property, {"value": 1.0}) for property in BASICS]
    assert misconception(Compared(BASICS_KEY, outcomes), known(BASICS_KEY)) == hint


INTEGERS: list[tuple[dict[str, Outcome], tuple[str, ...]]] = [
    ({"integer": WRITES}, ("integer",)),  # into an array that the function made
    ({"integer": WRITES, "shape": IN_PLACE}, ("purity",)),
    ({"value": IN_PLACE}, ("purity",)),
]


@pytest.mark.parametrize(("wrong", "missed"), INTEGERS)
def test_a_property_pays_for_its_own_cause(
    wrong: dict[str, Outcome], missed: tuple[str, ...]
) -> None:
    outcomes = [wrong.get(property, {"value": 1.0}) for property in BASICS]
    assert judge("f", BASICS_KEY, outcomes).missed == missed


@pytest.mark.parametrize("name", VERDICTS)
def test_outcomes_have_a_verdict(name: str) -> None:
    outcomes, expected = VERDICTS[name]
    verdict = judge("f", KEY, outcomes)
    first = verdict.failure and KEY["cases"].index(verdict.failure.case)
    hint = misconception(Compared(KEY, outcomes), known(KEY)) if verdict.failure else None
    found = {**vars(verdict), "first": first, "hint": hint}
    assert {key: found[key] for key in expected} == expected
    assert verdict.solved is (expected["state"] is State.SOLVED)
    tested = [] if verdict.state is State.UNWRITTEN else ["value", "quiet", "purity"]
    assert sorted([*verdict.passed, *verdict.missed]) == sorted(tested)


def test_an_unjudged_answer_has_no_points() -> None:
    verdict = unjudged("f", KEY, "It is missing.")
    assert (verdict.state, verdict.points, verdict.max_points) == (State.UNJUDGED, 0, 4)
    assert not verdict.solved


def test_a_call_holds_nothing_about_the_expected_outcome() -> None:
    case = KEY["cases"][0]
    assert call_of(case) == {"inputs": [0.5]}
    assert call_of({**case, "at": [[1.0]]}) == {"inputs": [0.5], "at": [[1.0]]}
    assert call_of({**case, "draws": True}) == {"inputs": [0.5], "draws": True}

"""No relation that is seen with one seed is false with another, for any listed wrong answer."""

from __future__ import annotations

from typing import Any

import pytest

from course import LESSONS, lesson
from grader.author.key import exercise_key
from grader.comparison.judge import Compared, accepted, observe_all
from grader.comparison.schema import ExerciseKey
from grader.diagnosis.relations import relation

SEEDS = range(20)
EXERCISES = [(name, exercise) for name in LESSONS for exercise in lesson(name).exercises]


def false_relations(name: str, exercise: str, seeds: range) -> list[str]:
    """Return the relations that are seen with the first seed and not with all others."""
    keys: list[ExerciseKey] = [exercise_key(lesson(name), exercise, seed) for seed in seeds]
    false = []
    for misconception in lesson(name).exercises[exercise].misconceptions:
        runs: list[Any] = [observe_all(misconception.function, key["cases"]) for key in keys]
        if accepted(keys[0], runs[0]) or (seen := relation(Compared(keys[0], runs[0]))) is None:
            continue
        if seen.sentence.startswith("In the cases of this check"):
            continue  # it says nothing about others
        pairs = zip(keys, runs, strict=True)
        held = [seen.holds([*zip(key["cases"], run, strict=True)]) for key, run in pairs]
        if not all(held):
            false.append(f"{misconception.name}, {held.count(False)} times: {seen.sentence}")
    return false


def test_no_relation_is_false_with_another_seed() -> None:
    assert false_relations("neuron", "sigmoid", SEEDS[:3]) == []


@pytest.mark.long
@pytest.mark.parametrize(("name", "exercise"), EXERCISES)
def test_no_relation_is_false_with_any_of_20_seeds(name: str, exercise: str) -> None:
    assert false_relations(name, exercise, SEEDS) == []

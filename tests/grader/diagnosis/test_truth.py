"""No relation that is seen with one seed is false with another, for any listed wrong answer."""

from __future__ import annotations

import pytest

from course import LESSONS, lesson
from grader.author.key import exercise_key
from grader.comparison.judge import Compared, observe_all
from grader.comparison.schema import ExerciseKey
from grader.diagnosis.relations import relation, relations

SEEDS = range(20)
OF_THIS_CHECK = ("in the cases of this check", "at ", "you get ")
"""How sentences begin that tell numbers of a check, and nothing about others."""
EXERCISES = [(name, exercise) for name in LESSONS for exercise in lesson(name).exercises]


def false_relations(name: str, exercise: str, seeds: range) -> list[str]:
    """Return the relations that are seen with the first seed and not with all others."""
    keys: list[ExerciseKey] = [exercise_key(lesson(name), exercise, seed) for seed in seeds]
    false = []
    for misconception in lesson(name).exercises[exercise].misconceptions:
        runs = [Compared(key, observe_all(misconception.function, key["cases"])) for key in keys]
        if not (missed := runs[0].missed) or (seen := relation(runs[0])) is None:
            continue
        if seen.lower().startswith(OF_THIS_CHECK) or ", in the cases of this check" in seen:
            continue
        others = [run for run in runs if missed[0] in run.missed]
        held = [seen in relations(run, missed[0]) for run in others]
        if not all(held):
            false.append(f"{misconception.name}, {held.count(False)} times: {seen}")
    return false


def test_no_relation_is_false_with_another_seed() -> None:
    assert false_relations("neuron", "sigmoid", SEEDS[:3]) == []


@pytest.mark.long
@pytest.mark.parametrize(("name", "exercise"), EXERCISES)
def test_no_relation_is_false_with_any_of_20_seeds(name: str, exercise: str) -> None:
    assert false_relations(name, exercise, SEEDS) == []

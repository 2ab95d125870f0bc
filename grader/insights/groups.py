"""Group answers that no misconception explains by their outcomes, with one example each."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from grader.insights.gather import ClassResults, StudentResult
from grader.instructor.run import Unexplained

MAX_READ = 8
"""Notebooks of a group among which the shortest code is chosen as the example."""


@dataclass(frozen=True)
class Group:
    """Answers with the same outcomes on every case of the property that they missed first.

    Attributes:
        name: a heading like "sigmoid-3fa2c1".
        exercise: its name.
        mistake: the most frequent first failing case of these answers.
        students: the authors of the answers.
        example: the cell of one of them; None if no graded notebook is there any more.
    """

    name: str
    exercise: str
    mistake: Unexplained
    students: tuple[str, ...]
    example: str | None


def groups_of(results: ClassResults) -> list[Group]:
    """Return the groups, the largest first."""
    members: dict[tuple[str, str, str], list[tuple[StudentResult, Unexplained]]]
    members = defaultdict(list)
    for exercise in results.lesson.exercises:
        for student, answer in results.answers(exercise):
            if found := answer.get("unexplained"):
                members[exercise, found["property"], found["returned"]].append((student, found))
    groups = []
    for (exercise, _, returned), answers in members.items():
        name, mistakes = f"{exercise}-{returned[:6]}", [found for _, found in answers]
        example = _example(results, exercise, [one for one, _ in answers])
        students = tuple(one.student for one, _ in answers)
        groups.append(Group(name, exercise, max(mistakes, key=mistakes.count), students, example))
    return sorted(groups, key=lambda group: (-len(group.students), group.name))


def _example(results: ClassResults, exercise: str, students: list[StudentResult]) -> str | None:
    """Return the shortest of some answers, chosen by the notebooks' digests, not by names."""
    chosen = sorted(students, key=lambda one: one.digest)[:MAX_READ]
    codes = [results.code.get(one.student, {}).get(exercise) for one in chosen]
    sources = [code.source for code in codes if code]
    return min(sources, key=lambda source: (len(source), source), default=None)

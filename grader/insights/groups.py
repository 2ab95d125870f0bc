"""Group answers that no misconception explains by their outcomes, with one example each."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from grader.execution.notebook import Cell, UnreadableNotebook, cells_of, load_notebook
from grader.execution.submission import Template
from grader.insights.gather import ClassResults, StudentResult
from grader.instructor.feedback import answer_number
from grader.instructor.journal import digest_of
from grader.instructor.run import Unexplained, template

MAX_READ = 8
"""Notebooks of a group among which the shortest code is chosen as the example."""


@dataclass(frozen=True)
class Group:
    """Answers with the same outcomes on every case of the property that they missed first.

    Attributes:
        name: a heading like "sigmoid-3fa2c1".
        exercise: its name.
        property: the property missed first.
        reason: how the first failing case differs.
        case: that case, rows of a name and a value.
        students: the authors of the answers.
        example: the cell of one of them; None if no graded notebook is there any more.
    """

    name: str
    exercise: str
    property: str
    reason: str
    case: list[tuple[str, str]]
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
    known = template(results.lesson)
    groups = [_group(results, known, key[0], answers) for key, answers in members.items()]
    return sorted(groups, key=lambda group: (-len(group.students), group.name))


def _group(
    results: ClassResults,
    known: Template,
    exercise: str,
    answers: list[tuple[StudentResult, Unexplained]],
) -> Group:
    cases = [found for _, found in answers]
    found = max(cases, key=cases.count)
    return Group(
        name=f"{exercise}-{found['returned'][:6]}",
        exercise=exercise,
        property=found["property"],
        reason=found["reason"],
        case=found["case"],
        students=tuple(one.student for one, _ in answers),
        example=_example(results, known, exercise, [one for one, _ in answers]),
    )


def _example(
    results: ClassResults, known: Template, exercise: str, students: list[StudentResult]
) -> str | None:
    """Return the shortest of some answers, chosen by the notebooks' digests, not by names."""
    examples = []
    for one in sorted(students, key=lambda one: one.digest)[:MAX_READ]:
        cells = _graded_cells(results, one)
        number = answer_number(known, cells, exercise)
        if number is not None:
            examples.append(cells[number].source)
    return min(examples, key=lambda source: (len(source), source), default=None)


def _graded_cells(results: ClassResults, one: StudentResult) -> list[Cell]:
    """Return the cells of the graded notebook; none if it was replaced."""
    try:
        data = results.submissions[one.student].read()
        return cells_of(load_notebook(data)) if digest_of(data) == one.digest else []
    except (KeyError, UnreadableNotebook):
        return []

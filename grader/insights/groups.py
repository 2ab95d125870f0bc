"""Group answers that no misconception explains by their outcomes, with one example each."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from grader.execution.notebook import Cell, UnreadableNotebook, cells_of, load_notebook
from grader.execution.submission import Template
from grader.insights.gather import Class, Work
from grader.instructor.feedback import answer_number
from grader.instructor.journal import digest_of
from grader.instructor.run import template

MOST_READ = 8
"""Of so many learners of a group, the shortest code is the example."""


@dataclass(frozen=True)
class Group:
    """Answers that one misconception would explain: they did the same on every case of the property that they missed first.

    Attributes:
        name: what it is called on the page, like "sigmoid-3fa2c1".
        exercise: the exercise.
        property: the property missed first.
        reason: how the first failing case differs, in one sentence.
        case: that case, rows of a name and a text.
        students: whose answers they are.
        example: the cell of one of them, or None where no notebook is there any more as it was graded.
    """

    name: str
    exercise: str
    property: str
    reason: str
    case: list[tuple[str, str]]
    students: tuple[str, ...]
    example: str | None


def groups_of(of_class: Class) -> list[Group]:
    """The groups, the largest first."""
    members: dict[tuple[str, str, str], list[tuple[Work, dict[str, Any]]]] = defaultdict(list)
    for exercise in of_class.lesson.exercises:
        for work, verdict in of_class.verdicts(exercise):
            if found := verdict.get("unexplained"):
                members[exercise, found["property"], found["returned"]].append((work, found))
    known = template(of_class.lesson) if members else None
    groups = [
        _group(of_class, known, exercise, works)
        for (exercise, _, _), works in members.items()
        if known
    ]
    return sorted(groups, key=lambda group: (-len(group.students), group.name))


def without_group(of_class: Class) -> int:
    """How many answers no misconception explains that were graded before the journal kept what groups them."""
    verdicts = (
        verdict for name in of_class.lesson.exercises for _, verdict in of_class.verdicts(name)
    )
    return sum(
        bool(verdict["missed"]) and not verdict["hint"] and not verdict.get("unexplained")
        for verdict in verdicts
    )


def _group(
    of_class: Class, known: Template, exercise: str, works: list[tuple[Work, dict[str, Any]]]
) -> Group:
    shown = Counter(repr((found["reason"], found["case"])) for _, found in works).most_common(1)[0][
        0
    ]
    found = next(found for _, found in works if repr((found["reason"], found["case"])) == shown)
    return Group(
        name=f"{exercise}-{found['returned'][:6]}",
        exercise=exercise,
        property=found["property"],
        reason=found["reason"],
        case=[(name, text) for name, text in found["case"]],
        students=tuple(work.student for work, _ in works),
        example=_example(of_class, known, exercise, [work for work, _ in works]),
    )


def _example(of_class: Class, known: Template, exercise: str, works: list[Work]) -> str | None:
    """The shortest of some answers; which ones doesn't depend on who wrote them."""
    examples = []
    for work in sorted(works, key=lambda work: work.digest)[:MOST_READ]:
        cells = _cells(of_class, work)
        number = answer_number(known, cells, exercise)
        if number is not None:
            examples.append(cells[number].source)
    return min(examples, key=lambda source: (len(source), source), default=None)


def _cells(of_class: Class, work: Work) -> list[Cell]:
    """The cells of the notebook that was graded; none where another one lies there now."""
    try:
        data = of_class.submissions[work.student].read()
        return cells_of(load_notebook(data)) if digest_of(data) == work.digest else []
    except (KeyError, UnreadableNotebook):
        return []

"""Make the feedback notebook: the learner's cells, and its verdict in each check."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.author.lesson import Lesson, LessonError
from grader.comparison.present import STYLE
from grader.execution.cell_facts import facts, is_stub
from grader.execution.notebook import Cell, cells_of
from grader.execution.submission import Template, answers_in
from grader.instructor.harmless import harmless_markdown, harmless_outputs, harmless_text

RawCell = dict[str, Any]


@dataclass(frozen=True)
class Released:
    """A lesson's notebook as learners get it, with nbgrader's metadata.

    Attributes:
        cells: by id, in order.
        metadata: of the notebook.
    """

    cells: dict[str, RawCell]
    metadata: dict[str, Any]

    def text(self, cell_id: str) -> str:
        """A cell's source."""
        return "".join(self.cells[cell_id]["source"])


def released(root: Path, lesson: Lesson) -> Released:
    """What `make course` made of a lesson.

    Raises:
        LessonError: it has not been made, or of other exercises.
    """
    try:
        notebook = json.loads(
            (root / "course" / lesson.name / f"{lesson.name}.ipynb").read_text(encoding="utf-8")
        )
    except (OSError, ValueError):
        raise LessonError(
            f"course/{lesson.name}/{lesson.name}.ipynb is missing or damaged; run make course"
        ) from None
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    if other := {f"check-{name}" for name in lesson.exercises} ^ {
        cell_id for cell_id in cells if cell_id.startswith("check-")
    }:
        names = ", ".join(sorted(cell_id.removeprefix("check-") for cell_id in other))
        raise LessonError(
            f"course/{lesson.name} and solutions/{lesson.name} don't have the same exercises ({names}); run make course"
        )
    return Released(cells, notebook["metadata"])


def marked(
    known: Template, lesson: Released, loaded: list[RawCell], result: dict[str, Any]
) -> dict[str, Any]:
    """The marked notebook: nothing in it can run a script on the page that shows it.

    Args:
        known: how the lesson's notebook looks.
        lesson: the notebook that learners get.
        loaded: the submission's cells, see `grader.execution.notebook.load_notebook`.
        result: what it got, see `grader.instructor.workers.Result`.
    """
    submitted = cells_of(loaded)
    places = _places(known, lesson, submitted)
    cells = []
    for number, (cell, raw) in enumerate(zip(submitted, loaded, strict=True)):
        if place := places.get(number):
            cells.append(_in_its_place(lesson, place, cell, raw, result))
        else:
            cells.append(_own(f"own-{number + 1}", lesson, cell, raw))
        if (
            number in places
            and places[number] in known.exercises
            and (check := f"check-{places[number]}") not in places.values()
        ):
            cells.append(_in_its_place(lesson, check, cell, raw, result))
    there = {cell["id"] for cell in cells}
    cells += [
        _in_its_place(lesson, f"check-{name}", None, {}, result)
        for name in known.exercises
        if f"check-{name}" not in there
    ]
    if result["repaired"]:
        cells.insert(0, _note(result["repaired"]))
    return {"cells": cells, "metadata": lesson.metadata, "nbformat": 4, "nbformat_minor": 5}


def has_verdicts(path: Path) -> bool:
    """Whether the notebook at `path` is a marked one: every graded cell shows its points."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        graded = [cell for cell in cells if cell["metadata"].get("nbgrader", {}).get("grade")]
        return bool(graded) and all(
            any(output["output_type"] == "execute_result" for output in cell["outputs"])
            for cell in graded
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def unanswered(known: Template, lesson: Released, loaded: list[RawCell]) -> set[str]:
    """The exercises in whose cell a learner has changed nothing, or which have no cell any more."""
    submitted = cells_of(loaded)
    places = {
        place: submitted[number].source
        for number, place in _places(known, lesson, submitted).items()
    }
    return {
        name
        for name in known.exercises
        if places.get(name, lesson.text(name).strip()) == lesson.text(name).strip()
    }


def _places(known: Template, lesson: Released, submitted: list[Cell]) -> dict[int, str]:
    """By number of a submitted cell, the id of the lesson's cell whose place it takes; each place is taken once."""
    by_text = {lesson.text(cell_id).strip(): cell_id for cell_id in reversed(lesson.cells)}
    answered = {
        name: number
        for name in known.exercises
        if (number := answer_number(known, submitted, name)) is not None
    }
    places = {number: name for name, number in reversed(answered.items())}
    for number, cell in enumerate(submitted):
        name = facts(cell.source).checked if cell.type == "code" else None
        place = (
            f"check-{name}"
            if name in known.exercises
            else cell.id
            if cell.id in lesson.cells
            else by_text.get(cell.source, "")
        )
        free = (
            place in lesson.cells and place not in known.exercises and place not in places.values()
        )
        if (
            number not in places
            and free
            and (cell.type == "code") == (lesson.cells[place]["cell_type"] == "code")
        ):
            places[number] = place
    return places


def answer_number(known: Template, submitted: list[Cell], name: str) -> int | None:
    """The number of the cell that counts as an exercise's answer: the last finished one, else the last, else the one in its place."""
    defining = [number for number, cell in enumerate(submitted) if name in answers_in(known, cell)]
    finished = [number for number in defining if not is_stub(submitted[number].source, name)]
    in_place = [number for number, cell in enumerate(submitted) if cell.id == name]
    return next(iter(finished[-1:] + defining[-1:] + in_place[:1]), None)


def _in_its_place(
    lesson: Released, place: str, cell: Cell | None, raw: RawCell, result: dict[str, Any]
) -> RawCell:
    known = lesson.cells[place]
    metadata = (
        {"nbgrader": known["metadata"]["nbgrader"]} if "nbgrader" in known["metadata"] else {}
    )
    if known["cell_type"] != "code":
        text = lesson.text(place)
        same = cell is None or cell.source == text.strip()
        return {
            "cell_type": "markdown",
            "id": place,
            "metadata": metadata,
            "source": text if same or cell is None else harmless_markdown(cell.source),
        }
    open_to_learner = metadata.get("nbgrader", {}).get("solution")
    source = harmless_text(cell.source) if open_to_learner and cell else lesson.text(place)
    verdict = (
        result["exercises"].get(place.removeprefix("check-"))
        if place.startswith("check-")
        else None
    )
    outputs = (
        [_verdict(verdict)]
        if verdict
        else harmless_outputs(raw.get("outputs"))
        if open_to_learner
        else []
    )
    return _code(place, source, outputs, metadata)


def _own(cell_id: str, lesson: Released, cell: Cell, raw: RawCell) -> RawCell:
    """A cell that the lesson doesn't have."""
    if cell.type == "code":
        return _code(cell_id, harmless_text(cell.source), harmless_outputs(raw.get("outputs")), {})
    return {
        "cell_type": "markdown",
        "id": cell_id,
        "metadata": {},
        "source": harmless_markdown(cell.source),
    }


def _code(
    cell_id: str, source: str, outputs: list[dict[str, Any]], metadata: dict[str, Any]
) -> RawCell:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": cell_id,
        "metadata": metadata,
        "outputs": outputs,
        "source": source,
    }


def _verdict(verdict: dict[str, Any]) -> dict[str, Any]:
    """What a check cell shows; nbgrader reads the points from its text, and MathJax no formula in what a learner's code says."""
    data = {
        "text/html": f'{STYLE}<div class="tex2jax_ignore">{verdict["html"]}</div>',
        "text/plain": repr(verdict["points"]),
    }
    return {"output_type": "execute_result", "execution_count": None, "data": data, "metadata": {}}


def _note(repaired: list[str]) -> RawCell:
    items = "\n".join(f"- {sentence}" for sentence in repaired)
    return {
        "cell_type": "markdown",
        "id": "repaired",
        "metadata": {},
        "source": harmless_markdown(f"Repaired before grading:\n\n{items}"),
    }

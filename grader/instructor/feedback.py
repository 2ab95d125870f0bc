"""Make the feedback notebook: the learner's cells, and a verdict in each check.

nbgrader renders it as a page that an instructor and a learner open, so nothing of a submission
reaches it as HTML, markdown or script: texts are shown as text, of outputs only text and pictures
are left, and the metadata are the lesson's.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from sys import getsizeof
from typing import Any, TypedDict

from grader.author.lesson import Lesson, LessonError
from grader.comparison.present import missed_for_sure
from grader.comparison.vocabulary import in_words
from grader.execution.limits import OUTSIDE
from grader.execution.notebook import Cell, cells_of, load_notebook, text_in
from grader.execution.submission import Selection, Template, answers_in, select
from grader.files import parsed
from grader.instructor.journal import Grading
from grader.instructor.run import ExerciseResult, Result, result_html, template, verdict_of
from grader.instructor.run_id import digest_of
from grader.processes import Guard

MAX_TEXT = 20_000  # characters of a cell or an output
MAX_IMAGE = 2_000_000  # characters of a picture, as base64
MAX_OUTPUTS = 20  # of a cell
MAX_OUTPUT = 5_000_000  # bytes in memory of all outputs; those of further cells are left out

PICTURES = ("image/png", "image/jpeg")

LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\ud800-\udfff]")

Json = dict[str, Any]


class BuiltNotebook(TypedDict):
    """A notebook of `make course`."""

    cells: list[Json]
    metadata: Json


class Summary(TypedDict):
    """The top of a page of feedback; times are in UTC, and empty where they are unknown."""

    title: str
    submitted: str
    graded: str
    seed: int
    version: str
    exercises: dict[str, ExerciseSummary]


class ExerciseSummary(TypedDict):
    """A verdict in words."""

    mark: str
    missed: list[str]
    advice: str


@dataclass(frozen=True)
class ReleasedLesson:
    """A lesson's notebook for learners, with nbgrader's metadata; its cells by id, in order."""

    title: str
    folder: Path
    template: Template
    cells: dict[str, Json]
    metadata: Json

    def text(self, cell_id: str) -> str:
        """Return a cell's source."""
        return "".join(self.cells[cell_id]["source"])


@dataclass(frozen=True)
class LoadedNotebook:
    """A submitted notebook: the cells to run, and those of its feedback, still without verdicts.

    `unanswered` holds the exercises whose cell is unchanged or gone.
    """

    digest: str
    chosen: Selection
    cells: list[Json]
    unanswered: frozenset[str]


def released(lesson: Lesson) -> ReleasedLesson:
    """Read the notebook that `make course` built of a lesson.

    Raises:
        LessonError: there is none, or it has other exercises.
    """
    settings, path = lesson.settings, lesson.release / f"{lesson.name}.ipynb"
    release, source = f"{settings.release}/{lesson.name}", f"{settings.sources}/{lesson.name}"
    try:
        notebook = parsed(path.read_bytes(), BuiltNotebook)
        cells = {cell["id"]: cell for cell in notebook["cells"]}
    except (OSError, ValueError, KeyError):
        raise LessonError(f"{release}/{path.name} is missing or damaged; run make course") from None
    checked = {name.removeprefix("check-") for name in cells if name.startswith("check-")}
    if other := lesson.exercises.keys() ^ checked:
        names = ", ".join(sorted(other))
        raise LessonError(f"{release} and {source} differ in exercises ({names}); run make course")
    metadata = notebook["metadata"]
    return ReleasedLesson(lesson.title, path.parent, template(lesson), cells, metadata)


def load_submitted(release: ReleasedLesson, data: bytes) -> LoadedNotebook:
    """Read a submitted notebook.

    Raises:
        UnreadableNotebook: it is no notebook.
    """
    raw = load_notebook(data)
    cells = cells_of(raw)
    places = _places(release, cells)
    chosen = select(release.template, cells)
    sources = {place: cells[number].source for number, place in places.items()}
    stubs = {name: release.text(name).strip() for name in release.template.exercises}
    unanswered = frozenset(name for name, stub in stubs.items() if sources.get(name, stub) == stub)
    return LoadedNotebook(
        digest_of(data), chosen, _feedback_cells(release, cells, raw, places), unanswered
    )


def reader_of(release: ReleasedLesson) -> Guard[LoadedNotebook]:
    """Return a reader of submitted notebooks of a lesson, in a process that may be ended."""
    return Guard(partial(load_submitted, release), OUTSIDE.memory_bytes)


def feedback_notebook(
    release: ReleasedLesson,
    loaded: LoadedNotebook,
    result: Result,
    grading: Grading,
    submitted: datetime | None,
) -> Json:
    """Return the feedback notebook of a submission; nothing in it can run a script."""
    verdicts = {f"check-{name}": [_verdict(name, one)] for name, one in result["exercises"].items()}
    cells = [
        {**cell, "outputs": verdicts[cell["id"]]} if cell["id"] in verdicts else cell
        for cell in loaded.cells
    ]
    if result["repaired"]:
        text = as_text("\n".join(result["repaired"]), "Repaired before grading")
        cells.insert(0, _markdown("repaired", text))
    graded = datetime.fromtimestamp(grading.at, UTC) if grading.at else None
    summary: Summary = {
        "title": release.title,
        "submitted": f"{submitted:%Y-%m-%d %H:%M} UTC" if submitted else "",
        "graded": f"{graded:%Y-%m-%d %H:%M} UTC" if graded else "",
        "seed": grading.run_id.seed,
        "version": grading.run_id.lesson_version[:8],
        "exercises": {name: _summary(name, one) for name, one in result["exercises"].items()},
    }
    metadata = {**release.metadata, "feedback": summary}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _feedback_cells(
    release: ReleasedLesson, submitted: list[Cell], raws: list[Json], places: dict[int, str]
) -> list[Json]:
    """Return the cells of a feedback notebook without verdicts, with a check of each exercise."""
    cells: list[Json] = []
    exercises, placed = release.template.exercises, {*places.values()}
    for number, (cell, raw) in enumerate(zip(submitted, raws, strict=True)):
        place = places.get(number)
        if place:
            cells.append(_lesson_cell(release, place, cell, raw))
        elif cell.type == "code":
            outputs = safe_outputs(raw.get("outputs"))
            cells.append(_code(f"own-{number + 1}", printable(cell.source), outputs, {}))
        else:
            cells.append(_markdown(f"own-{number + 1}", as_text(cell.source)))
        if place in exercises and f"check-{place}" not in placed:
            cells.append(_lesson_cell(release, f"check-{place}"))
    there = {cell["id"] for cell in cells}
    checks = [f"check-{name}" for name in exercises]
    return _cut(cells) + [_lesson_cell(release, one) for one in checks if one not in there]


def _cut(cells: list[Json]) -> list[Json]:
    """Leave out the outputs of cells beyond `MAX_OUTPUT`: many notebooks are in memory at once."""
    left, note = MAX_OUTPUT, f"not shown, after {MAX_OUTPUT / 1e6:g} MB of outputs"
    for cell in cells:
        for output in cell.get("outputs", []):
            left -= sum(map(getsizeof, (output.get("text", ""), *output.get("data", {}).values())))
        if left < 0 and cell.get("outputs"):
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": note}]
    return cells


def has_verdicts(path: Path) -> bool:
    """Return whether the file is a feedback notebook: each graded cell shows its points."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        graded = [cell for cell in cells if cell["metadata"].get("nbgrader", {}).get("grade")]
        return bool(graded) and all(
            any(output["output_type"] == "execute_result" for output in cell["outputs"])
            for cell in graded
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def answer_number(known: Template, submitted: list[Cell], name: str) -> int | None:
    """Return the number of the cell that counts as an exercise's answer.

    It is the last finished definition, else the last one, else the cell with the exercise's id.
    """
    defining = [number for number, cell in enumerate(submitted) if name in answers_in(known, cell)]
    finished = [number for number in defining if name not in submitted[number].facts.stubs]
    in_place = [number for number, cell in enumerate(submitted) if cell.id == name]
    return next(iter(finished[-1:] + defining[-1:] + in_place[:1]), None)


def as_text(text: str, title: str = "Shown as plain text") -> str:
    """Return markdown that shows a text as it is: a code block, in which nothing is special."""
    lines = printable(text).split("\n")
    return f"{title}:\n\n" + "\n".join(f"    {line}" for line in lines)


def printable(text: str) -> str:
    """Return a text without control characters, cut to a readable length."""
    text = CONTROLS.sub("�", LINE_ENDS.sub("\n", text))
    cut = f"\n… cut after {MAX_TEXT:,} characters" if len(text) > MAX_TEXT else ""
    return text[:MAX_TEXT] + cut


def safe_outputs(outputs: Any) -> list[Json]:
    """Return the text and pictures of a cell's outputs, without HTML, SVG, scripts and widgets."""
    if not isinstance(outputs, list):
        return []
    shown = [_output(one) for one in outputs[:MAX_OUTPUTS] if isinstance(one, dict)]
    return [output for output in shown if output]


def _places(release: ReleasedLesson, submitted: list[Cell]) -> dict[int, str]:
    """Find the lesson's cell that each submitted cell replaces; no cell is replaced twice."""
    exercises = release.template.exercises
    by_text = {release.text(cell_id).strip(): cell_id for cell_id in reversed(release.cells)}
    places: dict[int, str] = {}
    for name in exercises:
        number = answer_number(release.template, submitted, name)
        if number is not None:
            places.setdefault(number, name)
    for number, cell in enumerate(submitted):
        if number in places:
            continue
        is_code = cell.type == "code"
        checked = cell.facts.checked if is_code else None
        if checked in exercises:
            place = f"check-{checked}"
        else:
            place = cell.id if cell.id in release.cells else by_text.get(cell.source, "")
        free = place in release.cells and place not in (*exercises, *places.values())
        if free and is_code == (release.cells[place]["cell_type"] == "code"):
            places[number] = place
    return places


def _lesson_cell(
    release: ReleasedLesson, cell_id: str, cell: Cell | None = None, raw: Json | None = None
) -> Json:
    """Return a cell of the lesson, with the learner's `cell` in it where learners may write."""
    known, text = release.cells[cell_id], release.text(cell_id)
    nbgrader = known["metadata"].get("nbgrader")
    metadata = {"nbgrader": nbgrader} if nbgrader else {}
    if known["cell_type"] != "code":
        changed = cell is not None and cell.source != text.strip()
        return _markdown(cell_id, as_text(cell.source) if cell and changed else text, metadata)
    if nbgrader and nbgrader.get("solution") and cell and raw:
        return _code(cell_id, printable(cell.source), safe_outputs(raw.get("outputs")), metadata)
    return _code(cell_id, text, [], metadata)


def _markdown(cell_id: str, text: str, metadata: Json | None = None) -> Json:
    return {"cell_type": "markdown", "id": cell_id, "metadata": metadata or {}, "source": text}


def _code(cell_id: str, text: str, outputs: list[Json], metadata: Json) -> Json:
    cell = {"cell_type": "code", "id": cell_id, "metadata": metadata, "source": text}
    return {**cell, "execution_count": None, "outputs": outputs}


def _summary(name: str, result: ExerciseResult) -> ExerciseSummary:
    one = verdict_of(name, result)
    missed = [*map(in_words, missed_for_sure(one))]
    return {"mark": one.state.mark, "missed": missed, "advice": one.note or one.advice or ""}


def _verdict(name: str, verdict: ExerciseResult) -> Json:
    """Return a check's output: nbgrader reads its text as points, MathJax leaves its HTML alone."""
    data = {
        "text/html": f'<div class="tex2jax_ignore">{result_html(name, verdict)}</div>',
        "text/plain": repr(verdict["points"]),
    }
    return {"output_type": "execute_result", "execution_count": None, "data": data, "metadata": {}}


def _output(output: Json) -> Json | None:
    match output.get("output_type"):
        case "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            return {"output_type": "stream", "name": name, "text": _text(output.get("text"))}
        case "error":
            text = _text(output.get("traceback"), "\n")
            text = text or f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
            return {"output_type": "stream", "name": "stdout", "text": text}
        case "execute_result" | "display_data":
            data = output.get("data")
            shown = _data(data) if isinstance(data, dict) else {}
            return {"output_type": "display_data", "data": shown, "metadata": {}} if shown else None
    return None


def _data(data: Json) -> dict[str, str]:
    shown = {kind: picture for kind in PICTURES if (picture := _picture(data.get(kind)))}
    return shown | ({"text/plain": _text(data["text/plain"])} if "text/plain" in data else {})


def _picture(data: Any) -> str | None:
    text = "".join(text_in(data).split())
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return text if 0 < len(text) <= MAX_IMAGE else None


def _text(data: Any, between: str = "") -> str:
    return printable(text_in(data, between))

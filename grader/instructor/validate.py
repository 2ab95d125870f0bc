"""Run a notebook under nbval against the reference's outputs and explain the differences.

This module is also a pytest plugin (`-p grader.instructor.validate`): the pytest run that it starts
reports through it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import nbformat

from grader.author.build import stamped
from grader.author.lesson import (
    Lesson,
    LessonError,
    authors_root,
    cell_ids,
    lessons_in,
    load_lesson,
    named_lessons,
    role,
)
from grader.errors import UserError
from grader.execution.notebook import Cell, UnreadableNotebook, read_notebook
from grader.instructor.feedback import Json
from grader.instructor.grade import find_lesson
from grader.learner.export import WIDGET
from grader.settings import load_settings

SANITIZE = Path(__file__).parent / "nbval.cfg"
"""Parts of outputs that nbval does not compare: pixels of pictures, and a learner's progress."""

REPORT = "GRADER_NBVAL_REPORT"
"""Environment variable with the file to which the plugin writes a line per failed cell."""


class _Failure(TypedDict):
    """A cell that failed under nbval."""

    id: str
    outputs: list[Json]
    error: str


def validate(lesson: Lesson, notebook: bytes) -> list[str]:
    """Return one sentence for each cell whose output differs from the reference's.

    Raises:
        UnreadableNotebook: it is no notebook.
        LessonError: the lesson has not been built.
    """
    submitted = read_notebook(notebook)
    reference = _reference(lesson)
    with tempfile.TemporaryDirectory(prefix="nbval-") as folder:
        for path in lesson.folder.iterdir():
            other = path.suffix in (".ipynb", ".md", ".py") or path.name == "progress.json"
            if path.is_file() and not other:
                shutil.copyfile(path, Path(folder) / path.name)
        merged, missing = _merged(lesson, submitted, reference)
        place = Path(folder) / f"{lesson.name}.ipynb"
        place.write_text(nbformat.writes(merged), encoding="utf-8")  # type: ignore[no-untyped-call]
        failures = _run_nbval(place)
    gone = [f"The cell {cell_id} of the lesson is missing." for cell_id in missing]
    return [*gone, *_sentences(merged, failures)]


def pytest_runtest_makereport(item: Any, call: Any) -> None:
    """Report a failed cell (pytest's hook)."""
    path = os.environ.get(REPORT)
    if call.when != "call" or call.excinfo is None or not path or not hasattr(item, "cell"):
        return
    failure: _Failure = {
        "id": item.cell.id,
        "outputs": [dict(output) for output in getattr(item, "test_outputs", None) or []],
        "error": str(call.excinfo.value)[:2000],
    }
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(failure) + "\n")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `validate`."""
    does = "run a notebook under nbval and list the cells that differ from the reference"
    parser = subparsers.add_parser(
        "validate",
        help=does,
        description=f"{does.capitalize()}. "
        "Its cells run as you, outside the sandbox: for your own notebooks.",
    )
    parser.add_argument(
        "notebook", metavar="NOTEBOOK", help="a notebook of this course, or a lesson's name"
    )
    parser.add_argument("--lesson", help="its lesson (default: found by name and content)")
    parser.add_argument(
        "--unsafe",
        action="store_true",
        help="run a notebook from elsewhere too: its cells can do anything that you can",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    notebook = _path(root, arguments.notebook)
    settings = load_settings(root)
    trusted = [root.resolve() / name for name in (settings.release, settings.sources)]
    if not arguments.unsafe and not any(map(notebook.resolve().is_relative_to, trusted)):
        raise UserError(
            f"{notebook} lies outside {settings.release}/ and {settings.sources}/, and validating "
            "runs its cells as you, outside the sandbox. Judge it in the sandbox with grader grade,"
            " or add --unsafe if you have read it and trust it."
        )
    try:
        data = notebook.read_bytes()
        folder = (
            named_lessons(root, [arguments.lesson])[0]
            if arguments.lesson
            else find_lesson(root, notebook.stem, data)
        )
        found = validate(load_lesson(folder), data)
    except UnreadableNotebook as error:
        raise UserError(f"{notebook} can't be validated: {error.told()}.") from None
    print(*found or [f"{notebook}: all outputs equal the reference's."], sep="\n")
    return int(bool(found))


def _path(root: Path, wanted: str) -> Path:
    """Return the notebook of this name, or the executed reference of the lesson of this name.

    Raises:
        UserError: there is neither.
    """
    lessons = {folder.name: folder / f"{folder.name}.ipynb" for folder in lessons_in(root)}
    path = Path(wanted)
    if not path.is_file() and not (path := lessons.get(wanted, path)).is_file():
        raise UserError(
            f"There is no notebook {path}. Name one, or a lesson: {', '.join(lessons)}."
        )
    return path


def _reference(lesson: Lesson) -> dict[str, Json]:
    """Return the executed cells of the reference by id."""
    path = lesson.folder / f"{lesson.name}.ipynb"
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except OSError:
        place = path.relative_to(path.parents[2])
        raise LessonError(f"{place} is missing; run make course") from None
    return {cell["id"]: cell for cell in cells}


def _merged(
    lesson: Lesson, submitted: list[Cell], reference: dict[str, Json]
) -> tuple[nbformat.NotebookNode, list[str]]:
    """Return the learner's cells with the reference's outputs, and the ids of missing cells."""
    notebook = stamped(lesson)
    wanted = [
        cell_id
        for cell_id, cell in zip(cell_ids(lesson), lesson.notebook.cells, strict=True)
        if role(cell)[0] != "text"
    ]
    by_text = {
        "".join(cell["source"]).strip(): cell_id
        for cell_id, cell in reference.items()
        if cell["cell_type"] == "code"
    }
    cells, there = [], set()
    for number, cell in enumerate(cell for cell in submitted if cell.type == "code"):
        cell_id = cell.id if cell.id in wanted else by_text.get(cell.source, "")
        known = cell_id in wanted and cell_id not in there
        there.add(cell_id)
        new = nbformat.v4.new_code_cell(  # type: ignore[no-untyped-call]
            cell.source, id=cell_id if known else f"extra-{number}", execution_count=number + 1
        )
        new["outputs"] = nbformat.from_dict(reference[cell_id]["outputs"]) if known else []  # type: ignore[no-untyped-call]
        new.metadata["tags"] = [] if known else ["nbval-ignore-output"]
        cells.append(new)
    notebook["cells"] = cells
    return notebook, [cell_id for cell_id in wanted if cell_id not in there]


def _run_nbval(notebook: Path) -> list[_Failure]:
    """Run nbval and return the cells that failed."""
    report = notebook.with_suffix(".jsonl")
    command = [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-cell-timeout=120"]
    command += [f"--nbval-sanitize-with={SANITIZE}", "-p", __name__, "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, f"--rootdir={notebook.parent}", str(notebook)],
        env={**os.environ, REPORT: str(report)},
        cwd=notebook.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
    if done.returncode not in (0, 1) or (done.returncode and not lines):
        raise LessonError(
            f"nbval could not run the notebook:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return [json.loads(line) for line in lines]


def _sentences(notebook: nbformat.NotebookNode, failures: list[_Failure]) -> Iterator[str]:
    """Yield a sentence for each failed cell."""
    expected = {cell.id: cell.outputs for cell in notebook.cells}
    numbers = {cell.id: number for number, cell in enumerate(notebook.cells, 1)}
    for failure in failures:
        cell_id, outputs = failure["id"], failure["outputs"]
        name = _name(cell_id, numbers[cell_id])
        errors = [output for output in outputs if output.get("output_type") == "error"]
        if errors:
            yield f"{name} stops with {errors[0]['ename']}: {errors[0]['evalue']}"
        elif outputs or expected[cell_id]:
            yours, theirs = _excerpts(_text(outputs), _text(expected[cell_id]))
            yield f"{name} gives {yours}; the reference gives {theirs}."
        else:
            yield f"{name} fails: {failure['error']}"


def _name(cell_id: str, number: int) -> str:
    if cell_id.startswith("check-"):
        return f"Code cell {number}, the check of {cell_id.removeprefix('check-')},"
    if cell_id.startswith("extra-"):
        return f"Code cell {number}, your own,"
    return f"Code cell {number} ({cell_id})"


def _text(outputs: list[Json]) -> str:
    """Return the text of some outputs, on one line."""
    texts = [
        "".join(output.get("text") or output.get("data", {}).get("text/plain", ""))
        for output in outputs
        if WIDGET not in output.get("data", {})
    ]
    return re.sub(r"\s+", " ", " ".join(texts)).strip()


def _excerpts(one: str, other: str) -> tuple[str, str]:
    """Quote two texts, from a little before the place where they differ."""
    pairs = enumerate(zip(one, other, strict=False))
    same = next((number for number, (a, b) in pairs if a != b), 0)
    start = one.rfind(" ", 0, same) + 1 if same > 60 else 0
    return _quoted(one, start), _quoted(other, start)


def _quoted(text: str, start: int) -> str:
    if not text:
        return "nothing"
    part = text[start : start + 160]
    return f'"{"… " * bool(start)}{part}{" …" * (len(text) > start + 160)}"'

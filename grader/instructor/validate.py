"""Run a notebook under nbval against the reference's outputs and explain the differences.

Also a small pytest plugin (`-p grader.instructor.validate`), through which the run that it starts reports back.
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
from typing import Any

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
from grader.instructor.grade import find_lesson
from grader.learner.export import WIDGET

SANITIZE = Path(__file__).parent / "nbval.cfg"
"""What nbval leaves out of a comparison: the pixels of pictures, and how far a learner has come."""

REPORT = "GRADER_NBVAL_REPORT"
"""Environment variable with the file to which the plugin writes a line for each cell that failed."""


def validate(lesson: Lesson, notebook: bytes) -> list[str]:
    """What a notebook's cells do otherwise than the reference's, one sentence each; none where all is the same.

    Raises:
        UnreadableNotebook: it is no notebook.
        LessonError: the lesson has not been built yet.
    """
    submitted = read_notebook(notebook)
    reference = _reference(lesson)
    with tempfile.TemporaryDirectory(prefix="nbval-") as folder:
        place = Path(folder) / f"{lesson.name}.ipynb"
        for path in lesson.folder.iterdir():
            if (
                path.suffix not in (".ipynb", ".md", ".py")
                and path.is_file()
                and path.name != "progress.json"
            ):
                shutil.copyfile(path, Path(folder) / path.name)
        merged, missing = _merged(lesson, submitted, reference)
        place.write_text(nbformat.writes(merged), encoding="utf-8")  # type: ignore[no-untyped-call]
        failures = _run_nbval(place)
    return [f"The cell {cell_id} of the lesson is missing." for cell_id in missing] + list(
        _sentences(merged, failures)
    )


def pytest_runtest_makereport(item: Any, call: Any) -> None:
    """pytest's hook: note what a failed cell gave."""
    if (
        call.when != "call"
        or call.excinfo is None
        or not (path := os.environ.get(REPORT))
        or not hasattr(item, "cell")
    ):
        return
    outputs = [dict(output) for output in getattr(item, "test_outputs", None) or []]
    with open(path, "a", encoding="utf-8") as file:
        file.write(
            json.dumps(
                {"id": item.cell.id, "outputs": outputs, "error": str(call.excinfo.value)[:2000]}
            )
            + "\n"
        )


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `validate`."""
    what = "run a notebook under nbval and say which cells differ from the reference"
    parser = subparsers.add_parser(
        "validate",
        help=what,
        description=f"{what.capitalize()}. Its cells run as you, outside the sandbox: for your own notebooks.",
    )
    parser.add_argument(
        "notebook",
        metavar="NOTEBOOK",
        help="a notebook in course/ or solutions/, or a lesson's name for its reference",
    )
    parser.add_argument(
        "--lesson",
        help="which lesson it belongs to; found by name and content where it is not given",
    )
    parser.add_argument(
        "--unsafe",
        action="store_true",
        help="run a notebook from elsewhere too: its cells can do whatever you can",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    notebook = _meant(root, arguments.notebook)
    if not arguments.unsafe and not any(
        notebook.resolve().is_relative_to(root.resolve() / room) for room in ("course", "solutions")
    ):
        raise UserError(
            f"{notebook} lies outside course/ and solutions/, and validating runs its cells as you, outside the sandbox;"
            " grader grade judges it in the sandbox, and --unsafe validates what you have read and trust."
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
        raise UserError(f"{notebook} is not validated: {error.told()}.") from None
    print(*found or [f"{notebook}: every cell gives what the reference gives."], sep="\n")
    return int(bool(found))


def _meant(root: Path, wanted: str) -> Path:
    """The notebook of this name, or the executed reference of the lesson of this name.

    Raises:
        UserError: there is neither.
    """
    lessons = {folder.name: folder / f"{folder.name}.ipynb" for folder in lessons_in(root)}
    path = Path(wanted)
    if not path.is_file() and not (path := lessons.get(wanted, path)).is_file():
        raise UserError(
            f"There is no notebook {path}; name one, or a lesson: {', '.join(lessons)}."
        )
    return path


def _reference(lesson: Lesson) -> dict[str, Any]:
    """The executed cells of the reference by id."""
    try:
        cells = json.loads((lesson.folder / f"{lesson.name}.ipynb").read_text(encoding="utf-8"))[
            "cells"
        ]
    except OSError:
        raise LessonError(
            f"solutions/{lesson.name}/{lesson.name}.ipynb is missing; run make course"
        ) from None
    return {cell["id"]: cell for cell in cells}


def _merged(
    lesson: Lesson, submitted: list[Cell], reference: dict[str, Any]
) -> tuple[nbformat.NotebookNode, list[str]]:
    """The learner's cells with the outputs that the reference has in their places, and the ids of cells that are not there."""
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
        new = nbformat.v4.new_code_cell(
            cell.source, id=cell_id if known else f"extra-{number}", execution_count=number + 1
        )  # type: ignore[no-untyped-call]
        new["outputs"] = nbformat.from_dict(reference[cell_id]["outputs"]) if known else []  # type: ignore[no-untyped-call]
        new.metadata["tags"] = [] if known else ["nbval-ignore-output"]
        cells.append(new)
    notebook["cells"] = cells
    return notebook, [cell_id for cell_id in wanted if cell_id not in there]


def _run_nbval(notebook: Path) -> list[dict[str, Any]]:
    """What the plugin reported of a run: a dict for each cell that failed."""
    report = notebook.with_suffix(".jsonl")
    options = [
        "-q",
        "--nbval",
        f"--nbval-sanitize-with={SANITIZE}",
        "-p",
        "grader.instructor.validate",
        "-p",
        "no:cacheprovider",
        f"--rootdir={notebook.parent}",
    ]
    command = [sys.executable, "-m", "pytest", *options, "--nbval-cell-timeout=120", str(notebook)]
    done = subprocess.run(
        command,
        env={**os.environ, REPORT: str(report)},
        cwd=notebook.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    failures = (
        [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
        if report.exists()
        else []
    )
    if done.returncode not in (0, 1) or (done.returncode and not failures):
        raise LessonError(
            f"nbval could not run the notebook:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return failures


def _sentences(notebook: nbformat.NotebookNode, failures: list[dict[str, Any]]) -> Iterator[str]:
    expected = {cell.id: cell.outputs for cell in notebook.cells}
    numbers = {cell.id: number for number, cell in enumerate(notebook.cells, 1)}
    for failure in failures:
        name = _name(failure["id"], numbers[failure["id"]])
        if stopped := next(
            (output for output in failure["outputs"] if output.get("output_type") == "error"), None
        ):
            yield f"{name} stops with {stopped['ename']}: {stopped['evalue']}"
        elif failure["outputs"] or expected[failure["id"]]:
            yours, theirs = _from_where_they_differ(
                _said(failure["outputs"]), _said(expected[failure["id"]])
            )
            yield f"{name} gives {yours}; the reference gives {theirs}."
        else:
            yield f"{name} fails: {failure['error']}"


def _name(cell_id: str, number: int) -> str:
    if cell_id.startswith("check-"):
        return f"Code cell {number}, the check of {cell_id.removeprefix('check-')},"
    return (
        f"Code cell {number}, your own,"
        if cell_id.startswith("extra-")
        else f"Code cell {number} ({cell_id})"
    )


def _said(outputs: list[Any]) -> str:
    """The text of some outputs, in one line."""
    texts = [
        "".join(output.get("text") or output.get("data", {}).get("text/plain", ""))
        for output in outputs
        if WIDGET not in output.get("data", {})
    ]
    return re.sub(r"\s+", " ", " ".join(texts)).strip()


def _from_where_they_differ(one: str, other: str) -> tuple[str, str]:
    """Two texts, quoted and cut to what is worth reading."""
    same = next(
        (i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0
    )
    start = one.rfind(" ", 0, same) + 1 if same > 60 else 0
    return _quoted(one, start), _quoted(other, start)


def _quoted(text: str, start: int) -> str:
    part = text[start : start + 160]
    return f'"{"… " * bool(start)}{part}{" …" * (len(text) > start + 160)}"' if text else "nothing"

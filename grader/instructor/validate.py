"""`grader validate`: run a notebook under nbval against the reference's outputs."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

from grader.author.lesson import Lesson, LessonError, authors_root, lessons_in, load_lesson
from grader.errors import UserError
from grader.execution.notebook import UnreadableNotebook, read_notebook
from grader.instructor.grade import find_lesson
from grader.settings import load_settings

SANITIZE = Path(__file__).parent / "nbval.cfg"
"""Parts of outputs that nbval does not compare: pixels of pictures, and a learner's progress."""


def validate(lesson: Lesson, notebook: bytes) -> bool:
    """Print nbval's report; return whether all outputs equal the reference's.

    Raises:
        UnreadableNotebook: it is no notebook.
        LessonError: the lesson has not been built.
    """
    merged, missing = _merged(lesson, notebook)
    command = [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-cell-timeout=120"]
    command += [f"--nbval-sanitize-with={SANITIZE}", "-p", "no:cacheprovider"]
    authors = shutil.ignore_patterns("*.ipynb", "*.md", "*.py", "progress.json")
    with tempfile.TemporaryDirectory(prefix="nbval-") as folder:
        shutil.copytree(lesson.folder, folder, ignore=authors, dirs_exist_ok=True)
        path = Path(folder, f"{lesson.name}.ipynb")
        path.write_text(nbformat.writes(merged), encoding="utf-8")  # type: ignore[no-untyped-call]
        command += [f"--rootdir={folder}", str(path)]
        failed = subprocess.run(command, cwd=folder, check=False).returncode
    for cell_id in missing:
        print(f"The cell {cell_id} of the lesson is missing.")
    return not failed and not missing


def _merged(lesson: Lesson, notebook: bytes) -> tuple[nbformat.NotebookNode, list[str]]:
    """Return the learner's cells with the reference's outputs, and the ids of missing cells."""
    path = lesson.folder / f"{lesson.name}.ipynb"
    try:
        merged = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(merged)
    except (OSError, ValueError, nbformat.ValidationError):
        place = path.relative_to(path.parents[2])
        raise LessonError(f"{place} is missing or damaged; run make course") from None
    left = {cell.id: cell for cell in merged.cells if cell.cell_type == "code"}
    by_text = {cell.source.strip(): cell_id for cell_id, cell in left.items()}
    cells = []
    for cell in read_notebook(notebook):
        if cell.type == "code":
            cell_id = cell.id if cell.id in left else by_text.get(cell.source, "")
            new = new_code_cell(cell.source, execution_count=1)  # type: ignore[no-untyped-call]
            if known := left.pop(cell_id, None):
                new.outputs = known.outputs
            else:
                new.metadata.tags = ["nbval-ignore-output"]
            cells.append(new)
    merged.cells = cells
    return merged, list(left)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `validate`."""
    does = "run a notebook under nbval and compare its outputs with the reference's"
    confined = "Its cells run as you, outside the sandbox: for your own notebooks."
    description = f"{does.capitalize()}. {confined}"
    parser = subparsers.add_parser("validate", help=does, description=description)
    parser.add_argument(
        "notebook", metavar="NOTEBOOK", help="a notebook of this course, or a lesson's name"
    )
    parser.add_argument("--unsafe", action="store_true", help="run a notebook from elsewhere too")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    lessons = {folder.name: folder / f"{folder.name}.ipynb" for folder in lessons_in(root)}
    notebook = Path(arguments.notebook)
    if not notebook.is_file() and not (notebook := lessons.get(str(notebook), notebook)).is_file():
        known = ", ".join(lessons)
        raise UserError(f"There is no notebook {notebook}. Name one, or a lesson: {known}.")
    settings = load_settings(root)
    trusted = [root.resolve() / name for name in (settings.release, settings.sources)]
    if not arguments.unsafe and not any(map(notebook.resolve().is_relative_to, trusted)):
        raise UserError(
            f"{notebook} lies outside {settings.release}/ and {settings.sources}/, and its cells "
            "would run as you, outside the sandbox. Use grader grade, or add --unsafe if you "
            "trust it."
        )
    try:
        data = notebook.read_bytes()
        lesson = load_lesson(find_lesson(root, notebook.stem, data))
        return int(not validate(lesson, data))
    except UnreadableNotebook as error:
        raise UserError(f"{notebook} can't be validated: {error.told()}.") from None

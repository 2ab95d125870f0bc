"""Build a lesson: the executed notebook, the answer key and the notebook that a learner opens."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode

from grader.author.drift import changed_files, differences
from grader.author.key import make_key
from grader.author.lesson import (
    Lesson,
    LessonError,
    authors_root,
    cell_ids,
    load_lesson,
    named_lessons,
    role,
)
from grader.comparison.answer_key import KEY_FILE
from grader.files import atomic_write
from grader.learner.export import WIDGET
from grader.learner.workspace import ORDER
from grader.processes import ONE_THREAD, process_pool
from grader.settings import Settings, load_settings

KEY_SEED = 1
"""Of the answer key that learners get. A grading run draws another seed."""

AUTHORS_FILES = ("*.md", "exercises.py", "__pycache__", ".ipynb_checkpoints", "progress.json")
CONFIG = "nbgrader_config.py"
TIMEOUT = 1200
"""Seconds that one cell of a lesson may take, also on a busy machine."""


def build(root: Path, lessons: Iterable[Path], into: Path) -> None:
    """Build lessons and pages of the course at `root`, laid out under `into` as under `root`.

    Raises:
        LessonError: an author's mistake, or a cell that fails.
    """
    settings = load_settings(root)
    sources, course = root / settings.sources, into / settings.release
    shutil.copyfile(root / CONFIG, into / CONFIG)
    for folder in settings.kept.values():
        (into / folder).mkdir(parents=True)
    with process_pool() as pool:
        list(pool.map(partial(build_lesson, into=into), lessons))
    course.mkdir(exist_ok=True)
    for page in sorted(sources.glob("*.md")):
        _build_page(page, settings, course)
    if (sources / ORDER).is_file():
        shutil.copyfile(sources / ORDER, course / ORDER)


def write_key(lesson: Lesson, folder: Path) -> None:
    """Write the answer key that learners get into a folder.

    Each case and each misconception has a line, so that a diff is short.
    """
    text = json.dumps(make_key(lesson, KEY_SEED), ensure_ascii=False, separators=(",", ":"))
    for start in ('{"property":', '{"hint":', '"exercises":', '"questions":', '"misconceptions":'):
        text = text.replace(start, f"\n{start}")
    (folder / KEY_FILE).write_text(text + "\n", encoding="utf-8")


def stamped(lesson: Lesson) -> NotebookNode:
    """Return the lesson as a notebook with lasting cell ids and nbgrader's metadata.

    Exercises and scripts are editable, checks graded, other code cells locked.
    """
    cells = []
    for source, cell_id in zip(lesson.notebook.cells, cell_ids(lesson), strict=True):
        cell, (kind, name) = source.copy(), role(source)
        cell["id"] = cell_id
        if kind not in ("text", "script"):
            points = {"points": lesson.exercises[name].points} if kind == "check" else {}
            cell.metadata["nbgrader"] = {
                "schema_version": 3,
                "grade_id": cell_id,
                "grade": kind == "check",
                "solution": kind == "exercise",
                "locked": kind != "exercise",
                "task": False,
                **points,
            }
        cells.append(cell)
    return notebook_of(cells)


def notebook_of(cells: list[NotebookNode]) -> NotebookNode:
    """Return a notebook of these cells, for an ordinary Python kernel."""
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook: NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata=metadata)  # type: ignore[no-untyped-call]
    return notebook


def build_lesson(source: Path, into: Path) -> None:
    """Build one lesson from its folder `source` as files under `into`."""
    lesson = load_lesson(source)
    folder = into / lesson.settings.sources / lesson.name
    skipped = shutil.ignore_patterns(*AUTHORS_FILES, f"{lesson.name}.ipynb", KEY_FILE)
    shutil.copytree(lesson.folder, folder, ignore=skipped)
    write_key(lesson, folder)
    with tempfile.TemporaryDirectory() as alone:  # no other lesson is next to it
        shutil.copytree(folder, Path(alone) / lesson.name)
        kept = {name: str(into / folder) for name, folder in lesson.settings.kept.items()}
        executed = execute(stamped(lesson), Path(alone) / lesson.name, lesson.source_file, kept)
    _write(executed, folder / f"{lesson.name}.ipynb")
    _generate_assignment(into, lesson)
    release = into / lesson.settings.release / lesson.name / f"{lesson.name}.ipynb"
    _restore_pictures(release, executed)


def _build_page(source: Path, settings: Settings, course: Path) -> None:
    """Build a page, which sees the fresh lessons, and the committed version of the others."""
    cells = list(jupytext.read(source).cells)
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{number:02}"
        if cell.cell_type == "code":
            cell["outputs"] = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / settings.release
        for lessons in (settings.root / settings.release, course):
            if lessons.is_dir():
                ignore = shutil.ignore_patterns("progress.json")
                shutil.copytree(lessons, place, dirs_exist_ok=True, ignore=ignore)
        execute(notebook_of(cells), place, f"{settings.sources}/{source.name}")
    _write(notebook_of(cells), course / f"{source.stem}.ipynb")


def execute(
    notebook: NotebookNode,
    folder: Path,
    source: str,
    kept: Mapping[str, str] = MappingProxyType({}),
) -> NotebookNode:
    """Return the notebook with its cells' outputs, as far as they are the same on every run.

    `kept` are environment variables of the kernel.

    Raises:
        LessonError: a cell fails or takes too long; the message begins with `source`.
    """
    running: list[str] = []
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        on_cell_start=lambda cell, cell_index: running.append(cell.id),
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,  # a slow machine splits printed text otherwise
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"],  # no warning that the kernel uses TCP
    )
    try:
        client.execute(env={**os.environ, **ONE_THREAD, **kept})
    except (CellExecutionError, CellTimeoutError) as error:
        reason = f"took longer than {TIMEOUT} seconds"
        if isinstance(error, CellExecutionError):
            reason = f"fails: {error.ename}: {error.evalue}"
        raise LessonError(f"{source}: its cell {running[-1]} {reason}") from error
    (folder / "progress.json").unlink(missing_ok=True)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                output.data[WIDGET]["model_id"] = "0" * 32  # random otherwise
    return notebook_of(notebook.cells)


def _generate_assignment(root: Path, lesson: Lesson) -> None:
    """Make the release version with nbgrader's command."""
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "--force", "--no-db"]
    environment = {**os.environ, "JUPYTER_PREFER_ENV_PATH": "1"}
    done = subprocess.run(
        [*command, lesson.name], cwd=root, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise LessonError(f"{lesson.source_file}: {' '.join(command[2:])} fails:\n{done.stderr}")


def _restore_pictures(path: Path, executed: NotebookNode) -> None:
    """Put back the outputs of plays, drawings and questions, which nbgrader cleared.

    Widgets are left out.
    """
    shown = (cell for cell in executed.cells if role(cell)[0] in ("play", "drawing", "question"))
    outputs = {cell.id: cell.outputs for cell in shown}
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        if cell.id in outputs:
            cell.outputs = [one for one in outputs[cell.id] if WIDGET not in one.get("data", {})]
    _write(notebook, path)


def _write(notebook: NotebookNode, path: Path) -> None:
    nbformat.validate(notebook)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")  # type: ignore[no-untyped-call]


def install(built: Path, root: Path) -> list[str]:
    """Replace the files of the course that a build changed; return their names.

    Each file is replaced atomically. After an error, making the course again does the rest.
    """
    names = []
    for path in changed_files(built, root):
        name = path.relative_to(built)
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        atomic_write(root / name, path.read_bytes())
        names.append(name.as_posix())
    return names


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `course`."""
    course = subparsers.add_parser("course", help="make the learners' lessons from their sources")
    course.add_argument("lessons", nargs="*", metavar="LESSON", help="lessons (default: all)")
    course.add_argument(
        "--check", action="store_true", help="change nothing; report the files that are out of date"
    )
    course.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    folders, settings = named_lessons(root, arguments.lessons), load_settings(root)
    with tempfile.TemporaryDirectory(prefix="course-") as folder:
        built = Path(folder)
        build(root, folders, built)
        if arguments.check:
            found = differences(built, settings, whole=not arguments.lessons)
            print(*found or [f"{settings.release}/ is up to date."], sep="\n")
            return int(bool(found))
        changed = [f"made {name}" for name in install(built, root)]
    print(*changed or ["Everything is up to date."], sep="\n")
    return 0

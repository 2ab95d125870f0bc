"""Build a lesson: the executed notebook, the answer key and the notebook that a learner opens."""

from __future__ import annotations

import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode

from grader.author.drift import built_files, difference, differences
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
from grader.comparison.schema import AnswerKey
from grader.learner.export import WIDGET
from grader.learner.workspace import ORDER
from grader.processes import process_pool

KEY_SEED = 1
"""Of the answer key that learners get. A grading run draws a seed of its own."""

AUTHORS_FILES = ("exercises.py", "__pycache__", ".ipynb_checkpoints", "progress.json")
CONFIG = "nbgrader_config.py"
HALF = "half-"
"""How the end of a file's name begins while it is being put in its place."""
TIMEOUT = 1200
"""Seconds that one cell of a lesson may take, generous enough for a busy machine."""
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL", "VECLIB")}
"""Environment of a lesson's kernel: lessons are built side by side, and BLAS threads that wait for a busy core spin."""


def build(root: Path, lessons: Iterable[Path], into: Path) -> None:
    """Build lessons and pages of the course at `root` as files under `into`, laid out as they will lie under `root`.

    Raises:
        LessonError: an author's mistake, or a cell that fails.
    """
    shutil.copyfile(root / CONFIG, into / CONFIG)
    with process_pool() as pool:
        list(pool.map(partial(build_lesson, into=into), lessons))
    (into / "course").mkdir(exist_ok=True)
    for page in sorted((root / "solutions").glob("*.md")):
        _build_page(page, root / "course", into / "course")
    if (order := root / "solutions" / ORDER).is_file():
        shutil.copyfile(order, into / "course" / ORDER)


def write_key(lesson: Lesson, folder: Path) -> None:
    """Write the answer key that learners get into a folder."""
    (folder / KEY_FILE).write_text(_key_text(make_key(lesson, KEY_SEED)), encoding="utf-8")


def stamped(lesson: Lesson) -> NotebookNode:
    """The lesson as a notebook whose cells carry lasting ids and nbgrader's metadata."""
    cells = []
    for source, cell_id in zip(lesson.notebook.cells, cell_ids(lesson), strict=True):
        cell, (kind, name) = source.copy(), role(source)
        cell["id"] = cell_id
        if kind != "text":
            cell.metadata["nbgrader"] = _metadata(
                cell["id"], kind, lesson.exercises[name].points if kind == "check" else None
            )
        cells.append(cell)
    return notebook_of(cells)


def _metadata(grade_id: str, kind: str, points: float | None) -> NotebookNode:
    """nbgrader's metadata of one code cell: an exercise is open to the learner, its check is graded, all else is locked."""
    data = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": kind == "check",
        "solution": kind == "exercise",
        "locked": kind != "exercise",
        "task": False,
    }
    if points is not None:
        data["points"] = points
    return nbformat.from_dict(data)  # type: ignore[no-untyped-call, no-any-return]


def notebook_of(cells: list[NotebookNode]) -> NotebookNode:
    """Return a notebook of these cells, for an ordinary Python kernel."""
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook: NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata=metadata)  # type: ignore[no-untyped-call]
    return notebook


def build_lesson(source: Path, into: Path) -> None:
    """Build one lesson from its folder `source` as files under `into`."""
    lesson = load_lesson(source)
    folder = into / "solutions" / lesson.name
    folder.mkdir(parents=True)
    for path in _luggage(lesson.folder):
        (shutil.copytree if path.is_dir() else shutil.copyfile)(path, folder / path.name)
    write_key(lesson, folder)
    with tempfile.TemporaryDirectory() as alone:  # where a lesson that looks for others finds none
        shutil.copytree(folder, Path(alone) / lesson.name)
        executed = execute(stamped(lesson), Path(alone) / lesson.name, lesson.source_file)
    _write(executed, folder / f"{lesson.name}.ipynb")
    _run_nbgrader(into, lesson.name)
    _give_pictures_back(into / "course" / lesson.name / f"{lesson.name}.ipynb", executed)


def _build_page(source: Path, committed: Path, course: Path) -> None:
    """A page that may look at every lesson: those that were built, and for the others those that stand."""
    cells = list(jupytext.read(source).cells)
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{number:02}"
        if cell.cell_type == "code":
            cell["outputs"] = []
    with tempfile.TemporaryDirectory() as folder:
        for lessons in (committed, course):
            if lessons.is_dir():
                shutil.copytree(
                    lessons,
                    Path(folder) / "course",
                    dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("progress.json"),
                )
        execute(notebook_of(cells), Path(folder) / "course", f"solutions/{source.name}")
    _write(notebook_of(cells), course / f"{source.stem}.ipynb")


def _luggage(folder: Path) -> Iterator[Path]:
    """What travels with a lesson: its data and their licences, not what an author writes or a notebook leaves behind."""
    made = (f"{folder.name}.ipynb", KEY_FILE)
    return (
        path
        for path in sorted(folder.iterdir())
        if path.name not in (*AUTHORS_FILES, *made) and path.suffix != ".md"
    )


def _key_text(key: AnswerKey) -> str:
    """The key as JSON: an exercise's cases and misconceptions a line each, so that a change shows where it is."""
    text = json.dumps(key, ensure_ascii=False, indent=None, separators=(",", ":"))
    for start in ('{"property":', '{"hint":', '"exercises":', '"questions":', '"misconceptions":'):
        text = text.replace(start, f"\n{start}")
    return text + "\n"


def execute(notebook: NotebookNode, folder: Path, source: str) -> NotebookNode:
    """The notebook with the outputs of its cells, as far as they are the same on every run."""
    running: list[str] = []
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        on_cell_start=lambda cell, cell_index: running.append(cell.id),
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,  # else a slow machine cuts what a cell prints into pieces
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=[
            "--log-level=ERROR"
        ],  # else each kernel warns that it talks to its own machine over TCP
    )
    try:
        client.execute(env={**os.environ, **ONE_THREAD})
    except CellExecutionError as error:
        raise LessonError(
            f"{source}: its cell {running[-1]} fails: {error.ename}: {error.evalue}"
        ) from error
    except CellTimeoutError as error:
        raise LessonError(
            f"{source}: its cell {running[-1]} took longer than {TIMEOUT} seconds; make it shorter"
        ) from error
    (folder / "progress.json").unlink(missing_ok=True)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                output.data[WIDGET]["model_id"] = "0" * 32  # drawn on every run
    return notebook_of(notebook.cells)


def _run_nbgrader(root: Path, lesson: str) -> None:
    """Make the release version by nbgrader's own command."""
    command = [
        sys.executable,
        "-m",
        "nbgrader",
        "generate_assignment",
        lesson,
        "--force",
        "--no-db",
    ]
    environment = {**os.environ, "JUPYTER_PREFER_ENV_PATH": "1"}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LessonError(
            f"solutions/{lesson}: nbgrader generate_assignment fails:\n{done.stderr.strip()}"
        )


def _give_pictures_back(path: Path, executed: NotebookNode) -> None:
    """nbgrader clears all outputs; a reader without a kernel gets the pictures of plays and the questions back."""
    outputs = {
        cell.id: cell.outputs for cell in executed.cells if role(cell)[0] in ("play", "question")
    }
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        if cell.id in outputs:
            cell.outputs = [
                output for output in outputs[cell.id] if WIDGET not in output.get("data", {})
            ]
    _write(notebook, path)


def _write(notebook: NotebookNode, path: Path) -> None:
    nbformat.validate(notebook)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")  # type: ignore[no-untyped-call]


def install(built: Path, root: Path) -> list[str]:
    """Replace the files of the course that the build changed; return their names.

    New files are first written beside the old ones, then each is renamed. A file that says the same stays as it is.

    Raises:
        OSError: nothing was put in its place.
        LessonError: something was, and the rest could not be.
    """
    halves: dict[Path, Path] = {}
    try:
        for path in built_files(built):
            place = root / path.relative_to(built)
            place.parent.mkdir(parents=True, exist_ok=True)
            for left in place.parent.glob(
                f".{glob.escape(place.name)}.{HALF}*"
            ):  # of a run that was killed
                left.unlink()
            if not place.is_file() or difference(path, place):
                halves[place] = place.with_name(f".{place.name}.{HALF}{os.getpid()}")
                shutil.copyfile(path, halves[place])
        names = [place.relative_to(root).as_posix() for place in halves]
        for done, (place, half) in enumerate(halves.items()):
            try:
                os.replace(half, place)
            except OSError as error:
                raise LessonError(
                    f"{names[done]} could not be replaced: {error.strerror}. {done} of {len(names)} files are new, the others are as they were;"
                    " fix that and run make course again."
                ) from None
    except (OSError, LessonError):
        for half in halves.values():
            half.unlink(missing_ok=True)
        raise
    return names


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `course`."""
    course = subparsers.add_parser("course", help="make course/ from solutions/")
    course.add_argument(
        "lessons", nargs="*", metavar="LESSON", help="which lessons; all where none is named"
    )
    course.add_argument(
        "--check", action="store_true", help="change nothing; report what is out of date"
    )
    course.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    try:
        return _make(
            root,
            named_lessons(root, arguments.lessons),
            whole=not arguments.lessons,
            check=arguments.check,
        )
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(
            f"Nothing was made: {error.strerror or error}{where}; course/ is as it was. Mend that and run it again.",
            file=sys.stderr,
        )
        return 1


def _make(root: Path, folders: list[Path], whole: bool, check: bool) -> int:
    with tempfile.TemporaryDirectory(prefix="course-") as built:
        build(root, folders, Path(built))
        if check:
            found = differences(Path(built), root, whole)
            print(*found or ["course/ is up to date."], sep="\n")
            return int(bool(found))
        changed = install(Path(built), root)
    print(*[f"made {name}" for name in changed] or ["Everything is up to date."], sep="\n")
    return 0

"""Find a learner's notebook, the cells in it that are graded, and the lessons next to it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from grader.comparison.answer_key import FIRST_KEY_FILE, KEY_FILE, KeyMissing, load_key
from grader.comparison.schema import AnswerKey
from grader.execution.notebook import UnreadableNotebook, cells_of, load_notebook
from grader.execution.submission import Selection, Template, answers_in, select

Stamp = tuple[()] | tuple[int, int, int]


def lesson_keys(course: Path) -> dict[str, AnswerKey]:
    """Return the readable answer keys of the lessons in a folder, by lesson name."""
    keys = {}
    with contextlib.suppress(OSError):
        for folder in filter(has_key, sorted(course.iterdir())):
            with contextlib.suppress(KeyMissing):
                keys[folder.name] = load_key(folder)
    return keys


def has_key(folder: Path) -> bool:
    """Return whether a folder is a lesson's, of this edition or the first."""
    # `Path.is_file` raises PermissionError in a folder that can't be entered, like lost+found.
    return any(os.path.isfile(folder / name) for name in (KEY_FILE, FIRST_KEY_FILE))


def lesson_folder() -> Path:
    """Return the lesson's folder, where its kernel began, also after a cell has gone elsewhere."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    start = getattr(shell, "starting_dir", None) if hasattr(shell, "kernel") else None
    return Path(start) if start and has_key(Path(start)) else Path.cwd()


def find_notebook(place: Path) -> Path | None:
    """Return `place`, or the newest notebook in its folder that answers the lesson's exercises."""
    return next(find_notebooks(place), None)


def find_notebooks(place: Path) -> Iterator[Path]:
    """Yield `place` if it is there, then what may be a copy of it, the newest first."""
    if place.is_file():
        yield place
    others = [path for path in place.parent.glob("*.ipynb") if not path.name.startswith(".")]
    others.sort(key=stamp_of, reverse=True)
    yield from (path for path in others if path != place and _has_exercises(path))


def stamp_of(path: Path) -> Stamp:
    """Return numbers that change when a file is written, the time first; () without a file."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def graded_cells(key: AnswerKey, notebook: bytes) -> Selection:
    """Return the cells that grading would run.

    Args:
        key: the lesson's answer key.
        notebook: the file's content.

    Raises:
        UnreadableNotebook: the content is no notebook.
    """
    loaded = load_notebook(notebook)
    return select(_template(key, loaded), cells_of(loaded))


def left_behind(modules: Iterable[str], folder: Path, packages: Iterable[str]) -> list[str]:
    """Return a warning for each module in use that grading lacks.

    Args:
        modules: names, without submodules.
        folder: the notebook's.
        packages: of the course.
    """
    available = {*sys.stdlib_module_names, "numpy", "matplotlib", "grader", *packages}
    warnings = []
    for module in dict.fromkeys(modules):
        if (folder / f"{module}.py").is_file():
            advice = "copy what you need from it into a cell"
            warnings.append(f"{module}.py beside the notebook is not graded with it: {advice}.")
        elif module not in available:
            there = "numpy, matplotlib and Python's own modules are there"
            warnings.append(f"{module} may be missing where this is graded: {there}.")
    return warnings


def reason(error: UnreadableNotebook | KeyMissing | OSError, then: str) -> str:
    """Return why a notebook can't be used, and how to fix it before doing `then`, as a clause."""
    if isinstance(error, UnreadableNotebook):
        return error.told(then)
    return (isinstance(error, OSError) and error.strerror) or str(error).removesuffix(".")


def _has_exercises(notebook: Path) -> bool:
    try:
        key, loaded = load_key(notebook.parent), load_notebook(notebook.read_bytes())
    except (KeyMissing, UnreadableNotebook, OSError):
        return False
    template = _template(key, loaded)
    return any(answers_in(template, cell) for cell in cells_of(loaded))


def _template(key: AnswerKey, cells: list[dict[str, Any]]) -> Template:
    """Return a lesson's template without its source: its exercises, and the cells not to run."""
    tags = {"play", "drawing", "question", "script"}
    idle = (str(cell.get("id")) for cell in cells if tags & {*_tags(cell)})
    return Template(
        exercises=tuple(key["exercises"]),
        setup=(),
        locked={},
        idle=frozenset(idle),
        idle_texts=frozenset(),
    )


def _tags(cell: dict[str, Any]) -> list[str]:
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []

"""Find a learner's notebook, the cells in it that are graded, and the lessons next to it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from grader.comparison.answer_key import KEY_FILE, KeyMissing, load_key
from grader.comparison.schema import AnswerKey
from grader.execution.notebook import UnreadableNotebook, cells_of, load_notebook
from grader.execution.submission import Template, cells_to_run

Stamp = tuple[()] | tuple[int, int, int]


def lesson_keys(course: Path) -> dict[str, AnswerKey]:
    """Return the readable answer keys of the lessons in a folder, by lesson name."""
    keys = {}
    with contextlib.suppress(OSError):
        for path in sorted(course.glob(f"*/{KEY_FILE}")):
            with contextlib.suppress(KeyMissing):
                keys[path.parent.name] = load_key(path.parent)
    return keys


def find_notebook(place: Path) -> Path | None:
    """Return `place`, or the newest notebook in its folder: learners rename theirs."""
    others = place.parent.glob("[!.]*.ipynb")
    return place if place.is_file() else max(others, key=stamp_of, default=None)


def stamp_of(path: Path) -> Stamp:
    """Return numbers that change when a file is written, the time first; () without a file."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def graded_cells(key: AnswerKey, notebook: bytes) -> tuple[list[str], list[str]]:
    """Return the sources of the cells that grading would run, and warnings about the notebook.

    Raises:
        UnreadableNotebook: the content, in any encoding and notebook format, is no notebook.
    """
    loaded = load_notebook(notebook)
    exercises = tuple(key["exercises"])
    idle = frozenset(str(one.get("id")) for one in loaded if {"play", "question"} & {*_tags(one)})
    template = Template(exercises, setup=(), locked={}, idle=idle, idle_texts=frozenset())
    return cells_to_run(template, cells_of(loaded))


def reason(error: UnreadableNotebook | KeyMissing | OSError, then: str) -> str:
    """Return why a notebook can't be used, and how to fix it before doing `then`, as a clause."""
    if isinstance(error, UnreadableNotebook):
        return error.told(then)
    return (isinstance(error, OSError) and error.strerror) or str(error).removesuffix(".")


def _tags(cell: dict[str, Any]) -> list[str]:
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []

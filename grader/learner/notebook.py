"""Find a learner's notebook and the cells in it that are graded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.comparison.answer_key import KeyMissing, load_key
from grader.comparison.schema import AnswerKey
from grader.execution.notebook import UnreadableNotebook, cells_of, load_notebook
from grader.execution.submission import Template, answers_in, cells_to_run


def found(place: Path) -> Path | None:
    """A notebook in its place, or the one in the same folder that has the lesson's exercises under another name, the newest of several."""
    if place.is_file():
        return place
    others = [path for path in place.parent.glob("*.ipynb") if not path.name.startswith(".")]
    return next(
        (path for path in sorted(others, key=_changed, reverse=True) if _has_exercises(path)), None
    )


def cells_that_count(key: AnswerKey, notebook: bytes) -> tuple[list[str], list[str]]:
    """The texts of a notebook's cells to run, and sentences about what is odd in it, as grading would see it.

    Args:
        key: the answer key of its lesson.
        notebook: in any encoding and of any version.

    Raises:
        UnreadableNotebook: it is no notebook.
    """
    loaded = load_notebook(notebook)
    return cells_to_run(_template(key, loaded), cells_of(loaded))


def _has_exercises(notebook: Path) -> bool:
    try:
        key, loaded = load_key(notebook.parent), load_notebook(notebook.read_bytes())
    except (KeyMissing, UnreadableNotebook, OSError):
        return False
    known = _template(key, loaded)
    return any(answers_in(known, cell) for cell in cells_of(loaded))


def _template(key: AnswerKey, cells: list[dict[str, Any]]) -> Template:
    """What is known of a lesson without its source: its exercises, and the cells that only show something."""
    idle = (str(cell.get("id")) for cell in cells if {"play", "question"} & {*_tags(cell)})
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


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0

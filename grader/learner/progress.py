"""Keep a learner's progress in `progress.json` beside the notebook."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from grader.files import folder_lock

FILE = "progress.json"

PATIENCE = 1.0
"""Seconds that a turn is waited for; a note that takes none is better than a kernel that hangs."""


class Note(NamedTuple):
    """One thing to remember: in which part, of what, and its value, None where it is to be forgotten."""

    part: str
    name: str
    value: Any


_unsaved: dict[Path, tuple[list[Note], str]] = {}
"""Notes for folders that can't be written, and why they can't; they last as long as this process."""


def load_progress(folder: Path) -> dict[str, Any]:
    """``{"solved": {exercise: points}, "answers": {question: option chosen first}}``; empty where nothing readable is kept."""
    try:
        return _load(folder)
    except OSError:
        return _with_unsaved(folder, {"solved": {}, "answers": {}})


def _load(folder: Path) -> dict[str, Any]:
    """The same.

    Raises:
        OSError: something is kept, and can't be read now.
    """
    progress: dict[str, Any] = {"solved": {}, "answers": {}}
    with contextlib.suppress(FileNotFoundError, ValueError, AttributeError, TypeError):
        data = json.loads((folder / FILE).read_text(encoding="utf-8"))
        progress = {part: dict(data.get(part, {})) for part in progress}
    return _with_unsaved(folder, progress)


def _with_unsaved(folder: Path, progress: dict[str, Any]) -> dict[str, Any]:
    for note in _unsaved.get(folder, ([], ""))[0]:
        _add(progress, note)
    return progress


def not_kept(folder: Path) -> str | None:
    """Why progress is not kept on disk, in a sentence with the way out; None where it is."""
    if folder not in _unsaved:
        return None
    return (
        f"{FILE} can't be written ({_unsaved[folder][1]}): what you solve and answer is remembered only as long as this runs."
        f" Your notebook may not be saved either; make room, or make {folder.name}/ yours to write."
    )


def record_solved(folder: Path, exercise: str, points: float, solved: bool) -> dict[str, Any]:
    """Note an exercise as solved, or as open again; returns the progress."""
    return _record(folder, Note("solved", exercise, points if solved else None))


def record_answer(folder: Path, question: str, option: str) -> None:
    """Note what a learner answered; the first answer stays."""
    _record(folder, Note("answers", question, option))


def _record(folder: Path, note: Note) -> dict[str, Any]:
    with folder_lock(
        folder, PATIENCE
    ):  # a notebook's kernel and a watch beside it read and write one after the other
        try:
            progress = _load(folder)
            _add(progress, note)
            _save(folder, progress)
            _unsaved.pop(folder, None)
            return progress
        except OSError as error:  # it costs a learner nothing but the memory of it
            _unsaved[folder] = (
                [*_unsaved.get(folder, ([], ""))[0], note],
                error.strerror or str(error),
            )
            return load_progress(folder)


def _add(progress: dict[str, Any], note: Note) -> None:
    if note.value is None:
        progress[note.part].pop(note.name, None)
    elif note.part == "answers":
        progress[note.part].setdefault(note.name, note.value)
    else:
        progress[note.part][note.name] = note.value


def _save(folder: Path, progress: dict[str, Any]) -> None:
    """Write at once or not at all.

    Raises:
        OSError: the folder can't be written.
    """
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=folder, prefix=f".{FILE}.", delete=False, encoding="utf-8"
        ) as file:
            temporary = file.name
            json.dump(progress, file, indent=1)
        os.replace(temporary, folder / FILE)
    except OSError:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise

"""What a learner has done in a lesson comes in and is kept in `progress.json` beside the notebook, so that it outlives a restart."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

FILE = "progress.json"

_unsaved: dict[Path, tuple[dict[str, Any], str]] = {}
"""Progress of folders that can't be written, and why they can't; it lasts as long as the kernel."""


def load_progress(folder: Path) -> dict[str, Any]:
    """``{"solved": {exercise: points}, "answers": {question: option chosen first}}``; empty where nothing readable is kept."""
    if folder in _unsaved:
        return _unsaved[folder][0]
    try:
        data = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return {part: dict(data.get(part, {})) for part in ("solved", "answers")}
    except (OSError, ValueError, AttributeError, TypeError):
        return {"solved": {}, "answers": {}}


def not_kept(folder: Path) -> str | None:
    """Why progress is not kept on disk, in a sentence with the way out; None where it is."""
    if folder not in _unsaved:
        return None
    return (
        f"{FILE} can't be written ({_unsaved[folder][1]}): what you solve is remembered only until this kernel stops."
        f" Your notebook may not be saved either; make room, or make {folder.name}/ yours to write."
    )


def record_solved(folder: Path, exercise: str, points: float, solved: bool) -> dict[str, Any]:
    """Note an exercise as solved, or as open again; returns the progress."""
    progress = load_progress(folder)
    if solved:
        progress["solved"][exercise] = points
    else:
        progress["solved"].pop(exercise, None)
    _save(folder, progress)
    return progress


def record_answer(folder: Path, question: str, option: str) -> None:
    """Note what a learner answered; the first answer stays."""
    progress = load_progress(folder)
    progress["answers"].setdefault(question, option)
    _save(folder, progress)


def _save(folder: Path, progress: dict[str, Any]) -> None:
    """Write at once or not at all; a folder that can't be written costs a learner nothing but the memory of it."""
    temporary = None
    try:
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix=f".{FILE}.", delete=False, encoding="utf-8") as file:
            temporary = file.name
            json.dump(progress, file, indent=1)
        os.replace(temporary, folder / FILE)
        _unsaved.pop(folder, None)
    except OSError as error:
        _unsaved[folder] = progress, error.strerror or str(error)
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)

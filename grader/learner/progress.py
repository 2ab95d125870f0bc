"""Save a learner's progress in `progress.json` beside the notebook."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from grader.files import atomic_write, folder_lock

FILE = "progress.json"

LOCK_TIMEOUT = 1.0
"""Seconds to wait for the lock; then write without it rather than block the kernel."""


class Progress(TypedDict):
    """A learner's progress in one lesson."""

    solved: dict[str, float]
    """Points of each solved exercise."""
    answers: dict[str, str]
    """The first answer to each question: an option, or a number as text."""


Change = Callable[[Progress], object]


_unsaved: dict[Path, list[Change]] = {}
"""By folder, changes that could not be written. Module state because `check` and `predict`, plain
functions that share no object, both record progress."""

_reasons: dict[Path, str] = {}
"""By folder, why `_unsaved` could not be written."""


def load_progress(folder: Path) -> Progress:
    """Return the progress in a lesson, with changes that could not be saved."""
    progress: Progress = {"solved": {}, "answers": {}}
    with contextlib.suppress(OSError):
        progress = _read(folder)
    return _with_unsaved(folder, progress)


def not_saved(folder: Path) -> str | None:
    """Return why progress can't be saved and how to fix it, or None if it is saved."""
    if folder not in _reasons:
        return None
    return (
        f"{FILE} can't be written ({_reasons[folder]}): what you solve and answer is kept only"
        f" until this session ends. Free some disk space, or make {folder.name}/ writable."
    )


def record_solved(folder: Path, exercise: str, points: float, solved: bool) -> Progress:
    """Save that an exercise is solved, or no longer is; return the progress."""

    def change(progress: Progress) -> None:
        progress["solved"].pop(exercise, None)
        if solved:
            progress["solved"][exercise] = points

    return _record(folder, change)


def record_answer(
    folder: Path, question: str, answer: str, stays: Callable[[str], bool] = lambda _: True
) -> None:
    """Save the learner's answer to a question; an earlier one stays where `stays(earlier)`."""

    def change(progress: Progress) -> None:
        answers = progress["answers"]
        if question not in answers or not stays(answers[question]):
            answers[question] = answer

    _record(folder, change)


def _read(folder: Path) -> Progress:
    """Return the saved progress; empty if the file is missing or damaged.

    Raises:
        OSError: the file can't be read now.
    """
    try:
        data = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return {"solved": dict(data["solved"]), "answers": dict(data["answers"])}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {"solved": {}, "answers": {}}


def _with_unsaved(folder: Path, progress: Progress) -> Progress:
    for change in _unsaved.get(folder, []):
        change(progress)
    return progress


def _record(folder: Path, change: Change) -> Progress:
    with folder_lock(folder, LOCK_TIMEOUT):  # the kernel and `grader watch` both write the file
        try:
            progress = _with_unsaved(folder, _read(folder))
            change(progress)
            atomic_write(folder / FILE, json.dumps(progress, indent=1))
            _unsaved.pop(folder, None)
            _reasons.pop(folder, None)
            return progress
        except OSError as error:
            _unsaved.setdefault(folder, []).append(change)
            _reasons[folder] = error.strerror or str(error)
            return load_progress(folder)

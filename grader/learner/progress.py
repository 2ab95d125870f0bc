"""Save a learner's progress in `progress.json` beside the notebook."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, MutableSet
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict, cast, get_args, get_type_hints

from grader.files import atomic_write, folder_lock, has_form, parsed
from grader.learner.notebook import lesson_folder

FILE = "progress.json"

DAMAGED = "progress.damaged.json"
"""A progress file that could not be read is kept under this name."""

LOCK_TIMEOUT = 1.0
"""Seconds to wait for the lock; then write without it rather than block the kernel."""


class Progress(TypedDict):
    """A learner's progress in one lesson."""

    solved: dict[str, float]
    """Points of each exercise that was right once."""
    last_right: dict[str, str]
    """Local time at which each was right last, as ISO 8601."""
    answers: dict[str, str]
    """The first answer to each question: an option, or a number as text."""
    missions: dict[str, bool]
    """The words of each mission that was reached."""


Change = Callable[[Progress], object]


_unsaved: dict[Path, list[Change]] = {}
"""By folder, changes that could not be written. Module state because `check` and `predict`, plain
functions that share no object, both record progress."""

_reasons: dict[Path, str] = {}
"""By folder, why `_unsaved` could not be written."""


def load_progress(folder: Path) -> Progress:
    """Return the progress in a lesson, with changes that could not be saved."""
    progress = _empty()
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


def record_solved(folder: Path, exercise: str, points: float) -> Progress:
    """Save that an exercise is solved, now; return the progress."""
    now = datetime.now().isoformat(timespec="minutes")

    def change(progress: Progress) -> None:
        progress["solved"][exercise] = points
        progress["last_right"][exercise] = now

    return _record(folder, change)


def was_right(progress: Progress, exercise: str) -> str | None:
    """Return when an exercise was right last, in a sentence, or None."""
    try:
        time = datetime.fromisoformat(progress["last_right"][exercise])
    except (KeyError, ValueError):
        return None
    on = time.strftime("%d %B at %H:%M").lstrip("0")
    stays = "stays solved in your progress; grading uses the version that you submit"
    return f"It was right on {on}, and {stays}."


def record_answer(
    folder: Path, question: str, answer: str, stays: Callable[[str], bool] = lambda _: True
) -> None:
    """Save the learner's answer to a question; an earlier one stays where `stays(earlier)`."""

    def change(progress: Progress) -> None:
        answers = progress["answers"]
        if question not in answers or not stays(answers[question]):
            answers[question] = answer

    _record(folder, change)


class Missions(MutableSet[str]):
    """The missions that are reached in the lesson of the running notebook, by their words."""

    def __contains__(self, words: object) -> bool:
        return words in load_progress(lesson_folder())["missions"]

    def __iter__(self) -> Iterator[str]:
        return iter(load_progress(lesson_folder())["missions"])

    def __len__(self) -> int:
        return len(load_progress(lesson_folder())["missions"])

    def add(self, value: str) -> None:
        """Save that a mission is reached."""

        def change(progress: Progress) -> None:
            progress["missions"][value] = True

        _record(lesson_folder(), change)

    def discard(self, value: str) -> None:
        """Do nothing: what is reached stays so."""


missions = Missions()


def _read(folder: Path) -> Progress:
    """Return the saved progress without damaged entries; rename a file that is damaged as a whole.

    Raises:
        OSError: the file can't be read now.
    """
    try:
        data = parsed((folder / FILE).read_bytes(), dict[str, Any])
    except FileNotFoundError:
        return _empty()
    except ValueError:
        (folder / FILE).replace(folder / DAMAGED)
        return _empty()
    progress: Any = _empty()
    for part, form in get_type_hints(Progress).items():
        entries = data[part] if isinstance(data.get(part), dict) else {}
        value = get_args(form)[1]
        progress[part] = {name: one for name, one in entries.items() if has_form(one, value)}
    return cast(Progress, progress)


def _empty() -> Progress:
    return {"solved": {}, "last_right": {}, "answers": {}, "missions": {}}


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

"""List the verdicts on all answers that a course knows, in CPython and in a browser's kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.comparison.answer_key import load_key
from grader.learner.check import _verdict


def verdicts(folder: Path, cells: list[str], exercises: str) -> dict[str, dict[str, Any]]:
    """Return what a learner reads about each answer, by "exercise: function".

    Args:
        folder: with the lesson's answer key.
        cells: the lesson's cells that make the reference functions.
        exercises: the text of its exercises.py.
    """
    written: dict[str, Any] = {}
    declared: dict[str, Any] = {"__name__": "__main__"}  # dataclasses look the module up
    for cell in cells:
        exec(cell, written)
    exec(exercises, declared)
    found, key = {}, load_key(folder)
    for name in key["exercises"]:
        exercise = declared[name]
        wrong = {one.name: one.function for one in exercise.misconceptions}
        right = {one.__name__: one for one in exercise.right_answers}
        for label, function in {"reference": written[name], **right, **wrong}.items():
            verdict = _verdict(function, name, key)
            reason = verdict.failure.reason if verdict.failure else verdict.note
            found[f"{name}: {label}"] = {
                "state": verdict.state.value,
                "points": verdict.points,
                "missed": [*verdict.missed],
                "advice": verdict.advice,
                "reason": reason,
            }
    return found

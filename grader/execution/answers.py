"""Turn a response and an answer key into verdicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grader.comparison.distribution import summarise
from grader.comparison.judge import Verdict, judge, unjudged
from grader.comparison.schema import ExerciseKey, Outcome, Response
from grader.execution.limits import unreadable
from grader.execution.notebook import CONFLICT, has_conflict_markers

Judge = Callable[[str, ExerciseKey, list[Outcome]], Verdict]

GIVEN_UP = "Cell "
"""Start of the sentence about a cell that was given up; an exception starts with its class."""


def verdict_on(
    name: str,
    key: ExerciseKey,
    cells: list[str],
    response: Response,
    missing: str | None = None,
    by: Judge = judge,
) -> Verdict:
    """Return the verdict on the exercise `name` from a response to `cells`, valid or not.

    `missing` is the note if no cell defines the function; `by` judges the outcomes.
    """
    answers = response.get("answers")
    answer = answers.get(name) if isinstance(answers, dict) else None
    try:
        if isinstance(answer, dict) and "missing" in answer:
            stopped = _stopped(name, cells, response.get("errors") or [])
            return unjudged(name, key, stopped or missing or f"No function is called {name}.")
        if note := _note(name, key, answer):
            return unjudged(name, key, note)
        assert isinstance(answer, dict)
        return by(name, key, [summarise(outcome) for outcome in answer["outcomes"]])
    except Exception:  # a learner's process may answer with any data
        return unjudged(name, key, unreadable(name))


def _note(name: str, key: ExerciseKey, answer: Any) -> str | None:
    """Return why an answer can't be judged, or None."""
    if not isinstance(answer, dict):
        return f"{name} gave no results."
    if limit := answer.get("limit"):
        return str(limit)
    if parameters := answer.get("signature_mismatch"):
        return f"{name} takes ({', '.join(key['parameters'])}); yours takes {parameters}."
    if not isinstance(answer.get("outcomes"), list) or len(answer["outcomes"]) != len(key["cases"]):
        return f"{name} did not give a result for every case."
    return None


def _stopped(name: str, cells: list[str], errors: list[str | None]) -> str | None:
    """Return how the last cell that should define a function stopped, or None."""
    for cell, error in reversed([*zip(cells, errors, strict=False)]):
        if error and f"def {name}" in cell:
            if has_conflict_markers(cell):
                return f"The cell of {name} {CONFLICT}; settle the merge."
            if error.startswith(GIVEN_UP):
                return f"The cell of {name} {error.removeprefix(GIVEN_UP).partition(' ')[2]}"
            return f"The cell of {name} stops with {error}"
    return None

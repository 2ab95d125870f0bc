"""Turn a response and an answer key into verdicts."""

from __future__ import annotations

import re
from collections.abc import Callable

from grader.comparison.distribution import summarise
from grader.comparison.judge import Verdict, unjudged
from grader.comparison.schema import Answer, ExerciseKey, Outcome, Response
from grader.execution.limits import unreadable
from grader.execution.notebook import CONFLICT, has_conflict_markers

Judge = Callable[[str, ExerciseKey, list[Outcome]], Verdict]

MISSING = ("ModuleNotFoundError", "ImportError")
GIVEN_UP = "Cell "  # begins the sentence about a cell that was given up, not that of an exception


def verdict_on(
    name: str,
    key: ExerciseKey,
    cells: list[str],
    response: Response,
    by: Judge,
    missing: str | None = None,
) -> Verdict:
    """Return the verdict on an exercise from a response to `cells`, valid or not.

    `missing` is the note if no cell defines the function; `by` judges the outcomes.
    """
    try:
        answer = response["answers"][name]
        if "missing" in answer:
            stopped = _stopped(name, cells, response["errors"])
            return unjudged(name, key, stopped or missing or f"No function is called {name}.")
        if note := _note(name, key, answer):
            return unjudged(name, key, note)
        return by(name, key, [summarise(outcome) for outcome in answer["outcomes"]])
    except Exception:  # a learner's process may answer with any data
        return unjudged(name, key, unreadable(name))


def gave_up(response: Response) -> bool:
    """Return whether a cell or an exercise met a limit."""
    stopped = (error and error.startswith(GIVEN_UP) for error in response["errors"])
    return any(stopped) or any("limit" in answer for answer in response["answers"].values())


def _note(name: str, key: ExerciseKey, answer: Answer) -> str | None:
    """Return why an answer can't be judged, or None."""
    if limit := answer.get("limit"):
        return str(limit)
    if parameters := answer.get("signature_mismatch"):
        return f"{name} takes ({', '.join(key['parameters'])}); yours takes {parameters}."
    if len(answer["outcomes"]) != len(key["cases"]):
        return f"{name} did not give a result for every case."
    return None


def _stopped(name: str, cells: list[str], errors: list[str | None]) -> str | None:
    """Return how the last cell that should define a function stopped, or None."""
    for cell, error in reversed([*zip(cells, errors, strict=False)]):
        imported = error and error.startswith(MISSING) and re.search(rf"\b{name}\b", cell)
        if error and (imported or f"def {name}" in cell):
            if has_conflict_markers(cell):
                return f"The cell of {name} {CONFLICT}; settle the merge."
            if error.startswith(GIVEN_UP):
                return f"The cell of {name} {error.removeprefix(GIVEN_UP).partition(' ')[2]}"
            return f"The cell of {name} stops with {error}"
    return None

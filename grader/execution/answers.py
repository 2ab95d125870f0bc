"""Turn the outcomes of a learner's functions on the cases of a key into verdicts."""

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
"""How the sentence for a cell begins that was stopped from outside; an exception's text begins with its class."""


def verdict_on(
    name: str,
    key: ExerciseKey,
    cells: list[str],
    response: Response,
    missing: str | None = None,
    by: Judge = judge,
) -> Verdict:
    """The verdict on the exercise `name`, from a response of `grader.execution.runner`'s form, whatever is in it.

    Args:
        name: the exercise.
        key: its part of the answer key.
        cells: the texts that were run.
        response: what came of them.
        missing: what to say where nothing defines the function.
        by: what judges the outcomes.
    """
    answers = response.get("answers")
    answer = answers.get(name) if isinstance(answers, dict) else None
    try:
        if isinstance(answer, dict) and "missing" in answer:
            return unjudged(
                name,
                key,
                _stopped(name, cells, response) or missing or f"No function is called {name}.",
            )
        if note := _note(name, key, answer):
            return unjudged(name, key, note)
        assert isinstance(answer, dict)
        return by(name, key, [summarise(outcome) for outcome in answer["outcomes"]])
    except (
        Exception
    ):  # whatever comes from a learner's process is only data, and this is what is made of nonsense
        return unjudged(name, key, unreadable(name))


def _note(name: str, key: ExerciseKey, answer: Any) -> str | None:
    """Why an answer can't be judged, or None where it can."""
    if not isinstance(answer, dict):
        return f"{name} gave no results."
    if limit := answer.get("limit"):
        return str(limit)
    if signature_mismatch := answer.get("signature_mismatch"):
        return f"{name} takes ({', '.join(key['parameters'])}); yours takes {signature_mismatch}."
    if not isinstance(answer.get("outcomes"), list) or len(answer["outcomes"]) != len(key["cases"]):
        return f"{name} did not give a result for every case."
    return None


def _stopped(name: str, cells: list[str], response: Response) -> str | None:
    """How the cell that should define a function stopped; None where none did."""
    stopped = [
        (cell, str(error))
        for cell, error in zip(cells, response.get("errors") or [], strict=False)
        if error and f"def {name}" in cell
    ]
    if not stopped:
        return None
    cell, error = stopped[-1]
    if has_conflict_markers(cell):
        return f"The cell of {name} {CONFLICT}; settle the merge."
    return (
        f"The cell of {name} {error.removeprefix(GIVEN_UP).partition(' ')[2]}"
        if error.startswith(GIVEN_UP)
        else f"The cell of {name} stops with {error}"
    )

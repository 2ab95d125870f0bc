"""`check(f)`: compare a learner's function with the answer key and show the verdict."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from grader.comparison.answer_key import KeyMissing, load_key
from grader.comparison.judge import State, Verdict, call_of, judge, observe_all, unjudged
from grader.comparison.observe import signature_mismatch
from grader.comparison.present import verdict_html
from grader.comparison.schema import ExerciseKey
from grader.learner.progress import not_kept, record_solved


class Interrupted(KeyboardInterrupt):
    """A check that was interrupted; the message says what to do."""

    _render_traceback_ = KeyMissing._render_traceback_


class Check:
    """What a `check` cell shows: the verdict as HTML, and its points as text, which nbgrader reads as partial credit."""

    def __init__(self, verdict: Verdict, html: str) -> None:
        self.verdict = verdict
        self._html = html

    def __repr__(self) -> str:
        return repr(self.verdict.points)

    def _repr_html_(self) -> str:
        return self._html


def check(function: object) -> Check:
    """Compare a function with the lesson's answer key and show what passed, the first case that differs, and a hint.

    Args:
        function: the function itself, ``check(sigmoid)``; its name says which exercise it answers.

    Returns:
        The verdict; as the last line of a cell it shows itself. Wrong functions, wrong arguments and a missing key are
        told in its text and never raised.

    Raises:
        Interrupted: by the learner.
    """
    folder = Path.cwd()
    try:
        key = load_key(folder)
    except KeyMissing as error:
        verdict = Verdict("check", State.UNJUDGED, 0.0, 0.0, note=str(error))
        return Check(verdict, verdict_html(verdict))
    try:
        verdict = _verdict(function, key["exercises"])
    except KeyboardInterrupt:
        name = _name(function, key["exercises"])
        raise Interrupted(
            f"{name or 'It'} was interrupted before it ended. Is there a loop that never ends? Mend it, run its cell and then this one."
        ) from None
    progress = record_solved(folder, verdict.exercise, verdict.points, verdict.solved)
    solved = [name for name in key["exercises"] if name in progress["solved"]]
    return Check(
        verdict,
        verdict_html(
            verdict, solved=len(solved), exercises=len(key["exercises"]), warning=not_kept(folder)
        ),
    )


def _verdict(function: object, exercises: dict[str, ExerciseKey]) -> Verdict:
    name = _name(function, exercises)
    if not callable(function) and isinstance(name, str) and name in exercises:
        kind = type(function).__name__
        return unjudged(
            name,
            exercises[name],
            f"{name} is now a value ({kind}), not a function: run its cell again, then this check.",
        )
    if not callable(function) or not isinstance(name, str):
        given = f"{name or function!r}"[:60]
        return Verdict(
            "check",
            State.UNJUDGED,
            0.0,
            0.0,
            note=f"check takes the function itself, like check({next(iter(exercises))}); it was given {given}.",
        )
    if name not in exercises:
        return Verdict(
            name[:60],
            State.UNJUDGED,
            0.0,
            0.0,
            note=f"No exercise of this lesson is called {name[:60]}; it has {', '.join(exercises)}. Keep the name that the cell came with.",
        )
    exercise = exercises[name]
    cases = exercise["cases"]
    if isinstance(home := getattr(function, "__module__", ""), str) and home.startswith(
        "playground."
    ):
        return unjudged(
            name,
            exercise,
            f"{name} comes from {home}, which is not handed in: write your own in its cell.",
        )
    if parameters := signature_mismatch(function, [call_of(case) for case in cases]):
        return unjudged(
            name,
            exercise,
            f"{name} takes ({', '.join(_wanted(exercise))}); yours takes {parameters}.",
        )
    verdict = judge(name, exercise, observe_all(function, cases))
    if (
        verdict.points == 0
        and not (verdict.hint or verdict.note)
        and (order := _another_order(function, exercise["parameters"]))
    ):
        return unjudged(
            name,
            exercise,
            f"{name} takes ({', '.join(_wanted(exercise))}), in this order; yours takes ({', '.join(order)}).",
        )
    return verdict


def _name(function: object, exercises: dict[str, ExerciseKey]) -> object:
    """What the notebook calls a function: by its own name, or, as for a lambda, by the name that stands for it."""
    name = getattr(function, "__name__", None)
    if isinstance(name, str) and name in exercises:
        return name
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    defined = {} if shell is None else shell.user_ns
    return next((one for one in exercises if defined.get(one) is function), name)


def _wanted(exercise: ExerciseKey) -> list[str]:
    """The parameters that the exercise's function has, those with a default marked."""
    names: list[str] = exercise["parameters"]
    needed = len(names) - exercise.get("optional", 0)
    return [*names[:needed], *(f"{name}=…" for name in names[needed:])]


def _another_order(function: Any, parameters: list[str]) -> list[str] | None:
    """The parameters of a function that has the wanted ones in another order."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return None
    return names if sorted(names) == sorted(parameters) and names != parameters else None

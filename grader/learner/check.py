"""`check(f)` and `harden(f)`: compare a function with the answer key and show the verdict."""

from __future__ import annotations

import dis
import inspect
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from types import CodeType
from typing import Any

from grader.comparison.answer_key import KeyMissing, load_key, unpacked
from grader.comparison.judge import (
    Compared,
    State,
    Verdict,
    call_of,
    judge,
    judged,
    observe_all,
    unjudged,
    without_warnings,
)
from grader.comparison.observe import signature_mismatch, warnings_are_heard
from grader.comparison.pictures import illustrated, lines_to_ask
from grader.comparison.present import Way, count_of, verdict_html
from grader.comparison.schema import AnswerKey, ExerciseKey
from grader.diagnosis import explain
from grader.errors import UserError
from grader.learner.at_work import at_work
from grader.learner.notebook import left_behind, lesson_folder
from grader.learner.progress import load_progress, not_saved, record_solved, was_right
from grader.learner.puzzle import Puzzle, offer
from grader.learner.runs import RUNS
from grader.learner.trial import code_of, outcomes_along, source_of
from grader.syntax import form

MAX_WAYS = 3
"""Other right ways that are shown below a solved exercise."""


class Interrupted(KeyboardInterrupt):
    """The learner interrupted a check."""

    _render_traceback_ = UserError._render_traceback_


class Check:
    """The output of a `check` cell: the verdict as HTML, and its points as text for nbgrader."""

    def __init__(self, verdict: Verdict, html: str) -> None:
        self.verdict = verdict
        self._html = html

    def __repr__(self) -> str:
        return repr(self.verdict.points)

    def _repr_html_(self) -> str:
        return self._html


def check(function: object) -> Check:
    """Compare a function with the lesson's answer key; show what passed, what differs and a hint.

    Where the lesson hardens the function later, right values are enough for now.

    Args:
        function: the function itself, ``check(sigmoid)``; its name is the exercise's.

    Returns:
        The verdict, which a notebook shows as the cell's output. It also reports errors of the
        function, wrong arguments and a missing answer key; they are not raised.

    Raises:
        Interrupted: the learner interrupted the kernel.
    """
    return _check(function, hardening=False)


def harden(function: object) -> Check:
    """Check a function as `check` does, and show what differs once its values are right.

    Raises:
        Interrupted: the learner interrupted the kernel.
    """
    return _check(function, hardening=True)


def _check(function: object, hardening: bool) -> Check:
    folder = lesson_folder()
    try:
        key = load_key(folder)
    except KeyMissing as error:
        verdict = Verdict("check", State.UNJUDGED, 0.0, 0.0, note=str(error))
        return Check(verdict, verdict_html(verdict))
    exercises, name = key["exercises"], _name(function, key)
    try:
        with at_work(name or "It"):
            verdict = _verdict(function, name, key)
    except KeyboardInterrupt:
        raise Interrupted(
            f"{name or 'It'} was interrupted before it ended. Is there a loop that never ends?"
            " Fix it, run its cell, then this one."
        ) from None
    if verdict.solved:
        progress = record_solved(folder, verdict.exercise, verdict.points)
    else:
        progress = load_progress(folder)
        verdict = replace(verdict, note=_joined(verdict.note, was_right(progress, name)))
    exercise = exercises.get(name)
    if exercise and (packed := exercise.get("solution")):
        failed = verdict.failure is not None and not (name in key["hardened"] and verdict.works)
        solves = partial(_solves, function=function, name=name, exercise=exercise)
        offer(name, failed, lambda: Puzzle(unpacked(packed), solves))
    solved = len(exercises.keys() & progress["solved"].keys())
    later = not hardening and name in key["hardened"] and verdict.works
    unnamed = verdict.failure is not None and verdict.advice is None and not later
    hints = exercise.get("hints", 0) if exercise and unnamed else 0
    above = f"There is help above its cell: {count_of(hints, 'hint')}." if hints else None
    last = _joined(above, not_saved(folder))
    ways = _other_ways(function, exercise) if exercise and verdict.solved else []
    html = verdict_html(verdict, solved, len(exercises), last, later, ways=ways, slider=True)
    return Check(verdict, html)


def _other_ways(function: Any, exercise: ExerciseKey) -> list[Way]:
    """Return right answers that differ from the learner's by their syntax tree."""
    mine, name = source_of(function), getattr(function, "__name__", "")
    texts = unpacked(exercise["ways"]) if "ways" in exercise else []
    ways = [text.partition("\n") for text in texts]
    return [(why, code) for why, _, code in ways if form(code, name) != form(mine, name)][:MAX_WAYS]


def _solves(source: str, function: Any, name: str, exercise: ExerciseKey) -> bool:
    """Return whether a function's source, run with the names of the learner's, is right."""
    names = dict(getattr(function, "__globals__", {}))
    try:
        exec(source, names)
        return judge(name, exercise, observe_all(names[name], exercise["cases"])).solved
    except Exception:
        return False


def _joined(*sentences: str | None) -> str | None:
    return " ".join(filter(None, sentences)) or None


def _verdict(function: Any, name: str, key: AnswerKey) -> Verdict:
    exercise = key["exercises"].get(name)
    if exercise is None:
        return _no_exercise(function, name, list(key["exercises"]))
    note = (
        _not_callable(function, name)
        or _outdated(function)
        or _written_by_course(function, name, key["packages"])
        or _wrong_parameters(function, name, exercise)
    )
    if note is not None:
        return unjudged(name, exercise, note)
    answer = Compared(exercise, observe_all(function, exercise["cases"]))
    verdict = judged(name, answer)
    if not warnings_are_heard():
        verdict = without_warnings(verdict)
    if verdict.failure:
        verdict = explain(verdict, answer, code_of(function))
        lines = outcomes_along(function, lines_to_ask(verdict, exercise))
        verdict = illustrated(verdict, exercise, lines)
    if verdict.points:
        warnings = left_behind(_modules(function), lesson_folder(), key["packages"])
        return replace(verdict, note=_joined(*warnings))
    note = None if verdict.hint or verdict.note else _wrong_order(function, name, exercise)
    return unjudged(name, exercise, note) if note else verdict


def _no_exercise(function: Any, name: str, names: list[str]) -> Verdict:
    given = (name or repr(function))[:60]
    if not callable(function) or not name:
        note = f"check takes the function itself, like check({names[0]}); it was given {given}."
        return Verdict("check", State.UNJUDGED, 0.0, 0.0, note=note)
    note = (
        f"No exercise of this lesson is called {given}; it has {', '.join(names)}."
        " Keep the function name from its cell."
    )
    return Verdict(given, State.UNJUDGED, 0.0, 0.0, note=note)


def _not_callable(function: object, name: str) -> str | None:
    if callable(function):
        return None
    kind = type(function).__name__
    return f"{name} is now a value ({kind}), not a function: run its cell again, then this check."


def _outdated(function: object) -> str | None:
    why = RUNS.outdated(function)
    return why and f"{why} then this one. Until then the check would look at an earlier version."


def _written_by_course(function: object, name: str, packages: list[str]) -> str | None:
    module = getattr(function, "__module__", None)
    if not isinstance(module, str) or module.partition(".")[0] not in packages:
        return None
    return f"{name} is the course's function from {module}: write your own in its cell."


def _modules(function: Any) -> set[str]:
    """Return the modules that a function comes from or uses, without submodules.

    It may use them through other functions of the notebook.
    """
    values, found = [function], set[str]()
    for one in values:  # grows while it is read
        module = getattr(one, "__module__", None) or getattr(one, "__name__", "")
        found |= {module.partition(".")[0]} if isinstance(module, str) else set()
        used = [getattr(one, held, None) for held in ("__wrapped__", "pyfunc")]  # np.vectorize
        if one is function or module == "__main__":
            home, code = getattr(one, "__globals__", {}), getattr(one, "__code__", None)
            used += [home.get(name, sys.modules.get(name)) for name in _names_in(code)]
        values += [new for new in used if not any(new is old for old in values)]
    return found - {"", "__main__"}


def _names_in(code: CodeType | None) -> Iterator[str]:
    """Yield the names that code, and functions and comprehensions in it, read or import."""
    if code is not None:
        reads = ("LOAD_GLOBAL", "LOAD_NAME", "IMPORT_NAME")  # not the names of attributes
        yield from (one.argval for one in dis.get_instructions(code) if one.opname in reads)
        for inner in code.co_consts:
            yield from _names_in(inner) if isinstance(inner, CodeType) else ()


def _wrong_parameters(function: Any, name: str, exercise: ExerciseKey) -> str | None:
    parameters = signature_mismatch(function, [call_of(case) for case in exercise["cases"]])
    return parameters and f"{name} takes ({_signature(exercise)}); yours takes {parameters}."


def _wrong_order(function: Any, name: str, exercise: ExerciseKey) -> str | None:
    """Explain that the parameters have the right names in another order, or return None."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return None
    wanted = exercise["parameters"]
    if names == wanted or sorted(names) != sorted(wanted):
        return None
    yours = ", ".join(names)
    return f"{name} takes ({_signature(exercise)}), in this order; yours takes ({yours})."


def _name(function: object, key: AnswerKey) -> str:
    """Return the function's own name, or the exercise that the notebook assigned it to."""
    name = getattr(function, "__name__", None)
    if not isinstance(name, str):
        name = ""
    if name in key["exercises"]:
        return name
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    namespace = {} if shell is None else shell.user_ns
    return next((one for one in key["exercises"] if namespace.get(one) is function), name)


def _signature(exercise: ExerciseKey) -> str:
    """Return the exercise's parameters as text; "=…" marks those with a default."""
    names = exercise["parameters"]
    needed = len(names) - exercise["optional"]
    return ", ".join([*names[:needed], *(f"{name}=…" for name in names[needed:])])

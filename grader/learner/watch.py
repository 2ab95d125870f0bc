"""`grader watch`: check a notebook at each save and show the verdicts in a terminal."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import textwrap
import time
from pathlib import Path

from grader.comparison.answer_key import KeyMissing, load_key, reset_command
from grader.comparison.judge import State, Verdict, call_of
from grader.comparison.present import failure_rows, failure_sentence, one_line, progress_text
from grader.comparison.vocabulary import in_words
from grader.diagnosis import explained
from grader.execution.answers import verdict_on
from grader.execution.cell_facts import imported_modules
from grader.execution.notebook import UnreadableNotebook
from grader.execution.unconfined import Cancelled, Unconfined
from grader.learner.notebook import find_notebook, graded_cells, left_behind, reason, stamp_of
from grader.learner.progress import not_saved, record_solved
from grader.learner.workspace import find_root, make_work, notebook_places

POLL = 0.3
"""Seconds between two looks at the notebooks."""

GREEN, RED, BOLD, DIM = "32", "31", "1", "2"
COLOURS = {"✓": GREEN, "✗": RED, "○": DIM}


def ink(text: str, colour: str) -> str:
    """Return a text in a colour, if a terminal shows it."""
    shows_colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return f"\x1b[{colour}m{text}\x1b[0m" if shows_colours else text


def wrapped(text: str, indent: str = "") -> str:
    """Return a text in lines that fit, without characters that control a terminal."""
    width = min(max(shutil.get_terminal_size().columns, 40), 120) - len(indent)
    lines = []
    for line in text.expandtabs(4).split("\n"):
        lines.append(textwrap.fill(one_line(line), width, replace_whitespace=False))
    return textwrap.indent("\n".join(lines), indent)


def judged(notebook: Path, data: bytes, runner: Unconfined) -> tuple[str, list[Verdict], list[str]]:
    """Judge a notebook and record the progress; return the title, verdicts and warnings.

    Raises:
        KeyMissing, UnreadableNotebook: the answer key or the notebook can't be read.
        Cancelled: the runner stopped early.
    """
    key = load_key(notebook.parent)
    exercises = key["exercises"]
    cells, asked, warnings, _ = graded_cells(key, data)
    calls = {name: [call_of(case) for case in one["cases"]] for name, one in exercises.items()}
    response = runner.run({"cells": cells, "calls": calls, "asked": asked})
    verdicts = [
        verdict_on(name, one, cells, response, explained) for name, one in exercises.items()
    ]
    for verdict in verdicts:
        if verdict.solved:
            record_solved(notebook.parent, verdict.exercise, verdict.points)
    warnings += left_behind(imported_modules(cells), notebook.parent, key["packages"])
    if unsaved := not_saved(notebook.parent):
        warnings.append(unsaved)
    return key["title"], verdicts, warnings


def watch(places: list[Path], seconds: float) -> None:
    """Check notebooks now and at each save, until an interrupt."""
    seen = {path: stamp_of(path) for path in _present(places)}
    check_newest(places, seconds)
    while True:
        time.sleep(POLL)
        present = _present(places)
        if seen and not present:
            seen.clear()
            print(f"{os.path.relpath(places[0])} is gone; waiting for it.\n", flush=True)
        for path in present:
            if seen.get(path) != (stamp := stamp_of(path)):
                seen[path] = stamp
                check_saved(path, seconds)


def check_newest(places: list[Path], seconds: float) -> bool:
    """Check the notebook that was saved last; return whether every exercise is solved."""
    if present := _present(places):
        return check_saved(present[-1], seconds)
    there_is_none = f"There is no {os.path.relpath(places[0])}."
    print(f"{there_is_none} {reset_command(places[0].stem)} makes one.\n", flush=True)
    return False


def _present(places: list[Path]) -> list[Path]:
    """Return the notebooks that exist, also under another name, the last saved last."""
    return sorted(filter(None, map(find_notebook, places)), key=stamp_of)


def check_saved(notebook: Path, seconds: float) -> bool:
    """Check a notebook, print the report, none if it is saved again; return if all is solved."""
    name, stamp = os.path.relpath(notebook), stamp_of(notebook)
    is_screen, solved = sys.stdout.isatty(), False
    if is_screen:
        print(f"\rChecking {name} …", end="\r", flush=True)
    runner = Unconfined(seconds, notebook.parent, lambda: stamp_of(notebook) == stamp)
    try:
        title, verdicts, warnings = judged(notebook, notebook.read_bytes(), runner)
    except Cancelled:
        return False
    except (UnreadableNotebook, KeyMissing, OSError) as error:
        text = wrapped(f"{name} can't be checked: {reason(error, 'save it again')}.")
    else:
        solved = all(verdict.solved for verdict in verdicts)
        warnings = [*warnings, f"{name}, checked at {time.strftime('%H:%M:%S')}."]
        text = report(title, verdicts, warnings)
    print(f"\x1b[2J\x1b[H{text}" if is_screen else text, end="\n\n", flush=True)
    return solved


def report(title: str, verdicts: list[Verdict], notes: list[str]) -> str:
    """Return the text shown after a save; `notes` are about the notebook as a whole."""
    unsolved = [verdict for verdict in verdicts if not verdict.solved]
    width = max(len(verdict.exercise) for verdict in verdicts)
    progress = progress_text(len(verdicts) - len(unsolved), len(verdicts))
    details = ink("Every exercise of this lesson is solved.", GREEN)
    if unsolved:
        begun = (verdict for verdict in unsolved if verdict.state is not State.UNWRITTEN)
        details = _details(next(begun, unsolved[0]))
    lines = "\n".join(_line(verdict, width) for verdict in verdicts)
    return "\n\n".join([f"{ink(title, BOLD)}\n{progress}", lines, details, *map(wrapped, notes)])


def _line(verdict: Verdict, width: int) -> str:
    """Return an exercise's mark, name, points and missed properties in one line."""
    mark = verdict.state.mark
    missed = f"missed: {', '.join(map(in_words, verdict.missed))}" if verdict.missed else ""
    text = f"{verdict.exercise:{width}}  {verdict.points:g} of {verdict.max_points:g}"
    return f"  {ink(mark, COLOURS[mark])} {text}  {missed}".rstrip()


def _details(verdict: Verdict) -> str:
    """Return why an exercise isn't solved: its note, or its failing case and hint."""
    if verdict.failure is None:
        return wrapped(verdict.note or "")
    rows = failure_rows(verdict.failure)
    width = max(len(name) for name, _ in rows) + 2
    lines = [wrapped(f"{verdict.exercise}: {failure_sentence(verdict.failure)}")]
    for name, text in rows:
        lines.append(f"  {name:{width}}{wrapped(text, ' ' * (width + 2)).lstrip()}")
    if verdict.advice:
        lines.append(ink(wrapped(verdict.advice), BOLD))
    return "\n".join(lines)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `watch`."""
    parser = subparsers.add_parser("watch", help="check your notebook at each save, in a terminal")
    which = "a notebook or a lesson (default: every lesson that you save)"
    parser.add_argument("notebook", nargs="?", help=which)
    once = "check once; exit with 0 if every exercise is solved, else with 1"
    parser.add_argument("--once", action="store_true", help=once)
    limit = "time limit of a cell, and of an exercise with all its cases (default: %(default)g)"
    parser.add_argument("--seconds", type=float, default=10.0, help=limit)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if os.name == "nt":
        os.system("")  # makes Windows' terminal understand colours
    places = notebook_places(Path.cwd(), arguments.notebook)
    if not all(place.parent.is_dir() for place in places):
        make_work(find_root(Path.cwd()))
    if arguments.once:
        return int(not check_newest(places, arguments.seconds))
    print("Save your notebook to have it checked; press Ctrl-C to stop.", flush=True)
    try:
        watch(places, arguments.seconds)
    except KeyboardInterrupt:
        print("\nStopped watching.")
    return 0

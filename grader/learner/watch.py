"""`grader watch`: check a notebook at each save and show the verdicts in a terminal."""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import textwrap
import time
from pathlib import Path

from grader.comparison.answer_key import KeyMissing, load_key
from grader.comparison.judge import State, Verdict, call_of
from grader.comparison.present import failure_rows, failure_sentence, progress_text
from grader.comparison.vocabulary import in_words
from grader.execution.answers import verdict_on
from grader.execution.notebook import UnreadableNotebook
from grader.execution.unconfined import Cancelled, Unconfined
from grader.learner.notebook import Stamp, find_notebook, graded_cells, reason, stamp_of
from grader.learner.progress import not_saved, record_solved
from grader.learner.workspace import find_root, make_work, notebook_places

POLL = 0.3
"""Seconds between two looks at the notebooks."""

SECONDS = 10.0
"""Time limit of one cell, and of all calls of one exercise."""

GREEN, RED, BOLD, DIM = "32", "31", "1", "2"


class Terminal:
    """Text for a terminal: wrapped to its width, and coloured if it shows colours."""

    def __init__(self) -> None:
        self.is_screen = sys.stdout.isatty()
        self._coloured = self.is_screen and not os.environ.get("NO_COLOR")

    def ink(self, text: str, colour: str) -> str:
        """Return a text in a colour."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self._coloured and text else text

    def wrapped(self, text: str, indent: str = "", hanging: str = "") -> str:
        """Return a text in lines that fit, without characters that control a terminal."""
        columns = min(max(shutil.get_terminal_size().columns, 40), 120)
        width = max(columns - len(indent), 20)
        lines = []
        for line in text.expandtabs(4).split("\n"):
            safe = "".join(letter if letter.isprintable() else "�" for letter in line)
            lines += textwrap.wrap(
                safe, width, subsequent_indent=hanging, replace_whitespace=False
            ) or [""]
        return "\n".join(indent + line for line in lines)

    def show(self, text: str, passing: bool = False) -> None:
        """Print a text, on a cleared screen; a `passing` text is replaced by the next one."""
        if not self.is_screen:
            if not passing:
                print(text, end="\n\n", flush=True)
        elif passing:
            print(f"\r{text}", end="\r", flush=True)
        else:
            print(f"\x1b[2J\x1b[H{text}", flush=True)


def judged(notebook: Path, data: bytes, runner: Unconfined) -> tuple[str, list[Verdict], list[str]]:
    """Judge a notebook and record the progress; return the title, verdicts and warnings.

    Raises:
        KeyMissing, UnreadableNotebook: the answer key or the notebook can't be read.
        Cancelled: the runner stopped early.
    """
    key = load_key(notebook.parent)
    exercises = key["exercises"]
    cells, warnings = graded_cells(key, data)
    calls = {name: [call_of(case) for case in one["cases"]] for name, one in exercises.items()}
    response = runner.run({"cells": cells, "calls": calls})
    verdicts = [verdict_on(name, one, cells, response) for name, one in exercises.items()]
    for verdict in verdicts:
        record_solved(notebook.parent, verdict.exercise, verdict.points, verdict.solved)
    return key["title"], verdicts, [*warnings, *filter(None, [not_saved(notebook.parent)])]


class Watch:
    """Checks notebooks when they are saved.

    Args:
        places: paths of the notebooks; a notebook that was renamed is found in its folder.
        seconds: see `SECONDS`.
    """

    def __init__(self, places: list[Path], seconds: float = SECONDS) -> None:
        self._places, self._seconds = places, seconds
        self._seen: dict[Path, Stamp] = {}
        self._reported_missing = False
        self._terminal = Terminal()

    def once(self) -> bool:
        """Check the notebook that was saved last; return whether every exercise is solved."""
        present = sorted(self._present(), key=stamp_of)
        return self._check(present[-1:]) if present else self._report_missing()

    def forever(self) -> None:
        """Check now and at each save, until an interrupt."""
        self.once()
        while True:
            time.sleep(POLL)
            present = self._present()
            changed = [path for path in present if self._seen.get(path) != stamp_of(path)]
            if changed:
                self._check(sorted(changed, key=stamp_of))
            elif not present and not self._reported_missing:
                self._report_missing()

    def _present(self) -> list[Path]:
        return [path for place in self._places if (path := find_notebook(place))]

    def _check(self, notebooks: list[Path]) -> bool:
        """Check notebooks and show their reports; return whether everything is solved."""
        self._seen |= {path: stamp_of(path) for path in self._present() if path not in self._seen}
        self._reported_missing = False
        checked = [self._report(notebook) for notebook in notebooks]
        if reports := [text for text, _ in checked if text]:
            self._terminal.show("\n\n".join(reports))
        return all(solved for _, solved in checked)

    def _report(self, notebook: Path) -> tuple[str, bool]:
        """Return a notebook's report, "" if it was saved again, and whether all is solved."""
        stamp = self._seen[notebook] = stamp_of(notebook)
        terminal = self._terminal
        terminal.show(f"Checking {_short(notebook)} …", passing=True)
        runner = Unconfined(self._seconds, notebook.parent, lambda: stamp_of(notebook) == stamp)
        try:
            title, verdicts, warnings = judged(notebook, notebook.read_bytes(), runner)
        except Cancelled:
            return "", False
        except (UnreadableNotebook, KeyMissing, OSError) as error:
            why = f"{_short(notebook)} can't be checked: {reason(error, 'save it again')}."
            return terminal.wrapped(why), False
        when = f"{_short(notebook)}, checked at {time.strftime('%H:%M:%S')}."
        text = f"{report(title, verdicts, warnings, terminal)}\n\n{terminal.wrapped(when)}"
        return text, all(verdict.solved for verdict in verdicts)

    def _report_missing(self) -> bool:
        self._reported_missing = True
        place = self._places[0]
        gone = f"{place.name} is no longer in {_short(place.parent)}; waiting for it."
        self._terminal.show(gone if self._seen else f"There is no {_short(place)}.")
        return False


def report(title: str, verdicts: list[Verdict], warnings: list[str], terminal: Terminal) -> str:
    """Return the text shown after a save; `warnings` are about the notebook as a whole."""
    unsolved = [verdict for verdict in verdicts if not verdict.solved]
    width = max(len(verdict.exercise) for verdict in verdicts)
    progress = progress_text(len(verdicts) - len(unsolved), len(verdicts))
    lines = (_line(verdict, width, terminal) for verdict in verdicts)
    parts = [f"{terminal.ink(title, BOLD)}\n{progress}", "\n".join(lines)]
    if unsolved:
        begun = (verdict for verdict in unsolved if verdict.state is not State.UNWRITTEN)
        parts.append(_details(next(begun, unsolved[0]), terminal))
    else:
        parts.append(terminal.ink("Every exercise of this lesson is solved.", GREEN))
    if warnings:
        parts.append("\n".join(map(terminal.wrapped, warnings)))
    return "\n\n".join(parts)


def _line(verdict: Verdict, width: int, terminal: Terminal) -> str:
    """Return an exercise's mark, name, points and missed properties in one line."""
    mark = verdict.state.mark
    colour = {"✓": GREEN, "✗": RED, "○": DIM}[mark]
    missed = f"missed: {', '.join(map(in_words, verdict.missed))}" if verdict.missed else ""
    text = f"{verdict.exercise:{width}}  {verdict.points:g} of {verdict.max_points:g}"
    return f"  {terminal.ink(mark, colour)} {text}  {missed}".rstrip()


def _details(verdict: Verdict, terminal: Terminal) -> str:
    """Return why an exercise isn't solved: its note, or its failing case and hint."""
    if verdict.failure is None:
        return terminal.wrapped(verdict.note or "")
    rows = failure_rows(verdict.failure)
    width = max(len(name) for name, _ in rows) + 2
    lines = [terminal.wrapped(f"{verdict.exercise}: {failure_sentence(verdict.failure)}")]
    for name, text in rows:
        value = terminal.wrapped(text, " " * (width + 2), hanging="  ").lstrip()
        lines.append(f"  {name:{width}}{value}")
    if verdict.hint:
        lines.append(terminal.ink(terminal.wrapped(f"Hint: {verdict.hint}"), BOLD))
    return "\n".join(lines)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `watch`."""
    parser = subparsers.add_parser("watch", help="check your notebook at each save, in a terminal")
    parser.add_argument(
        "notebook", nargs="?", help="a notebook or a lesson (default: every lesson that you save)"
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="check once; exit with 0 if every exercise is solved, else with 1",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help="time limit of a cell, and of an exercise with all its cases (default: %(default)g)",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if os.name == "nt":
        os.system("")  # makes Windows' terminal understand colours
    places = notebook_places(Path.cwd(), arguments.notebook)
    if not all(place.parent.is_dir() for place in places):
        make_work(find_root(Path.cwd()))
    watch = Watch(places, arguments.seconds)
    if arguments.once:
        return int(not watch.once())
    print("Save your notebook to have it checked; press Ctrl-C to stop.", flush=True)
    try:
        watch.forever()
    except KeyboardInterrupt:
        print("\nStopped watching.")
    return 0


def _short(path: Path) -> str:
    """Return a path relative to the current folder, where possible."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)

"""`grader watch`: check a notebook at each save and show the verdicts in a terminal."""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import time
from pathlib import Path

from grader.comparison.answer_key import KEY_FILE, KeyMissing, load_key
from grader.comparison.judge import Verdict, call_of
from grader.execution.answers import verdict_on
from grader.execution.notebook import UnreadableNotebook, load_notebook
from grader.execution.unconfined import Cancelled, Unconfined
from grader.learner.notebook import cells_that_count, found
from grader.learner.progress import not_kept, record_solved
from grader.learner.terminal import Paper, report
from grader.learner.workspace import WORK, WorkspaceError, find_root, lessons, make_work

POLL = 0.3
"""Seconds between two looks at the notebooks."""

SETTLE = 1.0
"""Seconds after which a notebook that can't be read is more than half written."""

SECONDS = 10.0
"""That one cell, and all calls of one exercise, may take."""

Stamp = tuple[int, int, int] | None


def judged(notebook: Path, data: bytes, runner: Unconfined) -> tuple[str, list[Verdict], list[str]]:
    """The lesson's title, the verdicts on a notebook beside its answer key, and sentences about what is odd in it. Progress is kept, as `check` keeps it.

    Raises:
        KeyMissing, UnreadableNotebook: there is nothing to compare with, or nothing to compare.
        Cancelled: see `Unconfined`.
    """
    key = load_key(notebook.parent)
    exercises = key["exercises"]
    cells, odd = cells_that_count(key, data)
    response = runner.run(
        {
            "cells": cells,
            "calls": {
                name: [call_of(case) for case in one["cases"]] for name, one in exercises.items()
            },
        }
    )
    verdicts = [verdict_on(name, one, cells, response) for name, one in exercises.items()]
    for verdict in verdicts:
        record_solved(notebook.parent, verdict.exercise, verdict.points, verdict.solved)
    return key["title"], verdicts, [*odd, *filter(None, [not_kept(notebook.parent)])]


class Watch:
    """Looks at notebooks and shows the verdicts on those that were saved, the one saved last at the end.

    Args:
        notebooks: where the notebooks belong; each lies in the folder of its lesson. One that got another name is found there.
        seconds: see `SECONDS`.
    """

    def __init__(self, notebooks: list[Path], seconds: float = SECONDS) -> None:
        self._places, self._seconds = notebooks, seconds
        self._seen: dict[Path, Stamp] = {}
        self._lost = False
        self._screen = sys.stdout.isatty()

    def once(self) -> bool:
        """Check the notebook that was saved last; whether every exercise is solved."""
        there = _by_time(self._there())
        return self._check(there[-1:]) if there else self._say_lost()

    def forever(self) -> None:
        """Check at once and at each save, until somebody ends it."""
        self.once()
        while True:
            time.sleep(POLL)
            there = self._there()
            changed = [path for path in there if self._seen.get(path) != _stamp(path)]
            if changed:
                self._check(_by_time(changed))
            elif not there and not self._lost:
                self._say_lost()

    def _there(self) -> list[Path]:
        return [path for place in self._places if (path := found(place))]

    def _check(self, notebooks: list[Path]) -> bool:
        """Check notebooks and show what is said of them together; whether all is solved."""
        self._seen |= {path: _stamp(path) for path in self._there() if path not in self._seen}
        self._lost = False
        checked = [self._checked(notebook) for notebook in notebooks]
        if said := [text for text, _ in checked if text]:
            self._say("\n\n".join(said))
        return all(solved for _, solved in checked)

    def _checked(self, notebook: Path) -> tuple[str, bool]:
        """What is to be said of a notebook, "" where it was saved again meanwhile and will be looked at again, and whether all of it is solved."""
        stamp = self._seen[notebook] = _stamp(notebook)
        self._say(f"Checking {_short(notebook)} …", passing=True)
        runner = Unconfined(
            self._seconds, notebook.parent, wanted=lambda: _stamp(notebook) == stamp
        )
        paper = Paper(
            shutil.get_terminal_size().columns, self._screen and not os.environ.get("NO_COLOR")
        )
        try:
            title, verdicts, odd = judged(notebook, _settled(notebook), runner)
        except Cancelled:
            return "", False
        except (UnreadableNotebook, KeyMissing, OSError) as error:
            return paper.wrapped(_why(notebook, error)), False
        when = f"{_short(notebook)}, checked at {time.strftime('%H:%M:%S')}."
        return f"{report(title, verdicts, odd, paper)}\n\n{paper.wrapped(when)}", all(
            verdict.solved for verdict in verdicts
        )

    def _say_lost(self) -> bool:
        self._lost = True
        place = self._places[0]
        self._say(
            f"{place.name} is not in {_short(place.parent)} any more; it is checked again once it is there."
            if self._seen
            else f"There is no {_short(place)}."
        )
        return False

    def _say(self, text: str, passing: bool = False) -> None:
        """Show a text, in a terminal alone on the screen; what passes is shown only there."""
        if self._screen:
            print(
                "\r" if passing else "\x1b[2J\x1b[H",
                text,
                sep="",
                end="\r" if passing else "\n",
                flush=True,
            )
        elif not passing:
            print(text, end="\n\n", flush=True)


def notebooks_to_watch(start: Path, wanted: str | None) -> list[Path]:
    """Where the notebooks belong that a learner means.

    Args:
        start: the folder the learner is in.
        wanted: a notebook, a lesson's folder, a lesson's name, or None for the lesson that the learner is in, or all of them.

    Raises:
        WorkspaceError: there is none.
    """
    path = start / wanted if wanted else start
    if path.is_file():
        return [path]
    if (path / KEY_FILE).is_file():
        return [path / f"{path.name}.ipynb"]
    root = find_root(start)
    names = lessons(root)
    if wanted and wanted not in names:
        raise WorkspaceError(
            f"There is no notebook {wanted}, and the course has no lesson of that name; it has {', '.join(names)}."
        )
    make_work(root)
    return [root / WORK / name / f"{name}.ipynb" for name in ([wanted] if wanted else names)]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `watch`."""
    parser = subparsers.add_parser("watch", help="check your notebook at each save, in a terminal")
    parser.add_argument(
        "notebook",
        nargs="?",
        help="a notebook or a lesson's name; where none is given, whichever lesson you save",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="check once; the exit code is 0 where every exercise is solved, else 1",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help="that a cell, or an exercise with all its cases, may take (%(default)g)",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if os.name == "nt":
        os.system("")  # makes Windows' terminal understand colours
    watch = Watch(notebooks_to_watch(Path.cwd(), arguments.notebook), arguments.seconds)
    if arguments.once:
        return int(not watch.once())
    print("Save your notebook to have it checked; Ctrl-C ends this.", flush=True)
    try:
        watch.forever()
    except KeyboardInterrupt:
        print("\nStopped watching.")
    return 0


def _by_time(paths: list[Path]) -> list[Path]:
    """Files in the order in which they were saved."""
    return sorted(paths, key=lambda path: (_stamp(path) or (0,))[0])


def _stamp(path: Path) -> Stamp:
    """What changes when a file is written; None where it isn't there."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _settled(notebook: Path) -> bytes:
    """A notebook's bytes once they can be read; as they are where that doesn't come in time."""
    end = time.monotonic() + SETTLE
    while True:
        data = notebook.read_bytes()
        try:
            load_notebook(data)
            return data
        except UnreadableNotebook:
            if time.monotonic() > end:
                return data
            time.sleep(0.05)


def _why(notebook: Path, error: Exception) -> str:
    if isinstance(error, KeyMissing):
        return str(error)
    reason = (
        error.told()
        if isinstance(error, UnreadableNotebook)
        else getattr(error, "strerror", None) or str(error)
    )
    return f"{_short(notebook)} can't be checked: {reason}. It is checked again once it is saved."


def _short(path: Path) -> str:
    """A path as one would type it here."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)

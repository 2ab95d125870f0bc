"""`grader grade`: print the points and hints of notebooks as a table or as JSON lines."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from grader.author.lesson import Lesson, LessonError, authors_root, load_lesson, named_lessons
from grader.comparison.judge import Verdict
from grader.comparison.present import one_line
from grader.comparison.vocabulary import in_words
from grader.execution.cell_facts import facts
from grader.execution.notebook import UnreadableNotebook, read_notebook
from grader.execution.unconfined import Unconfined
from grader.instructor.run import Graded, Run, Runner
from grader.sandbox.engine import Engine
from grader.settings import load_settings


def draw_seed() -> int:
    """A seed for a run that nobody could know before."""
    return secrets.randbits(32)


def find_lesson(root: Path, name: str, data: bytes) -> Path:
    """The lesson that a notebook belongs to: by its file's name, else by the functions that it defines.

    Raises:
        UnreadableNotebook: it is no notebook, or belongs to no lesson.
    """
    folders = {folder.name: folder for folder in named_lessons(root, [])}
    if name in folders:
        return folders[name]
    defined = {
        function
        for cell in read_notebook(data)
        if cell.type == "code"
        for function in facts(cell.source).functions
    }
    common = Counter(
        {folder: len(defined & set(_exercises(folder))) for folder in folders.values()}
    )
    best, count = max(common.items(), key=lambda item: item[1], default=(None, 0))
    if best is None or not count:
        raise UnreadableNotebook(
            "it has no exercise of any lesson in it; say which lesson it is with --lesson"
        )
    return best


def line(name: str, graded: Graded, seed: int) -> dict[str, Any]:
    """What `--json` prints of one notebook."""
    exercises = {exercise: _exercise(verdict) for exercise, verdict in graded.verdicts.items()}
    extra = {"repaired": list(graded.repaired)} if graded.repaired else {}
    return {
        "notebook": name,
        "points": graded.points,
        "max_points": graded.max_points,
        "exercises": exercises,
        "seed": seed,
        **extra,
    }


def table(name: str, graded: Graded) -> str:
    """What is printed of one notebook without `--json`: a line for it, one for each exercise, and one for each repair."""
    width = max(map(len, graded.verdicts))
    rows = [f"{name}: {graded.points:g} of {graded.max_points:g} points"]
    for exercise, verdict in graded.verdicts.items():
        why = verdict.note or verdict.hint or (verdict.failure.reason if verdict.failure else "")
        missed = f"missed {', '.join(map(in_words, verdict.missed))}. " if verdict.missed else ""
        rows.append(
            f"  {exercise:{width}}  {verdict.points:g} of {verdict.max_points:g}  {missed}{why}".rstrip()
        )
    return "\n".join(
        map(one_line, [*rows, *(f"  Repaired: {sentence}" for sentence in graded.repaired)])
    )


@contextmanager
def open_runner(root: Path, unsafe: bool = False) -> Iterator[Runner]:
    """What runs learners' code for as long as the block lasts: confined, unless `unsafe`.

    Raises:
        SandboxUnavailable: this machine can't confine it.
    """
    if unsafe:
        yield Unconfined()
        return
    with Engine(load_settings(root)) as engine:
        yield engine


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `grade`."""
    parser = subparsers.add_parser(
        "grade",
        help="grade notebooks against solutions/, on freshly drawn inputs, without a gradebook",
    )
    parser.add_argument("notebooks", nargs="+", metavar="NOTEBOOK", type=Path)
    parser.add_argument("--json", action="store_true", help="one line of JSON for each notebook")
    parser.add_argument(
        "--lesson",
        help="which lesson they belong to; found by name and content where it is not given",
    )
    parser.add_argument(
        "--seed", type=int, help="of the inputs; the same seed repeats a run exactly"
    )
    parser.add_argument(
        "--unsafe", action="store_true", help="run the notebooks unconfined: only for your own"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    seed = draw_seed() if arguments.seed is None else arguments.seed
    chosen = named_lessons(root, [arguments.lesson])[0] if arguments.lesson else None
    failed = False
    with open_runner(root, arguments.unsafe) as runner:
        for path in arguments.notebooks:
            try:
                data = _bytes(path)
                graded = _run_of(chosen or find_lesson(root, path.stem, data), seed).grade(
                    data, runner
                )
            except UnreadableNotebook as error:
                failed = True
                _say_error(path, error, arguments.json)
                continue
            print(
                json.dumps(line(str(path), graded, seed))
                if arguments.json
                else table(str(path), graded),
                flush=True,
            )
    return int(failed)


def _say_error(path: Path, error: UnreadableNotebook, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"notebook": str(path), "error": f"{error}."}), flush=True)
    else:
        print(one_line(f"{path}: not graded: {error}."), file=sys.stderr, flush=True)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableNotebook(f"the file can't be opened: {error.strerror}") from None


@cache
def _run_of(folder: Path, seed: int) -> Run:
    return Run(_lesson(folder), seed)


@cache
def _lesson(folder: Path) -> Lesson:
    return load_lesson(folder)


def _exercises(folder: Path) -> list[str]:
    try:
        return list(_lesson(folder).exercises)
    except LessonError:
        return []


def _exercise(verdict: Verdict) -> dict[str, Any]:
    data: dict[str, Any] = {
        "points": verdict.points,
        "max_points": verdict.max_points,
        "missed": list(verdict.missed),
        "hint": verdict.hint,
    }
    return data | ({"note": verdict.note} if verdict.note else {})

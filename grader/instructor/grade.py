"""`grader grade`: print the points and hints of notebooks as a table or as JSON lines."""

from __future__ import annotations

import argparse
import hmac
import json
import secrets
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import cache, partial
from pathlib import Path

from grader.author.lesson import authors_root, load_lesson, named_lessons
from grader.comparison.judge import Verdict
from grader.comparison.present import one_line
from grader.comparison.vocabulary import in_words
from grader.execution.limits import OUTSIDE
from grader.execution.notebook import UnreadableNotebook, read_submitted
from grader.execution.unconfined import Unconfined
from grader.instructor.blame import costs_only
from grader.instructor.locate import content
from grader.instructor.repairs import Ask
from grader.instructor.run import Graded, Run
from grader.processes import Guard
from grader.sandbox.engine import Engine
from grader.settings import load_settings

_lesson = cache(load_lesson)


def draw_seed() -> int:
    """Return a seed that nobody can know before the run."""
    return secrets.randbits(32)


def seed_number(text: str) -> int:
    """Return the seed that an instructor gives, or an error of argparse."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0, not {text}")
    return int(text)


def seed_from(secret: bytes, text: bytes) -> int:
    """Return the seed that a secret and a text decide."""
    return int.from_bytes(hmac.digest(secret, text, "sha256")[:4], "big")


def find_lesson(root: Path, name: str, data: bytes) -> Path:
    """Return the folder of a notebook's lesson, found by the file's name or by its content.

    Raises:
        UnreadableNotebook: it is no notebook, or has no exercise of any lesson.
        OverBudget: it takes too long to read.
    """
    folders = {folder.name: folder for folder in named_lessons(root, [])}
    if name in folders:
        return folders[name]
    exercises = {one: _lesson(folder).exercises.keys() for one, folder in folders.items()}
    with closing(Guard(partial(content, exercises=exercises), OUTSIDE.memory_bytes)) as reader:
        found = reader.call(OUTSIDE.seconds, data, name).lesson
    if found:
        return folders[found]
    raise UnreadableNotebook("it has no exercise of any lesson; see grader grade --lesson")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `grade`."""
    does = "grade notebooks against the references, on new inputs, without a gradebook"
    parser = subparsers.add_parser("grade", help=does)
    parser.add_argument("notebooks", nargs="+", metavar="NOTEBOOK", type=Path)
    parser.add_argument("--json", action="store_true", help="print a line of JSON per notebook")
    parser.add_argument("--lesson", help="their lesson (default: found by name and content)")
    parser.add_argument(
        "--seed", type=seed_number, help="seed of the inputs, to repeat a run exactly"
    )
    unsafe = "no sandbox: only for your own notebooks"
    parser.add_argument("--unsafe", action="store_true", help=unsafe)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    seed = draw_seed() if arguments.seed is None else arguments.seed
    chosen = named_lessons(root, [arguments.lesson])[0] if arguments.lesson else None
    guards: dict[Path, Guard[Graded]] = {}
    failed = False
    with ExitStack() as stack:
        ask: Ask = Unconfined().run
        if not arguments.unsafe:
            ask = stack.enter_context(Engine(load_settings(root))).run
        for path in arguments.notebooks:
            errors: dict[str, str] = {}
            with costs_only("", errors):
                data = read_submitted(path)
                folder = chosen or find_lesson(root, path.stem, data)
                if folder not in guards:
                    guards[folder] = Guard(grading(folder, seed), OUTSIDE.memory_bytes)
                    stack.callback(guards[folder].close)
                graded = guards[folder].call(OUTSIDE.seconds, data, answer=ask)
            for error in errors.values():
                failed = True
                if arguments.json:
                    print(json.dumps({"notebook": str(path), "error": f"{error}."}), flush=True)
                else:
                    print(one_line(f"{path}: not graded: {error}."), file=sys.stderr, flush=True)
            if errors:
                continue
            line = _line(path, graded, seed)
            print(json.dumps(line) if arguments.json else _table(path, graded), flush=True)
    return int(failed)


def grading(folder: Path, seed: int) -> Callable[[bytes, Ask], Graded]:
    """Return the function that grades a notebook of a lesson, with the lesson's keys."""
    run = Run(_lesson(folder), seed)
    assert run.calls  # computes the keys
    return run.grade


def _line(path: Path, graded: Graded, seed: int) -> dict[str, object]:
    """Return the data that `--json` prints of one notebook."""
    line: dict[str, object] = {
        "notebook": str(path),
        "points": graded.points,
        "max_points": graded.max_points,
        "exercises": {name: _exercise(one) for name, one in graded.verdicts.items()},
        "seed": seed,
    }
    return line | ({"repaired": graded.repaired} if graded.repaired else {})


def _exercise(verdict: Verdict) -> dict[str, object]:
    always, found = ("points", "max_points", "missed", "hint"), ("repair", "relation", "note")
    fields = [*always, *(name for name in found if getattr(verdict, name))]
    return {name: getattr(verdict, name) for name in fields}


def _table(path: Path, graded: Graded) -> str:
    """Return the table of one notebook: its points, its exercises, its repairs."""
    width = max(map(len, graded.verdicts))
    rows = [f"{path}: {graded.points:g} of {graded.max_points:g} points"]
    for name, verdict in graded.verdicts.items():
        why = (
            verdict.note
            or verdict.hint
            or verdict.repair
            or verdict.relation
            or (verdict.failure.reason if verdict.failure else "")
        )
        missed = f"missed {', '.join(map(in_words, verdict.missed))}. " if verdict.missed else ""
        points = f"{verdict.points:g} of {verdict.max_points:g}"
        rows.append(f"  {name:{width}}  {points}  {missed}{why}".rstrip())
    rows += [f"  Repaired: {sentence}" for sentence in graded.repaired]
    return "\n".join(map(one_line, rows))

"""Grade one submission where Gradescope runs the autograder of `grader gradescope`.

Its harness runs this with these files (Gradescope's "Autograder Specifications"):

source/                     the unpacked archive
submission/                 the learner's files
submission_metadata.json    the submission's number, and more
results/results.json        the points and hints; only instructors see the standard output
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypedDict, cast

from grader import startup  # noqa: F401 (first)
from grader.author.lesson import Lesson, load_lesson, named_lessons
from grader.comparison.judge import Verdict
from grader.comparison.present import failure_rows, failure_sentence, missed_for_sure, one_line
from grader.comparison.vocabulary import in_order, in_words
from grader.errors import UserError
from grader.execution.limits import OUTSIDE
from grader.execution.notebook import UnreadableNotebook, read_submitted
from grader.files import atomic_write, parsed
from grader.instructor.blame import costs_only
from grader.instructor.grade import grading, seed_from
from grader.instructor.locate import MAX_NOTEBOOKS, Content, content
from grader.instructor.run import Graded
from grader.instructor.run_id import grader_version, lesson_version
from grader.processes import Guard, OverBudget
from grader.sandbox.engine import Engine
from grader.settings import load_settings

SETTINGS = "autograder.json"
VISIBILITY = ("visible", "after_due_date", "after_published")


class Autograder(TypedDict):
    """The settings of an archive."""

    lesson: str
    secret: str
    visibility: str


def main(root: Path) -> int:
    """Grade the submission below `root`, Gradescope's folder `/autograder`.

    If the container itself can't grade, nothing is written: Gradescope then reports a failed
    autograder, and no learner gets 0 points for it.
    """
    start, source = time.monotonic(), root / "source"
    settings = cast(Autograder, parsed((source / SETTINGS).read_bytes(), Autograder))
    lesson = load_lesson(named_lessons(source, [settings["lesson"]])[0])
    errors: dict[str, str] = {}
    graded, notes, seed = None, list[str](), None
    try:
        with Engine(load_settings(source)) as engine, costs_only("", errors):
            path, notes = find_notebook(root / "submission", lesson)
            data = read_submitted(path)
            seed = seed_of(root, settings["secret"], data)
            run = Guard(grading(lesson.folder, seed), OUTSIDE.memory_bytes)
            with closing(run):
                graded = run.call(OUTSIDE.seconds, data, answer=engine.run)
    except (UserError, OSError) as error:
        print(f"Not graded, and not because of the submission: {error}")
        return 1
    about = {
        "seed": seed,
        "grader_version": grader_version(),
        "lesson_version": lesson_version(lesson),
        "confined_by": engine.kind.value,
    }
    print("\n".join(f"{name}: {value}" for name, value in about.items()))
    told = results(lesson, graded, [*errors.values(), *notes], settings["visibility"])
    told |= {"execution_time": round(time.monotonic() - start, 1), "extra_data": about}
    (root / "results").mkdir(exist_ok=True)
    atomic_write(root / "results" / "results.json", json.dumps(told, indent=1))
    return 0


def find_notebook(submission: Path, lesson: Lesson) -> tuple[Path, list[str]]:
    """Return the notebook that counts, by its content, and a sentence about each other one.

    Raises:
        UnreadableNotebook: there is none, or it is not certain which one counts.
    """
    wanted = f"{lesson.name}.ipynb"
    paths = [*_notebooks(submission)][:MAX_NOTEBOOKS]
    if not paths:
        raise UnreadableNotebook(f"there is no notebook in the submission. Hand in {wanted}")
    if len(paths) == 1:
        return paths[0], []
    known = {lesson.name: lesson.exercises.keys()}
    with closing(Guard(partial(content, exercises=known), OUTSIDE.memory_bytes)) as reader:
        contents = {path: _content(reader, path, lesson.name) for path in paths}
    mine = [path for path in paths if contents[path].lesson]
    answered = [path for path in mine if contents[path].written] or mine
    found = [path for path in answered if path.name == wanted] or answered
    names = " and ".join(str(path.relative_to(submission)) for path in (found or paths)[:3])
    if len(found) != 1:
        raise UnreadableNotebook(f"{names} could be meant. Hand in {wanted} alone")
    return found[0], [f"{names} was graded, and no other notebook."]


def _notebooks(submission: Path) -> Iterator[Path]:
    """Yield the notebooks of a submission; no link is followed."""
    for here, folders, names in os.walk(submission):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        yield from (
            Path(here, name)
            for name in sorted(names)
            if name.lower().endswith(".ipynb") and not name.startswith(".")
        )


def _content(reader: Guard[Content], path: Path, lesson: str) -> Content:
    try:
        return reader.call(OUTSIDE.first_seconds, read_submitted(path), lesson)
    except (UnreadableNotebook, OverBudget):
        return Content(None, False)


def seed_of(root: Path, secret: str, notebook: bytes) -> int:
    """Return the seed of a submission's inputs: the same one whenever it is graded again.

    Another submission, also of the same notebook, gets another seed. Outside Gradescope, where
    submissions have no number, the seed is the notebook's.
    """
    file = root / "submission_metadata.json"
    number = str(json.loads(file.read_bytes())["id"]).encode() if file.exists() else notebook
    return seed_from(secret.encode(), number)


def results(
    lesson: Lesson, graded: Graded | None, notes: list[str], visibility: str
) -> dict[str, Any]:
    """Return the content of `results.json`; a submission without grades gets no points."""
    tests = []
    for number, (name, exercise) in enumerate(lesson.exercises.items(), 1):
        verdict = graded.verdicts[name] if graded else None
        test = {
            "name": name,
            "number": str(number),
            "score": verdict.points if verdict else 0.0,
            "max_score": float(exercise.points or 0),
            "status": "passed" if verdict and verdict.solved else "failed",
            "output": "\n".join(map(one_line, _lines(verdict))) if verdict else "Not graded.",
            "output_format": "text",
            "visibility": visibility,
        }
        tests.append(test)
    if graded:
        summary = [f"{graded.points:g} of {graded.max_points:g} points.", *graded.repaired]
    else:
        summary = ["Not graded, so it earns no points."]
    return {
        "output": "\n".join(map(one_line, [*summary, *(f"{one.rstrip('.')}." for one in notes)])),
        "output_format": "text",
        "visibility": visibility,
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def _lines(verdict: Verdict) -> Iterator[str]:
    """Yield the lines of a verdict: its properties, the first case that differs, the hint."""
    if verdict.note:
        yield verdict.note
    for prop in in_order([*verdict.passed, *missed_for_sure(verdict)]):
        yield f"{'✓' if prop in verdict.passed else '✗'} {in_words(prop)}"
    if verdict.failure:
        yield failure_sentence(verdict.failure)
        yield from (f"  {name}: {text}" for name, text in failure_rows(verdict.failure))
    if verdict.advice:
        yield verdict.advice


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))

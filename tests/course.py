"""What tests share: the real course, copies of it, and notebooks in which a learner has written something."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import types
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from grader.author.lesson import Lesson, lessons_in, load_lesson

ROOT = Path(__file__).parent.parent
LESSONS = [folder.name for folder in lessons_in(ROOT)]


@cache
def lesson(name: str) -> Lesson:
    """A lesson of the course, read once."""
    return load_lesson(ROOT / "solutions" / name)


def learners_notebook(name: str) -> dict[str, Any]:
    """The notebook of a lesson as learners get it."""
    notebook: dict[str, Any] = json.loads(
        (ROOT / "course" / name / f"{name}.ipynb").read_text(encoding="utf-8")
    )
    return notebook


def references(name: str) -> dict[str, str]:
    """The text of each exercise's cell with the reference in it."""
    cells = json.loads((ROOT / "solutions" / name / f"{name}.ipynb").read_text(encoding="utf-8"))[
        "cells"
    ]
    return {
        cell["id"]: "".join(cell["source"])
        for cell in cells
        if cell["id"] in lesson(name).exercises
    }


def written(name: str, **answers: str) -> dict[str, Any]:
    """A learner's notebook with these texts in its exercise cells; `...` alone stands for the reference."""
    notebook = learners_notebook(name)
    for cell in notebook["cells"]:
        if cell["id"] in answers:
            cell["source"] = (
                references(name)[cell["id"]]
                if answers[cell["id"]] == "..."
                else answers[cell["id"]]
            )
    return notebook


def solved(name: str) -> dict[str, Any]:
    """A learner's notebook with every reference in it."""
    return written(name, **dict.fromkeys(lesson(name).exercises, "..."))


def named(name: str, function: Any) -> Callable[..., Any]:
    """A copy of a function under another name; the function itself is the lesson's, which other tests use too."""
    return types.FunctionType(
        function.__code__, function.__globals__, name, function.__defaults__, function.__closure__
    )


def finishes(script: str, seconds: float = 120) -> str:
    """Run a script in a process of its own and return its output; it is stopped at a ceiling that only endless work meets."""
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=seconds,
    ).stdout


def copy_of_the_course(into: Path) -> Path:
    """A clone's worth of files, without the environment and what git ignores."""
    for room in ("course", "solutions"):
        shutil.copytree(
            ROOT / room, into / room, ignore=shutil.ignore_patterns("__pycache__", "progress.json")
        )
    shutil.copyfile(ROOT / "nbgrader_config.py", into / "nbgrader_config.py")
    return into

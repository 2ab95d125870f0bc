"""Give tests the real course, copies of it, and notebooks with a learner's answers."""

from __future__ import annotations

import ast
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
from grader.settings import load_settings

ROOT = Path(__file__).parent.parent
SETTINGS = load_settings(ROOT)
LESSONS = [folder.name for folder in lessons_in(ROOT)]


@cache
def lesson(name: str) -> Lesson:
    """Return a lesson of the course, read once."""
    return load_lesson(ROOT / "solutions" / name)


def learners_notebook(name: str) -> dict[str, Any]:
    """Return the notebook of a lesson as learners get it."""
    notebook: dict[str, Any] = json.loads(
        (ROOT / "course" / name / f"{name}.ipynb").read_text(encoding="utf-8")
    )
    return notebook


def references(name: str) -> dict[str, str]:
    """Return the source of each exercise's cell, with the reference."""
    solved = ROOT / "solutions" / name / f"{name}.ipynb"
    return {
        cell["id"]: "".join(cell["source"])
        for cell in json.loads(solved.read_text(encoding="utf-8"))["cells"]
        if cell["id"] in lesson(name).exercises
    }


def written(name: str, **answers: str) -> dict[str, Any]:
    """Return a learner's notebook with these answers; "..." means the reference."""
    notebook = learners_notebook(name)
    for cell in notebook["cells"]:
        if (answer := answers.get(cell["id"])) is not None:
            cell["source"] = references(name)[cell["id"]] if answer == "..." else answer
    return notebook


def solved(name: str) -> dict[str, Any]:
    """Return a learner's notebook with every reference in it."""
    return written(name, **dict.fromkeys(lesson(name).exercises, "..."))


def named(name: str, function: Any) -> Callable[..., Any]:
    """Return a copy of a function under another name; other tests use the function itself."""
    return types.FunctionType(
        function.__code__, function.__globals__, name, function.__defaults__, function.__closure__
    )


def finishes(script: str, seconds: float = 120) -> str:
    """Run a script in another process and return its output; only endless work meets the limit."""
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=seconds,
    ).stdout


STILLS = "playground/data/stills"
"""Folder of pictures that `make course` makes besides lessons."""


def copy_of_the_course(into: Path, *more: str) -> Path:
    """Copy lessons, settings and `more` folders of the course, without files that git ignores."""
    ignore = shutil.ignore_patterns("__pycache__", "progress.json")
    for folder in ("course", "solutions", *more):
        shutil.copytree(ROOT / folder, into / folder, ignore=ignore)
    for name in ("nbgrader_config.py", "pyproject.toml"):
        shutil.copyfile(ROOT / name, into / name)
    return into


def imported(text: str) -> set[str]:
    """Return the modules that a module imports, at its top or in a function, and names in them."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found

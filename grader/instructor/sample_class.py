"""`grader sample-class`: make up right, wrong, unfinished, untidy and hostile submissions."""

from __future__ import annotations

import argparse
import ast
import copy
import json
import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from inspect import getsource
from pathlib import Path
from textwrap import dedent
from types import FunctionType

from grader.author.lesson import Lesson, authors_root, load_lesson, named_lessons, role
from grader.comparison.present import count_of
from grader.comparison.schema import Function
from grader.files import atomic_write
from grader.instructor.feedback import Json, ReleasedLesson, released

KINDS = {"right": 4, "other": 4, "wrong": 8, "unfinished": 3, "untidy": 1, "hostile": 1}
"""Number of students of each kind in a class of 21."""

DUE = datetime(2026, 10, 1, 18, tzinfo=UTC)

HOSTILE = [
    "while True:\n    pass",
    "import os\nos._exit(0)",
    "import numpy as np\nnp.isclose = np.allclose = lambda *args, **kwargs: np.True_",
    "open('answers.key', 'w').write('{}')",
    "class Equal:\n    __eq__ = lambda self, other: True\n    __array__ = lambda *args: None",
    "print('x' * 10**8)",
    "import os\n[os.fork() for _ in range(5)]",
    "from IPython.display import HTML\nHTML('<script>document.title = \"taken\"</script>')",
]
"""First cells of hostile notebooks."""


def sample_class(lesson: Lesson, students: int, seed: int = 1) -> dict[str, Json | str]:
    """Return notebooks, or the text of a damaged one, by student; the name tells the kind.

    The same seed makes the same class.
    """
    rng = random.Random(seed)
    release, answers = released(lesson), _answers(lesson)
    kinds = [kind for kind, count in KINDS.items() for _ in range(count)]
    made: dict[str, Json | str] = {}
    for number in range(students):
        if number % len(kinds) == 0:
            rng.shuffle(kinds)
        kind = kinds[number % len(kinds)]
        student = f"{number + 1:04}_{kind}"
        if kind == "hostile":
            made[student] = _hostile(release, answers, number // len(kinds))
        else:
            made[student] = _honest(release, answers, kind, rng)
    return made


def submit(folder: Path, lesson: str, made: dict[str, Json | str], rng: random.Random) -> list[str]:
    """Write submissions where `nbgrader collect` puts them; return the students who had none."""
    new = []
    for student, notebook in made.items():
        path = folder / student / lesson / f"{lesson}.ipynb"
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        time = DUE - timedelta(minutes=rng.randrange(7 * 24 * 60))
        atomic_write(path.with_name("timestamp.txt"), time.strftime("%Y-%m-%d %H:%M:%S UTC"))
        text = notebook if isinstance(notebook, str) else json.dumps(notebook, ensure_ascii=False)
        atomic_write(path, text)
        new.append(student)
    return new


@dataclass(frozen=True)
class _Answers:
    """An author's answers to an exercise, as the text of a learner's cell."""

    reference: str
    others: list[str]
    misconceptions: list[str]


def _answers(lesson: Lesson) -> dict[str, _Answers]:
    """Return the answers to each exercise."""
    module = ast.parse((lesson.folder / "exercises.py").read_text(encoding="utf-8"))
    declared = lesson.exercises.keys() | lesson.questions.keys()
    helpers = [ast.unparse(node) for node in module.body if _is_helper(node, declared)]
    answers = {}
    for cell in lesson.notebook.cells:
        kind, name = role(cell)
        if kind == "exercise":
            exercise = lesson.exercises[name]
            lines = [line for line in cell.source.split("\n") if "###" not in line]
            wrong = [one.function for one in exercise.misconceptions]
            others = _texts(name, exercise.right_answers, helpers)
            answers[name] = _Answers("\n".join(lines), others, _texts(name, wrong, helpers))
    return answers


def _texts(name: str, functions: list[Function], helpers: list[str]) -> list[str]:
    """Return functions under the exercise's name, after the helpers of their module."""
    texts = []
    for function in functions:
        if isinstance(function, FunctionType):
            (node,) = ast.parse(dedent(getsource(function))).body
            if isinstance(node, ast.FunctionDef):
                node.decorator_list = []
                text = re.sub(rf"\b{node.name}\b", name, ast.unparse(node))
                texts.append("\n".join([*helpers, text]))
    return texts


def _is_helper(node: ast.stmt, declared: set[str]) -> bool:
    """Return whether a statement of exercises.py is an import, a function or a constant."""
    match node:
        case ast.Import() | ast.ClassDef() | ast.FunctionDef(decorator_list=[]):
            return True
        case ast.ImportFrom(module=module):
            return module != "grader"
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name not in declared
    return False


def _unknown(name: str, reference: str) -> str:
    """Return a wrong answer that no lesson knows: 2 minus the reference's result."""
    return (
        f"import functools\n\n{reference}\n\n_right = {name}\n\n"
        f"@functools.wraps(_right)\ndef {name}(*inputs):\n    return 2 - _right(*inputs)\n"
    )


def _notebook(release: ReleasedLesson, answers: dict[str, str]) -> Json:
    """Return the lesson's notebook with these answers in it."""
    cells = copy.deepcopy(list(release.cells.values()))
    for cell in cells:
        cell["source"] = answers.get(cell["id"], "".join(cell["source"]))
    return {"cells": cells, "metadata": release.metadata, "nbformat": 4, "nbformat_minor": 5}


def _honest(
    release: ReleasedLesson, known: dict[str, _Answers], kind: str, rng: random.Random
) -> Json:
    answers = {name: one.reference for name, one in known.items()}
    names = list(answers)
    if kind == "other":
        answers |= {name: rng.choice(one.others) for name, one in known.items() if one.others}
    if kind == "wrong":
        for name in rng.sample(names, rng.randint(1, min(3, len(names)))):
            wrong = known[name].misconceptions if rng.random() < 0.8 else []
            answers[name] = rng.choice(wrong or [_unknown(name, answers[name])])
    if kind == "unfinished":
        answers = {name: answers[name] for name in names[: rng.randrange(len(names))]}
    notebook = _notebook(release, answers)
    if kind == "untidy":
        cells = notebook["cells"]
        stub = f"{answers[names[0]].splitlines()[0]}\n    raise NotImplementedError()"
        cells.append({**cells[0], "cell_type": "code", "id": "pasted", "source": stub})
        if rng.random() < 0.5:  # as an editor that saves only text
            notebook["cells"] = [{**cell, "metadata": {}, "id": ""} for cell in cells]
    return notebook


def _hostile(release: ReleasedLesson, known: dict[str, _Answers], number: int) -> Json | str:
    """Return a hostile notebook; of three, one is damaged and one has forged outputs.

    All answers but the last are right: the points show that an attack gains and costs nothing.
    """
    if number % 3 == 1:
        return '{"cells": [{"cell_type": "code", "source": ["def '
    answers = {name: one.reference for name, one in list(known.items())[:-1]}
    notebook = _notebook(release, answers)
    cells = notebook["cells"]
    if number % 3 == 2:
        data = {"text/plain": "99", "text/html": "<script>alert(1)</script>"}
        forged = {"output_type": "execute_result", "execution_count": 1, "metadata": {}}
        for cell in cells:
            if cell["id"].startswith("check-"):
                cell["outputs"] = [{**forged, "data": data}]
                cell["metadata"] = {**cell["metadata"], "tags": ["setup"]}
        return notebook
    code: Json = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    source = HOSTILE[number // 3 % len(HOSTILE)]
    text = "<img src=x onerror=\"document.title='taken'\">"
    markdown = {"cell_type": "markdown", "id": "text", "metadata": {}, "source": text}
    return {**notebook, "cells": [{**code, "id": "first", "source": source}, markdown, *cells]}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `sample-class`."""
    does = "write right, wrong, unfinished, untidy and hostile submissions to class/submitted"
    parser = subparsers.add_parser("sample-class", help=does)
    parser.add_argument("lesson", metavar="LESSON")
    parser.add_argument("--students", type=int, default=21, help="number of students (21)")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from grader.instructor.gradebook import course_directory

    root = authors_root(Path.cwd())
    lesson = load_lesson(named_lessons(root, [arguments.lesson])[0])
    coursedir = course_directory(root)
    folder = Path(coursedir.format_path(coursedir.submitted_directory, "x", "x")).parents[1]
    made = sample_class(lesson, arguments.students)
    new = submit(folder, lesson.name, made, random.Random(1))
    wrote = f"Wrote {count_of(len(new), 'submission')} of {lesson.name}"
    print(f"{wrote}; {len(made) - len(new)} were there. Next: grader autograde {lesson.name}")
    return 0

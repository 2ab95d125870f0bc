"""`grader sample-class`: make up right, wrong, unfinished, untidy and hostile submissions."""

from __future__ import annotations

import argparse
import ast
import copy
import json
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from grader.author.lesson import Lesson, LessonError, authors_root, load_lesson, named_lessons, role
from grader.comparison.present import count_of
from grader.comparison.schema import Function
from grader.files import atomic_write
from grader.instructor.feedback import ReleasedLesson, released

Notebook = dict[str, Any]

KINDS = {"right": 4, "other": 4, "wrong": 8, "unfinished": 3, "untidy": 1, "hostile": 1}
"""Number of students of each kind in a class of 21."""

KNOWN_SHARE = 0.8
"""Share of the wrong answers that are misconceptions of the lesson."""

DUE = datetime(2026, 10, 1, 18, tzinfo=UTC)

HOSTILE = [
    "while True:\n    pass",
    "import os\nos._exit(0)",
    "import numpy as np\nnp.isclose = np.allclose = lambda *args, **kwargs: np.True_",
    "open('answers.json', 'w').write('{}')",
    "class Equal:\n    __eq__ = lambda self, other: True\n    __array__ = lambda *args: None",
    "print('x' * 10**8)",
    "import os\n[os.fork() for _ in range(5)]",
    "from IPython.display import HTML\nHTML('<script>document.title = \"taken\"</script>')",
]
"""First cells of hostile notebooks."""


def sample_class(
    root: Path, lesson: Lesson, students: int, seed: int = 1
) -> dict[str, Notebook | str]:
    """Return notebooks, or the text of a damaged one, by student; the name tells the kind.

    The same seed makes the same class.
    """
    rng = random.Random(seed)
    release, answers = released(root, lesson), _Answers(lesson)
    kinds = [kind for kind, count in KINDS.items() for _ in range(count)]
    made: dict[str, Notebook | str] = {}
    for number in range(students):
        if number % len(kinds) == 0:
            rng.shuffle(kinds)
        kind = kinds[number % len(kinds)]
        hostile = number // len(kinds)
        made[f"{number + 1:04}_{kind}"] = (
            _hostile(release, answers, hostile)
            if kind == "hostile"
            else _honest(release, answers, kind, rng)
        )
    return made


def submit(
    folder: Path, lesson: str, made: dict[str, Notebook | str], rng: random.Random
) -> list[str]:
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


class _Answers:
    """An author's answers as the text of a learner's cells, by exercise.

    Attributes:
        right: the reference.
        others: other right answers.
        wrong: misconceptions.
    """

    def __init__(self, lesson: Lesson) -> None:
        module = ast.parse((lesson.folder / "exercises.py").read_text(encoding="utf-8"))
        declared = lesson.exercises.keys() | lesson.questions.keys()
        self.helpers = [node for node in module.body if _is_helper(node, declared)]
        self.functions = {
            min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]): node
            for node in ast.walk(module)
            if isinstance(node, ast.FunctionDef)
        }
        self.right = {
            role(cell)[1]: "\n".join(line for line in cell.source.split("\n") if "###" not in line)
            for cell in lesson.notebook.cells
            if role(cell)[0] == "exercise"
        }
        self.others = {
            name: self._texts(name, exercise.right_answers)
            for name, exercise in lesson.exercises.items()
        }
        self.wrong = {
            name: self._texts(name, [one.function for one in exercise.misconceptions])
            for name, exercise in lesson.exercises.items()
        }

    def unknown(self, name: str) -> str:
        """Return a wrong answer that no lesson knows: 2 minus the reference's result."""
        return (
            f"import functools\n\n{self.right[name]}\n\n_right = {name}\n\n"
            f"@functools.wraps(_right)\ndef {name}(*inputs):\n    return 2 - _right(*inputs)\n"
        )

    def _texts(self, name: str, functions: list[Function]) -> list[str]:
        """Return functions under the exercise's name, with the helpers of their module."""
        texts = []
        for function in functions:
            code = getattr(function, "__code__", None)
            if node := self.functions.get(code.co_firstlineno) if code else None:
                own = copy.copy(node)
                own.decorator_list = []
                text = re.sub(rf"\b{node.name}\b", name, ast.unparse(own))
                texts.append("\n".join([*map(ast.unparse, self.helpers), text]))
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


def _notebook(release: ReleasedLesson, answers: dict[str, str]) -> Notebook:
    """Return the lesson's notebook with these answers in it."""
    cells = copy.deepcopy(list(release.cells.values()))
    for cell in cells:
        cell["source"] = answers.get(cell["id"], "".join(cell["source"]))
    return {"cells": cells, "metadata": release.metadata, "nbformat": 4, "nbformat_minor": 5}


def _honest(release: ReleasedLesson, texts: _Answers, kind: str, rng: random.Random) -> Notebook:
    answers = dict(texts.right)
    names = list(answers)
    if kind == "other":
        answers |= {name: rng.choice(others) for name, others in texts.others.items() if others}
    if kind == "wrong":
        for name in rng.sample(names, rng.randint(1, min(3, len(names)))):
            known = texts.wrong[name] if rng.random() < KNOWN_SHARE else []
            answers[name] = rng.choice(known or [texts.unknown(name)])
    if kind == "unfinished":
        answers = {name: answers[name] for name in names[: rng.randrange(len(names))]}
    notebook = _notebook(release, answers)
    if kind == "untidy":
        rng.choice(UNTIDY)(notebook["cells"], names)
    return notebook


def _drop_metadata(cells: list[Notebook], names: list[str]) -> None:
    """Leave only text, as some editors do."""
    for cell in cells:
        cell["metadata"] = {}
        cell.pop("id")


def _paste_stub(cells: list[Notebook], names: list[str]) -> None:
    stub = next(cell for cell in cells if cell["id"] == names[0])
    text = f"{stub['source'].splitlines()[0]}\n    raise NotImplementedError()"
    cells.append({**stub, "id": "pasted", "source": text})


def _copy_answer(cells: list[Notebook], names: list[str]) -> None:
    """Copy a cell with its metadata, as JupyterLab does."""
    cells.append({**next(cell for cell in cells if cell["id"] == names[-1]), "id": "copied"})


def _delete_check(cells: list[Notebook], names: list[str]) -> None:
    cells[:] = [cell for cell in cells if cell["id"] != f"check-{names[0]}"]


UNTIDY: list[Callable[[list[Notebook], list[str]], None]] = [
    _drop_metadata,
    _paste_stub,
    _copy_answer,
    _delete_check,
]


def _hostile(release: ReleasedLesson, texts: _Answers, number: int) -> Notebook | str:
    """Return a hostile notebook; of three, one is damaged and one has forged outputs.

    All answers but the last are right: the points show that an attack gains and costs nothing.
    """
    if number % 3 == 1:
        return '{"cells": [{"cell_type": "code", "source": ["def '
    notebook = _notebook(release, dict(list(texts.right.items())[:-1]))
    code: Notebook = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    if number % 3 == 2:
        data = {"text/plain": "99", "text/html": "<script>alert(1)</script>"}
        forged = {"output_type": "execute_result", "execution_count": 1, "metadata": {}}
        for cell in notebook["cells"]:
            if cell["id"].startswith("check-"):
                cell["outputs"] = [{**forged, "data": data}]
                cell["metadata"] = {**cell["metadata"], "tags": ["setup"]}
        return notebook
    source = HOSTILE[number // 3 % len(HOSTILE)]
    text = "<img src=x onerror=\"document.title='taken'\">"
    notebook["cells"][:0] = [
        {**code, "id": "first", "source": source},
        {"cell_type": "markdown", "id": "text", "metadata": {}, "source": text},
    ]
    return notebook


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `sample-class`."""
    parser = subparsers.add_parser(
        "sample-class",
        help="write right, wrong, unfinished, untidy and hostile submissions to class/submitted",
    )
    parser.add_argument("lesson", metavar="LESSON")
    parser.add_argument("--students", type=int, default=21, help="number of students (21)")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes another class")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from grader.instructor.gradebook import course_directory

    root = authors_root(Path.cwd())
    lesson = load_lesson(named_lessons(root, [arguments.lesson])[0])
    if arguments.students < 1:
        raise LessonError("A class has at least one student: give --students a number from 1.")
    coursedir = course_directory(root)
    folder = Path(coursedir.format_path(coursedir.submitted_directory, "x", "x")).parents[1]
    made = sample_class(root, lesson, arguments.students, arguments.seed)
    new = submit(folder, lesson.name, made, random.Random(arguments.seed))
    print(
        f"Wrote {count_of(len(new), 'submission')} of {lesson.name}; "
        f"{len(made) - len(new)} were there. Next: grader autograde {lesson.name}"
    )
    return 0

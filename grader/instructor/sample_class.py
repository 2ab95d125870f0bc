"""Make up a class of right, wrong, unfinished, untidy and hostile notebooks."""

from __future__ import annotations

import argparse
import ast
import copy
import json
import random
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from grader.author.lesson import Lesson, LessonError, authors_root, load_lesson, named_lessons, role
from grader.comparison.schema import Function
from grader.instructor.feedback import Released, released

Notebook = dict[str, Any]

KINDS = {"right": 4, "other": 4, "wrong": 8, "unfinished": 3, "untidy": 1, "hostile": 1}
"""Kinds of students, with how many there are of each in a class of 21."""

KNOWN = 0.8
"""Share of the wrong answers that are misconceptions of the lesson."""

HANDED_IN = datetime(2026, 10, 1, 18, tzinfo=UTC)


def sample_class(
    root: Path, lesson: Lesson, students: int, seed: int = 1
) -> dict[str, Notebook | str]:
    """Notebooks by student; the name says of which kind a student is. A text is what was handed in instead of a notebook.

    The same seed makes the same class.
    """
    rng = random.Random(seed)
    notebook, texts = released(root, lesson), _Texts(lesson)
    kinds = [kind for kind, count in KINDS.items() for _ in range(count)]
    made: dict[str, Notebook | str] = {}
    hostile = 0
    for number in range(students):
        if number % len(kinds) == 0:
            rng.shuffle(kinds)
        kind = kinds[number % len(kinds)]
        if kind == "hostile":
            made[f"{number + 1:04}_{kind}"] = _hostile(notebook, texts, hostile)
            hostile += 1
        else:
            made[f"{number + 1:04}_{kind}"] = _honest(notebook, texts, kind, rng)
    return made


def hand_in(
    folder: Path, lesson: str, made: dict[str, Notebook | str], rng: random.Random
) -> list[str]:
    """Put notebooks where `nbgrader collect` puts them; who has handed in before keeps that. Returns who is new."""
    new = []
    for student, notebook in made.items():
        place = folder / student / lesson
        if place.exists():
            continue
        half = place.with_name(
            f".{lesson}.half"
        )  # in its place all at once, so that a full disk or a kill leaves no half hand-in
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        text = (
            notebook
            if isinstance(notebook, str)
            else json.dumps(notebook, ensure_ascii=False, indent=1)
        )
        (half / f"{lesson}.ipynb").write_text(text, encoding="utf-8")
        handed_in = HANDED_IN - timedelta(minutes=rng.randrange(7 * 24 * 60))
        (half / "timestamp.txt").write_text(
            handed_in.strftime("%Y-%m-%d %H:%M:%S UTC"), encoding="utf-8"
        )
        half.rename(place)
        new.append(student)
    return new


class _Texts:
    """An author's functions as a learner would have written them into a cell."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.module = ast.parse((lesson.folder / "exercises.py").read_text(encoding="utf-8"))
        functions = (node for node in ast.walk(self.module) if isinstance(node, ast.FunctionDef))
        self.functions = {
            min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]): node
            for node in functions
        }
        self.top = {name: node for node in self.module.body for name in _bound(node)}
        self.references = dict(self._references())

    def reference(self, name: str) -> str:
        """The reference's cell."""
        return self.references[name]

    def others(self, name: str) -> list[str]:
        """The other right answers."""
        return self._all(name, self.lesson.exercises[name].right_answers)

    def misconceptions(self, name: str) -> list[str]:
        """The wrong answers."""
        return self._all(name, [one.function for one in self.lesson.exercises[name].misconceptions])

    def unknown(self, name: str) -> str:
        """A wrong answer that the lesson doesn't know: the reference, but it returns 2 minus everything."""
        tree = ast.parse(self.reference(name))
        function = next(
            node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name
        )
        function.body = [_FromTwo().visit(node) for node in function.body]
        return ast.unparse(ast.fix_missing_locations(tree))

    def _references(self) -> Iterator[tuple[str, str]]:
        for cell in self.lesson.notebook.cells:
            kind, name = role(cell)
            if kind == "exercise":
                yield (
                    name,
                    "\n".join(line for line in cell.source.splitlines() if "### " not in line),
                )

    def _all(self, name: str, functions: list[Function]) -> list[str]:
        return [text for function in functions if (text := self._standalone(name, function))]

    def _standalone(self, name: str, function: Function) -> str | None:
        """A function under the exercise's name, with what it needs of its module; None where it has no definition of its own."""
        code = getattr(function, "__code__", None)
        node = self.functions.get(code.co_firstlineno) if code else None
        if node is None:
            return None
        renamed = _Renamed(node.name, name).visit(copy.deepcopy(node))
        needed = self._needed(node)
        return "\n".join(
            ast.unparse(one)
            for one in (*(other for other in self.module.body if other in needed), renamed)
        )

    def _needed(self, node: ast.FunctionDef) -> set[ast.AST]:
        """The imports, helpers and constants of the module that a function uses, directly or not; its decorators are an author's."""
        found: set[ast.AST] = set()
        waiting: list[ast.AST] = [node.args, *node.body]
        while waiting:
            names = {inner.id for inner in ast.walk(waiting.pop()) if isinstance(inner, ast.Name)}
            more = {self.top[name] for name in names & self.top.keys()} - found - {node}
            found |= more
            waiting.extend(more)
        return found


class _Renamed(ast.NodeTransformer):
    """Renames a function and its calls of itself, and takes its decorators away."""

    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if node.name == self.old:
            node.name, node.decorator_list = self.new, []
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.new, node.ctx) if node.id == self.old else node


class _FromTwo(ast.NodeTransformer):
    """Takes what a function returns from 2, and leaves functions inside it alone."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        return ast.Return(ast.BinOp(ast.Constant(2), ast.Sub(), node.value)) if node.value else node


def _bound(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name, decorator_list=[]) | ast.ClassDef(name=name):
            return [name]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [alias.asname or alias.name for alias in names]
        case ast.Assign(targets=[ast.Name(id=name)]):
            return [name]
    return []


def _notebook(lesson: Released, answers: dict[str, str]) -> Notebook:
    """What a learner hands in: the lesson's cells with these answers in them."""
    cells = copy.deepcopy(list(lesson.cells.values()))
    for cell in cells:
        cell["source"] = answers.get(cell["id"], "".join(cell["source"]))
    return {"cells": cells, "metadata": lesson.metadata, "nbformat": 4, "nbformat_minor": 5}


def _honest(lesson: Released, texts: _Texts, kind: str, rng: random.Random) -> Notebook:
    names = list(texts.references)
    answers = {name: texts.reference(name) for name in names}
    if kind == "other":
        answers |= {name: rng.choice(others) for name in names if (others := texts.others(name))}
    if kind == "wrong":
        for name in rng.sample(names, rng.randint(1, min(3, len(names)))):
            known = rng.random() < KNOWN and texts.misconceptions(name)
            answers[name] = rng.choice(known) if known else texts.unknown(name)
    if kind == "unfinished":
        answers = {name: answers[name] for name in names[: rng.randrange(len(names))]}
    notebook = _notebook(lesson, answers)
    return rng.choice(UNTIDY)(notebook, names) if kind == "untidy" else notebook


def _without_metadata(notebook: Notebook, names: list[str]) -> Notebook:
    """Saved by a tool that keeps only text."""
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        cell.pop("id")
    return {**notebook, "nbformat_minor": 4}


def _stub_pasted_below(notebook: Notebook, names: list[str]) -> Notebook:
    stub = next(cell for cell in notebook["cells"] if cell["id"] == names[0])
    text = f"{stub['source'].splitlines()[0]}\n    raise NotImplementedError()"
    return {**notebook, "cells": [*notebook["cells"], {**stub, "id": "pasted", "source": text}]}


def _answer_copied(notebook: Notebook, names: list[str]) -> Notebook:
    """One cell twice, with its metadata, as copy and paste in an editor leaves it."""
    original = next(cell for cell in notebook["cells"] if cell["id"] == names[-1])
    return {**notebook, "cells": [*notebook["cells"], {**original, "id": "copied"}]}


def _check_deleted(notebook: Notebook, names: list[str]) -> Notebook:
    return {
        **notebook,
        "cells": [cell for cell in notebook["cells"] if cell["id"] != f"check-{names[0]}"],
    }


UNTIDY: list[Callable[[Notebook, list[str]], Notebook]] = [
    _without_metadata,
    _stub_pasted_below,
    _answer_copied,
    _check_deleted,
]

HOSTILE: list[str] = [
    "while True:\n    pass",
    "import os\nos._exit(0)",
    "import numpy as np\nnp.isclose = np.allclose = lambda *args, **kwargs: np.True_",
    "open('answers.json', 'w').write('{}')",
    "class Equal:\n    __eq__ = lambda self, other: True\n    __array__ = lambda self, *args, **kwargs: None",
    "print('x' * 10**8)",
    "import os\n[os.fork() for _ in range(5)]",
    "from IPython.display import HTML\nHTML('<script>document.title = \"taken\"</script>')",
]
"""First cells of hostile notebooks."""


def _hostile(lesson: Released, texts: _Texts, number: int) -> Notebook | str:
    """One hostile notebook after the other; each third hand-in is damaged or forged instead.

    All but the last of their answers are right, so the points show both that an attack gains nothing and that it costs nothing.
    """
    if number % 3 == 1:
        return '{"cells": [{"cell_type": "code", "source": ["def '
    notebook = _notebook(
        lesson, {name: texts.reference(name) for name in list(texts.references)[:-1]}
    )
    if number % 3 == 2:
        forged = {
            "output_type": "execute_result",
            "execution_count": 1,
            "data": {"text/plain": "99", "text/html": "<script>alert(1)</script>"},
            "metadata": {},
        }
        for cell in notebook["cells"]:
            if cell["id"].startswith("check-"):
                cell["outputs"], cell["metadata"] = (
                    [forged],
                    {**cell["metadata"], "tags": ["setup"]},
                )
        return notebook
    source = HOSTILE[number // 3 % len(HOSTILE)]
    cell = {
        "cell_type": "code",
        "id": "first",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": source,
    }
    text = {
        "cell_type": "markdown",
        "id": "text",
        "metadata": {},
        "source": "<img src=x onerror=\"document.title='taken'\">",
    }
    return {**notebook, "cells": [cell, text, *notebook["cells"]]}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `sample-class`."""
    parser = subparsers.add_parser(
        "sample-class",
        help="make up a class of right, wrong, unfinished, untidy and hostile notebooks under class/submitted",
    )
    parser.add_argument("lesson", metavar="LESSON")
    parser.add_argument("--students", type=int, default=21, help="how many (21)")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes another class")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from grader.instructor.gradebook import course_directory

    root = authors_root(Path.cwd())
    lesson = load_lesson(named_lessons(root, [arguments.lesson])[0])
    if arguments.students < 1:
        raise LessonError("a class has at least one student; give --students a number from 1")
    coursedir = course_directory(root)
    folder = Path(coursedir.format_path(coursedir.submitted_directory, "x", "x")).parent.parent
    made = sample_class(root, lesson, arguments.students, arguments.seed)
    new = hand_in(folder, lesson.name, made, random.Random(arguments.seed))
    print(
        f"{len(new)} students handed in {lesson.name}; {len(made) - len(new)} had done so before. Next: grader autograde {lesson.name}"
    )
    return 0

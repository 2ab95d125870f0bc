"""Read the answers of a notebook, and find those that are copies of a finished function."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from dataclasses import dataclass

from grader.author.lesson import Lesson
from grader.execution.cell_facts import parsed
from grader.execution.notebook import cells_of, load_notebook
from grader.execution.submission import Template
from grader.instructor.feedback import answer_number


@dataclass(frozen=True)
class Code:
    """A learner's cell for one exercise; `copied` if its function is a finished one."""

    source: str
    copied: bool


def read_code(known: Template, finished: Mapping[str, str], data: bytes) -> dict[str, Code]:
    """Return a notebook's cells by exercise; `finished` has the form of each finished function.

    Raises:
        UnreadableNotebook: it is no notebook.
    """
    cells = cells_of(load_notebook(data))
    numbers = {name: answer_number(known, cells, name) for name in known.exercises}
    sources = {name: cells[one].source for name, one in numbers.items() if one is not None}
    return {
        name: Code(source, finished.get(name, "") in forms_in(source, name))
        for name, source in sources.items()
    }


def finished_forms(lesson: Lesson) -> dict[str, str]:
    """Return the form of each exercise's finished function, which learners could copy.

    One that is written like the reference is left out: an honest answer may look the same.
    """
    root = lesson.settings.root
    files = [root / f"{module.replace('.', '/')}.py" for module in lesson.settings.hidden]
    known = "\n".join(file.read_text(encoding="utf-8") for file in files if file.is_file())
    references = "\n".join(cell.source for cell in lesson.notebook.cells)
    return {
        name: form
        for name in lesson.exercises
        for form in forms_in(known, name)
        if form not in forms_in(references, name)
    }


def forms_in(source: str, name: str) -> list[str]:
    """Return the syntax tree of each function `name`, as a text without names and comments."""
    tree = parsed(source)
    found = [node for node in (tree.body if tree else []) if isinstance(node, ast.FunctionDef)]
    return [ast.dump(_Nameless().visit(copy.deepcopy(one))) for one in found if one.name == name]


class _Nameless(ast.NodeTransformer):
    """Replaces names by numbers in the order in which they appear; drops what only describes."""

    def __init__(self) -> None:
        self.numbers: dict[str, str] = {}

    def _number(self, name: str) -> str:
        return self.numbers.setdefault(name, str(len(self.numbers)))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name, node.returns, node.decorator_list = self._number(node.name), None, []
        if ast.get_docstring(node) is not None and len(node.body) > 1:
            del node.body[0]
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg, node.annotation = self._number(node.arg), None
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._number(node.id)
        return node

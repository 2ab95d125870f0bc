"""A learner's function as a syntax tree: questions about it, and copies with edits."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from grader.comparison.schema import ExerciseKey
from grader.syntax import AnyNode, rebuilt, stored

MAX_QUOTE = 44
"""Most characters that a sentence quotes of the learner's own code."""

Change = tuple[ast.AST, ast.AST | list[ast.stmt]]
"""An old node and its replacement: a node, or for a statement any number of statements."""

LOOPS = (ast.For, ast.While)
FUNCTIONS = (ast.FunctionDef, ast.Lambda)


def parts_of(value: ast.expr | None) -> list[ast.expr]:
    """Return the parts of a returned tuple, or the value alone."""
    return value.elts if isinstance(value, ast.Tuple) else [] if value is None else [value]


@dataclass(frozen=True)
class Answer:
    """A learner's function, with facts from its key and its outcomes.

    Attributes:
        source: the text that `tree` was parsed from.
        tree: a module that holds function definitions only.
        function: the exercise's function in it.
        missed: kinds of property that are missed.
    """

    source: str
    tree: ast.Module
    function: ast.FunctionDef
    key: ExerciseKey
    missed: frozenset[str]

    @cached_property
    def callables(self) -> set[str]:
        """The parameters that the cases fill with functions."""
        inputs = [case["inputs"] for case in self.key["cases"]]
        given = (pair for one in inputs for pair in zip(self.params, one, strict=False))
        return {name for name, data in given if isinstance(data, dict) and "function" in data}

    @cached_property
    def raises(self) -> set[str]:
        """The names of the exceptions that the cases ask for."""
        return {case["raises"] for case in self.key["cases"] if "raises" in case}

    @cached_property
    def parent(self) -> dict[ast.AST, ast.AST]:
        """The node around each node."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes."""
        return [*ast.walk(self.tree)]

    @cached_property
    def params(self) -> list[str]:
        """The parameters of the function."""
        return [arg.arg for arg in self.function.args.args]

    @cached_property
    def arrays(self) -> list[str]:
        """The parameters that are no functions."""
        return [name for name in self.params if name not in self.callables]

    @cached_property
    def read(self) -> frozenset[str]:
        """Names that are read anywhere."""
        return frozenset(node.id for node in self.of(ast.Name) if isinstance(node.ctx, ast.Load))

    @property
    def first(self) -> ast.stmt:
        """The first statement after the docstring."""
        has_text = ast.get_docstring(self.function) is not None
        return self.function.body[has_text and len(self.function.body) > 1]

    def of(self, kind: type[AnyNode]) -> Iterator[AnyNode]:
        """Yield the nodes of a kind."""
        return (node for node in self.nodes if isinstance(node, kind))

    def edited(self, changes: Iterable[Change]) -> ast.Module:
        """Return the tree with changes made."""
        by_node = dict(changes)
        touched = {one for node in by_node for one in [node, *self.around(node)]}
        tree: ast.Module = rebuilt(self.tree, by_node, self.parent.keys() - touched)
        return tree

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the nodes around a node, the innermost first."""
        while inside := self.parent.get(node):
            node = inside
            yield node

    def statement(self, node: ast.AST) -> ast.stmt:
        """Return the statement that a node is part of."""
        return next(one for one in [node, *self.around(node)] if isinstance(one, ast.stmt))

    def loops(self, node: ast.AST) -> list[ast.For | ast.While]:
        """Return the loops around a node in its function, the innermost first."""
        inside = itertools.takewhile(
            lambda one: one is not self.function_of(node), self.around(node)
        )
        return [one for one in inside if isinstance(one, LOOPS)]

    def function_of(self, node: ast.AST) -> ast.AST | None:
        """Return the function that a node is in."""
        return next((one for one in self.around(node) if isinstance(one, FUNCTIONS)), None)

    def scope(self, node: ast.AST) -> list[str]:
        """Return the parameters and the variables of the functions around a node."""
        around = [one for one in self.around(node) if isinstance(one, FUNCTIONS)]
        params = [arg.arg for one in around for arg in one.args.args]
        return list(dict.fromkeys([*params, *(name for one in around for name in stored(one))]))

    def values(self) -> Iterator[ast.expr]:
        """Yield the expressions that are an intermediate result, each once."""
        found: list[ast.expr] = []
        for node in self.nodes:
            if isinstance(node, (ast.Return, ast.Assign, ast.AugAssign)):
                found += parts_of(node.value)
            elif isinstance(node, ast.BinOp):
                found += [node.left, node.right]
            elif isinstance(node, ast.Call):
                found += node.args
            elif isinstance(node, ast.Lambda):
                found.append(node.body)
        skipped = (ast.Constant, ast.List, ast.Tuple, ast.Lambda, ast.Starred, ast.GeneratorExp)
        return (node for node in dict.fromkeys(found) if not isinstance(node, skipped))

    def quote(self, node: ast.AST) -> str:
        """Return the learner's own text of a node; of a compound statement its first line."""
        text = ast.get_source_segment(self.source, node) or ""
        if isinstance(node, (*LOOPS, ast.If, ast.FunctionDef)):
            text = text.partition("\n")[0]
        text = " ".join(text.split())
        return f"`{text if len(text) <= MAX_QUOTE else text[: MAX_QUOTE - 1].rstrip() + '…'}`"


@dataclass(frozen=True)
class Edit:
    """An edit of an answer, and the sentence about the mistake that it repairs.

    Edits of one `group` are also made all at once. A `rank` replaces the operator's own.
    """

    sentence: str
    changes: list[Change]
    group: str = ""
    rank: float = 0.0
    mistake: str = ""  # the name of the operator or the rule

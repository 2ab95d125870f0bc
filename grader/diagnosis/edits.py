"""A learner's function as a syntax tree: questions about it, and copies with edits."""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, TypeVar

from grader.comparison.schema import ExerciseKey

MAX_QUOTE = 44
"""Most characters that a sentence quotes of the learner's own code."""

Change = tuple[ast.AST, ast.AST | list[ast.stmt]]
"""An old node and its replacement: a node, or for a statement any number of statements."""
AnyNode = TypeVar("AnyNode", bound=ast.AST)

LOOPS = (ast.For, ast.While)
FUNCTIONS = (ast.FunctionDef, ast.Lambda)


def rebuilt(node: Any, changes: Mapping[ast.AST, Any], keep: Container[ast.AST] = ()) -> Any:
    """Return a tree with changes made, also inside of new nodes; the old tree stays.

    What is in `keep` is known to hold no change.
    """
    if isinstance(node, list):
        new = [rebuilt(item, changes, keep) for item in node]
        return [one for item in new for one in (item if isinstance(item, list) else [item])]
    if not isinstance(node, ast.AST) or node in keep:
        return node
    if node in changes:
        rest = {old: new for old, new in changes.items() if old is not node}
        return rebuilt(changes[node], rest, keep) if rest else changes[node]
    fields = {name: rebuilt(value, changes, keep) for name, value in ast.iter_fields(node)}
    if fields.get("body") == [] and not isinstance(node, ast.Module):
        fields["body"] = [ast.Pass()]
    return ast.copy_location(type(node)(**fields), node)


@cache
def _parsed(template: str) -> list[ast.stmt]:
    return ast.parse(template).body


def expression(template: str, **parts: ast.AST) -> ast.expr:
    """Return the expression of a template, with nodes in place of its names."""
    (line,) = statements(template, **parts)
    assert isinstance(line, ast.Expr)
    return line.value


def statements(template: str, **parts: ast.AST) -> list[ast.stmt]:
    """Return the statements of a template, with nodes in place of its names."""
    lines = _parsed(template)
    names = [node for line in lines for node in ast.walk(line) if isinstance(node, ast.Name)]
    found: list[ast.stmt] = rebuilt(
        lines, {node: parts[node.id] for node in names if node.id in parts}
    )
    return found


def with_fields(node: AnyNode, **fields: Any) -> AnyNode:
    """Return a copy of a node with other fields."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def last_name(node: ast.AST) -> str:
    """Return the last part of a dotted name: `exp` for np.exp; empty for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def called(node: ast.AST | None) -> str:
    """Return the last part of a called function's name; empty if the node is no call."""
    return last_name(node.func) if isinstance(node, ast.Call) else ""


def number(node: ast.AST | None) -> float | None:
    """Return the value of a number in the code, or None."""
    try:
        value = ast.literal_eval(node) if node else None
    except (ValueError, TypeError, SyntaxError):
        return None
    return value if type(value) in (int, float) else None


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

    def all_loops(self) -> list[ast.For | ast.While]:
        """Return all loops."""
        return [*self.of(ast.For), *self.of(ast.While)]

    def block(self, node: ast.stmt) -> list[ast.stmt]:
        """Return the statements among which a statement is."""
        parent = self.parent[node]
        blocks = (getattr(parent, name, None) for name in ("body", "orelse"))
        return next((one for one in blocks if isinstance(one, list) and node in one), [])

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
class Site:
    """A place where an operator applies: the sentence, the edit, its group and its rank.

    Sites of one `group` are also edited all at once. `rank` replaces the operator's own.
    """

    sentence: str
    changes: list[Change]
    group: str = ""
    rank: float | None = None


def stored(node: ast.AST) -> list[str]:
    """Return the names that are assigned in a node, each once."""
    names = [one for one in ast.walk(node) if isinstance(one, ast.Name)]
    return list(dict.fromkeys(one.id for one in names if isinstance(one.ctx, ast.Store)))


def names_in(node: ast.AST) -> set[str]:
    """Return the names in a node."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}

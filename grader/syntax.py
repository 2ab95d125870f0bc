"""Syntax trees of Python: questions about nodes, templates, and copies with changes."""

from __future__ import annotations

import ast
import copy
from collections.abc import Container, Mapping
from functools import cache
from typing import Any, TypeVar

AnyNode = TypeVar("AnyNode", bound=ast.AST)


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


def stored(node: ast.AST) -> list[str]:
    """Return the names that are assigned in a node, each once."""
    names = [one for one in ast.walk(node) if isinstance(one, ast.Name)]
    return list(dict.fromkeys(one.id for one in names if isinstance(one.ctx, ast.Store)))


def names_in(node: ast.AST) -> set[str]:
    """Return the names in a node."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def form(source: str, name: str) -> str | None:
    """Return the syntax tree of a function, without its docstring, as text; None without one."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    for function in (one for one in body if isinstance(one, ast.FunctionDef) and one.name == name):
        has_text = ast.get_docstring(function) is not None
        return ast.dump(with_fields(function, body=function.body[has_text:]))
    return None

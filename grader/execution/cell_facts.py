"""Parse a cell to find the names that it defines and checks."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache

from grader.execution.notebook import MAX_SOURCES

MAX_KEPT = 20_000
"""Most characters of a cell whose facts are cached for the whole class."""

MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)
"""A magic or shell line of IPython."""


@dataclass(frozen=True)
class Facts:
    """The names in a cell."""

    functions: tuple[str, ...] = ()
    """Names that it defines as functions."""
    stubs: frozenset[str] = frozenset()
    """Functions that are not written yet."""
    assigned: frozenset[str] = frozenset()
    """Names that it assigns, like ``relu = np.vectorize(one_relu)``."""
    checked: str | None = None
    """The name in a cell that only calls ``check(name)``."""


def facts(source: str) -> Facts:
    """Return the facts about a cell.

    Most cells of a class are the same, so their facts are cached; those of long cells only while
    one notebook is read.
    """
    return _cached_facts(source) if len(source) <= MAX_KEPT else _briefly_cached_facts(source)


def _read_facts(source: str) -> Facts:
    tree = parsed(source)
    if tree is None:
        return Facts()
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    targets = (
        target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets
    )
    return Facts(
        functions=tuple(functions),
        stubs=frozenset(name for name, node in functions.items() if is_unwritten(node)),
        assigned=frozenset(target.id for target in targets if isinstance(target, ast.Name)),
        checked=checked_name(source) if "check" in source else None,
    )


_cached_facts = lru_cache(maxsize=512)(_read_facts)

_briefly_cached_facts = lru_cache(maxsize=MAX_SOURCES // MAX_KEPT)(_read_facts)


def is_stub(source: str, name: str) -> bool:
    """Return whether a cell's function `name` is not written yet."""
    return name in facts(source).stubs


def checked_name(source: str) -> str | None:
    """Return the name in a cell that only calls ``check(name)``, or None."""
    match tree.body if (tree := _tree(source)) else ():
        case [ast.Expr(ast.Call(func=ast.Name(id="check"), args=[ast.Name(id=name)]))]:
            return name
    return None


def parsed(source: str) -> ast.Module | None:
    """Return a cell's syntax tree, without magics and shell lines; None if it isn't Python."""
    return _tree(source) or _tree(MAGIC.sub(r"\1pass", source))


def _tree(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            # An escape in a docstring, for example: nobody here can fix it.
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_unwritten(function: ast.FunctionDef) -> bool:
    """Return whether a function ends by raising NotImplementedError and never returns."""
    match function.body[-1]:
        case ast.Raise(
            exc=ast.Call(func=ast.Name(id="NotImplementedError"))
            | ast.Name(id="NotImplementedError")
        ):
            return not any(isinstance(node, ast.Return) for node in ast.walk(function))
    return False

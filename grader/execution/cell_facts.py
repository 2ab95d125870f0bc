"""Parse a cell to find the names that it defines and checks."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache

MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)  # a magic or shell line of IPython


@dataclass(frozen=True)
class Facts:
    """The names in a cell."""

    functions: tuple[str, ...] = ()  # names that it defines as functions
    stubs: frozenset[str] = frozenset()  # functions that are not written yet
    assigned: frozenset[str] = frozenset()  # like ``relu = np.vectorize(one_relu)``
    checked: str | None = None  # the name in a cell that only calls ``check(name)``


@lru_cache(maxsize=128)  # most cells of a class are the same; a notebook has at most 1 MB of them
def facts(source: str) -> Facts:
    """Return the facts about a cell."""
    body = tree.body if (tree := parsed(source)) else []
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    return Facts(
        functions=tuple(functions),
        stubs=frozenset(name for name, node in functions.items() if is_unwritten(node)),
        assigned=frozenset(target.id for target in targets if isinstance(target, ast.Name)),
        checked=checked_name(source) if "check" in source else None,
    )


def is_stub(source: str, name: str) -> bool:
    """Return whether a cell's function `name` is not written yet."""
    return name in facts(source).stubs


def checked_name(source: str, call: str = "check") -> str | None:
    """Return the name in a cell that only calls ``check(name)``, or None."""
    match tree.body if (tree := _tree(source)) else ():
        case [ast.Expr(ast.Call(func=ast.Name(id=called), args=[ast.Name(id=name)]))]:
            return name if called == call else None
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
    last = function.body[-1]
    raised = last.exc if isinstance(last, ast.Raise) else None
    match raised.func if isinstance(raised, ast.Call) else raised:
        case ast.Name(id="NotImplementedError"):
            return not any(isinstance(node, ast.Return) for node in ast.walk(function))
    return False

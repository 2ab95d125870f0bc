"""Read off a cell's text, without running it, which names it defines and checks."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache

from grader.execution.notebook import MAX_SOURCES

MAX_KEPT = 20_000
"""Most characters of a cell whose facts are kept for the whole class."""

MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)
"""A line that is IPython's and not Python's."""


@dataclass(frozen=True)
class Facts:
    """What can be read off a cell's text without running it.

    Attributes:
        functions: names that it defines as functions.
        stubs: those of them that are not written yet.
        assigned: names that it binds in another way, like ``relu = np.vectorize(one_relu)``.
        checked: the name in a cell that only calls ``check(name)``, or None.
    """

    functions: tuple[str, ...] = ()
    stubs: frozenset[str] = frozenset()
    assigned: frozenset[str] = frozenset()
    checked: str | None = None


def facts(source: str) -> Facts:
    """The facts about a cell; most cells of a class are the same, so they are kept, and those of long cells as long as one notebook is looked at."""
    return _kept_facts(source) if len(source) <= MAX_KEPT else _facts_kept_briefly(source)


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


_kept_facts = lru_cache(maxsize=512)(_read_facts)

_facts_kept_briefly = lru_cache(maxsize=MAX_SOURCES // MAX_KEPT)(_read_facts)


def is_stub(source: str, name: str) -> bool:
    """Whether the function `name` of a cell ends by raising NotImplementedError and returns nothing before."""
    return name in facts(source).stubs


def checked_name(source: str) -> str | None:
    """The name in a cell that does nothing but call ``check(name)``, or None."""
    match tree.body if (tree := _tree(source)) else ():
        case [ast.Expr(ast.Call(func=ast.Name(id="check"), args=[ast.Name(id=name)]))]:
            return name
    return None


def parsed(source: str) -> ast.Module | None:
    """A cell's syntax, with magics and shell lines blank; None where it is no Python."""
    return _tree(source) or _tree(MAGIC.sub(r"\1pass", source))


def _tree(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # of an escape in a docstring, say: nobody here can fix it
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_unwritten(function: ast.FunctionDef) -> bool:
    """Whether a function ends by raising NotImplementedError and returns nothing before."""
    match function.body[-1]:
        case ast.Raise(
            exc=ast.Call(func=ast.Name(id="NotImplementedError"))
            | ast.Name(id="NotImplementedError")
        ):
            return not any(isinstance(node, ast.Return) for node in ast.walk(function))
    return False

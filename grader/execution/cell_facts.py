"""Parse a cell to find the names that it defines and checks."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

MAGIC = re.compile(r"^([ \t]*)(?:[?].*|(?:[\w.]+ *= *)?[%!].*|[\w.]+\?{1,2})$", re.MULTILINE)
"""A magic or a shell line, also one whose result gets a name, or a help line of IPython."""


@dataclass(frozen=True)
class Facts:
    """The names in a cell."""

    functions: tuple[str, ...] = ()  # names that it defines as functions, also inside an `if`
    stubs: frozenset[str] = frozenset()  # functions that are not written yet
    assigned: frozenset[str] = frozenset()  # like ``relu = np.vectorize(one_relu)``
    checked: str | None = None  # the name in a cell that only imports and calls ``check(name)``
    imports: tuple[str, ...] = ()  # its imports, each as a text


@lru_cache(maxsize=128)  # most cells of a class are the same; a notebook has at most 1 MB of them
def facts(source: str) -> Facts:
    """Return the facts about a cell."""
    tree = parsed(source)
    body = [*_flat(tree.body)] if tree else []
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    lambdas = {name: None for node in body if _is_lambda(node) for name in names_bound(node)}
    return Facts(
        functions=tuple({**functions, **lambdas}),
        stubs=frozenset(name for name, node in functions.items() if is_unwritten(node)),
        assigned=frozenset(
            name
            for node in body
            if isinstance(node, (ast.Assign, ast.AnnAssign, *IMPORTS))
            for name in names_bound(node)
        ),
        checked=_checked(body) if "check" in source else None,
        imports=(*_texts(node for node in tree.body if isinstance(node, IMPORTS)),) if tree else (),
    )


def names_bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds outside the functions and classes in it."""
    found, left = set[str](), list[ast.AST]([statement])
    while left:
        match left.pop():
            case ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.ClassDef(name=name):
                found.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                found |= {one.asname or one.name.partition(".")[0] for one in names}
            case node:
                left += ast.iter_child_nodes(node)
    return found


def definitions(source: str) -> list[str]:
    """Return a cell's imports, functions and classes, each as a text: what a stopped cell keeps."""
    body = tree.body if (tree := parsed(source)) else []
    return _texts(node for node in body if any(map(_is_definition, _flat([node]))))


def imported_modules(sources: Iterable[str]) -> list[str]:
    """Return the modules that cells import anywhere, without submodules."""
    trees = [tree for source in sources if (tree := parsed(source))]
    found = []
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            found += [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return [name.partition(".")[0] for name in found]


IMPORTS = (ast.Import, ast.ImportFrom)
BLOCKS = (ast.If, ast.Try, ast.With, ast.ExceptHandler, ast.Match, ast.match_case)


def _flat(body: Iterable[Any]) -> Iterator[ast.stmt]:
    """Yield statements, and those inside `if`, `try`, `with` and `match`."""
    for node in body:
        if isinstance(node, BLOCKS):
            for part in ("body", "handlers", "cases", "orelse", "finalbody"):
                yield from _flat(getattr(node, part, []))
        else:
            yield node


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, (*IMPORTS, ast.FunctionDef, ast.ClassDef)) or _is_lambda(node)


def _texts(nodes: Iterable[ast.stmt]) -> list[str]:
    try:
        return [ast.unparse(node) for node in nodes]
    except RecursionError:
        return []


def _is_lambda(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda)


def checked_name(source: str, call: str = "check") -> str | None:
    """Return the name in a cell that only calls ``check(name)``, or None."""
    return _checked(tree.body if (tree := _tree(source)) else [], call)


def _checked(body: list[ast.stmt], call: str = "check") -> str | None:
    match [node for node in body if not isinstance(node, IMPORTS)]:
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

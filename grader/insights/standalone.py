"""A learner's cells come in; one function that needs nothing but its module's imports goes out, or a sentence on why there is none."""

from __future__ import annotations

import ast
import builtins
import copy
import symtable
from collections.abc import Iterator, Sequence

from grader.execution.facts import parsed
from grader.insights.code import unparsed, without_words

MODULES = ("numpy", "numpy.linalg", "numpy.random", "math")
"""What a learner's function may import: it is going to run unconfined, in the author's own process."""

REFUSED = {
    "open", "exec", "eval", "compile", "input", "breakpoint", "globals", "locals", "vars", "getattr", "setattr", "delattr", "exit", "quit", "help",
    "memoryview", "os", "sys", "builtins", "warnings", "inspect", "operator", "importlib", "subprocess", "gi_frame", "cr_frame", "ag_frame", "tb_frame",
    "f_back", "f_globals", "f_builtins", "f_locals", "load", "save", "savez", "savez_compressed", "loadtxt", "savetxt", "genfromtxt", "fromregex",
    "fromfile", "tofile", "memmap", "dump", "dumps", "DataSource", "lib", "ctypeslib", "f2py", "testing", "distutils", "core", "rec", "char", "ctypes",
    "ma", "extras", "emath",
}
"""Names that lead to files or to the interpreter; so does all that begins with an underscore and isn't one alone.

No list is complete: the author reads the code before it runs, and is told so.
"""


class NotStandalone(Exception):
    """Why a learner's code can't stand by itself, in words that follow "it"."""


def standalone(cells: Sequence[str], answer: str, name: str, new_name: str, module: bytes) -> str:
    """A learner's function under another name, with the helpers that it uses inside it, without comments, docstrings and messages.

    Args:
        cells: the notebook's code cells, in order.
        answer: the text of the cell with the function.
        name: what the function is called there.
        new_name: what it is to be called.
        module: the text of the module that it goes into; what that imports at its top is at hand.

    Raises:
        NotStandalone: it can't be, or it isn't safe to run outside the sandbox.
    """
    function = _function(answer, name)
    there = _imports(ast.parse(module))
    helpers = _helpers(function, _top([*cells, answer]), there, name)
    _keep_safe([*helpers, function])
    function.body = [*helpers, *function.body]
    renamed = _Renamed(name, new_name).visit(function)
    text = unparsed(ast.fix_missing_locations(renamed))
    if text is None:
        raise NotStandalone("is nested too deep")
    if unknown := _globals(text) - there.keys() - vars(builtins).keys() - {new_name}:
        raise NotStandalone(f"needs {sorted(unknown)[0]}, which is none of its own and not imported by exercises.py")
    return text


def _function(answer: str, name: str) -> ast.FunctionDef:
    tree = parsed(answer)
    functions = [node for node in without_words(tree).body if isinstance(node, ast.FunctionDef) and node.name == name] if tree else []
    if not functions:
        raise NotStandalone(f"does not define {name} by a def of its own")
    function = _Unannotated().visit(functions[-1])
    assert isinstance(function, ast.FunctionDef)
    return function


def _imports(tree: ast.Module) -> dict[str, str]:
    """What a module imports at its top: the text of the import by name."""
    return {name: ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for name in _bound(node)}


def _top(cells: Sequence[str]) -> dict[str, ast.stmt]:
    """The last statement at the top of a cell that binds each name."""
    trees = (tree for cell in cells if (tree := parsed(cell)))
    return {name: node for tree in trees for node in without_words(tree).body for name in _bound(node)}


def _helpers(function: ast.FunctionDef, top: dict[str, ast.stmt], there: dict[str, str], name: str) -> list[ast.stmt]:
    """The learner's own imports, helpers and constants that a function uses, directly or not, those first that others need."""
    found: dict[str, ast.stmt] = {}

    def look(node: ast.AST) -> None:
        for used in sorted(_globals(ast.unparse(node)) & top.keys() - {name}):
            if used in there and _same_import(top[used], there[used], used):
                continue
            if used not in found:
                found[used] = ast.Pass()  # it may need itself
                look(top[used])
                del found[used]
                found[used] = copy.deepcopy(top[used])

    try:
        look(function)
    except RecursionError:
        raise NotStandalone("is nested too deep") from None
    return list({ast.unparse(node): node for node in found.values()}.values())


def _same_import(node: ast.stmt, text: str, name: str) -> bool:
    """Whether a learner's statement binds a name as the module's import does, or in a way that nothing can tell apart."""
    return isinstance(node, ast.Import | ast.ImportFrom) and any(ast.unparse(one) == text for one in _single(node) if name in _bound(one))


def _single(node: ast.Import | ast.ImportFrom) -> Iterator[ast.Import | ast.ImportFrom]:
    for alias in node.names:
        yield ast.Import([alias]) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, [alias], node.level)


def _globals(text: str) -> set[str]:
    """Names that code reads and doesn't bind itself."""
    top = symtable.symtable(text, "cell", "exec")
    found = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    waiting = list(top.get_children())
    while waiting:
        table = waiting.pop()
        found |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced() and symbol.is_global()}
        waiting += table.get_children()
    return found - {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()}


def _keep_safe(nodes: Sequence[ast.AST]) -> None:
    """Refuse what could reach beyond arithmetic: this is a learner's code, and an author is going to run it unconfined.

    Raises:
        NotStandalone: something in it could.
    """
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        match node:
            case ast.Import(names=names):
                modules, words = [alias.name for alias in names], []
            case ast.ImportFrom(module=module, names=names):
                modules, words = [module or "."], [alias.name for alias in names]
            case ast.Global() | ast.Nonlocal():
                raise NotStandalone("keeps something in a variable outside of it")
            case ast.Constant(value=str(text)) if "__" in text:
                raise NotStandalone("holds a text with __ in it, which a learner's function outside the sandbox may not")
            case ast.Name(id=word) | ast.Attribute(attr=word):
                modules, words = [], [word]
            case _:
                continue
        if other := [module for module in modules if module not in MODULES]:
            raise NotStandalone(f"imports {other[0]}; outside the sandbox it may import {', '.join(MODULES)}")
        if other := [word for word in words if word in REFUSED or (word.startswith("_") and word != "_")]:
            raise NotStandalone(f"uses {other[0]}, which a learner's function outside the sandbox may not")


class _Renamed(ast.NodeTransformer):
    """Renames a function and everything that is called as it is."""

    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self.new if node.name == self.old else node.name
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.new, node.ctx) if node.id == self.old else node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self.new if node.arg == self.old else node.arg
        return node


class _Unannotated(ast.NodeTransformer):
    """Takes the types away, which would need imports of their own."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        return ast.copy_location(ast.Assign([node.target], node.value) if node.value else ast.Pass(), node)


def _bound(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [(alias.asname or alias.name).partition(".")[0] for alias in names]
        case ast.Assign(targets=targets):
            return [inner.id for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name), value=value) if value:
            return [name]
    return []

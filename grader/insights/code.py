"""The text of a learner's cell comes in; its code goes out without what could say who wrote it: comments, docstrings, messages."""

from __future__ import annotations

import ast

from grader.execution.facts import parsed

MAX_LINES = 60
"""Most lines of code that are shown."""


def code_alone(source: str) -> str | None:
    """A cell's code without comments, docstrings and messages, cut to a readable length; None where it is no Python."""
    tree = parsed(source)
    if tree is None:
        return None
    return cut(unparsed(without_words(tree)) or "")


def cut(text: str) -> str:
    """The first lines of a text."""
    lines = text.splitlines()
    return text if len(lines) <= MAX_LINES else "\n".join([*lines[:MAX_LINES], f"# … and {len(lines) - MAX_LINES} lines more"])


def unparsed(tree: ast.AST) -> str | None:
    """The text of a syntax tree; None where it is nested too deep."""
    try:
        return ast.unparse(tree)
    except RecursionError:
        return None


def without_words(tree: ast.Module) -> ast.Module:
    """The same code without docstrings, and prints and the texts of assertions, and with "…" in place of the texts that it raises."""
    try:
        return ast.fix_missing_locations(_WithoutWords().visit(tree))  # type: ignore[no-any-return]
    except RecursionError:
        return ast.Module([], [])


class _WithoutWords(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        match node.value:
            case ast.Constant(value=str()) | ast.Call(func=ast.Name(id="print")):
                return None
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return _Wordless().visit(node)  # type: ignore[no-any-return]

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        node.msg = None
        return self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(body := getattr(node, "body", None), list) and not body and not isinstance(node, ast.Module):
            node.body = [ast.Pass()]  # type: ignore[attr-defined]
        return node


class _Wordless(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("…") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return ast.Constant("…")

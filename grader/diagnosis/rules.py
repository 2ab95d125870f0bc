"""Edits of single expressions, as rules: a pattern, a replacement, and a sentence.

In a pattern a capital letter is any expression, the same letter the same one; a function is found
by the last part of its name. In a sentence, {q} is the learner's own text of the match, and
{A} the text of a part. With `at`, a rule is for intermediate values or for results only.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from grader.diagnosis.edits import Answer, Change, Edit
from grader.syntax import called, expression, last_name, number, with_fields


@dataclass(frozen=True)
class Rule:
    """A pattern and its replacement, with the mistake's name, a rank and a sentence."""

    name: str
    rank: float
    says: str
    old: str
    new: str
    at: str


STEPS = ("sqrt", "exp", "log", "abs", "square", "sum", "mean", "tanh")
LOOSE = (*STEPS, "sign", "max", "min", "norm", "float", "transpose", "ravel", "cumsum", "absolute")
VALUE, RESULT = "value", "result"

TABLE = """
operation 1.9 | In {q}, `*` multiplies number by number: are products added up?
    A * B -> A @ B
operation 2.85 | Look at {q}: is a number doubled there, or squared?
    A * 2 -> A ** 2; A ** 2 -> A * 2; 2 * A -> A ** 2
operation 1.9 | In {q}, `@` is a matrix product: which number meets which here?
    A @ B -> A * B
operation 2 | Look at {q}: is something added or taken away?
    A + B -> A - B; A - B -> A + B
operation 3.2 | Look at {q}: should it grow or shrink with its second part?
    A * B -> A / B; A / B -> A * B
operation 3.2 | Look at {q}: is a ratio or a difference wanted?
    A / B -> A - B; A - B -> A / B
operation 3.2 | Look at {q}: how do its two parts belong together?
    A + B -> A * B; A * B -> A + B
operand_order 1.9 | Look at {q}: do the columns of the first meet the rows of the second?
    A @ B -> B @ A; dot(A, B) -> np.dot(B, A); matmul(A, B) -> np.matmul(B, A)
operand_order 2 | Look at {q}: what is taken from what?
    A - B -> B - A
operand_order 1.9 | Look at {q}: what is divided by what?
    A / B -> B / A
range_ends 2.4 | {q} is one off: go through its first and last round by hand.
    range(A) -> range(A - 1); range(A) -> range(A + 1); range(A) -> range(1, A)
    range(A, B) -> range(A, B + 1); range(A, B) -> range(A, B - 1); range(1, B) -> range(B)
condition 2.4 | Look at {q}, also where both sides are equal: when is it true?
    A < B -> A <= B; A < B -> A > B; A <= B -> A < B; A <= B -> A >= B; A == B -> A != B
    A > B -> A >= B; A > B -> A < B; A >= B -> A > B; A >= B -> A <= B; A != B -> A == B
argument_order 1.3 | Look at {q}: which value is for where the condition holds?
    where(A, B, C) -> np.where(A, C, B)
minus 1.95 | Look at the minus in {q}: what does it turn round?
    -A -> A
minus 1.95 result | Look at the sign of {q}: is it what you mean?
    A -> -A
minus 1.8 | Look at the sign of the exponent in {q}.
    exp(A) -> np.exp(-A)
minus 2.6 value | Look at the sign of {q}: is it what you mean?
    A -> -A
whole_numbers 2.2 | {q} cuts off digits behind the point.
    A // B -> A / B; int(A) -> A; round(A) -> A; floor(A) -> A; round(A, B) -> A
one_number_only 1.2 | {q} compares whole arrays: is each number compared by itself here?
    max(A, B) -> np.maximum(A, B); min(A, B) -> np.minimum(A, B)
not_in_it 2.8 | Does the power in {q} belong there?
    A ** B -> A
not_in_it 2.9 | Does {B} belong in {q}?
    A + B -> A; A - B -> A; A * B -> A; A / B -> A; A @ B -> A
not_in_it 2.9 | Does {A} belong in {q}?
    A + B -> B; A * B -> B; A @ B -> B
transposed 2.1 | Look at {q}: what do its rows and columns mean?
    A.T -> A
transposed 2.2 value | Look at the rows and columns of {q}: which belong together here?
    A -> A.T
index 2.3 | {q} picks one by its place: is it the right one for every input?
    A[0] -> A[1]; A[1] -> A[0]; A[0] -> A[-1]; A[-1] -> A[0]; A[1] -> A[-1]; A[-1] -> A[1]
index 2.5 | {q} picks one by its place: is it the right one for every input?
    A[0] -> np.max(A); A[0] -> np.min(A); A[-1] -> np.max(A); A[-1] -> np.min(A)
index 2.3 | {q} is one place off: which one belongs to this round?
    A[B] -> A[B - 1]; A[B] -> A[B + 1]
index 2.4 value | {q} holds more than is wanted here: which part is meant?
    A -> A[0]; A -> A[1]; A -> A[1:]; A -> A[:-1]
index 3 result | Your result has one too many: at which end?
    A -> A[1:]; A -> A[:-1]
"""

RELATED = """
mean sum: is an average meant, or a sum?
max min: is the largest wanted, or the smallest?
maximum minimum: is the larger wanted, or the smaller?
argmax max: is it about where the largest is, or what it is?
dot multiply: are the products added up, or do they stay apart?
log2 log: which base does the task's logarithm have?
log10 log: which base does the task's logarithm have?
std var: is the variance meant, or its root?
uniform normal: which distribution does the task ask for?
any all: is one enough, or do all have to hold?
"""
"""Functions that are taken for each other, and the question that decides."""


@cache
def rules() -> list[Rule]:
    """Return the rules of the tables."""
    found = []
    for head, edits in re.findall(r"^(\w.*)\n((?:    .*\n)+)", TABLE, re.MULTILINE):
        kind, _, says = head.partition(" | ")
        name, rank, *at = kind.split()
        for edit in re.split("; |\n", edits.strip()):
            old, new = edit.strip().split(" -> ")
            found.append(Rule(name, float(rank), says, old, new, "".join(at)))
    for names, says in re.findall(r"^(\w.*?): (.*)$", RELATED, re.MULTILINE):
        for one, other in itertools.permutations(names.split()):
            found.append(Rule("other_function", 2, f"Look at {{q}}: {says}", f"{one}()", other, ""))
    for one in LOOSE:
        says = f"`{one}` in {{q}} is one step too many."
        found.append(Rule("not_in_it", 2.8, says, f"{one}(A)", "A", ""))
    return found


def by_rules(a: Answer) -> Iterator[Edit]:
    """Yield the edits of an answer by rules."""
    values = {*a.values()}
    results = {one for one in values if isinstance(a.parent[one], (ast.Return, ast.Tuple))}
    results &= {one for one in values if isinstance(a.statement(one), ast.Return)}
    at: dict[str, set[Any]] = {"": {*a.nodes}, RESULT: results, VALUE: values - results}
    for node in a.of(ast.expr):
        for rule in rules() if not isinstance(getattr(node, "ctx", None), ast.Store) else ():
            parts: dict[str, ast.expr] = {}
            matches = node in at[rule.at] and _matches(_pattern(rule.old), node, parts)
            if matches and _sensible(rule, node, a):
                quotes = {key: a.quote(one) for key, one in parts.items()}
                says = rule.says.format(q=a.quote(node), **quotes)
                group = f"{rule.old} {rule.new}" if len(rule.old) > 1 else ""
                changes: list[Change] = [(node, _replacement(rule, node, parts))]
                rank = _rank(rule, node, a.parent[node])
                yield Edit(says, changes, group, rank, rule.name)


def _matches(pattern: Any, node: Any, parts: dict[str, ast.expr]) -> bool:
    """Return whether a pattern matches, and put the matches of its letters into `parts`."""
    if isinstance(pattern, list):
        same = len(pattern) == len(node)
        return same and all(map(_matches, pattern, node, [parts] * len(node)))
    if not isinstance(pattern, ast.AST):
        return bool(pattern == node)
    if isinstance(pattern, ast.Name) and len(pattern.id) == 1 and isinstance(node, ast.expr):
        known = parts.setdefault(pattern.id, node)
        return known is node or ast.dump(known) == ast.dump(node)
    if type(pattern) is not type(node):
        return False
    if isinstance(pattern, ast.Call) and isinstance(node, ast.Call):
        args: list[ast.expr] = node.args
        if len(pattern.args) == 1 and not args and isinstance(node.func, ast.Attribute):
            args = [node.func.value]  # a method
        named = last_name(pattern.func) == last_name(node.func)
        return named and (not pattern.args or _matches(pattern.args, args, parts))
    fields = ast.iter_fields(pattern)
    return all(_matches(one, getattr(node, name), parts) for name, one in fields)


def _replacement(rule: Rule, node: ast.expr, parts: dict[str, ast.expr]) -> ast.expr:
    if not rule.old.endswith("()") or not isinstance(node, ast.Call):
        return expression(rule.new, **parts)
    func = expression(f"np.{rule.new}")
    if isinstance(node.func, ast.Attribute):
        func = with_fields(node.func, attr=rule.new)
    return with_fields(node, func=func)


def _sensible(rule: Rule, node: ast.expr, a: Answer) -> bool:
    """Return whether an edit that matches can be meant."""
    around, counted = a.parent[node], called(node) in ("len", "range", "int", "float")
    if (isinstance(node, ast.Name) and node.id in a.callables) or number(node) is not None:
        return False
    match rule.name:
        case "operation":
            return not isinstance(around, ast.Subscript)
        case "minus":
            inside = called(around) == "exp" or isinstance(around, ast.UnaryOp)
            return len(rule.old) > 1 or (not inside and not isinstance(node, ast.UnaryOp))
        case "index" if rule.old == "A[B]":
            assert isinstance(node, ast.Subscript)
            place = node.slice
            return number(place) is None and not isinstance(place, (ast.Slice, ast.Tuple))
        case "index" if rule.at == VALUE:
            return isinstance(node, (ast.Name, ast.Subscript)) and isinstance(around, ast.Call)
        case "index" if rule.at == RESULT:
            return isinstance(node, (ast.Name, ast.Call))
        case "transposed":
            return (
                isinstance(node, (ast.Name, ast.Call, ast.Subscript, ast.Attribute)) and not counted
            )
    return True


def _rank(rule: Rule, node: ast.expr, around: ast.AST) -> float:
    """Return the rank of an edit, which may differ from that of its rule's others."""
    if rule.old == "A * B" and called(around) in ("sum", "mean", "dot"):
        return max(rule.rank, 2.5)
    if rule.name == "operand_order" and isinstance(node, ast.BinOp) and rule.old == "A - B":
        left, right, simple = node.left, node.right, (ast.Name, ast.Subscript)
        same = called(left) == called(right) != ""
        alike = same or (isinstance(left, simple) and isinstance(right, simple))
        return 2.7 if number(left) is not None else 1.9 if alike else 2.0
    return rule.rank


@cache
def _pattern(text: str) -> ast.expr:
    return expression(text)

"""Explain exceptions, warnings and changed inputs in a beginner's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from grader.comparison.compare import Result, differences
from grader.comparison.schema import CaseData, Outcome

Cases = list[tuple[CaseData, Outcome]]


@dataclass(frozen=True)
class Relation:
    """What is seen, in one sentence, and a test of whether other outcomes show it too."""

    sentence: str
    holds: Callable[[Cases], bool]


ERRORS = """
ValueError | truth value of an array
    An `if`, `and` or `max` asked a whole array for one yes or no: what decides for each number?
TypeError | only (?:length-1|0-dimensional|size-1|integer scalar) arrays
    A function for one number was given an array: what computes it for all its numbers?
AttributeError | '(?:float|int|bool|numpy\\.\\w+|float64|int64)' object has no attribute '(\\w+)'
    A plain number has no `{}`: may the input be one number?
AttributeError | '(list|tuple)' object has no attribute
    A {} was used as if it were an array: what makes an array of it?
(?:Type|Attribute)Error | '(?:function|builtin_\\w+|method|functools\\.partial|numpy\\.ufunc)'
    A function is used there as if it were its value: is it called?
AttributeError | module '[\\w.]+' has no attribute '(\\w+)'
    There is no `{}` in that library: how is it spelled there?
TypeError | (?:float\\w*|int\\w*|bool\\w*)'? object (?:is not|does not)|0-d array|no len|unsized
    A single number has no places to count: may the input be one, or does a loop need a count?
TypeError | '(?:\\w+\\.)*(\\w+)' object is not callable
    A value of type {} is called like a function: is a `*` missing before a parenthesis?
(?:Type|Attribute)Error | NoneType
    Something is None there: which line should have made it?
TypeError | unsupported operand type|can only concatenate|can't multiply sequence
    Two values don't fit one operation: is one of them a list, a tuple or a text?
TypeError | positional argument
    A function gets too few or too many arguments there: what does it take, and in which order?
(?:Type|Index)Error | as an integer|slice indices|must be integers|only integer
    A place or a count has to be a whole number: is something a float there?
AxisError | axis (-?\\d+) is out of bounds
    There is no axis {}: how many axes has the array there?
IndexError | too many indices
    More places are named than the array has axes: how many has it?
IndexError | out of (?:bounds|range)
    An index is past the end: at which place does the last round look?
UFuncTypeError | ast
    An update in place put decimals into an array of whole numbers: which type has it?
ValueError | setting an array element|inhomogeneous
    One place was given several numbers: which shape has what is put there?
ValueError | matmul|not aligned
    The shapes do not fit: do the columns of the first meet the rows of the second?
ValueError | broadcast|mismatch
    numpy could not fit two shapes together: which axis belongs to which?
ValueError | values to unpack
    As many names are needed as there are parts: how many parts are there?
ZeroDivisionError | zero
    Something is divided by 0: for which input?
NameError | name '(\\w+)'
    `{}` is not known there: which library has it, or how is it spelled where it was made?
"""
WARNINGS = """
overflow encountered in (?:exp|power|cosh|sinh)
    A power gets too large for a float on the way: which exponent never gets large?
overflow
    A number gets too large for its type on the way: which step makes it so?
divide by zero encountered in log
    A logarithm of 0 is taken on the way: for which input?
divide by zero
    Something is divided by 0 on the way: for which input?
invalid value
    A nan appears on the way: from which numbers?
"""


def misses(case: CaseData, outcome: Outcome) -> bool:
    """Return whether an outcome misses its case."""
    return bool(differences(case, Result(case["expected"]), Result(outcome)))


def symptoms(first: str, cases: Cases) -> Iterator[Relation]:
    """Yield the relations that need no numbers, in the cases of a kind of property."""
    if first == "error":
        yield from _refusals(cases)
    for name, pattern, says in re.findall(r"^(\S+) \| (.*)\n    (.*)$", ERRORS, re.MULTILINE):
        yield from _seen(cases, partial(_raised, name, pattern), says)
    for pattern, says in re.findall(r"^(\w.*)\n    (.*)$", WARNINGS, re.MULTILINE):
        if first == "quiet":
            yield from _seen(cases, partial(_warned, pattern), says)
    if first == "dtype":
        says = "Your numbers have another type than expected: which step sets it?"
        yield from _seen(cases, lambda outcome: "" if "value" in outcome else None, says)
    if first == "purity":
        yield from _impurities(cases)


def _seen(cases: Cases, find: Callable[[Outcome], str | None], says: str) -> Iterator[Relation]:
    """Yield a relation if some outcome shows it, with the word that it shows."""
    words = (find(outcome) for _, outcome in cases)
    word = next((word for word in words if word is not None), None)
    if word is not None:
        yield Relation(
            says.format(word), lambda other: any(find(one) is not None for _, one in other)
        )


def _raised(name: str, pattern: str, outcome: Outcome) -> str | None:
    found = re.search(pattern, outcome.get("message", ""))
    if not found or not any(re.fullmatch(name, one) for one in outcome.get("error", ())):
        return None
    return next(filter(None, found.groups()), "")


def _warned(pattern: str, outcome: Outcome) -> str | None:
    found = any(re.search(pattern, text) for text in outcome.get("warnings", ()))
    return "" if found else None


def _refusals(cases: Cases) -> Iterator[Relation]:
    asked = next((case["property"].partition("/")[2] for case, _ in cases), "") or "bad input"
    says = f"Yours took {asked}, and gave a result: which line looks at the inputs first?"
    yield from _seen(cases, lambda one: None if "error" in one else "", says)
    says = "Yours raised {}: which exception does the task name?"
    yield from _seen(cases, lambda one: one["error"][0] if "error" in one else None, says)


def _impurities(cases: Cases) -> Iterator[Relation]:
    for case, outcome in cases:
        named = enumerate(case["parameters"])
        changed = [f"`{name}`" for i, name in named if i in outcome.get("changed", ())]
        if changed:
            names, verb = " and ".join(changed), "is" if len(changed) == 1 else "are"
            says = f"After the call, {names} {verb} not as before: which line writes into it?"
            yield Relation(says, lambda other: any("changed" in one for _, one in other))
    says = "Your result shares its memory with an input: which line makes a new array?"
    yield from _seen(cases, lambda one: "" if one.get("aliased") else None, says)

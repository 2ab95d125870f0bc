"""Explain exceptions, warnings and changed inputs in a beginner's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from grader.comparison.codec import opaque
from grader.comparison.schema import CaseData, Outcome

Cases = list[tuple[CaseData, Outcome]]

ERRORS = """
ValueError | truth value of an array
    An `if`, `and` or `max` asked a whole array for one yes or no: what decides for each number?
TypeError | only (?:length-1|0-dimensional|size-1|integer scalar) arrays
    A function for one number was given an array: what computes it for all its numbers?
(?:Type|Attribute)Error | '(?:function|builtin_|method|functools\\.partial|numpy\\.(?:ufunc|_))
    A function is used there as if it were its value: is it called?
AttributeError | '(?:(?:float|int)(?:64)?|bool|numpy\\.(?!nd)\\w+)' object has no attribute '(\\w+)'
    A plain number has no `{}`: may the input be one number?
AttributeError | 'numpy\\.ndarray' object has no attribute '(\\w+)'
    An array has no `{}`: is it numpy's or a list's, or is it spelled another way?
AttributeError | '(list|tuple)' object has no attribute
    A {} was used as if it were an array: what makes an array of it?
AttributeError | module '[\\w.]+' has no attribute '(\\w+)'
    There is no `{}` in that library: how is it spelled there?
TypeError | '(?:\\w+\\.)*(\\w+)' object is not callable
    A value of type {} is called like a function: is a `*` missing, or is a name used twice?
\\w+Error | (?:float|int|bool)\\w*'? (?:object (?:is|does) not|has no)|0-d|unsized|to scalar
    A single number has no places to count: may the input be one, or does a loop need a count?
(?:Type|Attribute)Error | NoneType
    Something is None there: which line should have made it?
TypeError | unsupported operand type|can only concatenate|can't multiply sequence
    Two values don't fit one operation: is one of them a list, a tuple or a text?
(?:Type|Value)Error | positional argument|keyword argument|arguments? \\(|either both or neither
    A function gets too few or too many arguments there: what does it take, and in which order?
TypeError | '(tuple|list)' object cannot be interpreted as an integer
    A {} was given in place of one whole number: which of its numbers is meant?
TypeError | (list|tuple) indices must be integers or slices, not (?:tuple|list)
    A {} takes one whole number as its index: what makes an array of it?
(?:Type|Index)Error | an integer|slice indices|must be integers|only integer|of integers
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
ValueError | matmul.* mismatch|not aligned
    The shapes do not fit: do the columns of the first meet the rows of the second?
ValueError | matmul
    One side of an `@` is no table or row of numbers: what is it?
ValueError | broadcast|mismatch
    numpy could not fit two shapes together: which axis belongs to which?
ValueError | values to unpack
    As many names are needed as there are parts: how many parts are there?
ZeroDivisionError | zero
    Something is divided by 0: for which input?
NameError | name '(\\w+)'
    `{}` is not known there: which library has it, or how is it spelled where it was made?
UnboundLocalError | variable '(\\w+)'
    `{}` is read before it has a value: where does it start?
(?:Type|UFuncNoLoop)\\w*Error | loop of ufunc|not supported for the input
    A numpy function can't work with what it gets there: which type has it?
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


def symptoms(first: str, cases: Cases) -> Iterator[str]:
    """Yield what is seen without numbers, in the cases of a kind of property."""
    outcomes = [outcome for _, outcome in cases]
    raised = [(name, one) for one in outcomes for name in one.get("error", ())]
    if first == "error":
        yield from _refusals(cases)
    yield from told(ERRORS, [f"{name} | {one.get('message', '')}" for name, one in raised])
    if first == "quiet":
        yield from told(WARNINGS, warnings_of(outcomes))
    if first == "purity":
        yield from _impurities(cases)
    values = [one["value"] for one in outcomes if "value" in one and "sample" not in one]
    if first == "dtype" and values:
        yield "Your numbers have another type than expected: which step sets it?"
    if None in values:
        yield "Yours returns None there: which line should give a result back?"
    if any(isinstance(value, str) for value in values):
        yield "Yours returned a text: what kind of result does the task ask for?"
    for text in filter(None, map(opaque, values)):
        yield f"Yours returned {text}: what kind of result does the task ask for?"


def warnings_of(outcomes: Iterable[Outcome]) -> list[str]:
    """Return the texts of all warnings."""
    return [text for one in outcomes for text in one.get("warnings", ())]


def told(table: str, texts: list[str]) -> Iterator[str]:
    """Yield the sentences of a table that fit a text, with the word that they quote of it."""
    for pattern, says in re.findall(r"^(\S.*)\n    (.*)$", table, re.MULTILINE):
        name, _, message = pattern.rpartition(" | ")
        whole = re.compile(rf"{name} \| .*(?:{message})" if name else message, re.DOTALL)
        if found := next(filter(None, map(whole.match if name else whole.search, texts)), None):
            yield says.format(next(filter(None, found.groups()), ""))


def _refusals(cases: Cases) -> Iterator[str]:
    asked = next((case["property"].partition("/")[2] for case, _ in cases), "") or "bad input"
    raised = [outcome["error"][0] for _, outcome in cases if "error" in outcome]
    if len(raised) < len(cases):
        yield f"Yours took {asked}, and gave a result: which line looks at the inputs first?"
    if raised:
        yield f"Yours raised {raised[0]}: which exception does the task name?"


def _impurities(cases: Cases) -> Iterator[str]:
    for case, outcome in cases:
        named = enumerate(case["parameters"])
        changed = [f"`{name}`" for i, name in named if i in outcome.get("changed", ())]
        if changed:
            names, verb = " and ".join(changed), "is" if len(changed) == 1 else "are"
            yield f"After the call, {names} {verb} not as before: which line writes into it?"
    if any(outcome.get("aliased") for _, outcome in cases):
        yield "Your result shares its memory with an input: which line makes a new array?"

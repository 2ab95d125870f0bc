"""Say what holds between a learner's results and the expected ones, from the outcomes alone.

A relation is seen on every case that its sentence speaks of, and can be looked for in any other
outcomes of the same answer. Its sentence ends in a question, and never says what the code does.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.comparison.codec import Array, decode_input, numbers_in
from grader.comparison.compare import difference
from grader.comparison.schema import CaseData, ExerciseKey, Outcome, Plain
from grader.comparison.vocabulary import in_order, kind

Cases = list[tuple[CaseData, Outcome]]
Seen = Callable[[Cases], bool]


@dataclass(frozen=True)
class Relation:
    """What is seen: a name, a sentence, and a test of whether other outcomes show it too."""

    name: str
    sentence: str
    holds: Seen


@dataclass(frozen=True)
class Pair:
    """The numbers that were expected in a case, and the learner's."""

    case: CaseData
    expected: Array
    yours: Array

    @property
    def same_size(self) -> bool:
        """Whether there are as many numbers as expected."""
        return self.expected.size == self.yours.size

    @property
    def right(self) -> bool:
        """Whether the numbers agree."""
        return self.same_size and close(self.expected, self.yours)

    def input(self, name: str) -> Any:
        """Return an input by its parameter's name; None if the case has none."""
        named = dict(zip(self.case["parameters"], self.case["inputs"], strict=False))
        try:
            return decode_input(named[name])
        except (KeyError, ValueError, ImportError, AttributeError):
            return None

    def array(self, name: str) -> Array | None:
        """Return an input with as many numbers as expected, in their shape; None for others."""
        value = self.input(name)
        if isinstance(value, (int, float, np.ndarray)) and np.size(value) == self.expected.size:
            return np.asarray(value, float).reshape(self.expected.shape)
        return None

    def sizes(self) -> dict[str, float]:
        """Return counts that may have become a factor, by the words for them."""
        found: dict[str, float] = {}
        for name in self.case["parameters"]:
            value = self.input(name)
            if isinstance(value, np.ndarray) and value.size and value.ndim:
                found[f"the number of rows of {name}"] = len(value)
                found[f"the number of columns of {name}"] = value.size / len(value)
                found[f"how many numbers {name} holds"] = value.size
            elif type(value) in (int, float):
                found[name] = float(value)
        return found


Test = Callable[[Pair], bool]
Found = tuple[str, str, Test]


def relation(key: ExerciseKey, outcomes: list[Outcome]) -> Relation | None:
    """Return the nearest relation in the cases of the property that is missed first, or None."""
    cases = [*zip(key["cases"], outcomes, strict=True)]
    missed = [case["property"] for case, outcome in cases if wrong(case, outcome)]
    first = in_order(missed)[0]
    return next(_relations(first, cases), None)


def wrong(case: CaseData, outcome: Outcome) -> bool:
    """Return whether an outcome misses its case."""
    return difference(case, case["expected"], outcome) is not None


def close(one: Any, other: Any, rtol: float = 2e-5) -> bool:
    """Return whether all numbers agree to about five digits."""
    one, other = np.ravel(one), np.ravel(other)
    with np.errstate(all="ignore"):
        return one.size == other.size and bool(
            np.isclose(one, other, rtol=rtol, atol=1e-8, equal_nan=True).all()
        )


def _relations(first: str, cases: Cases) -> Iterator[Relation]:
    chosen = [one for one in cases if one[0]["property"] == first]
    if kind(first) == "error":
        yield from _refusals(first, chosen)
    yield from _errors(chosen)
    match kind(first):
        case "quiet":
            yield from _warnings(first, chosen)
        case "purity":
            yield from _impurities(first, chosen)
        case "distribution":
            yield from _laws(chosen)
        case "integer":
            yield from _integers(first, chosen)
        case "stability":
            yield from _stability(first, chosen)
    if kind(first) in ("value", "shape", "integer", "stability"):
        ordinary = [
            one for one in cases if kind(one[0]["property"]) in ("value", "shape", "integer")
        ]
        yield from _of_values(chosen if kind(first) == "stability" else ordinary)


# ------------------------------------------------------------------ errors, refusals, warnings

ERRORS = (
    (
        "ValueError",
        r"truth value of an array",
        "An `if`, `and` or `max` asked a whole array for one yes or no: what decides for each number?",
    ),
    (
        "TypeError",
        r"only (length-1|0-dimensional|size-1|integer scalar) arrays",
        "A function for one number was given an array: what computes it for all its numbers?",
    ),
    (
        "AttributeError",
        r"'(?:float|int|bool|numpy\.\w+|float64|int64)' object has no attribute '(\w+)'",
        "A plain number has no `{1}`: may the input be one number?",
    ),
    (
        "AttributeError",
        r"'(list|tuple)' object has no attribute '(\w+)'",
        "A {1} has no `{2}`: which type of value has it?",
    ),
    ("AttributeError", r"'NoneType'", "Something is None there: which line should have made it?"),
    (
        "AttributeError",
        r"'(?:function|builtin_function_or_method|method|partial|functools\.partial)'",
        "A function is used there as if it were its value: is it called?",
    ),
    (
        "AttributeError",
        r"module '([\w.]+)' has no attribute '(\w+)'",
        "{1} has no `{2}`: how is it spelled there?",
    ),
    (
        "TypeError",
        r"'?(?:numpy\.)?(?:float\w*|int\w*|bool\w*)'? object (?:is not subscriptable|does not support item assignment|is not iterable)",
        "A single number has no places: may the input be one number, or was a loop given a count?",
    ),
    (
        "TypeError",
        r"has no len|unsized object|0-d array",
        "A single number has no length: may the input be one number?",
    ),
    (
        "TypeError",
        r"'(?:\w+\.)*(\w+)' object is not callable",
        "A value of type {1} is called like a function: is a `*` missing before a parenthesis?",
    ),
    ("TypeError", r"NoneType", "Something is None there: which line should have made it?"),
    (
        "TypeError",
        r"unsupported operand type.*(?:function|method|partial)",
        "A function is used there as if it were its value: is it called?",
    ),
    (
        "TypeError",
        r"unsupported operand type.*(?:list|tuple|str)",
        "A list or a text is calculated with as if it were a number: which of your values is one?",
    ),
    (
        "TypeError",
        r"missing \d+ required positional argument",
        "A function gets too few arguments there: what does it take, and in which order?",
    ),
    (
        "TypeError",
        r"takes .*positional argument",
        "A function gets too many arguments there: what does it take?",
    ),
    (
        "TypeError",
        r"unexpected keyword argument '(\w+)'",
        "A function has no option `{1}`: how is it called there?",
    ),
    (
        "TypeError",
        r"as an integer|slice indices|must be integers",
        "A place or a count has to be a whole number: is something a float there?",
    ),
    (
        "TypeError",
        r"exceptions must derive",
        "Only an exception can be raised: what is raised there?",
    ),
    (
        "AxisError",
        r"axis (-?\d+) is out of bounds for array of dimension (\d)",
        "There is no axis {1}: how many axes has the array there?",
    ),
    (
        "IndexError",
        r"too many indices",
        "More places are named than the array has axes: how many has it?",
    ),
    (
        "IndexError",
        r"invalid index to scalar",
        "A single number is indexed: where did the array become one?",
    ),
    (
        "IndexError",
        r"only integers",
        "A place has to be a whole number: is it the index, or the value itself?",
    ),
    (
        "IndexError",
        r"could not be broadcast|shape mismatch|boolean index",
        "The places and the array do not fit together: which shapes have they?",
    ),
    ("IndexError", r"", "An index runs past the end: at which place does the last round look?"),
    (
        "UFuncTypeError",
        r"ast",
        "An update in place wrote decimals into an array of whole numbers: which type has it?",
    ),
    (
        "ValueError",
        r"setting an array element|inhomogeneous",
        "One place was given several numbers: which shape has what is put there?",
    ),
    (
        "ValueError",
        r"matmul|not aligned",
        "The shapes do not fit: do the columns of the first meet the rows of the second?",
    ),
    (
        "ValueError",
        r"could not be broadcast|Incompatible|mismatch",
        "numpy could not fit two shapes together: which axis belongs to which?",
    ),
    (
        "ValueError",
        r"not enough values to unpack|too many values to unpack",
        "As many names are needed as there are parts: how many does it have?",
    ),
    ("ValueError", r"read-only", "An input is written into: who else needs it as it was?"),
    ("ZeroDivisionError", r"", "Something is divided by 0: for which input?"),
    ("OverflowError", r"", "A number gets too large for a float: which exponent never gets large?"),
    (
        "UnboundLocalError",
        r"variable '(\w+)'",
        "`{1}` is read before it has a value: where does it get its first one?",
    ),
    ("NameError", r"name '(\w+)'", "`{1}` is not known there: is it spelled as where it was made?"),
    ("KeyError", r"", "A key is not in the dictionary: which keys has it?"),
    ("RecursionError", r"", "The function calls itself without end: which name does it call?"),
    ("AssertionError", r"", "An assert stopped it: which condition did not hold?"),
)


def _errors(chosen: Cases) -> Iterator[Relation]:
    for _, outcome in chosen:
        for name, pattern, text in ERRORS if "error" in outcome else ():
            found = re.search(pattern, outcome.get("message", ""))
            if found and name in outcome["error"]:
                says = re.sub(r"\{(\d)\}", lambda at, found=found: found[int(at[1])], text)  # type: ignore[misc]
                yield Relation(f"error: {text}", says, _raised(name, pattern))
                return


def _raised(name: str, pattern: str) -> Seen:
    return lambda cases: any(
        name in outcome.get("error", ()) and re.search(pattern, outcome.get("message", ""))
        for _, outcome in cases
    )


def _refusals(first: str, chosen: Cases) -> Iterator[Relation]:
    what = first.partition("/")[2] or "such inputs"
    for case, outcome in chosen:
        if "error" not in outcome:
            says = f"Yours took {what}, and gave a result: where does it look at its inputs first?"
            yield Relation(
                "accepted",
                says,
                lambda cases: any("error" not in o for c, o in cases if c["property"] == first),
            )
        elif wrong(case, outcome):
            says = f"Yours raised {outcome['error'][0]}: which exception does the task name?"
            name = outcome["error"][0]
            yield Relation(
                "other exception",
                says,
                lambda cases: any(o.get("error", [""])[0] == name for _, o in cases),
            )


WARNINGS = (
    (
        r"overflow encountered in (?:exp|power|cosh|sinh|square)",
        "A power gets too large for a float on the way: which exponent never gets large?",
    ),
    (r"overflow", "A number gets too large for its type on the way: which step makes it so?"),
    (
        r"divide by zero encountered in log",
        "A logarithm of 0 is taken on the way: for which input?",
    ),
    (r"divide by zero", "Something is divided by 0 on the way: for which input?"),
    (r"invalid value", "A nan arises on the way: from which two numbers?"),
)


def _warnings(first: str, chosen: Cases) -> Iterator[Relation]:
    for _, outcome in chosen:
        for text, (pattern, says) in itertools.product(outcome.get("warnings", ()), WARNINGS):
            if re.search(pattern, text):
                yield Relation(f"warning: {pattern}", says, _warned(pattern))
                return


def _warned(pattern: str) -> Seen:
    return lambda cases: any(
        re.search(pattern, text) for _, o in cases for text in o.get("warnings", ())
    )


def _impurities(first: str, chosen: Cases) -> Iterator[Relation]:
    for case, outcome in chosen:
        if places := outcome.get("changed"):
            names = " and ".join(
                f"`{name}`" for i, name in enumerate(case["parameters"]) if i in places
            )
            says = f"After the call, {names} is not what it was: which line writes into it?"
            yield Relation("changed", says, lambda cases: any(o.get("changed") for _, o in cases))
        elif outcome.get("aliased"):
            says = (
                "Your result shares its memory with an input: which line should make a new array?"
            )
            yield Relation("aliased", says, lambda cases: any(o.get("aliased") for _, o in cases))


# ------------------------------------------------------------------ numbers

FACTORS = {
    2: "twice",
    0.5: "half",
    -1: "minus",
    4: "four times",
    0.25: "a quarter of",
    3: "three times",
    1 / 3: "a third of",
    -2: "minus twice",
    -0.5: "minus half",
    2**0.5: "√2 times",
    0.5**0.5: "1/√2 times",
}
LOGS = {1 / np.log(2): "2", 1 / np.log(10): "10"}
POWERS = {
    1: "times",
    -1: "divided by",
    0.5: "times the root of",
    -0.5: "divided by the root of",
    2: "times the square of",
    -2: "divided by the square of",
}
OF_EXPECTED: dict[str, Callable[[Array], Any]] = {
    "the expected without its sign": np.abs,
    "the square of the expected": np.square,
    "the root of the expected": lambda e: np.sqrt(np.abs(e)),
    "1 divided by the expected": lambda e: 1 / e,
    "the logarithm of the expected": np.log,
    "minus the logarithm of the expected": lambda e: -np.log(e),
    "1 minus the expected": lambda e: 1 - e,
    "the expected without its decimals": np.trunc,
    "the expected, rounded": np.round,
    "the expected with 0 in place of negative numbers": lambda e: np.maximum(e, 0),
    "the expected cut to 0 … 1": lambda e: np.clip(e, 0, 1),
    "the expected, transposed": lambda e: e.T if e.ndim == 2 else None,
    "the expected in reverse order": lambda e: e[::-1] if e.ndim else None,
    "only the first row of the expected": lambda e: e[0] if e.ndim and len(e) else None,
    "only the last row of the expected": lambda e: e[-1] if e.ndim and len(e) else None,
    "the expected without its first row": lambda e: e[1:] if e.ndim else None,
    "the expected without its last row": lambda e: e[:-1] if e.ndim else None,
    "the sum of the expected": lambda e: e.sum() if e.ndim else None,
    "the mean of the expected": lambda e: e.mean() if e.ndim and e.size else None,
    "the largest of the expected": lambda e: e.max() if e.ndim and e.size else None,
    "the sum of the expected over its rows": lambda e: e.sum(0) if e.ndim == 2 else None,
    "the sum of the expected in each row": lambda e: e.sum(1) if e.ndim == 2 else None,
    "the running sum of the expected": lambda e: np.cumsum(e) if e.ndim == 1 else None,
}
TO_EXPECTED: dict[str, Callable[[Array], Any]] = {
    "The mean of your numbers is": lambda y: y.mean() if y.ndim and y.size else None,
    "The sum of your numbers is": lambda y: y.sum() if y.ndim else None,
    "The largest of your numbers is": lambda y: y.max() if y.ndim and y.size else None,
    "The smallest of your numbers is": lambda y: y.min() if y.ndim and y.size else None,
    "The mean of your numbers, with the opposite sign, is": lambda y: (
        -y.mean() if y.ndim and y.size else None
    ),
    "The sum over your rows is": lambda y: y.sum(0) if y.ndim == 2 else None,
    "The mean over your rows is": lambda y: y.mean(0) if y.ndim == 2 else None,
    "The sum in each of your rows is": lambda y: y.sum(1) if y.ndim == 2 else None,
    "Yours without its first row is": lambda y: y[1:] if y.ndim else None,
    "Yours without its last row is": lambda y: y[:-1] if y.ndim else None,
}
WHERE: dict[str, Callable[[Array], Array]] = {
    "is exactly 0": lambda x: x == 0,
    "is below 0": lambda x: x < 0,
    "is above 0": lambda x: x > 0,
    "is 0 or less": lambda x: x <= 0,
    "is 0 or more": lambda x: x >= 0,
    "is between 0 and 1": lambda x: (x > 0) & (x < 1),
    "is above 1": lambda x: x > 1,
}


def _same(function: Callable[[Array], Any], one: Array, other: Array) -> bool:
    with np.errstate(all="ignore"):
        value = function(one)
    return value is not None and np.size(value) == other.size and close(value, other)


def _of_values(cases: Cases) -> Iterator[Relation]:
    """Yield relations of all results, or of their parts."""
    counts = {
        (len(parts(c["expected"]["value"])), len(parts(o["value"])))
        for c, o in cases
        if "value" in c["expected"] and "value" in o
    }
    if len(counts) != 1 or len([*counts][0:1]) == 0:
        return
    ((wanted, got),) = counts
    if wanted != got or not wanted:
        return
    if wanted > 1 and (turned := _permuted(cases, wanted)):
        yield turned
        return
    bad = [i for i in range(wanted) if any(not pair.right for pair in pairs(cases, i))]
    for i in bad:
        found = pairs(cases, i)
        for name, says, test in _candidates(found):
            if all(test(pair) for pair in found):
                if wanted > 1:
                    says = f"In part {i + 1}: {says[0].lower()}{says[1:]}"
                yield Relation(name, says, _always(i, test))
    if wanted > 1 and len(bad) < wanted and all(pairs(cases, i) for i in range(wanted)):
        which = " and ".join(str(i + 1) for i in bad)
        says = f"Only part {which} of your result differs: what does it need that the others don't?"
        yield Relation(
            "parts",
            says,
            lambda c: all(p.right for i in range(wanted) if i not in bad for p in pairs(c, i)),
        )


def _always(part: int, test: Test) -> Seen:
    return lambda cases: all(map(test, pairs(cases, part)))


def parts(data: Plain) -> list[Plain]:
    """Return the parts of a tuple or of a list of arrays; any other value alone."""
    if isinstance(data, dict):
        if "tuple" in data:
            return [*data["tuple"]]
        if any(isinstance(one, dict) and "scalar" not in one for one in data.get("list", ())):
            return [*data["list"]]
    return [data]


def pairs(cases: Cases, part: int) -> list[Pair]:
    """Return the numbers of one part in each case; nothing if there are none in some case."""
    found = []
    for case, outcome in cases:
        if "value" not in outcome or "value" not in case["expected"]:
            return []
        want, got = parts(case["expected"]["value"]), parts(outcome["value"])
        if len(want) != len(got):
            return []
        if part < len(want):
            e, y = numbers_in(want[part]), numbers_in(got[part])
            if e is None or y is None:
                return []
            found.append(Pair(case, e, y.reshape(e.shape) if e.size == y.size else y))
    return found


def _permuted(cases: Cases, count: int) -> Relation | None:
    for order in [*itertools.permutations(range(count))][1:] if count <= 3 else ():

        def holds(cases: Cases, order: tuple[int, ...] = order) -> bool:
            all_ = [pairs(cases, i) for i in range(count)]
            return all(len(one) == len(all_[0]) > 0 for one in all_) and all(
                close(all_[i][k].expected, all_[j][k].yours)
                for i, j in enumerate(order)
                for k in range(len(all_[0]))
            )

        if holds(cases):
            return Relation(
                "order of parts",
                "Your parts are right, in another order: which one comes first?",
                holds,
            )
    return None


def _candidates(found: list[Pair]) -> Iterator[Found]:
    """Yield relations to be tested on all pairs; what they speak of is read from the pairs."""
    bad = [pair for pair in found if not pair.right]
    total = sum(pair.expected.size for pair in found)
    if not bad:
        return
    finite = all(np.isfinite(pair.yours).all() for pair in found)
    if not finite:
        yield from _not_finite(bad)
        return
    if all(pair.same_size for pair in found) and total > 2:
        yield from _factors(found)
        yield from _offsets(found)
        yield from _inputs(found)
    if not all((pair.yours == 0).all() for pair in found) and total > 2:
        several = any(pair.expected.size > 1 for pair in bad)
        varied = len({round(float(one), 9) for pair in found for one in pair.yours.ravel()}) > 2
        for text, function in OF_EXPECTED.items() if varied else ():
            said = f"Yours is {text}: is there a step too many?"
            yield text, said, lambda p, f=function: _same(f, p.expected, p.yours)  # type: ignore[misc]
        if any(not pair.same_size for pair in bad) or several:
            for text, function in TO_EXPECTED.items():
                said = f"{text} what was expected: which step is still to come?"
                yield text, said, lambda p, f=function: p.right or _same(f, p.yours, p.expected)  # type: ignore[misc]
    if all(pair.same_size for pair in found):
        yield from _constants(found)
        yield from _places(found)


def _not_finite(bad: list[Pair]) -> Iterator[Found]:
    for pair in bad:
        places = ~np.isfinite(pair.yours.ravel())
        if not places.any():
            continue
        value = pair.yours.ravel()[places][0]
        word = "nan" if np.isnan(value) else "infinity"
        name = pair.case["parameters"][0]
        x = pair.array(name)
        at = (
            f" where {name} is {x.ravel()[places][0]:g}" if x is not None and pair.same_size else ""
        )
        says = f"You get {word}{at}: which step makes a number that a float can't hold?"
        yield "not finite", says, lambda p: True
        return


def _factors(found: list[Pair]) -> Iterator[Found]:
    e, y = (
        np.concatenate([getattr(p, side).ravel() for p in found]) for side in ("expected", "yours")
    )
    if not y.any() and e.any():
        yield (
            "zero",
            "Yours is 0 in every case: what is multiplied away, or never stored?",
            lambda p: not p.yours.any(),
        )
        return
    c = float(e @ y / (e @ e)) if e.any() else 0.0
    if abs(c) > 1e-9:
        near = [(word, n) for n, word in FACTORS.items() if abs(c / n - 1) < 1e-5]
        text = f"{near[0][0]} what was expected" if near else f"{c:.6g} times what was expected"
        if near and near[0][1] == -1:
            text = "what was expected with the opposite sign"
        says = f"In every case yours is {text}: which factor does the task not have?"
        for n, base in LOGS.items():
            if abs(c / n - 1) < 1e-5:
                says = f"In every case yours is {c:.4f} times what was expected, as with logarithms to base {base}: which base is meant?"
        yield f"factor {c:.4g}", says, lambda p: close(c * p.expected, p.yours)
    for name in found[0].sizes():
        if len({pair.sizes().get(name) for pair in found}) < 2:
            continue
        for (power, word), times in itertools.product(POWERS.items(), (1, -1, 2, 0.5)):
            amount = {1: "", -1: "minus ", 2: "twice ", 0.5: "half "}[times]
            says = f"Yours is {amount}what was expected {word} {name}: is it needed there?"
            yield f"factor {power} {times} count", says, _scaled(name, power, times)


def _scaled(name: str, power: float, times: float) -> Test:
    def test(pair: Pair) -> bool:
        size = pair.sizes().get(name, 0.0)
        return size > 0 and close(pair.expected * times * size**power, pair.yours)

    return test


def _offsets(found: list[Pair]) -> Iterator[Found]:
    first = next(pair for pair in found if pair.expected.size)
    d = float((first.yours - first.expected).ravel()[0])
    if len(found) > 1:
        says = f"In every case yours is {abs(d):.6g} too {'large' if d > 0 else 'small'}: where does that come from?"
        yield "offset", says, lambda p: close(p.yours - p.expected, np.full(p.expected.shape, d))
    for name in found[0].sizes():
        if " " not in name:
            for times, word in (
                (-1, "too small by"),
                (1, "too large by"),
                (-2, "too small by twice"),
                (2, "too large by twice"),
            ):
                says = f"In every case yours is {word} {name}: how often does {name} count?"
                yield (
                    f"offset {times} input",
                    says,
                    lambda p, n=name, t=times: (
                        n in p.sizes()
                        and close(p.yours - p.expected, np.full(p.expected.shape, t * p.sizes()[n]))
                    ),
                )  # type: ignore[misc]


def _inputs(found: list[Pair]) -> Iterator[Found]:
    relations: dict[str, Callable[[Array, Array], Array]] = {
        "{n} itself, unchanged": lambda e, x: x,
        "{n} with the opposite sign": lambda e, x: -x,
        "what was expected plus {n}": lambda e, x: e + x,
        "what was expected minus {n}": lambda e, x: e - x,
        "what was expected times {n}": lambda e, x: e * x,
        "what was expected divided by {n}": lambda e, x: e / x,
    }
    for name, (text, function) in itertools.product(found[0].case["parameters"], relations.items()):
        says = f"Yours is {text.format(n=name)}: what should become of {name}?"
        yield (
            text,
            says,
            lambda p, n=name, f=function: (
                (x := p.array(n)) is not None and _same(lambda e: f(e, x), p.expected, p.yours)
            ),
        )  # type: ignore[misc]


def _constants(found: list[Pair]) -> Iterator[Found]:
    filled = [pair for pair in found if pair.yours.size]
    c = float(filled[0].yours.ravel()[0])
    if len(filled) > 1 and sum(pair.yours.size for pair in filled) > 3:
        says = f"Yours is {c:.6g} for every input: which of them does it look at?"
        yield "constant", says, lambda p: close(p.yours, np.full(p.yours.shape, c))
    worst = max(
        float(np.max(np.abs(p.yours - p.expected) / np.maximum(np.abs(p.expected), 1e-12)))
        for p in filled
    )
    if 0 < worst < 2e-3:
        says = "Yours is nearly right, and not in the last digits: what small number is added, or cut off?"
        yield "nearly", says, lambda p: close(p.yours, p.expected, 2e-3)
    if all(pair.yours.size > 2 for pair in bad_of(found)):
        says = "Your numbers are the expected ones in other places: which one belongs where?"
        yield (
            "permuted",
            says,
            lambda p: close(np.sort(p.yours.ravel()), np.sort(p.expected.ravel())),
        )


def bad_of(found: list[Pair]) -> list[Pair]:
    """Return the pairs that differ."""
    return [pair for pair in found if not pair.right]


def _places(found: list[Pair]) -> Iterator[Found]:
    """Yield where the wrong numbers are: by the input in their place, by row, by the case's form."""
    masks = [_wrong_places(pair) for pair in found]
    if sum(map(np.size, masks)) < 4:
        return
    for name in found[0].case["parameters"]:
        xs = [pair.array(name) for pair in found]
        for text, function in WHERE.items():
            if any(x is not None and x.size > 1 and function(x).any() for x in xs):
                says = f"Yours differs just where {name} {text}: what should happen there?"
                yield (
                    f"where {text}",
                    says,
                    lambda p, n=name, f=function: (
                        (x := p.array(n)) is not None and bool((f(x) == _wrong_places(p)).all())
                    ),
                )  # type: ignore[misc]
    if all(pair.expected.ndim == 2 and len(pair.expected) > 1 for pair in found):
        says = "Only your first row is right: what happens to the others?"
        yield "first row", says, lambda p: _rows(p)[0] == 0 and _rows(p)[1:].all()
        says = "All your rows are right but the first: what is different about it?"
        yield "other rows", says, lambda p: bool(_rows(p)[0]) and not _rows(p)[1:].any()
    if all(pair.expected.ndim == 1 and pair.expected.size > 2 for pair in found):
        says = "Only your first number is right: what happens to the others?"
        yield (
            "first number",
            says,
            lambda p: not _wrong_places(p)[0] and bool(_wrong_places(p)[1:].all()),
        )
        says = "All your numbers are right but the last: what is different about it?"
        yield (
            "last number",
            says,
            lambda p: bool(_wrong_places(p)[-1]) and not _wrong_places(p)[:-1].any(),
        )
    bad = bad_of(found)
    if 1 < len(bad) < len(found) - 1:  # one case alone is often a coincidence
        forms = [_form(pair) for pair in found]
        both = set.intersection(*(one for one, p in zip(forms, found, strict=True) if not p.right))
        both -= set.union(*(one for one, p in zip(forms, found, strict=True) if p.right))
        for text in sorted(both)[:1]:
            says = f"Yours is right elsewhere, and differs where {text}: what is different there?"
            yield f"cases {text}", says, lambda p, t=text: (t in _form(p)) != p.right  # type: ignore[misc]


def _wrong_places(pair: Pair) -> Array:
    return ~np.isclose(pair.yours, pair.expected, rtol=1e-6, atol=1e-9, equal_nan=True)


def _rows(pair: Pair) -> Array:
    rows: Array = _wrong_places(pair).any(axis=1)
    return rows


def _form(pair: Pair) -> set[str]:
    found = set()
    for name in pair.case["parameters"]:
        value = pair.input(name)
        if isinstance(value, np.ndarray):
            found.add(f"{name} has {value.ndim} {'axis' if value.ndim == 1 else 'axes'}")
            found |= {f"{name} has one row"} if value.ndim and len(value) == 1 else set()
        elif type(value) in (int, float):
            word = "negative" if value < 0 else "0" if value == 0 else "positive"
            found.add(f"{name} is {word}")
    return found


def _integers(first: str, chosen: Cases) -> Iterator[Relation]:
    found = pairs(chosen, 0)
    if found and all(close(np.trunc(p.expected), p.yours) for p in found if p.same_size):
        says = "Your results lost their decimals: which array holds whole numbers only?"
        yield Relation(
            "decimals",
            says,
            lambda c: all(
                close(np.trunc(p.expected), p.yours)
                for p in pairs([x for x in c if x[0]["property"] == first], 0)
            ),
        )
    if all("value" in outcome for _, outcome in chosen):
        says = "With floats yours is right, with whole numbers it is not: where do they stay whole?"
        yield Relation(
            "whole numbers",
            says,
            lambda c: not any(wrong(*one) for one in c if one[0]["property"] == "value"),
        )


def _stability(first: str, chosen: Cases) -> Iterator[Relation]:
    found = [(pair, outcome) for pair, (_, outcome) in zip(pairs(chosen, 0), chosen, strict=False)]
    bad = [pair for pair, _ in found if not pair.right and pair.same_size]
    seen: Seen = lambda cases: any(wrong(*one) for one in cases if one[0]["property"] == first)  # noqa: E731
    if not bad:
        return
    for _, says, _ in _not_finite(bad):
        yield Relation("not finite", says, seen)
        return
    if bound := _cap(bad):
        says = f"Yours never gets above {bound:.4g}: which bound, or which small number, limits it?"
        yield Relation(
            "cap",
            says,
            lambda c: all(
                p.yours.max() <= bound * 1.0001
                for p in pairs([x for x in c if x[0]["property"] == first], 0)
            ),
        )
        return
    pair = bad[0]
    place = int(np.argmax(_wrong_places(pair).ravel()))
    y, e = pair.yours.ravel()[place], pair.expected.ravel()[place]
    x = pair.array(name := pair.case["parameters"][0])
    at = f"At {name} = {x.ravel()[place]:g} yours" if x is not None else "At an extreme input yours"
    says = f"{at} is {y:.6g}, and {e:.6g} was expected: what is lost, or cut off, on the way?"
    yield Relation("extreme place", says, seen)


def _cap(bad: list[Pair]) -> float | None:
    """Return −ln ε for a power of ten ε at which all wrong numbers stay, or None."""
    tops = [float(pair.yours.max()) for pair in bad]
    digits = tops[0] / np.log(10)
    near = 3.5 < digits < 330 and abs(digits - round(digits)) < 1e-4
    return tops[0] if near and all(abs(top - tops[0]) < 1e-4 for top in tops) else None


# ------------------------------------------------------------------ random numbers


def _laws(chosen: Cases) -> Iterator[Relation]:
    """Yield what random numbers show: their mean, or how wide they spread."""
    for name, says, test in _law_candidates(chosen):
        seen: Seen = lambda c, test=test: all(  # type: ignore[misc]  # noqa: E731
            test(*one) for one in map(_quantiles, c) if one is not None
        )
        if all(_quantiles(one) is not None for one in chosen) and seen(chosen):
            yield Relation(name, says, seen)


def _quantiles(one: tuple[CaseData, Outcome]) -> tuple[Array, Array] | None:
    want, got = one[0]["expected"].get("sample"), one[1].get("sample")
    if not want or not got or not got["quantiles"] or not np.isfinite(got["quantiles"]).all():
        return None
    return np.array(want["quantiles"]), np.array(got["quantiles"])


def _law_candidates(chosen: Cases) -> Iterator[tuple[str, str, Callable[[Array, Array], bool]]]:
    first = _quantiles(chosen[0])
    if first is None or not first[1].std():
        return
    e, y = first
    yield (
        "positive",
        "None of your numbers is below 0: on which side of 0 should they lie?",
        lambda e, y: y.min() > -1e-9 > e.min(),
    )
    yield (
        "shifted",
        f"Your numbers have the mean {y.mean():.3g}, and 0 was expected: what shifts them?",
        lambda e, y: abs(y.mean()) > 0.2 * y.std() and abs(e.mean()) < 0.1 * e.std(),
    )
    words = {
        2: "twice as wide",
        0.5: "half as wide",
        2**0.5: "√2 times as wide",
        0.5**0.5: "1/√2 times as wide",
        3**0.5: "√3 times as wide",
        3**-0.5: "1/√3 times as wide",
    }
    for factor, word in words.items():
        says = (
            f"Your numbers spread {word} as expected: which factor, or which root, is in the width?"
        )
        yield (
            f"width {factor:.3g}",
            says,
            lambda e, y, f=factor: abs(np.log(y.std() / e.std() / f)) < 0.06,
        )  # type: ignore[misc]
    yield (
        "too wide",
        "Your numbers spread too wide: what should their width depend on?",
        lambda e, y: y.std() > 1.1 * e.std(),
    )
    yield (
        "too narrow",
        "Your numbers spread too little: what should their width depend on?",
        lambda e, y: y.std() < 0.9 * e.std(),
    )

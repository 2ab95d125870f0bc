"""Relate a learner's results to the expected ones, from the outcomes alone.

A relation is a sentence that is true of all cases it speaks of. It ends in a question, and never
says what the code does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from grader.comparison.codec import Array, decode_input, numbers_in
from grader.comparison.judge import Compared
from grader.comparison.schema import CaseData, Outcome, Plain
from grader.comparison.vocabulary import kind
from grader.diagnosis.symptoms import WARNINGS, Cases, symptoms, told, warnings_of

ORDINARY = ("value", "shape", "integer")
"""Kinds of property whose cases have ordinary inputs: a relation is true of all of them."""


@dataclass(frozen=True)
class Pair:
    """The numbers that were expected in a case, and the learner's, in the expected shape."""

    case: CaseData
    outcome: Outcome
    expected: Array
    yours: Array

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """The inputs by their parameters' names."""
        data = zip(self.case["parameters"], self.case["inputs"], strict=False)
        return {name: decode_input(one) for name, one in data}

    @property
    def same_size(self) -> bool:
        """Whether there are as many numbers as expected."""
        return self.expected.size == self.yours.size

    @property
    def bad(self) -> Array:
        """Which numbers differ; one True if there are more or fewer than expected."""
        if not self.same_size:
            return np.array([True])
        tolerance = {"rtol": self.case["rtol"], "atol": self.case["atol"]}
        return ~np.isclose(self.yours, self.expected, equal_nan=True, **tolerance)

    @property
    def right(self) -> bool:
        """Whether no number differs."""
        return not self.bad.any()

    def place(self, name: str) -> Array | None:
        """Return an input with as many numbers as expected, in their shape; None for others."""
        value = self.inputs.get(name)
        if isinstance(value, (int, float, np.ndarray)) and np.size(value) == self.expected.size:
            return np.asarray(value, float).reshape(self.expected.shape)
        return None

    @property
    def measures(self) -> dict[str, Any]:
        """Inputs, and sizes of inputs, by the words for them."""
        found: dict[str, Any] = {}
        for name, value in self.inputs.items():
            x = self.place(name)
            if x is not None or type(value) in (int, float):
                found[name] = value if x is None else x
            if isinstance(value, np.ndarray) and value.size and value.ndim:
                found[f"the number of rows of {name}"] = len(value)
                found[f"the number of columns of {name}"] = value.size / len(value)
        return found


Formula = Callable[[Array], Any]


def relation(answer: Compared) -> str | None:
    """Return what is seen where the most basic property is missed, the nearest, or None."""
    return next(relations(answer, answer.missed[0]), None)


def relations(answer: Compared, prop: str) -> Iterator[str]:
    """Yield what is seen where a property is missed, the nearest first."""
    first, cases = kind(prop), [*zip(answer.cases, answer.outcomes, strict=True)]
    chosen = [cases[i] for i in answer.concerned(prop)]
    yield from symptoms(first, chosen)
    with np.errstate(all="ignore"):
        match first:
            case "distribution":
                drawn = [one for one in cases if kind(one[0]["property"]) == first]
                yield from (says for says, law in LAWS if all(_obeys(law, *one) for one in drawn))
            case "integer":
                yield from _integers(chosen)
            case "stability":
                yield from _extremes(chosen)
        if first in ORDINARY:
            yield from _ordinary([one for one in cases if kind(one[0]["property"]) in ORDINARY])


def close(one: Any, other: Any, rtol: float = 2e-5) -> bool:
    """Return whether there are numbers, and all agree to about five digits."""
    one, other = np.ravel(one), np.ravel(other)
    same = 0 < one.size == other.size
    return same and np.allclose(one, other, rtol=rtol, atol=1e-8, equal_nan=True)


def parts(data: Plain) -> list[Plain]:
    """Return the parts of a tuple; any other value alone."""
    return [*data["tuple"]] if isinstance(data, dict) and "tuple" in data else [data]


def leaves(data: Plain) -> list[Plain]:
    """Return the arrays in a list of arrays, also of nested ones; any other value alone."""
    items = data.get("list", data.get("tuple")) if isinstance(data, dict) else None
    if items is None or numbers_in(data) is not None:
        return [data]
    return [leaf for item in items for leaf in leaves(item)]


def pairs(cases: Cases, part: int) -> list[Pair]:
    """Return the numbers of one part in each case; nothing if some case has others."""
    found = []
    for case, outcome in cases:
        want, got = parts(case["expected"].get("value")), parts(outcome.get("value"))
        if len(want) != len(got) or part >= len(want):
            return []
        wanted = [*map(numbers_in, leaves(want[part]))]
        mine = [*map(numbers_in, leaves(got[part]))]
        if len(wanted) != len(mine):
            return []
        for e, y in zip(wanted, mine, strict=True):
            if e is None or y is None:
                return []
            y = y.reshape(e.shape) if e.size == y.size else y
            found.append(Pair(case, outcome, e, y))
    return found


def _ordinary(cases: Cases) -> Iterator[str]:
    """Yield relations of the results, or of those parts that differ."""
    count = max(len(parts(case["expected"].get("value"))) for case, _ in cases)
    every = [pairs(cases, i) for i in range(count)]
    orders = itertools.permutations(range(count)) if all(every) and 1 < count < 4 else ()
    for order in itertools.islice(orders, 1, None):
        turned = zip(itertools.chain(*every), itertools.chain(*(every[i] for i in order)))  # noqa: B905
        if all(close(one.expected, other.yours) for one, other in turned):
            yield "Your parts are right, in another order: which one comes first?"
    bad = [i for i, one in enumerate(every) if not all(pair.right for pair in one)]
    for i in bad:
        yield from _of_part(i, count, _exactly(every[i]))
    if not bad and all(every):
        yield "Your numbers are right, and not their shape or their type: which step decides it?"
    if 0 < len(bad) < count and all(every):
        which = " and ".join(str(i + 1) for i in bad)
        yield f"Of your {count} parts only {which} differs: what does it need that others don't?"
    yield from _sizes(cases)
    for i in bad:
        yield from _of_part(i, count, _roughly(every[i]))


def _of_part(i: int, count: int, seen: Iterator[str]) -> Iterator[str]:
    return (f"In part {i + 1}, {one[0].lower()}{one[1:]}" if count > 1 else one for one in seen)


def _sizes(cases: Cases) -> Iterator[str]:
    """Yield whether there are more numbers than expected, or fewer, in all cases that differ."""
    sides = [(case["expected"].get("value"), one["value"]) for case, one in cases if "value" in one]
    more = {_count(y) - _count(e) for e, y in sides} - {0}
    if more and min(more) > 0:
        yield "You return more numbers than were expected: which of them are wanted?"
    if more and max(more) < 0:
        yield "You return fewer numbers than were expected: which are missing?"


def _count(data: Plain) -> int:
    return sum(np.size(n) for n in map(numbers_in, leaves(data)) if n is not None)


FACTORS = {2: "twice", 0.5: "half", -1: "minus"}
FACTORS |= {
    1 / np.log(n): f"(as for a logarithm to base {n}) {1 / np.log(n):.6g} times" for n in (2, 10)
}
OF_EXPECTED: dict[str, Formula] = {
    "the square of the expected": np.square,
    "1 divided by the expected": lambda e: 1 / e,
    "1 minus the expected": lambda e: 1 - e,
    "the expected without its decimals": np.trunc,
    "the expected with 0 in place of negative numbers": lambda e: np.maximum(e, 0),
    "the expected, transposed": lambda e: e.T if e.ndim == 2 else [],
    "only the first row of the expected": lambda e: e[:1] if e.ndim else [],
    "only the last row of the expected": lambda e: e[-1:] if e.ndim else [],
    "the sum of the expected": lambda e: e.sum() if e.ndim else [],
}
WITH_INPUT: dict[str, Callable[[Array, Any], Any]] = {
    "{} itself": lambda e, x: 0 * e + x,
    "what was expected times {}": lambda e, x: e * x,
    "what was expected divided by {}": lambda e, x: e / x,
}
WHERE: dict[str, Formula] = {
    "is exactly 0": lambda x: x == 0,
    "is below 0": lambda x: x < 0,
    "is above 0": lambda x: x > 0,
    "is 0 or less": lambda x: x <= 0,
    "is between 0 and 1": lambda x: (x > 0) & (x < 1),
}


def _exactly(found: list[Pair]) -> Iterator[str]:
    """Yield what is exactly true of all pairs, the nearest first."""
    total = sum(pair.expected.size for pair in found)
    if not all(np.isfinite(pair.yours).all() for pair in found):
        yield from _not_finite(found)
        return
    if all(close(pair.yours, pair.expected) for pair in found):
        return
    if total > 2 and all(pair.same_size for pair in found):
        yield from _by_a_number(found)
        measures = [pair.measures for pair in found]
        for name, (text, both) in itertools.product(measures[0], WITH_INPUT.items()):
            with_it = (
                both(p.expected, m.get(name, np.nan)) for p, m in zip(found, measures, strict=True)
            )
            if all(close(one, p.yours) for one, p in zip(with_it, found, strict=True)):
                yield f"Yours is {text.format(name)}: what should become of it?"
    if total > 2 and len({round(float(one), 9) for p in found for one in p.yours.ravel()}) > 2:
        for text, formula in OF_EXPECTED.items():
            if all(close(formula(p.expected), p.yours) for p in found):
                yield f"Yours is {text}: which step makes it so?"
    if found and all(
        p.right or (p.yours.size > 1 and close(p.yours.mean(), p.expected)) for p in found
    ):
        yield "The mean of your numbers is what was expected: which step is still to come?"
    if total > 2 and all(pair.same_size for pair in found):
        yield from _just_where(found)
    for word, sign in {"many": 1, "few": -1}.items():
        if found and all(p.right or p.yours.ndim - p.expected.ndim == sign for p in found):
            yield f"Your result has one axis too {word}: which step makes it so?"


def _roughly(found: list[Pair]) -> Iterator[str]:
    """Yield how far off all pairs are."""
    if not found or not all(p.same_size and np.isfinite(p.yours).all() for p in found):
        return
    if all(close(p.yours, p.expected, 2e-3) for p in found):
        yield "Yours is nearly right: which small number is added, or which digits are cut off?"
    if all(_size(p.yours - p.expected) <= 0.02 * _size(p.expected) for p in found):
        yield "In the cases of this check yours is off by less than 2 %: what is left out?"
    if all((p.yours > p.expected)[p.bad].all() for p in found):
        yield "In the cases of this check yours is never too small: what makes it so large?"
    if all((p.yours < p.expected)[p.bad].all() for p in found):
        yield "In the cases of this check yours is never too large: what keeps it so small?"


def _size(numbers: Array) -> float:
    return float(np.abs(numbers).max(initial=0))


def _not_finite(found: list[Pair]) -> Iterator[str]:
    first = next(pair for pair in found if not np.isfinite(pair.yours).all())
    place = int(np.argmin(np.isfinite(first.yours.ravel())))
    word = "nan" if np.isnan(first.yours.ravel()[place]) else "infinity"
    name = next(iter(first.inputs), "")
    x = first.place(name) if first.same_size else None
    if x is None:
        yield from told(WARNINGS, warnings_of([first.outcome]))
    at = f" where {name} is {x.ravel()[place]:g}" if x is not None else ""
    yield f"You get {word}{at}: which step makes a number that a float can't hold?"


def _by_a_number(found: list[Pair]) -> Iterator[str]:
    """Yield a constant or a factor that is the same everywhere."""
    e, y = (np.concatenate([getattr(p, n).ravel() for p in found]) for n in ("expected", "yours"))
    if len(found) > 1 and len(y) > 3 and close(y, np.full_like(y, y[0])):
        yield f"Yours is {y[0]:.6g} for every input: which of them does it look at?"
    factor = float(e @ y / (e @ e)) if e.any() else 0.0
    if abs(factor - 1) > 1e-4 and close(factor * e, y):
        near = [word for n, word in FACTORS.items() if abs(factor / n - 1) < 1e-5]
        text = near[0] if near else f"{factor:.6g} times"
        yield f"In every case yours is {text} what was expected: which factor makes it so?"


def _just_where(found: list[Pair]) -> Iterator[str]:
    """Yield where numbers differ, by the input in the same place."""
    for name, (text, where) in itertools.product(found[0].inputs, WHERE.items()):
        xs = [pair.place(name) for pair in found]
        there = [where(x) for x in xs if x is not None]
        seen = {bool(one) for some in there if some.size > 1 for one in some.ravel()}
        same = [*map(np.array_equal, there, (pair.bad for pair in found))]
        if len(seen) > 1 and len(same) == len(found) and all(same):
            yield f"Yours differs just where {name} {text}: what should happen there?"


def _integers(chosen: Cases) -> Iterator[str]:
    found = pairs(chosen, 0)
    if found and all(p.right or close(np.trunc(p.expected), p.yours) for p in found):
        yield "Your results lost their decimals: which array can hold whole numbers only?"
    elif all("value" in outcome for _, outcome in chosen):
        yield "With floats yours is right, with whole numbers it is not: what stays whole?"


def _extremes(chosen: Cases) -> Iterator[str]:
    bad = [p for i in range(2) for p in pairs(chosen, i) if p.same_size and not p.right]
    if not all(np.isfinite(pair.yours).all() for pair in bad):
        yield from _not_finite(bad)
    elif bad:
        place, name = int(np.argmax(bad[0].bad.ravel())), next(iter(bad[0].inputs))
        x, e, y = bad[0].place(name), bad[0].expected.ravel()[place], bad[0].yours.ravel()[place]
        at = f"At {name} = {x.ravel()[place]:g} yours" if x is not None else "At extremes yours"
        yield f"{at} is {y:.6g}, and {e:.6g} was expected: what is lost, or cut off, on the way?"


LAWS: list[tuple[str, Callable[[Any, Any], Any]]] = [  # of random numbers
    ("Your numbers have another shape: how many are drawn?", lambda e, y: y["shape"] != e["shape"]),
    (
        "Your numbers don't depend on rng alone, or repeat: which call draws them?",
        lambda e, y: any(y[one] != e[one] for one in ("follows_rng", "moves_on", "distinct")),
    ),
    (
        "None of your numbers is below 0: on which side of 0 should they be?",
        lambda e, y: y["quantiles"][0] > -1e-9 > e["quantiles"][0],
    ),
    (
        "Your numbers don't lie around 0: what shifts them?",
        lambda e, y: abs(np.mean(y["quantiles"])) > 0.2 * np.std(y["quantiles"]),
    ),
    ("Your numbers spread too wide: what does their width depend on?", lambda e, y: _w(e, y) > 1.1),
    ("Your numbers spread too little: what sets their width?", lambda e, y: _w(e, y) < 0.9),
    ("Your numbers spread as wide as expected: which distribution is meant?", lambda e, y: True),
]


def _obeys(law: Callable[[Any, Any], Any], case: CaseData, outcome: Outcome) -> bool:
    y: Any = outcome.get("sample")
    return bool(y and y["quantiles"] and law(case["expected"]["sample"], y))


def _w(expected: Any, yours: Any) -> float:
    """Return how wide random numbers spread, compared with the expected ones."""
    return float(np.std(yours["quantiles"]) / np.std(expected["quantiles"]))

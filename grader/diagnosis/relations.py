"""Relate a learner's results to the expected ones, from the outcomes alone.

A relation is seen on every case that its sentence speaks of, and can be looked for in any other
outcomes of the same answer. Its sentence ends in a question, and never says what the code does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from grader.comparison.codec import Array, decode_input, numbers_in
from grader.comparison.judge import Compared
from grader.comparison.schema import CaseData, Plain
from grader.comparison.vocabulary import kind
from grader.diagnosis.symptoms import Cases, Relation, misses, symptoms

ORDINARY = ("value", "shape", "integer")
"""Kinds of property whose cases have ordinary inputs: a relation holds on all of them."""


@dataclass(frozen=True)
class Pair:
    """The numbers that were expected in a case, and the learner's, in the expected shape."""

    case: CaseData
    expected: Array
    yours: Array

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """The inputs by their parameters' names."""
        data = zip(self.case["parameters"], self.case["inputs"], strict=False)
        return {name: decode_input(one) for name, one in data}

    @cached_property
    def same_size(self) -> bool:
        """Whether there are as many numbers as expected."""
        return self.expected.size == self.yours.size

    @cached_property
    def bad(self) -> Array:
        """Which numbers differ; one True if there are more or fewer than expected."""
        if not self.same_size:
            return np.array([True])
        return ~np.isclose(self.yours, self.expected, rtol=1e-6, atol=1e-9, equal_nan=True)

    @property
    def right(self) -> bool:
        """Whether no number differs."""
        return not self.bad.any()

    @property
    def rows(self) -> Array:
        """Which rows have a number that differs."""
        rows: Array = np.any(self.bad.reshape(len(self.bad), -1), axis=1)
        return rows

    def place(self, name: str) -> Array | None:
        """Return an input with as many numbers as expected, in their shape; None for others."""
        value = self.inputs.get(name)
        if isinstance(value, (int, float, np.ndarray)) and np.size(value) == self.expected.size:
            return np.asarray(value, float).reshape(self.expected.shape)
        return None

    @cached_property
    def amounts(self) -> dict[str, float]:
        """Numbers and sizes among the inputs, by the words for them."""
        found: dict[str, float] = {}
        for name, value in self.inputs.items():
            if isinstance(value, np.ndarray) and value.size and value.ndim:
                found[f"the number of rows of {name}"] = len(value)
                found[f"the number of columns of {name}"] = value.size / len(value)
            elif type(value) in (int, float):
                found[name] = float(value)
        return found


Test = Callable[[Pair], Any]
Candidate = tuple[str, Test]
Formula = Callable[[Array], Any]


def relation(answer: Compared) -> Relation | None:
    """Return the nearest relation in the cases that miss the most basic property, or None."""
    first, cases = answer.missed[0], [*zip(answer.cases, answer.outcomes, strict=True)]
    chosen = [cases[i] for i in answer.concerned(first)]
    related = partial(_related, kind(first))
    if (seen := next(_relations(kind(first), chosen, related(cases)), None)) is None:
        return None
    return Relation(seen.sentence, lambda others: seen.holds(related(others)))


def _related(first: str, cases: Cases) -> Cases:
    """Return the cases that a relation speaks of: ordinary inputs, extremes, or one kind."""
    groups = (ORDINARY, ("stability", "quiet"), (first,))
    kinds = next(group for group in groups if first in group)
    return [one for one in cases if first == "purity" or kind(one[0]["property"]) in kinds]


def _relations(first: str, chosen: Cases, related: Cases) -> Iterator[Relation]:
    yield from symptoms(first, chosen)
    match first:
        case "distribution":
            laws = [(says, partial(_lawful, law)) for says, law in LAWS]
            yield from (Relation(says, law) for says, law in laws if law(related))
        case "integer":
            yield from _integers(chosen)
        case "stability":
            yield from _extremes(chosen)
    if first in ORDINARY:
        yield from _of_parts(related)


def close(one: Any, other: Any, rtol: float = 2e-5) -> bool:
    """Return whether all numbers agree to about five digits."""
    one, other = np.ravel(one), np.ravel(other)
    same = one.size == other.size
    return same and np.allclose(one, other, rtol=rtol, atol=1e-8, equal_nan=True)


def parts(data: Plain) -> list[Plain]:
    """Return the parts of a tuple; any other value alone."""
    return [*data["tuple"]] if isinstance(data, dict) and "tuple" in data else [data]


def leaves(data: Plain) -> list[Plain]:
    """Return the arrays in a list of arrays, also of nested ones; any other value alone."""
    named = next(
        (name for name in ("list", "tuple") if isinstance(data, dict) and name in data), ""
    )
    if not named or numbers_in(data) is not None:
        return [data]
    return [leaf for item in data[named] for leaf in leaves(item)]


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
            found.append(Pair(case, e, y.reshape(e.shape) if e.size == y.size else y))
    return found


def _of_parts(cases: Cases) -> Iterator[Relation]:
    """Yield relations of the results, or of those parts that differ."""
    count = max(len(parts(case["expected"].get("value"))) for case, _ in cases)
    every = [pairs(cases, i) for i in range(count)]
    says = "Your parts are right, in another order: which one comes first?"
    for order in [*itertools.permutations(range(count))][1:] if count < 4 else []:
        if _turned(order, cases):
            yield Relation(says, partial(_turned, order))
    bad = [i for i, one in enumerate(every) if not all(pair.right for pair in one)]
    for i in bad:
        with np.errstate(all="ignore"):
            for says, test in _candidates(every[i]):
                if all(map(test, every[i])):
                    says = f"In part {i + 1}, {says[0].lower()}{says[1:]}" if count > 1 else says
                    yield Relation(says, partial(_always, i, test))
    if not bad and all(every):
        says = "Your numbers are right, and not their shape or their type: which step decides it?"
        yield Relation(says, partial(_always, 0, lambda pair: pair.right))
    if 0 < len(bad) < count and all(every):
        which = " and ".join(str(i + 1) for i in bad)
        says = f"Of your {count} parts only {which} differs: what does it need that others don't?"
        right = [i for i in range(count) if i not in bad]
        yield Relation(says, partial(_always, right[0], lambda pair: pair.right))


def _always(part: int, test: Test, cases: Cases) -> bool:
    with np.errstate(all="ignore"):
        return all(map(test, pairs(cases, part)))


def _turned(order: tuple[int, ...], cases: Cases) -> bool:
    every = [pairs(cases, i) for i in range(len(order))]
    both = zip(every, (every[i] for i in order), strict=True)
    return all(every) and all(
        close(a.expected, b.yours) for one, other in both for a, b in zip(one, other, strict=True)
    )


FACTORS = {2: "twice", 0.5: "half", -1: "minus"}
POWERS = {1: "times", -1: "divided by"}
OF_EXPECTED: dict[str, Formula] = {
    "the square of the expected": np.square,
    "1 divided by the expected": lambda e: 1 / e,
    "the logarithm of the expected": np.log,
    "1 minus the expected": lambda e: 1 - e,
    "the expected without its decimals": np.trunc,
    "the expected with 0 in place of negative numbers": lambda e: np.maximum(e, 0),
    "the expected cut to 0 … 1": lambda e: np.clip(e, 0, 1),
    "the expected, transposed": lambda e: e.T if e.ndim == 2 else None,
    "only the first row of the expected": lambda e: e[0] if e.ndim and len(e) else None,
    "only the last row of the expected": lambda e: e[-1] if e.ndim and len(e) else None,
    "the expected without its first row": lambda e: e[1:] if e.ndim else None,
    "the sum of the expected": lambda e: e.sum() if e.ndim else None,
}
TO_EXPECTED: dict[str, Formula] = {
    "The mean of your numbers is": lambda y: y.mean() if y.ndim and y.size else None,
    "The smallest of your numbers is": lambda y: y.min() if y.ndim and y.size else None,
    "The sum over your rows is": lambda y: y.sum(0) if y.ndim == 2 else None,
    "The sum in each of your rows is": lambda y: y.sum(1) if y.ndim == 2 else None,
    "Yours without its last row is": lambda y: y[:-1] if y.ndim else None,
}
WITH_INPUT: dict[str, Callable[[Array, Array], Array]] = {
    "{} itself, unchanged": lambda e, x: x,
    "what was expected times {}": lambda e, x: e * x,
    "what was expected divided by {}": lambda e, x: e / x,
}
WHERE: dict[str, Callable[[Array], Array]] = {
    "is exactly 0": lambda x: x == 0,
    "is below 0": lambda x: x < 0,
    "is above 0": lambda x: x > 0,
    "is 0 or less": lambda x: x <= 0,
    "is between 0 and 1": lambda x: (x > 0) & (x < 1),
    "is above 1": lambda x: x > 1,
}
OF_ROWS: dict[str, Test] = {
    "Only your first row is right: what happens to the others?": lambda p: (
        p.rows[1:].all() and not p.rows[0]
    ),
    "All your rows are right but the last: what is different about it?": lambda p: (
        p.rows[-1] and not p.rows[:-1].any()
    ),
}
NEARLY = "Yours is nearly right: which small number is added, or which digits are cut off?"
IN_THE_END: list[Candidate] = [
    (NEARLY, lambda p: close(p.yours, p.expected, 2e-3)),
    (
        "In the cases of this check yours is never too small: what is counted too often?",
        lambda p: (p.yours > p.expected)[p.bad].all(),
    ),
    (
        "In the cases of this check yours is never too large: what is missing?",
        lambda p: (p.yours < p.expected)[p.bad].all(),
    ),
]


def _candidates(found: list[Pair]) -> Iterator[Candidate]:
    """Yield relations to be tested on all pairs, the nearest first."""
    total = sum(pair.expected.size for pair in found)
    if not all(np.isfinite(pair.yours).all() for pair in found):
        yield _not_finite(found), lambda pair: True
        return
    if all(close(pair.yours, pair.expected) for pair in found):
        yield NEARLY, lambda pair: close(pair.yours, pair.expected, 2e-3)
        return
    if same := total > 2 and all(pair.same_size for pair in found):
        yield from _by_a_number(found)
        for name, (text, both) in itertools.product(found[0].inputs, WITH_INPUT.items()):
            says = f"Yours is {text.format(name)}: what should become of {name}?"
            yield says, partial(_with_input, name, both)
    if total > 2 and len({round(float(one), 9) for p in found for one in p.yours.ravel()}) > 2:
        for text, formula in OF_EXPECTED.items():
            yield f"Yours is {text}: which step makes it so?", partial(_of_expected, formula)
    for text, formula in TO_EXPECTED.items():
        says = f"{text} what was expected: which step is still to come?"
        yield says, partial(_to_expected, formula)
    if same:
        yield from _somewhere(found)
    if all(pair.same_size for pair in found):
        yield from IN_THE_END
    for word, sign in {"many": 1, "few": -1}.items():
        says = f"Your result has one axis too {word}: which step makes it so?"
        yield says, lambda p, by=sign: p.right or p.yours.ndim - p.expected.ndim == by  # type: ignore[misc]


def _of_expected(formula: Formula, pair: Pair) -> bool:
    return (value := formula(pair.expected)) is not None and close(value, pair.yours)


def _to_expected(formula: Formula, pair: Pair) -> bool:
    value = formula(pair.yours)
    return pair.right or (value is not None and close(value, pair.expected))


def _with_input(name: str, formula: Callable[[Array, Array], Array], pair: Pair) -> bool:
    return (x := pair.place(name)) is not None and close(formula(pair.expected, x), pair.yours)


def _not_finite(found: list[Pair]) -> str:
    first = next(pair for pair in found if not np.isfinite(pair.yours).all())
    place = int(np.argmin(np.isfinite(first.yours.ravel())))
    word = "nan" if np.isnan(first.yours.ravel()[place]) else "infinity"
    name = next(iter(first.inputs), "")
    x = first.place(name) if first.same_size else None
    at = f" where {name} is {x.ravel()[place]:g}" if x is not None else ""
    return f"You get {word}{at}: which step makes a number that a float can't hold?"


def _by_a_number(found: list[Pair]) -> Iterator[Candidate]:
    """Yield a factor or a difference that is the same everywhere, a size, or an input."""
    e, y = (np.concatenate([getattr(p, side).ravel() for p in found]) for side in SIDES)
    number, by = float(y[0]), float(y[0] - e[0])
    if len(found) > 1 and len(y) > 3:
        says = f"Yours is {number:.6g} for every input: which of them does it look at?"
        yield says, lambda p: close(p.yours, np.full(p.yours.shape, number))
    factor = float(e @ y / (e @ e)) if e.any() else 0.0
    near = [word for n, word in FACTORS.items() if abs(factor / n - 1) < 1e-5]
    text = f"{near[0] if near else f'{factor:.6g} times'} what was expected"
    base = next((n for n in (2, 10) if abs(factor * np.log(n) - 1) < 1e-5), None)
    says = f"In every case yours is {text}: which factor makes it so?"
    if base:
        says = f"Yours is {text}, like a logarithm to base {base}: which base is meant?"
    if abs(factor - 1) > 1e-4:
        yield says, lambda p: close(factor * p.expected, p.yours)
    size = f"{abs(by):.6g} too {'large' if by > 0 else 'small'}"
    if len(found) > 1 and abs(by) > 1e-3 * np.abs(e).max():
        says = f"In every case yours is {size}: where does that come from?"
        yield says, lambda p: close(p.expected + by, p.yours)
    for name in found[0].amounts:
        if len({pair.amounts.get(name) for pair in found}) > 1:
            for power, word in POWERS.items():
                says = f"Yours is what was expected {word} {name}: does that count there?"
                yield says, partial(_by_amount, name, power)


SIDES = ("expected", "yours")


def _by_amount(name: str, power: int, pair: Pair) -> bool:
    amount = pair.amounts.get(name, 0.0)
    return amount != 0 and close(pair.expected * amount**power, pair.yours)


def _somewhere(found: list[Pair]) -> Iterator[Candidate]:
    """Yield where numbers differ: by the input in the same place, by row, by the inputs' form."""
    for name, (text, where) in itertools.product(found[0].inputs, WHERE.items()):
        xs = [pair.place(name) for pair in found]
        if len({bool(one) for x in xs if x is not None for one in where(x).ravel()}) > 1:
            says = f"Yours differs just where {name} {text}: what should happen there?"
            yield says, partial(_just_where, name, where)
    if all(pair.expected.ndim and len(pair.expected) > 1 for pair in found):
        yield from OF_ROWS.items()


def _just_where(name: str, where: Callable[[Array], Array], pair: Pair) -> bool:
    return (x := pair.place(name)) is not None and np.array_equal(where(x), pair.bad)


def _integers(chosen: Cases) -> Iterator[Relation]:
    found = pairs(chosen, 0)
    says = "With floats yours is right, with whole numbers it is not: what stays whole?"
    if found and all(pair.right or _of_expected(np.trunc, pair) for pair in found):
        says = "Your results lost their decimals: which array can hold whole numbers only?"
    if all("value" in outcome for _, outcome in chosen):
        yield Relation(says, _right_on_floats)


def _right_on_floats(cases: Cases) -> bool:
    return not any(misses(*one) for one in cases if one[0]["property"] == "value")


def _extremes(chosen: Cases) -> Iterator[Relation]:
    bad = [p for i in range(2) for p in pairs(chosen, i) if p.same_size and not p.right]
    if not bad:
        return
    tops = [float(pair.yours.max()) for pair in bad]
    digits = tops[0] / np.log(10)
    place, name = int(np.argmax(bad[0].bad.ravel())), next(iter(bad[0].inputs))
    x, (e, y) = bad[0].place(name), (getattr(bad[0], side).ravel()[place] for side in SIDES)
    if not all(np.isfinite(pair.yours).all() for pair in bad):
        says = _not_finite(bad)
    elif 3.5 < digits < 330 and abs(digits - round(digits)) < 1e-4 and np.ptp(tops) < 1e-3:
        says = f"Yours never gets above {tops[0]:.4g}: which bound, or small number, limits it?"
    else:
        at = f"At {name} = {x.ravel()[place]:g} yours" if x is not None else "At extremes yours"
        says = f"{at} is {y:.6g}, and {e:.6g} was expected: what is lost, or cut off, on the way?"
    yield Relation(says, lambda cases: any(misses(*one) for one in cases))


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


def _lawful(law: Callable[[Any, Any], Any], cases: Cases) -> bool:
    both = [(case["expected"]["sample"], outcome.get("sample")) for case, outcome in cases]
    return all(y and y["quantiles"] and law(e, y) for e, y in both)


def _w(expected: Any, yours: Any) -> float:
    """Return how wide random numbers spread, compared with the expected ones."""
    return float(np.std(yours["quantiles"]) / np.std(expected["quantiles"]))

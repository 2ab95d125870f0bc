"""Say what holds between a learner's results and the expected ones, from the outcomes alone.

A relation is seen on every case that its sentence speaks of, and can be looked for in any other
outcomes of the same answer. Its sentence ends in a question, and never says what the code does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from grader.comparison.codec import Array, decode_input, numbers_in
from grader.comparison.compare import Result
from grader.comparison.judge import misses_of
from grader.comparison.schema import CaseData, ExerciseKey, Outcome, Plain
from grader.comparison.vocabulary import in_order, kind
from grader.diagnosis.symptoms import Cases, Relation, errors, impurities, refusals, warnings, wrong

ORDINARY = ("value", "shape", "integer")
"""Kinds of property whose cases have ordinary inputs: a relation holds on all of them."""


@dataclass(frozen=True)
class Pair:
    """The numbers that were expected in a case, and the learner's."""

    case: CaseData
    expected: Array
    yours: Array

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """The inputs by their parameters' names."""
        return {
            name: decode_input(data)
            for name, data in zip(self.case["parameters"], self.case["inputs"], strict=False)
        }

    @cached_property
    def bad(self) -> Array:
        """Which numbers differ; one True if there are more or fewer than expected."""
        if self.expected.size != self.yours.size:
            return np.array([True])
        return ~np.isclose(self.yours, self.expected, rtol=1e-6, atol=1e-9, equal_nan=True)

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
                found[f"how many numbers {name} has"] = value.size
            elif type(value) in (int, float):
                found[name] = float(value)
        return found


Candidate = tuple[str, str, Callable[[Pair], bool]]
Formula = Callable[[Array], Any]


def relation(key: ExerciseKey, outcomes: list[Outcome]) -> Relation | None:
    """Return the nearest relation in the cases that miss the most basic property, or None."""
    misses = misses_of(key, [*map(Result, outcomes)])
    first = in_order(misses)[0]
    failing = {id(failure.case) for failure in misses[first]}
    cases = [*zip(key["cases"], outcomes, strict=True)]
    chosen = [one for one in cases if one[0]["property"] == first or id(one[0]) in failing]
    return next(_relations(kind(first), chosen, cases), None)


def _relations(first: str, chosen: Cases, cases: Cases) -> Iterator[Relation]:
    if first == "error":
        yield from refusals(chosen)
    yield from errors(chosen)
    match first:
        case "quiet":
            yield from warnings(chosen)
        case "purity":
            yield from impurities(chosen)
        case "distribution":
            yield from _laws(chosen)
        case "integer":
            yield from _integers(chosen)
        case "stability":
            yield from _extremes(chosen)
    if first in ORDINARY:
        yield from _of_parts([one for one in cases if kind(one[0]["property"]) in ORDINARY])


def close(one: Any, other: Any, rtol: float = 2e-5) -> bool:
    """Return whether all numbers agree to about five digits."""
    one, other = np.ravel(one), np.ravel(other)
    return one.size == other.size and bool(
        np.isclose(one, other, rtol=rtol, atol=1e-8, equal_nan=True).all()
    )


# ------------------------------------------------------------------ parts of results


def parts(data: Plain) -> list[Plain]:
    """Return the parts of a tuple, or of a list of other things than numbers; else the value."""
    if isinstance(data, dict) and "tuple" in data:
        return [*data["tuple"]]
    items = data.get("list", []) if isinstance(data, dict) else []
    return (
        [*items] if any(isinstance(one, dict) and "scalar" not in one for one in items) else [data]
    )


def pairs(cases: Cases, part: int) -> list[Pair]:
    """Return the numbers of one part in each case; nothing if some case has none."""
    found = []
    for case, outcome in cases:
        want, got = parts(case["expected"].get("value")), parts(outcome.get("value"))
        e, y = (numbers_in(one[part]) if part < len(one) else None for one in (want, got))
        if len(want) != len(got) or e is None or y is None:
            return []
        found.append(Pair(case, e, y.reshape(e.shape) if e.size == y.size else y))
    return found


def _of_parts(cases: Cases) -> Iterator[Relation]:
    """Yield relations of the results, or of those parts that differ."""
    count = max(len(parts(case["expected"].get("value"))) for case, _ in cases)
    every = [pairs(cases, i) for i in range(count)]
    if count in (2, 3) and all(every):
        yield from _turned(cases, count)
    bad = [i for i, one in enumerate(every) if any(pair.bad.any() for pair in one)]
    for i in bad:
        for name, says, test in _candidates(every[i]):
            if all(map(test, every[i])):
                lead = f"In part {i + 1}, {says[0].lower()}{says[1:]}" if count > 1 else says
                yield Relation(name, lead, _always(i, test))
    if 0 < len(bad) < count and all(every):
        right = [i for i in range(count) if i not in bad]
        which = " and ".join(str(i + 1) for i in bad)
        says = f"Of your {count} parts only {which} differs: what does it need that others don't?"
        yield Relation("parts", says, lambda c: all(_always(i, _right)(c) for i in right))


def _right(pair: Pair) -> bool:
    return not pair.bad.any()


def _always(part: int, test: Callable[[Pair], bool]) -> Callable[[Cases], bool]:
    def holds(cases: Cases) -> bool:
        with np.errstate(all="ignore"):
            return all(map(test, pairs(cases, part)))

    return holds


def _turned(cases: Cases, count: int) -> Iterator[Relation]:
    for order in [*itertools.permutations(range(count))][1:]:

        def holds(cases: Cases, order: tuple[int, ...] = order) -> bool:
            every = [pairs(cases, i) for i in range(count)]
            both = zip(every, (every[i] for i in order), strict=True)
            return all(
                close(a.expected, b.yours) for x, y in both for a, b in zip(x, y, strict=True)
            )

        if holds(cases):
            says = "Your parts are right, in another order: which one comes first?"
            yield Relation("order of parts", says, holds)


# ------------------------------------------------------------------ numbers

FACTORS = {2: "twice", 0.5: "half", 4: "four times", 0.25: "a quarter of", 3: "three times"}
FACTORS |= {1 / 3: "a third of", -2: "minus twice", -0.5: "minus half", 2**0.5: "√2 times"}
POWERS = {1: "times", -1: "divided by", 0.5: "times the root of", -0.5: "divided by the root of"}
POWERS |= {2: "times the square of", -2: "divided by the square of"}
TIMES = {1: "", -1: "minus ", 2: "twice ", 0.5: "half "}
OF_EXPECTED: dict[str, Formula] = {
    "the expected without its sign": np.abs,
    "the square of the expected": np.square,
    "the root of the expected": np.sqrt,
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
TO_EXPECTED: dict[str, Formula] = {
    "The mean of your numbers is": lambda y: y.mean() if y.ndim and y.size else None,
    "The sum of your numbers is": lambda y: y.sum() if y.ndim else None,
    "The largest of your numbers is": lambda y: y.max() if y.ndim and y.size else None,
    "The smallest of your numbers is": lambda y: y.min() if y.ndim and y.size else None,
    "Minus the mean of your numbers is": lambda y: -y.mean() if y.ndim and y.size else None,
    "The sum over your rows is": lambda y: y.sum(0) if y.ndim == 2 else None,
    "The mean over your rows is": lambda y: y.mean(0) if y.ndim == 2 else None,
    "The sum in each of your rows is": lambda y: y.sum(1) if y.ndim == 2 else None,
    "Yours without its first row is": lambda y: y[1:] if y.ndim else None,
    "Yours without its last row is": lambda y: y[:-1] if y.ndim else None,
}
WITH_INPUT: dict[str, Callable[[Array, Array], Array]] = {
    "{} itself, unchanged": lambda e, x: x,
    "{} with the opposite sign": lambda e, x: -x,
    "what was expected plus {}": lambda e, x: e + x,
    "what was expected minus {}": lambda e, x: e - x,
    "what was expected times {}": lambda e, x: e * x,
    "what was expected divided by {}": lambda e, x: e / x,
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


def _candidates(found: list[Pair]) -> Iterator[Candidate]:
    """Yield relations to be tested on all pairs, the simplest first."""
    bad = [pair for pair in found if pair.bad.any()]
    total = sum(pair.expected.size for pair in found)
    varied = len({round(float(one), 9) for pair in found for one in pair.yours.ravel()}) > 2
    if not all(np.isfinite(pair.yours).all() for pair in found):
        yield _not_finite(bad)
        return
    with np.errstate(all="ignore"):
        if total > 2 and all(pair.expected.size == pair.yours.size for pair in found):
            yield from _scaled(found)
            yield from _shifted(found)
            for name, (text, both) in itertools.product(found[0].inputs, WITH_INPUT.items()):
                says = f"Yours is {text.format(name)}: what should become of {name}?"
                yield text, says, _with_input(name, both)
        if total > 2 and varied:
            for text, formula in OF_EXPECTED.items():
                yield text, f"Yours is {text}: which step makes it so?", _of_expected(formula)
        if any(pair.yours.ndim for pair in bad):
            for text, formula in TO_EXPECTED.items():
                says = f"{text} what was expected: which step is still to come?"
                yield text, says, _to_expected(formula)
        if all(pair.expected.size == pair.yours.size for pair in found):
            yield from _everywhere(found, bad)
            yield from _somewhere(found, bad)


def _of_expected(formula: Formula) -> Callable[[Pair], bool]:
    return lambda p: (value := formula(p.expected)) is not None and close(value, p.yours)


def _to_expected(formula: Formula) -> Callable[[Pair], bool]:
    def test(pair: Pair) -> bool:
        value = formula(pair.yours)
        return _right(pair) or (value is not None and close(value, pair.expected))

    return test


def _with_input(name: str, formula: Callable[[Array, Array], Array]) -> Callable[[Pair], bool]:
    def test(pair: Pair) -> bool:
        x = pair.place(name)
        return x is not None and close(formula(pair.expected, x), pair.yours)

    return test


def _not_finite(bad: list[Pair]) -> Candidate:
    first = next(pair for pair in bad if not np.isfinite(pair.yours).all())
    place = int(np.argmin(np.isfinite(first.yours.ravel())))
    word = "nan" if np.isnan(first.yours.ravel()[place]) else "infinity"
    name = next(iter(first.inputs), "")
    x = first.place(name)
    at = f" where {name} is {x.ravel()[place]:g}" if x is not None else ""
    says = f"You get {word}{at}: which step makes a number that a float can't hold?"
    return "not finite", says, lambda pair: True


def _scaled(found: list[Pair]) -> Iterator[Candidate]:
    e = np.concatenate([pair.expected.ravel() for pair in found])
    y = np.concatenate([pair.yours.ravel() for pair in found])
    if not y.any():
        yield "zero", "Yours is 0 in every case: what is lost, or never stored?", _filled(0.0)
        return
    factor = float(e @ y / (e @ e)) if e.any() else 0.0
    near = [word for n, word in FACTORS.items() if abs(factor / n - 1) < 1e-5]
    text = f"{near[0] if near else f'{factor:.6g} times'} what was expected"
    if abs(factor + 1) < 1e-5:
        text = "what was expected with the opposite sign"
    base = next((n for n in (2, 10) if abs(factor * np.log(n) - 1) < 1e-5), None)
    says = f"In every case yours is {text}: which factor makes it so?"
    if base:
        says = (
            f"In every case yours is {text}, like a logarithm to base {base}: which base is meant?"
        )
    yield f"factor {factor:.4g}", says, lambda p: close(factor * p.expected, p.yours)
    for name in found[0].amounts:
        if len({pair.amounts.get(name) for pair in found}) > 1:
            for (power, word), (times, of) in itertools.product(POWERS.items(), TIMES.items()):
                says = f"Yours is {of}what was expected {word} {name}: how often does that count?"
                yield f"{of}{word} a size or an input", says, _by_amount(name, power, times)


def _by_amount(name: str, power: float, times: float) -> Callable[[Pair], bool]:
    def test(pair: Pair) -> bool:
        amount = pair.amounts.get(name, 0.0)
        return amount > 0 and close(pair.expected * times * amount**power, pair.yours)

    return test


def _shifted(found: list[Pair]) -> Iterator[Candidate]:
    by = float((found[0].yours - found[0].expected).ravel()[:1].sum())
    if len(found) > 1:
        size = f"{abs(by):.6g} too {'large' if by > 0 else 'small'}"
        says = f"In every case yours is {size}: where does that come from?"
        yield "shifted", says, lambda p: close(p.expected + by, p.yours)
    for name in found[0].amounts:
        for times, word in {-1: "small by", 1: "large by", -2: "small by twice"}.items():
            says = f"In every case yours is too {word} {name}: how often does that count?"
            yield f"too {word} an input", says, _by_shift(name, times)


def _by_shift(name: str, times: float) -> Callable[[Pair], bool]:
    return lambda p: name in p.amounts and close(p.expected + times * p.amounts[name], p.yours)


def _filled(number: float) -> Callable[[Pair], bool]:
    return lambda pair: close(pair.yours, np.full(pair.yours.shape, number))


def _everywhere(found: list[Pair], bad: list[Pair]) -> Iterator[Candidate]:
    number = float(next((pair.yours.ravel()[0] for pair in found if pair.yours.size), 0.0))
    if len(found) > 1 and sum(pair.yours.size for pair in found) > 3:
        says = f"Yours is {number:.6g} for every input: which of them does it look at?"
        yield "constant", says, _filled(number)
    says = "Yours is nearly right: which small number is added, or which digits are cut off?"
    yield "nearly", says, lambda p: close(p.yours, p.expected, 2e-3)
    if all(pair.yours.size > 2 for pair in bad):
        says = "Your numbers are the expected ones in other places: which one belongs where?"
        sort = np.sort
        yield "places", says, lambda p: close(sort(p.yours.ravel()), sort(p.expected.ravel()))


def _somewhere(found: list[Pair], bad: list[Pair]) -> Iterator[Candidate]:
    """Yield where numbers differ: by the input in the same place, by row, by the inputs' form."""
    if sum(pair.expected.size for pair in found) < 4:
        return
    for name, (text, where) in itertools.product(found[0].inputs, WHERE.items()):
        xs = [pair.place(name) for pair in found]
        if any(x is not None and x.size > 1 and where(x).any() for x in xs):
            says = f"Yours differs just where {name} {text}: what should happen there?"
            yield f"just where {text}", says, _just_where(name, where)
    if all(pair.expected.ndim and len(pair.expected) > 1 for pair in found):
        says = "Only the first one in your result is right: what happens to the others?"
        yield "only the first", says, lambda p: (rows := _rows(p))[1:].all() and not rows[0]
        says = "Only the first one in your result differs: what is different about it?"
        yield "not the first", says, lambda p: (rows := _rows(p))[0] and not rows[1:].any()
        says = "Only the last one in your result differs: what is different about it?"
        yield "not the last", says, lambda p: (rows := _rows(p))[-1] and not rows[:-1].any()
    if 1 < len(bad) < len(found) - 1:  # one case alone is often a coincidence
        right = [_form(pair) for pair in found if not pair.bad.any()]
        for text in sorted(set.intersection(*map(_form, bad)).difference(*right))[:1]:
            says = f"Yours differs just where {text}: what is different there?"
            yield f"just where {text}", says, _just_with(text)


def _just_where(name: str, where: Callable[[Array], Array]) -> Callable[[Pair], bool]:
    return lambda p: (x := p.place(name)) is not None and np.array_equal(where(x), p.bad)


def _just_with(text: str) -> Callable[[Pair], bool]:
    return lambda pair: (text in _form(pair)) == pair.bad.any()


def _rows(pair: Pair) -> Array:
    rows: Array = pair.bad.reshape(len(pair.bad), -1).any(axis=1)
    return rows


def _form(pair: Pair) -> set[str]:
    found = set()
    for name, value in pair.inputs.items():
        if isinstance(value, np.ndarray):
            found.add(f"{name} has {value.ndim} {'axis' if value.ndim == 1 else 'axes'}")
            found |= {f"{name} has one row"} if value.ndim and len(value) == 1 else set()
        elif type(value) in (int, float):
            found.add(f"{name} is {'negative' if value < 0 else 'positive' if value else '0'}")
    return found


# ------------------------------------------------------------------ whole numbers, extremes, laws


def _integers(chosen: Cases) -> Iterator[Relation]:
    def cut(cases: Cases) -> bool:
        found = pairs([one for one in cases if kind(one[0]["property"]) == "integer"], 0)
        return bool(found) and all(_right(p) or close(np.trunc(p.expected), p.yours) for p in found)

    if cut(chosen):
        says = "Your results lost their decimals: which array can hold whole numbers only?"
        yield Relation("decimals", says, cut)
    if all("value" in outcome for _, outcome in chosen):
        says = "With floats yours is right, with whole numbers it is not: what stays whole?"
        yield Relation("whole numbers", says, _right_on_floats)


def _right_on_floats(cases: Cases) -> bool:
    return not any(wrong(*one) for one in cases if one[0]["property"] == "value")


def _extremes(chosen: Cases) -> Iterator[Relation]:
    bad = [pair for i in range(2) for pair in pairs(chosen, i) if pair.bad.any()]
    same = [pair for pair in bad if pair.expected.size == pair.yours.size]
    if not same:
        return
    if not all(np.isfinite(pair.yours).all() for pair in same):
        name, says, _ = _not_finite(same)
        yield Relation(name, says, _misses_extremes)
    tops = [float(pair.yours.max()) for pair in same]
    digits = tops[0] / np.log(10)
    if 3.5 < digits < 330 and abs(digits - round(digits)) < 1e-4 and close(tops, tops[0]):
        says = f"Yours never gets above {tops[0]:.4g}: which bound, or small number, limits it?"
        yield Relation("cap", says, _misses_extremes)
    place = int(np.argmax(same[0].bad.ravel()))
    name = next(iter(same[0].inputs))
    x = same[0].place(name)
    at = f"At {name} = {x.ravel()[place]:g} yours" if x is not None else "At an extreme input yours"
    y, e = same[0].yours.ravel()[place], same[0].expected.ravel()[place]
    says = f"{at} is {y:.6g}, and {e:.6g} was expected: what is lost, or cut off, on the way?"
    yield Relation("extreme place", says, _misses_extremes)


def _misses_extremes(cases: Cases) -> bool:
    return any(wrong(*one) for one in cases if kind(one[0]["property"]) == "stability")


WIDTHS = {2: "twice", 0.5: "half", 2**0.5: "√2 times", 0.5**0.5: "1/√2 times", 3**0.5: "√3 times"}


def _laws(chosen: Cases) -> Iterator[Relation]:
    """Yield what random numbers show: their mean, or how wide they spread."""
    samples = [one for one in map(_quantiles, chosen) if one is not None and one[1].std() > 0]
    if not samples or len(samples) < len(chosen):
        return
    mean = f"{samples[0][1].mean():.3g}"
    tests: list[tuple[str, Callable[[Array, Array], bool]]] = [
        ("None of your numbers is below 0: on which side of 0 should they be?", _positive),
        (f"The mean of your numbers is {mean}, and 0 was expected: what shifts them?", _off_centre),
    ]
    for factor, word in {**WIDTHS, 1 / 3**0.5: "1/√3 times"}.items():
        says = f"Your numbers spread {word} as wide as expected: which factor or root is missing?"
        tests.append((says, _as_wide(factor)))
    tests += [
        ("Your numbers spread too wide: what does the width depend on?", _ratio_above(1.1)),
        ("Your numbers spread too little: what does the width depend on?", _ratio_below(0.9)),
    ]
    for says, test in tests:
        if all(test(*one) for one in samples):
            yield Relation(says.partition(":")[0], says, _on_samples(test))


def _on_samples(test: Callable[[Array, Array], bool]) -> Callable[[Cases], bool]:
    return lambda cases: all(test(*one) for one in map(_quantiles, cases) if one is not None)


def _quantiles(one: tuple[CaseData, Outcome]) -> tuple[Array, Array] | None:
    want, got = one[0]["expected"].get("sample"), one[1].get("sample")
    if not want or not got or not got["quantiles"] or not np.isfinite(got["quantiles"]).all():
        return None
    return np.array(want["quantiles"]), np.array(got["quantiles"])


def _positive(e: Array, y: Array) -> bool:
    return bool(y.min() > -1e-9 > e.min())


def _off_centre(e: Array, y: Array) -> bool:
    return abs(y.mean()) > 0.2 * y.std() and abs(e.mean()) < 0.1 * e.std()


def _as_wide(factor: float) -> Callable[[Array, Array], bool]:
    return lambda e, y: abs(np.log(y.std() / e.std() / factor)) < 0.06


def _ratio_above(limit: float) -> Callable[[Array, Array], bool]:
    return lambda e, y: y.std() > limit * e.std()


def _ratio_below(limit: float) -> Callable[[Array, Array], bool]:
    return lambda e, y: y.std() < limit * e.std()

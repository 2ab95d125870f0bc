"""Choose the picture that shows a mistake: where the learner's results part from the expected."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from grader.comparison.codec import Array, numbers_in, shape_of
from grader.comparison.compare import Value, same_shapes
from grader.comparison.distribution import distribution_difference
from grader.comparison.judge import Verdict
from grader.comparison.lines import AT, expected_along, lines_of_case, results_along
from grader.comparison.schema import Call, CaseData, ExerciseKey, Line, Outcome, Plain
from grader.comparison.vocabulary import LEADING, kind

VISIBLE = 0.03  # of the height: curves that are closer are replaced by their difference
WHOLE = 12  # heights of the expected curve: a frame holds all of a curve that goes no further
CHANGE = 0.1  # of the height, of a curve that is seen to change
REACH = 3  # of another curve it holds as much, or half of the curve
HUGE = 1e300  # a larger number is drawn outside the frame
BINS = 24
DIFFERENCE = "yours − expected: "

LineOutcomes = Iterable[tuple[Line, list[Outcome]]]
"""Lines through a failing case, with the learner's outcomes along them."""


@dataclass(frozen=True)
class Picture:
    """Two curves over the same axes, and the points at which they part.

    `got_x` holds the learner's x of a path; `own` is the x of the case itself.
    """

    names: tuple[str, str]  # of the axes
    x: Array
    want: Array
    got: Array
    parted: Array  # of bool, one for each point
    own: float | None = None
    got_x: Array | None = None
    steps: bool = False  # a histogram: one point more than bins

    def data(self) -> dict[str, Any]:
        """Return the picture as plain data."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in values.items()
        }

    @classmethod
    def of(cls, data: dict[str, Any]) -> Picture:
        """Return the picture of plain data."""
        arrays = {name: np.array(one) for name, one in data.items() if isinstance(one, list)}
        return cls(**{**data, **arrays, "names": tuple(data["names"])})

    @cached_property
    def x_ends(self) -> tuple[float, float]:
        """The ends of the horizontal axis."""
        return _ends(self.x, self.x if self.got_x is None else self.got_x, margin=0.03)

    @cached_property
    def y_ends(self) -> tuple[float, float]:
        """The ends of the vertical axis."""
        return _ends(self.want, self.got)

    @cached_property
    def gaps(self) -> Array:
        """The distances of the curves as shares of the frame; 1 where there is no number."""
        low, high = self.y_ends
        gaps: Array = np.abs(self.got.clip(low, high) - self.want) / (high - low)
        if self.got_x is not None:
            left, right = self.x_ends
            gaps = np.maximum(gaps, np.abs(self.got_x.clip(left, right) - self.x) / (right - left))
        return np.nan_to_num(gaps, nan=1.0)

    @property
    def clearness(self) -> tuple[bool, bool, float]:
        """How well the picture shows a mistake: best if the curves change, and are far apart."""
        low, high = self.y_ends
        most = max(np.ptp(self.want), np.ptp(self.got.clip(low, high)))  # nan compares as less
        return bool(most > CHANGE * (high - low)), self.visible, float(self.gaps.mean())

    @property
    def visible(self) -> bool:
        """Whether the curves are seen to part."""
        return bool(self.gaps.max() >= VISIBLE)

    @property
    def varied(self) -> bool:
        """Whether two curves are drawn over a number that varies, each as it is."""
        difference = self.names[1].startswith(DIFFERENCE)
        return not (self.steps or difference or self.got_x is not None)

    @property
    def furthest(self) -> int:
        """The point at which the curves are furthest apart."""
        return int(self.gaps.argmax())

    def values_at(self, point: int) -> str:
        """Return a point of the curves and the two numbers there, in words."""
        x, got = self.names[0], f"{self.got[point]:.4g}"
        place = f"{x} = {self.x[point]:.4g}" if self.got_x is None else f"row {point}"
        if self.names[1].startswith(DIFFERENCE):
            return f"{place}: yours − expected is {got}"
        return f"{place}: yours {got}, expected {self.want[point]:.4g}"

    @property
    def where(self) -> str:
        """The place where the curves part, in words that begin a sentence."""
        places, name = np.flatnonzero(self.parted), self.names[0]
        first, last, end = places[0], places[-1], len(self.parted) - 1
        if self.got_x is not None:
            return f"From row {first} on"
        if len(places) > end:
            return f"For every {name} here"
        if first == last:
            return f"At {name} = {self.x[first]:.4g} alone"
        if len(places) <= last - first:
            span = f"from {self.x[first]:.4g} to {self.x[last]:.4g}"
            return f"At {len(places)} of {end + 1} values of {name}, {span}"
        right = [f"{self.x[i]:.4g}" for i in (first - 1, last + 1) if 0 <= i <= end]
        if len(right) > 1:
            return f"For {name} between {' and '.join(right)}"
        return f"{'Below' if first == 0 else 'Above'} {name} = {right[0]}"

    @property
    def caption(self) -> str:
        """The sentences below the picture."""
        x, y = self.names
        if self.steps:
            return "How often numbers of each size are drawn: yours beside the expected share."
        if self.got_x is not None:
            return f"The rows as points. {self.where}, yours leaves the expected path."
        changed = f"The same inputs, but for {x}; the dotted line is the case above. "
        wrong = f"{self.where}, yours differs from the expected {y.removeprefix(DIFFERENCE)}."
        return wrong if self.own is None else changed + wrong

    @property
    def description(self) -> str:
        """The text in place of the picture, with the numbers where the curves are furthest."""
        return (
            f"Chart of {self.names[1]} over {self.names[0]}. {self.caption}"
            f" Furthest apart at {self.values_at(self.furthest)}."
        )


def illustrated(verdict: Verdict, key: ExerciseKey, lines: LineOutcomes) -> Verdict:
    """Return a verdict with a figure of its mistake, where its values are wrong and one shows it.

    `lines` are those of `lines_to_ask`, with the outcomes of the learner's function along them.
    """
    failure = verdict.failure
    if failure is None or kind(failure.case["property"]) not in LEADING:
        return verdict
    with np.errstate(all="ignore"):
        picture = picture_of(failure.case, failure.outcome, lines, key.get("path", False))
    return replace(verdict, picture=picture)


def lines_to_ask(verdict: Verdict, key: ExerciseKey) -> list[tuple[Line, list[Call]]]:
    """Return the lines through a verdict's failing case, with the calls along each."""
    failure = verdict.failure
    return lines_of_case(key, failure.case) if failure and "value" in failure.outcome else []


def picture_of(
    case: CaseData, outcome: Outcome, lines: LineOutcomes, path: bool = False
) -> Picture | None:
    """Return the clearest picture of how an outcome differs; None where no picture can tell."""
    if case.get("draws"):
        drawn = _histograms(case["expected"], outcome)
        return drawn if drawn and drawn.visible else None
    if not same_shapes(case["expected"], outcome):
        return None
    if path:
        drawn = _paths(case, outcome)
        return drawn if drawn and drawn.visible else None
    found = [one for line, outcomes in lines for one in _pictures(case, line, outcomes)]
    best = max(found, key=lambda one: one.clearness, default=None)
    return best if best is None or best.visible else _difference(best)


def _pictures(case: CaseData, line: Line, outcomes: list[Outcome]) -> Iterator[Picture]:
    """Yield a picture for each number of the result that parts from the expected one."""
    want, got = expected_along(line), results_along(outcomes)
    if got is None or got.shape != want.shape:
        return
    x, x_name, own = np.array(line["values"], dtype=float), "x", None
    if line["input"] != AT:
        data, entry = case["inputs"][line["input"]], line["entry"]
        numbers = numbers_in(data)
        assert numbers is not None, "a line varies a number"
        own = float(numbers.ravel()[entry or 0])
        x_name = case["parameters"][line["input"]] + ("" if entry is None else _index(data, entry))
    entries = ["(x)"] if own is None else _entries(case["expected"]["value"])
    for name, wanted, mine in zip(entries, want.T, got.T, strict=True):
        parted = _parted(case, wanted, mine)
        if parted.any():
            yield Picture((x_name, f"result{name}"), x, wanted, mine, parted, own)


def _difference(picture: Picture) -> Picture:
    """Return the difference of two curves that are too close to be seen as two."""
    names = picture.names[0], DIFFERENCE + picture.names[1]
    apart, zero = picture.got - picture.want, np.zeros(len(picture.x))
    return Picture(names, picture.x, zero, apart, picture.parted, picture.own)


def _histograms(expected: Outcome, outcome: Outcome) -> Picture | None:
    one, other = expected.get("sample"), outcome.get("sample")
    if not one or not other or one["shape"] != other["shape"]:
        return None
    want, got = np.array(one["quantiles"]), np.array(other["quantiles"])
    if not np.isfinite(got).all() or not distribution_difference(want, got):
        return None
    edges = np.linspace(*_ends(want, got), BINS + 1)
    shares = [np.histogram(sample, edges)[0] / want.size for sample in (want, got)]
    parted = np.abs(shares[0] - shares[1]) > VISIBLE / 2
    names = "number drawn", "share of the numbers"
    return Picture(names, edges, shares[0], shares[1], parted, steps=True)


def _paths(case: CaseData, outcome: Outcome) -> Picture | None:
    want, got = numbers_in(case["expected"].get("value")), numbers_in(outcome.get("value"))
    if want is None or got is None or want.ndim != 2:
        return None
    differs = _parted(case, want, got)
    parted = np.asarray(differs.any(axis=1))
    if not parted.any():
        return None
    if want.shape[1] == 1:
        names, x = ("row", "result[:, 0]"), np.arange(len(want))
        return Picture(names, x, want[:, 0], got[:, 0], parted, got_x=x)
    most = int(differs.sum(axis=0).argmax())
    i, j = (most, most + 1) if most + 1 < want.shape[1] else (most - 1, most)
    names = f"result[:, {i}]", f"result[:, {j}]"
    return Picture(names, want[:, i], want[:, j], got[:, j], parted, got_x=got[:, i])


def parts(case: CaseData, outcome: Outcome) -> bool:
    """Return whether the numbers of a "value" case differ, and one of its inputs can be varied."""
    varied = "at" in case or any(numbers_in(data) is not None for data in case["inputs"])
    if case["property"] != "value" or not varied or not same_shapes(case["expected"], outcome):
        return False
    want, got = results_along([case["expected"]]), results_along([outcome])
    if want is None or got is None:
        return False
    return want.shape == got.shape and bool(_parted(case, want, got).any())


def _parted(case: CaseData, want: Array, got: Array) -> Array:
    """Return where two curves differ by more than their digits do."""
    size = np.abs(want).max(initial=0)
    near = 10 * case["atol"] + max(10 * case["rtol"], 1e-5) * np.maximum(np.abs(want), 0.1 * size)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(~(np.abs(got - want) <= near))


def _ends(want: Array, got: Array, margin: float = 0.06) -> tuple[float, float]:
    """Return the ends of an axis: all expected numbers, and those of the learner that are near."""
    low, high, finite = float(want.min()), float(want.max()), got[np.abs(got) < HUGE]
    size, outside = (high - low) or max(abs(low), 1.0), np.maximum(low - finite, finite - high)
    if outside.max(initial=0) > WHOLE * size:
        finite = finite[outside <= max(REACH * size, np.median(outside))]
    low, high = min(low, finite.min(initial=low)), max(high, finite.max(initial=high))
    extra = margin * (high - low) or max(abs(low), 1.0) / 2
    return float(low - extra), float(high + extra)


def _entries(data: Plain) -> Iterator[str]:
    """Yield the index of each number of a result, as Python writes it."""
    value = Value(data)
    if value.sequence:
        for i, part in enumerate(value.parts or []):
            yield from (f"[{i}]{index}" for index in _entries(part.data))
    elif value.shape:
        yield from (_index(data, i) for i in range(math.prod(value.shape)))
    else:
        yield ""


def _index(data: Plain, entry: int) -> str:
    return str([int(i) for i in np.unravel_index(entry, shape_of(data) or (1,))])

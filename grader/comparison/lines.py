"""Lines through a case: one number of its inputs varied, and the reference's results along it.

A line is data of the answer key. It passes through its case, so that an answer which is wrong there
parts from it at one point at least.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import cast

import numpy as np

from grader.comparison.codec import Array, numbers_in
from grader.comparison.compare import Value
from grader.comparison.judge import call_of
from grader.comparison.observe import observe
from grader.comparison.schema import Call, CaseData, ExerciseKey, Function, Line, Outcome, Plain
from grader.comparison.vocabulary import kind

POINTS = 25
LINES = 2  # through one case
DIGITS = 6  # of the numbers along a line
NOISE = 1e-14  # as a share of the largest result: what is left where numbers cancel
AT = -1  # in place of an input's position: the point at which a returned function is called

Ranges = dict[str, tuple[float, float]]  # for parameters: multiples of a case's own number


def lines_through(
    cases: list[CaseData], position: int, reference: Function, ranges: Ranges
) -> list[Line]:
    """Return lines through a case of "value", at first those that change the reference's result.

    Each input that holds numbers is varied, or each of an author's `ranges`; a whole number, which
    may be a count, only where there is no other.
    """
    case = cases[position]
    if kind(case["property"]) != "value":
        return []
    places = [*range(len(case["parameters"]))] if "at" not in case else [AT]
    if ranges:
        places = [place for place in places if place == AT or case["parameters"][place] in ranges]
    counts = [place for place in places if place != AT and isinstance(case["inputs"][place], int)]
    for some in ([place for place in places if place not in counts], counts):
        tries = (
            _best(
                _line(cases, position, place, entry, values, reference)
                for entry in _entries(case, place)
                for values in _grids(cases, case, place, entry, ranges)
            )
            for place in some
        )
        if lines := [line for line in tries if line]:
            return sorted(lines, key=_constant)[:LINES]
    return []


def lines_of_case(key: ExerciseKey, case: CaseData) -> list[tuple[Line, list[Call]]]:
    """Return a key's lines through one of its cases, with the calls along each."""
    lines = (line for line in key.get("lines", []) if key["cases"][line["case"]] is case)
    return [(line, [*calls_along(line, case)]) for line in lines]


def calls_along(line: Line, case: CaseData) -> Iterator[Call]:
    """Yield the calls along a line through a case."""
    call, place = call_of(case), line["input"]
    for value in line["values"]:
        if place == AT:
            yield cast(Call, {**call, "at": [[value, *case["at"][0][1:]]]})
        else:
            inputs = [*call["inputs"]]
            inputs[place] = _replaced(inputs[place], line["entry"], value)
            yield cast(Call, {**call, "inputs": inputs})


def results_along(outcomes: list[Outcome]) -> Array | None:
    """Return the numbers of each result, (points, numbers); None unless all have as many."""
    rows = [flat(Value(outcome["value"])) for outcome in outcomes if "value" in outcome]
    sizes = {None if row is None else row.size for row in rows}
    if len(rows) != len(outcomes) or len(sizes) != 1 or not sizes - {None, 0}:
        return None
    return np.array(rows)


def expected_along(line: Line) -> Array:
    """Return the reference's results along a line, (points, numbers)."""
    columns = (np.broadcast_to(column, len(line["values"])) for column in line["expected"])
    return np.stack([*columns], axis=1).astype(float)


def flat(value: Value) -> Array | None:
    """Return all numbers of a value, parts of a tuple one after the other; None without numbers."""
    if not value.sequence:
        return None if value.numbers is None else value.numbers.ravel()
    parts = [part for part in map(flat, value.parts or []) if part is not None]
    return np.concatenate(parts) if parts and len(parts) == value.length else None


def _line(
    cases: list[CaseData],
    position: int,
    place: int,
    entry: int | None,
    values: list[float],
    reference: Function,
) -> Line | None:
    """Return the line along which one number has these values; None where results don't fit."""
    line: Line = {
        "case": position,
        "input": place,
        "entry": entry,
        "values": values,
        "expected": [],
    }
    results = results_along(
        [observe(reference, call) for call in calls_along(line, cases[position])]
    )
    if results is None or not np.isfinite(results).all():
        return None
    results[np.abs(results) < NOISE * np.abs(results).max()] = 0
    columns = [[_rounded(number) for number in column] for column in results.T]
    line["expected"] = [column[0] if len({*column}) == 1 else column for column in columns]
    return line


def _best(tries: Iterator[Line | None]) -> Line | None:
    """Return the first line along which the reference's result changes, or else the first."""
    first = None
    for line in tries:
        if line and not _constant(line):
            return line
        first = first or line
    return first


def _constant(line: Line) -> bool:
    """Return whether the reference's result is the same along a line."""
    return not any(isinstance(column, list) for column in line["expected"])


def _entries(case: CaseData, place: int) -> list[int | None]:
    """Return the numbers of an input to try: at most one of its beginning, middle and end."""
    data = case["at"][0][0] if place == AT else case["inputs"][place]
    if isinstance(data, dict) and data.get("dtype", "bool") == "bool":
        return []  # yes or no; or a sequence, a function, a generator, which have no dtype
    numbers = None if isinstance(data, bool) else numbers_in(data)
    if numbers is None or not numbers.size or (place == AT and numbers.ndim):
        return []
    if numbers.ndim == 0:
        return [None] if np.isfinite(numbers) else []
    last = numbers.size - 1
    return [i for i in dict.fromkeys([0, last // 2, last]) if np.isfinite(numbers.flat[i])]


def _grids(
    cases: list[CaseData], case: CaseData, place: int, entry: int | None, ranges: Ranges
) -> Iterator[list[float]]:
    """Yield the values of a number along a line, its own among them, in ascending order."""
    own = _numbers(case, place)
    if place == AT and own.size > 4:
        own = np.sort(own)[1:-1]  # points far out would leave the others no room
    here = own if entry is None else own[entry : entry + 1]
    data = None if place == AT else case["inputs"][place]
    within = None if place == AT else ranges.get(case["parameters"][place])
    extents = _extents(cases, place, own[np.isfinite(own)])
    if within and here.any():
        extents = [(float(min(ends)), float(max(ends))) for ends in [np.multiply(within, here)]]
    for low, high in extents:
        decimals = 0 if _whole(data) else 2 - math.floor(math.log10(high - low))
        if _whole(data) and isinstance(data, dict):
            limits = np.iinfo(data["dtype"])
            low, high = max(low, limits.min), min(high, limits.max)
        kink = [0.0] if low < 0 < high else []  # where many functions bend
        values = np.linspace(low, high, POINTS - len(here) - len(kink)).round(decimals)
        varied = np.unique([*values, *here, *kink]) + 0.0  # no −0.0, see `_rounded`
        yield varied.astype(int if _whole(data) else float).tolist()


def _extents(cases: list[CaseData], place: int, own: Array) -> list[tuple[float, float]]:
    """Return how far a number may vary: as far beyond the input's own as these are large.

    That is no further than the numbers that the "value" cases give to the input. A reference that
    refuses some of these gets no other numbers than the input's own.
    """
    values = [_numbers(one, place) for one in cases if kind(one["property"]) == "value"]
    known = np.concatenate(values)[np.isfinite(np.concatenate(values))]
    size = float(np.abs(own).max()) or 1.0
    wide = max(known.min(), own.min() - size), min(known.max(), own.max() + size)
    extents = [(own.min(), own.max())] if place == AT else [wide, (own.min(), own.max())]
    return [(low, high) if low < high else (low - size, high + size) for low, high in extents]


def _numbers(case: CaseData, place: int) -> Array:
    """Return all numbers that a case gives to an input."""
    points = [point[0] for point in case.get("at", [])]
    found = map(numbers_in, points if place == AT else case["inputs"][place : place + 1])
    return np.concatenate([np.zeros(0), *(one.ravel() for one in found if one is not None)])


def _replaced(data: Plain, entry: int | None, value: float) -> Plain:
    """Return an input with one number replaced."""
    if not isinstance(data, dict):
        return value
    if entry is None:
        return {**data, "scalar": value}
    return {**data, "array": [*data["array"][:entry], value, *data["array"][entry + 1 :]]}


def _whole(data: Plain) -> bool:
    """Return whether an input holds whole numbers."""
    return isinstance(data, int) or (isinstance(data, dict) and data["dtype"][0] in "iu")


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}") + 0.0  # no −0.0, whose sign differs by processor

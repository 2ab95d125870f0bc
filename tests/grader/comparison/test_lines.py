"""Test the lines through a case: which number varies, how far, and the results along it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from answers import function_of, key_of

from grader.comparison.judge import observe_all
from grader.comparison.lines import (
    AT,
    LINES,
    POINTS,
    calls_along,
    expected_along,
    lines_through,
    results_along,
)
from grader.comparison.schema import CaseData, Line

SQUARE = "def f(x):\n    return x * x\n"


def lines(
    reference: str, *inputs: Any, at: list[Any] | None = None, **vary: tuple[float, float]
) -> tuple[list[Line], CaseData]:
    """Return the lines through a case of these inputs, and the case."""
    (case,) = key_of(reference, ("value", *inputs))["cases"]
    case |= {"at": at} if at else {}
    return lines_through([case], 0, function_of(reference), vary), case


def test_a_line_passes_through_its_case_and_holds_the_reference() -> None:
    (line,), case = lines(SQUARE, 1.5)
    assert 1.5 in line["values"] == sorted(line["values"])
    assert len(line["values"]) == POINTS
    (column,) = expected_along(line).T
    np.testing.assert_allclose(column, np.square(line["values"]), rtol=1e-5)
    outcomes = observe_all(
        function_of(SQUARE), [{**case, **one} for one in calls_along(line, case)]
    )
    assert results_along(outcomes) == pytest.approx(expected_along(line), rel=1e-5)


@pytest.mark.parametrize(
    ("reference", "inputs", "varied"),
    [
        ("def f(x):\n    return x.sum()\n", [np.array([1.0, 2.0])], [(0, 0)]),
        ("def f(x):\n    return x[-1] * 2\n", [np.array([1.0, 2.0])], [(0, 1)]),
        ("def f(x, y):\n    return y * 2\n", [1.0, 2.0], [(1, None), (0, None)]),
        ("def f(x, y, z):\n    return x * y * z\n", [1.0, 2.0, 3.0], [(0, None), (1, None)]),
        ("def f(n, x):\n    return x + n\n", [3, 2.0], [(1, None)]),
        ("def f(n):\n    return n + 1\n", [3], [(0, None)]),
        ("def f(yes):\n    return 2.0\n", [True], []),
        ("def f(mask):\n    return mask.sum()\n", [np.array([True])], []),
        ("def f(pixels):\n    return pixels * 2.0\n", [np.full(3, 200, np.uint8)], [(0, 0)]),
        ("def f(x):\n    return x * 2\n", [np.array([np.nan, 1.0])], []),
        ("def f(x):\n    return x[1:] * 2\n", [np.array([np.nan, 1.0, 4.0])], [(0, 1)]),
        ("def f(x):\n    return x\n", [np.inf], []),
        ("def f(text):\n    return 2.0\n", ["a"], []),
        ("def f(x):\n    return [x] * int(x)\n", [3.0], []),
        ("def f(x):\n    return x if x == 3 else np.nan\n", [3.0], []),
        ("def f(x):\n    return str(x)\n", [3.0], []),
    ],
)
def test_the_numbers_that_change_the_result_come_first(
    reference: str, inputs: list[Any], varied: list[tuple[int, int | None]]
) -> None:
    found, _ = lines(reference, *inputs)
    assert [(line["input"], line["entry"]) for line in found] == varied[:LINES]


def test_whole_numbers_stay_whole_and_an_author_names_what_varies() -> None:
    (line,), _ = lines("def f(x, y):\n    return x[0] + y\n", np.array([2, 3]), 1.0, x=(1, 3))
    assert (line["input"], line["values"]) == (0, [2, 3, 4, 5, 6])
    (line,), _ = lines("def f(x, y):\n    return x + y\n", 1.0, 2.0, y=(0, 2))
    assert (line["input"], line["values"][0], line["values"][-1]) == (1, 0, 4)


def test_a_returned_function_is_called_along_its_points() -> None:
    reference = "def f(a):\n    return lambda x: a * x\n"
    (line,), case = lines(reference, 3.0, at=[[-1.0], [2.0]])
    assert (line["input"], line["values"][0], line["values"][-1]) == (AT, -1, 2)
    assert next(calls_along(line, case)) == {"inputs": [3.0], "at": [[-1.0]]}
    np.testing.assert_allclose(expected_along(line)[:, 0], 3 * np.array(line["values"]), rtol=1e-5)


def test_a_constant_number_of_a_result_is_kept_once_and_noise_is_zero() -> None:
    (line,), _ = lines("def f(x):\n    return np.array([x, 7.0, 1e-17])\n", 2.0)
    assert line["expected"][1:] == [7.0, 0.0]
    assert expected_along(line).shape == (POINTS, 3)

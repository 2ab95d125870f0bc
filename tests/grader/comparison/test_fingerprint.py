"""The fingerprint of an answer is equal for equal results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grader.comparison.codec import encode_input
from grader.comparison.distribution import MIN_NUMBERS
from grader.comparison.fingerprint import fingerprint
from grader.comparison.judge import observe_all

CASES: list[dict[str, Any]] = [
    {"property": "value", "inputs": [encode_input(np.array([0.1, 0.2, 0.3])), 2.0]},
    {"property": "value", "inputs": [encode_input(np.array([-1e8, 1.0, 1e-12])), 3.0]},
    {"property": "quiet", "inputs": [encode_input(np.array([1.0, 0.0])), 0.0]},
    {"property": "purity", "inputs": [encode_input(np.array([1.0, 2.0])), 0.5]},
]

NOISE = 1 - 1e-12


def print_of(function: Callable[..., Any], property: str = "value") -> str:
    return fingerprint(CASES, observe_all(function, CASES), property)


def raises(x: Any, b: Any) -> Any:
    raise ValueError(f"{b} is wrong")


def in_place(x: Any, b: Any) -> Any:
    x *= b
    return x


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda x, b: x @ x + b, lambda x, b: sum(float(a) * float(a) for a in reversed(x)) + b),
        (lambda x, b: x * 3 / 10, lambda x, b: list(x * 0.3)),
        (lambda x, b: (x.sum(), b), lambda x, b: np.array([x.sum(), b])),
        (lambda x, b: 1e-12, lambda x, b: -0.0),
        (lambda x, b: 1_234_575.0, lambda x, b: 1_234_575.0 * NOISE),  # between two last digits
        (lambda x, b: -1_234_575.0, lambda x, b: -1_234_575.0 * NOISE),
        (lambda x, b: 1000.0, lambda x, b: 1000.0 * NOISE),  # between two powers of ten
        (lambda x, b: 0.1, lambda x, b: 0.1 * NOISE),
        (lambda x, b: np.full(2, np.nan), lambda x, b: [float("nan")] * 2),
        (raises, lambda x, b: int("one")),
        (lambda x, b: (x, "a", [None]), lambda x, b: [x.copy(), "a", (None,)]),
    ],
)
def test_equal_results_have_the_same_fingerprint(
    one: Callable[..., Any], other: Callable[..., Any]
) -> None:
    assert print_of(one) == print_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda x, b: x, lambda x, b: x[::-1]),
        (lambda x, b: x, lambda x, b: x[None]),
        (lambda x, b: x, lambda x, b: -x),
        (lambda x, b: x, lambda x, b: x * 1.0001),
        (lambda x, b: x, lambda x, b: x * 10),
        (lambda x, b: 0.0, lambda x, b: None),
        (lambda x, b: 0.0, lambda x, b: "0.0"),
        (lambda x, b: np.inf, lambda x, b: -np.inf),
        (lambda x, b: np.nan, lambda x, b: 0.0),
        (lambda x, b: x, raises),
        (raises, lambda x, b: {}["x"]),
        (lambda x, b: (x, "a"), lambda x, b: (x, "b")),
    ],
)
def test_another_result_has_another_fingerprint(
    one: Callable[..., Any], other: Callable[..., Any]
) -> None:
    assert print_of(one) != print_of(other)


def test_warnings_and_changed_inputs_count_only_for_their_property() -> None:
    assert print_of(lambda x, b: np.float64(1.0) if b else np.exp(1000), "quiet") != print_of(
        lambda x, b: 1.0 if b else np.inf, "quiet"
    )
    assert print_of(in_place, "purity") != print_of(lambda x, b: x * b, "purity")
    assert print_of(in_place) == print_of(lambda x, b: x * b)


def test_draws_of_the_same_distribution_have_the_same_fingerprint() -> None:
    cases: list[dict[str, Any]] = [
        {"property": "distribution", "inputs": [{"rng": 7}], "draws": True}
    ]
    laws: list[Callable[..., Any]] = [
        lambda rng: rng.normal(0, 2, MIN_NUMBERS),
        lambda rng: 2 * rng.standard_normal(MIN_NUMBERS),
        lambda rng: rng.normal(0, 1, MIN_NUMBERS),
        lambda rng: np.full(MIN_NUMBERS, 3.0),
    ]
    normal, the_same, narrow, constant = (
        fingerprint(cases, observe_all(law, cases), "distribution") for law in laws
    )
    assert normal == the_same
    assert len({normal, narrow, constant}) == 3

"""Random results are compared by distribution and use of the generator, not by exact draws."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grader.comparison.codec import encode_input
from grader.comparison.distribution import sample_difference
from grader.comparison.observe import observe
from grader.comparison.schema import Call

Draw = Callable[[int, int, np.random.Generator], Any]
SEEDS = range(200)


def normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> Any:
    return rng.normal(0, 0.3, size=(fan_in, fan_out))


def uniform(fan_in: int, fan_out: int, rng: np.random.Generator) -> Any:
    return rng.uniform(-0.3, 0.3, size=(fan_in, fan_out))


def difference(
    reference: Draw, answer: Draw, seed: int, fan_in: int = 30, fan_out: int = 140
) -> str | None:
    """Return the difference between a reference and an answer whose generators differ."""
    calls = [
        {
            "inputs": [encode_input(x) for x in (fan_in, fan_out, np.random.default_rng(start))],
            "draws": True,
        }
        for start in (seed, seed + 10**6)
    ]
    return sample_difference(observe(reference, calls[0]), observe(answer, calls[1]))


@pytest.mark.parametrize("law", [normal, uniform])
@pytest.mark.parametrize("fans", [(30, 140), (140, 30), (60, 60)])
def test_independent_draws_of_the_same_distribution_are_never_refused(
    law: Draw, fans: tuple[int, int]
) -> None:
    refused = [reason for seed in SEEDS if (reason := difference(law, law, seed, *fans))]
    assert refused == []


@pytest.mark.parametrize("law", [normal, uniform])
def test_opposite_draws_from_one_generator_are_never_refused(law: Draw) -> None:
    for seed in SEEDS[:60]:
        rng = encode_input(np.random.default_rng(seed))
        call: Call = {"inputs": [60, 150, rng], "draws": True}
        opposite = observe(lambda *inputs: -law(*inputs), call)
        assert sample_difference(observe(law, call), opposite) is None


RIGHT: dict[str, Draw] = {
    "transposed draw": lambda i, o, rng: rng.normal(0, 0.3, size=(o, i)).T,
    "reordered draw": lambda i, o, rng: rng.permutation(rng.normal(0, 0.3, size=i * o)).reshape(
        i, o
    ),
    "column by column": lambda i, o, rng: np.stack(
        [rng.normal(0, 0.3, size=i) for _ in range(o)], axis=1
    ),
    "the other sign": lambda i, o, rng: -rng.normal(0, 0.3, size=(i, o)),
}

WRONG: dict[str, tuple[Draw, str]] = {
    "a fifth more spread": (
        lambda i, o, rng: rng.normal(0, 0.36, size=(i, o)),
        "another distribution",
    ),
    "a fifth less spread": (
        lambda i, o, rng: rng.normal(0, 0.24, size=(i, o)),
        "another distribution",
    ),
    "a shifted centre": (
        lambda i, o, rng: rng.normal(0.05, 0.3, size=(i, o)),
        "another distribution",
    ),
    "the same spread, uniform": (
        lambda i, o, rng: rng.uniform(-0.3 * 3**0.5, 0.3 * 3**0.5, size=(i, o)),
        "another distribution",
    ),
    "the same spread, two values and noise": (
        lambda i, o, rng: rng.choice([-0.3, 0.3], size=(i, o)) + rng.normal(0, 1e-3, size=(i, o)),
        "another distribution",
    ),
    "cut at two standard deviations": (
        lambda i, o, rng: np.clip(rng.normal(0, 0.3, size=(i, o)), -0.6, 0.6),
        "",
    ),
    "one far number": (
        lambda i, o, rng: np.concatenate(
            [rng.normal(0, 0.3, size=(i, o)).ravel()[1:], [9.0]]
        ).reshape(i, o),
        "another distribution",
    ),
    "its own seed": (
        lambda i, o, rng: np.random.default_rng(0).normal(0, 0.3, size=(i, o)),
        "repeats the first",
    ),
    "another generator": (
        lambda i, o, rng: np.random.default_rng().normal(0, 0.3, size=(i, o)),
        "generator rng alone",
    ),
    "the global generator": (
        lambda i, o, rng: np.random.normal(0, 0.3, size=(i, o)),
        "generator rng alone",
    ),
    "the global generator seeded from rng": (
        lambda i, o, rng: np.random.RandomState(rng.integers(1)).normal(0, 0.3, size=(i, o)),
        "repeats the first",
    ),
    "one column for all": (
        lambda i, o, rng: np.tile(rng.normal(0, 0.3, size=(i, 1)), (1, o)),
        "are the same",
    ),
    "the other shape": (lambda i, o, rng: rng.normal(0, 0.3, size=(o, i)), "shape"),
    "a nan in it": (
        lambda i, o, rng: np.concatenate(
            [rng.normal(0, 0.3, size=(i, o)).ravel()[1:], [np.nan]]
        ).reshape(i, o),
        "not finite",
    ),
    "a nested list": (lambda i, o, rng: rng.normal(0, 0.3, size=(i, o)).tolist(), "no array"),
    "a copy of the generator": (
        lambda i, o, rng: copy.deepcopy(rng).normal(0, 0.3, size=(i, o)),
        "repeats the first",
    ),
    "the global generator seeded alike": (
        lambda i, o, rng: np.random.seed(0) or np.random.normal(0, 0.3, size=(i, o)),
        "repeats the first",
    ),
    "words": (lambda i, o, rng: "normal", "no array"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_the_same_distribution_drawn_another_way_is_accepted(name: str) -> None:
    assert [difference(normal, RIGHT[name], seed) for seed in range(50)] == [None] * 50


@pytest.mark.parametrize("name", WRONG)
def test_another_distribution_or_source_is_refused_on_every_seed(name: str) -> None:
    answer, phrase = WRONG[name]
    reasons = [difference(normal, answer, seed) for seed in range(50)]
    assert all(reason and phrase in reason for reason in reasons), set(reasons)


def test_draws_that_are_no_arrays_are_alike_only_where_they_are_of_one_kind() -> None:
    draws: list[Draw] = [
        lambda i, o, rng: rng.normal(size=(i, o)).tolist(),
        lambda i, o, rng: tuple(rng.normal(size=(i, o))),
        lambda i, o, rng: "numbers",
        lambda i, o, rng: object(),
    ]
    for one in draws:
        assert [other for other in draws if difference(one, other, 0) is None] == [one]

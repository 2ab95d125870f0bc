"""The plays of the chain rule lesson draw learners' functions and show its facts."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from figures import moved, shared

from course import lesson
from playground import chain_rule
from playground.figure.live import LiveFigure

REFERENCE = lesson("chain_rule").reference
CHAIN, NUMERICAL, SIGMOID_GRAD, RELU_GRAD = (
    REFERENCE[name] for name in ("chain", "numerical_grad", "sigmoid_grad", "relu_grad")
)
NEURON, DENSE, SOFTMAX = (
    REFERENCE[name] for name in ("neuron_grad", "dense_backward", "softmax_ce_grad")
)

PLAYS: dict[str, Callable[[], LiveFigure]] = {
    "gears": shared(lambda: chain_rule.gears(CHAIN)),
    "graph": shared(lambda: chain_rule.graph(NUMERICAL)),
    "depth": shared(lambda: chain_rule.depth(SIGMOID_GRAD, RELU_GRAD)),
}


def said(play: LiveFigure, **values: Any) -> str:
    """Return a play's line for yours with its controls at these values."""
    return moved(play, **values).readout[0]


@pytest.mark.parametrize("play", PLAYS.values(), ids=PLAYS)
def test_each_play_draws_and_agrees_with_the_target_for_the_reference(
    play: Callable[[], LiveFigure],
) -> None:
    figure = play()
    assert figure.still().startswith(b"\x89PNG")
    assert figure.readout[-1] == "The target is the same."


@pytest.mark.parametrize("x", [-1.5, -0.7, 0.0, 1.2])
def test_the_two_slopes_make_the_third_only_where_each_is_read_at_its_own_input(x: float) -> None:
    numbers = [
        float(n.replace("−", "-"))
        for n in re.findall(r"[−]?\d+(?:\.\d+)?", said(PLAYS["gears"](), x=x))
    ]
    assert numbers[3] == pytest.approx(numbers[4], abs=1e-3)
    product, slope = [
        float(n.replace("−", "-"))
        for n in re.findall(r"[−]?\d+(?:\.\d+)?", said(PLAYS["gears"](), x=x, at_x=True))
    ][3:5]
    assert (product == slope) == (x == 0)


def test_a_chain_that_returns_a_number_is_told_so() -> None:
    assert "chain returned float where a function belongs" in said(
        chain_rule.gears(lambda f, g, h: 1.0)
    )


def test_one_path_of_x_times_x_gives_half_the_slope() -> None:
    assert "both paths is 5, numerical_grad says 5" in said(PLAYS["graph"](), x=2.5)
    assert "one path is 2.5, numerical_grad says 5" in said(PLAYS["graph"](), x=2.5, one=True)


@pytest.mark.parametrize("stage", range(5))
def test_every_stage_of_the_graph_can_be_drawn(stage: int) -> None:
    play = PLAYS["graph"]()
    assert chain_rule.STAGES[stage] in said(play, stage=stage)
    assert play.still().startswith(b"\x89PNG")


def test_the_best_product_of_twenty_sigmoid_slopes_is_about_ten_to_the_minus_twelve() -> None:
    assert "one sigmoid slope is 0.25, 20 of them make 9.1e−13" in said(
        PLAYS["depth"](), z=0.0, layers=20
    )
    assert max(SIGMOID_GRAD(np.linspace(-9, 9, 1001))) == 0.25


def test_neuron_grad_agrees_with_central_differences() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 4))

    def loss(w: Any, b: float) -> float:
        return float((1 / (1 + np.exp(-(w @ x + b))) - 0.3) ** 2)

    dw, db = NEURON(x, w, 0.2, 0.3)
    np.testing.assert_allclose(dw, NUMERICAL(partial(loss, b=0.2), w), rtol=1e-6)
    assert db == pytest.approx(
        float(NUMERICAL(lambda b: loss(w, float(b)), np.array(0.2))), rel=1e-6
    )


def test_dense_backward_and_softmax_ce_grad_agree_with_central_differences() -> None:
    rng = np.random.default_rng(1)
    X, W, b, labels = (
        rng.normal(size=(5, 3)),
        rng.normal(size=(3, 4)),
        rng.normal(size=4),
        np.array([0, 3, 1, 1, 2]),
    )

    def loss(logits: Any) -> float:
        shifted = logits - logits.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(5), labels]))

    dZ = SOFTMAX(X @ W + b, labels)
    np.testing.assert_allclose(dZ, NUMERICAL(loss, X @ W + b), atol=1e-9)
    dX, dW, db = DENSE(dZ, X, W)
    np.testing.assert_allclose(dX, NUMERICAL(lambda X: loss(X @ W + b), X), atol=1e-9)
    np.testing.assert_allclose(dW, NUMERICAL(lambda W: loss(X @ W + b), W), atol=1e-9)
    np.testing.assert_allclose(db, NUMERICAL(lambda b: loss(X @ W + b), b), atol=1e-9)


def test_a_row_of_the_gradient_sums_to_0() -> None:
    np.testing.assert_allclose(
        SOFTMAX(np.random.default_rng(2).normal(size=(6, 4)), np.array([0, 1, 2, 3, 0, 1])).sum(
            axis=1
        ),
        0,
        atol=1e-15,
    )

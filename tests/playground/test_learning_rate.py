"""The plays of the learning rate lesson draw learners' functions and show its facts."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from figures import moved, shared

from course import lesson
from playground import learning_rate
from playground.figure.live import LiveFigure
from playground.functions import landscapes
from playground.functions.digits import digits

REFERENCE = lesson("learning_rate").reference
DESCENT, STABLE, PROMISE = (
    REFERENCE[name] for name in ("gradient_descent", "max_stable_lr", "predicted_vs_actual")
)

PLAYS: dict[str, Callable[[], LiveFigure]] = {
    "bowl": shared(lambda: learning_rate.bowl(DESCENT)),
    "ravine": shared(lambda: learning_rate.ravine(DESCENT)),
    "promise": shared(lambda: learning_rate.promise(PROMISE)),
}


def says(play: LiveFigure, **values: Any) -> str:
    """Return a play's line for yours with its controls at these values."""
    return moved(play, **values).readout[0]


@pytest.mark.parametrize("play", PLAYS.values(), ids=PLAYS)
def test_each_play_draws_and_agrees_with_the_target_for_the_reference(
    play: Callable[[], LiveFigure],
) -> None:
    figure = play()
    assert figure.still().startswith(b"\x89PNG")
    assert figure.readout[-1] == "The target is the same."


@pytest.mark.parametrize(
    ("lr", "fate"),
    [
        (0.5, "rolls down on one side"),
        (1.5, "jumps from side to side and gets there"),
        (2.0, "jumps from side to side forever"),
        (2.1, "it leaves"),
    ],
)
def test_in_a_bowl_of_curvature_1_the_limit_is_2(lr: float, fate: str) -> None:
    said = says(PLAYS["bowl"](), lr=lr)
    assert fate in said
    assert "the limit 2/λ is 2" in said


def test_a_button_adds_a_step() -> None:
    assert "after 12 steps" in says(PLAYS["bowl"]())
    assert "after 14 steps" in says(PLAYS["bowl"](), more=2)


def test_the_steep_side_sets_the_limit_of_a_ravine() -> None:
    assert "it leaves" in says(PLAYS["ravine"](), steep=30.0, lr=0.0708)
    assert "gets there" in says(PLAYS["ravine"](), steep=30.0, lr=0.0631)
    assert STABLE(np.diag([1.0, 30.0])) == pytest.approx(2 / 30)


@pytest.mark.parametrize(
    ("lr", "numbers"),
    [(0.1, ("−28.8", "11.5", "8.41", "−8.87")), (0.001, ("−0.288", "0.00115", "0.002", "−0.285"))],
)
def test_the_promise_breaks_at_a_large_step_and_holds_at_a_small_one(
    lr: float, numbers: tuple[str, ...]
) -> None:
    said = says(PLAYS["promise"](), lr=lr)
    promised, own, together, happened = numbers
    adds = f"own curvature adds {own}, both together {together}"
    assert said == f"Yours: promised {promised}; {adds}; what happened is {happened}."


@pytest.mark.parametrize("name", ["bowl", "ravine", "product", "tilted", "quartic"])
def test_each_landscape_has_the_gradient_of_its_loss(name: str) -> None:
    loss, grad = getattr(landscapes, name), getattr(landscapes, f"{name}_grad")
    w, h = np.array([0.7, -1.3]), 1e-6
    numerical = [(loss(w + h * e) - loss(w - h * e)) / (2 * h) for e in np.eye(2)]
    assert grad(w) == pytest.approx(numerical, rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_below_the_limit_the_steps_get_there_and_above_it_they_leave(seed: int) -> None:
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(3, 3))
    H = A @ A.T + np.eye(3)
    ends = [
        np.linalg.norm(DESCENT(partial(np.matmul, H), np.ones(3), factor * STABLE(H), 2000)[-1])
        for factor in (0.98, 1.02)
    ]
    assert ends[0] < 1e-3
    assert ends[1] > 1e3


def test_a_rate_of_a_half_and_of_1_read_digits_and_2_ruins_it() -> None:
    play = learning_rate.sweep(DESCENT)
    assert play.still().startswith(b"\x89PNG")
    read = {}
    for lr in (0.01, 0.5, 1.0, 2.0):
        play.controls["lr"].value = lr
        found = re.search(r"(\d+) % of new digits", play.readout[0])
        assert found
        read[lr] = int(found[1])
    assert (read[0.5], read[1.0]) == (95, 96)
    assert read[2.0] < 100 / 7
    assert read[0.01] < 50
    assert play.readout[-1] == "The target is the same."


def test_the_limit_of_the_digits_network_is_about_0_8_at_its_start() -> None:
    """By power iteration; the Hessian times v is the slope of the gradient along v."""
    data = digits()
    examples = slice(learning_rate.DIGIT_EXAMPLES)
    X, labels, start = data.X[examples], data.labels[examples], learning_rate._digit_start()
    v = np.random.default_rng(0).normal(size=start.size)
    for _ in range(60):
        v *= 1e-4 / np.linalg.norm(v)
        ahead, behind = (learning_rate._digit_grad(start + sign * v, X, labels) for sign in (1, -1))
        v = (ahead - behind) / (2 * 1e-4)
    assert 2 / np.linalg.norm(v) == pytest.approx(0.8, abs=0.05)

"""The plays of the initialization lesson draw learners' functions and show its facts."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from figures import moved, shared

from course import lesson
from playground import initialization
from playground.figure.live import LiveFigure
from playground.initialization import POINTS, UNITS, WANTED, first_step, training

REFERENCE = lesson("initialization").reference
NORMAL, XAVIER, KAIMING = (
    REFERENCE[name] for name in ("init_normal", "init_xavier_uniform", "init_kaiming_normal")
)
SCALES, DISTINCT = REFERENCE["layer_scales"], REFERENCE["n_distinct_units"]

PLAYS: dict[str, Callable[[], LiveFigure]] = {
    "depth": shared(lambda: initialization.depth(NORMAL, XAVIER, KAIMING, SCALES)),
    "clones": shared(lambda: initialization.clones(DISTINCT)),
    "sampler": shared(lambda: initialization.sampler(NORMAL, XAVIER, KAIMING)),
}
EVERYTHING = "hidden weights, hidden biases, output weights, output bias"


@pytest.mark.parametrize("play", PLAYS.values(), ids=PLAYS)
def test_each_play_draws_and_agrees_with_the_target_for_the_reference(
    play: Callable[[], LiveFigure],
) -> None:
    figure = play()
    assert figure.still().startswith(b"\x89PNG")
    assert figure.readout[-1] == "The target is the same."


@pytest.mark.parametrize(
    ("start", "activation", "moved"),
    [
        ("zeros", "tanh", "output bias"),
        ("zeros", "ReLU", "output bias"),
        ("zeros", "sigmoid", "output weights, output bias"),
        ("all 0.5", "tanh", EVERYTHING),
        ("random", "tanh", EVERYTHING),
        ("only biases random", "tanh", "output weights, output bias"),
        ("random, output 0", "tanh", "output weights, output bias"),
    ],
)
def test_the_first_step_moves_what_the_lesson_says(start: str, activation: str, moved: str) -> None:
    assert first_step(start, activation) == moved


@pytest.mark.parametrize("activation", ["tanh", "ReLU"])
def test_from_zeros_nothing_but_the_output_bias_ever_moves(activation: str) -> None:
    W, b, v, c, _ = training("zeros", activation)
    assert [values.any() for values in (W, b, v)] == [False] * 3
    assert c[-1] != 0


@pytest.mark.parametrize(
    ("start", "activation"),
    [("zeros", "sigmoid"), ("all 0.5", "tanh"), ("all 0.5", "ReLU"), ("all 0.5", "sigmoid")],
)
def test_copies_train_and_stay_copies(start: str, activation: str) -> None:
    W, b, v, _, losses = training(start, activation)
    assert losses[-1] < losses[0]
    assert (W[-1] != W[0]).any()
    assert DISTINCT(W[-1], b[-1]) == 1
    assert len(set(v[-1])) == 1


@pytest.mark.parametrize("start", ["random", "only biases random", "random, output 0"])
def test_units_that_start_different_part_and_the_gradient_reaches_them(start: str) -> None:
    W, b, _, _, losses = training(start, "tanh")
    assert DISTINCT(W[-1], b[-1]) == UNITS
    assert (W[-1] != W[0]).any()
    assert losses[-1] < losses[0]


def test_random_units_learn_more_than_copies() -> None:
    assert training("random", "tanh")[-1][-1] < 0.5 * training("all 0.5", "tanh")[-1][-1]


def test_the_gradients_of_the_clone_tracker_are_right() -> None:
    W, b, v, c, losses = (values[0] for values in training("random", "tanh"))
    after = training("random", "tanh")[0][1]
    for i, j in np.ndindex(W.shape):
        up, down = W.copy(), W.copy()
        up[i, j] += 1e-5
        down[i, j] -= 1e-5
        loss = [np.mean((np.tanh(POINTS @ side + b) @ v + c - WANTED) ** 2) for side in (up, down)]
        slope = (loss[0] - loss[1]) / 2e-5
        assert after[i, j] == pytest.approx(W[i, j] - initialization.RATE * slope, abs=1e-8)
    assert losses == np.mean((np.tanh(POINTS @ W + b) @ v + c - WANTED) ** 2)


def test_a_network_without_a_hidden_layer_may_start_at_zero() -> None:
    w = np.zeros(2)
    for _ in range(100):
        w = w - 0.2 * 2 * POINTS.T @ (POINTS @ w + 0.5 - WANTED) / len(POINTS)
    assert np.mean((POINTS @ w + 0.5 - WANTED) ** 2) < np.mean((0.5 - WANTED) ** 2)


def size_after(layers: int, scheme: str, activation: str) -> float:
    values = {"layers": layers, "scheme": scheme, "activation": activation}
    play = moved(PLAYS["depth"](), **values)
    found = re.search(r"size ([\d.e+−-]+)\.$", play.readout[0])
    assert found
    return float(found[1].replace("−", "-"))


def test_twenty_relu_layers_of_standard_normal_weights_reach_ten_to_the_twelfth() -> None:
    assert 1e11 < size_after(20, "N(0, 1)", "ReLU") < 1e13


def test_small_weights_die_out_and_kaiming_keeps_the_size_with_relu() -> None:
    assert size_after(20, "N(0, 0.0001)", "ReLU") < 1e-15
    assert 0.1 < size_after(20, "Kaiming", "ReLU") < 10


def test_xavier_loses_about_half_of_the_squares_in_each_relu_layer() -> None:
    factor = (size_after(30, "Xavier", "ReLU") / size_after(10, "Xavier", "ReLU")) ** (2 / 20)
    assert factor == pytest.approx(0.5, abs=0.1)


def test_large_weights_push_tanh_to_its_flat_ends() -> None:
    assert 0.85 < size_after(20, "N(0, 1)", "tanh") < 1


def test_a_uniform_distribution_has_its_bound_at_root_3_standard_deviations() -> None:
    W = XAVIER(200, 200, np.random.default_rng(0))
    assert W.std() * np.sqrt(3) == pytest.approx(np.sqrt(6 / 400), rel=0.01)


def test_a_wrong_count_of_units_is_shown_next_to_the_target() -> None:
    play = initialization.clones(lambda W, b: W.shape[1])
    assert "differ: 4 of 4" in moved(play, start="zeros").readout[0]
    assert "differ: 1 of 4" in play.readout[1]

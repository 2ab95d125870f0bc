"""The plays of the initialization lesson draw learners' functions and show its facts."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from figures import moved, shared

from course import lesson
from playground import deep_signal, initialization
from playground.deep_signal import DOORS, LAYERS, WIDTH, WIDTHS
from playground.figure.live import LiveFigure
from playground.functions import finished
from playground.initialization import ACTIVATIONS, POINTS, STARTS, UNITS, WANTED, training

REFERENCE = lesson("initialization").reference
NORMAL, XAVIER, KAIMING = (
    REFERENCE[name] for name in ("init_normal", "init_xavier_uniform", "init_kaiming_normal")
)
SCALES, DISTINCT = REFERENCE["layer_scales"], REFERENCE["n_distinct_units"]
DRAWERS = NORMAL, XAVIER, KAIMING, SCALES

PLAYS: dict[str, Callable[[], LiveFigure]] = {
    "clones": shared(lambda: initialization.clones(DISTINCT)),
    "sampler": shared(lambda: initialization.sampler(NORMAL)),
    "corridor": shared(lambda: initialization.corridor(NORMAL, SCALES)),
    "depth": shared(lambda: initialization.depth(finished, *DRAWERS)),
}


def test_the_table_shows_what_the_first_step_moves() -> None:
    head, *rows = initialization.first_steps().splitlines()
    assert head.split() == [*ACTIVATIONS]
    assert {row[:20].strip(): row[20:].split() for row in rows} == {
        "all 0.5": [*"Wbvc" * 3],
        "only outputs random": [*"Wbvc" * 3],
        "zeros": [*"···c" * 2, *"··vc"],
        "only biases random": [*"··vc" * 3],
        "random, outputs 0": [*"··vc" * 3],
        "random": [*"Wbvc" * 3],
    }
    assert len(rows) == len(STARTS)


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


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_copies_with_random_outputs_part_after_one_step(activation: str) -> None:
    W, b, *_ = training("only outputs random", activation)
    assert [DISTINCT(W[step], b[step]) for step in (0, 1)] == [1, UNITS]
    answer = lesson("initialization").questions["outputs_differ"].answer
    assert answer == UNITS


@pytest.mark.parametrize("start", ["random", "only biases random", "random, outputs 0"])
def test_units_that_start_different_part_and_the_gradient_reaches_them(start: str) -> None:
    W, b, _, _, losses = training(start, "tanh")
    assert DISTINCT(W[-1], b[-1]) == UNITS
    assert (W[2] != W[0]).any(), "from the second step on the error gets through"
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


def test_a_network_without_a_hidden_layer_starts_with_copies_that_part_at_once() -> None:
    X, labels = initialization.some_digits()
    W, b = np.zeros((64, 10)), np.zeros(10)
    _, dW, db = finished.dense_backward(finished.softmax_ce_grad(X @ W + b, labels), X, W)
    assert [DISTINCT(W, b), DISTINCT(W - 0.5 * dW, b - 0.5 * db)] == [1, 10]
    assert finished.cross_entropy(X @ W + b, labels) == pytest.approx(np.log(10))


def test_the_spread_of_a_uniform_distribution_is_its_bound_by_root_3() -> None:
    readout = moved(PLAYS["sampler"](), law="uniform, bound 1").readout[0]
    assert "variance 0.32, standard deviation 0.57; the farthest is 1 from 0" in readout
    numbers = np.random.default_rng(0).uniform(-1, 1, 200_000)
    answer = lesson("initialization").questions["spread_of_sampler"].answer
    assert numbers.std() == pytest.approx(answer, abs=0.003)
    assert answer == pytest.approx(1 / np.sqrt(3), abs=1e-3)
    W = XAVIER(200, 200, np.random.default_rng(0))
    assert W.std() * np.sqrt(3) == pytest.approx(np.sqrt(6 / 400), rel=0.01)


def test_normal_numbers_reach_beyond_three_standard_deviations() -> None:
    readout = moved(PLAYS["sampler"](), law="normal, std 1").readout[0]
    farthest = re.search(r"farthest is ([\d.]+)", readout)
    assert farthest
    assert float(farthest[1]) > 3


def doors_of(play: LiveFigure) -> dict[str, int]:
    """Return how many doors of each kind the corridor has."""
    return {
        look: int(count)
        for count, look in re.findall(rf"(\d+) ({'|'.join(DOORS)})", play.readout[0])
    }


def test_the_corridor_goes_dark_glows_and_goes_white() -> None:
    play = PLAYS["corridor"]()
    assert doors_of(moved(play, std=0.1))["dark"] > 15
    assert doors_of(moved(play, std=0.25)) == {"dark": 0, "glowing": LAYERS, "white": 0}
    assert doors_of(moved(play, std=1.0))["white"] > 15
    assert doors_of(moved(play, std=1.0, activation="tanh"))["white"] == LAYERS, "saturated"


def test_the_mark_of_the_corridor_appears_after_it_is_found() -> None:
    play = initialization.corridor(NORMAL, SCALES)
    assert "Found so far: nothing." in moved(play, std=0.1).readout[0]
    assert "fan_in" not in play.svg
    found = {}
    for width in WIDTHS:
        moved(play, width=str(width))
        for std in 10 ** np.arange(-1.1, -0.3, 0.04):
            moved(play, std=float(std))
        told = re.search(rf"([\d.]+) for {width} inputs", play.readout[0])
        assert told
        found[width] = float(told[1])
    assert "√(2/fan_in)" in play.svg
    for width, std in found.items():
        assert std == pytest.approx(np.sqrt(2 / width), rel=0.06)
    assert found[16] == pytest.approx(0.35, abs=0.015)
    assert found[64] == pytest.approx(0.18, abs=0.015)


def test_a_wrong_function_does_not_find_what_the_target_finds() -> None:
    play = initialization.corridor(NORMAL, lambda X, weights, act: 0 * SCALES(X, weights, act))
    yours, target = moved(play, std=0.25).readout
    assert "Found so far: nothing." in yours
    assert "Found so far: 0.25 for 32 inputs." in target


def way(scheme: str, activation: str) -> tuple[float, float]:
    """Return the sizes of signal and gradient at the end of their ways through `depth`."""
    play = moved(PLAYS["depth"](), scheme=scheme, activation=activation)
    assert play.readout[1] == "The target is the same."
    found = re.search(r"has size (\S+), and the gradient came back (\S+) times", play.readout[0])
    assert found
    there, back = (float(one.replace("−", "-")) for one in found.groups())
    return there, back


def test_the_guess_at_twenty_relu_layers_is_near_what_the_figure_shows() -> None:
    question = lesson("initialization").questions["deep_relu"]
    there, back = way("std 1", "ReLU")
    assert abs(np.log10(there) - question.answer) < question.close
    assert back > 1e10
    assert np.log10(4.0**LAYERS) == pytest.approx(question.answer, abs=0.1)


def test_small_weights_die_out_and_kaiming_keeps_the_size_both_ways() -> None:
    assert max(way("std 0.01", "ReLU")) < 1e-15
    there, back = way("Kaiming", "ReLU")
    assert 0.1 < there < 10
    assert 0.1 < back < 10


def test_xavier_loses_about_half_of_the_squares_in_each_relu_layer() -> None:
    factor = way("Xavier", "ReLU")[0] ** (2 / LAYERS)
    assert factor == pytest.approx(0.5, abs=0.1)


def test_large_weights_saturate_tanh_while_the_gradient_grows() -> None:
    there, back = way("std 1", "tanh")
    assert 0.85 < there < 1
    assert back > 1e4
    play = moved(PLAYS["depth"](), scheme="std 1", activation="tanh")
    told = re.search(r"last outputs (\d+) % lie beyond", play.readout[0])
    assert told
    assert 60 < int(told[1]) < 90


def test_the_gradients_of_the_deep_network_are_those_of_its_weights() -> None:
    rng = np.random.default_rng(1)
    weights = [KAIMING(WIDTH, WIDTH, rng) for _ in range(3)]
    act, slope = deep_signal.with_slope("tanh")
    sums, outputs = deep_signal.forward(WIDTH, weights, act)
    sizes = deep_signal.backward(finished.dense_backward, weights, sums, outputs, slope)
    gradient = np.random.default_rng(4).normal(size=outputs[-1].shape)
    expected = [1.0]
    for Z, W in zip(sums[::-1], weights[::-1], strict=True):
        gradient = np.einsum("nj,ij->ni", gradient * slope(Z), W)
        expected.insert(0, float(np.sqrt(np.mean(gradient**2))))
    start = np.sqrt(np.mean(np.random.default_rng(4).normal(size=outputs[-1].shape) ** 2))
    assert sizes == pytest.approx([*(np.array(expected[:-1]) / start), 1.0])


def test_relu_halves_the_mean_square() -> None:
    sums = np.random.default_rng(0).normal(size=100_000)
    assert np.mean(np.maximum(sums, 0) ** 2) == pytest.approx(0.5, rel=0.02)


def test_a_good_start_pays_about_ln_10_and_a_large_one_much_more() -> None:
    X, labels = initialization.some_digits()

    def loss(std: float | None) -> float:
        rng = np.random.default_rng(1)
        draw = KAIMING if std is None else lambda a, b, rng: NORMAL(a, b, std, rng)
        hidden = np.maximum(X @ draw(64, 32, rng), 0)
        return finished.cross_entropy(hidden @ draw(32, 10, rng), labels)

    answer = lesson("initialization").questions["first_loss"].answer
    assert answer == pytest.approx(np.log(10), abs=1e-3)
    assert loss(0.01) == pytest.approx(answer, abs=1e-2)
    assert loss(None) < answer + 0.5
    assert loss(1.0) > 10


def test_a_wrong_count_of_units_is_shown_next_to_the_target() -> None:
    play = initialization.clones(lambda W, b: W.shape[1])
    assert "different hidden units: 4 of 4" in moved(play, start="zeros").readout[0]
    assert "different hidden units: 1 of 4" in play.readout[1]


def test_the_drawing_names_every_parameter_and_the_way_back() -> None:
    picture = initialization.drawing()
    for letter in ("W (2, 4)", "+ b (4,)", "v (4, 1)", "+ c", "error · v"):
        assert letter in picture.svg()
    assert "the error times v" in picture.alt

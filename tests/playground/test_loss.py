"""The plays of the loss lesson draw learners' functions and show its facts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from figures import moved, shared

from course import lesson
from playground import loss
from playground.figure.live import LiveFigure

REFERENCE = lesson("loss").reference
SIGMOID = lesson("neuron").reference["sigmoid"]
MSE, BCE, SOFTMAX, CROSS_ENTROPY = (
    REFERENCE[name] for name in ("mse", "binary_cross_entropy", "softmax", "cross_entropy")
)

PLAYS: dict[str, Callable[[], LiveFigure]] = {
    "slopes": shared(lambda: loss.slopes(MSE, BCE)),
    "outlier": shared(lambda: loss.outlier(MSE)),
    "three_logits": shared(lambda: loss.three_logits(SOFTMAX)),
}


def at(play: LiveFigure, **values: Any) -> list[float]:
    """Return the numbers of a play's line for yours with its controls at these values."""
    yours = moved(play, **values).readout[0].replace("−", "-")
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", yours)]


@pytest.mark.parametrize("play", PLAYS.values(), ids=PLAYS)
def test_each_play_draws_and_agrees_with_the_target_for_the_reference(
    play: Callable[[], LiveFigure],
) -> None:
    figure = play()
    assert figure.still().startswith(b"\x89PNG")
    assert figure.readout[-1] == "The target is the same."


def test_a_sure_mistake_has_a_slope_in_cross_entropy_and_none_in_squared_error() -> None:
    _, squared, _, cross = at(PLAYS["slopes"](), z=10.0, y="0")
    assert (squared, cross) == (0.00009, 0.99995)


def test_one_outlier_pulls_the_squared_fit_most() -> None:
    squared, absolute, huber = at(PLAYS["outlier"](), height=10.0)
    assert abs(squared - 1) > abs(huber - 1) > abs(absolute - 1)
    assert abs(squared - 1) > 5 * abs(huber - 1)


def test_adding_a_hundred_changes_no_share() -> None:
    before = at(PLAYS["three_logits"]())[3:6]
    assert at(PLAYS["three_logits"](), hundreds=9)[3:6] == before


def test_a_softmax_without_a_shift_fails_at_the_eighth_hundred() -> None:
    play = loss.three_logits(lambda logits: np.exp(logits) / np.sum(np.exp(logits)))
    assert "Yours: logits 702" in moved(play, hundreds=7).readout[0]
    assert "nothing but NaN" in moved(play, hundreds=8).readout[0]


def test_adding_a_constant_to_a_loss_changes_no_slope() -> None:
    play = loss.slopes(lambda p, y: MSE(p, y) + 100, BCE)
    assert at(play, z=3.0)[1] == at(PLAYS["slopes"](), z=3.0)[1]


def test_cross_entropy_comes_near_to_0_and_a_gap_of_1000_costs_1000() -> None:
    ahead = [CROSS_ENTROPY(np.array([[gap, 0.0]]), np.array([0])) for gap in (1.0, 5.0, 20.0)]
    assert ahead[0] > ahead[1] > ahead[2] > 0
    assert CROSS_ENTROPY(np.array([[0.0, 1000.0]]), np.array([0])) == 1000


def test_a_soft_label_has_a_floor_above_0() -> None:
    costs = [BCE(np.array([p]), np.array([0.3])) for p in np.linspace(0.01, 0.99, 99)]
    assert np.argmin(costs) == 29  # p = 0.3
    assert min(costs) == pytest.approx(-(0.3 * np.log(0.3) + 0.7 * np.log(0.7)))


@pytest.mark.parametrize("z", [-3.0, 0.0, 2.5])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_the_slope_of_cross_entropy_for_z_is_the_gap(z: float, y: float) -> None:
    def cost(z: float) -> float:
        return float(BCE(np.array([SIGMOID(z)]), np.array([y])))

    assert (cost(z + 1e-5) - cost(z - 1e-5)) / 2e-5 == pytest.approx(SIGMOID(z) - y, abs=1e-6)

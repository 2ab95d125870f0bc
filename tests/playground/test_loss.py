"""The plays of the loss lesson draw learners' functions and show its facts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from figures import moved, shared

from course import lesson
from playground import loss, loss_forecast
from playground.figure.live import LiveFigure

REFERENCE = lesson("loss").reference
SIGMOID = lesson("neuron").reference["sigmoid"]
MSE, BCE, SOFTMAX, CROSS_ENTROPY = (
    REFERENCE[name] for name in ("mse", "binary_cross_entropy", "softmax", "cross_entropy")
)

PLAYS: dict[str, Callable[[], LiveFigure]] = {
    "forecast": shared(lambda: loss.forecast(MSE, BCE)),
    "surer": shared(lambda: loss.surer(CROSS_ENTROPY)),
    "slopes": shared(lambda: loss.slopes(MSE, BCE)),
    "outlier": shared(lambda: loss.outlier(MSE)),
    "three_logits": shared(lambda: loss.three_logits(SOFTMAX)),
}


def at(play: LiveFigure, **values: Any) -> list[float]:
    """Return the numbers of a play's line for yours with its controls at these values."""
    yours = moved(play, **values).readout[0].replace("−", "-")
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", yours)]


def costs(p: list[float], y: list[float]) -> tuple[float, float]:
    """Return the squared error and the cross-entropy of some forecasts, with two decimals."""
    return round(MSE(np.array(p), np.array(y)), 2), round(BCE(np.array(p), np.array(y)), 2)


def test_the_drawing_shows_the_loss_of_its_predictions() -> None:
    assert loss.drawing().alt.endswith("The mean, the loss: 0.5.")
    assert MSE(np.array([2.5, 4, 1.5]), np.array([3, 3, 1])) == 0.5


def test_ten_probabilities_shrink_and_their_mean_cost_stays() -> None:
    play = loss.likelihood()
    assert at(play)[1:] == [0.349, 0.105]
    assert "one in 1,024; the mean of −ln is 0.693." in moved(play, p=0.5, wet=3).readout[0]
    assert 0.5**2000 == 0
    assert -2000 * np.log(0.5) == pytest.approx(1386.3, abs=0.05)


@pytest.mark.parametrize("wet", [3, 7, 8])
def test_the_likeliest_p_is_how_often_it_rained(wet: int) -> None:
    play = loss.likelihood()
    found = []
    for p in np.linspace(0.1, 0.9, 9).round(1):
        line = moved(play, p=p, wet=wet).readout[0].replace(",", "")
        one_in, product, mean = re.findall(r"of (one in )?(\S+); .* is (\S+)\.$", line)[0]
        found.append((1 / float(product) if one_in else float(product), float(mean)))
    products, means = zip(*found, strict=True)
    assert np.argmax(products) == np.argmin(means) == wet - 1


def test_a_bell_of_errors_costs_half_the_squared_gap() -> None:
    gaps = np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(-np.log(np.exp(-(gaps**2) / 2)), [0.5, 2, 8])


def test_a_sure_mistake_has_a_slope_in_cross_entropy_and_none_in_squared_error() -> None:
    _, squared, _, cross, gap = at(PLAYS["slopes"](), z=10.0, y="0")
    assert (squared, cross, gap) == (0.00009, 0.99995, 0.99995)


def test_one_outlier_pulls_the_squared_fit_most() -> None:
    squared, absolute, huber = at(PLAYS["outlier"](), height=10.0)
    assert abs(squared - 1) > abs(huber - 1) > abs(absolute - 1)
    assert abs(squared - 1) > 5 * abs(huber - 1)


def test_adding_a_thousand_changes_no_share() -> None:
    before = at(PLAYS["three_logits"]())[3:6]
    assert at(PLAYS["three_logits"](), shift=1000)[3:6] == before


def test_a_temperature_of_ten_makes_shares_alike() -> None:
    shares = at(PLAYS["three_logits"](), temperature=10.0)[3:6]
    assert [round(share, 2) for share in shares] == [0.37, 0.33, 0.3]
    assert at(PLAYS["three_logits"](), temperature=0.1)[3] > 0.999


def test_a_softmax_without_a_shift_shows_nan_from_800_on() -> None:
    play = loss.three_logits(lambda logits: np.exp(logits) / np.sum(np.exp(logits)))
    assert "Yours: logits 702" in moved(play, shift=700).readout[0]
    assert "shares 0.665" in play.readout[0]
    # inf by inf is nan for each of the three
    assert "shares nan, nan, nan" in moved(play, shift=800).readout[0]
    assert play.svg.count(">nan<") == 3


def test_a_network_that_grows_surer_is_no_more_accurate() -> None:
    play = PLAYS["surer"]()
    assert at(play, times=0.0)[1:3] == [2.3, 1]
    losses = []
    for times in (1.0, 3.0, 6.0):
        _, cost, right, _ = at(play, times=times)
        losses.append(cost)
        assert right == 8
    assert losses[0] > losses[1] < losses[2]
    nothing = CROSS_ENTROPY(np.zeros((10, 10)), np.arange(10))
    assert nothing == pytest.approx(np.log(10))
    assert round(nothing, 3) == 2.303


def test_twenty_forecasts_end_with_what_they_cost_and_the_best_ones() -> None:
    play = loss.forecast(MSE, BCE)
    assert "card 1 of 20" in play.readout[0]
    assert at(play, p=0.99)[3:] == [0.0001, 0.0101, 0.98, 4.61]
    for presses in range(1, 21):  # p counts when the card is turned
        moved(play, p=0.1 if presses < 11 else 0.5, presses=presses)
    assert "2.3 in cross-entropy" not in play.readout[0]
    rain = loss_forecast.Forecasts().round(0, 0.5).rain
    given = np.repeat([0.1, 0.5], 10)
    assert at(play)[1] == pytest.approx(BCE(given, rain), rel=5e-3)
    assert "0.17 under blue sky" in play.readout[0]
    assert "0.83 under dark clouds: 0.171 and 0.521." in play.readout[0]
    assert "card 1 of 20" in moved(play, presses=21).readout[0]
    assert at(moved(play, p=0.5), presses=41)[:2] == [0.25, 0.693]


def test_every_round_has_the_same_skies_and_rain_in_another_order() -> None:
    first, second = (loss_forecast.Forecasts().round(presses, 0.5) for presses in (0, 21))
    assert first.skies.tolist() != second.skies.tolist()
    for now in (first, second):
        often = [now.rain[now.skies == sky].mean() for sky in range(4)]
        np.testing.assert_allclose(often, loss_forecast.OFTEN)


def test_who_says_what_they_believe_pays_least() -> None:
    rain = [1.0] * 8 + [0.0] * 2
    assert costs([0.8] * 10, rain) == (0.16, 0.5)
    assert costs([0.99] * 10, rain) == (0.2, 0.93)


def test_one_sure_mistake_costs_more_than_nine_good_days_save() -> None:
    ann, bob = (costs(p, [1.0] * 10) for p in ([0.8] * 10, [0.99] * 9 + [0.001]))
    assert (ann[1], bob[1]) == (0.22, 0.7)
    assert round(np.log(0.99 / 0.8), 2) == 0.21
    assert round(-np.log(0.001), 1) == 6.9


def test_the_loss_from_z_is_cross_entropy_without_a_bound() -> None:
    assert SIGMOID(40.0) == 1
    assert round(SIGMOID(2.0), 2) == 0.88
    for z in (-3.0, 2.0):
        for y in (0.0, 0.3, 1.0):
            cost = BCE(np.array([SIGMOID(z)]), np.array([y]))
            assert np.logaddexp(0, z) - y * z == pytest.approx(cost)
    assert np.logaddexp(0, 1000.0) == 1000


def test_a_neuron_with_inputs_of_0_gives_what_its_bias_says() -> None:
    assert round(SIGMOID(-3.0), 2) == 0.05


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

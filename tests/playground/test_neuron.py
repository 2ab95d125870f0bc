"""The neuron lesson's plays draw the learner's functions, and their readouts are right."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from figures import moved, png, shared

from course import lesson
from playground import neuron, neuron_digit, neuron_plane
from playground.figure.live import LiveFigure


def weighted_sum(x: Any, w: Any, b: float) -> float:
    return sum(float(a) * float(c) for a, c in zip(x, w, strict=True)) + b


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(z, float)))


def relu(z: Any) -> Any:
    return np.maximum(z, 0)


def dense(X: Any, W: Any, b: Any, activation: Callable[..., Any]) -> Any:
    return activation(X @ W + b)


def unwritten(*inputs: Any) -> Any:
    raise NotImplementedError


PLAYS: dict[str, Callable[[], LiveFigure]] = {
    "look": shared(lambda: neuron.look(weighted_sum, sigmoid)),
    "separate": shared(lambda: neuron.separate(weighted_sum, sigmoid)),
    "xor": shared(lambda: neuron.xor(dense, relu)),
    "boundary": shared(lambda: neuron.boundary(weighted_sum, sigmoid, relu)),
    "signal": shared(lambda: neuron.signal(weighted_sum, sigmoid)),
    "three_units": shared(lambda: neuron.three_units(dense, relu)),
}


@pytest.mark.parametrize("play", PLAYS.values(), ids=PLAYS)
def test_each_play_draws_at_both_ends_of_every_control(play: Callable[[], LiveFigure]) -> None:
    figure = play()
    assert figure.widget
    for control in figure.controls.values():
        options = (
            control.options
            if hasattr(control, "options")
            else (getattr(control, "min", False), getattr(control, "max", True))
        )
        for value in options:
            control.value = value
            assert figure.readout[-1] == "The target is the same.", figure.alt
            assert "nan" not in figure.svg
            assert "inf" not in figure.svg


@pytest.mark.parametrize(
    "play",
    [
        lambda: neuron.look(unwritten, unwritten),
        lambda: neuron.separate(unwritten, unwritten),
        lambda: neuron.xor(unwritten, unwritten),
        lambda: neuron.boundary(unwritten, unwritten, unwritten),
        lambda: neuron.signal(unwritten, unwritten),
        lambda: neuron.three_units(unwritten, unwritten),
    ],
)
def test_each_play_shows_the_target_before_anything_is_written(
    play: Callable[[], LiveFigure],
) -> None:
    figure = play()
    assert png(figure).startswith(b"\x89PNG")
    assert "is not written yet" in figure.readout[0]
    assert figure.readout[1].startswith("Target: ")


def test_the_boundary_stays_when_w_and_b_are_multiplied_and_gets_sharper() -> None:
    figure = moved(PLAYS["boundary"](), w1=1.0, w2=0.5, b=0.5)
    before = figure.readout[0]
    assert (
        before == "Yours: boundary crosses the axes at x₁ = −0.5 and x₂ = −1; steepest slope 0.28."
    )
    moved(figure, scale=10.0)
    assert figure.readout[0] == before.replace("0.28", "2.8")


def test_the_bias_shifts_the_boundary_and_a_forgotten_bias_shows() -> None:
    play = neuron.boundary(lambda x, w, b: float(np.dot(x, w)), sigmoid, relu)
    figure = moved(play, w1=1.0, w2=0.0, b=2.0)
    assert "x₁ = 0;" in figure.readout[0]
    assert "x₁ = −2;" in figure.readout[1]


def test_without_weights_there_is_no_boundary() -> None:
    figure = moved(PLAYS["boundary"](), w1=0.0, w2=0.0)
    assert (
        figure.readout[0] == "Yours: no boundary, the weighted sum is the same everywhere;"
        " the output does not change."
    )


@pytest.mark.parametrize(
    ("activation", "slope"), [("sigmoid", "0.25"), ("tanh", "1"), ("relu", "1")]
)
def test_the_steepest_slope_is_that_of_the_activation_times_the_length_of_w(
    activation: str, slope: str
) -> None:
    figure = moved(PLAYS["boundary"](), w1=0.6, w2=0.8, b=0.0, activation=activation)
    assert f"steepest slope {slope}." in figure.readout[0]


@pytest.mark.parametrize(
    ("activation", "ends"),
    [("sigmoid", ["0", "0.5", "1"]), ("tanh", ["−1", "0", "1"]), ("relu", ["0", "2", "4"])],
)
def test_the_colours_stand_for_the_range_of_the_activation(
    activation: str, ends: list[str]
) -> None:
    figure = moved(PLAYS["boundary"](), w1=1.0, w2=0.0, b=0.0, activation=activation)
    assert re.findall(r"<tspan[^>]*>([^<]*)", figure.svg)[:3] == ends


def test_a_signal_is_followed_from_its_products_to_the_output() -> None:
    figure = moved(PLAYS["signal"](), x1=1.0, w1=1.5, x2=-0.5, w2=1.0, b=-1.0)
    assert figure.readout[0] == "Yours: products 1.5 and −0.5; sum 1; with the bias 0; output 0.5."


def test_a_wrong_activation_shows_in_the_signal() -> None:
    figure = moved(
        neuron.signal(weighted_sum, lambda z: 1 / (1 + np.exp(z))), x1=1.0, w1=1.0, x2=0.0, b=0.0
    )
    assert figure.readout[0].endswith("output 0.269.")
    assert figure.readout[1].endswith("output 0.731.")


@pytest.mark.parametrize(
    ("values", "pieces"),
    [
        ({}, "4 straight pieces, folded at x = −1.5, 0 and 1.5."),
        ({"v2": 0.0}, "3 straight pieces, folded at x = −1.5 and 1.5."),
        ({"b2": 1.5}, "3 straight pieces, folded at x = −1.5 and 1.5."),
        ({"v1": 0.0, "v2": 0.0, "v3": 0.0}, "1 straight piece."),
        ({"activation": False}, "1 straight piece."),
        ({"b1": 1.3}, "4 straight pieces, folded at x = −1.3, 0 and 1.5."),
    ],
)
def test_the_straight_pieces_are_counted_on_the_curve_itself(
    values: dict[str, Any], pieces: str
) -> None:
    said = moved(PLAYS["three_units"](), **values).readout[0]
    assert said.startswith(f"Yours: {pieces.removesuffix('.')}; gap to the roof ")


@pytest.mark.parametrize(
    ("goal", "biases", "weights"),
    [
        ("roof", (2.0, 0.0, -2.0), (1.5, -3.0, 1.5)),
        ("valley", (2.0, 1.0, -1.0), (-3.0, 3.0, 3.0)),
        ("step", (0.5, -0.5, 0.0), (3.0, -3.0, 0.0)),
    ],
)
def test_each_goal_can_be_reached_and_is_marked_by_a_star(
    goal: str, biases: tuple[float, ...], weights: tuple[float, ...]
) -> None:
    values = dict(zip(("b1", "b2", "b3"), biases, strict=True))
    values |= dict(zip(("v1", "v2", "v3"), weights, strict=True))
    figure = moved(PLAYS["three_units"](), goal=goal, **values)
    assert figure.readout[0].endswith(f"gap to the {goal} 0 ★.")
    moved(figure, activation=False)
    assert "★" not in figure.readout[0]


def right_of(figure: LiveFigure) -> int:
    return int(re.findall(r"Yours: (\d+) of", figure.readout[0])[0])


def best_line(features: Any, kinds: Any) -> int:
    """Return how many points a line can get right, tried through each pair of points."""
    most = 0
    for one in features:
        for other in features:
            across = np.array([[0, 1], [-1, 0]]) @ (other - one)
            for shift in (-1e-6, 1e-6):
                right = np.count_nonzero((features @ across > across @ one + shift) == kinds)
                most = max(most, int(right), len(kinds) - int(right))
    return most


def test_both_inks_tell_all_digits_apart_and_the_middle_alone_all_but_one() -> None:
    figure = moved(PLAYS["separate"](), w1=3.0, w2=0.0, b=-1.0)
    features, kinds = neuron_plane.ink_of_digits()
    assert len(kinds) == 67
    middle = features[:, :1] * [[1.0, 0.0]]
    cuts = [np.count_nonzero((middle[:, 0] > cut) == kinds) for cut in middle[:, 0]]
    assert right_of(figure) == max(cuts) == 66
    assert right_of(moved(figure, w1=3.0, w2=-1.0, b=-0.5)) == 67


def test_no_line_gets_more_than_three_corners_of_xor_right() -> None:
    at, kinds = neuron_plane.CORNERS
    assert best_line(at, kinds) == 3
    figure = moved(PLAYS["separate"](), points="XOR", w1=4.0, w2=4.0, b=-2.0)
    assert right_of(figure) == 3


def test_two_units_with_relu_win_xor_and_without_it_they_do_not() -> None:
    figure = moved(PLAYS["xor"](), b2=-1.0, v1=1.0, v2=-2.0)
    assert right_of(figure) == 4
    assert right_of(moved(figure, activation=False)) <= 3


def test_the_first_picture_is_sure_of_a_one_until_it_is_moved_sideways() -> None:
    figure = neuron.first_look()
    assert figure.widget
    output = float(figure.readout[0].split("output ")[1].rstrip("."))
    moved(figure, sideways=3)
    assert float(figure.readout[0].split("output ")[1].rstrip(".")) < 0.5 < output
    for image in (1, neuron_digit.IMAGES):
        assert "output 0." in moved(figure, image=image, sideways=-3).readout[0]


def test_equal_weights_do_not_see_where_the_ink_is() -> None:
    figure = moved(PLAYS["look"](), weights="ink anywhere", digit=1, image=1, sideways=0)
    before = figure.readout[0]
    assert moved(figure, sideways=1).readout[0] == before
    assert moved(figure, weights="1, not 0", sideways=0).readout[0] != before


def test_numbers_in_the_text_and_the_questions_are_right() -> None:
    asked: Any = lesson("neuron").questions
    assert round(float(sigmoid(2.0)), 2) == 0.88
    assert abs(float(sigmoid(1.8 - 0.8 - 1.5)) - asked["bias_turned"].answer) < 1e-3
    assert relu(weighted_sum([2, -1], [0.5, 3], 1)) == asked["one_output"].answer
    assert best_line(*neuron_plane.CORNERS) == asked["corners"].answer
    assert neuron.MATCHED == 0.05
    assert np.log10(np.finfo(float).max) == pytest.approx(308, abs=1)
    assert np.tanh(-2.65) == pytest.approx(-0.99, abs=1e-3)


def test_the_capstones_network_has_as_many_units_and_numbers_as_the_lesson_tells() -> None:
    sizes = [int(one) for one in re.findall(r"\((\d+)\)", neuron.layers().alt)]
    assert sum(sizes[1:]) == 42
    assert sum((a + 1) * b for a, b in pairwise(sizes)) == 2410


def test_a_layer_that_forgets_its_activation_is_straight_beside_the_folded_target() -> None:
    figure = neuron.three_units(lambda X, W, b, activation: X @ W + b, relu)
    assert moved(figure).readout[0].startswith("Yours: 1 straight piece; ")
    assert figure.readout[1].startswith("Target: 4 straight pieces")


ABSENT = """
import sys
sys.modules["playground.functions.finished"] = None
from playground import neuron
import numpy as np
def dense(X, W, b, activation): return activation(X @ W + b)
def relu(z): return np.maximum(z, 0)
def stub(*inputs): raise NotImplementedError
play = neuron.three_units(dense, relu)
assert play.svg
assert play.readout[0].startswith("4 straight pieces, folded at x = −1.5, 0 and 1.5"), play.readout
unwritten = neuron.three_units(stub, stub)
assert unwritten.svg
assert unwritten.readout == ["dense is not written yet."], unwritten.readout
first = neuron.first_look()
assert first.svg
assert "which are not here" in first.readout[0], first.readout
"""
HIDDEN = """
import sys
from playground import neuron
assert "playground.functions.finished" not in sys.modules
"""


@pytest.mark.parametrize("code", [ABSENT, HIDDEN], ids=["absent", "not imported"])
def test_plays_work_without_the_finished_functions(code: str) -> None:
    root = Path(neuron.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, timeout=600)

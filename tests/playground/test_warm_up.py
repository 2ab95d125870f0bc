"""The warm-up's drawings and plays show what its text and its questions say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from figures import moved, shared

from course import ROOT, lesson
from playground import warm_up
from playground.figure.drawing import Drawing
from playground.figure.live import LiveFigure

TEXT = (ROOT / "solutions" / "warm_up" / "warm_up.md").read_text(encoding="utf-8")
DRAWINGS: dict[str, Callable[[], Drawing]] = {
    "product": warm_up.product,
    "axes": warm_up.axes,
    "broadcast": warm_up.broadcast,
    "picked": warm_up.picked,
    "machine": warm_up.machine,
}


def center_columns(a: Any) -> Any:
    return a - np.mean(a, axis=0)


def apply_twice(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: f(f(x))


PLAYS: dict[str, Callable[[], LiveFigure]] = {
    "cloud": shared(lambda: warm_up.cloud(center_columns)),
    "steps": shared(lambda: warm_up.steps(apply_twice)),
}


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_a_drawing_is_small_and_its_alt_text_has_numbers(draw: Callable[[], Drawing]) -> None:
    drawing = draw()
    assert len(drawing._repr_mimebundle_()["text/html"]) < 10_000
    assert any(sign.isdigit() for sign in drawing.alt)


def test_the_bill_in_the_text_is_the_one_of_the_drawing() -> None:
    told = warm_up.product().alt.split(": ")[1].split(",")[0]
    assert told == "1 · 2 + 1 · 1 + 4 · 3 = 15"
    assert told in TEXT


@pytest.mark.parametrize("play", PLAYS.values(), ids=PLAYS)
def test_each_play_agrees_with_the_target_for_right_functions(
    play: Callable[[], LiveFigure],
) -> None:
    assert play().readout[-1] == "The target is the same."


def test_a_centred_cloud_stays_wherever_the_given_one_is() -> None:
    for right in (-4.0, 4.0):
        assert "the centred one at (0, 0)" in moved(PLAYS["cloud"](), right=right).readout[0]


def test_rows_centred_in_place_of_columns_differ_from_the_target() -> None:
    play = warm_up.cloud(lambda a: a - np.mean(a, axis=1, keepdims=True))
    assert play.readout[-1] != "The target is the same."


def test_two_discounts_leave_what_the_question_says() -> None:
    answer = lesson("warm_up").questions["two_discounts"].answer
    assert f"after both steps {answer}." in PLAYS["steps"]().readout[0]


def test_half_plus_20_leaves_one_price_as_it_is() -> None:
    prices = [p for p in range(101) if warm_up.STEPS["half, plus 20"](p) == p]
    assert len(prices) == 1


def test_numpy_agrees_with_the_questions_about_shapes() -> None:
    a, square = np.arange(12.0).reshape(4, 3), np.arange(36.0).reshape(6, 6)
    answers = {name: one.answer for name, one in lesson("warm_up").questions.items()}
    assert answers["shape_of_product"] == str((a @ np.ones((3, 2))).shape)
    assert answers["which_axis"].startswith(f"{len(a.sum(axis=0))} numbers")
    assert answers["too_many_picked"] == str(np.ones((4, 2))[:, [0, 1, 0, 1]].shape)
    assert answers["missing_shape"] == "(64, 5)"
    assert (np.ones((10, 64)) @ np.ones((64, 5))).shape == (10, 5)
    shares = square / square.sum(axis=1)
    assert np.array_equal(shares[:, 2], square[:, 2] / square[2].sum())
    with pytest.raises(ValueError, match="broadcast"):
        a - np.ones(4)

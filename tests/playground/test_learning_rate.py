"""The plays of the learning rate lesson draw learners' functions and show its facts."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from figures import moved, png, shared

from course import lesson, named
from playground import descent_on_digits, landing, learning_rate
from playground.figure.live import LiveFigure
from playground.functions import finished, landscapes

REFERENCE = lesson("learning_rate").reference
STEP, DESCENT, STABLE, PROMISE = REFERENCE.values()

PLAYS: dict[str, Callable[[], LiveFigure]] = {
    "bowl": shared(lambda: learning_rate.bowl(DESCENT)),
    "ravine": shared(lambda: learning_rate.ravine(DESCENT)),
    "curvature": shared(lambda: learning_rate.curvature(DESCENT)),
    "two_balls": shared(lambda: learning_rate.two_balls(STABLE, DESCENT)),
    "promise": shared(lambda: learning_rate.promise(PROMISE)),
    "curves": shared(lambda: learning_rate.curves(DESCENT)),
    "land": shared(lambda: learning_rate.land(STEP)),
}


def says(play: LiveFigure, **values: Any) -> str:
    """Return a play's line for yours with its controls at these values."""
    return moved(play, **values).readout[0]


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


def test_the_tangent_promises_more_than_the_step_keeps() -> None:
    said = says(PLAYS["bowl"](), lr=1.0, at=0)
    assert "the tangent promises a loss of −4.5, and the step ends at 0." in said
    said = says(PLAYS["bowl"](), lr=0.5, at=1)
    assert "the tangent promises a loss of 0, and the step ends at 0.281." in said


def test_a_rate_far_too_small_hardly_moves_in_twenty_steps() -> None:
    path = DESCENT(landscapes.bowl_grad, np.array([2.0]), 0.0001, learning_rate.STEPS)
    assert learning_rate._fate(path[:, 0]) == "it hardly moves"


def test_the_sharply_curved_side_sets_the_limit_of_a_ravine() -> None:
    assert "it leaves" in says(PLAYS["ravine"](), across=30.0, lr=0.0708)
    said = says(PLAYS["ravine"](), across=30.0, lr=0.0631)
    assert "gets there" in said
    assert "along by 0.937, across by −0.893" in said
    assert STABLE(np.diag([1.0, 30.0])) == pytest.approx(2 / 30)


def test_a_ball_rolls_straight_along_the_two_special_directions_alone() -> None:
    said = {angle: says(PLAYS["curvature"](), angle=angle) for angle in range(0, 181, 5)}
    straight = [angle for angle, words in said.items() if "runs straight" in words]
    assert straight == [45, 135]
    assert "the curvature is 5;" in said[45]
    assert "the curvature is 1;" in said[135]
    assert "the curvature is 3;" in said[0]
    assert np.linalg.eigvalsh(learning_rate.CROSSED) == pytest.approx([1, 5])


@pytest.mark.parametrize("together", [-0.9, 0.0, 0.5])
def test_one_ball_arrives_and_the_other_leaves(together: float) -> None:
    said = says(PLAYS["two_balls"](), own1=6.0, own2=6.0, together=together)
    below, above = (float(found) for found in re.findall(r"([\d.]+) away", said))
    assert below < 0.1
    assert above > 10


def test_acting_together_lowers_the_limit() -> None:
    apart, together = (
        says(PLAYS["two_balls"](), own1=4.0, own2=2.0, together=r) for r in (0.0, 0.5)
    )
    assert "your limit is 0.5;" in apart
    assert "your limit is 0.423;" in together


@pytest.mark.parametrize(
    ("lr", "numbers"),
    [
        (0.1, ("−28.8", "31.7", "11.5", "20.2", "−11.8", "−8.87")),
        (0.001, ("−0.288", "0.00317", "0.00115", "0.00202", "−1.38e−5", "−0.285")),
    ],
)
def test_the_promise_breaks_at_a_large_step_and_holds_at_a_small_one(
    lr: float, numbers: tuple[str, ...]
) -> None:
    said = says(PLAYS["promise"](), lr=lr)
    promised, second, own, together, higher, happened = numbers
    assert said == (
        f"Yours: promised {promised}; the second order adds {second}, of which own curvature {own}"
        f" and both together {together}; higher orders {higher}; what happened is {happened}."
    )


def test_the_place_of_the_broken_promise_is_no_bowl() -> None:
    w, h = learning_rate.PROMISE_START, 1e-5
    ahead, behind = (
        [landscapes.product_grad(w + sign * h * e) for e in np.eye(2)] for sign in (1, -1)
    )
    H = (np.array(ahead) - behind) / (2 * h)
    assert np.linalg.eigvalsh(H) == pytest.approx([-6, 22])
    g = landscapes.product_grad(w)
    assert 0.5 * 0.1**2 * g @ H @ g == pytest.approx(31.68)
    new = STEP(w, g, 0.1)
    assert new == pytest.approx([0.8, 0.8])
    assert landscapes.product(new) == pytest.approx(0.13, abs=0.005)


@pytest.mark.parametrize("name", ["bowl", "ravine", "product", "tilted", "quartic", "bent"])
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
    assert png(play).startswith(b"\x89PNG")
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


def test_the_limit_of_the_digits_network_is_0_78_at_its_start() -> None:
    assert 2 / descent_on_digits.curvature_at_the_start() == pytest.approx(0.78, abs=0.005)


def test_the_cliff_of_the_digits_network_is_between_1_3_and_1_6(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(descent_on_digits, "RATES", np.array([1.3, 1.6]))
    below, above = map(descent_on_digits.runs(named("other", DESCENT), (), False).train, (0, 1))
    assert below.share > 0.9
    assert above.share < 0.5


def test_the_largest_curvature_climbs_to_2_by_the_rate_and_stays() -> None:
    way = dict(descent_on_digits.curvature_on_the_way(DESCENT, 0.5))
    assert way[0] == pytest.approx(2.56, abs=0.01)
    assert [way[step] for step in (20, 30, 40, 50, 60)] == pytest.approx([4] * 5, abs=0.3)


def test_the_four_loss_curves_are_as_their_questions_say() -> None:
    runs = descent_on_digits.runs(DESCENT, (), False)
    rates = descent_on_digits.CURVES.items()
    a, b, c, d = (runs.train(descent_on_digits.nearest(rate)).losses for _, rate in rates)
    assert np.diff(b).max() < 0, "B falls at every step"
    assert [b[0], b[-1]] == pytest.approx([2.3, 1.9], abs=0.05)
    assert c[:5].max() == c.max() == pytest.approx(7, abs=0.5)
    assert c[-1] == pytest.approx(np.log(10), abs=0.02)
    assert d[-1] == pytest.approx(0.2, abs=0.03)
    assert [a[:4].min(), a.min()] == pytest.approx([1.6, 1.6], abs=0.05), "A learns at first"
    assert a.max() == pytest.approx(4.5, abs=0.05)
    half = runs.train(descent_on_digits.nearest(0.8))
    assert half.losses[-1] < d[-1]


def rolled(*rates: float) -> list[str]:
    """Return the readouts of a game after each press."""
    play = PLAYS["land"]()
    said = []
    for press, rate in enumerate(rates, 1):
        said.append(says(play, lr=rate, roll=press))
    moved(play, roll=0)
    return said


def test_a_ball_rolls_by_the_rate_chosen_before_each_step() -> None:
    first, second, *_ = said = rolled(0.03, 0.3, *[0.03] * 18, 0.03)
    w = landing.START
    for rate, words in ((0.03, first), (0.3, second)):
        w = STEP(w, landscapes.bent_grad(w), rate)
        assert f"loss {learning_rate.number(landscapes.bent(w))}." in words
    assert "times higher" in said[19]
    assert said[20].startswith("Yours: step 0 of 20"), "the next press starts again"


def test_a_long_stride_after_three_short_ones_beats_the_best_fixed_rate() -> None:
    *_, last = rolled(*[0.045, 0.045, 0.045, 0.95] * 5)
    assert "The best fixed rate, 0.087, ends at 0.0035; yours is" in last
    found = re.search(r"([\d.e]+) times lower", last)
    assert found
    assert float(found[1]) > 1000


def test_thirty_steps_with_momentum_get_further_in_the_ravine() -> None:
    plain = rolling = learning_rate.RAVINE_START
    velocity = np.zeros(2)
    for _ in range(30):
        plain = finished.gd_step(plain, landscapes.ravine_grad(plain, 1, 30), 0.03)
        velocity = 0.8 * velocity + landscapes.ravine_grad(rolling, 1, 30)
        rolling = finished.gd_step(rolling, velocity, 0.03)
    assert np.linalg.norm(rolling) < 0.1 * np.linalg.norm(plain)

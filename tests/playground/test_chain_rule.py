"""The plays of the chain rule lesson draw learners' functions and show its facts."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from figures import lines_of, moved, png, shared

from course import ROOT, learners_notebook, lesson
from grader.author.lesson import role
from grader.comparison.answer_key import load_key
from grader.comparison.judge import judge, observe_all
from grader.diagnosis import explained
from grader.instructor.run import template
from playground import chain_graph, chain_rule
from playground.figure.live import LiveFigure
from playground.figure.style import number

REFERENCE = lesson("chain_rule").reference
CHAIN, NUMERICAL, SIGMOID_GRAD, RELU_GRAD = (
    REFERENCE[name] for name in ("chain", "numerical_grad", "sigmoid_grad", "relu_grad")
)
NEURON, DENSE, SOFTMAX = (
    REFERENCE[name] for name in ("neuron_grad", "dense_backward", "softmax_ce_grad")
)

PLAYS: dict[str, Callable[[], LiveFigure]] = {
    "number_lines": shared(lambda: chain_rule.number_lines(CHAIN)),
    "graph": shared(lambda: chain_rule.graph(NUMERICAL)),
    "fill": shared(lambda: chain_rule.fill(NEURON, NUMERICAL)),
    "depth": shared(lambda: chain_rule.depth(SIGMOID_GRAD, RELU_GRAD)),
}
SLOPES = {"gap": -1.0, "a": -1.0, "z": -0.25, "w1": -0.5, "w2": 0.25, "b": -0.25}
"""The six slopes that are missing in the graph of the neuron."""


def said(play: LiveFigure, **values: Any) -> str:
    """Return a play's line for yours with its controls at these values."""
    return moved(play, **values).readout[0]


def typed(**slopes: float) -> dict[str, float]:
    """Return slopes as values of the fields that they are typed into."""
    return {f"slope_{name}": slope for name, slope in slopes.items()}


def numbers(text: str) -> list[float]:
    """Return the numbers in a readout."""
    return [float(n.replace("−", "-")) for n in re.findall(r"−?\d+(?:\.\d+)?(?:e−\d+)?", text)]


@pytest.mark.parametrize("x", [-1.5, -0.7, 0.0, 1.2])
def test_the_two_rates_make_the_third_only_where_each_is_read_at_its_own_input(x: float) -> None:
    *_, product, slope = numbers(said(PLAYS["number_lines"](), x=x))
    assert product == pytest.approx(slope, abs=1e-3)
    *_, product, slope = numbers(said(PLAYS["number_lines"](), x=x, at_x=True))
    assert (product == slope) == (x == 0)


def test_a_chain_that_returns_a_number_is_told_so() -> None:
    assert "chain returned float where a function belongs" in said(
        chain_rule.number_lines(lambda f, g, h: 1.0)
    )


def test_one_way_through_the_gates_gives_a_part_of_the_slope() -> None:
    assert "both ways is 3, numerical_grad says 3 for a and 1.5 for b" in said(
        PLAYS["graph"](), a=1.5, b=2.0
    )
    assert "one way is 2, numerical_grad says 3" in said(PLAYS["graph"](), a=1.5, b=2.0, one=True)


def test_no_slope_comes_back_through_max_below_0() -> None:
    assert "is 0, numerical_grad says 0 for a and 0 for b" in said(PLAYS["graph"](), b=-2.0)


@pytest.mark.parametrize("stage", range(len(chain_graph.GATE_STAGES)))
def test_every_stage_of_the_graph_can_be_drawn(stage: int) -> None:
    play = PLAYS["graph"]()
    assert chain_graph.GATE_STAGES[stage][0] in said(play, stage=stage)
    assert png(play).startswith(b"\x89PNG")


@pytest.mark.parametrize(("a", "b"), [(1.5, 2.0), (-1.0, 0.5), (-2.0, -3.0)])
def test_the_slopes_on_the_graph_of_gates_are_those_of_the_judge(a: float, b: float) -> None:
    values, slopes = chain_graph.gate_numbers(a, b)
    judge = NUMERICAL(lambda x: max(0.0, x[0] * x[1] + x[0]), np.array([a, b]))
    np.testing.assert_allclose([slopes["a times"] + slopes["a plus"], slopes["b times"]], judge)
    assert values["y"] == max(0.0, a * b + a)


def test_the_slopes_on_the_graph_of_the_neuron_are_those_of_the_reference() -> None:
    x, w, b, y = np.array([1.5, -2.0]), np.array([0.3, 0.7]), 0.25, 0.5
    slopes = chain_graph.neuron_slopes(x, w, b, y)
    dw, db = NEURON(x, w, b, y)
    np.testing.assert_allclose([slopes["w1"], slopes["w2"], slopes["b"]], [*dw, db], rtol=1e-12)


def test_slopes_are_filled_in_from_the_loss_back_and_then_follow_the_sliders() -> None:
    assert "0 of 6 slopes are right; at a − y: yours to fill in" in said(PLAYS["fill"](), x1=1.0)
    assert "1 of 6" in said(PLAYS["fill"](), **typed(gap=-1.0))
    at_another = said(PLAYS["fill"](), y=0.0, **typed(gap=1.0, a=1.0, z=0.25))
    assert "3 of 6 slopes are right; at w₁" in at_another
    wrong = said(PLAYS["fill"](), **typed(**{**SLOPES, "z": -1.0}))
    assert "5 of 6" in wrong
    assert "at z: the sigmoid's own slope" in wrong
    play = PLAYS["fill"]()
    assert "6 of 6 slopes are right" in said(play, **typed(**SLOPES))
    assert ">−0.25<" in play.svg
    assert said(play, x1=1.5) == said(play, x1=1.0)
    dw, _ = NEURON(np.array([1.0, -1.0]), np.array([0.5, 1.0]), 0.0, 1.0)
    assert f">{number(dw[0])}<" in play.svg


def test_missing_slopes_are_not_shown_and_a_wrong_one_is_marked() -> None:
    play = moved(PLAYS["fill"](), **typed(z=0.5))
    assert play.svg.count(">?<") == 5
    assert ">✗ 0.5<" in play.svg
    assert ">−0.25<" not in play.svg


def test_a_neuron_grad_that_disagrees_with_the_judge_is_told_so() -> None:
    def doubled(x: Any, w: Any, b: float, y: float) -> Any:
        dw, db = NEURON(x, w, b, y)
        return 2 * dw, db

    readout = chain_rule.fill(doubled, NUMERICAL).readout
    assert "neuron_grad disagrees with numerical_grad" in readout[0]
    assert "The target is the same." not in readout


def test_the_best_product_of_twenty_sigmoid_slopes_is_about_ten_to_the_minus_twelve() -> None:
    first, *_, product, _ = numbers(said(PLAYS["depth"](), z=0.0, layers=20))
    assert (first, product) == (0.25, 9.1e-13)
    assert max(SIGMOID_GRAD(np.linspace(-9, 9, 1001))) == 0.25
    question = lesson("chain_rule").questions["twenty_slopes"]
    assert abs(np.log10(0.25**20) - float(question.answer)) < 0.1


def test_a_weight_above_4_makes_the_product_of_sigmoid_slopes_explode() -> None:
    assert numbers(said(PLAYS["depth"](), z=0.0, w=4.0))[3] == 1
    assert numbers(said(PLAYS["depth"](), z=0.0, w=5.0))[3] > 50


def test_the_guess_is_drawn_into_the_figure_of_products() -> None:
    asked = SimpleNamespace(answered=True, guess=-7.0, on_answer=lambda callback: callback())
    with_guess = chain_rule.depth(SIGMOID_GRAD, RELU_GRAD, after=asked)
    without = chain_rule.depth(SIGMOID_GRAD, RELU_GRAD)
    assert len(lines_of(with_guess.svg)) > len(lines_of(without.svg))


@pytest.mark.parametrize(
    ("first", "second", "right", "of"), [(0, 1, 67, 67), (3, 8, 81, 81), (4, 9, 65, 66)]
)
def test_the_lessons_script_trains_a_neuron_on_two_digits(
    first: int, second: int, right: int, of: int
) -> None:
    cells = lesson("chain_rule").notebook.cells
    (script,) = (cell.source for cell in cells if role(cell)[0] == "script")
    assert "two_digits(0, 1)" in script
    script = script.replace("two_digits(0, 1)", f"two_digits({first}, {second})")
    with redirect_stdout(io.StringIO()) as output:
        exec(script, {"np": np, "play": chain_rule, "neuron_grad": NEURON})
    losses = [float(loss) for loss in re.findall(r"loss ([\d.]+)", output.getvalue())]
    assert losses[0] == 0.25
    assert losses == sorted(losses, reverse=True)
    assert output.getvalue().splitlines()[-1].startswith("step 50")
    assert output.getvalue().endswith(f"{right} of {of} new digits right\n")


def test_the_lessons_script_is_the_learners_to_change_and_is_not_run_by_grading() -> None:
    cells = {cell["id"]: cell for cell in learners_notebook("chain_rule")["cells"]}
    assert "nbgrader" not in cells["script-01"]["metadata"]
    assert cells["script-01"]["metadata"].get("editable", True)
    assert not cells["play-01"]["metadata"]["editable"]
    graded = template(lesson("chain_rule"))
    assert "script-01" in graded.idle
    assert "script-01" not in graded.locked


def test_the_drawings_say_what_they_show() -> None:
    assert "six times" in chain_rule.gears().alt
    graph = chain_rule.neuron_graph()
    dw, db = NEURON(np.array([1.0, 2.0]), np.array([1.0, 0.5]), -2.0, 0.0)
    assert f"from w₁ to × x₁: 1, slope {number(dw[0])}" in graph.alt
    assert f"from w₂ to × x₂: 0.5, slope {number(dw[1])}" in graph.alt
    assert f"from b to +: −2, slope {number(db)}" in graph.alt


def test_two_layers_by_hand_are_right() -> None:
    X, W1, W2 = np.array([[2.0, 1.0]]), np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([[3.0], [5]])
    Z1 = X @ W1
    H = np.maximum(Z1, 0)
    assert Z1.tolist() == [[1, -1]]
    assert (H @ W2).item() == 3
    dH, _, _ = DENSE(2 * (H @ W2 - 1), H, W2)
    assert dH.tolist() == [[12, 20]]
    assert (dH * RELU_GRAD(Z1)).tolist() == [[12, 0]]


def test_the_judge_is_fooled_at_the_corner_of_a_relu() -> None:
    assert NUMERICAL(lambda z: float(np.maximum(z, 0)), np.array(0.0)) == pytest.approx(0.5)
    assert RELU_GRAD(0.0) == 0


def test_the_plain_formula_of_the_sigmoids_slope_works_and_is_left_to_hardening() -> None:
    def plain(z: Any) -> Any:
        s = 1 / (1 + np.exp(-z))
        return s * (1 - s)

    key = load_key(ROOT / "course" / "chain_rule")
    exercise = key["exercises"]["sigmoid_grad"]
    outcomes = observe_all(plain, exercise["cases"])
    verdict = judge("sigmoid_grad", exercise, outcomes)
    assert "sigmoid_grad" in key["hardened"]
    assert verdict.works
    assert "from 37 on" in (explained("sigmoid_grad", exercise, outcomes).hint or "")


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

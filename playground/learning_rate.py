"""The plays of the learning rate lesson."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from playground.figure.live import LiveFigure
from playground.figure.marks import Array
from playground.figure.scene import Frame
from playground.figure.style import BLACK, SKY, Look, number
from playground.functions import landscapes
from playground.functions.digits import digits

Function = Callable[..., Any]

START = 2.0
STEPS = 12
W = np.linspace(-4, 4, 81)
FAR = 1e6
"""Where a path that leaves is drawn no further."""

RAVINE_START = np.array([-3.5, 1.0])
RAVINE_STEPS = 30
ACROSS, ALONG = np.linspace(-1.6, 1.6, 49), np.linspace(-4, 4, 81)

HIDDEN, DIGIT_EXAMPLES, DIGIT_STEPS = 32, 300, 60
RATES = 10.0 ** np.arange(-2, 1.05, 0.1)

PROMISE_START = np.array([2.0, 2.0])
PARTS = [
    "slope alone\n(the promise)",
    "each weight's\nown curvature",
    "both weights\ntogether",
    "what\nhappened",
]


def bowl(gradient_descent: Function | None, after: Any = None) -> LiveFigure:
    """Gradient descent in a bowl of one weight; the learning rate decides between rolling, jumping and leaving."""

    def move(f: Any, curvature: float, lr: float, more: int) -> Frame:
        steps = STEPS + more
        path = f.gradient_descent(
            partial(landscapes.bowl_grad, curvature=curvature),
            np.array([START]),
            lr,
            steps,
            shape=(steps + 1, 1),
        )[:, 0]
        path = np.clip(path, -FAR, FAR)
        losses = 0.5 * curvature * np.minimum(path**2, FAR)
        return {
            "bowl": (W, 0.5 * curvature * W**2),
            "path": (path, losses),
            "places": (path, losses),
            "distance": (np.arange(steps + 1.0), np.maximum(np.abs(path), 1e-6)),
        }, (
            f"each step multiplies the distance by {number(path[1] / path[0])}; after {steps} steps it is {number(abs(path[-1]), 2)};"
            f" the limit 2/λ is {number(2 / curvature)}: {_fate(path)}."
        )

    play = LiveFigure(
        "Gradient descent in a bowl", move, {"gradient_descent": gradient_descent}, after
    )
    left = play.axes(121, xlabel="weight w", ylabel="loss ½·λ·w²", xlim=(-4, 4), ylim=(-0.5, 10))
    right = play.axes(
        122,
        xlabel="step",
        ylabel="distance from the bottom",
        xlim=(0, 30),
        ylim=(1e-4, 1e4),
        yscale="log",
    )
    play.line("bowl", left, Look(BLACK, width=1.5), twin=False)
    play.line("path", left, Look(SKY, width=1.5), twin=False)
    play.points("places", left, Look(BLACK), twin=False)
    play.line("distance", right, label="distance")
    play.slider("curvature", "curvature λ", 0.25, 3, 1.0, step=0.05)
    play.slider("lr", "learning rate η", 0.05, 2.5, 0.3, step=0.05)
    play.button("more", "one step more")
    return play


def ravine(gradient_descent: Function | None, after: Any = None) -> LiveFigure:
    """Thirty steps through a ravine, which is steep across and flat along."""

    def move(f: Any, steep: float, lr: float) -> Frame:
        grad = partial(landscapes.ravine_grad, flat=1.0, steep=steep)
        path = np.clip(
            f.gradient_descent(grad, RAVINE_START, lr, RAVINE_STEPS, shape=(RAVINE_STEPS + 1, 2)),
            -FAR,
            FAR,
        )
        height = np.sqrt(0.5 * (ALONG[None, :] ** 2 + steep * ACROSS[:, None] ** 2))
        return {
            "height": (height, 0.0, float(height.max())),
            "path": (path[:, 0], path[:, 1]),
            "places": (path[:, 0], path[:, 1]),
        }, (
            f"the limit 2/{number(steep)} is {number(2 / steep)}; after {RAVINE_STEPS} steps {number(abs(path[-1, 0]), 2)} along"
            f" and {number(abs(path[-1, 1]), 2)} across: across, {_fate(path[:, 1])}."
        )

    play = LiveFigure(
        "Gradient descent in a ravine", move, {"gradient_descent": gradient_descent}, after
    )
    ax = play.axes(
        xlabel="weight w₁, along", ylabel="weight w₂, across", xlim=(-4, 4), ylim=(-1.6, 1.6)
    )
    play.heat("height", ax, (-4, 4, -1.6, 1.6), bar="root of the loss")
    play.line("path", ax, label="path")
    play.points("places", ax, Look(BLACK), twin=False)
    play.slider("steep", "curvature across", 1, 30, 10.0, step=0.5)
    play.log_slider("lr", "learning rate η", -3, 0.3, 0.15)
    return play


def promise(predicted_vs_actual: Function | None, after: Any = None) -> LiveFigure:
    """What the slope promises for one step down (w₁·w₂ − 1)² from (2, 2), what happens, and what made the difference."""

    def move(f: Any, lr: float) -> Frame:
        promised, actual = f.predicted_vs_actual(
            landscapes.product, landscapes.product_grad, PROMISE_START, lr, shape=(2,)
        )
        own = _own_curvature(lr)
        together = actual - promised - own
        tops = np.array([promised, promised + own, actual, actual])
        bottoms = np.array([0.0, promised, promised + own, 0.0])
        amounts = [promised, own, together, actual]
        return (
            {
                "parts": (np.arange(4), bottoms, tops),
                "numbers": [
                    (i, max(top, bottom) + 2.5, number(amount))
                    for i, (top, bottom, amount) in enumerate(
                        zip(tops, bottoms, amounts, strict=True)
                    )
                ],
            },
            f"promised {number(promised)}; own curvature adds {number(own)}, both together {number(together)}; what happened is {number(actual)}.",
        )

    play = LiveFigure(
        "One step: what the slope promises and what happens",
        move,
        {"predicted_vs_actual": predicted_vs_actual},
        after,
    )
    ax = play.axes(ylabel="change of the loss", ylim=(-45, 25), xlim=(-0.6, 3.6))
    ax.set_xticks(range(4), PARTS)
    play.bars("parts", ax, Look(SKY), label="changes")
    play.words("numbers", ax)
    play.log_slider("lr", "learning rate η", -3, -0.85, 0.1)
    return play


def sweep(gradient_descent: Function | None, after: Any = None) -> LiveFigure:
    """A network 64-32-10 on real digits, trained with many learning rates: the loss on the way, and how many new digits it reads at the end."""

    def move(f: Any, lr: float) -> Frame:
        runs = _digit_runs(f.gradient_descent)
        shares = np.array([share for _, share in runs])
        here = int(np.argmin(np.abs(np.log(RATES / lr))))
        losses, share = runs[here]
        return (
            {
                "loss": (np.arange(DIGIT_STEPS + 1), np.clip(losses, 0, FAR)),
                "shares": (RATES, shares),
                "here": (RATES[here : here + 1], shares[here : here + 1]),
            },
            f"with a rate of {number(RATES[here], 2)} the loss after {DIGIT_STEPS} steps is {number(losses[-1])}, and {100 * share:.0f} % of new digits are read.",
        )

    play = LiveFigure(
        "Many learning rates on handwritten digits",
        move,
        {"gradient_descent": gradient_descent},
        after,
    )
    left = play.axes(121, xlabel="step", ylabel="loss", xlim=(0, DIGIT_STEPS), ylim=(0, 5))
    right = play.axes(
        122,
        xlabel="learning rate η",
        ylabel="share of new digits read",
        xlim=(0.008, 12),
        ylim=(0, 1.03),
        xscale="log",
    )
    play.line("loss", left, label="training")
    play.line("shares", right)
    play.points("here", right, Look(BLACK), twin=False)
    play.log_slider("lr", "learning rate η", -2, 1, 0.1, step=0.1)
    return play


def _digit_runs(gradient_descent: Any) -> list[tuple[Array, float]]:
    """For each of `RATES` the losses (DIGIT_STEPS + 1,) on the way and the share of new digits read at the end; computed once for a function."""
    function = gradient_descent.usable(), gradient_descent.helpers
    if function not in _runs:
        if len(_runs) > 8:
            _runs.clear()
        data, size = digits(), 64 * HIDDEN + HIDDEN + HIDDEN * 10 + 10
        X, labels = data.X[:DIGIT_EXAMPLES], data.labels[:DIGIT_EXAMPLES]
        start, runs = _digit_start(size), []
        for lr in RATES:
            path = gradient_descent(
                partial(_digit_grad, X=X, labels=labels),
                start,
                float(lr),
                DIGIT_STEPS,
                shape=(DIGIT_STEPS + 1, size),
            )
            losses = np.array([_digit_loss(w, X, labels) for w in path])
            share = np.mean(
                np.argmax(_digit_logits(path[-1], data.X_test)[1], axis=1) == data.labels_test
            )
            runs.append((np.nan_to_num(losses, nan=FAR), float(share)))
        _runs[function] = runs
    return _runs[function]


_runs: dict[Any, list[tuple[Array, float]]] = {}


def _digit_start(size: int) -> Array:
    """All weights and biases in one row; the biases at 0."""
    start, rng = np.zeros(size), np.random.default_rng(0)
    start[: 64 * HIDDEN] = rng.normal(0, np.sqrt(2 / 64), 64 * HIDDEN)
    start[65 * HIDDEN : 75 * HIDDEN] = rng.normal(0, np.sqrt(2 / HIDDEN), 10 * HIDDEN)
    return start


def _digit_layers(w: Array) -> tuple[Array, Array, Array, Array]:
    """One row of numbers as W₁ (64, HIDDEN), b₁, W₂ (HIDDEN, 10), b₂."""
    ends = np.cumsum([64 * HIDDEN, HIDDEN, HIDDEN * 10])
    first, first_bias, second, second_bias = np.split(w, ends)
    return first.reshape(64, HIDDEN), first_bias, second.reshape(HIDDEN, 10), second_bias


def _digit_logits(w: Array, X: Array) -> tuple[Array, Array]:
    """Hidden outputs and logits."""
    first, first_bias, second, second_bias = _digit_layers(w)
    hidden = np.clip(X @ first + first_bias, 0.0, None)
    return hidden, hidden @ second + second_bias


def _digit_loss(w: Array, X: Array, labels: Array) -> float:
    from playground.functions import (
        finished,
    )  # the sandbox of a grading run has none, and draws nothing

    return finished.cross_entropy(_digit_logits(w, X)[1], labels)


def _digit_grad(w: Array, X: Array, labels: Array) -> Array:
    from playground.functions import finished

    hidden, logits = _digit_logits(w, X)
    back, dW2, db2 = finished.dense_backward(
        finished.softmax_ce_grad(logits, labels), hidden, _digit_layers(w)[2]
    )
    _, dW1, db1 = finished.dense_backward(back * (hidden > 0), X, _digit_layers(w)[0])
    return np.concatenate([dW1.ravel(), db1, dW2.ravel(), db2])


def _own_curvature(lr: float) -> float:
    """What each weight's own curvature adds to a step from `PROMISE_START`: half the curvature times the square of its step."""
    step = -lr * landscapes.product_grad(PROMISE_START)
    curvatures = 2.0 * PROMISE_START[::-1] ** 2
    return float(np.sum(0.5 * curvatures * step**2))


def _fate(path: Array) -> str:
    """What becomes of a path (n,) of one weight."""
    first, last = abs(path[0]), abs(path[-1])
    if last > 1.01 * first:
        return "it leaves"
    if last > 0.99 * first:
        return "it jumps to and fro for ever" if path[0] * path[1] < 0 else "it hardly moves"
    return (
        "it jumps from side to side and gets there"
        if path[0] * path[1] < 0
        else "it rolls down on one side"
    )

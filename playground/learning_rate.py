"""The plays of the learning rate lesson."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import numpy as np

from playground.figure.learner_function import LearnerFunction
from playground.figure.live import LiveFigure
from playground.figure.scene import Frame
from playground.figure.style import BLACK, SKY, Look, number
from playground.functions import Array, Function, landscapes
from playground.functions.digits import digits

START = 2.0
STEPS = 12
W = np.linspace(-4, 4, 81)
FAR = 1e6
"""The limit of weights and losses that are drawn."""

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


def bowl(gradient_descent: Function, after: Any = None) -> LiveFigure:
    """Plot gradient descent in a bowl of one weight, for any learning rate."""

    def move(f: Any, curvature: float, lr: float, more: int) -> Frame:
        steps = STEPS + more
        grad = partial(landscapes.bowl_grad, curvature=curvature)
        path = f.gradient_descent(grad, np.array([START]), lr, steps, shape=(steps + 1, 1))
        path = np.clip(path[:, 0], -FAR, FAR)
        losses = 0.5 * curvature * np.minimum(path**2, FAR)
        return {
            "bowl": (W, 0.5 * curvature * W**2),
            "path": (path, losses),
            "places": (path, losses),
            "distance": (np.arange(steps + 1.0), np.maximum(np.abs(path), 1e-6)),
        }, (
            f"each step multiplies the distance by {number(path[1] / path[0])};"
            f" after {steps} steps it is {number(abs(path[-1]), 2)};"
            f" the limit 2/λ is {number(2 / curvature)}: {_fate(path)}."
        )

    own = {"gradient_descent": gradient_descent}
    play = LiveFigure("Gradient descent in a bowl", move, own, after)
    left = play.axes(121, xlabel="weight w", ylabel="loss ½·λ·w²", xlim=(-4, 4), ylim=(-0.5, 10))
    right = play.axes(122, xlabel="step", ylabel="distance from the bottom", yscale="log")
    right.set(xlim=(0, 30), ylim=(1e-4, 1e4))
    play.line("bowl", left, Look(BLACK, width=1.5), twin=False)
    play.line("path", left, Look(SKY, width=1.5), twin=False)
    play.points("places", left, Look(BLACK), twin=False)
    play.line("distance", right, label="distance")
    play.slider("curvature", "curvature λ", 0.25, 3, 1.0, step=0.05)
    play.slider("lr", "learning rate η", 0.05, 2.5, 0.3, step=0.05)
    play.button("more", "one step more")
    return play


def ravine(gradient_descent: Function, after: Any = None) -> LiveFigure:
    """Plot thirty steps through a ravine, steep across and flat along."""

    def move(f: Any, steep: float, lr: float) -> Frame:
        grad = partial(landscapes.ravine_grad, flat=1.0, steep=steep)
        shape = RAVINE_STEPS + 1, 2
        path = f.gradient_descent(grad, RAVINE_START, lr, RAVINE_STEPS, shape=shape)
        along, across = np.clip(path, -FAR, FAR).T
        height = np.sqrt(0.5 * (ALONG[None, :] ** 2 + steep * ACROSS[:, None] ** 2))
        places = {"path": (along, across), "places": (along, across)}
        return {"height": (height, 0.0, float(height.max())), **places}, (
            f"the limit 2/{number(steep)} is {number(2 / steep)}; after {RAVINE_STEPS} steps"
            f" {number(abs(along[-1]), 2)} along and {number(abs(across[-1]), 2)} across:"
            f" across, {_fate(across)}."
        )

    own = {"gradient_descent": gradient_descent}
    play = LiveFigure("Gradient descent in a ravine", move, own, after)
    ax = play.axes(xlabel="weight w₁, along", ylabel="weight w₂, across")
    ax.set(xlim=(-4, 4), ylim=(-1.6, 1.6))
    play.heat("height", ax, (-4, 4, -1.6, 1.6), bar="root of the loss")
    play.line("path", ax, label="path")
    play.points("places", ax, Look(BLACK), twin=False)
    play.slider("steep", "curvature across", 1, 30, 10.0, step=0.5)
    play.log_slider("lr", "learning rate η", -3, 0.3, 0.15)
    return play


def promise(predicted_vs_actual: Function, after: Any = None) -> LiveFigure:
    """Compare the change promised for a step down (w₁·w₂ − 1)² from (2, 2) with the actual one."""

    def move(f: Any, lr: float) -> Frame:
        loss, grad = landscapes.product, landscapes.product_grad
        promised, actual = f.predicted_vs_actual(loss, grad, PROMISE_START, lr, shape=(2,))
        own = float(np.sum(PROMISE_START[::-1] ** 2 * (lr * grad(PROMISE_START)) ** 2))  # ½·c·step²
        together = actual - promised - own
        tops = np.array([promised, promised + own, actual, actual])
        bottoms = np.array([0.0, promised, promised + own, 0.0])
        texts = map(number, (promised, own, together, actual))
        numbers = [*zip(range(4), np.maximum(tops, bottoms) + 2.5, texts, strict=True)]
        return {"parts": (range(4), bottoms, tops), "numbers": numbers}, (
            f"promised {number(promised)}; own curvature adds {number(own)},"
            f" both together {number(together)}; what happened is {number(actual)}."
        )

    title = "One step: what the slope promises and what happens"
    play = LiveFigure(title, move, {"predicted_vs_actual": predicted_vs_actual}, after)
    ax = play.axes(ylabel="change of the loss", ylim=(-45, 25), xlim=(-0.6, 3.6))
    ax.set_xticks(range(4), PARTS)
    play.bars("parts", ax, Look(SKY), label="changes")
    play.words("numbers", ax)
    play.log_slider("lr", "learning rate η", -3, -0.85, 0.1)
    return play


def sweep(gradient_descent: Function, after: Any = None) -> LiveFigure:
    """Train a network 64-32-10 on digits with many learning rates: its losses and its accuracy."""

    def move(f: Any, lr: float) -> Frame:
        descent = f.gradient_descent
        losses, shares = _digit_runs(descent.get(), descent.helpers, descent.whole)
        here = int(np.argmin(np.abs(np.log(RATES / lr))))
        loss = np.arange(DIGIT_STEPS + 1), np.clip(losses[here], 0, FAR)
        return {"loss": loss, "shares": (RATES, shares), "here": (RATES[here], shares[here])}, (
            f"with a rate of {number(RATES[here], 2)} the loss after {DIGIT_STEPS} steps is"
            f" {number(losses[here][-1])}, and {100 * shares[here]:.0f} % of new digits are read."
        )

    own = {"gradient_descent": gradient_descent}
    play = LiveFigure("Many learning rates on handwritten digits", move, own, after)
    left = play.axes(121, xlabel="step", ylabel="loss", xlim=(0, DIGIT_STEPS), ylim=(0, 5))
    right = play.axes(122, xlabel="learning rate η", ylabel="share of new digits read")
    right.set(xscale="log", xlim=(0.008, 12), ylim=(0, 1.03))
    play.line("loss", left, label="training")
    play.line("shares", right)
    play.points("here", right, Look(BLACK), twin=False)
    play.log_slider("lr", "learning rate η", -2, 1, 0.1, step=0.1)
    return play


@lru_cache(maxsize=8)
def _digit_runs(
    descent: Function, helpers: tuple[Function, ...], whole: bool
) -> tuple[list[Array], Array]:
    """Return for each of `RATES` the losses (DIGIT_STEPS + 1,) and the share of new digits read.

    With other helpers `descent` is another function.
    """
    # A grading sandbox has no finished functions, and draws nothing.
    from playground.functions import finished

    learner, start = LearnerFunction("gradient_descent", descent, whole), _digit_start()
    data, losses, shares = digits(), [], []
    X, labels = data.X[:DIGIT_EXAMPLES], data.labels[:DIGIT_EXAMPLES]
    grad, shape = partial(_digit_grad, X=X, labels=labels), (DIGIT_STEPS + 1, len(start))
    for lr in RATES:
        path = learner(grad, start, float(lr), DIGIT_STEPS, shape=shape)
        loss = [finished.cross_entropy(_digit_forward(w, X)[1], labels) for w in path]
        losses.append(np.nan_to_num(loss, nan=FAR))
        guesses = np.argmax(_digit_forward(path[-1], data.X_test)[1], axis=1)
        shares.append(np.mean(guesses == data.labels_test))
    return losses, np.array(shares)


def _digit_start() -> Array:
    """Return all weights and biases of the network in one row, the biases at 0."""
    rng, layers = np.random.default_rng(0), []
    for fan_in, fan_out in ((64, HIDDEN), (HIDDEN, 10)):
        weights = rng.normal(0, np.sqrt(2 / fan_in), fan_in * fan_out)
        layers += [weights, np.zeros(fan_out)]
    return np.concatenate(layers)


def _digit_forward(w: Array, X: Array) -> tuple[Array, Array, Array]:
    """Return hidden outputs, logits and the second layer's weights (HIDDEN, 10)."""
    first, second = w[: 65 * HIDDEN].reshape(65, HIDDEN), w[65 * HIDDEN :].reshape(-1, 10)
    hidden = np.clip(X @ first[:-1] + first[-1], 0.0, None)
    return hidden, hidden @ second[:-1] + second[-1], second[:-1]


def _digit_grad(w: Array, X: Array, labels: Array) -> Array:
    from playground.functions import finished

    hidden, logits, W = _digit_forward(w, X)
    d_logits = finished.softmax_ce_grad(logits, labels)
    back, dW2, db2 = finished.dense_backward(d_logits, hidden, W)
    back *= hidden > 0
    return np.concatenate([(X.T @ back).ravel(), back.sum(axis=0), dW2.ravel(), db2])


def _fate(path: Array) -> str:
    """Describe a path (n,) of one weight."""
    first, last, jumps = abs(path[0]), abs(path[-1]), path[0] * path[1] < 0
    if last > 1.01 * first:
        return "it leaves"
    if last > 0.99 * first:
        return "it jumps from side to side forever" if jumps else "it hardly moves"
    return "it jumps from side to side and gets there" if jumps else "it rolls down on one side"

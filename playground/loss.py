"""The three plays of the loss lesson."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from playground.figure.live import LiveFigure
from playground.figure.scene import Frame
from playground.figure.style import BLACK, GREEN, PURPLE, SKY, VERMILLION, Look, number, words
from playground.functions import Array, Function

Z = np.linspace(-12, 12, 49)
STEP = 1e-4
"""Half the distance of the two points that give a slope."""

X = np.linspace(0.25, 3, 12)
Y = X + 0.15 * np.sin(7 * X)
"""Twelve points near the line y = x; a slider moves the last one."""
SLOPES = np.linspace(-0.5, 3, 141)


def slopes(mse: Function, binary_cross_entropy: Function, after: Any = None) -> LiveFigure:
    """Plot two losses of one neuron, and their slopes, over its z."""

    def move(f: Any, z: float, y: str) -> Frame:
        losses = {"mse": _loss(f.mse, float(y)), "bce": _loss(f.binary_cross_entropy, float(y))}
        here = {name: loss(np.array([z]))[0] for name, loss in losses.items()}
        ends = np.array([z - STEP, z + STEP])
        steep = {name: np.diff(loss(ends))[0] / (2 * STEP) for name, loss in losses.items()}
        # five decimals, so that a tiny slope isn't shown as 0
        texts = {name: f"{slope:.5f}".replace("-", "−") for name, slope in steep.items()}
        curves = {name: loss(Z) for name, loss in losses.items()}
        return {
            **{name: (Z, curve) for name, curve in curves.items()},
            **{f"{name} slope": (Z, np.gradient(curve, Z)) for name, curve in curves.items()},
            "values": ([z, z], [*here.values()]),
            "slopes": ([z, z], [*steep.values()]),
        }, (
            f"squared error {number(here['mse'])} with slope {texts['mse']};"
            f" cross-entropy {number(here['bce'])} with slope {texts['bce']}."
        )

    own = {"mse": mse, "binary_cross_entropy": binary_cross_entropy}
    play = LiveFigure("Two losses of one neuron and their slopes", move, own, after)
    z_axis = {"xlabel": "z of the neuron", "xlim": (-12, 12)}
    values = play.axes(121, ylabel="loss", ylim=(-0.5, 12.5), **z_axis)
    steepness = play.axes(122, ylabel="slope of the loss", ylim=(-1.1, 1.1), **z_axis)
    for name, color in (("mse", GREEN), ("bce", PURPLE)):
        look = Look(color, width=5)
        play.line(name, values, look, label=name.upper())
        play.line(f"{name} slope", steepness, look)
    play.points("values", values, Look(BLACK), twin=False)
    play.points("slopes", steepness, Look(BLACK), twin=False)
    play.slider("z", "z", -12, 12, 2.0, step=0.5)
    play.choice("y", "label y", ["0", "1"])
    return play


def outlier(mse: Function, after: Any = None) -> LiveFigure:
    """Fit a line through the origin by three losses while one point moves."""

    def move(f: Any, height: float) -> Frame:
        y = np.append(Y[:-1], height)
        gaps = np.abs(SLOPES[:, None] * X - y)
        costs = {
            "squared": [f.mse(slope * X, y, shape=()) for slope in SLOPES],
            "absolute": np.mean(gaps, axis=1),
            "Huber": np.mean(np.where(gaps <= 1, gaps**2 / 2, gaps - 0.5), axis=1),
        }
        best = {name: SLOPES[np.argmin(cost)] for name, cost in costs.items()}
        lines = {name: ([0, 3.2], [0, 3.2 * slope]) for name, slope in best.items()}
        points = {"points": (X[:-1], Y[:-1]), "outlier": (X[-1], height)}
        return lines | points, (
            f"slopes by squared, absolute and Huber's errors: {words(best.values())}."
        )

    play = LiveFigure("Three fits while one point is dragged", move, {"mse": mse}, after)
    ax = play.axes(xlabel="input x", ylabel="output y", xlim=(0, 3.2), ylim=(-3, 10))
    play.line("squared", ax, label="MSE")
    play.line("absolute", ax, Look(GREEN, (9, 3)), twin=False, label="absolute error")
    play.line("Huber", ax, Look(PURPLE, (3, 3)), twin=False, label="Huber")
    play.points("points", ax, Look(BLACK), twin=False)
    play.points("outlier", ax, Look(VERMILLION, marker="square"), twin=False)
    play.slider("height", "last point's height", -3, 10, 6.0, step=0.25)
    return play


def three_logits(softmax: Function, after: Any = None) -> LiveFigure:
    """Plot the softmax of three logits; a button adds 100 to all of them."""

    def move(f: Any, hundreds: int, **sliders: float) -> Frame:
        logits = np.array([sliders[f"z{i}"] for i in (1, 2, 3)]) + 100.0 * hundreds
        shares = f.softmax(logits, shape=(3,))
        numbers = [(i, share + 0.05, number(share)) for i, share in enumerate(shares)]
        return {"shares": (range(3), shares), "numbers": numbers}, (
            f"logits {words(logits)}; shares {words(shares)}; their sum {number(shares.sum(), 6)}."
        )

    play = LiveFigure("Three logits and their softmax", move, {"softmax": softmax}, after)
    ax = play.axes(ylabel="share of each class", ylim=(0, 1.15), xlim=(-0.6, 2.6))
    ax.set_xticks(range(3), ["class 1", "class 2", "class 3"])
    play.bars("shares", ax, Look(SKY), label="softmax")
    play.words("numbers", ax)
    for i, value in enumerate((2.0, 1.0, 0.0), 1):
        play.slider(f"z{i}", f"logit of class {i}", -4, 4, value)
    play.button("hundreds", "add 100 to all")
    return play


def _loss(loss: Any, y: float) -> Callable[[Array], Array]:
    """Return a loss of one neuron as a function of its z (n,), each a separate example."""
    # A grading sandbox has no finished functions, and draws nothing.
    from playground.functions import finished

    label = np.array([y])
    return lambda z: np.array([loss(p[None], label, shape=()) for p in finished.sigmoid(z)])

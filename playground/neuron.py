"""The plays of the neuron lesson: a signal on its way, and a curve made of three units."""

from __future__ import annotations

from typing import Any

import numpy as np

from playground import drawings
from playground.figure.drawing import Drawing
from playground.figure.live import LiveFigure, Mission, keep
from playground.figure.scene import Frame
from playground.figure.style import BLACK, SERIES, SKY, Look, number, words
from playground.functions import Array, Function
from playground.neuron_digit import first_look, look
from playground.neuron_plane import boundary, separate, xor

__all__ = [
    "boundary",
    "drawing",
    "first_look",
    "keep",
    "layers",
    "look",
    "separate",
    "signal",
    "three_units",
    "xor",
]

Z = np.linspace(-6, 6, 81)
X = np.linspace(-3, 3, 241)
UNITS = ("1", "2", "3")
GOALS: dict[str, Array] = {
    "roof": np.interp(X, [-3, -2, 0, 2, 3], [0, 0, 3, 0, 0]),
    "valley": np.interp(X, [-3, -2, -1, 1, 3], [0, 0, -3, -3, 3]),
    "step": np.interp(X, [-3, -0.5, 0.5, 3], [0, 0, 3, 3]),
}
"""Curves (241,) that three units can make, by the name of their shape."""
MATCHED = 0.05
"""Mean distance below which a curve counts as the goal."""


def _bend(goal: str) -> Mission:
    return lambda at, data: at.goal == goal and _gap(data["curve"][1], goal) < MATCHED


BENT = {f"the curve on the {goal}, with a ★": _bend(goal) for goal in GOALS}


def drawing() -> Drawing:
    """Return one neuron with three inputs."""
    return drawings.neuron()


def layers() -> Drawing:
    """Return the capstone's network with its names and shapes."""
    return drawings.network([64, 32, 10])


def signal(weighted_sum: Function, sigmoid: Function, after: Any = None) -> LiveFigure:
    """Plot one signal through a neuron: two products, their sum, the bias, the activation."""

    def move(f: Any, x1: float, w1: float, x2: float, w2: float, b: float) -> Frame:
        x, w = np.array([x1, x2]), np.array([w1, w2])
        inputs = (x[:1], w[:1], 0.0), (x[1:], w[1:], 0.0), (x, w, 0.0), (x, w, b)
        first, second, total, z = (float(f.weighted_sum(*each, shape=())) for each in inputs)
        output = float(f.sigmoid(np.array([z]), shape=(1,))[0])
        tops, amounts = (first, first + second, total, z, z), (first, second, total, z - total, z)
        ends = [top + (0.45 if n >= 0 else -0.45) for top, n in zip(tops, amounts, strict=True)]
        return {
            "steps": ([0, 1, 3], [0, first, total], [first, first + second, z]),
            "totals": ([2, 4], [total, z]),
            "numbers": [*zip(range(5), ends, map(number, amounts), strict=True)],
            "curve": (Z, f.sigmoid(Z, shape=Z.shape)),
            "drop": ([z, z, Z[0]], [0, output, output]),
            "dot": (z, output),
        }, (
            f"products {words([first, second])}; sum {number(total)}; with the bias {number(z)};"
            f" output {number(output)}."
        )

    title = "One signal through a neuron: products, sum, bias, activation"
    play = LiveFigure(
        title,
        move,
        {"weighted_sum": weighted_sum, "sigmoid": sigmoid},
        after,
        missions={
            "an output of 0.5 with a bias above 0": lambda at, data: (
                at.b > 0 and abs(data["dot"][0]) < 0.05
            ),
            "an output of 0.5 with a bias below 0": lambda at, data: (
                at.b < 0 and abs(data["dot"][0]) < 0.05
            ),
            "an output below 0.05 although the bias is above 0": lambda at, data: (
                at.b > 0 and data["dot"][1] < 0.05
            ),
        },
    )
    bars = play.axes(121, ylabel="amount", ylim=(-6, 6), xlim=(-0.6, 4.6))
    bars.set_xticks(range(5), ["x₁·w₁", "x₂·w₂", "sum\nw·x", "bias\nb", "w·x + b"])
    curve = play.axes(
        122,
        xlabel="weighted sum with bias, z",
        ylabel="output f(z)",
        xlim=(-6, 6),
        ylim=(-0.05, 1.1),
    )
    play.bars("steps", bars, Look(SKY))
    play.bars("totals", bars)
    play.words("numbers", bars)
    play.line("curve", curve, label="activation")
    play.line("drop", curve, Look(BLACK, (2, 3), width=1.5), twin=False)
    play.points("dot", curve, Look(BLACK))
    play.guess(curve, along="y")
    for (i, low), x, w in (("1₁", 1.5, 1.2), ("2₂", -1.0, 0.8)):
        play.slider(f"x{i}", f"input x{low}", -1.5, 1.5, x)
        play.slider(f"w{i}", f"weight w{low}", -1.5, 1.5, w)
    play.slider("b", "bias b", -1.5, 1.5, 1.0)
    return play


def three_units(dense: Function, relu: Function, after: Any = None) -> LiveFigure:
    """Plot a curve made of three hidden units, to be bent to a goal; straight without ReLU."""

    def move(f: Any, goal: str, activation: bool, **sliders: float) -> Frame:
        b, v = (np.array([sliders[kind + unit] for unit in UNITS]) for kind in "bv")
        # with a shape, so that `dense` isn't blamed for relu's result
        relu = (lambda z: f.relu(z, shape=np.shape(z))) if activation else np.positive
        hidden = f.dense(X[:, None], np.ones((1, 3)), b, relu, shape=(len(X), 3))
        y = f.dense(hidden, v[:, None], np.zeros(1), np.positive, shape=(len(X), 1))[:, 0]
        units = {unit: (X, part) for unit, part in zip(UNITS, hidden.T, strict=True)}
        parts, said = _bent(y, goal)
        return {**units, **parts}, said

    own = {"dense": dense, "relu": relu}
    play = LiveFigure("A curve made of three hidden units", move, own, after, missions=BENT)
    both: Any = {"xlabel": "input x", "xlim": (-3, 3), "ylim": (-6, 6)}
    units = play.axes(121, ylabel="output of each hidden unit", **both)
    sum_ = play.axes(122, ylabel="output of the network", **both)
    for i, unit in enumerate(UNITS):
        play.line(unit, units, SERIES[i], twin=False, label=f"unit {unit}")
    play.line("goal", sum_, Look(BLACK, (2, 4), width=3), twin=False)
    play.line("curve", sum_, label="curve")
    play.points("folds", sum_, Look(BLACK), twin=False)
    play.words("count", sum_)
    play.choice("goal", "bend it to a", [*GOALS])
    for unit, bias, weight in zip(UNITS, (1.5, 0.0, -1.5), (1.0, -2.5, 3.0), strict=True):
        play.slider("b" + unit, f"bias of unit {unit}", -2.5, 2.5, bias)
        play.slider("v" + unit, f"unit {unit} on its way out", -3, 3, weight)
    play.switch("activation", "activation (ReLU) on", True)
    return play


def _bent(y: Array, goal: str) -> Frame:
    """Return a curve (241,) with its folds, next to a goal, and the mean gap between them."""
    folds, gap = _folds(y), _gap(y, goal)
    count = f"{len(folds) + 1} straight piece{'s' if len(folds) else ''}"
    at = f", folded at x = {words(X[folds])}" if len(folds) else ""
    distance = f"{number(gap, 2)}{' ★' if gap < MATCHED else ''}"
    return {
        "goal": (X, GOALS[goal]),
        "curve": (X, y),
        "folds": (X[folds], y[folds]),
        "count": (0.0, 5.1, f"{count}\ngap to the {goal} (dotted) {distance}"),
    }, f"{count}{at}; gap to the {goal} {distance}."


def _gap(y: Array, goal: str) -> float:
    return float(np.mean(np.abs(y - GOALS[goal])))


def _folds(y: Array) -> Array:
    """Return the indices at which a curve (n,) on even steps bends."""
    bends = np.flatnonzero(np.abs(np.diff(y, 2)) > 1e-6 * (1 + np.max(np.abs(y)))) + 1
    runs = np.split(bends, np.flatnonzero(np.diff(bends) > 1) + 1)
    return np.array([run[len(run) // 2] for run in runs if len(run)], int)

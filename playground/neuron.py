"""The three plays of the neuron lesson."""

from __future__ import annotations

from typing import Any

import numpy as np
from contourpy import contour_generator

from playground.figure.live import LiveFigure
from playground.figure.scene import Frame
from playground.figure.style import BLACK, SERIES, SKY, Look, number, words
from playground.functions import Array, Function

X1, X2 = np.linspace(-4, 4, 17), np.linspace(-2.5, 2.5, 11)
PLANE = np.stack(np.meshgrid(X1, X2), axis=-1).reshape(-1, 2)
"""The points (187, 2) at which the learner's weighted sum is computed, to be interpolated."""
FINE = (61, 97)
"""Rows and columns of the picture."""
Z = np.linspace(-6, 6, 81)
X = np.linspace(-3, 3, 241)
UNITS = ("1", "2", "3")


def boundary(
    weighted_sum: Function, sigmoid: Function, relu: Function, after: Any = None
) -> LiveFigure:
    """Plot a neuron's output over its two inputs, and the line on which its sum is 0."""

    def move(f: Any, w1: float, w2: float, b: float, scale: float, activation: str) -> Frame:
        w = scale * np.array([w1, w2])
        z = f.weighted_sum.over(PLANE, w, scale * b).reshape(len(X2), len(X1))
        apply = (lambda z, shape: np.tanh(z)) if activation == "tanh" else getattr(f, activation)
        output = apply(ROWS @ z @ COLUMNS, shape=FINE)
        parts = {"output": (output, *_range(activation, output)), "boundary": _zero_line(z)}
        return {**parts, **_arrow(w)}, f"{_crossings(z)}; {_steepness(z, apply)}."

    own = {"weighted_sum": weighted_sum, "sigmoid": sigmoid, "relu": relu}
    title = "A neuron's output over the plane of its inputs x₁ and x₂"
    play = LiveFigure(title, move, own, after)
    limits: Any = {"xlim": (-4, 4), "ylim": (-2.5, 2.5), "aspect": "equal"}
    ax = play.axes(xlabel="input x₁", ylabel="input x₂", **limits)
    play.heat("output", ax, (-4, 4, -2.5, 2.5), bar="output of the neuron")
    play.line("boundary", ax, label="boundary")
    play.arrow("w", ax, Look(BLACK), twin=False, label="weights w")
    play.words("words", ax)
    play.slider("w1", "weight w₁", -2, 2, 1.0)
    play.slider("w2", "weight w₂", -2, 2, 0.5)
    play.slider("b", "bias b", -3, 3, 0.5)
    play.slider("scale", "w and b times", 1, 10, 1.0, step=0.5)
    play.choice("activation", "activation", ["sigmoid", "relu", "tanh"])
    return play


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
            f" output f({number(z)}) = {number(output)}."
        )

    title = "One signal through a neuron: products, sum, bias, activation"
    play = LiveFigure(title, move, {"weighted_sum": weighted_sum, "sigmoid": sigmoid}, after)
    bars = play.axes(121, ylabel="amount", ylim=(-6, 6), xlim=(-0.6, 4.6))
    bars.set_xticks(range(5), ["x₁·w₁", "x₂·w₂", "sum\nw·x", "bias\nb", "w·x + b"])
    curve = play.axes(122, xlabel="weighted sum with bias, z", xlim=(-6, 6), ylim=(-0.05, 1.1))
    curve.set_ylabel("output f(z)")
    play.bars("steps", bars, Look(SKY))
    play.bars("totals", bars)
    play.words("numbers", bars)
    play.line("curve", curve, label="activation")
    play.line("drop", curve, Look(BLACK, (2, 3), width=1.5), twin=False)
    play.points("dot", curve, Look(BLACK), label="signal")
    for (i, low), x, w in (("1₁", 1.5, 1.2), ("2₂", -1.0, 0.8)):
        play.slider(f"x{i}", f"input x{low}", -1.5, 1.5, x)
        play.slider(f"w{i}", f"weight w{low}", -1.5, 1.5, w)
    play.slider("b", "bias b", -1.5, 1.5, 1.0)
    return play


def three_units(dense: Function, relu: Function, after: Any = None) -> LiveFigure:
    """Plot a curve made of three hidden units; without the activation it is a straight line."""

    def move(f: Any, activation: bool, **sliders: float) -> Frame:
        b, v = (np.array([sliders[kind + unit] for unit in UNITS]) for kind in "bv")
        # with a shape, so that `dense` isn't blamed for relu's result
        relu = (lambda z: f.relu(z, shape=np.shape(z))) if activation else np.positive
        hidden = f.dense(X[:, None], np.ones((1, 3)), b, relu, shape=(len(X), 3))
        y = f.dense(hidden, v[:, None], np.zeros(1), np.positive, shape=(len(X), 1))[:, 0]
        folds = _folds(y)
        count = f"{len(folds) + 1} straight piece{'s' if len(folds) else ''}"
        at = f", folded at x = {words(X[folds])}" if len(folds) else ""
        units = {unit: (X, part) for unit, part in zip(UNITS, hidden.T, strict=True)}
        return {
            **units,
            "curve": (X, y),
            "folds": (X[folds], y[folds]),
            "count": (0.0, 5.3, count),
        }, f"{count}{at}."

    own = {"dense": dense, "relu": relu}
    play = LiveFigure("A curve made of three hidden units", move, own, after)
    both: Any = {"xlabel": "input x", "xlim": (-3, 3), "ylim": (-6, 6)}
    units = play.axes(121, ylabel="output of each hidden unit", **both)
    sum_ = play.axes(122, ylabel="output of the network", **both)
    for i, unit in enumerate(UNITS):
        play.line(unit, units, SERIES[i], twin=False, label=f"unit {unit}")
    play.line("curve", sum_, label="curve")
    play.points("folds", sum_, Look(BLACK), twin=False)
    play.words("count", sum_)
    for unit, bias, weight in zip(UNITS, (1.5, 0.0, -1.5), (1.0, -2.5, 3.0), strict=True):
        play.slider("b" + unit, f"bias of unit {unit}", -2.5, 2.5, bias)
        play.slider("v" + unit, f"weight of unit {unit}", -3, 3, weight)
    play.switch("activation", "activation (ReLU) on", True)
    return play


def _between(coarse: int, fine: int) -> Array:
    """Return the matrix (fine, coarse) that interpolates values linearly."""
    places = np.linspace(0, coarse - 1, fine)[:, None]
    matrix: Array = np.clip(1 - np.abs(places - np.arange(coarse)), 0, 1)
    return matrix


ROWS, COLUMNS = _between(len(X2), FINE[0]), _between(len(X1), FINE[1]).T


def _range(activation: str, output: Array) -> tuple[float, float]:
    """Return the range of the colours: the activation's, for ReLU up to the largest output."""
    high = float(np.nanmax(output)) if activation == "relu" else 1.0
    return -1.0 if activation == "tanh" else 0.0, high or 1.0


def _zero_line(z: Array) -> tuple[Array, Array]:
    """Return the line on which values on the grid change sign, after rounding."""
    pieces = contour_generator(X1, X2, np.round(np.nan_to_num(z), 9)).lines(0.0)
    gap = np.full((1, 2), np.nan)
    x, y = np.concatenate([gap, *(part for piece in pieces for part in (piece, gap))]).T
    return x, y


def _arrow(w: Array, longest: float = 1.7) -> dict[str, tuple[Any, ...]]:
    """Return an arrow from the origin along w that fits into the picture, and its name."""
    length = max(float(np.hypot(*w)), 1e-9)
    x, y = w * min(1.0, longest / length)
    name = f"w = ({number(w[0])}, {number(w[1])}){', drawn shorter' * (length > longest)}"
    place = np.clip(x * 1.2, -2.4, 2.4), y + (0.3 if y >= 0 else -0.3)
    return {"w": (0.0, 0.0, x, y), "words": (*place, name)}


def _crossings(z: Array) -> str:
    """Describe where the boundary crosses the axes x₂ = 0 and x₁ = 0."""
    if np.ptp(z) == 0:
        return "no boundary, the weighted sum is the same everywhere"
    places = {"x₁": _zero(X1, z[len(X2) // 2]), "x₂": _zero(X2, z[:, len(X1) // 2])}
    found = [f"{axis} = {number(place)}" for axis, place in places.items() if place is not None]
    at = f"boundary crosses the axes at {' and '.join(found)}"
    return at if found else "the boundary crosses neither axis in this picture"


def _zero(places: Array, values: Array) -> float | None:
    """Return the first place where values change sign, by linear interpolation, or None."""
    values = np.round(values, 9)
    changes = np.flatnonzero((values[:-1] == 0) | (values[:-1] * values[1:] < 0))
    if np.ptp(values) == 0 or not len(changes):
        return None
    i = changes[0]
    share = values[i] / (values[i] - values[i + 1])
    return float(places[i] + share * (places[i + 1] - places[i]))


def _steepness(z: Array, activation: Any) -> str:
    """Describe the steepest slope: the activation's times the weighted sum's."""
    row, column = len(X2) // 2, len(X1) // 2
    along_x1, along_x2 = z[row, -1] - z[row, 0], z[-1, column] - z[0, column]
    rise = np.hypot(along_x1 / np.ptp(X1), along_x2 / np.ptp(X2))
    low, high = np.nanmin(z), np.nanmax(z)
    if low == high:
        return "the output does not change"
    if low < -8 and high > 8:  # beyond, every activation is flat or straight
        low, high = -8, 8
    along = np.linspace(low, high, 401)
    slope = np.max(np.abs(np.diff(activation(along, shape=along.shape)))) / (along[1] - along[0])
    return f"steepest slope {number(slope * rise, 2)}"


def _folds(y: Array) -> Array:
    """Return the indices at which a curve (n,) on even steps bends."""
    bends = np.flatnonzero(np.abs(np.diff(y, 2)) > 1e-6 * (1 + np.max(np.abs(y)))) + 1
    runs = np.split(bends, np.flatnonzero(np.diff(bends) > 1) + 1)
    return np.array([run[len(run) // 2] for run in runs if len(run)], int)

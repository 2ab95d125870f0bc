"""The three plays of the neuron lesson."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from contourpy import contour_generator

from playground.figure.live import LiveFigure
from playground.figure.marks import Array
from playground.figure.scene import Frame
from playground.figure.style import BLACK, SERIES, SKY, Look, number, words

Function = Callable[..., Any]

X1, X2 = np.linspace(-4, 4, 17), np.linspace(-2.5, 2.5, 11)
PLANE = np.stack(np.meshgrid(X1, X2), axis=-1).reshape(-1, 2)
"""The points (187, 2) at which the learner's weighted sum is asked for; between them it is filled in."""
FINE = (61, 97)
"""Rows and columns of the picture that is shown."""
Z = np.linspace(-6, 6, 81)
X = np.linspace(-3, 3, 241)
UNITS = ("1", "2", "3")


def boundary(
    weighted_sum: Function | None,
    sigmoid: Function | None,
    relu: Function | None = None,
    after: Any = None,
) -> LiveFigure:
    """A neuron's output over the plane of its two inputs, and the line on which its weighted sum is 0."""

    def move(f: Any, w1: float, w2: float, b: float, scale: float, activation: str) -> Frame:
        w = scale * np.array([w1, w2])
        z = f.weighted_sum.over(PLANE, w, scale * b).reshape(len(X2), len(X1))
        apply = (lambda z, shape: np.tanh(z)) if activation == "tanh" else getattr(f, activation)
        output = apply(ROWS @ z @ COLUMNS, shape=FINE)
        return {
            "output": (output, *_range(activation, output)),
            "boundary": _zero_line(z),
            "w": _shortened(w),
            "words": _name_of_arrow(w),
        }, f"{_crossings(z)}; {_steepness(z, apply)}."

    functions = {"weighted_sum": weighted_sum, "sigmoid": sigmoid} | (
        {"relu": relu} if relu else {}
    )
    play = LiveFigure(
        "A neuron's output over the plane of its inputs x₁ and x₂", move, functions, after
    )
    ax = play.axes(
        xlabel="input x₁", ylabel="input x₂", xlim=(-4, 4), ylim=(-2.5, 2.5), aspect="equal"
    )
    play.heat("output", ax, (-4, 4, -2.5, 2.5), bar="output of the neuron")
    play.line("boundary", ax, label="boundary")
    play.arrow("w", ax, Look(BLACK), twin=False, label="weights w")
    play.words("words", ax)
    play.slider("w1", "weight w₁", -2, 2, 1.0)
    play.slider("w2", "weight w₂", -2, 2, 0.5)
    play.slider("b", "bias b", -3, 3, 0.5)
    play.slider("scale", "w and b times", 1, 10, 1.0, step=0.5)
    play.choice(
        "activation",
        "activation",
        [name for name in ("sigmoid", "relu", "tanh") if name == "tanh" or name in functions],
    )
    return play


def signal(
    weighted_sum: Function | None, sigmoid: Function | None, after: Any = None
) -> LiveFigure:
    """One signal on its way through a neuron: two products, their sum, the bias, the activation."""

    def move(f: Any, x1: float, w1: float, x2: float, w2: float, b: float) -> Frame:
        x, w = np.array([x1, x2]), np.array([w1, w2])
        inputs = [(x[:1], w[:1], 0.0), (x[1:], w[1:], 0.0), (x, w, 0.0), (x, w, b)]
        first, second, total, z = (float(f.weighted_sum(*each, shape=())) for each in inputs)
        output = float(f.sigmoid(np.array([z]), shape=(1,))[0])
        steps = np.array([[0, first, total], [first, first + second, z]])
        tops = np.array([first, first + second, total, z, z])
        return {
            "steps": (np.array([0, 1, 3]), *steps),
            "totals": (np.array([2, 4]), tops[[2, 4]]),
            "numbers": _on_bars(tops, [first, second, total, z - total, z]),
            "curve": (Z, f.sigmoid(Z, shape=Z.shape)),
            "drop": (np.array([z, z, Z[0]]), np.array([0, output, output])),
            "dot": (np.array([z]), np.array([output])),
        }, (
            f"products {words([first, second])}; sum {number(total)}; with the bias {number(z)}; output f({number(z)}) = {number(output)}."
        )

    play = LiveFigure(
        "One signal through a neuron: products, sum, bias, activation",
        move,
        _two(weighted_sum, sigmoid),
        after,
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
    play.points("dot", curve, Look(BLACK), label="signal")
    for name, label, limit, value in SIGNAL_SLIDERS:
        play.slider(name, label, -limit, limit, value)
    return play


SIGNAL_SLIDERS = [
    ("x1", "input x₁", 1.5, 1.5),
    ("w1", "weight w₁", 1.5, 1.2),
    ("x2", "input x₂", 1.5, -1.0),
    ("w2", "weight w₂", 1.5, 0.8),
    ("b", "bias b", 1.5, 1.0),
]


def three_units(dense: Function | None, relu: Function | None, after: Any = None) -> LiveFigure:
    """A curve made of three hidden units, each folding it once; without the activation one straight line remains."""

    def move(f: Any, activation: bool, **sliders: float) -> Frame:
        b, v = (np.array([sliders[kind + unit] for unit in UNITS]) for kind in "bv")
        hidden = f.dense(
            X[:, None],
            np.ones((1, 3)),
            b,
            partial(_alike, f.relu) if activation else _identity,
            shape=(len(X), 3),
        )
        y = f.dense(hidden, v[:, None], np.zeros(1), _identity, shape=(len(X), 1))[:, 0]
        folds = _folds(y)
        count = f"{len(folds) + 1} straight piece{'s' if len(folds) else ''}"
        at = f", folded at x = {words(X[folds])}" if len(folds) else ""
        return {
            **{unit: (X, hidden[:, i]) for i, unit in enumerate(UNITS)},
            "curve": (X, y),
            "folds": (X[folds], y[folds]),
            "count": (0.0, 5.3, count),
        }, f"{count}{at}."

    play = LiveFigure(
        "A curve made of three hidden units", move, {"dense": dense, "relu": relu}, after
    )
    units = play.axes(
        121, xlabel="input x", ylabel="output of each hidden unit", xlim=(-3, 3), ylim=(-6, 6)
    )
    sum_ = play.axes(
        122, xlabel="input x", ylabel="output of the network", xlim=(-3, 3), ylim=(-6, 6)
    )
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


def _two(weighted_sum: Function | None, sigmoid: Function | None) -> dict[str, Function | None]:
    return {"weighted_sum": weighted_sum, "sigmoid": sigmoid}


def _alike(function: Any, z: Any) -> Array:
    """What an activation returns, if it has the shape of z: so that no other function is to blame for it."""
    result: Array = function(z, shape=np.shape(z))
    return result


def _identity(z: Array) -> Array:
    return z


def _between(coarse: int, fine: int) -> Array:
    """The matrix (fine, coarse) that fills in values along straight lines between neighbours."""
    places = np.linspace(0, coarse - 1, fine)[:, None]
    matrix: Array = np.clip(1 - np.abs(places - np.arange(coarse)), 0, 1)
    return matrix


ROWS, COLUMNS = _between(len(X2), FINE[0]), _between(len(X1), FINE[1]).T


def _range(activation: str, output: Array) -> tuple[float, float]:
    """The smallest and the largest output that the colours stand for: the activation's range, for ReLU up to the largest here."""
    if activation == "relu":
        return 0.0, float(np.nanmax(output)) or 1.0
    return (-1.0, 1.0) if activation == "tanh" else (0.0, 1.0)


def _zero_line(z: Array) -> tuple[Array, Array]:
    """Where values on the grid change sign, as a line; rounded, so that the last digit of a sum decides nothing."""
    pieces = contour_generator(X1, X2, np.round(np.nan_to_num(z), 9)).lines(0.0)
    gap = np.full((1, 2), np.nan)
    x, y = np.concatenate([gap, *(part for piece in pieces for part in (piece, gap))]).T
    return x, y


def _shortened(w: Array, longest: float = 1.7) -> tuple[float, float, float, float]:
    """An arrow from the origin along w, no longer than the picture has room for."""
    x, y = w * min(1.0, longest / max(float(np.hypot(*w)), 1e-9))
    return 0.0, 0.0, float(x), float(y)


def _name_of_arrow(w: Array) -> tuple[float, float, str]:
    _, _, x, y = _shortened(w)
    shorter = ", drawn shorter" if np.hypot(*w) > np.hypot(x, y) + 1e-9 else ""
    return (
        float(np.clip(x * 1.2, -2.4, 2.4)),
        y + (0.3 if y >= 0 else -0.3),
        f"w = ({number(w[0])}, {number(w[1])}){shorter}",
    )


def _crossings(z: Array) -> str:
    """Where the boundary crosses the two axes x₂ = 0 and x₁ = 0, in words."""
    if np.ptp(z) == 0:
        return "no boundary, the weighted sum is the same everywhere"
    places = {"x₁": _zero(X1, z[len(X2) // 2]), "x₂": _zero(X2, z[:, len(X1) // 2])}
    found = [f"{axis} = {number(place)}" for axis, place in places.items() if place is not None]
    if not found:
        return "the boundary crosses neither axis in this picture"
    return f"boundary crosses the axes at {' and '.join(found)}"


def _zero(places: Array, values: Array) -> float | None:
    """The first place where values change sign, along a straight line between neighbours; None if they don't."""
    values = np.round(values, 9)
    changes = np.flatnonzero((values[:-1] == 0) | (values[:-1] * values[1:] < 0))
    if np.ptp(values) == 0 or not len(changes):
        return None
    i = changes[0]
    share = values[i] / (values[i] - values[i + 1])
    return float(places[i] + share * (places[i + 1] - places[i]))


def _steepness(z: Array, activation: Any) -> str:
    """How steep the output is where it is steepest: the slope of the activation times that of the weighted sum."""
    row, column = len(X2) // 2, len(X1) // 2
    rise = np.hypot(
        (z[row, -1] - z[row, 0]) / np.ptp(X1), (z[-1, column] - z[0, column]) / np.ptp(X2)
    )
    low, high = np.nanmin(z), np.nanmax(z)
    if low == high:
        return "the output does not change"
    if low < -8 and high > 8:  # where every activation does what it does
        low, high = -8, 8
    along = np.linspace(low, high, 401)
    slope = np.max(np.abs(np.diff(activation(along, shape=along.shape)))) / (along[1] - along[0])
    return f"steepest slope {number(slope * rise, 2)}"


def _on_bars(tops: Array, amounts: list[float]) -> list[tuple[float, float, str]]:
    """A number at the end of each bar, above a bar that goes up and below one that goes down."""
    return [
        (i, top + (0.45 if amount >= 0 else -0.45), number(amount))
        for i, (top, amount) in enumerate(zip(tops, amounts, strict=True))
    ]


def _folds(y: Array) -> Array:
    """Where a curve (n,) on even steps bends: the middle of each run of steps on which its slope changes."""
    bends = np.flatnonzero(np.abs(np.diff(y, 2)) > 1e-6 * (1 + np.max(np.abs(y)))) + 1
    runs = np.split(bends, np.flatnonzero(np.diff(bends) > 1) + 1)
    return np.array([run[len(run) // 2] for run in runs if len(run)], int)

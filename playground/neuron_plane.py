"""The neuron lesson's plays over the plane of two inputs: boundary, points to separate, XOR."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from playground.figure.live import LiveFigure
from playground.figure.scene import Frame
from playground.figure.style import BLACK, GREEN, PURPLE, Look, number
from playground.functions import Array, Function
from playground.functions.digits import digits

X1, X2 = np.linspace(-4, 4, 17), np.linspace(-2.5, 2.5, 11)
PLANE = np.stack(np.meshgrid(X1, X2), axis=-1).reshape(-1, 2)
"""The points (187, 2) at which the learner's weighted sum is computed, to be interpolated."""
FINE = (61, 97)
"""Rows and columns of the picture."""
SIDE = np.linspace(-0.2, 1.2, 15)
SQUARE = np.stack(np.meshgrid(SIDE, SIDE), axis=-1).reshape(-1, 2)
"""The points (225, 2) of the plays with data, whose inputs go from 0 to 1."""
CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])
"""The four points of XOR with their kinds: 1 where exactly one input is 1."""


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
    play = LiveFigure(
        title,
        move,
        own,
        after,
        missions={
            "a boundary through the origin, where both inputs are 0": lambda at, data: (
                at.b == 0 and (at.w1 or at.w2)
            ),
            "a horizontal boundary, for which x₁ does not matter": lambda at, data: (
                at.w1 == 0 and at.w2 and abs(at.b / at.w2) < 2.5
            ),
            "a boundary through x₁ = 1 and x₂ = 2": lambda at, data: (
                (at.w1 or at.w2) and abs(at.w1 + 2 * at.w2 + at.b) < 0.05
            ),
        },
    )
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


def separate(weighted_sum: Function, sigmoid: Function, after: Any = None) -> LiveFigure:
    """Plot two kinds of points to be separated by one neuron: digits, or the corners of XOR."""

    def move(f: Any, points: str, w1: float, w2: float, b: float) -> Frame:
        w, (at, kinds) = np.array([w1, w2]), CORNERS if points == "XOR" else ink_of_digits()
        z = f.weighted_sum.over(SQUARE, w, b).reshape(len(SIDE), -1)
        says = f.weighted_sum.over(at, w, b) > 0
        output = f.sigmoid(z, shape=z.shape)
        return _scored({"output": output, "boundary": _zero_line(z, SIDE, SIDE)}, at, kinds, says)

    own = {"weighted_sum": weighted_sum, "sigmoid": sigmoid}
    play = LiveFigure(
        "Two kinds of points, and one neuron to tell them apart",
        move,
        own,
        after,
        missions={
            "all 67 digits on the right side": lambda at, data: (
                at.points != "XOR" and not len(data["missed"][0])
            ),
            "all digits but one by the ink in the middle alone (w₂ = 0)": lambda at, data: (
                at.points != "XOR" and at.w2 == 0 and len(data["missed"][0]) == 1
            ),
            "three of the four corners of XOR": lambda at, data: (
                at.points == "XOR" and len(data["missed"][0]) == 1
            ),
        },
    )
    _declare_points(
        play, "input x₁ (of digits: ink in the middle)", "input x₂ (of digits: ink beside it)"
    )
    play.choice("points", "points", ["digits 0 and 1", "XOR"])
    play.slider("w1", "weight w₁", -10, 10, 4.0, step=0.5)
    play.slider("w2", "weight w₂", -10, 10, 4.0, step=0.5)
    play.slider("b", "bias b", -10, 10, -3.0, step=0.5)
    return play


def xor(dense: Function, relu: Function, after: Any = None) -> LiveFigure:
    """Plot the corners of XOR, to be separated by two hidden units."""

    def move(f: Any, b2: float, v1: float, v2: float, activation: bool) -> Frame:
        relu = (lambda z: f.relu(z, shape=np.shape(z))) if activation else np.positive

        def network(X: Array) -> Array:
            b, v = np.array([0.0, b2]), np.array([[v1], [v2]])
            hidden = f.dense(X, np.ones((2, 2)), b, relu, shape=(len(X), 2))
            out: Array = f.dense(hidden, v, np.zeros(1), np.positive, shape=(len(X), 1))
            return out[:, 0]

        output, (at, kinds) = network(SQUARE).reshape(len(SIDE), -1), CORNERS
        parts = {"output": output, "boundary": _zero_line(output - 0.5, SIDE, SIDE)}
        return _scored(parts, at, kinds, network(at) > 0.5)

    own = {"dense": dense, "relu": relu}
    play = LiveFigure(
        "The corners of XOR, and two hidden units to tell them apart",
        move,
        own,
        after,
        missions={
            "all four corners on the right side": lambda at, data: not len(data["missed"][0]),
            "three of them with the activation off": lambda at, data: (
                not at.activation and len(data["missed"][0]) == 1
            ),
        },
    )
    _declare_points(play, "input x₁", "input x₂")
    play.slider("b2", "bias of unit 2", -2, 0, 0.0, step=0.25)
    play.slider("v1", "unit 1 on its way out", -3, 3, 1.5, step=0.5)
    play.slider("v2", "unit 2 on its way out", -3, 3, -0.5, step=0.5)
    play.switch("activation", "activation (ReLU) on", True)
    return play


def ink_of_digits() -> tuple[Array, Array]:
    """Return two features (67, 2) of the test images of 0 and 1, and which is which.

    The features are the mean ink in the two middle columns and in the two on each side of them, of
    the four middle rows.
    """
    data = digits()
    chosen = data.labels_test < 2
    rows = data.X_test[chosen].reshape(-1, 8, 8)[:, 2:6]
    middle, beside = rows[:, :, 3:5], rows[:, :, [1, 2, 5, 6]]
    features = np.stack([middle.mean(axis=(1, 2)), beside.mean(axis=(1, 2))], axis=1)
    return features, data.labels_test[chosen]


def _scored(parts: dict[str, Any], at: Array, kinds: Array, says: Array) -> Frame:
    """Return a frame with the points of both kinds, rings around the missed, and the score."""
    groups = {"zeros": kinds == 0, "ones": kinds == 1, "missed": says != kinds}
    right = int(np.count_nonzero(says == kinds))
    score = f"{right} of {len(kinds)} on the right side"
    points = {name: (at[group, 0], at[group, 1]) for name, group in groups.items()}
    return {**parts, **points, "score": (0.5, 1.27, score)}, f"{score}."


def _declare_points(play: LiveFigure, xlabel: str, ylabel: str) -> None:
    """Add the plane from 0 to 1, its boundary, and the parts of `_scored`."""
    limits: Any = {"xlim": (-0.2, 1.2), "ylim": (-0.2, 1.35), "aspect": "equal"}
    ax = play.axes(xlabel=xlabel, ylabel=ylabel, **limits)
    play.heat("output", ax, (-0.2, 1.2, -0.2, 1.2), bar="output")
    play.line("boundary", ax, label="boundary")
    wrong: Any = {"twin": False, "label": "on the wrong side", "radius": 10.0}
    play.points("missed", ax, Look(BLACK), **wrong)
    circle, triangle = Look(GREEN, (), "circle"), Look(PURPLE, (), "triangle")
    play.points("zeros", ax, circle, twin=False, label="0")
    play.points("ones", ax, triangle, twin=False, label="1")
    play.words("score", ax)


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


def _zero_line(z: Array, x1: Array = X1, x2: Array = X2) -> tuple[Array, Array]:
    """Return the line on which values on a grid change sign, after rounding."""
    z = np.round(np.nan_to_num(z), 9)
    links: dict[_Edge, list[_Edge]] = {}
    for edges in _crossed(z):
        for one, other in (edges, edges[::-1]):
            links.setdefault(one, []).append(other)
    gap = (np.nan, np.nan)
    points = [gap]
    # The ends of a line have one link. What remains after those is closed.
    for start in sorted(links, key=lambda edge: len(links[edge])):
        edge = start
        if links[edge]:
            points.append(_crossing(z, edge, x1, x2))
        while links[edge]:
            before, edge = edge, links[edge].pop()
            links[edge].remove(before)
            points.append(_crossing(z, edge, x1, x2))
        points.append(gap)
    x, y = np.array(points).T
    return x, y


_Edge = tuple[tuple[int, int], tuple[int, int]]
"""The row and column of both its ends."""


def _crossed(z: Array) -> Iterator[tuple[_Edge, _Edge]]:
    """Yield pairs of edges of a cell between which z is 0 (marching squares)."""
    above = z > 0
    corners = np.stack([above[:-1, :-1], above[:-1, 1:], above[1:, 1:], above[1:, :-1]])
    for i, j in np.argwhere(corners.any(axis=0) & ~corners.all(axis=0)).tolist():
        around = [(i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j)]
        edges: list[_Edge] = [
            (min(a, b), max(a, b))
            for a, b in zip(around, [*around[1:], around[0]], strict=True)
            if above[a] != above[b]
        ]
        if len(edges) == 4 and above[i, j] != (z[i : i + 2, j : j + 2].mean() > 0):
            edges = [*edges[1:], edges[0]]  # a saddle whose other two corners are connected
        yield from zip(edges[::2], edges[1::2], strict=True)


def _crossing(z: Array, edge: _Edge, x1: Array, x2: Array) -> tuple[float, float]:
    """Return the point on an edge at which z, interpolated linearly, is 0."""
    (row, column), (last_row, last_column) = edge
    share = z[row, column] / (z[row, column] - z[last_row, last_column])
    return (
        x1[column] + share * (x1[last_column] - x1[column]),
        x2[row] + share * (x2[last_row] - x2[row]),
    )


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

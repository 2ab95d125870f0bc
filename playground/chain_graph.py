"""Graphs of a computation for the chain rule's plays: values above the edges, slopes below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from playground.figure.style import CARD, INK, MUTED, number
from playground.functions import Array

Place = tuple[float, float]
RADIUS = 15
"""Of a node, in points."""


class Graph(NamedTuple):
    """Nodes by name with their places and words, and edges by name from node to node."""

    nodes: Mapping[str, tuple[Place, str]]
    edges: Mapping[str, tuple[str, str]]

    def draw(self, ax: Axes) -> None:
        """Draw the nodes, and thin edges, on the still layer."""
        ax.set_axis_off()
        for start, end in self.edges.values():
            x, y = zip(self.nodes[start][0], self.nodes[end][0], strict=True)
            ax.plot(x, y, color=MUTED, linewidth=1.0, zorder=1)
        for (x, y), words in self.nodes.values():
            size = 2 * RADIUS
            ax.plot(x, y, "o", markersize=size, color=MUTED, markerfacecolor=CARD, zorder=2)
            ax.text(x, y, words, color=INK, ha="center", va="center", zorder=3)

    def along(self, names: list[str], shift: float = 0.0) -> tuple[Array, Array]:
        """Return lines along some edges, with gaps at the nodes and between the lines."""
        share, gap = np.array([[0.24], [0.76]]), np.full((1, 2), np.nan)
        ends = [[self.nodes[node][0] for node in self.edges[name]] for name in names]
        lines = [(1 - share) * start + share * np.array(end) for start, end in ends]
        x, y = np.concatenate([gap, *(part for line in lines for part in (line, gap))]).T
        return x, y + shift

    def beside(self, texts: Mapping[str, str], shift: float) -> list[tuple[float, float, str]]:
        """Place texts at the middle of their edges, this far above them."""
        middles = {
            name: np.mean([self.nodes[node][0] for node in self.edges[name]], axis=0)
            for name in texts
        }
        return [(float(x), float(y) + shift, texts[name]) for name, (x, y) in middles.items()]


GATES = Graph(
    {
        "a": ((0.0, 2.0), "a"),
        "b": ((0.0, 0.0), "b"),
        "times": ((1.4, 0.6), "×"),
        "plus": ((2.8, 1.4), "+"),
        "max": ((4.1, 1.4), "max"),
        "y": ((5.4, 1.4), "y"),
    },
    {
        "a times": ("a", "times"),
        "b times": ("b", "times"),
        "product": ("times", "plus"),
        "a plus": ("a", "plus"),
        "sum": ("plus", "max"),
        "y": ("max", "y"),
    },
)
"""The graph of y = max(0, a·b + a)."""

NEURON = Graph(
    {
        "w1": ((0.0, 2.2), "w₁"),
        "w2": ((0.0, 1.1), "w₂"),
        "b": ((0.0, 0.0), "b"),
        "x1": ((1.25, 2.2), "× x₁"),
        "x2": ((1.25, 1.1), "× x₂"),
        "plus": ((2.6, 1.1), "+"),
        "sigmoid": ((3.8, 1.1), "σ"),
        "minus": ((5.0, 1.1), "− y"),
        "square": ((6.2, 1.1), "( )²"),
        "L": ((7.3, 1.1), "L"),
    },
    {
        "w1": ("w1", "x1"),
        "w2": ("w2", "x2"),
        "b": ("b", "plus"),
        "first": ("x1", "plus"),
        "second": ("x2", "plus"),
        "z": ("plus", "sigmoid"),
        "a": ("sigmoid", "minus"),
        "gap": ("minus", "square"),
        "L": ("square", "L"),
    },
)
"""The graph of the loss L = (σ(w₁·x₁ + w₂·x₂ + b) − y)² of one neuron."""


NUDGE = 1e-20j
"""An imaginary step (Squire & Trapp 1998): no difference is taken, so nothing is rounded away."""


def gate_numbers(a: float, b: float) -> tuple[dict[str, float], dict[str, float]]:
    """Return the values and the slopes on the edges of `GATES`."""
    total = a * b + a
    open_ = float(total > 0)
    values = {"a times": a, "b times": b, "product": a * b, "a plus": a, "sum": total}
    slopes = {"y": 1.0, **dict.fromkeys(("sum", "product", "a plus"), open_)}
    swapped = {"a times": open_ * b, "b times": open_ * a}
    return {**values, "y": max(0.0, total)}, {**slopes, **swapped}


def neuron_values(
    x: Any, w: Any, b: float, y: float, nudged: str = "", by: complex = 0.0
) -> dict[str, Any]:
    """Return the values on the edges of `NEURON`, one of them nudged on its way forward."""
    values: dict[str, Any] = {}

    def edge(name: str, value: Any) -> Any:
        values[name] = value + by * (name == nudged)
        return values[name]

    first, second = edge("w1", w[0]) * x[0], edge("w2", w[1]) * x[1]
    z = edge("z", edge("first", first) + edge("second", second) + edge("b", b))
    a = edge("a", 1 / (1 + np.exp(-z)))
    edge("L", edge("gap", a - y) ** 2)
    return values


def neuron_slopes(x: Any, w: Any, b: float, y: float) -> dict[str, float]:
    """Return the slope of L for each edge of `NEURON`: a nudge there, read at the far end."""
    size = abs(NUDGE)
    return {
        name: float(neuron_values(x, w, b, y, name, NUDGE)["L"].imag / size)
        for name in NEURON.edges
    }


def in_words(numbers: Mapping[str, float], names: Iterable[str]) -> dict[str, str]:
    """Return some of the numbers as text, by the same names."""
    return {name: number(numbers[name]) for name in names}

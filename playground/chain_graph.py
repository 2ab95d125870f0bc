"""Graphs of a computation for the chain rule's plays: values above the edges, slopes below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from playground.figure.still import Panel
from playground.figure.style import CARD, INK, MUTED, number
from playground.functions import Array

Place = tuple[float, float]
RADIUS = 15
"""Of a node, in points."""


class Graph(NamedTuple):
    """Nodes by name with their places and words, and edges by name from node to node."""

    nodes: Mapping[str, tuple[Place, str]]
    edges: Mapping[str, tuple[str, str]]

    def draw(self, ax: Panel) -> None:
        """Draw the nodes, and thin edges, on the still layer."""
        ax.set_axis_off()
        for start, end in self.edges.values():
            ends = np.array([self.nodes[start][0], self.nodes[end][0]])
            ax.plot(*ends.T, color=MUTED, linewidth=1.0, zorder=1)
        for (x, y), words in self.nodes.values():
            size = 2 * RADIUS
            ax.plot(x, y, "o", markersize=size, color=MUTED, markerfacecolor=CARD, zorder=2)
            ax.text(x, y, words, color=INK, ha="center", va="center", zorder=3)

    def along(self, names: Iterable[str], aside: float = 0.0) -> tuple[Array, Array]:
        """Return lines next to some edges, with gaps at the nodes and between the lines."""
        gap = np.full((1, 2), np.nan)
        lines = [gap]
        for start, way, across in map(self._ends, names):
            lines += [start + np.array([[0.25], [0.75]]) * way + aside * across, gap]
        x, y = np.concatenate(lines).T
        return x, y

    def beside(self, texts: Mapping[str, str], aside: float) -> list[tuple[float, float, str]]:
        """Place texts next to the middle of their edges, on the upper side if `aside` > 0."""
        places = []
        for name, words in texts.items():
            start, way, across = self._ends(name)
            x, y = start + 0.5 * way + aside * across * [2.2, 1.0]
            places.append((float(x), float(y), words))
        return places or [(np.nan, np.nan, "")]

    def _ends(self, name: str) -> tuple[Array, Array, Array]:
        """Return an edge's start, the way to its end, and a unit vector across it."""
        start, end = (np.array(self.nodes[node][0]) for node in self.edges[name])
        way = end - start
        return start, way, np.array([-way[1], way[0]]) / np.hypot(*way)


GATES = Graph(
    {
        "a": ((0.0, 2.4), "a"),
        "b": ((0.0, 0.0), "b"),
        "times": ((1.6, 0.7), "×"),
        "plus": ((3.2, 2.4), "+"),
        "max": ((4.4, 2.4), "max"),
        "y": ((5.6, 2.4), "y"),
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
        "w1": ((0.0, 2.6), "w₁"),
        "w2": ((0.0, 1.1), "w₂"),
        "b": ((1.25, -0.4), "b"),
        "x1": ((1.25, 2.6), "× x₁"),
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


GATE_STAGES = [
    ("a and b are given", ("a times", "b times", "a plus"), ()),
    ("× makes the product", ("product",), ()),
    ("+ adds a to it", ("sum",), ()),
    ("max makes y, and y has the slope 1 for itself", ("y",), ("y",)),
    ("back through max: it passes the slope on, or stops it", (), ("sum",)),
    ("back through +: both ways get the slope as it is", (), ("product", "a plus")),
    ("back through ×: each factor gets the slope times the other", (), ("a times", "b times")),
]
"""What happens at each stage, the edges whose values are new, and those whose slopes are."""


def gate_stage(stage: int, a: float, b: float, one: bool) -> dict[str, Any]:
    """Return the parts of the graph of gates at a stage, with the way through + or without it."""
    values, slopes = gate_numbers(a, b)
    known = [name for _, new, _ in GATE_STAGES[: stage + 1] for name in new]
    back = [name for _, _, new in GATE_STAGES[: stage + 1] for name in new]
    back = [name for name in back if not (one and name == "a plus")]
    return {
        "forward": GATES.along(known, 0.05),
        "backward": GATES.along(back, -0.07),
        "values": GATES.beside(in_words(values, known), 0.22),
        "slopes": GATES.beside(in_words(slopes, back), -0.25),
    }


HOLES = {
    "gap": ("a − y", "a square's slope is twice what is squared"),
    "a": ("a", "taking y away passes the slope on as it is"),
    "z": ("z", "the sigmoid's own slope is a · (1 − a), and slopes in a row multiply"),
    "w1": ("w₁", "a product multiplies the slope by the other factor, here x₁"),
    "w2": ("w₂", "a product multiplies the slope by the other factor, here x₂"),
    "b": ("b", "a sum passes the slope on as it is"),
}
"""The slopes that the learner fills in from the loss back, with a hint to each."""


def filled(typed: Mapping[str, float], right: Mapping[str, float]) -> dict[str, str]:
    """Return the words at each slope: the right number, a wrong one with ✗, "?" for none yet."""
    words = {"L": number(right["L"])}
    for name, value in typed.items():
        close = abs(value - right[name]) < 0.006
        words[name] = number(right[name]) if close else f"✗ {number(value)}" if value else "?"
    if words["z"][0] not in "✗?":
        words |= in_words(right, ("first", "second"))
    return words


def missing(words: Mapping[str, str]) -> list[str]:
    """Return the edges whose slopes are wrong or not filled in, from the loss back."""
    return [name for name in HOLES if words[name][0] in "✗?"]


def advice(words: Mapping[str, str], alive: bool) -> str:
    """Return how many slopes are right, and a hint to the first that is not."""
    open_ = missing(words)
    count = f"{len(HOLES) - len(open_)} of {len(HOLES)} slopes are right"
    if not open_:
        return count + ", and every number follows the sliders" * alive
    label, hint = HOLES[open_[0]]
    return f"{count}; at {label}: {hint if words[open_[0]][0] == '✗' else 'yours to fill in'}"

"""Draw what lessons are about: one neuron, a network of layers, a graph of a computation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product

from playground.figure import style
from playground.figure.drawing import DASHED, INK, PALE, Drawing

FORWARD, BACKWARD = style.BLUE, style.VERMILLION
"""Colours of values on their way forward and of slopes on their way back, which are also dashed."""

Word = str | float

THREE = (
    "..####..",
    ".#...##.",
    ".....##.",
    "...###..",
    ".....##.",
    "......#.",
    ".#...##.",
    "..####..",
)
"""The pixels of a handwritten digit."""


def neuron() -> Drawing:
    """Return one neuron with three inputs: weights, sum with the bias, activation and output."""
    alt = (
        "One neuron, from left to right: the inputs x₁, x₂, x₃ are multiplied by the weights"
        " w₁, w₂, w₃; their sum plus the bias b is z; the activation f makes the output a of it."
    )
    height, middle = 238, 129
    drawing = Drawing(640, height, alt)
    for number, y in zip("₁₂₃", (middle - 66, middle, middle + 66), strict=True):
        drawing.circle(60, y, 24, style.SKY).text(60, y, f"x{number}")
        _link(drawing, (60, y), (300, middle), (25, 35))
        drawing.text(165, y + 0.44 * (middle - y) - 13, f"· w{number}")
    drawing.circle(300, middle, 34, style.ORANGE).text(300, middle, "Σ", 24)
    drawing.arrow(300, middle - 74, 300, middle - 35).text(310, middle - 62, "+ b", anchor="start")
    drawing.arrow(335, middle, 430, middle).text(380, middle - 13, "z")
    drawing.box(430, middle - 28, 66, 56, style.GREEN).text(463, middle, "f", 18)
    drawing.arrow(497, middle, 580, middle).text(590, middle, "a", anchor="start")
    for at, word in (
        (60, "inputs"),
        (165, "weights"),
        (300, "sum"),
        (463, "activation"),
        (588, "output"),
    ):
        drawing.text(at, 12, word, 12)
    return drawing


def network(
    sizes: Sequence[int], names: Sequence[str] = (), tables: Sequence[str] = (), most: int = 5
) -> Drawing:
    """Return a network's layers, each with its name and size, and each table with its shape.

    `names` are those of the layers, the input first; `tables` those of the weights. A layer of more
    than `most` units is shown by its first and last ones.
    """
    names = names or ["input", *["hidden"] * (len(sizes) - 2), "output"]
    tables = tables or [f"W{'₁₂₃₄₅₆₇₈₉'[i]}" for i in range(len(sizes) - 1)]
    shapes = [f"{name} ({a}, {b})" for name, (a, b) in zip(tables, pairwise(sizes), strict=True)]
    layers = [f"{name} ({size})" for name, size in zip(names, sizes, strict=True)]
    alt = f"A network. Its layers: {', '.join(layers)}. The weights between: {', '.join(shapes)}."
    height = 42 * min(max(sizes), most) + (110 if max(sizes) > most else 70)
    drawing = Drawing(640, height, alt)
    step = 520 / (len(sizes) - 1)
    columns = [_column(60 + step * i, height / 2, size, most) for i, size in enumerate(sizes)]
    for left, right in pairwise(columns):
        drawing.line(_between(left, right), PALE, width=0.6)
    for i, (column, size) in enumerate(zip(columns, sizes, strict=True)):
        x = column[0][0]
        for _, y in column:
            drawing.circle(x, y, 13, style.ORANGE if i else style.SKY)
        if size > most:
            drawing.text(x, (column[-2][1] + column[-1][1]) / 2, "⋮", 20)
        drawing.text(x, 14, names[i], bold=True).text(x, height - 12, f"{size}")
    for i, shape in enumerate(shapes):
        drawing.text(60 + step * (i + 0.5), 14, shape, 13)
    return drawing


def reader() -> Drawing:
    """Return a handwritten digit on its way down through a network: the whole course."""
    alt = "A handwritten 3 of 8 by 8 pixels goes into a network of neurons, which says: a 3."
    drawing, color = Drawing(140, 250, alt), style.BLUE
    for row, pixels in enumerate(THREE):
        for column in (at for at, pixel in enumerate(pixels) if pixel == "#"):
            drawing.box(26 + 11 * column, 4 + 11 * row, 11, 11, color, color, rounded=0)
    hidden, output = [(30.0, 134.0), (70.0, 134.0), (110.0, 134.0)], [(50.0, 180.0), (90.0, 180.0)]
    drawing.arrow(70, 97, 70, 116)
    drawing.line(_between(hidden, output, along=(0, 12)), PALE, width=0.8)
    for layer, fill in ((hidden, style.SKY), (output, style.ORANGE)):
        for x, y in layer:
            drawing.circle(x, y, 12, fill)
    return drawing.arrow(70, 195, 70, 214).text(70, 233, "3", 32, bold=True)


def graph(
    nodes: Mapping[str, tuple[float, float]],
    edges: Sequence[tuple[str, str, Word, Word]],
    size: tuple[int, int] = (640, 260),
) -> Drawing:
    """Return a graph: nodes at places in pixels, values above the edges and slopes below.

    An edge is (from, to, value, slope); an empty word leaves one out. A slope has a dashed arrow
    back.
    """
    drawing = Drawing(*size, _told(edges))
    for start, end, *both in edges:
        value, slope = _words(both)
        (x1, y1), (x2, y2) = nodes[start], nodes[end]
        length = math.hypot(x2 - x1, y2 - y1)
        up = ((y2 - y1) / length, -(x2 - x1) / length) if x2 >= x1 else (0.0, -1.0)
        x, y, apart = (x1 + x2) / 2, (y1 + y2) / 2, 5 if slope else 0
        _link(drawing, (x1, y1), (x2, y2), (23, 23), apart, FORWARD)
        far = 16 + 8 * abs(up[0])  # words are wider than high
        drawing.text(x + far * up[0], y + far * up[1], value)
        if slope:
            _link(drawing, (x2, y2), (x1, y1), (23, 23), apart, BACKWARD, DASHED)
            drawing.text(x - far * up[0], y - far * up[1], slope)
    for name, (x, y) in nodes.items():
        drawing.circle(x, y, 22, style.SKY).text(x, y, name)
    return drawing


def _link(
    drawing: Drawing,
    start: tuple[float, float],
    end: tuple[float, float],
    gaps: tuple[float, float],
    apart: float = 0,
    color: str = INK,
    dash: str = "",
) -> None:
    """Draw an arrow between two shapes, that many pixels to the left of the straight way."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy)
    dx, dy = dx / length, dy / length
    aside = (apart * dy, -apart * dx)
    x1, y1 = start[0] + gaps[0] * dx + aside[0], start[1] + gaps[0] * dy + aside[1]
    x2, y2 = end[0] - gaps[1] * dx + aside[0], end[1] - gaps[1] * dy + aside[1]
    drawing.arrow(x1, y1, x2, y2, color, dash)


def _column(x: float, middle: float, size: int, most: int) -> list[tuple[float, float]]:
    """Return the middles of a layer's circles; the last is set off if some are left out."""
    shown = min(size, most)
    ys = [middle + 42 * (i - (shown - 1) / 2) for i in range(shown)]
    if size > most:
        ys = [y - 11 for y in ys[:-1]] + [ys[-1] + 11]
    return [(x, y) for y in ys]


def _between(
    left: Sequence[tuple[float, float]],
    right: Sequence[tuple[float, float]],
    along: tuple[float, float] = (14, 0),
) -> Iterator[tuple[float, float] | None]:
    """Yield the lines from each circle of a layer to each of the next."""
    for (x1, y1), (x2, y2) in product(left, right):
        yield from ((x1 + along[0], y1 + along[1]), (x2 - along[0], y2 - along[1]), None)


def _told(edges: Sequence[tuple[str, str, Word, Word]]) -> str:
    parts = []
    for start, end, *both in edges:
        value, slope = _words(both)
        back = f", slope {slope} on the way back" if slope else ""
        parts.append(f"from {start} to {end}: {value or 'no value'}{back}")
    return f"A graph. {'; '.join(parts)}."


def _words(items: Sequence[Word]) -> list[str]:
    return [item if isinstance(item, str) else style.number(item) for item in items]

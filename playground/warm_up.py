"""The pictures of arrays and the two plays of the warm-up."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from playground.figure.drawing import DASHED, Drawing
from playground.figure.live import LiveFigure
from playground.figure.live import keep as keep
from playground.figure.scene import Frame
from playground.figure.style import BLACK, GREEN, MUTED, ORANGE, SKY, Look, number
from playground.functions import Array, Function

AMOUNTS = np.array([[2, 1, 0], [0, 3, 1], [1, 1, 4], [5, 0, 2]])
PRICES = np.array([[2.0, 2.5], [1.0, 0.5], [3.0, 4.0]])
TABLE = np.array([[1, 3], [2, 2], [6, 2]])
PICKED = np.array([[10, 11], [20, 21], [30, 31], [40, 41]])
SHOP = (0, 1, 0, 1)
CLOUD = np.random.default_rng(3).normal(0, 0.8, size=(60, 2)).round(3)
WIDE, HIGH = 46, 30
"""Pixels of a table's cell."""
STEPS: dict[str, Function] = {
    "10 % off": lambda x: 0.9 * x,
    "10 off": lambda x: x - 10,
    "half, plus 20": lambda x: x / 2 + 20,
}

Cells = Collection[tuple[int, int]]


def product() -> Drawing:
    """Return amounts @ prices, with the row and the column that make one of its numbers."""
    bills, row, column = AMOUNTS @ PRICES, AMOUNTS[2], PRICES[:, 0]
    sum_ = " + ".join(f"{number(int(a))} · {number(p)}" for a, p in zip(row, column, strict=True))
    alt = (
        f"Row 2 of amounts, {_listed(row)}, meets column 0 of prices, {_listed(column)}:"
        f" {sum_} = {number(bills[2, 0])}, in row 2 and column 0 of the result."
    )
    drawing = Drawing(640, 200, alt)
    _table(drawing, 30, 40, AMOUNTS, "amounts (4, 3)", [(2, j) for j in range(3)], SKY)
    drawing.text(205, 100, "@", 22).text(385, 100, "=", 22)
    _table(drawing, 240, 40, PRICES, "prices (3, 2)", [(i, 0) for i in range(3)], ORANGE)
    _table(drawing, 420, 40, bills, "result (4, 2)", [(2, 0)], GREEN)
    return drawing.text(320, 184, f"{sum_} = {number(bills[2, 0])}")


def axes() -> Drawing:
    """Return a table with its sums down and its sums across."""
    down, across = TABLE.sum(axis=0), TABLE.sum(axis=1)
    alt = (
        f"A table with the rows {'; '.join(map(_listed, TABLE))}. Added down, along axis 0, its"
        f" columns give {_listed(down)}. Added across, along axis 1, its rows give"
        f" {_listed(across)}."
    )
    drawing = Drawing(640, 220, alt)
    _table(drawing, 200, 40, TABLE, "a (3, 2)")
    for j in range(2):
        drawing.arrow(200 + WIDE * (j + 0.5), 134, 200 + WIDE * (j + 0.5), 168, ORANGE)
    _table(drawing, 200, 172, down[None], "", [(0, 0), (0, 1)], ORANGE)
    for i in range(3):
        drawing.arrow(296, 40 + HIGH * (i + 0.5), 340, 40 + HIGH * (i + 0.5), SKY, DASHED)
    _table(drawing, 346, 40, across[:, None], "", [(i, 0) for i in range(3)], SKY)
    drawing.text(180, 152, "axis 0, down", anchor="end")
    return drawing.text(408, 85, "axis 1, across", anchor="start")


def broadcast() -> Drawing:
    """Return a table minus a row, which is repeated for each row of the table."""
    table, row = AMOUNTS, np.array([2, 1, 2])
    alt = (
        f"A table (4, 3) minus a row (3,): the row {_listed(row)} is repeated for each of the four"
        f" rows. The first row, {_listed(table[0])}, becomes {_listed(table[0] - row)}."
    )
    drawing = Drawing(640, 190, alt)
    _table(drawing, 30, 40, table, "table (4, 3)", [(0, j) for j in range(3)], SKY)
    drawing.text(201, 100, "−", 22).text(411, 100, "=", 22)
    _table(drawing, 234, 40, np.tile(row, (4, 1)), "row (3,)", [(0, j) for j in range(3)], ORANGE)
    drawing.box(234, 40 + HIGH, 3 * WIDE, 3 * HIGH, color=ORANGE, dash=DASHED, rounded=0)
    _table(drawing, 440, 40, table - row, "result (4, 3)", [(0, j) for j in range(3)], GREEN)
    return drawing.text(303, 176, "repeated", 12)


def picked() -> Drawing:
    """Return a table from whose rows one number each is picked, by two lists of places."""
    taken = [int(PICKED[i, j]) for i, j in enumerate(SHOP)]
    alt = (
        "A table with four rows and two columns. The rows 0, 1, 2 and 3 and the labels"
        f" {_listed(np.array(SHOP))} together pick a number from each row:"
        f" {_listed(np.array(taken))}."
    )
    drawing = Drawing(640, 180, alt)
    _table(drawing, 60, 40, np.arange(4)[:, None], "rows")
    _table(drawing, 140, 40, np.array(SHOP)[:, None], "labels")
    _table(drawing, 270, 40, PICKED, "a (4, 2)", list(enumerate(SHOP)), ORANGE)
    _table(
        drawing, 480, 40, np.array(taken)[:, None], "result (4,)", [(i, 0) for i in range(4)], GREEN
    )
    for i in range(4):
        y = 40 + HIGH * (i + 0.5)
        drawing.arrow(190, y, 264, y).arrow(366, y, 474, y)
    return drawing


def machine() -> Drawing:
    """Return the function that plus_one(half) makes, as a box with two boxes in it."""
    alt = (
        "plus_one(half) is a box with two boxes in it: 8 goes in, half makes 4 of it, + 1 makes"
        " 5, and 5 comes out."
    )
    drawing = Drawing(640, 130, alt)
    drawing.box(150, 30, 340, 90, dash=DASHED).text(320, 14, "plus_one(half)")
    for x, word, color in ((190, "half", SKY), (360, "+ 1", ORANGE)):
        drawing.box(x, 52, 90, 46, color).text(x + 45, 75, word)
    for start, end in ((90, 190), (280, 360), (450, 550)):
        drawing.arrow(start, 75, end, 75)
    return drawing.text(76, 75, "8").text(320, 62, "4").text(564, 75, "5")


def cloud(center_columns: Function, after: Any = None) -> LiveFigure:
    """Plot a cloud of points, and the learner's centred one."""

    def move(f: Any, right: float, up: float, width: float) -> Frame:
        given = CLOUD * np.array([width, 1.0]) + np.array([right, up])
        centred = f.center_columns(given, shape=given.shape)
        x, y = centred.mean(axis=0)
        return {"given": given.T, "centred": centred.T}, (
            f"the given cloud has its middle at ({number(given[:, 0].mean())},"
            f" {number(given[:, 1].mean())}), the centred one at ({number(x)}, {number(y)})."
        )

    title = "A cloud of points, and the same cloud centred"
    play = LiveFigure(
        title,
        move,
        {"center_columns": center_columns},
        after,
        missions={
            "the gray cloud on top of the blue one": lambda at, data: (
                np.max(np.abs(np.mean(data["given"], axis=1))) < 0.1
            ),
            "a gray cloud around (−2, 1)": lambda at, data: (
                np.max(np.abs(np.mean(data["given"], axis=1) - [-2, 1])) < 0.1
            ),
        },
    )
    ax = play.axes(xlabel="x", ylabel="y", xlim=(-7, 7), ylim=(-4, 4), aspect="equal")
    play.points("given", ax, Look(MUTED, marker="square"), twin=False, label="given", radius=2.5)
    play.points("centred", ax, label="centred", radius=3)
    play.slider("right", "moved right by", -4, 4, 3.0)
    play.slider("up", "moved up by", -2, 2, 1.0)
    play.slider("width", "wider, times", 0.5, 2, 1.0)
    return play


def steps(apply_twice: Function, after: Any = None) -> LiveFigure:
    """Plot a function of a price, and the learner's function that applies it twice."""
    x = np.linspace(0, 100, 101)

    def move(f: Any, kind: str, price: float) -> Frame:
        once = STEPS[kind]
        twice = f.apply_twice.wrap_result(f.apply_twice(once))
        after = float(twice(np.array([price]), shape=(1,))[0])
        return (
            {"once": (x, once(x)), "twice": (x, twice(x, shape=x.shape)), "dot": (price, after)},
            f"{number(price)} becomes {number(once(price))}, and after both steps {number(after)}.",
        )

    title = "A price, after one step and after two"
    play = LiveFigure(
        title,
        move,
        {"apply_twice": apply_twice},
        after,
        missions={
            "a price that both steps leave as it is": lambda at, data: (
                data["dot"][0] == data["dot"][1]
            ),
            "a price of which nothing is left": lambda at, data: data["dot"][1] == 0,
        },
    )
    ax = play.axes(xlabel="price before", ylabel="price after", xlim=(0, 102), ylim=(-22, 104))
    play.line("once", ax, Look(GREEN, (3, 3)), twin=False, label="one step")
    play.line("twice", ax, label="two steps")
    play.points("dot", ax, Look(BLACK))
    play.guess(ax)
    play.choice("kind", "step", [*STEPS])
    play.slider("price", "price", 0, 100, 100, step=1)
    return play


def _table(
    drawing: Drawing,
    x: float,
    y: float,
    values: Array,
    title: str = "",
    marked: Cells = (),
    fill: str = "none",
) -> None:
    """Draw a table of numbers with its top left corner at (x, y), some of its cells filled."""
    rows, columns = values.shape
    for i, j in marked:
        drawing.box(x + WIDE * j, y + HIGH * i, WIDE, HIGH, fill, rounded=0)
    drawing.line(_grid(x, y, rows, columns), width=1)
    for (i, j), value in np.ndenumerate(values):
        drawing.text(x + WIDE * (j + 0.5), y + HIGH * (i + 0.5), number(value.item()))
    if title:
        drawing.text(x + WIDE * columns / 2, y - 16, title, 13)


def _grid(x: float, y: float, rows: int, columns: int) -> Iterator[tuple[float, float] | None]:
    for i in range(rows + 1):
        yield from ((x, y + HIGH * i), (x + WIDE * columns, y + HIGH * i), None)
    for j in range(columns + 1):
        yield from ((x + WIDE * j, y), (x + WIDE * j, y + HIGH * rows), None)


def _listed(values: Array) -> str:
    return ", ".join(number(value.item()) for value in values)

"""The plays and drawings of the chain rule lesson, and the digits for its neuron."""

from __future__ import annotations

from typing import Any

import numpy as np

from playground import drawings
from playground.chain_graph import (
    GATE_STAGES,
    GATES,
    HOLES,
    NEURON,
    advice,
    filled,
    gate_stage,
    in_words,
    missing,
    neuron_slopes,
    neuron_values,
)
from playground.figure import style
from playground.figure.drawing import Drawing
from playground.figure.live import LiveFigure
from playground.figure.live import keep as keep
from playground.figure.scene import Frame
from playground.figure.still import Grid
from playground.figure.style import BLACK, GREEN, INK, ORANGE, PURPLE, SKY, Look, number
from playground.functions import Array, Function
from playground.functions.digits import digits

CHANGE = 1.0
"""Of x on the number lines."""

HEIGHTS = {"x": 2.0, "u": 1.0, "y": 0.0}
SMALLEST, LARGEST = -20, 10
"""The powers of ten in the figure of products."""

INPUTS, WEIGHTS, BIAS, TARGET = (2.0, -1.0), (0.5, 1.0), 0.0, 1.0
"""Of the neuron to fill in: its weighted sum is 0, so that all slopes are short numbers."""


def gears() -> Drawing:
    """Draw three gears, of which each turns the next one faster."""
    alt = (
        "Three gears in a row. A large one of 60 teeth turns one of 20 teeth, three times as fast."
        " That one turns a small one of 10 teeth, twice as fast. While the first turns once, the"
        " last turns six times."
    )
    drawing, x = Drawing(640, 250, alt), 40.0
    wheels = zip(
        (60, 20, 10), (style.SKY, style.ORANGE, style.GREEN), "xuy", (1, 3, 6), strict=True
    )
    for i, (teeth, color, name, turns) in enumerate(wheels):
        radius = 1.6 * teeth
        x += radius
        _gear(drawing, x, 115, teeth, i % 2)
        drawing.circle(x, 115, radius - 6, color).text(x, 115, name)
        drawing.text(x, 115 + radius + 22, f"{turns} turn{'s' * (turns > 1)}")
        x += radius
    for i, (name, color) in enumerate(
        zip("xuy", (style.SKY, style.ORANGE, style.GREEN), strict=True)
    ):
        drawing.circle(410 + 95 * i, 115, 20, color).text(410 + 95 * i, 115, name)
    for i, rate in enumerate(("· 3", "· 2")):
        drawing.arrow(433 + 95 * i, 115, 482 + 95 * i, 115).text(457 + 95 * i, 100, rate)
    drawing.line([(410, 142), (410, 165), (600, 165)]).arrow(600, 165, 600, 139)
    return drawing.text(505, 182, "· 6")


def neuron_graph() -> Drawing:
    """Draw the graph of a neuron with its loss: values above the edges, slopes below."""
    neuron = (1.0, 2.0), (1.0, 0.5), -2.0, 0.0
    values, slopes = neuron_values(*neuron), neuron_slopes(*neuron)
    places = {words: (40 + 77 * x, 245 - 75 * y) for (x, y), words in NEURON.nodes.values()}
    edges = [
        (NEURON.nodes[start][1], NEURON.nodes[end][1], values[name], slopes[name])
        for name, (start, end) in NEURON.edges.items()
    ]
    return drawings.graph(places, edges, size=(640, 310))


def two_digits(first: int, second: int) -> tuple[Array, Array, Array, Array]:
    """Return images of two digits and their labels, 1 for the second; then new ones of each."""
    all_ = digits()
    known, new = (np.isin(labels, (first, second)) for labels in (all_.labels, all_.labels_test))
    labels = (1.0 * (all_.labels[known] == second), 1.0 * (all_.labels_test[new] == second))
    return all_.X[known], labels[0], all_.X_test[new], labels[1]


def number_lines(chain: Function, after: Any = None) -> LiveFigure:
    """Plot x, u = x²/2 and y = sin(u) on number lines, and what a change of x makes of them."""

    def move(f: Any, x: float, at_x: bool) -> Frame:
        derivative = f.chain.wrap_result(f.chain(np.cos, lambda x: np.square(x) / 2, np.positive))
        slope, u = float(derivative(x, shape=())), x**2 / 2
        y, read = np.sin(u), x if at_x else u
        outer = float(np.cos(read))
        spots = {"x": (x, 1.0), "u": (u, x), "y": (y, slope)}
        arrows = {f"d{name}": _change(name, *spot) for name, spot in spots.items()}
        tips = np.array([[arrow[2], arrow[3]] for arrow in arrows.values()])
        return {
            **arrows,
            "wrong": _change("y", y, x * outer, 0.22) if at_x else (9, 9, 9, 9),
            "dots": ([x, u, y], [*HEIGHTS.values()]),
            "rates": _rates(tips[:, 0], x, outer),
            "links": (np.array([x, u, y, np.nan, *tips[:, 0]]), [2, 1, 0, 0, *tips[:, 1]]),
        }, (
            f"u changes {number(x)} times as fast as x, y {number(outer)} times as fast as u, read"
            f" at {number(read)}; the product is {number(x * outer)}, the whole slope"
            f" {number(slope)}."
        )

    play = LiveFigure(
        "Two rates and their product",
        move,
        {"chain": chain},
        after,
        missions={
            "an x above 0 at which y changes by less than 0.1": lambda at, data: (
                at.x > 0 and abs(data["dy"][2] - data["dy"][0]) < 0.1
            ),
            "an x above 0 at which y goes down": lambda at, data: (
                at.x > 0 and data["dy"][2] < data["dy"][0]
            ),
            "the box ticked, and both arrows of y alike": lambda at, data: (
                at.at_x and abs(data["wrong"][2] - data["dy"][2]) < 0.02
            ),
        },
    )
    ax = play.axes(xlim=(-3.2, 5.2), ylim=(-0.5, 2.5), xlabel="one scale for all three lines")
    ax.set_yticks([*HEIGHTS.values()], ["x", "u = x²/2", "y = sin(u)"])
    play.line("links", ax, Look(BLACK, (2, 4), width=1.2), twin=False)
    play.points("dots", ax, Look(BLACK), twin=False)
    play.words("rates", ax)
    play.arrow("dx", ax, Look(GREEN, width=5), twin=False)
    play.arrow("du", ax, Look(ORANGE, width=5), twin=False)
    play.arrow("dy", ax, label="change of y")
    play.arrow("wrong", ax, Look(PURPLE, (3, 3), width=4), twin=False, label="read at x")
    play.slider("x", "x", -2, 2, 1.2)
    play.switch("at_x", "read the outer slope at x (wrong)", False)
    return play


def graph(numerical_grad: Function, after: Any = None) -> LiveFigure:
    """Step through the graph of y = max(0, a·b + a): values forward, slopes back."""

    def move(f: Any, stage: int, a: float, b: float, one: bool) -> Frame:
        numerical = f.numerical_grad(_gates, np.array([a, b]), shape=(2,))
        open_ = float(a * b + a > 0)
        ways = np.array([b, 0 if one else 1, b if one else b + 1]) * open_ * (stage == 6)
        bars = {"ways": (range(3), ways), "numerical": ([3], numerical[:1])}
        return {**gate_stage(stage, a, b, one), **bars}, (
            f"{GATE_STAGES[stage][0]}; the slope for a along"
            f" {'one way' if one else 'both ways'} is {number(open_ * (b if one else b + 1))},"
            f" numerical_grad says {number(numerical[0])} for a and {number(numerical[1])} for b."
        )

    play = LiveFigure(
        "The graph of three gates",
        move,
        {"numerical_grad": numerical_grad},
        after,
        missions={
            "a sum that max stops: no slope comes back": lambda at, data: at.a * at.b + at.a < 0,
            "a slope for a below 0, though y is above 0": lambda at, data: (
                at.a * at.b + at.a > 0 and at.b < -1
            ),
            "a and b at which both ways bring a slope of 1": lambda at, data: (
                at.stage == 6 and at.b == 1 and at.a > 0 and not at.one
            ),
        },
    )
    grid = Grid(1, 3)
    left = play.axes(grid[:2], xlim=(-0.4, 6.0), ylim=(-0.5, 3.0))
    GATES.draw(left)
    right = play.axes(grid[2], ylabel="slope of y for a", xlim=(-0.6, 3.6), ylim=(-4.5, 4.5))
    right.set_xticks(range(4), ["by\n×", "by\n+", "sum", "numer-\nical"])
    play.line("forward", left, Look(SKY, width=3), twin=False, label="values")
    play.line("backward", left, Look(ORANGE, (6, 4), width=3), twin=False, label="slopes")
    play.words("values", left)
    play.words("slopes", left)
    play.bars("ways", right, Look(ORANGE), twin=False)
    play.bars("numerical", right, label="numerical_grad")
    play.slider("stage", "stage", 0, 6, 6, step=1)
    play.slider("a", "a", -3, 3, 2.0, step=0.25)
    play.slider("b", "b", -3, 3, 1.5, step=0.25)
    play.switch("one", "follow the way through × only", False)
    return play


def fill(neuron_grad: Function, numerical_grad: Function, after: Any = None) -> LiveFigure:
    """Fill in a neuron's slopes from the loss back; then the neuron's numbers follow sliders."""

    def move(f: Any, x1: float, w1: float, y: float, **typed: float) -> Frame:
        typed = {name.removeprefix("slope_"): value for name, value in typed.items()}
        x, w = np.array([x1, INPUTS[1]]), np.array([w1, WEIGHTS[1]])
        values, slopes = neuron_values(x, w, BIAS, y), neuron_slopes(x, w, BIAS, y)
        yours = _pair(f.neuron_grad, f.neuron_grad(x, w, BIAS, y))
        judge = f.numerical_grad(_neuron_loss(x, y), np.array([*w, BIAS]), shape=(3,))
        words = filled(typed, slopes)
        if alive := not missing(filled(typed, neuron_slopes(INPUTS, WEIGHTS, BIAS, TARGET))):
            own = dict(zip(("w1", "w2", "b"), yours, strict=True))
            words = in_words({**slopes, **own}, slopes)
        at = np.arange(3) - (9 if missing(words) else 0)  # out of sight until all are filled in
        agree = "agrees" if np.allclose(yours, judge, atol=1e-6) else "disagrees"
        return {
            "forward": NEURON.along(NEURON.edges, 0.06),
            "backward": NEURON.along([name for name in words if name not in missing(words)], -0.06),
            "values": NEURON.beside(in_words(values, NEURON.edges), 0.24),
            "slopes": NEURON.beside(words, -0.26),
            "yours": (at, yours),
            "judge": (at, judge),
        }, f"{advice(words, alive)}; neuron_grad {agree} with numerical_grad."

    functions = {"neuron_grad": neuron_grad, "numerical_grad": numerical_grad}
    play = LiveFigure(
        "Fill the graph backwards",
        move,
        functions,
        after,
        missions={
            "all six slopes filled in": lambda at, data: data["yours"][0][0] == 0,
            "then a target y at which every slope is 0": lambda at, data: (
                data["yours"][0][0] == 0 and np.max(np.abs(data["yours"][1])) < 0.005
            ),
        },
    )
    _lay_out_neuron(play)
    for name, (label, _) in HOLES.items():
        play.field(f"slope_{name}", f"slope at {label}", 0.0)
    play.slider("x1", "x₁", -3, 3, INPUTS[0], step=0.25)
    play.slider("w1", "w₁", -3, 3, WEIGHTS[0], step=0.25)
    play.slider("y", "target y", 0, 1, TARGET, step=0.25)
    return play


def depth(sigmoid_grad: Function, relu_grad: Function, after: Any = None) -> LiveFigure:
    """Plot the product over many layers of an activation's slope and a weight."""

    def move(f: Any, layers: int, z: float, w: float) -> Frame:
        count = np.arange(1, layers + 1)
        grads = {"sigmoid": f.sigmoid_grad, "ReLU": f.relu_grad}
        slopes = {name: float(grad(np.array([z]), shape=(1,))[0]) for name, grad in grads.items()}
        powers = {name: np.log10(max(abs(w * slope), 1e-99)) for name, slope in slopes.items()}
        lines = {name: (count, _within(count * power)) for name, power in powers.items()}
        return lines, (
            f"one layer multiplies by {number(w * slopes['sigmoid'])} with a sigmoid and by"
            f" {number(w * slopes['ReLU'])} with a ReLU; {layers} layers make"
            f" {_tiny((w * slopes['sigmoid']) ** layers)} and"
            f" {_tiny((w * slopes['ReLU']) ** layers)}."
        )

    functions = {"sigmoid_grad": sigmoid_grad, "relu_grad": relu_grad}
    play = LiveFigure(
        "The product of slopes in a deep network",
        move,
        functions,
        after,
        missions={
            "thirty layers of sigmoids whose product is 1": lambda at, data: (
                at.layers == 30 and abs(data["sigmoid"][1][-1]) < 0.1
            ),
            "a product of ReLUs above a million": lambda at, data: data["ReLU"][1][-1] > 6,
            "a z at which nothing gets through a ReLU": lambda at, data: data["ReLU"][1][-1] < -20,
        },
    )
    ax = play.axes(xlabel="layers", ylabel="product of w · slope", xlim=(0, 30))
    ax.set_ylim(SMALLEST - 1, LARGEST + 1)
    powers = range(SMALLEST, LARGEST + 1, 5)
    ax.set_yticks(powers, [f"$10^{{{power}}}$" for power in powers])
    play.line("sigmoid", ax, label="σ")
    play.line("ReLU", ax, Look(PURPLE, (10, 3), width=5), label="ReLU")
    play.guess(ax)
    play.slider("layers", "layers", 1, 30, 20, step=1)
    play.slider("z", "weighted sum z", -4, 4, 0.25, step=0.25)
    play.slider("w", "weight w", 0.25, 6, 1.0, step=0.25)
    return play


def _gear(drawing: Drawing, x: float, y: float, teeth: int, turned: int) -> None:
    """Draw a gear's teeth, with a tooth or a gap where it meets the next gear."""
    angles = (np.arange(2 * teeth + 1) + turned) * np.pi / teeth
    radii = 1.6 * teeth + np.where(np.arange(len(angles)) % 2, -3, 3)
    drawing.line(zip(x + radii * np.cos(angles), y + radii * np.sin(angles), strict=True))


def _change(name: str, at: float, rate: float, up: float = 0.0) -> tuple[float, ...]:
    """Return the arrow of a change on a number line."""
    return at, HEIGHTS[name] + up, at + CHANGE * rate, HEIGHTS[name] + up


def _rates(tips: Array, inner: float, outer: float) -> list[tuple[float, float, str]]:
    """Return the words between the lines, to the right of the arrows."""
    spots = zip((1.5, 0.5), np.maximum(tips[:-1], tips[1:]) + 0.5, (inner, outer), strict=True)
    return [(float(x), y, f"· {number(rate)}") for y, x, rate in spots]


def _gates(inputs: Any) -> float:
    return max(0.0, float(inputs[0] * inputs[1] + inputs[0]))


def _pair(function: Any, result: Any) -> Array:
    """Return (dw (2,), db) as one array (3,)."""
    if not isinstance(result, tuple | list) or [np.shape(part) for part in result] != [(2,), ()]:
        raise function.wrong_result(result, "the pair (dw, db)")
    return np.array([*result[0], result[1]], float)


def _neuron_loss(x: Array, y: float) -> Function:
    return lambda p: float(neuron_values(x, p[:2], p[2], y)["L"])


def _lay_out_neuron(play: LiveFigure) -> None:
    """Add the graph of the neuron, and below it the bars of the slopes."""
    grid = Grid(4, 1)
    ax = play.axes(grid[:3], xlim=(-0.4, 7.6), ylim=(-0.9, 3.2))
    NEURON.draw(ax)
    bars = play.axes(grid[3], xlim=(-0.6, 2.6), ylim=(-1.1, 1.1), ylabel="slope of L")
    bars.set_xticks(range(3), ["w₁", "w₂", "b"])
    play.line("forward", ax, Look(SKY, width=3), twin=False)
    play.line("backward", ax, Look(ORANGE, (6, 4), width=3), twin=False)
    play.words("values", ax)
    play.words("slopes", ax)
    play.bars("yours", bars, label="neuron_grad")
    look = Look(INK, marker="diamond")
    play.points("judge", bars, look, twin=False, label="numerical_grad")


def _within(powers: Array) -> Array:
    return np.clip(powers, SMALLEST - 0.5, LARGEST + 0.5)


def _tiny(value: float) -> str:
    return number(value, 3 if 1e-4 < abs(value) < 1e6 else 2, least=0)

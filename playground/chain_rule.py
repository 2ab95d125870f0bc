"""The three plays of the chain rule lesson."""

from __future__ import annotations

from typing import Any

import numpy as np

from playground.figure.live import LiveFigure
from playground.figure.scene import Frame
from playground.figure.style import BLACK, GREEN, ORANGE, PURPLE, SKY, YOURS, Look, number
from playground.functions import Array, Function

X = np.linspace(-2.4, 2.4, 97)
GEARS = [
    ("inner", "x", "u = x²/2", (-1.5, 3)),
    ("outer", "u", "y = sin(u)", (-2.25, 2.25)),
    ("whole", "x", "y = sin(x²/2)", (-2.25, 2.25)),
]
CURVES = {"inner": (X, X**2 / 2), "outer": (X, np.sin(X)), "whole": (X, np.sin(X**2 / 2))}
SMALLEST = 1e-20

NODES = {"x": (0.0, 1.0), "first": (1.0, 1.8), "second": (1.0, 0.2), "y": (2.0, 1.0)}
BESIDE = {"x": (0.28, 0.0), "first": (0.46, 0.24), "second": (-0.24, -0.46), "y": (0.28, 0.0)}
"""Distance from its node to its value and to its slope, on the side without lines."""
PATHS = [("x", "first"), ("x", "second"), ("first", "y"), ("second", "y")]
STAGES = [
    "x is given",
    "x goes into both factors",
    "the factors make y",
    "each factor's slope",
    "both paths back to x",
]


def gears(chain: Function, after: Any = None) -> LiveFigure:
    """Plot u = x²/2, y = sin(u) and y over x with their tangents: two slopes make the third."""

    def move(f: Any, x: float, at_x: bool) -> Frame:
        derivative = f.chain.wrap_result(f.chain(np.cos, lambda x: np.square(x) / 2, np.positive))
        slope, u = float(derivative(x, shape=())), x**2 / 2
        y, read = np.sin(u), x if at_x else u
        outer = float(np.cos(read))
        spots = {"inner": (x, u, x), "outer": (read, np.sin(read), outer), "whole": (x, y, slope)}
        return {
            **CURVES,
            **{f"{name} point": spot[:2] for name, spot in spots.items()},
            **{f"{name} slope": _tangent(*spot) for name, spot in spots.items()},
            "wrong": _tangent(x, y if at_x else np.nan, x * outer),
        }, (
            f"inner slope {number(x)}; outer slope {number(outer)}, read at {number(read)};"
            f" their product {number(x * outer)}; slope of the whole {number(slope)}."
        )

    play = LiveFigure("Two slopes and their product", move, {"chain": chain}, after)
    for spot, (name, xlabel, ylabel, ylim) in enumerate(GEARS, 131):
        last, ax = name == "whole", play.axes(spot, xlabel=xlabel, ylabel=ylabel)
        ax.set(xlim=(-2.4, 2.4), ylim=ylim)
        play.line(name, ax, Look(BLACK, width=1.5), twin=False)
        look = YOURS if last else Look(GREEN, (9, 3), width=4)
        play.line(f"{name} slope", ax, look, twin=last, label="tangent" * last)
        play.points(f"{name} point", ax, Look(BLACK), twin=False)
    play.line("wrong", ax, Look(PURPLE, (3, 3), width=4), twin=False, label="read at x")
    play.slider("x", "x", -2, 2, 1.2)
    play.switch("at_x", "read the outer slope at x (wrong)", False)
    return play


def graph(numerical_grad: Function, after: Any = None) -> LiveFigure:
    """Step through the graph of y = x·x: values forward, slopes back, and the numerical slope."""

    def move(f: Any, stage: int, x: float, one: bool) -> Frame:
        numerical = f.numerical_grad(lambda x: float(x[0] * x[0]), np.array([x]), shape=(1,))
        parts = [x, 0.0 if one else x, x if one else 2 * x]
        paths = range(3), parts if stage == 4 else [0, 0, 0]
        return {**_stage(stage, x, one), "paths": paths, "numerical": ([3], numerical)}, (
            f"{STAGES[stage]}; the slope along {'one path' if one else 'both paths'} is"
            f" {number(parts[2])}, numerical_grad says {number(numerical[0])}."
        )

    play = LiveFigure("The graph of y = x·x", move, {"numerical_grad": numerical_grad}, after)
    left = play.axes(121, xlim=(-0.5, 2.5), ylim=(-0.5, 2.5))
    left.set_axis_off()
    right = play.axes(122, ylabel="slope of y for x", xlim=(-0.6, 3.6), ylim=(-6.5, 6.5))
    right.set_xticks(range(4), ["first\npath", "second\npath", "sum", "numer-\nical"])
    play.line("forward", left, Look(SKY, width=3), twin=False, label="values")
    play.line("backward", left, Look(ORANGE, (6, 4), width=3), twin=False, label="slopes")
    play.points("nodes", left, Look(BLACK), twin=False)
    play.words("values", left)
    play.words("slopes", left)
    play.bars("paths", right, Look(ORANGE), twin=False)
    play.bars("numerical", right, label="numerical_grad")
    play.slider("stage", "stage", 0, 4, 4, step=1)
    play.slider("x", "x", -3, 3, 2.0, step=0.25)
    play.switch("one", "follow one path only", False)
    return play


def depth(sigmoid_grad: Function, relu_grad: Function, after: Any = None) -> LiveFigure:
    """Plot the product of the slopes of many activations in a row, all at the same z."""

    def move(f: Any, layers: int, z: float) -> Frame:
        count = np.arange(1, layers + 1)
        grads = {"sigmoid": f.sigmoid_grad, "ReLU": f.relu_grad}
        slopes = {name: float(grad(np.array([z]), shape=(1,))[0]) for name, grad in grads.items()}
        products = {name: slope**count for name, slope in slopes.items()}
        lines = {name: (count, np.maximum(product, SMALLEST)) for name, product in products.items()}
        return lines, (
            f"one sigmoid slope is {number(slopes['sigmoid'])}, {layers} of them make"
            f" {_tiny(products['sigmoid'][-1])}; ReLU slopes make {_tiny(products['ReLU'][-1])}."
        )

    functions = {"sigmoid_grad": sigmoid_grad, "relu_grad": relu_grad}
    play = LiveFigure("The product of slopes in a deep network", move, functions, after)
    ax = play.axes(xlabel="layers", ylabel="product of the slopes", yscale="log")
    ax.set(xlim=(0, 30), ylim=(SMALLEST / 10, 10))
    play.line("sigmoid", ax, label="sigmoid")
    play.line("ReLU", ax, Look(PURPLE, (10, 3), width=5), label="ReLU")
    play.slider("layers", "layers", 1, 30, 20, step=1)
    play.slider("z", "weighted sum z", -4, 4, 0.5, step=0.25)
    return play


def _stage(now: int, x: float, one: bool) -> dict[str, Any]:
    """Return the graph's data at a stage: values forward, from stage 3 on slopes back."""
    paths, factor = PATHS[::2] if one else PATHS, f"factor {number(x)}" * (now >= 1)
    y = f"y = {number(x * x)}" * (now >= 2)
    slopes = dict.fromkeys(("first",) if one else ("first", "second"), f"slope {number(x)}")
    forward = [(a, b) for a, b in paths if now >= (1 if a == "x" else 2)]
    backward = [(b, a) for a, b in paths if now >= (4 if a == "x" else 3)]
    return {
        "nodes": tuple(zip(*NODES.values(), strict=True)),
        "forward": _edges(forward),
        "backward": _edges(backward, shift=-0.13),
        "values": _beside({"x": f"x = {number(x)}", "first": factor, "second": factor, "y": y}, 0),
        "slopes": _beside(slopes if now >= 3 else dict.fromkeys(slopes, ""), 1),
    }


def _beside(texts: dict[str, str], which: int) -> list[tuple[float, float, str]]:
    """Place texts next to their nodes."""
    return [(NODES[n][0], NODES[n][1] + BESIDE[n][which], text) for n, text in texts.items()]


def _tangent(x: float, y: float, slope: float) -> tuple[Array, Array]:
    """Return a piece of tangent, of the same length for every slope."""
    half = 1.1 / np.hypot(1, slope)
    return np.array([x - half, x + half]), np.array([y - half * slope, y + half * slope])


def _edges(paths: list[tuple[str, str]], shift: float = 0.0) -> tuple[Array, Array]:
    """Return the lines of some paths of the graph, with gaps between them and at the nodes."""
    share, gap = np.array([[0.12], [0.88]]), np.full((1, 2), np.nan)
    lines = [(1 - share) * NODES[a] + share * NODES[b] for a, b in paths]
    x, y = np.concatenate([gap, *(part for line in lines for part in (line, gap))]).T
    return x, y + shift


def _tiny(value: float) -> str:
    return number(value, 3 if value > 1e-4 else 2, least=0)

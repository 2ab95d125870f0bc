"""The three plays of the initialization lesson."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from playground.figure.live import LiveFigure
from playground.figure.scene import Frame
from playground.figure.style import BLACK, SERIES, Look, number
from playground.functions import Array, Function

FUNCTIONS = ("init_normal", "init_xavier_uniform", "init_kaiming_normal", "layer_scales")
"""The order of `functions` in `depth`; `sampler` takes the first three."""

WIDTH = 32
"""Neurons in each layer of the deep network."""
SIGNAL = np.random.default_rng(3).normal(size=(32, WIDTH))
SCHEMES: dict[str, tuple[Any, ...]] = {
    "N(0, 1)": ("init_normal", 1.0),
    "N(0, 0.0001)": ("init_normal", 0.01),
    "normal, std 0.3": ("init_normal", 0.3),
    "Xavier": ("init_xavier_uniform",),
    "Kaiming": ("init_kaiming_normal",),
}
"""A function to draw weights with, and its standard deviation."""

EDGES = np.linspace(-1.5, 1.5, 61)

UNITS, STEPS, RATE = 4, 200, 0.2
PARTS: dict[str, Any] = {
    "hidden weights": (2, 4),
    "hidden biases": 4,
    "output weights": 4,
    "output bias": 1,
}
STARTS = {
    "zeros": (),
    "all 0.5": (),
    "random": ("hidden weights", "output weights"),
    "only biases random": ("hidden biases",),
    "random, output 0": ("hidden weights",),
}
"""Starts of the clones' training with the parts that are random in them."""
POINTS = np.random.default_rng(5).uniform(-1, 1, size=(40, 2))
WANTED = np.sin(3 * POINTS[:, 0]) * POINTS[:, 1] + 0.5
ACTIVATIONS: dict[str, tuple[Function, Function]] = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "ReLU": (lambda z: np.clip(z, 0.0, None), lambda z: np.heaviside(z, 0.0)),
    "sigmoid": (lambda z: 0.5 + 0.5 * np.tanh(z / 2), lambda z: 0.25 - 0.25 * np.tanh(z / 2) ** 2),
}
"""Each activation with its slope."""


def depth(*functions: Function, after: Any = None) -> LiveFigure:
    """Plot the size of a signal in a deep network, for four ways to draw the weights."""

    def move(f: Any, layers: int, scheme: str, activation: str) -> Frame:
        rng = np.random.default_rng(7)
        weights = [_draw(f, scheme, WIDTH, WIDTH, rng) for _ in range(layers)]
        scales = f.layer_scales(SIGNAL, weights, ACTIVATIONS[activation][0], shape=(layers,))
        sizes = np.append(np.sqrt(np.mean(SIGNAL**2)), scales)
        data = {"sizes": (np.arange(len(sizes)), np.clip(sizes, 1e-30, 1e30))}
        return data, f"after {layers} layers the signal has size {number(sizes[-1], 2, least=0)}."

    own = dict(zip(FUNCTIONS, functions, strict=True))
    play = LiveFigure("The size of a signal in a deep network", move, own, after)
    ax = play.axes(xlabel="layer", ylabel="root mean square of its output", yscale="log")
    ax.set(xlim=(0, 30), ylim=(1e-20, 1e20))
    play.line("sizes", ax, label="signal")
    play.slider("layers", "layers", 1, 30, 20, step=1)
    play.choice("scheme", "weights", ["N(0, 1)", "N(0, 0.0001)", "Xavier", "Kaiming"])
    play.choice("activation", "activation", ["ReLU", "tanh"])
    return play


def clones(n_distinct_units: Function, after: Any = None) -> LiveFigure:
    """Plot four hidden units in training: their weights, and how many of them differ."""

    def move(f: Any, step: int, start: str, activation: str) -> Frame:
        weights, biases, _, _, losses = training(start, activation)
        seen = np.append(np.arange(0, step, 20), step)
        counts = np.array([f.n_distinct_units(weights[i], biases[i], shape=()) for i in seen])
        first = weights[: step + 1, 0].T
        paths = {f"unit {unit}": (np.arange(step + 1), path) for unit, path in enumerate(first, 1)}
        return {**paths, "counts": (seen, counts)}, (
            f"after {step} steps the loss is {number(losses[step])}, at the start"
            f" {number(losses[0])}; hidden units that differ: {int(counts[-1])} of {UNITS}."
        )

    functions = {"n_distinct_units": n_distinct_units}
    play = LiveFigure("Four hidden units in training", move, functions, after)
    steps: Any = {"xlabel": "step", "xlim": (0, STEPS)}
    left = play.axes(121, ylabel="first weight of each unit", ylim=(-2, 1.2), **steps)
    right = play.axes(122, ylabel="units that differ", ylim=(0, UNITS + 0.5), **steps)
    right.set_yticks(range(UNITS + 1))
    for unit, (look, width) in enumerate(zip(SERIES, (9, 6.5, 4, 2), strict=False), 1):
        dash = look.dash if unit > 1 else ()
        play.line(f"unit {unit}", left, Look(look.color, dash, width=width), twin=False)
    play.line("counts", right, label="count")
    play.slider("step", "training steps", 0, STEPS, 100, step=1)
    play.choice("start", "start", list(STARTS))
    play.choice("activation", "activation", list(ACTIVATIONS))
    return play


def sampler(*functions: Function, after: Any = None) -> LiveFigure:
    """Plot the weights of one layer, their standard deviation and the farthest of them."""

    def move(f: Any, scheme: str, fan_in: int, fan_out: int) -> Frame:
        W = _draw(f, scheme, fan_in, fan_out, np.random.default_rng(11))
        shares = np.histogram(W, EDGES)[0] / W.size
        std, farthest = float(W.std()), float(np.abs(W).max())
        ends = np.array([0, 0.5, np.nan, 0, 0.5])
        return {
            "shares": (np.repeat(EDGES, 2)[1:-1], np.repeat(shares, 2)),
            "std": (np.array([-std, -std, np.nan, std, std]), ends),
            "farthest": (np.array([-farthest, farthest]), np.zeros(2)),
        }, (
            f"{W.size} weights with mean {number(abs(W.mean()), 1)}, standard deviation"
            f" {number(std, 2)}; the farthest is {number(farthest, 2)} from 0."
        )

    own = dict(zip(FUNCTIONS[:3], functions, strict=True))
    play = LiveFigure("The weights of one layer", move, own, after)
    ax = play.axes(xlabel="weight", ylabel="share of the weights", xlim=(-1.5, 1.5), ylim=(0, 0.4))
    play.line("shares", ax, label="weights")
    play.line("std", ax, Look(BLACK, (6, 4), width=1.5), twin=False, label="± standard deviation")
    play.points("farthest", ax, Look(BLACK, marker="triangle"), twin=False, label="farthest")
    play.choice("scheme", "weights", ["normal, std 0.3", "Xavier", "Kaiming"])
    play.slider("fan_in", "inputs, fan_in", 10, 200, 50, step=1)
    play.slider("fan_out", "neurons, fan_out", 10, 200, 50, step=1)
    return play


def _draw(f: Any, scheme: str, fan_in: int, fan_out: int, rng: np.random.Generator) -> Any:
    name, *std = SCHEMES[scheme]
    return getattr(f, name)(fan_in, fan_out, *std, rng, shape=(fan_in, fan_out))


@lru_cache
def training(start: str, activation: str) -> tuple[Array, ...]:
    """Train a network 2-4-1 with a linear output, and return a row for each step.

    The parts are hidden weights (…, 2, 4) and biases (…, 4), output weights (…, 4) and bias (…, 1),
    and losses. They are rounded to nine decimals, so that equal units stay equal on every machine.
    """
    act, slope = ACTIVATIONS[activation]
    rng, rest, rows = np.random.default_rng(2), 0.5 if start == "all 0.5" else 0.0, []
    drawn = {name: rng.normal(0, 0.7, size=size) for name, size in PARTS.items()}
    random = STARTS[start]
    W, b, v, c = (np.round(x, 9) if n in random else 0 * x + rest for n, x in drawn.items())
    for _ in range(STEPS + 1):
        Z = POINTS @ W + b
        H = act(Z)
        gap = H @ v + c - WANTED
        rows.append((W, b, v, c, np.mean(gap**2)))
        blame = (2 / len(POINTS)) * gap
        back = np.outer(blame, v) * slope(Z)
        W = np.round(W - RATE * np.einsum("ni,nu->iu", POINTS, back), 9)
        b = np.round(b - RATE * np.einsum("nu->u", back), 9)
        v = np.round(v - RATE * np.einsum("nu,n->u", H, blame), 9)
        c = np.round(c - RATE * np.sum(blame), 9)
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def first_step(start: str, activation: str) -> str:
    """Name the parameters that the first step of training changes."""
    columns = zip(PARTS, training(start, activation), strict=False)
    return ", ".join(name for name, values in columns if np.any(values[1] != values[0]))

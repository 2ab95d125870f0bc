"""The plays of the initialization lesson; those of deep networks are in `deep_signal`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from playground import drawings
from playground.deep_signal import corridor, depth, with_slope
from playground.figure.drawing import DASHED, Drawing
from playground.figure.live import LiveFigure
from playground.figure.live import keep as keep
from playground.figure.scene import Frame
from playground.figure.style import BLACK, SERIES, Look, number
from playground.functions import Array, Function
from playground.functions.digits import digits

__all__ = ["clones", "corridor", "depth", "drawing", "first_steps", "sampler", "some_digits"]

EDGES = np.linspace(-3, 3, 61)
LAWS: dict[str, float | None] = {
    "uniform, bound 1": None,
    "normal, std 0.58": 0.58,
    "normal, std 1": 1.0,
}
"""The standard deviation of each normal distribution in `sampler`."""

UNITS, STEPS, RATE = 4, 200, 0.2
PARTS: dict[str, Any] = {
    "hidden weights": (2, 4),
    "hidden biases": 4,
    "output weights": 4,
    "output bias": 1,
}
LETTERS = dict(zip(PARTS, ["W", "b", "v", "c"], strict=True))
"""The letter of each part in the lesson's drawing and table."""
STARTS: dict[str, tuple[float, tuple[str, ...]]] = {
    "all 0.5": (0.5, ()),
    "only outputs random": (0.5, ("output weights",)),
    "zeros": (0.0, ()),
    "only biases random": (0.0, ("hidden biases",)),
    "random, outputs 0": (0.0, ("hidden weights",)),
    "random": (0.0, ("hidden weights", "output weights")),
}
"""Starts of the clones' training: a number for all parts, and the parts that are random instead."""
POINTS = np.random.default_rng(5).uniform(-1, 1, size=(40, 2))
WANTED = np.sin(3 * POINTS[:, 0]) * POINTS[:, 1] + 0.5
ACTIVATIONS = ("tanh", "ReLU", "sigmoid")


def drawing() -> Drawing:
    """Return the network 2-4-1 with its parameters' letters, and the way back below it."""
    picture = drawings.network((2, 4, 1), tables=("W", "v"))
    picture.alt += (
        " The hidden units have the biases b (4,), the output the bias c. Below, dashed, the way"
        " back: from the output to the hidden units the error times v, from there to W times the"
        " slope of the activation, times the input."
    )
    bottom, picture.height = picture.height + 10, picture.height + 44
    picture.text(370, 32, "+ b (4,)", 13).text(606, bottom / 2 - 26, "+ c", 13)
    for start, end, words in (
        (575, 335, "error · v"),
        (305, 65, "· slope of the activation · input"),
    ):
        picture.arrow(start, bottom, end, bottom, drawings.BACKWARD, DASHED)
        picture.text((start + end) / 2, bottom + 18, words, 13)
    return picture


def some_digits() -> tuple[Array, Array]:
    """Return the images (n, 64) and labels (n,) of the handwritten digits to train with."""
    return digits().X, digits().labels


def clones(n_distinct_units: Function, after: Any = None) -> LiveFigure:
    """Plot four hidden units in training: their weights, and how many of them differ."""

    def move(f: Any, step: int, start: str, activation: str) -> Frame:
        weights, biases, _, _, losses = training(start, activation)
        seen = np.array(sorted({0, min(1, step), *range(0, step, 20), step}))
        counts = np.array([f.n_distinct_units(weights[i], biases[i], shape=()) for i in seen])
        first = weights[: step + 1, 0].T
        paths = {f"unit {unit}": (np.arange(step + 1), path) for unit, path in enumerate(first, 1)}
        return {**paths, "counts": (seen, counts)}, (
            f"after {step} step{'s' * (step != 1)} the loss is {number(losses[step])}, at the start"
            f" {number(losses[0])}; different hidden units: {int(counts[-1])} of {UNITS}."
        )

    functions = {"n_distinct_units": n_distinct_units}
    play = LiveFigure(
        "Four hidden units in training",
        move,
        functions,
        after,
        missions={
            "four different units from equal hidden weights": lambda at, data: (
                at.start in ("only outputs random", "only biases random")
                and data["counts"][1][-1] == 4
            ),
            "a start from which no hidden weight moves in 200 steps": lambda at, data: (
                at.step == STEPS and all(np.ptp(data[f"unit {i}"][1]) == 0 for i in range(1, 5))
            ),
            "zeros that train all the same, as one unit": lambda at, data: (
                at.start == "zeros"
                and np.ptp(data["unit 1"][1]) > 0.01
                and data["counts"][1][-1] == 1
            ),
        },
    )
    steps: Any = {"xlabel": "step", "xlim": (0, STEPS)}
    left = play.axes(121, ylabel="first weight of each unit", ylim=(-2, 1.2), **steps)
    right = play.axes(122, ylabel="different units", ylim=(0, UNITS + 0.5), **steps)
    right.set_yticks(range(UNITS + 1))
    for unit, (look, width) in enumerate(zip(SERIES, (9, 6.5, 4, 2), strict=False), 1):
        dash = look.dash if unit > 1 else ()
        play.line(f"unit {unit}", left, Look(look.color, dash, width=width), twin=False)
    play.line("counts", right, label="count")
    play.guess(right, along="y")
    play.slider("step", "training steps", 0, STEPS, 100, step=1)
    play.choice("start", "start", list(STARTS))
    play.choice("activation", "activation", list(ACTIVATIONS))
    return play


@lru_cache
def training(start: str, activation: str) -> tuple[Array, ...]:
    """Train a network 2-4-1 with a linear output, and return a row for each step.

    The parts are hidden weights (…, 2, 4) and biases (…, 4), output weights (…, 4) and bias (…, 1),
    and losses. They are rounded to nine decimals, so that equal units stay equal on every machine.
    """
    act, slope = with_slope(activation)
    rng, rows, (rest, random) = np.random.default_rng(2), [], STARTS[start]
    drawn = {name: rng.normal(0, 0.7, size=size) for name, size in PARTS.items()}
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
    """Return the letters of the parameters that the first step of training changes, else dots."""
    parts = zip(PARTS, training(start, activation), strict=False)
    moved = {name: np.any(values[1] != values[0]) for name, values in parts}
    return " ".join(LETTERS[name] if moves else "·" for name, moves in moved.items())


def first_steps() -> str:
    """Return a table of what the first step changes: a row a start, a column an activation."""
    rows = [[start, *(first_step(start, one) for one in ACTIVATIONS)] for start in STARTS]
    table = [["", *ACTIVATIONS], *rows]
    return "\n".join(f"{row[0]:20} " + "   ".join(f"{cell:8}" for cell in row[1:]) for row in table)


def sampler(init_normal: Function, after: Any = None) -> LiveFigure:
    """Plot numbers of one distribution, their standard deviation and the farthest of them."""

    def move(f: Any, law: str) -> Frame:
        rng, std = np.random.default_rng(11), LAWS[law]
        drawn = f.init_normal(50, 50, std or 1.0, rng, shape=(50, 50))
        numbers = drawn if std else rng.uniform(-1, 1, size=(50, 50))
        shares = np.histogram(numbers, EDGES)[0] / numbers.size
        spread, farthest = float(numbers.std()), float(np.abs(numbers).max())
        ends = np.array([0, 0.1, np.nan, 0, 0.1])
        return {
            "shares": (np.repeat(EDGES, 2)[1:-1], np.repeat(shares, 2)),
            "std": (np.array([-spread, -spread, np.nan, spread, spread]), ends),
            "farthest": (np.array([-farthest, farthest]), np.zeros(2)),
        }, (
            f"{numbers.size} numbers: variance {number(spread**2, 2)}, standard deviation"
            f" {number(spread, 2)}; the farthest is {number(farthest, 2)} from 0."
        )

    play = LiveFigure("Variance, spread and bound", move, {"init_normal": init_normal}, after)
    ax = play.axes(xlabel="number", ylabel="share of the numbers", xlim=(-3, 3), ylim=(0, 0.1))
    play.line("shares", ax, label="numbers")
    play.line("std", ax, Look(BLACK, (6, 4), width=1.5), twin=False, label="± std")
    play.points("farthest", ax, Look(BLACK, marker="triangle"), twin=False, label="farthest")
    play.guess(ax, along="x")
    play.choice("law", "distribution", list(LAWS))
    return play

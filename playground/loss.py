"""The plays of the loss lesson, but for the forecaster's, which has a module to itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from playground.figure import style
from playground.figure.drawing import Drawing
from playground.figure.learner_function import LearnerFunction
from playground.figure.live import LiveFigure
from playground.figure.live import keep as keep
from playground.figure.scene import Frame
from playground.figure.style import BLACK, GREEN, PURPLE, SKY, VERMILLION, Look, number, words
from playground.functions import Array, Function
from playground.loss_forecast import forecast as forecast  # the lesson knows one module

P = np.linspace(0.01, 0.99, 99)
DAYS = np.arange(1, 11)

Z = np.linspace(-12, 12, 49)
STEP = 1e-4
"""Half the distance of the two points that give a slope."""

X = np.linspace(0.25, 3, 12)
Y = X + 0.15 * np.sin(7 * X)
"""Twelve points near the line y = x; a slider moves the last one."""
SLOPES = np.linspace(-0.5, 3, 141)

LABELS = np.arange(10)
OPINIONS = np.diag([2.5, 1.0, 2.0, 0.0, 1.5, 3.0, 0.5, 2.0, 0.0, 1.5])
OPINIONS[[3, 8], [5, 2]] = 1.0, 0.7
"""Logits of ten images, one of each digit: a 3 is taken for a 5, an 8 for a 2, the others read."""
SURENESS = np.linspace(0, 6, 61)


def drawing() -> Drawing:
    """Draw three predictions, their gaps, the prices of the gaps, and the loss as their mean."""
    rows = (("2.5", "3", "−0.5", "0.25"), ("4", "3", "1", "1"), ("1.5", "1", "0.5", "0.25"))
    told = "; ".join(f"{a} for {b}: gap {gap}, price {price}" for a, b, gap, price in rows)
    picture = Drawing(640, 220, f"From predictions to a loss. {told}. The mean, the loss: 0.5.")
    columns = (
        (70, "prediction", style.SKY),
        (190, "wanted", style.GREEN),
        (310, "gap", style.ORANGE),
        (430, "price: gap²", style.PURPLE),
    )
    for x, name, _ in columns:
        picture.text(x, 14, name, 12)
    for row, y in zip(rows, (60, 120, 180), strict=True):
        for value, (x, _, fill) in zip(row, columns, strict=True):
            picture.box(x - 34, y - 20, 68, 40, fill).text(x, y, value)
        picture.text(130, y, "−", 18).arrow(226, y, 274, y).arrow(346, y, 394, y)
        picture.arrow(466, y, 536, 120 + 0.3 * (y - 120))
    picture.text(505, 62, "mean", 12).text(570, 14, "loss", 12)
    return picture.circle(570, 120, 32, style.PURPLE).text(570, 120, "0.5", 16)


def likelihood(after: Any = None) -> LiveFigure:
    """Plot the probability of ten days as a product, and the mean of −ln of its factors."""

    def move(_: Any, p: float, wet: int) -> Frame:
        products = np.cumprod(np.where(wet >= DAYS, p, 1 - p))
        costs = -(wet * np.log(P) + (10 - wet) * np.log(1 - P)) / 10
        cost = -float(np.log(products[-1])) / 10
        return {"products": (DAYS, products), "costs": (P, costs), "cost": (p, cost)}, (
            f"With p = {number(p)} on all days, the ten days together had a probability of"
            f" {_chance(float(products[-1]))}; the mean of −ln is {number(cost)}."
        )

    play = LiveFigure(
        "Ten days: their product and their mean of −ln",
        move,
        None,
        after,
        missions={
            "7 wet days of ten, and the p that makes them likeliest": lambda at, data: (
                at.wet == 7 and at.p == 0.7
            ),
            "3 wet days of ten, and the p with the lowest mean of −ln": lambda at, data: (
                at.wet == 3 and at.p == 0.3
            ),
            "ten days less likely than one in a million": lambda at, data: (
                data["products"][1][-1] < 1e-6
            ),
        },
    )
    left = play.axes(121, xlabel="days so far", ylabel="probability, all multiplied", ylim=(0, 1))
    left.set(xlim=(0.4, 10.6), xticks=[1, 4, 7, 10])
    right = play.axes(122, xlabel="your p for rain", ylabel="mean of −ln", xlim=(0, 1), ylim=(0, 3))
    play.bars("products", left, Look(SKY), twin=False, label="product")
    play.line("costs", right, Look(GREEN, width=5), twin=False, label="mean of −ln")
    play.points("cost", right, Look(BLACK), twin=False, label="at your p")
    play.guess(left, along="y")
    play.slider("p", "your p for rain", 0.01, 0.99, 0.9, step=0.01)
    play.slider("wet", "wet days of ten", 0, 10, 10, step=1)
    return play


def outlier(mse: Function, after: Any = None) -> LiveFigure:
    """Fit a line through the origin by three losses while one point moves."""

    def move(f: Any, height: float) -> Frame:
        y = np.append(Y[:-1], height)
        gaps = np.abs(SLOPES[:, None] * X - y)
        costs = {
            "squared": [f.mse(slope * X, y, shape=()) for slope in SLOPES],
            "absolute": np.mean(gaps, axis=1),
            "Huber": np.mean(np.where(gaps <= 1, gaps**2 / 2, gaps - 0.5), axis=1),
        }
        best = {name: SLOPES[np.argmin(cost)] for name, cost in costs.items()}
        lines = {name: ([0, 3.2], [0, 3.2 * slope]) for name, slope in best.items()}
        points = {"points": (X[:-1], Y[:-1]), "outlier": (X[-1], height)}
        return lines | points, (
            f"slopes by squared, absolute and Huber's errors: {words(best.values())}."
        )

    play = LiveFigure(
        "Three fits while one point is dragged",
        move,
        {"mse": mse},
        after,
        missions={
            "all three lines in one": lambda at, data: (
                np.ptp([data[name][1][1] for name in ("squared", "absolute", "Huber")]) < 0.1
            ),
            "the line of the MSE pulled up to a slope of 1.5": lambda at, data: (
                data["squared"][1][1] > 1.49 * 3.2
            ),
            "the line of the MSE pulled down to a slope below 0.6": lambda at, data: (
                data["squared"][1][1] < 0.6 * 3.2
            ),
        },
    )
    ax = play.axes(xlabel="input x", ylabel="output y", xlim=(0, 3.2), ylim=(-3, 10))
    play.line("squared", ax, label="MSE")
    play.line("absolute", ax, Look(GREEN, (9, 3)), twin=False, label="absolute error")
    play.line("Huber", ax, Look(PURPLE, (3, 3)), twin=False, label="Huber")
    play.points("points", ax, Look(BLACK), twin=False)
    play.points("outlier", ax, Look(VERMILLION, marker="square"), twin=False)
    play.slider("height", "last point's height", -3, 10, 6.0, step=0.25)
    play.grip("height", ax, "y")
    return play


def slopes(mse: Function, binary_cross_entropy: Function, after: Any = None) -> LiveFigure:
    """Plot two losses of one neuron, and their slopes, over its z."""

    def move(f: Any, z: float, y: str) -> Frame:
        losses = {"mse": _loss(f.mse, float(y)), "bce": _loss(f.binary_cross_entropy, float(y))}
        here = {name: loss(np.array([z]))[0] for name, loss in losses.items()}
        ends = np.array([z - STEP, z + STEP])
        steep = {name: np.diff(loss(ends))[0] / (2 * STEP) for name, loss in losses.items()}
        curves = {
            name: _curve(loss.name, loss.get(), loss.helpers, loss.whole, float(y))
            for name, loss in (("mse", f.mse), ("bce", f.binary_cross_entropy))
        }
        return {
            **{name: (Z, curve) for name, curve in curves.items()},
            **{f"{name} slope": (Z, np.gradient(curve, Z)) for name, curve in curves.items()},
            "values": ([z, z], [*here.values()]),
            "slopes": ([z, z], [*steep.values()]),
        }, (
            f"squared error {number(here['mse'])} with slope {_exact(steep['mse'])}; cross-entropy"
            f" {number(here['bce'])} with slope {_exact(steep['bce'])}; p\u00a0−\u00a0y ="
            f" {_exact(1 / (1 + np.exp(-z)) - float(y))}."
        )

    own = {"mse": mse, "binary_cross_entropy": binary_cross_entropy}
    play = LiveFigure(
        "Two losses of one neuron and their slopes",
        move,
        own,
        after,
        missions={
            "a squared error above 0.95 with a slope below 0.01": lambda at, data: (
                data["values"][1][0] > 0.95 and abs(data["slopes"][1][0]) < 0.01
            ),
            "a cross-entropy above 5 with label 1": lambda at, data: (
                at.y == "1" and data["values"][1][1] > 5
            ),
            "right and sure: both losses below 0.01": lambda at, data: (
                max(data["values"][1]) < 0.01
            ),
        },
    )
    z_axis = {"xlabel": "z of the neuron", "xlim": (-12, 12)}
    values = play.axes(121, ylabel="loss", ylim=(-0.5, 12.5), **z_axis)
    steepness = play.axes(122, ylabel="slope of the loss", ylim=(-1.1, 1.1), **z_axis)
    for name, color in (("mse", GREEN), ("bce", PURPLE)):
        play.line(name, values, Look(color, width=5), label=name.upper())
        play.line(f"{name} slope", steepness, Look(color, width=5))
    play.points("values", values, Look(BLACK), twin=False)
    play.points("slopes", steepness, Look(BLACK), twin=False)
    play.slider("z", "z", -12, 12, 2.0, step=0.5)
    play.grip("z", values, "x")
    play.choice("y", "label y", ["0", "1"])
    return play


def three_logits(softmax: Function, after: Any = None) -> LiveFigure:
    """Plot the softmax of three logits, which are shifted and divided by a temperature."""

    def move(f: Any, shift: int, temperature: float, **sliders: float) -> Frame:
        logits = (np.array([sliders[f"z{i}"] for i in (1, 2, 3)]) + shift) / temperature
        shares = _shares(f.softmax, logits)
        texts = [number(share) if np.isfinite(share) else "nan" for share in shares]
        tops = np.nan_to_num(shares) + 0.05
        return {
            "shares": (range(3), shares),
            "numbers": [*zip(range(3), tops, texts, strict=True)],
        }, (
            f"logits {', '.join(number(z, 6) for z in logits.round(2))};"
            f" shares {', '.join(texts)}; their sum {number(shares.sum(), 6)}."
        )

    play = LiveFigure(
        "Three logits and their softmax",
        move,
        {"softmax": softmax},
        after,
        missions={
            "three shares alike to within 0.02, though the three logits differ": lambda at, data: (
                np.ptp(data["shares"][1]) < 0.02 and len({at.z1, at.z2, at.z3}) == 3
            ),
            "nearly all for class 3: a share above 0.99": lambda at, data: (
                data["shares"][1][2] > 0.99
            ),
            "one half each for classes 1 and 2, to within 0.01": lambda at, data: np.all(
                np.abs(np.array(data["shares"][1][:2]) - 0.5) < 0.01
            ),
        },
    )
    ax = play.axes(ylabel="share of each class", ylim=(0, 1.15), xlim=(-0.6, 2.6))
    ax.set_xticks(range(3), ["class 1", "class 2", "class 3"])
    play.bars("shares", ax, Look(SKY), label="softmax")
    play.words("numbers", ax)
    play.guess(ax, along="y")
    for i, value in enumerate((2.0, 1.0, 0.0), 1):
        play.slider(f"z{i}", f"logit of class {i}", -4, 4, value)
    play.log_slider("temperature", "temperature", -1, 1, 1.0, step=0.1)
    play.slider("shift", "add to all", -1000, 1000, 0, step=100)
    return play


def surer(cross_entropy: Function, after: Any = None) -> LiveFigure:
    """Plot loss and accuracy of a network that becomes surer and no wiser."""

    def move(f: Any, times: float) -> Frame:
        losses = _when_surer(f.cross_entropy.get(), f.cross_entropy.helpers, f.cross_entropy.whole)
        right = np.mean(np.argmax(SURENESS[:, None, None] * OPINIONS, axis=2) == LABELS, axis=1)
        here = int(np.argmin(np.abs(SURENESS - times)))
        return {
            "loss": (SURENESS, losses),
            "accuracy": (SURENESS, right),
            "now": (times, losses[here]),
            "right": (times, right[here]),
        }, (
            f"logits times {number(times)}: the loss is {number(losses[here])};"
            f" {round(10 * right[here])} of 10 images are read."
        )

    play = LiveFigure(
        "Surer and no wiser",
        move,
        {"cross_entropy": cross_entropy},
        after,
        missions={
            "the lowest loss": lambda at, data: (
                abs(data["now"][1] - np.min(data["loss"][1])) < 1e-9
            ),
            "too sure: a loss above 1, to the right of the lowest": lambda at, data: (
                at.times > 3 and data["now"][1] > 1
            ),
        },
    )
    across = {"xlabel": "all logits times", "xlim": (-0.2, 6)}
    left = play.axes(121, ylabel="cross-entropy", ylim=(0, 3), **across)
    right = play.axes(122, ylabel="accuracy", ylim=(0, 1.05), **across)
    play.line("loss", left, label="loss")
    play.line("accuracy", right, Look(GREEN, width=5), twin=False, label="accuracy")
    play.points("now", left, Look(BLACK), twin=False)
    play.points("right", right, Look(BLACK), twin=False)
    play.guess(left, along="y")
    play.slider("times", "all logits times", 0, 6, 1.0, step=0.1)
    return play


def _chance(p: float) -> str:
    """Return a probability as a number, or a small one as one in many."""
    return number(p) if p > 0.001 else f"one in {1 / p:,.0f}"


@lru_cache(maxsize=8)
def _when_surer(loss: Function, helpers: tuple[Function, ...], whole: bool) -> list[Any]:
    """Return the losses at all `SURENESS`; with other helpers `loss` is another one."""
    cross_entropy = LearnerFunction("cross_entropy", loss, whole)
    return [cross_entropy(s * OPINIONS, LABELS, shape=()) for s in SURENESS]


@lru_cache(maxsize=16)
def _curve(
    name: str, loss: Function, helpers: tuple[Function, ...], whole: bool, y: float
) -> Array:
    """Return a loss of one neuron at all `Z`; with other helpers `loss` is another one."""
    return _loss(LearnerFunction(name, loss, whole), y)(Z)


def _loss(loss: Any, y: float) -> Callable[[Array], Array]:
    """Return a loss of one neuron as a function of its z (n,), each a separate example."""
    # A grading sandbox has no finished functions, and draws nothing.
    from playground.functions import finished

    label = np.array([y])
    return lambda z: np.array([loss(p[None], label, shape=()) for p in finished.sigmoid(z)])


def _exact(slope: float) -> str:
    """Return a slope with five decimals, so that a tiny one isn't shown as 0."""
    return f"{slope:.5f}".replace("-", "−")


def _shares(softmax: Any, logits: Array) -> Array:
    """Return the shares of three logits; nan is drawn here, as it is what a missing shift gives."""
    shares = softmax(logits)
    if isinstance(shares, np.ndarray) and shares.shape == (3,) and shares.dtype.kind == "f":
        return shares
    return np.asarray(softmax(logits, shape=(3,)))

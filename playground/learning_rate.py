"""The plays of the learning rate lesson."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from playground.descent_on_digits import curves as curves
from playground.descent_on_digits import sweep as sweep
from playground.figure.drawing import DASHED, PALE, Drawing
from playground.figure.live import LiveFigure
from playground.figure.live import keep as keep
from playground.figure.scene import Frame
from playground.figure.style import BLACK, BLUE, MUTED, ORANGE, SERIES, SKY, Look, number
from playground.functions import Array, Function, landscapes
from playground.landing import FAR
from playground.landing import land as land

START = 3.0
STEPS = 20
W = np.linspace(-4, 4, 81)
CONTOUR = Look(MUTED, width=1)
TURN = np.linspace(0, 2 * np.pi, 61)

RAVINE_START = np.array([-3.5, 1.0])
RAVINE_STEPS = 30

CROSSED = np.array([[3.0, 2.0], [2.0, 3.0]])
"""A bowl whose directions of largest and smallest curvature are the diagonals."""

BALLS_START = np.array([-1.6, 1.1])
PROMISE_START = np.array([2.0, 2.0])
PARTS = [
    "slope alone\n(the promise)",
    "each weight's\nown curvature",
    "both weights\ntogether",
    "higher\norders",
    "what\nhappened",
]


def drawing() -> Drawing:
    """Draw one step down: the slope, and the way against it."""
    alt = (
        "One step of gradient descent. The loss is a curve over the weight w, like a valley seen"
        " from the side. A ball is high on its right side, where the curve rises to the right: the"
        " slope is positive. An arrow leads from the ball to the left and down, by the learning"
        " rate times the slope, to where the ball is next."
    )

    def place(w: float) -> tuple[float, float]:
        return 290 + 80 * w, 220 - 19 * w**2

    picture = Drawing(640, 300, alt)
    picture.arrow(60, 250, 600, 250).text(590, 272, "weight w")
    picture.arrow(60, 250, 60, 20).text(72, 24, "loss L", anchor="start")
    picture.line([place(0.1 * step) for step in range(-28, 33)], width=2.2)
    (x, y), (x_new, y_new) = place(2.6), place(1.1)
    picture.line([(x - 62, y + 76), (x + 48, y - 59)], ORANGE, DASHED, 2)
    picture.text(x + 58, y - 52, "slope ∇L", anchor="start")
    picture.line([(x, y + 14), (x, 250), None, (x_new, y_new + 14), (x_new, 250)], PALE, DASHED)
    picture.arrow(x, 262, x_new, 262, BLUE, width=2.6)
    picture.text((x + x_new) / 2, 280, "−η · ∇L", 15)
    picture.circle(x, y, 11, ORANGE).circle(x_new, y_new, 11, ORANGE, dash="4 3")
    picture.text(x - 22, y - 8, "w", 15).text(x_new - 4, y_new - 28, "w new", 15)
    return picture


def bowl(gradient_descent: Function, after: Any = None) -> LiveFigure:
    """Plot gradient descent in a bowl of one weight, with the tangent's promise for one step."""

    def move(f: Any, curvature: float, lr: float, at: int) -> Frame:
        grad = partial(landscapes.bowl_grad, curvature=curvature)
        path = f.gradient_descent(grad, np.array([START]), lr, STEPS, shape=(STEPS + 1, 1))
        path = np.clip(path[:, 0], -FAR, FAR)
        losses = 0.5 * curvature * np.minimum(path**2, FAR)
        promised = losses[at] - lr * (curvature * path[at]) ** 2
        return {
            "bowl": (W, 0.5 * curvature * W**2),
            "path": (path, losses),
            "places": (path, losses),
            "tangent": (path[[at, at + 1]], np.array([losses[at], promised])),
            "promised": (path[[at + 1]], np.array([promised])),
            "distance": (np.arange(STEPS + 1.0), np.maximum(np.abs(path), 1e-6)),
        }, (
            f"each step multiplies the distance by {number(path[1] / path[0])}; the limit 2/λ is"
            f" {number(2 / curvature)}: {_fate(path)}. From step {at} the tangent promises a loss"
            f" of {number(promised)}, and the step ends at {number(losses[at + 1])}."
        )

    own = {"gradient_descent": gradient_descent}
    play = LiveFigure(
        "Gradient descent in a bowl",
        move,
        own,
        after,
        missions={
            "the bottom in one step": lambda at, data: abs(data["path"][0][1]) < 1e-9,
            "a rate just below 2/λ, which gets there all the same": lambda at, data: (
                1.85 < at.lr * at.curvature < 1.99
            ),
            "a rate at which it jumps from side to side forever": lambda at, data: (
                abs(at.lr * at.curvature - 2) < 1e-9
            ),
        },
    )
    left = play.axes(121, xlabel="weight w", ylabel="loss ½·λ·w²", xlim=(-4, 4), ylim=(-5, 14))
    right = play.axes(122, xlabel="step", ylabel="distance from the bottom", yscale="log")
    right.set(xlim=(0, STEPS), ylim=(1e-4, 1e4))
    play.line("bowl", left, Look(BLACK, width=1.5), twin=False)
    play.line("path", left, Look(SKY, width=1.5), twin=False)
    play.line("tangent", left, Look(ORANGE, (6, 4), width=2), twin=False, label="tangent")
    play.points("places", left, Look(BLACK), twin=False)
    play.points("promised", left, Look(ORANGE, (), "triangle"), twin=False, label="promised")
    play.line("distance", right, label="distance")
    play.slider("curvature", "curvature λ", 0.25, 3, 1.0, step=0.05)
    play.slider("lr", "learning rate η", 0.05, 2.5, 0.3, step=0.05)
    play.slider("at", "tangent at step", 0, STEPS - 1, 0, step=1)
    return play


def ravine(gradient_descent: Function, after: Any = None) -> LiveFigure:
    """Plot thirty steps through a ravine, sharply curved across and flat along."""

    def move(f: Any, across: float, lr: float) -> Frame:
        H = np.diag([1.0, across])
        shape = RAVINE_STEPS + 1, 2
        path = f.gradient_descent(
            partial(np.matmul, H), RAVINE_START, lr, RAVINE_STEPS, shape=shape
        )
        w1, w2 = np.clip(path, -FAR, FAR).T
        return {"contours": _contours(H), "path": (w1, w2), "places": (w1, w2)}, (
            f"each step multiplies the distance along by {number(1 - lr)}, across by"
            f" {number(1 - lr * across)}; the limit 2/{number(across)} is {number(2 / across)}:"
            f" across, {_fate(w2)}. After {RAVINE_STEPS} steps {number(abs(w1[-1]), 2)} along and"
            f" {number(abs(w2[-1]), 2)} across."
        )

    own = {"gradient_descent": gradient_descent}
    play = LiveFigure(
        "Gradient descent in a ravine",
        move,
        own,
        after,
        missions={
            "curvature 30 across, and the largest rate that stays in the ravine": lambda at, data: (
                at.across == 30 and 1.85 < 30 * at.lr < 2
            ),
            "both weights within 0.01 of the bottom after 30 steps": lambda at, data: (
                max(abs(w[-1]) for w in data["path"]) < 0.01
            ),
        },
    )
    ax = play.axes(xlabel="weight w₁, along", ylabel="weight w₂, across")
    ax.set(xlim=(-4, 4), ylim=(-1.8, 1.8), aspect="equal")
    play.line("contours", ax, CONTOUR, twin=False)
    play.line("path", ax, label="path")
    play.points("places", ax, Look(BLACK), twin=False, radius=4)
    play.slider("across", "curvature across", 1, 30, 10.0, step=0.5)
    play.log_slider("lr", "learning rate η", -3, 0.3, 0.15)
    return play


def curvature(gradient_descent: Function, after: Any = None) -> LiveFigure:
    """Turn a direction in a bowl of two weights, read its curvature and descend from there."""

    def move(f: Any, angle: int) -> Frame:
        way = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        path = f.gradient_descent(partial(np.matmul, CROSSED), 2.6 * way, 0.15, 15, shape=(16, 2))
        w1, w2 = np.clip(path, -FAR, FAR).T
        turned = np.arange(0.0, angle + 1)
        read = 3 + 2 * np.sin(np.radians(2 * turned))
        aside = np.max(np.abs(path @ [way[1], -way[0]]))
        return {
            "contours": _contours(CROSSED),
            "line": (np.array([-4, 4]) * way[0], np.array([-4, 4]) * way[1]),
            "path": (w1, w2),
            "places": (w1, w2),
            "read": (turned, read),
            "here": ([angle], read[-1:]),
        }, (
            f"at {angle}° the curvature is {number(read[-1])};"
            f" the path {'runs straight' if aside < 0.02 else 'bends'}."
        )

    play = LiveFigure(
        "Curvature by direction",
        move,
        {"gradient_descent": gradient_descent},
        after,
        missions={
            "the direction with the largest curvature": lambda at, data: at.angle == 45,
            "the direction with the smallest curvature": lambda at, data: at.angle == 135,
            "a direction with the curvature 4": lambda at, data: abs(data["here"][1][0] - 4) < 1e-6,
        },
    )
    left = play.axes(121, xlabel="weight w₁", ylabel="weight w₂", aspect="equal")
    left.set(xlim=(-3, 3), ylim=(-3, 3))
    right = play.axes(122, xlabel="direction in degrees", ylabel="curvature in that direction")
    right.set(xlim=(0, 180), ylim=(0, 12), xticks=[0, 45, 90, 135, 180])
    play.line("contours", left, CONTOUR, twin=False)
    play.line("line", left, Look(ORANGE, (6, 4), width=2), twin=False, label="direction")
    play.line("path", left, label="path")
    play.points("places", left, Look(BLACK), twin=False, radius=4)
    play.line("read", right, Look(BLACK, width=1.5), twin=False)
    play.points("here", right, Look(ORANGE), twin=False)
    play.guess(right, along="y")
    play.slider("angle", "direction (degrees)", 0, 180, 0, step=5)
    return play


def two_balls(max_stable_lr: Function, gradient_descent: Function) -> LiveFigure:
    """Let two balls go, a little below and a little above the learner's own limit."""

    def move(f: Any, own1: float, own2: float, together: float) -> Frame:
        mixed = together * np.sqrt(own1 * own2)
        H = np.array([[own1, mixed], [mixed, own2]])
        limit, grad = float(f.max_stable_lr(H, shape=())), partial(np.matmul, H)
        data, fates = {"contours": _contours(H)}, []
        for name, factor in (("below", 0.98), ("above", 1.02)):
            path = f.gradient_descent(grad, BALLS_START, factor * limit, 100, shape=(101, 2))
            w1, w2 = np.clip(path, -FAR, FAR).T
            away = np.maximum(np.hypot(w1, w2), 1e-6)
            data |= {name: (w1, w2), f"{name} away": (np.arange(101.0), away)}
            fates.append(f"{number(away[-1], 2)} away with {number(factor * limit)}")
        return data, f"your limit is {number(limit)}; after 100 steps {' and '.join(fates)}."

    own = {"max_stable_lr": max_stable_lr, "gradient_descent": gradient_descent}
    play = LiveFigure(
        "Two balls, one on each side of the limit",
        move,
        own,
        missions={
            "a round bowl, in which both balls run straight": lambda at, data: (
                at.own1 == at.own2 and at.together == 0
            ),
            "a lower limit with the curvatures 4 and 2 as they were": lambda at, data: (
                (at.own1, at.own2) == (4, 2) and abs(at.together) > 0.5
            ),
            "the lowest limit of all": lambda at, data: (
                at.own1 == at.own2 == 10 and abs(at.together) == 0.9
            ),
        },
    )
    left = play.axes(
        121, xlabel="weight w₁", ylabel="weight w₂", aspect="equal", xlim=(-3, 3), ylim=(-3, 3)
    )
    right = play.axes(122, xlabel="step", ylabel="distance from the bottom", yscale="log")
    right.set(xlim=(0, 100), ylim=(1e-3, 1e3))
    play.line("contours", left, CONTOUR, twin=False)
    for name, look, words in (("below", SERIES[0], "0.98"), ("above", SERIES[1], "1.02")):
        play.line(name, left, look, twin=False)
        play.line(f"{name} away", right, look, twin=False, label=f"{words} times your limit")
    play.slider("own1", "curvature of w₁", 0.5, 10, 4.0, step=0.5)
    play.slider("own2", "curvature of w₂", 0.5, 10, 2.0, step=0.5)
    play.slider("together", "how they act together", -0.9, 0.9, 0.5, step=0.1)
    return play


def promise(predicted_vs_actual: Function, after: Any = None) -> LiveFigure:
    """Compare the change promised for a step down (w₁·w₂ − 1)² from (2, 2) with the actual one."""

    def move(f: Any, lr: float) -> Frame:
        loss, grad = landscapes.product, landscapes.product_grad
        promised, actual = f.predicted_vs_actual(loss, grad, PROMISE_START, lr, shape=(2,))
        w1, w2 = PROMISE_START
        s1, s2 = lr * grad(PROMISE_START)
        own = float(w2**2 * s1**2 + w1**2 * s2**2)
        together = float((4 * w1 * w2 - 2) * s1 * s2)
        parts = [promised, own, together, actual - promised - own - together]
        ends = np.cumsum([0.0, *parts])
        tops, bottoms = np.append(ends[1:], actual), np.append(ends[:-1], 0.0)
        texts = map(number, [*parts, actual])
        numbers = [*zip(range(5), np.maximum(tops, bottoms) + 2.5, texts, strict=True)]
        return {"parts": (range(5), bottoms, tops), "numbers": numbers}, (
            f"promised {number(promised)}; the second order adds {number(own + together)}, of which"
            f" own curvature {number(own)} and both together {number(together)}; higher orders"
            f" {number(parts[3])}; what happened is {number(actual)}."
        )

    title = "One step: what the slope promises and what happens"
    play = LiveFigure(
        title,
        move,
        {"predicted_vs_actual": predicted_vs_actual},
        after,
        missions={
            "a promise that is kept to a tenth of itself": lambda at, data: (
                0.9 < data["parts"][2][4] / data["parts"][2][0] < 1.1
            ),
            "one step nearly to the bottom: a change below −8.95": lambda at, data: (
                data["parts"][2][4] < -8.95
            ),
        },
    )
    ax = play.axes(ylabel="change of the loss", ylim=(-45, 30), xlim=(-0.6, 4.6))
    ax.set_xticks(range(5), PARTS)
    play.bars("parts", ax, Look(SKY), label="changes")
    play.words("numbers", ax)
    play.log_slider("lr", "learning rate η", -3, -0.85, 0.1)
    return play


def _contours(H: Array) -> tuple[Array, Array]:
    """Return eight lines of equal loss ½·wᵀHw around the bottom, with gaps of NaN between them."""
    values, ways = np.linalg.eigh(H)
    x, y = (ways / np.sqrt(values)) @ [np.cos(TURN), np.sin(TURN)]
    roots = np.arange(1, 9)[:, None] * 0.7 * np.sqrt(2)
    gap = np.full_like(roots, np.nan)
    return np.hstack([roots * x, gap]).ravel(), np.hstack([roots * y, gap]).ravel()


def _fate(path: Array) -> str:
    """Describe a path (n,) of one weight."""
    first, last, jumps = abs(path[0]), abs(path[-1]), path[0] * path[1] < 0
    if last > 1.01 * first:
        return "it leaves"
    if last > 0.99 * first:
        return "it jumps from side to side forever" if jumps else "it hardly moves"
    return "it jumps from side to side and gets there" if jumps else "it rolls down on one side"

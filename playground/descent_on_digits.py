"""Descend with the learner's function on real digits: the network, its runs and its curvature.

The course's own functions give the gradient here, as the chain rule lesson comes later.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from playground.figure.learner_function import LearnerFunction
from playground.figure.live import LiveFigure, Mission
from playground.figure.scene import Frame
from playground.figure.style import BLACK, BLUE, INK, MUTED, SERIES, Look, number
from playground.functions import Array, Function
from playground.functions.digits import digits

HIDDEN, EXAMPLES, STEPS = 32, 300, 60
RATES = 10.0 ** np.arange(-2, 1.05, 0.1)
FAR = 1e6
"""The limit of losses that are drawn."""

CURVES = {"A": 1.6, "B": 0.03, "C": 5.0, "D": 0.5}
"""The learning rates of four loss curves."""


def _lies_on(name: str) -> Mission:
    return lambda at, data: nearest(at.lr) == nearest(CURVES[name])


NAMED = {f"your try on the curve {name}": _lies_on(name) for name in CURVES}


class Run(NamedTuple):
    """The losses (STEPS + 1,) of one training, and the share of new digits read at its end."""

    losses: Array
    share: float


def sweep(gradient_descent: Function, after: Any = None) -> LiveFigure:
    """Train a network 64-32-10 on digits with many learning rates: its losses and its accuracy."""

    def move(f: Any, lr: float) -> Iterator[Frame]:
        descent, here = f.gradient_descent, nearest(lr)
        found, rate = runs(descent.get(), descent.helpers, descent.whole), RATES[here]
        for place in [here, *sorted({*range(len(RATES))} - found.keys() - {here})]:
            found.train(place)
            losses, share = found[here]
            steps, known = np.arange(len(losses)), sorted(found)
            shares = RATES[known], np.array([found[one].share for one in known])
            yield (
                {"loss": (steps, losses), "shares": shares, "here": ([rate], [share])},
                (
                    f"with a rate of {number(rate, 2)} the loss after {steps[-1]} steps is"
                    f" {number(losses[-1])}, its largest {number(np.max(losses))}, and"
                    f" {100 * share:.0f} % of new digits are read."
                ),
            )

    own = {"gradient_descent": gradient_descent}
    play = LiveFigure(
        "Many learning rates on handwritten digits",
        move,
        own,
        after,
        missions={
            "more than 95 % of new digits read": lambda at, data: data["here"][1][0] > 0.95,
            "a rate beyond the cliff: fewer than 20 % read": lambda at, data: (
                data["here"][1][0] < 0.2
            ),
        },
    )
    left = play.axes(121, xlabel="step", ylabel="loss", yscale="log")
    left.set(xlim=(0, STEPS), ylim=(0.05, 30))
    right = play.axes(122, xlabel="learning rate η", ylabel="fraction of new digits read")
    right.set(xscale="log", xlim=(0.008, 12), ylim=(0, 1.03))
    limit = 2 / curvature_at_the_start()
    right.axvline(limit, color=MUTED, linestyle=":")
    right.text(0.9 * limit, 0.04, "2/λmax at\nthe start", ha="right", color=INK)
    play.line("loss", left, label="training")
    play.line("shares", right)
    play.points("here", right, Look(BLACK), twin=False)
    play.guess(right, along="x")
    play.log_slider("lr", "learning rate η", -2, 1, 0.1, step=0.1)
    return play


def curves(gradient_descent: Function) -> LiveFigure:
    """Plot the losses for four learning rates that aren't named, and for one to compare."""

    def move(f: Any, lr: float) -> Frame:
        descent = f.gradient_descent
        found = runs(descent.get(), descent.helpers, descent.whole)
        rates = {**CURVES, "try": lr}
        data = {name: found.train(nearest(rate)).losses for name, rate in rates.items()}
        ends = [f"{name} ends at {number(loss[-1], 2)}" for name, loss in data.items()]
        return {name: (np.arange(len(loss)), loss) for name, loss in data.items()}, (
            f"{'; '.join(ends[:-1])}; with a rate of {number(lr, 2)} your {ends[-1]}."
        )

    own = {"gradient_descent": gradient_descent}
    play = LiveFigure("Four loss curves", move, own, missions=NAMED)
    ax = play.axes(xlabel="step", ylabel="loss", yscale="log")
    ax.set(xlim=(0, STEPS), ylim=(0.1, 10))
    play.line("try", ax, Look(BLUE, width=7), label="try")
    for name, look in zip(CURVES, SERIES, strict=False):
        play.line(name, ax, look, twin=False, label=name)
    play.log_slider("lr", "try a rate η", -2, 1, 0.1, step=0.1)
    return play


class Runs(dict[int, Run]):
    """The trainings so far with a learner's function, each by the index of its rate in `RATES`."""

    def __init__(self, learner: LearnerFunction) -> None:
        super().__init__()
        self._learner = learner

    def train(self, place: int) -> Run:
        """Return a training, which is done only once."""
        # A grading sandbox has no finished functions, and draws nothing.
        from playground.functions import finished

        if place not in self:
            start, (X, labels), lr = begin(), _data(), float(RATES[place])
            path = self._learner(gradient, start, lr, STEPS, shape=(STEPS + 1, len(start)))
            losses = [finished.cross_entropy(_forward(w, X)[1], labels) for w in path]
            guesses = np.argmax(_forward(path[-1], digits().X_test)[1], axis=1)
            share = float(np.mean(guesses == digits().labels_test))
            self[place] = Run(np.clip(np.nan_to_num(losses, nan=FAR), 0, FAR), share)
        return self[place]


@lru_cache(maxsize=8)
def runs(descent: Function, helpers: tuple[Function, ...], whole: bool) -> Runs:
    """Return the trainings with a function; with other helpers `descent` is another one."""
    return Runs(LearnerFunction("gradient_descent", descent, whole))


def nearest(rate: float) -> int:
    """Return the index of the nearest of `RATES`."""
    return int(np.argmin(np.abs(np.log(RATES / rate))))


def begin() -> Array:
    """Return all weights and biases of the network 64-32-10 in one row, the biases at 0."""
    rng, layers = np.random.default_rng(0), []
    for fan_in, fan_out in ((64, HIDDEN), (HIDDEN, 10)):
        weights = rng.normal(0, np.sqrt(2 / fan_in), fan_in * fan_out)
        layers += [weights, np.zeros(fan_out)]
    return np.concatenate(layers)


def gradient(w: Array) -> Array:
    """Return the slopes of the loss on the training digits for all weights in one row."""
    from playground.functions import finished

    X, labels = _data()
    hidden, logits, W = _forward(w, X)
    d_logits = finished.softmax_ce_grad(logits, labels)
    back, dW2, db2 = finished.dense_backward(d_logits, hidden, W)
    back *= hidden > 0
    return np.concatenate([(X.T @ back).ravel(), back.sum(axis=0), dW2.ravel(), db2])


def largest_curvature(w: Array) -> float:
    """Return λ_max at weights w by power iteration.

    The Hessian times a direction is how the gradient changes along that direction.
    """
    v, near = np.random.default_rng(0).normal(size=w.size), 1e-4
    for _ in range(60):
        v *= near / np.linalg.norm(v)
        v = (gradient(w + v) - gradient(w - v)) / (2 * near)
    return float(np.linalg.norm(v))


@cache
def curvature_at_the_start() -> float:
    """Return λ_max of the network before its first step."""
    return largest_curvature(begin())


def curvature_on_the_way(descent: Function, lr: float) -> Iterator[tuple[int, float]]:
    """Yield a step and λ_max there, from time to time while the network trains."""
    path = np.asarray(descent(gradient, begin(), lr, STEPS))
    for step in (0, 5, 10, 20, 30, 40, 50, 60):
        yield step, largest_curvature(path[step])


@cache
def _data() -> tuple[Array, Array]:
    return digits().X[:EXAMPLES], digits().labels[:EXAMPLES]


def _forward(w: Array, X: Array) -> tuple[Array, Array, Array]:
    """Return hidden outputs, logits and the second layer's weights (HIDDEN, 10)."""
    first, second = w[: 65 * HIDDEN].reshape(65, HIDDEN), w[65 * HIDDEN :].reshape(-1, 10)
    hidden = np.clip(X @ first[:-1] + first[-1], 0.0, None)
    return hidden, hidden @ second[:-1] + second[-1], second[:-1]

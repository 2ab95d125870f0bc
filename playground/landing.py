"""A game of the learning rate lesson: land a ball at the bottom of a bent ravine."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from playground.figure.learner_function import LearnerFunction
from playground.figure.live import LiveFigure
from playground.figure.scene import Frame
from playground.figure.style import BLACK, MUTED, ORANGE, SERIES, Look, number
from playground.functions import Array, Function, landscapes

START = np.array([-3.5, -0.6])
STEPS = 20
FAR = 1e6
"""The limit of weights and losses that are drawn."""


def land(gd_step: Function) -> LiveFigure:
    """Roll a ball down a bent ravine, with a learning rate chosen before each of twenty steps."""
    rates: list[float] = []

    def move(f: Any, lr: float, roll: int) -> Frame:
        taken = roll % (STEPS + 1)  # the press after the last step starts again
        rates[:] = [*rates[:taken], *[lr] * (taken - len(rates))]
        *path, ahead = _roll(f.gd_step, [*rates, lr])
        losses = np.clip([landscapes.bent(w) for w in path], 1e-15, FAR)
        w1, w2 = np.array(path).T
        rate, fixed = _best_fixed_rate()
        data = {"path": (w1, w2), "ball": (w1[-1:], w2[-1:]), "loss": (range(taken + 1), losses)}
        return data | {"next": (*path[-1], *ahead), "fixed": (range(STEPS + 1), fixed)}, (
            f"step {taken} of {STEPS}: loss {number(losses[-1], least=0)}. The best fixed"
            f" rate, {number(rate, 2)}, ends at {number(fixed[-1], 2)}"
            f"{_score(losses[-1], fixed[-1]) if taken == STEPS else '.'}"
        )

    play = LiveFigure(
        "Land the ball",
        move,
        {"gd_step": gd_step},
        missions={
            "a loss below 0.1 within five steps": lambda at, data: (
                len(data["loss"][1]) <= 6 and data["loss"][1][-1] < 0.1
            ),
            "after all twenty steps, lower than the best fixed rate": lambda at, data: (
                len(data["loss"][1]) > STEPS and data["loss"][1][-1] < data["fixed"][1][-1]
            ),
        },
    )
    left = play.axes(121, xlabel="weight w₁", ylabel="weight w₂", xlim=(-4, 4), ylim=(-2, 2.5))
    right = play.axes(122, xlabel="step", ylabel="loss", yscale="log")
    right.set(xlim=(0, STEPS), ylim=(1e-8, 1e3))
    left.plot(*_bent_contours(), color=MUTED, linewidth=0.8)
    left.plot(0, 0, "x", color=BLACK)
    play.line("path", left, twin=False)
    play.arrow("next", left, Look(BLACK, width=1.5), twin=False)
    play.points("ball", left, Look(ORANGE), twin=False, radius=8)
    play.line("fixed", right, SERIES[1], twin=False, label="best fixed rate")
    play.line("loss", right, label="loss")
    play.log_slider("lr", "learning rate η", -2.5, 0.3, 0.03)
    play.button("roll", "roll one step")
    return play


def _roll(gd_step: LearnerFunction, rates: list[float]) -> Array:
    """Return the places (len(rates) + 1, 2) of a ball that takes a step with each of the rates."""
    path = [START]
    for rate in rates:
        new = gd_step(path[-1], landscapes.bent_grad(path[-1]), rate, shape=(2,))
        path.append(np.clip(new, -FAR, FAR))
    return np.array(path)


@cache
def _best_fixed_rate() -> tuple[float, Array]:
    """Return the rate that ends lowest when it stays for all steps, and its losses."""
    from playground.functions import finished

    def losses(rate: float) -> Array:
        path = finished.gradient_descent(landscapes.bent_grad, START, rate, STEPS)
        return np.array([landscapes.bent(w) for w in path])

    with np.errstate(all="ignore"):
        runs = {rate: losses(rate) for rate in 10.0 ** np.arange(-2.5, 0.3, 0.02)}
    return min(runs.items(), key=lambda run: np.nan_to_num(run[1][-1], nan=np.inf))


def _score(loss: float, fixed: float) -> str:
    times = fixed / loss
    return (
        f"; yours is {number(max(times, 1 / times), 2)} times {'lower' if times > 1 else 'higher'}."
    )


def _bent_contours() -> tuple[Array, Array]:
    """Return the lines of equal loss of the bent ravine."""
    turn = np.append(np.linspace(0, 2 * np.pi, 121), np.nan)
    roots = np.arange(1, 11)[:, None]
    along = (roots * np.cos(turn)).ravel()
    return along, (roots * np.sin(turn) / np.sqrt(20)).ravel() + 0.1 * along**2

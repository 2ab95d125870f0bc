"""The capstone's four experiments with the learner's network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from playground.figure.learner_function import LearnerFunction
from playground.figure.live import LiveFigure
from playground.figure.scene import Frame
from playground.figure.style import BLACK, BLUE, GREEN, PURPLE, VERMILLION, Look, number
from playground.functions import Array, Function
from playground.functions.digits import digits
from playground.network import (
    BUGS,
    LIMIT,
    Blocks,
    Experiment,
    Moment,
    Problem,
    Training,
    accuracy,
    broken,
    errors,
    names,
    require_correct_gradients,
    training,
)

FUNCTIONS = ("forward", "backward", "train", "relative_error")
"""The capstone's exercises: the order of `functions` in each play, after the earlier ones."""

ARMS, POINTS_PER_ARM = 2, 100
SPIRAL_STEPS, SPIRAL_EVERY = 3000, 100
EDGE = np.linspace(-2.2, 2.2, 45)
GRID = np.stack(np.meshgrid(EDGE, EDGE), axis=-1).reshape(-1, 2)

DIGIT_STEPS, DIGIT_EVERY = 300, 10
DEPTH_STEPS, DEPTH_EVERY = 150, 2
DEPTH_EXAMPLES = 400

SMALLEST = 1e-12
ROUNDING = 1e-9
"""Relative errors below this are rounding, which differs between processors."""


def gradient_check(mine: Any, *functions: Function, after: Any = None) -> LiveFigure:
    """Compare the gradient check of a network with a bug with its accuracy on digits."""

    def move(f: Any, bug: str) -> Iterator[Frame]:
        blocks = broken(_blocks(f, mine), bug)
        found = errors(blocks)
        tops = np.maximum(list(found.values()), ROUNDING)
        bars = np.arange(len(tops)), np.full(len(tops), SMALLEST), tops
        run, limit = _reader(blocks, (32,)), (np.array([-0.6, 5.6]), np.array([LIMIT, LIMIT]))
        for _ in _steps(run):
            share = accuracy(blocks, _digits(test=True), run.moments[-1].layers)
            yield {"errors": bars, "limit": limit}, _verdict(max(found.values()), share, run)

    title = "The gradient check and the accuracy of a network with a bug"
    play = _play(title, move, functions, after)
    ax = play.axes(ylabel="relative error", xlim=(-0.6, 5.6), ylim=(SMALLEST, 10), yscale="log")
    ticks = [f"{name}, layer {layer}" for layer in (1, 2, 3) for name in "Wb"]
    ax.set_xticks(range(6), ticks, fontsize=8)
    play.bars("errors", ax, label="relative error of the gradient", twin=False)
    play.line("limit", ax, Look(VERMILLION, (7, 5), width=2), twin=False, label="what may pass")
    play.choice("bug", "bug", list(BUGS))
    return play


def _verdict(largest: float, share: float, run: Training) -> str:
    rounded = f"below {number(ROUNDING, 1, least=0)}"
    size = number(largest, 2, least=0) if largest > ROUNDING else rounded
    return (
        f"The gradient check {'passes' if largest < LIMIT else 'fails'}, the largest error is"
        f" {size}; trained all the same, it gets {_percent(share)} of new digits right"
        f"{'' if run.complete else ' so far'}."
    )


def spiral(mine: Any, *functions: Function, after: Any = None) -> LiveFigure:
    """Plot two arms of a spiral, and the boundary of a network during its training."""

    def move(f: Any, step: float, hidden: str) -> Frame:
        blocks, sizes = _ready(f, mine), () if hidden == "none" else (int(hidden),)
        settings = SPIRAL, sizes, "init_kaiming_normal", 0.7, SPIRAL_STEPS, SPIRAL_EVERY
        now = training(Experiment(blocks, *settings)).run()[int(step) // SPIRAL_EVERY]
        logits = blocks.logits(GRID, now.layers)
        lean = np.tanh((logits[:, 1] - logits[:, 0]) / 4).reshape(len(EDGE), len(EDGE))
        arms = {f"arm {arm + 1}": tuple(SPIRAL.X[SPIRAL.labels == arm].T) for arm in range(ARMS)}
        share = _percent(accuracy(blocks, SPIRAL, now.layers))
        return {"lean": lean, **arms}, (
            f"After {now.step} steps the loss is {number(now.loss)};"
            f" {share} of the points are on the right side."
        )

    play = _play("A network learns a spiral", move, functions, after)
    ax = play.axes(xlabel="x₁", ylabel="x₂", xlim=(-2.2, 2.2), ylim=(-2.2, 2.2))
    play.heat("lean", ax, (-2.2, 2.2, -2.2, 2.2), low=-1.0, high=1.0)
    first, second = Look(BLACK), Look(BLUE, marker="square")
    play.points("arm 1", ax, first, twin=False, label="first arm", radius=4.0)
    play.points("arm 2", ax, second, twin=False, label="second arm", radius=4.0)
    play.slider("step", "training steps", 0, SPIRAL_STEPS, SPIRAL_STEPS, step=SPIRAL_EVERY)
    play.choice("hidden", "hidden units", ["32", "4", "none"])
    return play


def read_digits(mine: Any, *functions: Function, after: Any = None) -> LiveFigure:
    """Plot the accuracy on digits during training, with and without a hidden layer."""

    def move(f: Any, step: float, image: float) -> Frame:
        blocks, test, which = _ready(f, mine), _digits(test=True), int(image)
        nets = {"hidden": _learned(blocks, (32,)), "none": _learned(blocks, ())}
        now = int(step) // DIGIT_EVERY
        steps = np.arange(now + 1) * DIGIT_EVERY
        shown = {name: (steps, shares[: now + 1]) for name, (_, shares) in nets.items()}
        hidden, none = (_percent(shares[now]) for _, shares in nets.values())
        logits = blocks.logits(test.X[which : which + 1], nets["hidden"][0][now].layers)
        guess = f"is a {test.labels[which]}, read as {np.argmax(logits)}"
        picture = {"image": test.X[which].reshape(8, 8)[::-1], "says": (4, 8.6, f"it {guess}")}
        return {**shown, **picture}, (
            f"After {steps[now]} steps the network reads {hidden} of {len(test.labels)} new digits,"
            f" without its hidden layer {none}; image {which} {guess}."
        )

    play = _play("A network learns to read digits", move, functions, after)
    left = play.axes(121, xlabel="training steps", ylabel="share of new digits read")
    left.set(xlim=(0, DIGIT_STEPS), ylim=(0, 1.03))
    right = play.axes(122, xlim=(0, 8), ylim=(0, 9.2), aspect="equal")
    right.set_axis_off()
    play.line("hidden", left, twin=False, label="64-32-10")
    play.line("none", left, Look(PURPLE, (9, 3)), twin=False, label="64-10")
    play.heat("image", right, (0, 8, 0, 8), low=-1.0, high=1.0, smooth=False)
    play.words("says", right)
    play.slider("step", "training steps", 0, DIGIT_STEPS, DIGIT_STEPS, step=DIGIT_EVERY)
    play.slider("image", "image", 0, len(_digits(test=True).labels) - 1, 0, step=1)
    return play


def depth(mine: Any, *functions: Function, after: Any = None) -> LiveFigure:
    """Plot the first losses of deeper and deeper networks from Xavier's and Kaiming's weights."""

    def move(f: Any, layers: float) -> Iterator[Frame]:
        blocks, (_, X, labels) = _ready(f, mine), _digits()
        few = Problem(f"{DEPTH_EXAMPLES} digits", X[:DEPTH_EXAMPLES], labels[:DEPTH_EXAMPLES])
        sizes, plan = (32,) * int(layers), (0.05, DEPTH_STEPS, DEPTH_EVERY, False)
        schemes = "init_kaiming_normal", "init_xavier_uniform"
        runs = [training(Experiment(blocks, few, sizes, scheme, *plan)) for scheme in schemes]
        for _ in _steps(*runs):
            yield _losses(int(layers), *(run.moments for run in runs))

    play = _play("Deep networks from two starts", move, functions, after)
    ax = play.axes(xlabel="training steps", ylabel="loss", xlim=(0, DEPTH_STEPS), ylim=(0, 4))
    play.line("Kaiming", ax, twin=False, label="Kaiming")
    play.line("Xavier", ax, Look(GREEN, (9, 3), width=4), twin=False, label="Xavier")
    play.slider("layers", "hidden layers", 1, 16, 2, step=1)
    return play


def _losses(layers: int, kaiming: list[Moment], xavier: list[Moment]) -> Frame:
    """Return both losses up to now."""
    runs = {"Kaiming": kaiming, "Xavier": xavier}
    return {
        name: (np.array([m.step for m in run]), np.array([m.loss for m in run]))
        for name, run in runs.items()
    }, (
        f"With {layers} hidden layer{'s' * (layers > 1)} the loss after {kaiming[-1].step} steps is"
        f" {number(kaiming[-1].loss)} from Kaiming's weights and {number(xavier[-1].loss)} from"
        " Xavier's."
    )


def _steps(*runs: Training) -> Iterator[None]:
    """Advance some trainings together to their ends; yield after each step, at least once."""
    while True:
        for run in runs:
            run.advance()
        yield
        if all(run.complete for run in runs):
            return


def _play(
    title: str, move: Callable[..., Any], functions: tuple[Function, ...], after: Any
) -> LiveFigure:
    return LiveFigure(title, move, dict(zip(FUNCTIONS, functions, strict=True)), after)


def _blocks(f: Any, mine: Any) -> Blocks:
    """Return all blocks as they are now."""
    own: Mapping[str, LearnerFunction] = vars(f)
    blocks = {name: own[name].get() if name in own else getattr(mine, name) for name in names()}
    helpers = tuple(helper for function in own.values() for helper in function.helpers)
    return Blocks(**blocks, helpers=helpers)


def _ready(f: Any, mine: Any) -> Blocks:
    """Return all blocks if their gradients are right."""
    blocks = _blocks(f, mine)
    require_correct_gradients(blocks)
    return blocks


def _reader(blocks: Blocks, hidden: tuple[int, ...]) -> Training:
    """Return the training of a network that reads digits."""
    settings = "init_kaiming_normal", 0.5, DIGIT_STEPS, DIGIT_EVERY
    return training(Experiment(blocks, _digits(), hidden, *settings))


@lru_cache(maxsize=8)
def _learned(blocks: Blocks, hidden: tuple[int, ...]) -> tuple[list[Moment], Array]:
    """Return a network's moments while it learns digits, and its accuracy at each."""
    moments, test = _reader(blocks, hidden).run(), _digits(test=True)
    return moments, np.array([accuracy(blocks, test, moment.layers) for moment in moments])


def _digits(test: bool = False) -> Problem:
    X, labels, X_test, labels_test = digits()
    return Problem("test", X_test, labels_test) if test else Problem("training", X, labels)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def _spiral() -> Problem:
    """Return two arms of 100 points, wound by 2.2 half turns around each other."""
    rng, along = np.random.default_rng(1), np.linspace(0, 1, POINTS_PER_ARM)
    radius, angle = 0.1 + 0.9 * along, 2.2 * np.pi * along
    arm = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    X = 2 * (np.concatenate([arm, -arm]) + rng.normal(0, 0.02, size=(ARMS * POINTS_PER_ARM, 2)))
    return Problem("spiral", X, np.repeat(np.arange(ARMS), POINTS_PER_ARM))


SPIRAL = _spiral()

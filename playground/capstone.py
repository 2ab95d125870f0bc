"""The capstone's four experiments with the learner's network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from playground import network
from playground.figure.learner_function import LearnerFunction
from playground.figure.live import LiveFigure
from playground.figure.scene import Frame
from playground.figure.style import BLACK, BLUE, GREEN, PURPLE, Look, number
from playground.functions import Array, Function
from playground.functions.digits import digits
from playground.network import Blocks, Experiment, Moment, Problem, Training, accuracy, training

FUNCTIONS = ("forward", "backward", "train", "relative_error")
"""The capstone's exercises: the order of `functions` in each play, after the earlier ones."""

SPIRAL_STEPS, SPIRAL_EVERY = 3000, 100
EDGE = np.linspace(-2.2, 2.2, 45)
GRID = np.stack(np.meshgrid(EDGE, EDGE), axis=-1).reshape(-1, 2)

DIGIT_STEPS, DIGIT_EVERY = 300, 10
DEPTH_STEPS, DEPTH_EVERY = 150, 2
DEPTH_EXAMPLES = 400


def spiral(mine: Any, *functions: Function, after: Any = None) -> LiveFigure:
    """Plot two arms of a spiral, and the boundary of a network during its training."""

    def move(f: Any, step: int, hidden: str) -> Frame:
        blocks, sizes = _blocks(f, mine), () if hidden == "none" else (int(hidden),)
        settings = SPIRAL, sizes, "init_kaiming_normal", 0.7, SPIRAL_STEPS, SPIRAL_EVERY
        now = training(Experiment(blocks, *settings)).run()[step // SPIRAL_EVERY]
        logits = blocks.logits(GRID, now.layers)
        lean = np.tanh((logits[:, 1] - logits[:, 0]) / 4).reshape(len(EDGE), len(EDGE))
        arms = {f"arm {arm + 1}": tuple(SPIRAL.X[SPIRAL.labels == arm].T) for arm in (0, 1)}
        share = _percent(accuracy(blocks, SPIRAL, now.layers))
        return {"lean": lean, **arms}, (
            f"After {now.step} steps the loss is {number(now.loss)};"
            f" {share} of the points are on the right side."
        )

    own = dict(zip(FUNCTIONS, functions, strict=True))
    play = LiveFigure("A network learns a spiral", move, own, after)
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

    def move(f: Any, step: int, image: int) -> Frame:
        blocks, test, now = _blocks(f, mine), _digits(test=True), step // DIGIT_EVERY
        nets = {"hidden": _learned(blocks, (32,)), "none": _learned(blocks, ())}
        steps = np.arange(now + 1) * DIGIT_EVERY
        shown = {name: (steps, shares[: now + 1]) for name, (_, shares) in nets.items()}
        hidden, none = (_percent(shares[now]) for _, shares in nets.values())
        logits = blocks.logits(test.X[[image]], nets["hidden"][0][now].layers)
        guess = f"is a {test.labels[image]}, read as {np.argmax(logits)}"
        picture = {"image": test.X[image].reshape(8, 8)[::-1], "says": (4, 8.6, f"it {guess}")}
        return {**shown, **picture}, (
            f"After {steps[now]} steps the network reads {hidden} of {len(test.labels)} new digits,"
            f" without its hidden layer {none}; image {image} {guess}."
        )

    own = dict(zip(FUNCTIONS, functions, strict=True))
    play = LiveFigure("A network learns to read digits", move, own, after)
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

    def move(f: Any, layers: int) -> Iterator[Frame]:
        blocks, data = _blocks(f, mine), digits()
        X, labels = data.X[:DEPTH_EXAMPLES], data.labels[:DEPTH_EXAMPLES]
        few, sizes = Problem(f"{DEPTH_EXAMPLES} digits", X, labels), (32,) * layers
        plan = 0.05, DEPTH_STEPS, DEPTH_EVERY, False
        schemes = {"Kaiming": "init_kaiming_normal", "Xavier": "init_xavier_uniform"}
        runs = {n: training(Experiment(blocks, few, sizes, s, *plan)) for n, s in schemes.items()}
        for _ in _steps(*runs.values()):
            steps = {name: [moment.step for moment in run.moments] for name, run in runs.items()}
            losses = {name: [moment.loss for moment in run.moments] for name, run in runs.items()}
            kaiming, xavier = (number(each[-1]) for each in losses.values())
            lines = {name: (steps[name], losses[name]) for name in runs}
            yield (
                lines,
                (
                    f"With {layers} hidden layer{'s' * (layers > 1)} the loss after"
                    f" {steps['Kaiming'][-1]} steps is {kaiming} from Kaiming's weights and"
                    f" {xavier} from Xavier's."
                ),
            )

    own = dict(zip(FUNCTIONS, functions, strict=True))
    play = LiveFigure("Deep networks from two starts", move, own, after)
    ax = play.axes(xlabel="training steps", ylabel="loss", xlim=(0, DEPTH_STEPS), ylim=(0, 4))
    play.line("Kaiming", ax, twin=False, label="Kaiming")
    play.line("Xavier", ax, Look(GREEN, (9, 3), width=4), twin=False, label="Xavier")
    play.slider("layers", "hidden layers", 1, 16, 2, step=1)
    return play


def _steps(*runs: Training) -> Iterator[None]:
    """Advance some trainings together to their ends; yield after each step, at least once."""
    while True:
        for run in runs:
            run.advance()
        yield
        if all(run.complete for run in runs):
            return


def _blocks(f: Any, mine: Any, checked: bool = True) -> Blocks:
    """Return all blocks as they are now, if `checked` only with right gradients."""
    own: Mapping[str, LearnerFunction] = vars(f)
    names = network.names()
    blocks = {name: own[name].get() if name in own else getattr(mine, name) for name in names}
    helpers = tuple(helper for function in own.values() for helper in function.helpers)
    found = Blocks(**blocks, helpers=helpers)
    if checked:
        network.require_correct_gradients(found)
    return found


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
    rng, along = np.random.default_rng(1), np.linspace(0, 1, 100)
    radius, angle = 0.1 + 0.9 * along, 2.2 * np.pi * along
    arm = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    X = 2 * (np.concatenate([arm, -arm]) + rng.normal(0, 0.02, size=(200, 2)))
    return Problem("spiral", X, np.repeat([0, 1], 100))


SPIRAL = _spiral()

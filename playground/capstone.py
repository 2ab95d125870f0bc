"""The capstone's drawing, and the plays of the learner's network: spiral, digits and depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from traceback import extract_tb
from typing import Any

import numpy as np

from playground import network
from playground.drawings import BACKWARD, FORWARD
from playground.figure.drawing import DASHED, Drawing
from playground.figure.learner_function import LearnerFunction, describe
from playground.figure.live import LiveFigure
from playground.figure.live import keep as keep
from playground.figure.scene import Frame
from playground.figure.style import BLACK, GREEN, MUTED, ORANGE, PURPLE, SKY, Look, number, percent
from playground.functions import Array, Function
from playground.functions.digits import a, digits
from playground.network import Blocks, Experiment, Layers, Problem, Training, accuracy, training

FUNCTIONS = ("forward", "backward", "train", "relative_error")
"""The capstone's exercises: the order of `functions` in each play, after the earlier ones."""

SPIRAL_STEPS, SPIRAL_EVERY = 3000, 100
EDGE = np.linspace(-2.2, 2.2, 45)
GRID = np.stack(np.meshgrid(EDGE, EDGE), axis=-1).reshape(-1, 2)

DIGIT_STEPS, DIGIT_EVERY = 300, 10
DEPTH_STEPS, DEPTH_EVERY = 150, 2
DEPTH_EXAMPLES = 400


WAY = (
    "A network of two layers, from left to right: X, layer 0, ReLU, layer 1, loss. Forward go X,"
    " sums[0], inputs[1] and the logits, which are sums[1]. Backward, dashed, go d_logits from the"
    " loss to layer 1, d_inputs to the ReLU and d_sums to layer 0. Down from each layer come its"
    " gradients dW and db."
)


def drawing() -> Drawing:
    """Return the boxes of a network of two layers, with arrows forward and backward."""
    there, back = ("X", "sums[0]", "inputs[1]", "logits"), ("", "d_sums", "d_inputs", "d_logits")
    picture = Drawing(640, 222, WAY)
    for i, name in enumerate(("layer 0", "ReLU", "layer 1", "loss")):
        x, layer = 75 + 155 * i, name.startswith("layer")
        picture.box(x, 60, 85, 60, SKY if layer else ORANGE).text(x + 43, 90, name)
        picture.arrow(x - 66, 78, x - 3, 78, FORWARD).text(x - 35, 62, there[i], 12)
        if i:
            picture.arrow(x - 4, 102, x - 67, 102, BACKWARD, DASHED).text(x - 35, 119, back[i], 12)
        if layer:
            picture.arrow(x + 43, 122, x + 43, 165, BACKWARD, DASHED)
            picture.text(x + 43, 178, "dW, db", 12)
    picture.arrow(190, 18, 250, 18, FORWARD).text(258, 18, "forward: values", 12, anchor="start")
    picture.arrow(250, 208, 190, 208, BACKWARD, DASHED)
    return picture.text(258, 208, "backward: slopes of the loss", 12, anchor="start")


@contextmanager
def explained() -> Iterator[None]:
    """Run a cell's lines; explain an exception in a sentence, with the line of the notebook."""
    try:
        yield
    except Exception as error:
        frames = extract_tb(error.__traceback__)
        where = next((one for one in reversed(frames) if "ipykernel" in one.filename), frames[-1])
        if isinstance(error, NotImplementedError):
            print(f"{where.name} is not written yet.")
        else:
            print(f"{describe(error)} It came from line {where.lineno} of a cell: {where.line}")


def spiral(mine: Any, *functions: Function, after: Any = None) -> LiveFigure:
    """Plot two arms of a spiral, every second point, and a network's boundary as it learns."""

    arms = {f"arm {arm + 1}": tuple(SPIRAL.X[SPIRAL.labels == arm][::2].T) for arm in (0, 1)}

    def move(f: Any, step: int, hidden: str, folds: bool) -> Iterator[Frame]:
        blocks, sizes = current_blocks(f, mine), () if hidden == "none" else (int(hidden),)
        settings = SPIRAL, sizes, "init_kaiming_normal", 0.7, SPIRAL_STEPS, SPIRAL_EVERY
        run = training(Experiment(blocks, *settings))
        for place in in_step(run, step=step):
            now = run.moments[place]
            logits = blocks.logits(GRID, now.layers)
            lean = np.tanh((logits[:, 1] - logits[:, 0]) / 4).reshape(len(EDGE), len(EDGE))
            share = percent(accuracy(blocks, SPIRAL, now.layers), 1)
            yield (
                {"lean": lean, "folds": _folds(now.layers, folds), **arms},
                f"After {now.step} steps the loss is {number(now.loss)};"
                f" {share} of the points are on the right side.",
            )

    play = LiveFigure("A network learns a spiral", move, own(functions), after)
    ax = play.axes(xlabel="x₁", ylabel="x₂", xlim=(-2.2, 2.2), ylim=(-2.2, 2.2))
    play.heat("lean", ax, (-2.2, 2.2, -2.2, 2.2), low=-1.0, high=1.0)
    play.line("folds", ax, Look(MUTED, width=1.2), twin=False)
    first, second, edge = Look(SKY), Look(ORANGE, marker="square"), {"twin": False, "edge": BLACK}
    play.points("arm 1", ax, first, label="first arm", radius=4.0, **edge)
    play.points("arm 2", ax, second, label="second arm", radius=4.0, **edge)
    play.slider("step", "training steps", 0, SPIRAL_STEPS, SPIRAL_STEPS, step=SPIRAL_EVERY)
    play.choice("hidden", "hidden units", ["32", "4", "none"])
    play.switch("folds", "where each hidden unit bends", False)
    return play


def read_digits(mine: Any, *functions: Function, after: Any = None) -> LiveFigure:
    """Plot the accuracy on digits during training, with and without a hidden layer."""

    def move(f: Any, step: int, image: int) -> Iterator[Frame]:
        blocks, test = current_blocks(f, mine), digit_problem(test=True)
        runs = {"hidden": digit_training(blocks, (32,)), "none": digit_training(blocks, ())}
        for place in in_step(*runs.values(), step=step):
            steps = [DIGIT_EVERY * moment for moment in range(place + 1)]
            shares = {
                n: [share_read(run, at, test=True) for at in steps] for n, run in runs.items()
            }
            shown = {name: (steps, 100 * np.array(read)) for name, read in shares.items()}
            hidden, none = (percent(read[-1], 1) for read in shares.values())
            logits = blocks.logits(test.X[[image]], runs["hidden"].moments[place].layers)
            guess = f"is {a(test.labels[image])}, read as {np.argmax(logits)}"
            picture = {"image": test.X[image].reshape(8, 8)[::-1], "says": (4, 8.6, f"it {guess}")}
            yield (
                {**shown, **picture},
                f"After {steps[-1]} steps the network reads {hidden} of {len(test.labels)} new"
                f" digits, without its hidden layer {none}; image {image} {guess}.",
            )

    play = LiveFigure(
        "A network learns to read digits",
        move,
        own(functions),
        after,
        missions={
            "the first step at which more than 90 % of new digits are read": lambda at, data: (
                at.step == data["hidden"][0][-1]
                and data["hidden"][1][-1] > 90 >= np.max(data["hidden"][1][:-1], initial=0)
            ),
            "an image that is misread after all steps": lambda at, data: (
                at.step == data["hidden"][0][-1] == DIGIT_STEPS and _misread(data["says"][2])
            ),
        },
    )
    left = play.axes(121, xlabel="training steps", ylabel="percent of new digits read")
    left.set(xlim=(0, DIGIT_STEPS), ylim=(0, 103))
    right = play.axes(122, xlim=(0, 8), ylim=(0, 9.2), aspect="equal")
    right.set_axis_off()
    play.line("hidden", left, twin=False, label="64-32-10")
    play.line("none", left, Look(PURPLE, (9, 3)), twin=False, label="64-10")
    play.guess(left)
    play.heat("image", right, (0, 8, 0, 8), low=-1.0, high=1.0, smooth=False)
    play.words("says", right)
    play.slider("step", "training steps", 0, DIGIT_STEPS, DIGIT_STEPS, step=DIGIT_EVERY)
    play.slider("image", "image", 0, len(digit_problem(test=True).labels) - 1, 0, step=1)
    return play


def _misread(says: str) -> bool:
    """Return whether "it is a 3, read as 5" names two digits."""
    return len({sign for sign in says if sign.isdigit()}) == 2


def depth(mine: Any, *functions: Function, after: Any = None) -> LiveFigure:
    """Plot the first losses of deeper and deeper networks from Xavier's and Kaiming's weights."""

    def move(f: Any, layers: int) -> Iterator[Frame]:
        blocks, data = current_blocks(f, mine), digits()
        X, labels = data.X[:DEPTH_EXAMPLES], data.labels[:DEPTH_EXAMPLES]
        few, sizes = Problem(f"{DEPTH_EXAMPLES} digits", X, labels), (32,) * layers
        plan = 0.05, DEPTH_STEPS, DEPTH_EVERY, False
        schemes = {"Kaiming": "init_kaiming_normal", "Xavier": "init_xavier_uniform"}
        runs = {n: training(Experiment(blocks, few, sizes, s, *plan)) for n, s in schemes.items()}
        for _ in in_step(*runs.values()):
            steps = {name: [moment.step for moment in run.moments] for name, run in runs.items()}
            losses = {name: [moment.loss for moment in run.moments] for name, run in runs.items()}
            ends = " and ".join(
                f"{number(losses[name][-1])} from {name}'s weights"
                f" (new digits: {percent(share_read(run, run.moments[-1].step, test=True), 1)})"
                for name, run in runs.items()
            )
            yield (
                {name: (steps[name], losses[name]) for name in runs},
                f"With {layers} hidden layer{'s' * (layers > 1)} the loss after"
                f" {steps['Kaiming'][-1]} steps is {ends}.",
            )

    play = LiveFigure("Deep networks from two starts", move, own(functions), after)
    ax = play.axes(xlabel="training steps", ylabel="loss", xlim=(0, DEPTH_STEPS), ylim=(0, 4))
    play.line("Kaiming", ax, twin=False, label="Kaiming")
    play.line("Xavier", ax, Look(GREEN, (9, 3), width=4), twin=False, label="Xavier")
    play.guess(ax)
    play.slider("layers", "hidden layers", 1, 16, 2, step=1)
    return play


def own(functions: tuple[Function, ...]) -> dict[str, Function]:
    """Return the learner's functions of the capstone by name."""
    return dict(zip(FUNCTIONS, functions, strict=True))


def _folds(layers: Layers, shown: bool) -> tuple[Array, Array]:
    """Return the lines w·x + b = 0 of the hidden units of a network of two inputs, (x, y)."""
    if not shown or len(layers) == 1:
        return np.full(1, np.nan), np.full(1, np.nan)
    W, b = layers[0]
    with np.errstate(all="ignore"):
        foot = -b * W / np.sum(W**2, axis=0)  # nearest to the origin
        along = np.stack([-W[1], W[0]]) * 9 / np.sqrt(np.sum(W**2, axis=0))
    x, y = np.stack([foot - along, foot + along, np.full_like(foot, np.nan)], axis=-1)
    return x.ravel(), y.ravel()


def in_step(*runs: Training, step: int | None = None) -> Iterator[int]:
    """Advance trainings of the same length together, to a step or to their ends.

    Yield the place of the last moment that all of them have: where they are, then after each
    advance, up to that step's.
    """
    settings = runs[0].settings
    last = (settings.steps if step is None else step) // settings.every
    while True:
        there = min(len(run.moments) for run in runs) - 1
        if there >= 0:
            yield min(there, last)
        if there >= last:
            return
        for run in runs:
            run.advance()


def current_blocks(f: Any, mine: Any) -> Blocks:
    """Return all blocks as they are now; `Unusable` is raised unless their gradients are right."""
    own: Mapping[str, LearnerFunction] = vars(f)
    names = network.names()
    blocks = {name: own[name].get() if name in own else getattr(mine, name) for name in names}
    helpers = tuple(helper for function in own.values() for helper in function.helpers)
    found = Blocks(**blocks, helpers=helpers)
    network.require_correct_gradients(found)
    return found


def digit_training(blocks: Blocks, hidden: tuple[int, ...]) -> Training:
    """Return the training of a network that reads digits."""
    settings = "init_kaiming_normal", 0.5, DIGIT_STEPS, DIGIT_EVERY
    return training(Experiment(blocks, digit_problem(), hidden, *settings))


@lru_cache(maxsize=1024)
def share_read(run: Training, step: int, test: bool) -> float:
    """Return the share of its images, or of new ones, that a training reads at a step."""
    problem = digit_problem(test=True) if test else run.settings.problem
    return accuracy(run.settings.blocks, problem, run.moments[step // run.settings.every].layers)


def digit_problem(test: bool = False) -> Problem:
    """Return the images to train on, or those of the test."""
    X, labels, X_test, labels_test = digits()
    return Problem("test", X_test, labels_test) if test else Problem("training", X, labels)


def _spiral() -> Problem:
    """Return two arms of 100 points, wound by 2.2 half turns around each other."""
    rng, along = np.random.default_rng(1), np.linspace(0, 1, 100)
    radius, angle = 0.1 + 0.9 * along, 2.2 * np.pi * along
    arm = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    X = 2 * (np.concatenate([arm, -arm]) + rng.normal(0, 0.02, size=(200, 2)))
    return Problem("spiral", X, np.repeat([0, 1], 100))


SPIRAL = _spiral()

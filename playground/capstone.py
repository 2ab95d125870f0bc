"""The capstone's four experiments with the learner's network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from playground.figure.learner_function import LearnerFunction
from playground.figure.live import LiveFigure
from playground.figure.marks import Array
from playground.figure.scene import Frame
from playground.figure.style import BLACK, BLUE, GREEN, PURPLE, VERMILLION, Look, number
from playground.functions.digits import digits
from playground.network import (
    BUGS,
    LIMIT,
    Blocks,
    Moment,
    Problem,
    Training,
    accuracy,
    broken,
    errors,
    gate,
    history,
    names,
    run_through,
    training,
)

Function = Callable[..., Any]

ARMS, POINTS_PER_ARM = 2, 100
SPIRAL_STEPS, SPIRAL_EVERY = 3000, 100
EDGE = np.linspace(-2.2, 2.2, 45)
GRID = np.stack(np.meshgrid(EDGE, EDGE), axis=-1).reshape(-1, 2)

DIGIT_STEPS, DIGIT_EVERY = 300, 10
DEPTH_STEPS, DEPTH_EVERY = 150, 2
DEPTH_EXAMPLES = 400

SMALLEST = 1e-12
ROUNDING = 1e-9
"""Relative errors below it are rounding in the central difference, other digits on other processors."""
LEARNING, TESTING = "the digits to learn from", "the digits to be tested with"


def bench(
    mine: Any,
    forward: Function,
    backward: Function,
    train: Function,
    relative_error: Function,
    after: Any = None,
) -> LiveFigure:
    """The gradient check, for the network as it is and with a bug put in, and what accuracy on digits says about the same bug."""

    def move(f: Any, bug: str) -> Iterator[Frame]:
        blocks = broken(_blocks(f, mine), bug)
        found = errors(blocks)
        tops, largest = np.maximum(list(found.values()), ROUNDING), max(found.values())
        size = (
            number(largest, 2, least=0)
            if largest > ROUNDING
            else f"below {number(ROUNDING, 1, least=0)}"
        )
        bars = (np.arange(len(tops)), np.full(len(tops), SMALLEST), tops)
        run = _reader(blocks, (32,))
        while True:
            run.advance()
            share = accuracy(blocks, _digits(TESTING), run.moments[-1].layers)
            yield (
                {"errors": bars, "limit": (np.array([-0.6, 5.6]), np.array([LIMIT, LIMIT]))},
                (
                    f"The gradient check {'passes' if largest < LIMIT else 'fails'}, the largest error is {size};"
                    f" trained all the same, it gets {_percent(share)} of new digits right{'' if run.complete else ' so far'}."
                ),
            )
            if run.complete:
                return

    play = _play(
        "The gradient check and the accuracy of a network with a bug",
        move,
        mine,
        after,
        forward,
        backward,
        train,
        relative_error,
    )
    ax = play.axes(ylabel="relative error", xlim=(-0.6, 5.6), ylim=(SMALLEST, 10), yscale="log")
    ax.set_xticks(
        range(6), [f"{name}, layer {layer}" for layer in (1, 2, 3) for name in "Wb"], fontsize=8
    )
    play.bars("errors", ax, label="relative error of the gradient", twin=False)
    play.line("limit", ax, Look(VERMILLION, (7, 5), width=2), twin=False, label="what may pass")
    play.choice("bug", "bug", list(BUGS))
    return play


def spiral(
    mine: Any,
    forward: Function,
    backward: Function,
    train: Function,
    relative_error: Function,
    after: Any = None,
) -> LiveFigure:
    """Two arms of a spiral, and the boundary of a network while it trains."""

    def move(f: Any, step: float, hidden: str) -> Frame:
        blocks = _ready(f, mine)
        layers = history(
            blocks,
            SPIRAL,
            () if hidden == "none" else (int(hidden),),
            "init_kaiming_normal",
            0.7,
            SPIRAL_STEPS,
            SPIRAL_EVERY,
        )
        now = layers[int(step) // SPIRAL_EVERY]
        logits = blocks.logits(GRID, now.layers)
        lean = np.tanh((logits[:, 1] - logits[:, 0]) / 4).reshape(len(EDGE), len(EDGE))
        arms = {f"arm {arm + 1}": tuple(SPIRAL.X[SPIRAL.labels == arm].T) for arm in range(ARMS)}
        share = accuracy(blocks, SPIRAL, now.layers)
        return (
            {"lean": lean, **arms},
            f"After {now.step} steps the loss is {number(now.loss)}; {_percent(share)} of the points are on the right side.",
        )

    play = _play(
        "A network learns a spiral", move, mine, after, forward, backward, train, relative_error
    )
    ax = play.axes(xlabel="x₁", ylabel="x₂", xlim=(-2.2, 2.2), ylim=(-2.2, 2.2))
    play.heat("lean", ax, (-2.2, 2.2, -2.2, 2.2), low=-1.0, high=1.0)
    play.points("arm 1", ax, Look(BLACK), twin=False, label="first arm", radius=4.0)
    play.points(
        "arm 2", ax, Look(BLUE, marker="square"), twin=False, label="second arm", radius=4.0
    )
    play.slider("step", "training steps", 0, SPIRAL_STEPS, SPIRAL_STEPS, step=SPIRAL_EVERY)
    play.choice("hidden", "hidden units", ["32", "4", "none"])
    return play


def reading(
    mine: Any,
    forward: Function,
    backward: Function,
    train: Function,
    relative_error: Function,
    after: Any = None,
) -> LiveFigure:
    """Handwritten digits: how accuracy grows with training, with and without a hidden layer, and what the network says of one image."""

    def move(f: Any, step: float, image: float) -> Frame:
        blocks, test, which = _ready(f, mine), _digits(TESTING), int(image)
        nets = {"hidden": _learned(blocks, (32,)), "none": _learned(blocks, ())}
        now = int(step) // DIGIT_EVERY
        steps = np.arange(now + 1) * DIGIT_EVERY
        shown = {name: (steps, shares[: now + 1]) for name, (_, shares) in nets.items()}
        hidden, none = (shares[now] for _, shares in nets.values())
        said = int(
            np.argmax(blocks.logits(test.X[which : which + 1], nets["hidden"][0][now].layers))
        )
        return {
            **shown,
            "image": test.X[which].reshape(8, 8)[::-1],
            "says": (4, 8.6, f"it is a {test.labels[which]}, read as {said}"),
        }, (
            f"After {steps[now]} steps the network reads {_percent(hidden)} of {len(test.labels)} new digits, without its hidden layer"
            f" {_percent(none)}; image {which} is a {test.labels[which]}, read as {said}."
        )

    play = _play(
        "A network learns to read digits",
        move,
        mine,
        after,
        forward,
        backward,
        train,
        relative_error,
    )
    left = play.axes(
        121,
        xlabel="training steps",
        ylabel="share of new digits read",
        xlim=(0, DIGIT_STEPS),
        ylim=(0, 1.03),
    )
    right = play.axes(122, xlim=(0, 8), ylim=(0, 9.2), aspect="equal")
    right.set_axis_off()
    play.line("hidden", left, twin=False, label="64-32-10")
    play.line("none", left, Look(PURPLE, (9, 3)), twin=False, label="64-10")
    play.heat("image", right, (0, 8, 0, 8), low=-1.0, high=1.0, smooth=False)
    play.words("says", right)
    play.slider("step", "training steps", 0, DIGIT_STEPS, DIGIT_STEPS, step=DIGIT_EVERY)
    play.slider("image", "image", 0, len(_digits(TESTING).labels) - 1, 0, step=1)
    return play


def depth(
    mine: Any,
    forward: Function,
    backward: Function,
    train: Function,
    relative_error: Function,
    after: Any = None,
) -> LiveFigure:
    """Deeper and deeper networks on digits: the loss of the first steps from Xavier's and from Kaiming's weights."""

    def move(f: Any, layers: float) -> Iterator[Frame]:
        blocks, few = _ready(f, mine), _digits(LEARNING)
        few = Problem(
            f"{DEPTH_EXAMPLES} digits", few.X[:DEPTH_EXAMPLES], few.labels[:DEPTH_EXAMPLES]
        )
        kaiming, xavier = (
            training(blocks, few, (32,) * int(layers), scheme, 0.05, DEPTH_STEPS, DEPTH_EVERY)
            for scheme in ("init_kaiming_normal", "init_xavier_uniform")
        )
        while True:
            for run in (kaiming, xavier):
                run.advance()
            yield _losses(int(layers), kaiming.moments, xavier.moments)
            if kaiming.complete and xavier.complete:
                return

    play = _play(
        "Deep networks from two starts", move, mine, after, forward, backward, train, relative_error
    )
    ax = play.axes(xlabel="training steps", ylabel="loss", xlim=(0, DEPTH_STEPS), ylim=(0, 4))
    play.line("Kaiming", ax, twin=False, label="Kaiming")
    play.line("Xavier", ax, Look(GREEN, (9, 3), width=4), twin=False, label="Xavier")
    play.slider("layers", "hidden layers", 1, 16, 2, step=1)
    return play


def _losses(layers: int, kaiming: list[Moment], xavier: list[Moment]) -> Frame:
    """Both losses, as far as they are known."""
    runs = {"Kaiming": kaiming, "Xavier": xavier}
    last = kaiming[-1], xavier[-1]
    return {
        name: (np.array([m.step for m in run]), np.array([m.loss for m in run]))
        for name, run in runs.items()
    }, (
        f"With {layers} hidden layer{'s' * (layers > 1)} the loss after {last[0].step} steps is {number(last[0].loss)} from Kaiming's weights"
        f" and {number(last[1].loss)} from Xavier's."
    )


def _play(title: str, move: Any, mine: Any, after: Any, *functions: Function) -> LiveFigure:
    names = ("forward", "backward", "train", "relative_error")
    return LiveFigure(title, move, dict(zip(names, functions, strict=True)), after)


def _blocks(f: Any, mine: Any) -> Blocks:
    """All blocks, as they are now."""
    own: Mapping[str, LearnerFunction] = vars(f)
    blocks: dict[str, Any] = {
        name: own[name].usable() if name in own else getattr(mine, name) for name in names()
    }
    return Blocks(
        **blocks, helpers=tuple(helper for function in own.values() for helper in function.helpers)
    )


def _ready(f: Any, mine: Any) -> Blocks:
    """All blocks, once their gradients are right."""
    blocks = _blocks(f, mine)
    gate(blocks)
    return blocks


def _reader(blocks: Blocks, hidden: tuple[int, ...]) -> Training:
    """The training of a network that reads digits."""
    return training(
        blocks,
        _digits(LEARNING),
        hidden,
        "init_kaiming_normal",
        0.5,
        DIGIT_STEPS,
        DIGIT_EVERY,
        keep=True,
    )


@lru_cache(maxsize=8)
def _learned(blocks: Blocks, hidden: tuple[int, ...]) -> tuple[list[Moment], Array]:
    """A network while it learns digits, and the share of new digits that it reads at each moment."""
    moments = run_through(_reader(blocks, hidden))
    return moments, np.array(
        [accuracy(blocks, _digits(TESTING), moment.layers) for moment in moments]
    )


def _digits(part: str) -> Problem:
    data = digits()
    return (
        Problem(part, data.X, data.labels)
        if part == LEARNING
        else Problem(part, data.X_test, data.labels_test)
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def _spiral() -> Problem:
    """Two arms of 100 points, wound by 2.2 half turns around each other."""
    rng, along = np.random.default_rng(1), np.linspace(0, 1, POINTS_PER_ARM)
    radius, angle = 0.1 + 0.9 * along, 2.2 * np.pi * along
    arm = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    X = 2 * (np.concatenate([arm, -arm]) + rng.normal(0, 0.02, size=(ARMS * POINTS_PER_ARM, 2)))
    return Problem("spiral", X, np.repeat(np.arange(ARMS), POINTS_PER_ARM))


SPIRAL = _spiral()

"""Look into the capstone's network that reads digits: its errors, its units, and how to fool it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from playground import capstone
from playground.figure.learner_function import LearnerFunction, Unusable
from playground.figure.live import LiveFigure
from playground.figure.scene import Frame
from playground.figure.still import Grid
from playground.figure.style import BLACK, GREEN, TARGET, VERMILLION, Look, number, percent
from playground.functions import Array, Function
from playground.functions.digits import a, digits
from playground.network import Blocks, Layers, Training

HIDDEN = 32
"""The network's hidden units."""

SMALL_STEPS = np.linspace(0, 1, 101)
"""The changes of each pixel that are tried, the smallest first."""

ROWS, COLUMNS, CELL, GAP = 4, 8, 8, 3
"""The pictures of the hidden units' weights: rows, columns, pixels of a picture and between two."""


@dataclass(frozen=True)
class Reader:
    """The learner's network, with the learner's softmax, at some step of its training."""

    blocks: Blocks
    layers: Layers
    softmax: LearnerFunction
    step: int

    def probabilities(self, X: Array) -> Array:
        """Return the ten probabilities (n, 10) of each image of X (n, 64)."""
        logits = self.blocks.logits(X, self.layers)
        return np.asarray(self.softmax(logits, shape=logits.shape))

    def active(self, X: Array) -> Array:
        """Return what the hidden units (n, 32) pass on."""
        inputs, sums = self.blocks.inputs_and_sums(X, self.layers)
        try:
            return np.asarray(inputs[1], float).reshape(sums[0].shape)
        except (TypeError, ValueError, IndexError, KeyError):
            raise self.blocks.use["forward"].wrong_result(inputs, "each layer's inputs") from None

    def slope(self, X: Array, labels: Array) -> Array:
        """Return the gradient of the loss for the pixels of X (n, 64).

        `backward` has no use for what `dense_backward` passes back from layer 0; here it is kept.
        """
        use, passed = self.blocks.use, list[Any]()

        def keep(dZ: Array, X: Array, W: Array) -> Any:
            found = use["dense_backward"](dZ, X, W)
            passed.append(found[0])
            return found

        inputs, sums = self.blocks.inputs_and_sums(X, self.layers)
        d_logits = use["softmax_ce_grad"](sums[-1], labels)
        use["backward"](d_logits, inputs, sums, self.layers, use["relu_grad"], keep)
        shapes = [np.shape(each) for each in passed]
        if X.shape not in shapes:
            raise Unusable("backward didn't call dense_backward for layer 0.")
        return np.asarray(passed[shapes.index(X.shape)], float)

    @property
    def so_far(self) -> str:
        """Words that begin a readout while the network is still in training."""
        steps = capstone.DIGIT_STEPS
        return "" if self.step >= steps else f"{self.step} of {steps} training steps so far. "


def readers(f: Any, mine: Any) -> Iterator[Reader]:
    """Yield the network after each part of its training, at least once."""
    blocks, softmax = capstone.current_blocks(f, mine), LearnerFunction("softmax", mine.softmax)
    run = capstone.digit_training(blocks, (HIDDEN,))
    for _ in capstone.in_step(run):
        yield now(run, softmax)


def now(run: Training, softmax: LearnerFunction) -> Reader:
    """Return the network at the last moment of a training."""
    step, layers, _ = run.moments[-1]
    return Reader(run.settings.blocks, layers, softmax, step)


def mistakes(mine: Any, *functions: Function, after: Any = None) -> LiveFigure:
    """Plot one misread test image after the other, with the ten probabilities."""

    def move(f: Any, presses: int) -> Iterator[Frame]:
        _, _, X, labels = digits()
        for reader in readers(f, mine):
            p = reader.probabilities(X)
            wrong = np.flatnonzero(np.argmax(p, axis=1) != labels)
            if not len(wrong):
                raise Unusable("Your network reads every test image: there is no mistake to show.")
            which = presses % len(wrong)
            image, sure = wrong[which], np.max(p[wrong], axis=1).mean()
            truth = f"it is {a(labels[image])}"
            yield (
                {**picture(X[image], truth), **bars(p[image])},
                (
                    f"{reader.so_far}Mistake {which + 1} of {len(wrong)}, test image {image}:"
                    f" {truth}, read as {reads(p[image])}. In its mistakes the network gives its"
                    f" wrong answer {percent(sure)} on average."
                ),
            )

    play = LiveFigure("The misread digits, one by one", move, capstone.own(functions), after)
    ax = frame(play)
    play.guess(ax, along="y")
    play.button("presses", "next mistake")
    return play


def hidden_units(mine: Any, *functions: Function, after: Any = None) -> LiveFigure:
    """Plot the weights of all hidden units as pictures, and which of them a digit activates."""

    def move(f: Any, image: int) -> Iterator[Frame]:
        _, _, X, labels = digits()
        x = X[[image]]
        for reader in readers(f, mine):
            activity, p = reader.active(x)[0], reader.probabilities(x)[0]
            strongest = int(np.argmax(activity))
            votes = reader.layers[1][0][strongest]
            says = f"is {a(labels[image])}, read as {a(np.argmax(p))}"
            yield (
                {
                    "units": tiles(reader.layers[0][0], activity),
                    "levels": levels(activity),
                    "image": x.reshape(8, 8)[::-1],
                    "says": (5.5, 11, f"it {says}".replace(", ", "\n")),
                },
                (
                    f"{reader.so_far}Image {image} {says}."
                    f" {np.count_nonzero(activity > 0)} of {HIDDEN} units are active; the"
                    f" strongest, unit {strongest + 1}, speaks most for {a(np.argmax(votes))}"
                    f" and most against {a(np.argmin(votes))}."
                ),
            )

    play = LiveFigure(
        "The weights of the hidden units, and a digit", move, capstone.own(functions), after
    )
    ax = play.axes(xlim=(0, 63), ylim=(0, 28), aspect="equal")
    ax.set_axis_off()
    play.heat("image", ax, (0, 11, 14, 25), low=-1.0, high=1.0, smooth=False)
    play.heat("units", ax, (*WALL[0], *WALL[1]), low=-0.8, high=0.8, smooth=False)
    play.bars("levels", ax, Look(BLACK), twin=False, label="activity of the unit on its left")
    play.words("says", ax)
    play.slider("image", "test image", 0, len(digits().X_test) - 1, 0, step=1)
    return play


def fool(mine: Any, *functions: Function, after: Any = None) -> LiveFigure:
    """Plot a digit, each pixel of which is changed by ε so that the loss rises."""

    def move(f: Any, epsilon: float, image: int) -> Iterator[Frame]:
        _, _, X, labels = digits()
        x, label = X[image], labels[image]
        for reader in readers(f, mine):
            uphill = np.sign(reader.slope(x[None], labels[[image]])[0])
            p = reader.probabilities(changed(x, uphill, SMALL_STEPS))
            flips = np.flatnonzero(np.argmax(p, axis=1) != np.argmax(p[0]))
            least = SMALL_STEPS[flips[0]] if len(flips) else np.nan
            fooled = changed(x, uphill, epsilon)
            after_it, others = reader.probabilities(fooled)[0], np.delete(p, label, axis=1)
            yield (
                {
                    **{"x": square(x), "change": square(fooled[0] - x), "sum": square(fooled[0])},
                    "right": (SMALL_STEPS, p[:, label]),
                    "other": (SMALL_STEPS, np.max(others, axis=1)),
                    "now": ([epsilon, epsilon], [0, 1]),
                    **{"before": (np.arange(10), p[0]), **bars(after_it), "says": TITLES},
                },
                (
                    f"{reader.so_far}With each pixel changed by up to {number(epsilon)},"
                    f" this {label} is read as {reads(after_it)}. {smallest(least)}"
                ),
            )

    play = LiveFigure(
        "A digit, changed to fool the network",
        move,
        capstone.own(functions),
        after,
        missions={
            "another answer with an ε of at most 0.1": lambda at, data: (
                at.epsilon <= 0.1 and np.argmax(data["bars"][1]) != np.argmax(data["before"][1])
            ),
            "an image that keeps its answer with an ε of 0.2": lambda at, data: (
                at.epsilon == 0.2 and np.argmax(data["bars"][1]) == np.argmax(data["before"][1])
            ),
        },
    )
    places = Grid(2, 2)
    ax = play.axes(places[1, 0], xlabel="change ε of each pixel", xlim=(0, 0.5), ylim=(0, 1.1))
    play.line("right", ax, twin=False, label="right digit")
    play.line("other", ax, Look(GREEN, (9, 3), width=3), twin=False, label="likeliest other")
    play.line("now", ax, Look(VERMILLION, (2, 2), width=2), twin=False)
    play.guess(ax, along="x")
    pictures(play, places[0, :])
    ten(play, play.axes(places[1, 1]))
    play.bars("before", play.parts["bars"].ax, TARGET, twin=False, label="before the change")
    play.slider("epsilon", "ε", 0, 0.5, 0.0, step=0.01)
    play.slider("image", "test image", 0, len(digits().X_test) - 1, 0, step=1)
    return play


PANELS = ("x", 2, 1.0), ("change", 16, 0.33), ("sum", 30, 1.0)
"""The pictures of `fool`: name, left edge, and the value that has the full colour."""
TITLES = [(6, 8.9, "the digit"), (20, 8.9, "the change, 3 times as strong"), (34, 8.9, "both")]


def pictures(play: LiveFigure, place: Any) -> None:
    """Add the digit, its change and both together, side by side."""
    top = play.axes(place, xlim=(0, 40), ylim=(0, 9.5), aspect="equal")
    top.set_axis_off()
    for name, left, strength in PANELS:
        play.heat(name, top, (left, left + 8, 0, 8), low=-strength, high=strength, smooth=False)
    play.words("says", top)


def changed(x: Array, uphill: Array, epsilon: Any) -> Array:
    """Return the image (64,) changed by each ε (n,) the way its loss rises; ink stays in 0 to 1."""
    steps = np.reshape(epsilon, (-1, 1))
    return np.asarray(np.clip(x + steps * uphill, 0, 1))


def smallest(least: float) -> str:
    """Return the sentence about the smallest ε that changes the answer."""
    if np.isnan(least):
        return "No ε changes the answer."
    return f"The smallest ε that changes the answer is {number(least)}."


def frame(play: LiveFigure) -> Any:
    """Add an image at the left and ten bars at the right; return the axes of the bars."""
    left = play.axes(121, xlim=(0, 8), ylim=(0, 9.2), aspect="equal")
    left.set_axis_off()
    play.heat("image", left, (0, 8, 0, 8), low=-1.0, high=1.0, smooth=False)
    play.words("says", left)
    right = play.axes(122)
    ten(play, right)
    return right


def ten(play: LiveFigure, ax: Any) -> None:
    """Add the bars of ten probabilities."""
    ax.set(xlabel="digit", ylabel="probability", xlim=(-0.9, 9.9), ylim=(0, 1.15))
    ax.set_xticks(range(10))
    play.bars("bars", ax, twin=False)
    play.words("top", ax)


def picture(x: Array, says: str) -> dict[str, Any]:
    """Return the data of the image (64,) and the words over it."""
    return {"image": square(x), "says": (4, 8.6, says)}


def square(x: Array) -> Array:
    """Return an image (64,) as a picture (8, 8), whose first row is the lowest."""
    return x.reshape(8, 8)[::-1]


def bars(p: Array) -> dict[str, Any]:
    """Return the data of the ten bars, and the number over the highest one."""
    top = int(np.argmax(p))
    return {"bars": (np.arange(10), p), "top": (top, 1.08, percent(p[top]))}


def reads(p: Array) -> str:
    """Return the two likeliest digits with their probabilities."""
    first, second = (int(digit) for digit in np.argsort(-p, kind="stable")[:2])
    return f"{a(first)} with {percent(p[first])}, then {second} with {percent(p[second])}"


SIZE = COLUMNS * (CELL + GAP), ROWS * (CELL + GAP)
WALL = (13.0, 13.0 + SIZE[0] / 1.75), (1.0, 1.0 + SIZE[1] / 1.75)
"""Left and right, bottom and top of the wall of pictures in the axes."""


def tiles(W: Array, activity: Array) -> Array:
    """Return all units' weights W (64, 32) as one picture; those of resting units are pale."""
    strength = np.where(activity > 0, 1.0, 0.25)
    wall = np.zeros((ROWS, CELL + GAP, COLUMNS, CELL + GAP))
    shown = (W * strength).T.reshape(ROWS, COLUMNS, CELL, CELL)
    wall[:, :CELL, :, :CELL] = shown.transpose(0, 2, 1, 3)
    return wall.reshape(SIZE[1], SIZE[0])[::-1]


@lru_cache
def _meters() -> tuple[Array, Array, float]:
    """Return x (32,) and bottom (32,) of each unit's meter, and the height of a picture."""
    unit = (WALL[0][1] - WALL[0][0]) / SIZE[0]
    row, column = np.divmod(np.arange(HIDDEN), COLUMNS)
    x = WALL[0][0] + unit * (column * (CELL + GAP) + CELL + GAP / 2)
    bottom = WALL[1][1] - unit * (row * (CELL + GAP) + CELL)
    return x, bottom, unit * CELL


def levels(activity: Array) -> tuple[Array, Array, Array]:
    """Return bars beside the pictures; the most active unit's is as high as its picture."""
    x, bottom, height = _meters()
    most = float(np.max(activity, initial=0.0)) or 1.0
    return x, bottom, bottom + height * np.clip(activity / most, 0, 1)

"""The play in which one neuron looks at a digit, with its 64 weights as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from playground.figure.learner_function import Unusable, finished_functions
from playground.figure.live import LiveFigure
from playground.figure.scene import Frame
from playground.figure.still import Grid
from playground.figure.style import BLACK, MUTED, Look, number
from playground.functions import Array, Function
from playground.functions.digits import digits

Z = np.linspace(-6, 6, 81)
IMAGES = 20
"""Number of images of the first look, zeros and ones as they come."""
OF_EACH = 10
"""Number of images of each digit."""
KINDS = {"1, not 0": (1, 0), "3, not 8": (3, 8), "ink anywhere": None}
"""The pair of digits that a neuron tells apart, by the label of its weights."""
INK = 0.3
"""Mean ink above which the neuron with equal weights says yes."""


def first_look() -> LiveFigure:
    """Show a neuron that tells ones from zeros, by the course's own finished functions."""

    def move(_: Any, image: int, sideways: int) -> Frame:
        data = digits()
        both = data.X_test[data.labels_test < 2]
        if (own := finished_functions(("weighted_sum", "sigmoid"))) is None:
            raise Unusable("This figure needs the course's own functions, which are not here.")
        parts, said = _look(own, both[image - 1], sideways, "1, not 0")
        return parts, said[0].upper() + said[1:]

    play = LiveFigure(
        "One neuron looks at zeros and ones, and says how sure it is of a one",
        move,
        missions={
            "an image on which the neuron is wrong, without a move": lambda at, data: (
                not at.sideways and _wrong(at.image, data)
            ),
            "a one, moved sideways, that it takes for a zero (below 0.5)": lambda at, data: (
                at.sideways and _is_one(at.image) and _wrong(at.image, data)
            ),
            "a zero, moved sideways, on which its output is above 0.95": lambda at, data: (
                not _is_one(at.image) and data["dot"][1][0] > 0.95
            ),
        },
    )
    _declare(play)
    play.slider("image", "image", 1, IMAGES, 2, step=1)
    play.slider("sideways", "move it sideways", -3, 3, 0, step=1)
    return play


def look(weighted_sum: Function, sigmoid: Function, after: Any = None) -> LiveFigure:
    """Show a neuron's 64 weights as a picture next to the digit, driven by the learner's code."""

    def move(f: Any, weights: str, digit: int, image: int, sideways: int) -> Frame:
        data = digits()
        pixels = data.X_test[data.labels_test == digit][image - 1]
        return _look(f, pixels, sideways, weights)

    own = {"weighted_sum": weighted_sum, "sigmoid": sigmoid}
    play = LiveFigure(
        "Your neuron looks at a digit with 64 weights",
        move,
        own,
        after,
        missions={
            "an eight with an output below 0.1 for “3, not 8”": lambda at, data: (
                _sees(at, "3, not 8", 8) and data["dot"][1][0] < 0.1
            ),
            "a nine taken for a three: above 0.75 for “3, not 8”": lambda at, data: (
                _sees(at, "3, not 8", 9) and data["dot"][1][0] > 0.75
            ),
            "a seven taken for a one: above 0.9 for “1, not 0”": lambda at, data: (
                _sees(at, "1, not 0", 7) and data["dot"][1][0] > 0.9
            ),
        },
    )
    _declare(play)
    play.choice("weights", "weights for", [*KINDS])
    play.slider("digit", "digit", 0, 9, 3, step=1)
    play.slider("image", "image", 1, OF_EACH, 1, step=1)
    play.slider("sideways", "move it sideways", -3, 3, 0, step=1)
    return play


def _is_one(image: int) -> bool:
    labels = digits().labels_test
    return bool(labels[labels < 2][image - 1])


def _wrong(image: int, data: Mapping[str, Any]) -> bool:
    return _is_one(image) != bool(data["dot"][1][0] > 0.5)


def _sees(at: Any, weights: str, digit: int) -> bool:
    return bool(at.weights == weights and at.digit == digit)


def detector(kind: str) -> tuple[Array, float]:
    """Return weights (64,) and a bias: one digit's mean image minus the other's, or all equal.

    The bias puts z = 0 half-way between the two mean images.
    """
    pair, data = KINDS[kind], digits()
    if pair is None:
        return np.full(64, 0.25), -0.25 * 64 * INK
    yes, no = (data.X[data.labels == digit].mean(axis=0) for digit in pair)
    weights = yes - no
    return weights, -float(np.sum(weights * (yes + no))) / 2


def moved_sideways(pixels: Array, columns: int) -> Array:
    """Return an image (64,) moved to the right, or left, with white where it came from."""
    image = np.pad(pixels.reshape(8, 8), ((0, 0), (3, 3)))
    return image[:, 3 - columns : 11 - columns].ravel()


def _look(f: Any, pixels: Array, sideways: int, kind: str) -> Frame:
    pixels, (weights, bias) = moved_sideways(pixels, sideways), detector(kind)
    z = float(f.weighted_sum(pixels, weights, bias, shape=()))
    output = float(f.sigmoid(np.array([z]), shape=(1,))[0])
    pictures = {"pixels": pixels, "weights": weights, "products": pixels * weights}
    return {
        **{name: numbers.reshape(8, 8)[::-1] for name, numbers in pictures.items()},
        "curve": (Z, f.sigmoid(Z, shape=Z.shape)),
        "drop": ([z, z, Z[0]], [0, output, output]),
        "dot": ([z], [output]),
        "number": (-5.1, output + (0.1 if output < 0.85 else -0.1), number(output)),
    }, f"the products and the bias add up to z = {number(z)}; output {number(output)}."


def _declare(play: LiveFigure) -> None:
    """Add three pictures of 8×8 numbers, and the curve that turns their sum into the output."""
    titles = {"pixels": "the digit: 64 inputs", "weights": "64 weights", "products": "64 products"}
    grid = Grid(2, 3)
    for column, (name, title) in enumerate(titles.items()):
        ax = play.axes(
            grid[0, column], xticks=[], yticks=[], aspect="equal", xlim=(0, 8), ylim=(0, 8)
        )
        ax.set_title(title, fontsize="medium")
        ax.plot([0, 8, 8], [8, 8, 0], color=MUTED, linewidth=0.8, clip_on=False)  # the frame
        play.heat(name, ax, (0, 8, 0, 8), low=-1.0, high=1.0, smooth=False)
    limits: Any = {"xlim": (-6, 6), "ylim": (-0.05, 1.1)}
    ax = play.axes(
        grid[1, :], xlabel="sum of the products with the bias, z", ylabel="output", **limits
    )
    play.line("curve", ax)
    play.line("drop", ax, Look(BLACK, (2, 3), width=1.5), twin=False)
    play.points("dot", ax, Look(BLACK))
    play.words("number", ax)

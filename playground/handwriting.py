"""The capstone's pad: the network reads what the learner draws, and can be trained on with it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from playground import capstone, reader
from playground.figure.live import LiveFigure
from playground.figure.pad import Ink
from playground.figure.scene import Frame
from playground.figure.style import TARGET, percent
from playground.functions import Array, Function
from playground.functions.digits import a, digits
from playground.network import Blocks, Experiment, Moment, Problem, Training, accuracy

PEN, TALL, WIDE = 1.7, 8.0, 5.0
"""Width of a stroke and size of a digit, in pixels, as they are in the data."""

LARGEST = 2.5
"""The largest factor by which a drawing is enlarged, so that its first strokes stay strokes."""

FINE = (np.arange(32) + 0.5) / 4
PIXELS = np.stack(np.meshgrid(FINE, FINE, indexing="ij"), axis=-1).reshape(-1, 1, 2)
"""The centres (1024, 1, 2) of the finer pixels that are counted, 4×4 for each pixel."""

COPIES, MORE_STEPS, MORE_EVERY = 10, 60, 5
"""How often a drawing is added to the training images, and how long training goes on then."""

Example = tuple[bytes, int]
"""An image of 64 float64 numbers, and its label."""


def draw(mine: Any, *functions: Function, after: Any = None) -> LiveFigure:
    """Plot how the network reads the drawing on a pad."""
    examples: list[Example] = []

    def move(f: Any, ink: Ink, like_data: bool, label: int, added: int) -> Iterator[Frame]:
        x = redrawn(ink) if like_data else cells(ink)
        if added > len(examples):
            examples.append((x.tobytes(), label))
        for network in reader.readers(f, mine):
            p = network.probabilities(x[None])[0]
            frame = {**reader.picture(x, "what the network sees"), **reader.bars(p)}
            says = f"{network.so_far}{_sentence(ink, p)}"
            if network.so_far or not examples:
                yield {**frame, "before": _no_bars()}, says
        for later in trained_on(network, tuple(examples)) if examples else ():
            q = later.probabilities(x[None])[0]
            frame = {**frame, **reader.bars(q), "before": (np.arange(10), p)}
            yield frame, f"{_sentence(ink, q)} {_change(network, later, p, len(examples))}"

    play = LiveFigure(
        "Your handwriting",
        move,
        capstone.own(functions),
        after,
        missions={
            "a drawing of yours that is read with more than 95 %": lambda at, data: (
                bool(at.ink) and np.max(data["bars"][1]) > 0.95
            ),
            "the same by the bare cells, not redrawn": lambda at, data: (
                bool(at.ink) and not at.like_data and np.max(data["bars"][1]) > 0.95
            ),
        },
    )
    ax = reader.frame(play)
    play.bars("before", ax, TARGET, twin=False, label="before your drawings were added")
    play.pad("ink", "draw a digit")
    play.switch("like_data", "redraw it like the data", True)
    play.slider("label", "it is a", 0, 9, 3, step=1)
    play.button("added", "add to training")
    return play


@lru_cache(maxsize=64)
def redrawn(ink: Ink) -> Array:
    """Return the drawing (64,) as the data are: with a thick pen, scaled to the same box.

    Each pixel is the share of its 4×4 finer pixels that a stroke covers.
    """
    if not ink:
        return np.zeros(64)
    at = np.array(sorted(ink), float)
    size, middle = np.ptp(at, axis=0), (at.min(axis=0) + at.max(axis=0)) / 2
    room = np.array([TALL, WIDE]) - PEN
    tall, wide = np.where(size > 0, room / np.maximum(size, 1), np.inf)
    tall = min(tall, LARGEST)
    at = (at - middle) * [tall, min(wide, tall)] + 4
    start, end = at[strokes(ink)].swapaxes(0, 1)
    along, far = end - start, PIXELS - start
    length = np.maximum(np.sum(along**2, axis=-1), 1e-9)
    share = np.clip(np.sum(far * along, axis=-1) / length, 0, 1)
    away = np.linalg.norm(far - share[..., None] * along, axis=-1).min(axis=1)
    covered = np.clip(PEN - 2 * away + 0.5, 0, 1)
    return np.asarray(covered.reshape(8, 4, 8, 4).mean(axis=(1, 3)).ravel())


def strokes(ink: Ink) -> Array:
    """Return pairs (n, 2) of neighbouring cells, by their sorted numbers, and each with itself."""
    places = sorted(ink)
    pairs = [(i, i) for i in range(len(places))]
    for i, (row, column) in enumerate(places):
        for j, (below, aside) in enumerate(places[:i]):
            near = max(abs(row - below), abs(column - aside)) == 1
            corner = (row, aside) in ink or (below, column) in ink
            if near and (row == below or column == aside or not corner):
                pairs.append((i, j))
    return np.array(pairs)


def cells(ink: Ink) -> Array:
    """Return the inked cells (64,) as they are: 1 where there is ink, else 0."""
    x = np.zeros((8, 8))
    for place in ink:
        x[place] = 1.0
    return x.ravel()


def trained_on(network: reader.Reader, examples: tuple[Example, ...]) -> Iterator[reader.Reader]:
    """Yield a trained network while it trains on, with some drawings among the images."""
    run = _training(network.blocks, tuple(map(_bytes, network.layers)), examples)
    for _ in capstone.in_step(run):
        yield reader.now(run, network.softmax)


def _bytes(layer: tuple[Array, Array]) -> tuple[Any, ...]:
    return tuple((part.tobytes(), part.shape) for part in layer)


@lru_cache(maxsize=16)
def _training(
    blocks: Blocks, layers: tuple[tuple[Any, ...], ...], examples: tuple[Example, ...]
) -> Training:
    """Return a training that starts from these layers, with each drawing `COPIES` times."""
    start = [tuple(np.frombuffer(part).reshape(shape) for part, shape in layer) for layer in layers]
    data = digits()
    images = [np.tile(np.frombuffer(image), (COPIES, 1)) for image, _ in examples]
    labels = np.repeat([label for _, label in examples], COPIES)
    X, y = np.concatenate([data.X, *images]), np.concatenate([data.labels, labels])
    problem = Problem(f"training with {hash(examples)}", X, y)
    settings = "init_kaiming_normal", 0.5, MORE_STEPS, MORE_EVERY
    run = Training(Experiment(blocks, problem, (reader.HIDDEN,), *settings))
    run.moments.append(Moment(0, [(W, b) for W, b in start], np.nan))
    return run


def _no_bars() -> tuple[Array, Array]:
    return np.zeros(0), np.zeros(0)


def _sentence(ink: Ink, p: Array) -> str:
    if ink:
        return f"Your drawing is read as {reader.reads(p)}."
    top = int(np.argmax(p))
    return f"The pad is empty, and all the same it is read as {a(top)}, with {percent(p[top])}."


def _change(before: reader.Reader, after: reader.Reader, p: Array, n: int) -> str:
    """Say what the drawings changed."""
    test = capstone.digit_problem(test=True)
    old, new = (percent(accuracy(one.blocks, test, one.layers), 1) for one in (before, after))
    top = int(np.argmax(p))
    return (
        f"Before your {'drawing' if n == 1 else f'{n} drawings'} joined the training images, it was"
        f" read as {a(top)} with {percent(p[top])}; {after.step} steps of training followed."
        f" Of the 360 test digits the network reads {new}, before {old}."
    )

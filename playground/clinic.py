"""The training clinic of the capstone: a hidden bug in a training, and four instruments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from playground import capstone, network
from playground.figure.live import LiveFigure, Mission
from playground.figure.scene import Frame
from playground.figure.still import Panel
from playground.figure.style import BLUE, MUTED, TARGET, Look, number, percent
from playground.functions import Array, Function
from playground.network import Blocks, Experiment, Problem, Training, training

UNNAMED = "not yet"
SMALLEST, ROUNDING = 1e-12, 1e-9
"""Ends of the bars of relative errors: below the second they are rounding, other on each CPU."""
SHOWN = 8
"""Number of misread images in the figure."""
SEED = 11
"""Of the order of the patients."""


@dataclass(frozen=True)
class Bug:
    """A bug: how it shows, and what it exchanges in a training."""

    sign: str
    change: Callable[[Blocks], Blocks] = lambda blocks: blocks
    lr: float = 0.5
    shuffled: bool = False


def _start(spoil: Function) -> Callable[[Blocks], Blocks]:
    """Return a change of the start: all its weights go through `spoil`."""

    def change(blocks: Blocks) -> Blocks:
        def init(*given: Any) -> Any:
            return spoil(np.asarray(blocks.init_kaiming_normal(*given), float))

        return replace(blocks, init_kaiming_normal=init)

    return change


def _gradients(spoil: Function) -> Callable[[Blocks], Blocks]:
    """Return a change of `dense_backward`: spoil(dX, dW, db, n) for n examples."""

    def change(blocks: Blocks) -> Blocks:
        def dense_backward(dZ: Array, X: Array, W: Array) -> Any:
            return spoil(*blocks.dense_backward(dZ, X, W), len(X))

        return replace(blocks, dense_backward=dense_backward)

    return change


BUGS = {
    "rate too high": Bug(
        "With too high a rate the loss leaps up and down, while every gradient is right.", lr=2.0
    ),
    "all weights 0": Bug(
        "With weights of 0 the very first sums are 0: no signal gets in, and no slope comes back.",
        _start(np.zeros_like),
    ),
    "slope forgotten": Bug(
        "Without the ReLU's slope the check fails in layers 0 and 1 and passes in layer 2, while"
        " the digits are read all the same.",
        lambda blocks: replace(blocks, relu_grad=np.ones_like),
    ),
    "mean taken twice": Bug(
        "A mean taken twice shrinks all six gradients alike: training creeps as with a rate 1,437"
        " times too small.",
        _gradients(lambda dX, dW, db, n: (dX, dW / n, db / n)),
    ),
    "biases left out": Bug(
        "Where the biases aren't trained, the check fails at all three of them and at no weight.",
        _gradients(lambda dX, dW, db, n: (dX, dW, 0 * db)),
    ),
    "labels shuffled": Bug(
        "Shuffled labels belong to images of other digits; what is learned from them helps with no"
        " new image.",
        shuffled=True,
    ),
    "dead ReLUs": Bug(
        "Dead ReLUs get sums far below 0, every one of them, and let none through.",
        _start(lambda W: -np.abs(W)),
    ),
}
"""What a patient may have, in the order of the buttons."""


def _names(patient: int) -> Mission:
    return lambda at, data: at.patient == patient and at.diagnosis == _illness(patient)


CURED = {f"patient {number}: the bug named": _names(number - 1) for number in (1, 2, 3)}


def clinic(mine: Any, *functions: Function, after: Any = None) -> LiveFigure:
    """Show a training with a hidden bug by four instruments, and judge its diagnosis."""

    def move(f: Any, patient: int, diagnosis: str) -> Iterator[Frame]:
        blocks, bug = capstone.current_blocks(f, mine), _illness(patient)
        run, sound = _training(blocks, bug), capstone.digit_training(blocks, (32,))
        reply = "" if diagnosis == UNNAMED else f" {_reply(diagnosis, bug)}"
        for _ in capstone.in_step(run, sound):
            step, _, loss = run.moments[-1]
            shares = [capstone.share_read(run, step, test) for test in (False, True)]
            known, new = (percent(share, 1) for share in shares)
            steps = step, sound.moments[-1].step
            yield (
                _instruments(blocks, bug, run, sound, steps) | {"named": _named(diagnosis, bug)},
                f"Patient {patient + 1} after {step} steps: the loss is {number(loss, least=1e-3)};"
                f" it reads {known} of the known and {new} of the new images.{reply}",
            )

    play = LiveFigure(
        "Four instruments for a training with a hidden bug",
        move,
        capstone.own(functions),
        after,
        missions=CURED,
    )
    places = [play.axes(place) for place in (221, 222, 223, 224)]
    for part, ax in zip((_loss, _check, _signal, _images), places, strict=True):
        part(play, ax)
    play.choice("diagnosis", "diagnosis", [UNNAMED, *BUGS])
    play.button("patient", "New patient")
    diagnosis = play.controls["diagnosis"]
    play.controls["patient"].observe(lambda _: diagnosis.set_trait("value", UNNAMED), "value")
    return play


def _loss(play: LiveFigure, ax: Panel) -> None:
    ax.set(xlabel="training steps", ylabel="loss", xlim=(0, capstone.DIGIT_STEPS), ylim=(0, 4))
    play.line("sound", ax, TARGET, twin=False, label="a sound network")
    play.line("loss", ax, Look(BLUE, width=3), twin=False, label="the patient")
    play.words("named", ax)


def _check(play: LiveFigure, ax: Panel) -> None:
    ax.set(ylabel="relative error", xlim=(-0.6, 5.6), ylim=(SMALLEST, 10), yscale="log")
    ax.set_xticks(range(6), [f"{name}{layer}" for layer in range(3) for name in "Wb"])
    play.bars("errors", ax, twin=False)
    play.line("limit", ax, Look(MUTED, (7, 5), width=2), twin=False)


def _signal(play: LiveFigure, ax: Panel) -> None:
    ax.set(ylabel="size at the start", xlim=(-0.6, 3.6), ylim=(0, 2))
    ax.set_xticks(range(4), ["images", "sums 0", "ReLU", "logits"])
    play.bars("signal", ax, twin=False)
    play.bars("usual", ax, TARGET, twin=False)


def _images(play: LiveFigure, ax: Panel) -> None:
    ax.set(xlim=(0, 48), ylim=(-1, 22.5), aspect="equal")
    ax.set_axis_off()
    ax.set_title("misread: label → read as", fontsize=9)
    play.heat("images", ax, (0, 48, 0, 22), low=-1.0, high=1.0, smooth=False)
    play.words("misread", ax)


def _illness(patient: int) -> str:
    """Return the bug of a patient: each seven in a row have all seven, always in one order."""
    turn, place = divmod(patient, len(BUGS))
    order = np.random.default_rng(SEED + turn).permutation(list(BUGS))
    return str(order[place])


def _named(diagnosis: str, bug: str) -> tuple[float, float, str]:
    """Return the words in the figure about a diagnosis."""
    says = {UNNAMED: "what is wrong with it?", bug: f"{bug}: yes"}.get(
        diagnosis, f"{diagnosis}: no"
    )
    return 0.5 * capstone.DIGIT_STEPS, 3.6, says


def _reply(diagnosis: str, bug: str) -> str:
    if diagnosis == bug:
        return f"Right, it is “{bug}”. {BUGS[bug].sign}"
    return f"It isn't “{diagnosis}”. {BUGS[diagnosis].sign} Look again."


@lru_cache(maxsize=32)
def _ill(blocks: Blocks, bug: str) -> Blocks:
    """Return the blocks with a bug: the same object each time, for the caches."""
    return BUGS[bug].change(blocks)


def _problem(bug: str) -> Problem:
    sound = capstone.digit_problem()
    if not BUGS[bug].shuffled:
        return sound
    return Problem("shuffled", sound.X, np.random.default_rng(7).permutation(sound.labels))


def _training(blocks: Blocks, bug: str) -> Training:
    steps = capstone.DIGIT_STEPS, capstone.DIGIT_EVERY
    settings = "init_kaiming_normal", BUGS[bug].lr, *steps
    return training(Experiment(_ill(blocks, bug), _problem(bug), (32,), *settings))


@lru_cache(maxsize=64)
def _instruments(
    blocks: Blocks, bug: str, run: Training, sound: Training, steps: tuple[int, int]
) -> dict[str, Any]:
    """Return the data of all four panels at the trainings' present steps."""
    start = blocks.init_kaiming_normal  # the check looks at gradients, not at the start
    errors = network.errors(_checked(_ill(blocks, bug), start)).values()
    lines = {
        name: ([moment.step for moment in one.moments], [moment.loss for moment in one.moments])
        for name, one in (("loss", run), ("sound", sound))
    }
    bars = {
        name: (np.arange(4), _sizes(blocks, one))
        for name, one in (("signal", run), ("usual", sound))
    }
    checks = np.arange(6), np.full(6, SMALLEST), np.maximum([*errors], ROUNDING)
    limit = [-0.6, 5.6], [network.LIMIT, network.LIMIT]
    return {**lines, **bars, "errors": checks, "limit": limit, **_misread(blocks, run)}


@lru_cache(maxsize=32)
def _checked(blocks: Blocks, start: Function) -> Blocks:
    return replace(blocks, init_kaiming_normal=start)


def _sizes(blocks: Blocks, run: Training) -> Array:
    """Return the root mean square of images, sums, outputs and logits before the first step."""
    inputs, sums = blocks.inputs_and_sums(run.settings.problem.X, run.moments[0].layers)
    stages = inputs[0], sums[0], inputs[1], sums[1]
    return np.array([np.sqrt(np.mean(np.square(stage))) for stage in stages])


def _misread(blocks: Blocks, run: Training) -> dict[str, Any]:
    """Return the first misread images of those it learns from, with label and reading."""
    X, labels = run.settings.problem.X, run.settings.problem.labels
    read = np.argmax(blocks.logits(X, run.moments[-1].layers), axis=1)
    wall, words = np.full((22, 48), np.nan), []
    for place, image in enumerate(np.flatnonzero(read != labels)[:SHOWN].tolist()):
        row, column = 11 * (1 - place // 4), 12 * (place % 4)
        wall[row + 3 : row + 11, column + 2 : column + 10] = X[image].reshape(8, 8)[::-1]
        words.append((column + 6, row + 1.4, f"{labels[image]} → {read[image]}"))
    return {"images": wall, "misread": words}

"""Two plays about a signal on its way through a deep network, and a gradient on its way back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from playground.figure.live import LiveFigure, Mission
from playground.figure.scene import Frame
from playground.figure.still import Grid
from playground.figure.style import GREEN, ORANGE, PURPLE, VERMILLION, Look, number
from playground.functions import Array, Function

LAYERS, EXAMPLES, SEED = 20, 32, 2
"""Layers of a network, examples that go through it, and the seed of its weights."""

WIDTHS = (16, 32, 64, 128)
WIDTH = 32
"""Neurons in each layer: those to choose from in the corridor, and those of `depth`."""

DIM, BRIGHT = 0.1, 10.0
"""Sizes of a signal below which a door is dark, and above which it is white."""

FLAT = 0.95
"""Outputs of tanh beyond this count as saturated: the slope there is below a tenth."""

SHOWN = (1, 5, 10, 20)
"""Layers whose outputs `depth` shows."""

SCHEMES: dict[str, tuple[Any, ...]] = {
    "std 1": ("init_normal", 1.0),
    "std 0.01": ("init_normal", 0.01),
    "the slider's": ("init_normal",),
    "Xavier": ("init_xavier_uniform",),
    "Kaiming": ("init_kaiming_normal",),
}
"""A function to draw weights with, and its standard deviation unless the slider gives it."""

ACTIVATIONS = ("ReLU", "tanh")

FRAMES: dict[str, Any] = {"color": "#9aa1ab", "width": 0.86, "zorder": 0}
DOORS = {"dark": Look("black"), "glowing": Look(ORANGE), "white": Look("white")}
"""Named colours are the same in every theme."""


def _glows(width: int) -> Mission:
    return lambda at, data: (
        at.activation == "ReLU" and int(at.width) == width and LAYERS in data["glowing"][0]
    )


GLOWING = {f"ReLU, {width} inputs: the last door glows": _glows(width) for width in (16, 32, 64)}


def with_slope(activation: str) -> tuple[Function, Function]:
    """Return an activation and its slope: finished functions, which no grading sandbox has."""
    from playground.functions import finished

    known: dict[str, tuple[Function, Function]] = {
        "ReLU": (finished.relu, finished.relu_grad),
        "sigmoid": (finished.sigmoid, finished.sigmoid_grad),
        "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    }
    return known[activation]


def corridor(init_normal: Function, layer_scales: Function, after: Any = None) -> LiveFigure:
    """Show twenty layers as doors, and the standard deviations at which the last one glows."""
    found: dict[bool, dict[int, tuple[float, float]]] = {True: {}, False: {}}

    def move(f: Any, std: float, width: str, activation: str) -> Frame:
        wide, act = int(width), with_slope(activation)[0]
        rng = np.random.default_rng(SEED)
        size = wide, wide
        weights = [f.init_normal(*size, std, rng, shape=size) for _ in range(LAYERS)]
        scales = f.layer_scales(signal(wide), weights, act, shape=(LAYERS,))
        outputs = forward(wide, weights, act)[1]
        looks = doors(scales, outputs, activation)
        finds = found[f.layer_scales.whole]  # yours and the target's are kept apart
        if activation == "ReLU" and looks[-1] == "glowing":
            finds[wide] = min(finds.get(wide, (np.inf, 0.0)), (abs(np.log(scales[-1])), std))
        data: dict[str, Any] = {look: _slabs(looks == look) for look in DOORS}
        data |= {"outputs": _sideways(outputs), "size": _line(scales), **_finds(finds)}
        return data, _corridor_in_words(looks, scales, finds)

    own = {"init_normal": init_normal, "layer_scales": layer_scales}
    play = LiveFigure("The corridor of layers", move, own, after, missions=GLOWING)
    _declare_corridor(play)
    play.log_slider("std", "standard deviation", -2, 0, 0.1, step=0.02)
    play.choice("width", "inputs", [str(width) for width in (WIDTH, 16, 64, 128)])
    play.choice("activation", "activation", list(ACTIVATIONS))
    return play


def _declare_corridor(play: LiveFigure) -> None:
    """Add the row of doors, and the axes below it."""
    grid = Grid(2, 2, height_ratios=(5, 4))
    row = play.axes(grid[0, :], ylabel="output", xlim=(0.4, LAYERS + 0.6), ylim=(-3.2, 3.2))
    row.bar(range(1, LAYERS + 1), 6.4, bottom=-3.2, **FRAMES)
    row.set(xticks=range(1, LAYERS + 1), xlabel="layer", facecolor="#d5d9df")
    row.grid(visible=False)
    for look, color in DOORS.items():
        play.bars(look, row, color, twin=False)
    play.line("outputs", row, Look(PURPLE, width=1.6), twin=False)
    left = play.axes(grid[1, 0], xlabel="layer", ylabel="size, power of ten", ylim=(-10, 10))
    left.set(xlim=(1, LAYERS), xticks=SHOWN)
    for limit in (DIM, BRIGHT):
        left.axhline(np.log10(limit), color=ORANGE, linewidth=1, linestyle=":")
    play.line("size", left)
    right = play.axes(
        grid[1, 1], xlabel="inputs of a neuron", ylabel="std that glows", yscale="log"
    )
    right.set_xscale("log", base=2)
    right.set(xlim=(12, 170), ylim=(0.05, 1), xticks=WIDTHS, xticklabels=WIDTHS)
    right.set(yticks=(0.1, 1), yticklabels=("0.1", "1"))
    play.points("mark", right, Look(VERMILLION, marker="diamond"), twin=False, radius=9.0)
    play.points("found", right, twin=False)
    play.words("formula", right)


def _corridor_in_words(looks: Array, scales: Array, finds: dict[int, Any]) -> str:
    """Return the corridor's readout."""
    counts = [f"{np.sum(looks == look)} {look}" for look in DOORS]
    told = f"Doors: {', '.join(counts)}. After the last layer the signal has size"
    known = ", ".join(f"{number(std, 2)} for {wide} inputs" for wide, (_, std) in finds.items())
    return f"{told} {number(scales[-1], 2, least=0)}. Found so far: {known or 'nothing'}."


def _finds(finds: dict[int, tuple[float, float]]) -> dict[str, Any]:
    """Return what was found, and √(2/fan_in) next to it once something was."""
    wide = np.array(sorted(finds), float)
    stds = np.array([finds[int(width)][1] for width in wide])
    formula = [(80.0, 0.6, "◆ √(2/fan_in)")] if len(wide) else []
    place = {"found": (wide, stds), "mark": (wide, np.sqrt(2 / wide))}
    return place | ({"formula": formula} if formula else {})


def doors(scales: Array, outputs: list[Array], activation: str) -> Array:
    """Return for each layer whether its door is dark, glowing or white."""
    saturated = [activation == "tanh" and flat(out) > 0.5 for out in outputs]
    white = (scales > BRIGHT) | np.array(saturated) | ~np.isfinite(scales)
    looks: Array = np.where(white, "white", np.where(scales < DIM, "dark", "glowing"))
    return looks


def flat(outputs: Array) -> float:
    """Return the fraction of tanh's outputs that are close to −1 or 1."""
    return float(np.mean(np.abs(outputs) > FLAT))


def depth(
    mine: Any,
    init_normal: Function,
    init_xavier_uniform: Function,
    init_kaiming_normal: Function,
    layer_scales: Function,
    after: Any = None,
) -> LiveFigure:
    """Plot the size of a signal on its way forward, and of a gradient on its way back."""
    own = {
        "init_normal": init_normal,
        "init_xavier_uniform": init_xavier_uniform,
        "init_kaiming_normal": init_kaiming_normal,
        "layer_scales": layer_scales,
        "dense_backward": mine.dense_backward,
    }

    def move(f: Any, scheme: str, std: float, activation: str) -> Frame:
        rng = np.random.default_rng(SEED)
        weights = [_draw(f, scheme, std, rng) for _ in range(LAYERS)]
        act, slope = with_slope(activation)
        start = np.sqrt(np.mean(signal(WIDTH) ** 2))
        scales = np.append(start, f.layer_scales(signal(WIDTH), weights, act, shape=(LAYERS,)))
        sums, outputs = forward(WIDTH, weights, act)
        back = backward(f.dense_backward, weights, sums, outputs, slope)
        data = {"forward": _line(scales, 0), "backward": _line(back, 0)}
        shown = [outputs[layer - 1] for layer in SHOWN]
        return data | {"outputs": _sideways(shown)}, (
            f"after {LAYERS} layers the signal has size {number(scales[-1], 2, least=0)}, and the"
            f" gradient came back {number(back[0], 2, least=0)} times as large."
            f" {_last_outputs(outputs[-1], activation)}"
        )

    play = LiveFigure(
        "Forward and backward through a deep network",
        move,
        own,
        after,
        missions={
            "ReLU and the slider: both lines end between 0.1 and 10": lambda at, data: (
                (at.scheme, at.activation) == ("the slider's", "ReLU") and _level(data)
            ),
            "a healthy signal whose gradient grows a thousandfold": lambda at, data: (
                abs(data["forward"][1][-1]) < 1 and data["backward"][1][0] > 3
            ),
        },
    )
    _declare_depth(play)
    play.choice("scheme", "weights", list(SCHEMES))
    play.log_slider("std", "the slider's std", -2, 0, 0.2, step=0.02)
    play.choice("activation", "activation", list(ACTIVATIONS))
    return play


def _level(data: Mapping[str, Any]) -> bool:
    """Return whether signal and gradient end within a factor 10 of 1."""
    return bool(abs(data["forward"][1][-1]) < 1 and abs(data["backward"][1][0]) < 1)


def _declare_depth(play: LiveFigure) -> None:
    """Add the parts and axes of `depth`."""
    left = play.axes(121, xlabel="layer", ylabel="size, power of ten", xlim=(0, LAYERS))
    left.set(ylim=(-20, 20), xticks=range(0, LAYERS + 1, 5))
    play.guess(left, along="y")
    play.line("forward", left, label="signal")
    play.line("backward", left, Look(GREEN, (9, 3), width=3), twin=False, label="gradient")
    right = play.axes(122, xlabel="layer", ylabel="outputs of the layer", xlim=(0.4, 4.6))
    right.set(ylim=(-3.2, 3.2), xticks=range(1, 5), xticklabels=SHOWN)
    play.line("outputs", right, Look(PURPLE, width=2), twin=False)


def _last_outputs(outputs: Array, activation: str) -> str:
    """Say how many outputs of the last layer are of no use to a gradient."""
    if activation == "tanh":
        return f"Of the last outputs {number(100 * flat(outputs), 2)} % lie beyond ±{FLAT}."
    return f"Of the last outputs {number(100 * float(np.mean(outputs == 0)), 2)} % are 0."


def _draw(f: Any, scheme: str, std: float, rng: np.random.Generator) -> Any:
    """Return the weights of one layer."""
    name, *fixed = SCHEMES[scheme]
    given = fixed or ([std] if name == "init_normal" else [])
    return getattr(f, name)(WIDTH, WIDTH, *given, rng, shape=(WIDTH, WIDTH))


@lru_cache
def signal(width: int) -> Array:
    """Return the input (EXAMPLES, width) of a network: numbers of size 1."""
    return np.random.default_rng(3).normal(size=(EXAMPLES, width))


def forward(width: int, weights: list[Array], act: Function) -> tuple[list[Array], list[Array]]:
    """Return the sums and the outputs of each layer."""
    sums, outputs = [], [signal(width)]
    for W in weights:
        sums.append(outputs[-1] @ W)
        outputs.append(act(sums[-1]))
    return sums, outputs[1:]


def backward(
    dense_backward: Function,
    weights: list[Array],
    sums: list[Array],
    outputs: list[Array],
    slope: Function,
) -> Array:
    """Return the size of a gradient at the input and after each layer; it starts with 1."""
    inputs = [signal(WIDTH), *outputs[:-1]]
    gradients = [np.random.default_rng(4).normal(size=outputs[-1].shape)]
    for W, z, X in zip(weights[::-1], sums[::-1], inputs[::-1], strict=True):
        gradients.append(dense_backward(gradients[-1] * slope(z), X, W)[0])
    sizes = np.linalg.norm(np.reshape(gradients, (len(gradients), -1)), axis=1)
    back: Array = sizes[::-1] / sizes[0]
    return back


def _line(sizes: Array, first: int = 1) -> tuple[Array, Array]:
    """Return a line of sizes as powers of ten."""
    return np.arange(first, first + len(sizes)), np.log10(np.clip(sizes, 1e-40, 1e40))


def _slabs(here: Array) -> tuple[Array, Array, Array]:
    """Return the doors at these layers as bars."""
    x = 1.0 + np.flatnonzero(here)
    return x, 0 * x - 3, 0 * x + 3


def _sideways(outputs: list[Array]) -> tuple[Array, Array]:
    """Return a histogram of each layer's outputs, lying on its side; the ends hold all beyond."""
    bins = np.clip(np.nan_to_num(np.reshape(outputs, (len(outputs), -1))) * 5 + 15, 0, 29)
    bins, places, edges = bins.astype(int), np.arange(len(bins))[:, None], np.linspace(-3, 3, 31)
    counts = np.bincount((bins + 30 * places).ravel(), minlength=30 * len(bins)).reshape(-1, 30)
    half = np.repeat(0.3 * np.sqrt(counts / bins.shape[1]), 2, axis=1)
    up, gap = np.repeat(edges, 2)[1:-1], np.full_like(half[:, :1], np.nan)
    x = places + 1 + np.hstack([half, -half[:, ::-1], half[:, :1], gap])
    low, high = edges[bins.min(axis=1)][:, None], edges[bins.max(axis=1) + 1][:, None]
    y = np.clip(np.concatenate([up, up[::-1], up[:1], [np.nan]]), low, high)
    return x.ravel(), y.ravel()

"""Check gradients and train networks made of the learner's building blocks, once for each set."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from playground.figure.learner_function import LearnerFunction, Unusable
from playground.functions import Array, Function

Layers = list[tuple[Array, Array]]

LIMIT = 1e-6
"""The largest relative error that passes the gradient check."""

CLEAR_OF_KINKS = 1e-3
"""The least size of a sum in the checked network: across a ReLU's corner differences are wrong."""


@dataclass(frozen=True)
class Blocks:
    """The functions of a network: the capstone's, and those of earlier lessons."""

    forward: Function
    backward: Function
    train: Function
    relative_error: Function
    relu: Function
    relu_grad: Function
    dense_backward: Function
    softmax_ce_grad: Function
    cross_entropy: Function
    numerical_grad: Function
    gd_step: Function
    init_kaiming_normal: Function
    init_xavier_uniform: Function
    helpers: tuple[Function, ...] = ()
    """The notebook's functions that these call; with other ones the blocks are not equal."""

    @cached_property
    def use(self) -> dict[str, LearnerFunction]:
        """The blocks by name, each with its errors explained."""
        return {name: LearnerFunction(name, getattr(self, name)) for name in names()}

    def start(self, sizes: tuple[int, ...], scheme: str, seed: int) -> Layers:
        """Return layers (W, b) of these sizes, with biases of 0."""
        rng, init = np.random.default_rng(seed), self.use[scheme]
        return [(init(a, b, rng, shape=(a, b)), np.zeros(b)) for a, b in pairwise(sizes)]

    def logits(self, X: Array, layers: Layers) -> Array:
        """Return the logits (n, k) for examples X (n, d)."""
        return self.inputs_and_sums(X, layers)[1][-1]

    def inputs_and_sums(self, X: Array, layers: Layers) -> tuple[Any, list[Array]]:
        """Return each layer's inputs and its sums (n, d_out), as forward returns them."""
        result = self.use["forward"](X, layers, self.use["relu"])
        sums = _arrays(result[1]) if isinstance(result, tuple | list) and len(result) == 2 else []
        if [Z.shape for Z in sums] != [(len(X), len(b)) for _, b in layers]:
            raise self.use["forward"].wrong_result(result, "the inputs and the sums of each layer")
        return result[0], sums

    def gradient(self, X: Array, labels: Array) -> Function:
        """Return a function from layers to the gradients (dW, db) of the mean cross-entropy."""
        use = self.use
        blocks = use["relu_grad"], use["dense_backward"]

        def gradients(layers: Layers) -> Any:
            inputs, sums = self.inputs_and_sums(X, layers)
            d_logits = use["softmax_ce_grad"](sums[-1], labels)
            found = use["backward"](d_logits, inputs, sums, layers, *blocks)
            return self._like(layers, found, "backward", "the gradients (dW, db) of each layer")

        return gradients

    def trained(self, layers: Layers, gradient: Function, lr: float, steps: int) -> Layers:
        """Return layers after some steps of training."""
        result = self.use["train"](layers, gradient, self.use["gd_step"], lr, steps)
        return self._like(layers, result, "train", "the trained layers (W, b)")

    def _like(self, layers: Layers, result: Any, name: str, wanted: str) -> Layers:
        """Return a block's result if it has the shapes of these layers."""
        pairs = [_arrays(pair) for pair in result] if isinstance(result, tuple | list) else []
        shapes = [[part.shape for part in pair] for pair in pairs]
        if shapes != [[part.shape for part in layer] for layer in layers]:
            raise self.use[name].wrong_result(result, wanted)
        return [(W, b) for W, b in pairs]


def names() -> list[str]:
    """Return the names of the functions in `Blocks`."""
    return [block.name for block in fields(Blocks) if block.name != "helpers"]


def _arrays(parts: Any) -> list[Array]:
    """Return a learner's results for several layers as arrays, none if they aren't numbers."""
    try:
        return [np.asarray(part, float) for part in parts]
    except (TypeError, ValueError):
        return []


@dataclass(frozen=True)
class Problem:
    """Examples X (n, d) with their labels (n,), hashed and compared by name."""

    name: str
    X: Array = field(compare=False)
    labels: Array = field(compare=False)


class Experiment(NamedTuple):
    """The settings of a training, which stores a moment after every `every` steps.

    Without `keep` only the last moment has layers: those of deep networks take megabytes.
    """

    blocks: Blocks
    problem: Problem
    hidden: tuple[int, ...]
    scheme: str
    lr: float
    steps: int
    every: int
    keep: bool = True


class Moment(NamedTuple):
    """A network during its training: steps so far, layers if kept, and the mean loss."""

    step: int
    layers: Layers
    loss: float


class Training:
    """A network in training, with the moments up to now; the first is before the first step."""

    def __init__(self, settings: Experiment) -> None:
        self.settings = settings
        self.moments: list[Moment] = []
        self._gradient = settings.blocks.gradient(settings.problem.X, settings.problem.labels)

    @property
    def complete(self) -> bool:
        """Whether all steps are done."""
        return len(self.moments) > self.settings.steps // self.settings.every

    def advance(self) -> None:
        """Train up to the next moment, if there is one."""
        blocks, problem, hidden, scheme, lr, _, every, keep = self.settings
        if self.complete:
            return
        if self.moments:
            step, layers, _ = self.moments[-1]
            step, layers = step + every, blocks.trained(layers, self._gradient, lr, every)
        else:
            sizes = problem.X.shape[1], *hidden, int(problem.labels.max()) + 1
            step, layers = 0, blocks.start(sizes, scheme, seed=0)
        logits = blocks.logits(problem.X, layers)
        loss = blocks.use["cross_entropy"](logits, problem.labels, shape=())
        if self.moments and not keep:
            self.moments[-1] = self.moments[-1]._replace(layers=[])
        self.moments.append(Moment(step, layers, float(loss)))


@lru_cache(maxsize=64)
def training(settings: Experiment) -> Training:
    """Return the one training with these settings, to be continued."""
    return Training(settings)


@lru_cache(maxsize=32)
def errors(blocks: Blocks) -> dict[str, float]:
    """Return the relative error of each gradient of a network 3-5-4-3."""
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(5, 3)), np.array([0, 2, 1, 1, 0])
    layers = _clear_of_kinks(blocks, X)
    analytic, found = blocks.gradient(X, labels)(layers), {}
    for number, pair in enumerate(layers):
        for part, name in enumerate("Wb"):

            def loss(values: Array, number: int = number, part: int = part) -> float:
                changed = [list(layer) for layer in layers]
                changed[number][part] = values
                logits = blocks.logits(X, [(W, b) for W, b in changed])
                return float(blocks.use["cross_entropy"](logits, labels))

            numerical = blocks.use["numerical_grad"](loss, pair[part], shape=pair[part].shape)
            error = blocks.use["relative_error"](analytic[number][part], numerical, shape=())
            found[f"{name}{number}"] = float(error)
    return found


def require_correct_gradients(blocks: Blocks) -> None:
    """Raise `Unusable` if a gradient is wrong; the message names the worst."""
    worst, error = max(errors(blocks).items(), key=lambda item: item[1])
    if error >= LIMIT:
        raise Unusable(
            f"The gradient check fails at {worst}, with a relative error of {error:.2g}:"
            " training waits until it passes."
        )


def accuracy(blocks: Blocks, problem: Problem, layers: Layers) -> float:
    """Return the share of examples whose largest logit is that of their label."""
    return float(np.mean(np.argmax(blocks.logits(problem.X, layers), axis=1) == problem.labels))


def _clear_of_kinks(blocks: Blocks, X: Array) -> Layers:
    """Return layers with random biases and no sum near the corner of a ReLU."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        start = blocks.start((3, 5, 4, 3), "init_kaiming_normal", seed)
        layers: Layers = [(W, np.asarray(rng.normal(0, 0.5, size=b.shape))) for W, b in start]
        _, sums = blocks.inputs_and_sums(X, layers)
        if min(float(np.abs(Z).min()) for Z in sums[:-1]) > CLEAR_OF_KINKS:
            break
    return layers

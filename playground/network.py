"""Check gradients and train networks made of the learner's building blocks, once for each set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from playground.figure.learner_function import LearnerFunction, Unusable
from playground.figure.marks import Array

Function = Callable[..., Any]
Layers = list[tuple[Array, Array]]

LIMIT = 1e-6
"""The largest relative error that the gradient check lets pass."""

CLEAR_OF_KINKS = 1e-3
"""How far from 0 every sum of the checked network is: a central difference across the corner of a ReLU would mean nothing."""


@dataclass(frozen=True)
class Blocks:
    """What a network is built of: the capstone's functions, and those of earlier lessons."""

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
    """What else of the learner's notebook these call; other ones make other blocks."""

    @cached_property
    def use(self) -> dict[str, LearnerFunction]:
        """The blocks by name; whatever goes wrong in one becomes a sentence."""
        return {name: LearnerFunction(name, getattr(self, name)) for name in names()}

    def start(self, sizes: tuple[int, ...], scheme: str, seed: int) -> Layers:
        """Layers (W, b) of a network of these sizes, with biases of 0."""
        rng, init = np.random.default_rng(seed), self.use[scheme]
        return [(init(a, b, rng, shape=(a, b)), np.zeros(b)) for a, b in pairwise(sizes)]

    def logits(self, X: Array, layers: Layers) -> Array:
        """The last sums (n, k) for examples X (n, d)."""
        return self.inputs_and_sums(X, layers)[1][-1]

    def inputs_and_sums(self, X: Array, layers: Layers) -> tuple[Any, list[Array]]:
        """What forward returns for examples X (n, d): the inputs of each layer as they are, and its weighted sums (n, d_out).

        Raises:
            Unusable: forward returned something else than the inputs and the sums of these layers.
        """
        result = self.use["forward"](X, layers, self.use["relu"])
        sums = _arrays(result[1]) if isinstance(result, tuple | list) and len(result) == 2 else []
        if [Z.shape for Z in sums] != [(len(X), len(b)) for _, b in layers]:
            raise self.use["forward"].unfit(result, "the inputs and the sums of each layer")
        return result[0], sums

    def gradient(self, X: Array, labels: Array) -> Function:
        """A function from layers to the gradients (dW, db) of the mean cross-entropy on these examples."""

        def gradients(layers: Layers) -> Any:
            inputs, sums = self.inputs_and_sums(X, layers)
            d_logits = self.use["softmax_ce_grad"](sums[-1], labels)
            found = self.use["backward"](
                d_logits, inputs, sums, layers, self.use["relu_grad"], self.use["dense_backward"]
            )
            return self._like(layers, found, "backward", "the gradients (dW, db) of each layer")

        return gradients

    def trained(self, layers: Layers, gradient: Function, lr: float, steps: int) -> Layers:
        """Layers after so many steps of training.

        Raises:
            Unusable: train returned something else than such layers.
        """
        return self._like(
            layers,
            self.use["train"](layers, gradient, self.use["gd_step"], lr, steps),
            "train",
            "the trained layers (W, b)",
        )

    def _like(self, layers: Layers, result: Any, name: str, wanted: str) -> Layers:
        """What a block returned, if it has the shapes of these layers."""
        pairs = [_arrays(pair) for pair in result] if isinstance(result, tuple | list) else []
        if [[part.shape for part in pair] for pair in pairs] != [
            [part.shape for part in layer] for layer in layers
        ]:
            raise self.use[name].unfit(result, wanted)
        return [(W, b) for W, b in pairs]


def names() -> list[str]:
    """The functions that `Blocks` are made of."""
    return [field.name for field in fields(Blocks) if field.name != "helpers"]


def _arrays(parts: Any) -> list[Array]:
    """What a learner's function returned for several layers, as arrays; nothing where it is none of that."""
    try:
        return [np.asarray(part, float) for part in parts]
    except (TypeError, ValueError):
        return []


class Moment(NamedTuple):
    """A network during its training: steps so far, layers if they are kept, and the mean loss on what it learns from."""

    step: int
    layers: Layers
    loss: float


class Problem(NamedTuple):
    """Examples X (n, d) with their labels (n,), hashable by name."""

    name: str
    X: Array
    labels: Array

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problem) and self.name == other.name


@lru_cache(maxsize=32)
def errors(blocks: Blocks) -> dict[str, float]:
    """The relative error of each array of gradients of a network 3-5-4-3, against central differences."""
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(5, 3)), np.array([0, 2, 1, 1, 0])
    layers = _clear_of_kinks(blocks, X)
    analytic = blocks.gradient(X, labels)(layers)
    found = {}
    for number, pair in enumerate(layers):
        for part, name in enumerate("Wb"):
            numerical = blocks.use["numerical_grad"](
                _loss_of(blocks, X, labels, layers, number, part),
                pair[part],
                shape=pair[part].shape,
            )
            found[f"{name}{number + 1}"] = float(
                blocks.use["relative_error"](analytic[number][part], numerical, shape=())
            )
    return found


def gate(blocks: Blocks) -> None:
    """Let only right gradients pass.

    Raises:
        Unusable: one is wrong; the sentence names it.
    """
    found = errors(blocks)
    worst = max(found, key=lambda name: found[name])
    if found[worst] >= LIMIT:
        raise Unusable(
            f"The gradient check fails at {worst}, with a relative error of {found[worst]:.2g}: training waits until it passes."
        )


class Training:
    """A network with these hidden layers while it trains, as far as it has come: a moment every so many steps, the first before the first step.

    With `keep` each moment keeps its layers; else only the last one does, as deep networks take megabytes.
    """

    def __init__(
        self,
        blocks: Blocks,
        problem: Problem,
        hidden: tuple[int, ...],
        scheme: str,
        lr: float,
        steps: int,
        every: int,
        keep: bool,
    ) -> None:
        self.moments: list[Moment] = []
        self._keep = keep
        self._blocks, self._problem, self._lr, self._steps, self._every = (
            blocks,
            problem,
            lr,
            steps,
            every,
        )
        self._sizes, self._scheme = (
            (problem.X.shape[1], *hidden, int(problem.labels.max()) + 1),
            scheme,
        )
        self._gradient = blocks.gradient(problem.X, problem.labels)

    @property
    def complete(self) -> bool:
        """Whether all steps are done."""
        return bool(self.moments) and self.moments[-1].step + self._every > self._steps

    def advance(self) -> None:
        """One moment more, if there is one."""
        if self.complete:
            return
        if self.moments:
            step, layers, _ = self.moments[-1]
            step += self._every
            layers = self._blocks.trained(layers, self._gradient, self._lr, self._every)
        else:
            step, layers = 0, self._blocks.start(self._sizes, self._scheme, seed=0)
        loss = self._blocks.use["cross_entropy"](
            self._blocks.logits(self._problem.X, layers), self._problem.labels, shape=()
        )
        if self.moments and not self._keep:
            self.moments[-1] = self.moments[-1]._replace(layers=[])
        self.moments.append(Moment(step, layers, float(loss)))


@lru_cache(maxsize=64)
def training(
    blocks: Blocks,
    problem: Problem,
    hidden: tuple[int, ...],
    scheme: str,
    lr: float,
    steps: int,
    every: int,
    keep: bool = False,
) -> Training:
    """The one training of these; it goes on where it was left."""
    return Training(blocks, problem, hidden, scheme, lr, steps, every, keep)


def history(
    blocks: Blocks,
    problem: Problem,
    hidden: tuple[int, ...],
    scheme: str,
    lr: float,
    steps: int,
    every: int,
) -> list[Moment]:
    """All moments of a training, with their layers."""
    return run_through(training(blocks, problem, hidden, scheme, lr, steps, every, keep=True))


def run_through(run: Training) -> list[Moment]:
    """All moments of a training that may be under way already."""
    while not run.complete:
        run.advance()
    return run.moments


def accuracy(blocks: Blocks, problem: Problem, layers: Layers) -> float:
    """The share of the examples whose largest logit is that of their label."""
    return float(np.mean(np.argmax(blocks.logits(problem.X, layers), axis=1) == problem.labels))


BUGS: dict[str, Callable[[Blocks], Blocks]] = {
    "none": lambda blocks: blocks,
    "ReLU slope forgotten": lambda blocks: replace(blocks, relu_grad=np.ones_like),
    "mean taken twice": lambda blocks: _bent(blocks, lambda dX, dW, db, n: (dX, dW / n, db / n)),
    "biases not trained": lambda blocks: _bent(blocks, lambda dX, dW, db, n: (dX, dW, 0 * db)),
    "nothing passed back": lambda blocks: _bent(blocks, lambda dX, dW, db, n: (0 * dX, dW, db)),
}
"""Ways to break a network, each by exchanging one block."""


@lru_cache(maxsize=64)
def broken(blocks: Blocks, bug: str) -> Blocks:
    """The blocks with one of `BUGS` in them; the same object each time, so that what was computed with it is found again."""
    return BUGS[bug](blocks)


def _bent(blocks: Blocks, bend: Function) -> Blocks:
    def dense_backward(dZ: Array, X: Array, W: Array) -> Any:
        return bend(*blocks.dense_backward(dZ, X, W), len(X))

    return replace(blocks, dense_backward=dense_backward)


def _clear_of_kinks(blocks: Blocks, X: Array) -> Layers:
    """Layers, biases included, with which no sum lies near the corner of a ReLU."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        layers: Layers = [
            (W, np.asarray(rng.normal(0, 0.5, size=b.shape)))
            for W, b in blocks.start((3, 5, 4, 3), "init_kaiming_normal", seed)
        ]
        _, sums = blocks.inputs_and_sums(X, layers)
        if min(float(np.abs(Z).min()) for Z in sums[:-1]) > CLEAR_OF_KINKS:
            break
    return layers


def _loss_of(
    blocks: Blocks, X: Array, labels: Array, layers: Layers, number: int, part: int
) -> Function:
    """The loss as a function of one array of the layers."""

    def loss(values: Array) -> float:
        changed = list(layers)
        pair = list(layers[number])
        pair[part] = values
        changed[number] = (pair[0], pair[1])
        return float(blocks.use["cross_entropy"](blocks.logits(X, changed), labels))

    return loss

"""Wrong building blocks with the right shapes: cases pass them in to see that they are used."""

from __future__ import annotations

from typing import Any

import numpy as np

from playground.figure.marks import Array


def mixed_backward(dZ: Any, X: Any, W: Any) -> tuple[Array, Array, Array]:
    """Takes and gives the shapes of a layer's way back: dZ (n, d_out), X (n, d_in), W (d_in, d_out) → (n, d_in), (d_in, d_out), (d_out,)."""
    rows = np.tanh(np.sum(dZ, axis=1, keepdims=True))
    return (
        rows * np.sum(W, axis=1),
        np.mean(X, axis=0)[:, None] * np.max(dZ, axis=0),
        np.max(dZ, axis=0),
    )


def pull(layers: Any, target: float = 1.0) -> list[tuple[Array, Array]]:
    """For each layer (W, b) the distances of its numbers from a target."""
    return [(np.subtract(W, target), np.subtract(b, target)) for W, b in layers]


def entangled(layers: Any) -> list[tuple[Array, Array]]:
    """For each layer (W, b) its own numbers times the mean of all layers' weights: no layer can be changed before the others were read."""
    mean = float(np.mean([np.mean(W) for W, _ in layers]))
    return [(np.multiply(W, mean), np.add(b, mean)) for W, b in layers]


def bent_step(w: Any, grad: Any, lr: float) -> Array:
    """A step against tanh(grad)."""
    return np.asarray(np.subtract(w, np.multiply(lr, np.tanh(grad))))

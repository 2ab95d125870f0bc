"""Wrong building blocks with the right shapes: cases pass them in to see that they are used."""

from __future__ import annotations

from typing import Any

import numpy as np

from playground.functions import Array


def mixed_backward(dZ: Any, X: Any, W: Any) -> tuple[Array, Array, Array]:
    """Return arrays shaped like dX (n, d_in), dW (d_in, d_out) and db (d_out,)."""
    rows = np.tanh(np.sum(dZ, axis=1, keepdims=True))
    return (
        rows * np.sum(W, axis=1),
        np.mean(X, axis=0)[:, None] * np.max(dZ, axis=0),
        np.max(dZ, axis=0),
    )


def pull(layers: Any, target: float = 1.0) -> list[tuple[Array, Array]]:
    """Return each layer's (W, b) minus a target."""
    return [(np.subtract(W, target), np.subtract(b, target)) for W, b in layers]


def entangled(layers: Any) -> list[tuple[Array, Array]]:
    """Return each layer's numbers, scaled by the mean of all layers' weights.

    So no layer may be changed before all were read.
    """
    mean = float(np.mean([np.mean(W) for W, _ in layers]))
    return [(np.multiply(W, mean), np.add(b, mean)) for W, b in layers]


def bent_step(w: Any, grad: Any, lr: float) -> Array:
    """Return a step against tanh(grad)."""
    return np.asarray(np.subtract(w, np.multiply(lr, np.tanh(grad))))

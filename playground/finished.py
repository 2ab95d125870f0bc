"""Plain numbers come in; what a finished function returns goes out: the targets that plays draw beside the learner's own.

Written for whole arrays at once, which no lesson asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def weighted_sum(x: Any, w: Any, b: float) -> Any:
    """Weighted sums of inputs x (…, d) with weights w (d,) and bias b: shape (…)."""
    return np.tensordot(x, w, axes=(-1, 0)) + b


def sigmoid(z: Any) -> Array:
    """The logistic function of z (any shape), by the identity σ(z) = ½·(1 + tanh(z/2)), which never overflows."""
    half = np.divide(z, 2.0)
    return np.asarray(0.5 + 0.5 * np.tanh(half))


def relu(z: Any) -> Array:
    """z where it is positive, else 0 (any shape)."""
    return np.asarray(np.clip(z, 0.0, None))


def tanh(z: Any) -> Array:
    """The hyperbolic tangent of z (any shape)."""
    return np.asarray(np.tanh(z))


def dense(X: Any, W: Any, b: Any, activation: Callable[[Array], Array]) -> Array:
    """One layer: X (n, d_in), W (d_in, d_out), b (d_out,) → (n, d_out)."""
    sums = np.einsum("ni,io->no", X, W)
    return activation(np.add(sums, b))

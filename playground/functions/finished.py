"""Finished functions, of whole arrays: the targets next to the learner's results in plays."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from playground.functions import Array


def center_columns(a: Any) -> Array:
    """Return a table (n, k) minus the mean of each column."""
    return np.asarray(np.subtract(a, np.einsum("nk->k", a) / len(a)))


def apply_twice(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the function that applies f to its input, and f again to the result."""
    return lambda once: f(f(once))


def weighted_sum(x: Any, w: Any, b: float) -> Any:
    """Return w·x + b for inputs x (…, d), weights w (d,) and bias b, as an array (…)."""
    return np.tensordot(x, w, axes=(-1, 0)) + b


def sigmoid(z: Any) -> Array:
    """Return σ(z) = ½·(1 + tanh(z/2)), which never overflows (any shape)."""
    return np.asarray(0.5 + 0.5 * np.tanh(np.divide(z, 2.0)))


def relu(z: Any) -> Array:
    """Return max(z, 0) (any shape)."""
    return np.asarray(np.clip(z, 0.0, None))


def dense(X: Any, W: Any, b: Any, activation: Callable[[Array], Array]) -> Array:
    """Return a layer's output (n, d_out) for X (n, d_in), W (d_in, d_out), b (d_out,)."""
    return activation(np.add(np.einsum("ni,io->no", X, W), b))


def mse(y_pred: Any, y_true: Any) -> float:
    """Return the mean squared error of two arrays of one shape."""
    gap = np.subtract(y_pred, y_true, dtype=np.float64).ravel()
    return float(np.vdot(gap, gap) / gap.size)


def binary_cross_entropy(p: Any, y: Any) -> float:
    """Return the mean cross-entropy of probabilities p, kept 1e-12 from 0 and 1, and labels y."""
    low, high = np.maximum(p, 1e-12), np.maximum(np.subtract(1.0, p), 1e-12)
    return float(np.average(np.log(low) * np.negative(y) - np.log(high) * np.subtract(1.0, y)))


def softmax(logits: Any) -> Array:
    """Return probabilities over the last axis of logits (any shape), by their logarithms."""
    logits = np.asarray(logits, np.float64)
    ahead = logits - np.amax(logits, axis=-1, keepdims=True)
    return np.asarray(np.exp(ahead - np.log(np.add.reduce(np.exp(ahead), axis=-1, keepdims=True))))


def gradient_descent(grad_fn: Callable[[Array], Array], w0: Any, lr: float, n_steps: int) -> Array:
    """Return the path (n_steps + 1, d) of gradient descent from w0 (d,)."""
    places = np.repeat(np.asarray(w0, np.float64)[None, :], n_steps + 1, axis=0)
    for before, after in pairwise(places):
        np.subtract(before, np.multiply(lr, grad_fn(before)), out=after)
    return places


def predicted_vs_actual(
    loss_fn: Callable[[Array], float], grad_fn: Callable[[Array], Array], w: Any, lr: float
) -> tuple[float, float]:
    """Return the change of the loss predicted by the slope for one step, and the actual one."""
    start = np.asarray(w, np.float64)
    step = np.multiply(-lr, grad_fn(start))
    actual = np.subtract(loss_fn(start + step), loss_fn(start))
    return float(np.vdot(step, step) / -lr), float(actual)


def init_normal(fan_in: int, fan_out: int, std: float, rng: np.random.Generator) -> Array:
    """Draw weights (fan_in, fan_out) from N(0, std²)."""
    return np.multiply(std, rng.standard_normal((fan_in, fan_out)))


def init_xavier_uniform(fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
    """Draw weights (fan_in, fan_out), uniform within ±√(6 / (fan_in + fan_out))."""
    half_width = float(np.sqrt(6.0 / np.add(fan_in, fan_out)))
    return rng.uniform(-half_width, half_width, (fan_in, fan_out))


def init_kaiming_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
    """Draw weights (fan_in, fan_out) from N(0, 2/fan_in)."""
    return np.multiply(np.sqrt(2.0 / fan_in), rng.standard_normal((fan_in, fan_out)))


def layer_scales(X: Any, weights: list[Array], activation: Callable[[Array], Array]) -> Array:
    """Return the root mean square of each layer's output (L,)."""
    signal, sizes = np.asarray(X, np.float64), np.zeros(len(weights))
    for layer, W in enumerate(weights):
        signal = activation(np.matmul(signal, W))
        sizes[layer] = np.linalg.norm(signal) / np.sqrt(signal.size)
    return sizes


def n_distinct_units(W: Any, b: Any) -> int:
    """Count the different columns of W (fan_in, fan_out) with their biases b (fan_out,)."""
    units = np.concatenate([W, np.reshape(b, (1, -1))])
    same = (units[:, :, None] == units[:, None, :]).all(axis=0)
    return int(np.count_nonzero(same.argmax(axis=0) == np.arange(len(same))))


def chain(
    d_outer: Callable[[Any], Any], inner: Callable[[Any], Any], d_inner: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    """Return the derivative of outer∘inner."""
    return lambda x: np.multiply(d_inner(x), d_outer(inner(x)))


def numerical_grad(f: Callable[[Array], float], x: Any, h: float = 1e-5) -> Array:
    """Return the central differences of f at x (any shape)."""
    at = np.asarray(x, np.float64)
    steps = np.multiply(h, np.identity(at.size)).reshape(at.size, *at.shape)
    slopes = [f(at + one) - f(at - one) for one in steps]
    return np.divide(slopes, 2.0 * h).reshape(at.shape)


def sigmoid_grad(z: Any) -> Array:
    """Return the sigmoid's slope at z (any shape), ¼ / cosh²(z/2)."""
    half = np.minimum(np.abs(z), 700.0) / 2.0
    return np.asarray(0.25 / np.cosh(half) ** 2)


def relu_grad(z: Any) -> Array:
    """Return the ReLU's slope at z (any shape), 0 at 0."""
    return np.asarray(np.heaviside(z, 0.0))


def neuron_grad(x: Any, w: Any, b: float, y: float) -> tuple[Array, float]:
    """Return the gradient (dw (d,), db) of (σ(w·x + b) − y)²."""
    z = float(np.vdot(w, x)) + b
    back = float(2.0 * (sigmoid(z) - y) * sigmoid_grad(z))
    return np.multiply(back, x), back


def dense_backward(dZ: Any, X: Any, W: Any) -> tuple[Array, Array, Array]:
    """Return a layer's gradients (dX, dW, db)."""
    return np.matmul(dZ, np.transpose(W)), np.matmul(np.transpose(X), dZ), np.add.reduce(dZ, axis=0)


def cross_entropy(logits: Any, labels: Any) -> float:
    """Return the mean cross-entropy of logits (n, k) and labels (n,)."""
    logits = np.asarray(logits, np.float64)
    chosen = np.take_along_axis(logits, np.reshape(labels, (-1, 1)), axis=1)[:, 0]
    return float(np.average(np.logaddexp.reduce(logits, axis=1) - chosen))


def softmax_ce_grad(logits: Any, labels: Any) -> Array:
    """Return the gradient (n, k) of the mean cross-entropy for its logits."""
    right = np.arange(np.shape(logits)[1]) == np.reshape(labels, (-1, 1))
    return np.asarray(np.subtract(softmax(logits), right) / len(right))


def gd_step(w: Any, grad: Any, lr: float) -> Array:
    """Return w after one step of gradient descent."""
    return np.asarray(np.subtract(w, np.multiply(lr, grad)))


def max_stable_lr(H: Any) -> float:
    """Return 2 / λ_max of a symmetric H (d, d)."""
    return float(np.divide(2.0, np.linalg.norm(H, 2)))

"""Losses of weights w (2,) with their gradients, for cases and plays."""

from __future__ import annotations

import numpy as np

from playground.functions import Array


def bowl(w: Array, curvature: float = 1.0) -> float:
    """Return ½·λ·|w|² with curvature λ; w may have any shape."""
    return float(0.5 * curvature * np.sum(np.square(w)))


def bowl_grad(w: Array, curvature: float = 1.0) -> Array:
    """Return λ·w."""
    return np.asarray(np.multiply(curvature, w))


def ravine(w: Array, flat: float = 1.0, steep: float = 10.0) -> float:
    """Return ½·(flat·w₁² + steep·w₂²), whose curvatures are `flat` and `steep`."""
    return float(0.5 * (flat * w[0] ** 2 + steep * w[1] ** 2))


def ravine_grad(w: Array, flat: float = 1.0, steep: float = 10.0) -> Array:
    """Return (flat·w₁, steep·w₂)."""
    return np.array([flat * w[0], steep * w[1]])


def product(w: Array, target: float = 1.0) -> float:
    """Return (w₁·w₂ − target)², the loss of two weights in a row."""
    return float((w[0] * w[1] - target) ** 2)


def product_grad(w: Array, target: float = 1.0) -> Array:
    """Return 2·(w₁·w₂ − target)·(w₂, w₁)."""
    gap = float(w[0] * w[1] - target)
    return np.array([2.0 * gap * w[1], 2.0 * gap * w[0]])


def tilted(w: Array, mixing: float = 0.5) -> float:
    """Return ½·wᵀHw with H = [[1, mixing], [mixing, 2]]."""
    return float(0.5 * (w[0] ** 2 + 2 * w[1] ** 2) + mixing * w[0] * w[1])


def tilted_grad(w: Array, mixing: float = 0.5) -> Array:
    """Return H·w."""
    return np.array([w[0] + mixing * w[1], mixing * w[0] + 2 * w[1]])


def quartic(w: Array) -> float:
    """Return ¼·Σ w⁴; w may have any shape."""
    return float(0.25 * np.sum(np.asarray(w, float) ** 4))


def quartic_grad(w: Array) -> Array:
    """Return w³."""
    return np.asarray(np.power(w, 3.0))


def bent(w: Array, steep: float = 20.0, bend: float = 0.1) -> float:
    """Return ½·w₁² + ½·steep·(w₂ − bend·w₁²)², a ravine along a curve."""
    return float(0.5 * (w[0] ** 2 + steep * (w[1] - bend * w[0] ** 2) ** 2))


def bent_grad(w: Array, steep: float = 20.0, bend: float = 0.1) -> Array:
    """Return the slopes of `bent` for w₁ and w₂."""
    off = float(w[1] - bend * w[0] ** 2)
    return np.array([w[0] - 2 * steep * bend * w[0] * off, steep * off])

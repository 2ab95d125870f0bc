"""Losses with their gradients, which cases and plays descend. Weights are (2,) by default."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def bowl(w: Array, curvature: float = 1.0) -> float:
    """½·λ·|w|² with curvature λ; any shape of w."""
    return float(0.5 * curvature * np.sum(np.square(w)))


def bowl_grad(w: Array, curvature: float = 1.0) -> Array:
    """λ·w."""
    return np.asarray(np.multiply(curvature, w))


def ravine(w: Array, flat: float = 1.0, steep: float = 10.0) -> float:
    """½·(flat·w₁² + steep·w₂²): its curvatures are `flat` and `steep`."""
    return float(0.5 * (flat * w[0] ** 2 + steep * w[1] ** 2))


def ravine_grad(w: Array, flat: float = 1.0, steep: float = 10.0) -> Array:
    """(flat·w₁, steep·w₂)."""
    return np.array([flat * w[0], steep * w[1]])


def product(w: Array, target: float = 1.0) -> float:
    """(w₁·w₂ − target)²: two weights, one after the other, that have to give a product."""
    return float((w[0] * w[1] - target) ** 2)


def product_grad(w: Array, target: float = 1.0) -> Array:
    """Its gradient: 2·(w₁·w₂ − target)·(w₂, w₁)."""
    gap = float(w[0] * w[1] - target)
    return np.array([2.0 * gap * w[1], 2.0 * gap * w[0]])


def tilted(w: Array, mixing: float = 0.5) -> float:
    """½·wᵀHw with H = [[1, mixing], [mixing, 2]]: the weights' slopes depend on each other."""
    return float(0.5 * (w[0] ** 2 + 2 * w[1] ** 2) + mixing * w[0] * w[1])


def tilted_grad(w: Array, mixing: float = 0.5) -> Array:
    """H·w."""
    return np.array([w[0] + mixing * w[1], mixing * w[0] + 2 * w[1]])


def quartic(w: Array) -> float:
    """¼·Σ w⁴; any shape of w."""
    return float(0.25 * np.sum(np.asarray(w, float) ** 4))


def quartic_grad(w: Array) -> Array:
    """w³."""
    return np.asarray(np.power(w, 3.0))

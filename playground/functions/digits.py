"""The UCI digits (1,797 images of 8×8 pixels), split into training and test sets.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, 1998, doi.org/10.24432/C50P49, licence CC BY 4.0. See data/README.md.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from playground.functions import Array

FILE = Path(__file__).parents[1] / "data" / "digits.npz"
TEST = 360
"""Number of test images."""


class Digits(NamedTuple):
    """Images as rows of 64 numbers from 0 (white) to 1 (black), with their labels 0 to 9."""

    X: Array
    labels: Array
    X_test: Array
    labels_test: Array


@cache
def digits() -> Digits:
    """Return 1,437 training and 360 test images, always shuffled the same way."""
    with np.load(FILE) as data:
        X, labels = data["images"] / 16.0, data["labels"].astype(int)
    order = np.random.default_rng(0).permutation(len(X))
    train, test = order[TEST:], order[:TEST]
    return Digits(X[train], labels[train], X[test], labels[test])


def a(digit: Any) -> str:
    """Return a digit with its article."""
    return f"an {digit}" if int(digit) == 8 else f"a {digit}"

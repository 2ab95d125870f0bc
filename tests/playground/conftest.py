"""Shorten what takes long in plays."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from playground import capstone, descent_on_digits, handwriting


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Train experiments for a few steps only."""
    for name, value in (
        ("DIGIT_STEPS", 10),
        ("DIGIT_EVERY", 5),
        ("SPIRAL_STEPS", 100),
        ("SPIRAL_EVERY", 50),
        ("DEPTH_STEPS", 4),
        ("DEPTH_EXAMPLES", 20),
    ):
        monkeypatch.setattr(capstone, name, value)
    monkeypatch.setattr(handwriting, "MORE_STEPS", 5)
    monkeypatch.setattr(descent_on_digits, "RATES", np.array([0.1, 1.0]))
    monkeypatch.setattr(descent_on_digits, "STEPS", 2)
    descent_on_digits.runs.cache_clear()
    yield
    descent_on_digits.runs.cache_clear()

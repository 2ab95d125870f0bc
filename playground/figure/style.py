"""Colours, sizes, fonts and number formats of all figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 640, 380
"""Size of a figure in CSS pixels."""

SHARPNESS = 2
"""Drawn pixels per CSS pixel, so that the still layer is sharp on dense screens."""

CARD, INK, MUTED, GRID = "#ffffff", "#1f2328", "#57606a", "#e3e6ea"
FONT = "DejaVu Sans, Verdana, sans-serif"
TEXT_PX = 13


@dataclass(frozen=True)
class Look:
    """How one series is told apart, by three signs at once: colour, dash pattern (pixels) and marker."""

    color: str
    dash: tuple[float, ...] = ()
    marker: str = "circle"
    width: float = 2.5


# Okabe & Ito 2008: eight colours that stay apart with every common form of colour blindness.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"

YOURS = Look(BLUE, width=5)
TARGET = Look(VERMILLION, (7, 5), "diamond", 2.2)
PLAIN = Look(INK)
SERIES = (
    Look(GREEN, (), "circle"),
    Look(PURPLE, (9, 3), "square"),
    Look(ORANGE, (3, 3), "triangle"),
    Look(SKY, (10, 3, 2, 3), "diamond"),
    Look(BLACK, (2, 2), "circle"),
)
"""Looks for what is neither yours nor the target, in the order in which a figure uses them."""

SETTINGS: dict[str, Any] = {
    "figure.facecolor": CARD,
    "axes.facecolor": CARD,
    "savefig.facecolor": CARD,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
"""matplotlib's settings while a figure is drawn; the learner's own settings change nothing in it."""


def number(value: float, digits: int = 3, least: float = 1e-9) -> str:
    """A number for people and for comparison: few significant digits, a real minus sign, no exponent between 1e-4 and 1e6.

    A whole number keeps all its digits; what is smaller than `least` is 0.
    """
    if abs(value) < least:
        return "0"
    text = str(value) if isinstance(value, int) else f"{float(value):.{digits}g}"
    mantissa, _, exponent = text.partition("e")
    if exponent:
        text = f"{float(text):.0f}" if 1 <= abs(value) < 1e6 else f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−")


def words(values: Any) -> str:
    """Numbers in a row, as in "1, 0.5 and −2"."""
    parts = [number(value) for value in values]
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]

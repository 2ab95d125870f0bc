"""Colours, sizes, fonts and number formats of all figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 640, 380
"""Size of a figure in CSS pixels."""

Box = tuple[float, float, float, float]
"""Left, top, width and height in CSS pixels."""

SHARPNESS = 2
"""Pixels of the still layer per CSS pixel, for dense screens."""

CARD, INK, MUTED, GRID, BLACK = "#ffffff", "#1f2328", "#57606a", "#e3e6ea", "#010101"
# Not quite black: matplotlib leaves black out of an SVG, and here it is to be replaced.
DARK = {CARD: "#111111", INK: "#e6e8eb", MUTED: "#a3abb5", GRID: "#33383e", BLACK: "#ffffff"}
"""The neutral colours, and their twins in a dark theme; series have the same colours in both."""
FONT = "DejaVu Sans, Verdana, sans-serif"
TEXT_PX = 13


@dataclass(frozen=True)
class Look:
    """The look of a series, distinct by colour, dash pattern (pixels) and marker at once."""

    color: str
    dash: tuple[float, ...] = ()
    marker: str = "circle"
    width: float = 2.5


# Okabe & Ito 2008: colours that remain distinct with every common form of colour blindness.
ORANGE, SKY, GREEN = "#E69F00", "#56B4E9", "#009E73"
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
"""Looks of further series, in the order of their use in a figure."""

SETTINGS: dict[str, Any] = {
    **{"figure.facecolor": CARD, "savefig.facecolor": CARD, "axes.facecolor": "none"},
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"), INK),
    **dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color"), MUTED),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False),
    **{"axes.grid": True, "axes.axisbelow": True, "grid.color": GRID},
    **{"font.family": ["DejaVu Sans"], "font.size": 9.5},
    **{"svg.fonttype": "path", "svg.hashsalt": "playground"},
}
"""matplotlib's settings of all figures, whatever the learner sets."""


def themed(color: str) -> str:
    """Return a colour for the page: a neutral one as a variable that its theme sets."""
    return f"var(--playground-{color[1:]})" if color in DARK else color


def number(value: float, digits: int = 3, least: float = 1e-9) -> str:
    """Return a number as text, with a real minus sign and no exponent between 1e-4 and 1e6.

    A whole number keeps all its digits; a size below `least` counts as 0.
    """
    if abs(value) < least:
        return "0"
    text = str(value) if isinstance(value, int) else f"{float(value):.{digits}g}"
    mantissa, _, exponent = text.partition("e")
    if exponent:
        text = f"{float(text):.0f}" if 1 <= abs(value) < 1e6 else f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−")


def percent(share: float, digits: int = 0) -> str:
    """Return a share from 0 to 1 as percent."""
    return f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


def words(values: Any) -> str:
    """Return numbers as a list in words: "1, 0.5 and −2"."""
    parts = [number(value) for value in values]
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]

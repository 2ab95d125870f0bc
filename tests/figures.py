"""What tests of figures share: a small play, the HTML that its widget shows, and where its lines lie."""

from __future__ import annotations

import re
import time
from typing import Any

import numpy as np

from playground import style
from playground.live import LiveFigure


def slope_figure(after: Any = None, **functions: Any) -> LiveFigure:
    """y = relu(slope · x), drawn by the learner's relu beside the finished one."""

    def move(f: Any, slope: float) -> Any:
        x = np.linspace(0, 1, 5)
        y = f.relu(slope * x, shape=(5,)) if functions else slope * x
        return {"curve": (x, y)}, f"it ends at {style.number(y[-1])}."

    figure = LiveFigure("A slope", move, functions, after)
    figure.line("curve", figure.axes(xlim=(0, 1), ylim=(-2, 2)), label="curve")
    figure.slider("slope", "slope", -2, 2, 1.0)
    return figure


def html(figure: LiveFigure) -> str:
    """All HTML that the widget shows now."""

    def walk(widget: Any) -> list[str]:
        own = [str(widget.value)] if hasattr(widget, "placeholder") else []
        return own + [text for child in getattr(widget, "children", ()) for text in walk(child)]

    return "".join(walk(figure.widget))


def shown(figure: LiveFigure, words: str, seconds: float = 60) -> bool:
    """Whether the browser is given these words in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if words in html(figure):
            return True
        time.sleep(0.01)
    return False


def lines_of(svg: str) -> list[np.ndarray[Any, Any]]:
    """The corners of each path of an SVG; for a row of markers, the first one's centre."""
    paths = re.findall(r'<path d="M([^"Zm]*)[Z"m]', svg)
    return [np.array([[float(n) for n in corner.split()] for corner in path.split("L")]) for path in paths]

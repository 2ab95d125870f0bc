"""Give tests of figures a small play, the HTML of its widget, and the corners of its lines."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from playground.figure import style
from playground.figure.live import LiveFigure


def slope_figure(after: Any = None, **functions: Any) -> LiveFigure:
    """Return y = relu(slope · x), with the learner's relu next to the finished one."""

    def move(f: Any, slope: float) -> Any:
        x = np.linspace(0, 1, 5)
        y = f.relu(slope * x, shape=(5,)) if functions else slope * x
        return {"curve": (x, y)}, f"it ends at {style.number(y[-1])}."

    figure = LiveFigure("A slope", move, functions, after)
    figure.line("curve", figure.axes(xlim=(0, 1), ylim=(-2, 2)), label="curve")
    figure.slider("slope", "slope", -2, 2, 1.0)
    return figure


def shared(make: Callable[[], LiveFigure]) -> Callable[[], LiveFigure]:
    """Make a figure only once, as its still layer is slow, and reset its controls at each call."""

    @cache
    def made() -> tuple[LiveFigure, dict[str, Any]]:
        figure = make()
        assert figure.widget
        return figure, figure.values()

    def again() -> LiveFigure:
        figure, values = made()
        return moved(figure, **values)

    return again


def moved(figure: LiveFigure, **values: Any) -> LiveFigure:
    """Return the figure with some of its controls at these values."""
    assert figure.widget
    for name, value in values.items():
        figure.controls[name].value = value
    return figure


def html(figure: LiveFigure) -> str:
    """Return all HTML that the widget shows now."""

    def walk(widget: Any) -> list[str]:
        own = [str(widget.value)] if hasattr(widget, "placeholder") else []
        return own + [text for child in getattr(widget, "children", ()) for text in walk(child)]

    return "".join(walk(figure.widget))


async def shows(figure: LiveFigure, words: str) -> bool:
    """Let the event loop turn until the browser is sent these words."""
    async with asyncio.timeout(600):
        while words not in html(figure):
            await asyncio.sleep(0.01)
    return True


def png(figure: LiveFigure) -> bytes:
    """Return both layers in one PNG."""
    assert figure.svg
    drawn: Any = figure.still
    png: bytes = drawn.png(figure._view.marks)
    return png


def lines_of(svg: str) -> list[np.ndarray[Any, Any]]:
    """Return the corners of each path of an SVG; for a row of markers, the first one's centre."""
    paths = re.findall(r'<path d="M([^"Zm]*)[Z"m]', svg)
    return [
        np.array([[float(n) for n in corner.split()] for corner in path.split("L")])
        for path in paths
    ]

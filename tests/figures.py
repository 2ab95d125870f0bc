"""Give tests of figures a small play, the HTML of its widget, and the places of its lines."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from playground.figure import style
from playground.figure.live import LiveFigure


def slope_figure(after: Any = None, **functions: Any) -> LiveFigure:
    """Return a play of y = relu(slope · x), by the learner's relu next to the finished one."""

    def move(f: Any, slope: float) -> Any:
        x = np.linspace(0, 1, 5)
        y = f.relu(slope * x, shape=(5,)) if functions else slope * x
        return {"curve": (x, y)}, f"it ends at {style.number(y[-1])}."

    figure = LiveFigure("A slope", move, functions, after)
    figure.line("curve", figure.axes(xlim=(0, 1), ylim=(-2, 2)), label="curve")
    figure.slider("slope", "slope", -2, 2, 1.0)
    return figure


def shared(make: Callable[[], LiveFigure]) -> Callable[[], LiveFigure]:
    """Return a function that makes a figure once, and resets its controls at each call.

    The first drawing takes longest.
    """

    @cache
    def made() -> tuple[LiveFigure, dict[str, Any]]:
        figure = make()
        assert figure.widget
        return figure, {name: control.value for name, control in figure.controls.items()}

    def again() -> LiveFigure:
        figure, values = made()
        for name, value in values.items():
            figure.controls[name].value = value
        return figure

    return again


def html(figure: LiveFigure) -> str:
    """Return all HTML that the widget shows now."""

    def walk(widget: Any) -> list[str]:
        own = [str(widget.value)] if hasattr(widget, "placeholder") else []
        return own + [text for child in getattr(widget, "children", ()) for text in walk(child)]

    return "".join(walk(figure.widget))


def shown(figure: LiveFigure, words: str, seconds: float = 600) -> bool:
    """Return whether the widget shows these words, now or after one of its next changes."""
    changed = threading.Event()

    def note(_: Any) -> None:
        changed.set()

    html(figure)  # draws a figure that nobody has looked at
    assert figure._moving is not None
    figure._moving.observe(note, "value")
    try:
        while not (found := words in html(figure)) and changed.wait(seconds):
            changed.clear()
        return found
    finally:
        figure._moving.unobserve(note, "value")


def lines_of(svg: str) -> list[np.ndarray[Any, Any]]:
    """Return the corners of each path of an SVG; for a row of markers, the first one's centre."""
    paths = re.findall(r'<path d="M([^"Zm]*)[Z"m]', svg)
    return [
        np.array([[float(n) for n in corner.split()] for corner in path.split("L")])
        for path in paths
    ]

"""The still layer of a figure: its picture, and the places of its axes.

Where matplotlib is installed, `drawn.py` draws it. Elsewhere, as in a browser, it is read from
`playground/data/stills`, which `make course` fills from the executed lessons.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from playground.figure import page, style
from playground.figure.marks import Mark
from playground.figure.style import Box
from playground.functions import Array

STORED = Path(__file__).parents[1] / "data" / "stills"
KEPT = "PLAYGROUND_STILLS"
"""The environment variable with the folder into which stills are written when they are drawn."""


class Geometry(NamedTuple):
    """Where axes are: their box, the data at its ends, and which directions are logarithmic."""

    box: Box
    x: tuple[float, float]
    y: tuple[float, float]
    logs: tuple[bool, bool]

    def pixels(self, x: Any, y: Any) -> Array:
        """Return CSS pixels (n, 2) of data x (n,), y (n,).

        On a logarithmic axis, a number that isn't positive is far below, as in matplotlib.
        """
        left, top, width, height = self.box
        ends = (left, width, self.x, self.logs[0]), (top + height, -height, self.y, self.logs[1])
        columns = []
        for values, (start, length, limits, log) in zip((x, y), ends, strict=True):
            data = np.asarray(values, float).ravel()
            low, high = limits
            if log:
                data, low, high = _log10(data), *_log10(np.array(limits))
            columns.append(start + (data - low) * (length / (high - low)))
        return np.stack(columns, axis=1)


def _log10(values: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.where(values <= 0, -1000, np.log10(values))


class Panel:
    """Axes of a figure: takes the calls of matplotlib's `Axes`, which are made when it is drawn.

    A panel with an owner is the owner's colour bar.
    """

    geometry: Geometry
    """Set as soon as the layout is fixed."""

    def __init__(self, place: Any, owner: Panel | None = None) -> None:
        self.place, self.owner = place, owner
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, method: str) -> Callable[..., None]:
        """Return a function that notes a call of this method."""
        if method.startswith("_") or method == "geometry":
            raise AttributeError(method)
        return lambda *given, **named: self.calls.append((method, given, named))


class Grid:
    """Rows and columns of places for axes; `grid[1, :]` is the place of the second row."""

    def __init__(self, rows: int, columns: int, **ratios: Any) -> None:
        self.rows, self.columns, self.ratios = rows, columns, ratios

    def __getitem__(self, key: Any) -> tuple[Grid, Any]:
        return self, key


class Key(NamedTuple):
    """A sample in the legend: of a line, of a marker or of bars."""

    kind: str
    look: style.Look
    label: str


class Still:
    """The still layer: its picture for a light theme as SVG, and each panel's geometry."""

    def __init__(self, picture: str, axes: Sequence[Geometry]) -> None:
        self.picture, self.axes = picture, axes

    def pictures(self) -> tuple[str, str]:
        """Return the picture for a light and for a dark theme."""
        light = dark = self.picture
        for color, twin in style.DARK.items():  # no twin is replaced again: see their order
            dark = dark.replace(color, twin)
        return light, dark

    def flat(self, marks: Sequence[Mark]) -> tuple[str, dict[str, str]]:
        """Return the picture with marks over it as a data URL, and as output for other viewers."""
        whole = page.whole(self.picture, marks)
        return page.data_url(whole.encode(), "svg+xml"), {"image/svg+xml": whole}

    def close(self) -> None:
        """Remove the artists that drew it, if any."""


def still(title: str, panels: Sequence[Panel], keys: Sequence[Key]) -> Still:
    """Return the still layer of the figure of this title: drawn, or as it was stored."""
    try:
        from playground.figure.drawn import Drawn
    except ImportError:
        return _stored(title)
    drawn = Drawn(panels, keys)
    if folder := os.environ.get(KEPT):
        _keep(drawn, Path(folder) / _file(title))
    return drawn


def _file(title: str) -> str:
    return f"{re.sub('[^a-z0-9]+', '-', title.lower()).strip('-')}.json"


def _stored(title: str) -> Still:
    found = json.loads((STORED / _file(title)).read_text(encoding="utf-8"))
    axes: Any = [{name: tuple(one) for name, one in axes.items()} for axes in found["axes"]]
    return Still(found["picture"], [Geometry(**one) for one in axes])


def _keep(drawn: Still, path: Path) -> None:
    axes = [one._asdict() for one in drawn.axes]  # numbers have names in a diff
    text = json.dumps({"axes": axes, "picture": drawn.picture}, ensure_ascii=False, indent=0)
    path.write_text(text + "\n", encoding="utf-8")

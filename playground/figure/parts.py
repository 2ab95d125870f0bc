"""Turn the new data of a moving part into marks, in matplotlib's own coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from playground.figure import style
from playground.figure.marks import Array, Box, Mark, Markers, Path, Picture, Text
from playground.figure.style import Look

_MATPLOTLIB_MARKER = {"circle": "o", "square": "s", "diamond": "D", "triangle": "^"}


class Place:
    """Where axes lie in the figure, once its layout stands still; read once, because every move asks for it."""

    def __init__(self, ax: Axes) -> None:
        box, figure = ax.bbox, ax.get_figure(root=True)
        assert figure is not None
        self.height = figure.bbox.height / style.SHARPNESS
        left, bottom, width, height = (value / style.SHARPNESS for value in box.bounds)
        self.box: Box = (left, self.height - bottom - height, width, height)
        self._transform = ax.transData
        self._affine = (
            ax.transData.get_matrix() / style.SHARPNESS if ax.transData.is_affine else None
        )

    def pixels(self, x: Any, y: Any) -> Array:
        """CSS pixels (n, 2) of data x (n,), y (n,), by the axes' own transform (linear, log, any other).

        Raises:
            ValueError: x and y differ in length.
        """
        on_screen = np.stack([np.asarray(x, float).ravel(), np.asarray(y, float).ravel()], axis=1)
        if self._affine is None:
            on_screen = self._transform.transform(on_screen) / style.SHARPNESS
        else:
            on_screen *= self._affine[0, 0], self._affine[1, 1]
            on_screen += self._affine[0, 2], self._affine[1, 2]
        on_screen[:, 1] = self.height - on_screen[:, 1]
        return on_screen


@dataclass(frozen=True)
class Part:
    """One thing that moves. `twin`: the target's is drawn beside the learner's. `label`: its name in the legend."""

    ax: Axes
    look: Look = style.YOURS
    twin: bool = True
    label: str = ""
    filled: ClassVar[bool] = False

    @cached_property
    def place(self) -> Place:
        """Where its axes lie."""
        return Place(self.ax)

    def marks(self, data: Any, look: Look) -> list[Mark]:
        """The marks of one moment, drawn with the given look."""
        raise NotImplementedError

    def key(self, look: Look) -> Artist:
        """What the legend shows for this part."""
        dash: Any = (0, [d / look.width for d in look.dash]) if look.dash else "-"
        if self.filled:
            hollow = look == style.TARGET
            return Patch(
                facecolor="none" if hollow else look.color,
                edgecolor=look.color,
                linestyle=dash,
                linewidth=1.5,
            )
        return Line2D([], [], color=look.color, linewidth=look.width * 0.72, linestyle=dash)


class Line(Part):
    """Data (x, y), each (n,); NaN breaks the line."""

    def marks(self, data: Any, look: Look) -> list[Mark]:
        """A line with its halo."""
        corners = self.place.pixels(*data)
        return [Path(corners, look.color, look.width, look.dash, halo=True, clip=self.place.box)]


@dataclass(frozen=True)
class Points(Part):
    """Data (x, y), each (n,): one marker of that radius (pixels) a point."""

    radius: float = 6.0

    def marks(self, data: Any, look: Look) -> list[Mark]:
        """A marker for each point within the axes."""
        centres = self.place.pixels(*data)
        left, top, width, height = self.place.box
        inside = (
            np.abs(centres - [left + width / 2, top + height / 2])
            <= [width / 2 + 1, height / 2 + 1]
        ).all(axis=1)
        centres = centres[inside]  # NaN compares as outside
        if not len(centres):
            return []
        hollow = look == style.TARGET
        return [
            Markers(centres, look.marker, self.radius * (1.4 if hollow else 1), look.color, hollow)
        ]

    def key(self, look: Look) -> Artist:
        """The marker alone."""
        hollow = look == style.TARGET
        return Line2D(
            [],
            [],
            linestyle="none",
            marker=_MATPLOTLIB_MARKER[look.marker],
            markersize=7,
            markeredgecolor=look.color,
            markerfacecolor="none" if hollow else look.color,
        )


class Bars(Part):
    """Data (x, top) or (x, bottom, top), each (n,): upright bars; the target's are dashed outlines."""

    filled: ClassVar[bool] = True
    half_width: ClassVar[float] = 0.32

    def marks(self, data: Any, look: Look) -> list[Mark]:
        """Filled bars, or dashed outlines for the target."""
        x, bottom, top = (
            np.asarray(values, float)
            for values in (data if len(data) == 3 else (data[0], 0 * data[0], data[1]))
        )
        left, right, gap = x - self.half_width, x + self.half_width, np.full_like(x, np.nan)
        xs = np.column_stack([gap, left, right, right, left])
        ys = np.column_stack([gap, bottom, bottom, top, top])
        corners = self.place.pixels(xs, ys)
        if look == style.TARGET:
            return [
                Path(corners, look.color, look.width, look.dash, closed=True, clip=self.place.box)
            ]
        return [Path(corners, look.color, 1.0, fill=look.color, closed=True, clip=self.place.box)]


@dataclass(frozen=True)
class Heat(Part):
    """Data values (rows, columns) from `low` to `high`, or (values, low, high); first row at the bottom of `extent`."""

    twin: bool = False
    extent: tuple[float, float, float, float] = (0, 1, 0, 1)
    low: float = 0.0
    high: float = 1.0
    smooth: bool = True
    scale: Axes | None = None

    def marks(self, data: Any, look: Look) -> list[Mark]:
        """The picture, and the numbers of its colour bar."""
        values, low, high = data if isinstance(data, tuple) else (data, self.low, self.high)
        share = (np.asarray(values, float)[::-1] - low) / ((high - low) or 1.0)
        shades = np.rint(np.clip(np.nan_to_num(share, nan=0.5), 0, 1) * 255).astype(np.uint8)
        (left, bottom), (right, top) = self.place.pixels(self.extent[:2], self.extent[2:])
        return [
            Picture(shades, (left, top, right - left, bottom - top), self.smooth),
            *self._numbers(low, high),
        ]

    @cached_property
    def _ends(self) -> Array:
        """The lower end, the middle and the upper end of the colour bar, in pixels."""
        return (
            Place(self.scale).pixels([1, 1, 1], [0, 0.5, 1])
            if self.scale is not None
            else np.empty((0, 2))
        )

    def _numbers(self, low: float, high: float) -> list[Mark]:
        """What these stand for."""
        numbers = map(style.number, (low, (low + high) / 2, high))
        return [
            Text(float(x) + 7, float(y), words, anchor="start")
            for (x, y), words in zip(self._ends, numbers, strict=False)
        ]


class Arrow(Part):
    """Data (x, y, x_tip, y_tip): one arrow."""

    def marks(self, data: Any, look: Look) -> list[Mark]:
        """A shaft and a head."""
        x, y, x_tip, y_tip = data
        tail, tip = self.place.pixels([x, x_tip], [y, y_tip])
        length = float(np.hypot(*(tip - tail)))
        if not length > 1:
            return []
        along = (tip - tail) / length
        across = np.array([-along[1], along[0]])
        head = min(13.0, length)
        neck = tip - head * along
        corners = np.array([tip, neck + 0.5 * head * across, neck - 0.5 * head * across])
        return [
            Path(np.array([tail, neck]), look.color, look.width, look.dash, clip=self.place.box),
            Path(corners, look.color, 1.0, fill=look.color, closed=True, clip=self.place.box),
        ]


@dataclass(frozen=True)
class Words(Part):
    """Data (x, y, words), or a list of such: words centred at a place in the data."""

    twin: bool = False
    look: Look = style.PLAIN

    def marks(self, data: Any, look: Look) -> list[Mark]:
        """The words where they belong, or at the edge of the axes beyond which that is."""
        places = data if isinstance(data, list) else [data]
        left, top, width, height = self.place.box
        spots = self.place.pixels([p[0] for p in places], [p[1] for p in places])
        spots = np.clip(spots, [left, top], [left + width, top + height])
        return [
            Text(float(x), float(y), p[2], look.color)
            for (x, y), p in zip(spots, places, strict=True)
            if np.isfinite([x, y]).all()
        ]

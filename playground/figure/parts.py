"""Turn the new data of a moving part into marks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from playground.figure import style
from playground.figure.marks import Mark, Markers, Path, Picture, Text
from playground.figure.still import Geometry, Key, Panel
from playground.figure.style import Look


@dataclass(frozen=True)
class Part:
    """A moving part of a figure; with `twin` the target's is drawn next to the learner's."""

    ax: Panel
    look: Look = style.YOURS
    twin: bool = True
    label: str = ""
    sample: ClassVar = "line"
    """The kind of its sample in the legend."""

    @property
    def place(self) -> Geometry:
        """The place of its axes."""
        return self.ax.geometry

    def marks(self, data: Any, look: Look) -> list[Mark]:
        """Return the marks of one moment, drawn with the given look."""
        raise NotImplementedError

    def legend(self, with_target: bool) -> list[Key]:
        """Return its samples in the legend."""
        if not self.label or not self.twin:
            return [Key(self.sample, self.look, self.label)] if self.label else []
        yours = Key(self.sample, self.look, f"your {self.label}")
        target = Key(self.sample, style.TARGET, f"target {self.label}")
        return [yours, target][: 1 + with_target]


class Line(Part):
    """Data (x, y), each (n,); NaN breaks the line."""

    def marks(self, data: Any, look: Look) -> list[Mark]:
        """Return a line with its halo."""
        corners = self.place.pixels(*data)
        return [Path(corners, look.color, look.width, look.dash, halo=True, clip=self.place.box)]


@dataclass(frozen=True)
class Points(Part):
    """Data (x, y), each (n,): one marker of this radius (pixels) per point."""

    radius: float = 6.0
    edge: str = style.CARD
    sample = "points"

    def marks(self, data: Any, look: Look) -> list[Mark]:
        """Return a marker for each point inside the axes."""
        centres = self.place.pixels(*data)
        left, top, width, height = self.place.box
        away = np.abs(centres - [left + width / 2, top + height / 2])
        centres = centres[(away <= [width / 2 + 1, height / 2 + 1]).all(axis=1)]  # NaN is outside
        if not len(centres):
            return []
        hollow = look == style.TARGET
        radius = self.radius * (1.4 if hollow else 1)
        return [Markers(centres, look.marker, radius, look.color, hollow, self.edge)]


class Bars(Part):
    """Data (x, top) or (x, bottom, top), each (n,): bars; the target's are dashed outlines."""

    sample = "bars"

    def marks(self, data: Any, look: Look) -> list[Mark]:
        """Return filled bars, or dashed outlines for the target."""
        x, *ends = (np.asarray(values, float) for values in data)
        bottom, top = ends if len(ends) == 2 else (0 * x, *ends)
        left, right, gap = x - 0.32, x + 0.32, np.full_like(x, np.nan)
        corners = self.place.pixels(
            np.column_stack([gap, left, right, right, left]),
            np.column_stack([gap, bottom, bottom, top, top]),
        )
        box = self.place.box
        width, dash = (look.width, look.dash) if look == style.TARGET else (1.0, ())
        return [Path(corners, look.color, width, dash, _face(look), closed=True, clip=box)]


@dataclass(frozen=True)
class Heat(Part):
    """Data values (rows, columns) from `low` to `high`, or (values, low, high).

    The first row is at the bottom of `extent` (left, right, bottom, top).
    """

    twin: bool = False
    extent: tuple[float, ...] = (0, 1, 0, 1)
    low: float = 0.0
    high: float = 1.0
    smooth: bool = True
    scale: Panel | None = None

    def marks(self, data: Any, look: Look) -> list[Mark]:
        """Return the picture, and the numbers of its colour bar."""
        values, low, high = data if isinstance(data, tuple) else (data, self.low, self.high)
        share = (np.asarray(values, float)[::-1] - low) / ((high - low) or 1.0)
        shades = np.rint(np.clip(np.nan_to_num(share, nan=0.5), 0, 1) * 255).astype(np.uint8)
        (left, bottom), (right, top) = self.place.pixels(self.extent[:2], self.extent[2:])
        picture = Picture(shades, (left, top, right - left, bottom - top), self.smooth)
        numbers = zip(self._ends, (low, (low + high) / 2, high), strict=False)
        texts = (Text(x + 7, y, style.number(n), anchor="start") for (x, y), n in numbers)
        return [picture, *texts]

    @cached_property
    def _ends(self) -> list[list[float]]:
        """The lower end, the middle and the upper end of the colour bar, in pixels."""
        if self.scale is None:
            return []
        ends: list[list[float]] = self.scale.geometry.pixels([1, 1, 1], [0, 0.5, 1]).tolist()
        return ends


class Arrow(Part):
    """Data (x, y, x_tip, y_tip): one arrow."""

    def marks(self, data: Any, look: Look) -> list[Mark]:
        """Return a shaft and a head."""
        x, y, x_tip, y_tip = data
        tail, tip = self.place.pixels([x, x_tip], [y, y_tip])
        length = float(np.hypot(*(tip - tail)))
        if not length > 1:
            return []
        along, head, box = (tip - tail) / length, min(13.0, length), self.place.box
        neck, across = tip - head * along, 0.5 * head * np.array([-along[1], along[0]])
        corners = np.array([tip, neck + across, neck - across])
        return [
            Path(np.array([tail, neck]), look.color, look.width, look.dash, clip=box),
            Path(corners, look.color, 1.0, fill=look.color, closed=True, clip=box),
        ]


@dataclass(frozen=True)
class Words(Part):
    """Data (x, y, words), or a list of them: words centred at a place in the data."""

    twin: bool = False
    look: Look = style.PLAIN

    def marks(self, data: Any, look: Look) -> list[Mark]:
        """Return the words at their places, moved to the edge if outside the axes."""
        x, y, words = zip(*(data if isinstance(data, list) else [data]), strict=True)
        left, top, width, height = self.place.box
        spots = np.clip(self.place.pixels(x, y), [left, top], [left + width, top + height])
        return [
            Text(x, y, text, look.color)
            for (x, y), text in zip(spots.tolist(), words, strict=True)
            if np.isfinite([x, y]).all()
        ]


def _face(look: Look) -> str:
    return "none" if look == style.TARGET else look.color

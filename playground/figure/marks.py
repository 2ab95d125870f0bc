"""Marks in CSS pixels, as SVG for the live layer; `drawn.py` draws them for the still picture."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from itertools import pairwise

import numpy as np

from playground.figure import style
from playground.figure.style import Box
from playground.functions import Array

AROUND = 39.0
"""Pixels that a line is drawn beyond its clip box: more than any stroke's width."""

PALETTE = np.empty((256, 4), np.uint8)
"""Colours (red, green, blue, opacity): a transparent middle has the theme's background."""
PALETTE[:128, :3] = np.frombuffer(bytes.fromhex(style.SKY[1:]), np.uint8)
PALETTE[128:, :3] = np.frombuffer(bytes.fromhex(style.ORANGE[1:]), np.uint8)
PALETTE[:, 3] = np.rint(255 * np.abs(2 * np.linspace(0, 1, 256) - 1))


@dataclass(frozen=True)
class Path:
    """Lines and outlines: corners (n, 2), where a row of NaN starts a new piece."""

    corners: Array
    stroke: str = "none"
    width: float = 0.0
    dash: tuple[float, ...] = ()
    fill: str = "none"
    opacity: float = 1.0
    closed: bool = False
    halo: bool = False
    clip: Box | None = None

    def svg(self) -> str:
        """Return one SVG path element, or two with a halo."""
        corners = np.ascontiguousarray(self.corners, float).tobytes()
        outline = _outline(corners, self.clip, self.closed)
        dash = f' stroke-dasharray="{" ".join(map(str, self.dash))}"' if self.dash else ""
        paths = "".join(
            f'<path d="{outline}" fill="{style.themed(self.fill)}"'
            f' stroke="{style.themed(stroke)}" stroke-width="{thick}"'
            f' stroke-linejoin="round" opacity="{opacity}"{dash}/>'
            for stroke, thick, opacity in self.strokes()
        )
        if self.clip is None:
            return paths
        # Unlike a clipPath, an inner svg element needs no name that is unique in the page.
        x, y, width, height = (f"{value:.1f}" for value in self.clip)
        place = f'x="{x}" y="{y}" width="{width}" height="{height}"'
        return f'<svg {place} viewBox="{x} {y} {width} {height}">{paths}</svg>'

    def pieces(self) -> list[Array]:
        """Return the corners (n, 2) of each piece of it that is visible."""
        return _pieces(self.corners, self.clip, self.closed)

    def strokes(self) -> list[tuple[str, float, float]]:
        """Return color, width and opacity of each stroke, the halo first."""
        halo = [(style.CARD, self.width + 2, 0.8)] if self.halo else []
        return [*halo, (self.stroke, self.width, self.opacity)]


_ROUND = np.linspace(0, 2 * np.pi, 24, endpoint=False)
OUTLINES = {
    "circle": np.column_stack([np.cos(_ROUND), np.sin(_ROUND)]),
    "square": np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.9,
    "diamond": np.array([[0, -1], [1, 0], [0, 1], [-1, 0]]) * 1.3,
    "triangle": np.array([[0, -1.2], [1.1, 0.8], [-1.1, 0.8]]),
}
"""Outline of each marker, for a radius of 1."""

EDGE, HOLLOW_WIDTH = 0.75, 2.0
"""Half the width of a filled marker's edge, and a hollow marker's line width, in pixels."""


@dataclass(frozen=True)
class Markers:
    """The same marker around each of the centres (n, 2): filled and with an edge, or hollow.

    The edge is a larger marker below: browsers fill circles four times faster than they stroke.
    """

    centres: Array
    marker: str
    radius: float
    color: str
    hollow: bool = False
    edge: str = style.CARD

    def svg(self) -> str:
        """Return an SVG path element for each layer."""
        paths = []
        for radius, fill, stroke, width in self.layers():
            shape = _shape(self.marker, radius)
            outlines = "".join([f"M{x:.1f} {y:.1f}{shape}" for x, y in self.centres.tolist()])
            line = f'stroke="{style.themed(stroke)}" stroke-width="{width}" stroke-linejoin="round"'
            paths.append(f'<path d="{outlines}" fill="{style.themed(fill)}" {line}/>')
        return "".join(paths)

    def layers(self) -> list[tuple[float, str, str, float]]:
        """Return radius, fill, stroke and its width for each layer, the lowest first."""
        if self.hollow:
            return [(self.radius, "none", self.color, HOLLOW_WIDTH)]
        lower, upper = self.radius + EDGE, self.radius - EDGE
        return [(lower, self.edge, "none", 0.0), (upper, self.color, "none", 0.0)]


def _shape(marker: str, radius: float) -> str:
    """Return the SVG commands that draw a marker around the current point."""
    if marker == "circle":
        arc = f"a{radius:g} {radius:g} 0 1 0"
        return f"m{-radius:g} 0{arc} {2 * radius:g} 0{arc} {-2 * radius:g} 0"
    outline = radius * OUTLINES[marker]
    first, *others = (f"{x:.4g} {y:.4g}" for x, y in np.diff(outline, axis=0, prepend=0).tolist())
    return f"m{first}l{' '.join(others)}z"


@dataclass(frozen=True)
class Text:
    """Lines of words centred on (x, y), with a halo for any background."""

    x: float
    y: float
    words: str
    color: str = style.INK
    anchor: str = "middle"

    def svg(self) -> str:
        """Return one SVG text element with a tspan for each line."""
        lines, step = self.words.split("\n"), 1.4 * style.TEXT_PX
        top = self.y - step * (len(lines) - 1) / 2 + 0.35 * style.TEXT_PX
        rows = "".join(
            f'<tspan x="{self.x:.1f}" y="{top + i * step:.1f}">{escape(line)}</tspan>'
            for i, line in enumerate(lines)
        )
        return (
            f'<text font-family="{style.FONT}" font-size="{style.TEXT_PX}"'
            f' fill="{style.themed(self.color)}" text-anchor="{self.anchor}"'
            f' stroke="{style.themed(style.CARD)}" stroke-width="3" stroke-linejoin="round"'
            f' paint-order="stroke">{rows}</text>'
        )


@dataclass(frozen=True)
class Picture:
    """Shades (rows, columns) of 0 to 255, first row on top, stretched over a box."""

    shades: Array
    box: Box
    smooth: bool = True

    def svg(self) -> str:
        """Return one SVG image element that holds a PNG."""
        left, top, width, height = self.box
        data = base64.b64encode(_png(self.shades)).decode()
        look = "" if self.smooth else ' style="image-rendering:pixelated"'
        return (
            f'<image x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"'
            f' preserveAspectRatio="none"{look} href="data:image/png;base64,{data}"/>'
        )


Mark = Path | Markers | Text | Picture


def _png(shades: Array) -> bytes:
    """Return shades (rows, columns) as a PNG of the palette's colours (ISO/IEC 15948)."""
    rows, columns = shades.shape
    lines = np.pad(shades, ((0, 0), (1, 0)))  # each begins with 0: it has no filter
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0),
        b"PLTE": PALETTE[:, :3].tobytes(),
        b"tRNS": PALETTE[:, 3].tobytes(),
        b"IDAT": zlib.compress(lines.tobytes(), 1),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    )


@lru_cache(maxsize=256)
def _outline(corners: bytes, clip: Box | None, closed: bool) -> str:
    """Return the SVG commands of a path; cached, as much of a figure doesn't move."""
    end = "Z" if closed else ""
    pieces = _pieces(np.frombuffer(corners).reshape(-1, 2), clip, closed)
    return "".join(
        "M" + "L".join([f"{x:.1f} {y:.1f}" for x, y in piece.tolist()]) + end for piece in pieces
    )


def _pieces(corners: Array, clip: Box | None, closed: bool) -> list[Array]:
    """Split corners (n, 2) where one isn't finite, and cut lines to the clip box and `AROUND` it.

    A browser computes dashes also where a line is invisible, which can take seconds. Closed shapes
    that are clipped are all rectangles.
    """
    corners = np.where(np.isfinite(corners), corners, np.nan)
    bounds = None
    if clip is not None:
        left, top, width, height = clip
        bounds = np.array([[left, top], [left + width, top + height]])
        bounds += [[-AROUND], [AROUND]]
        if closed:
            corners, bounds = np.clip(corners, *bounds), None
    ways = np.diff(corners, axis=0)
    enter, leave = np.where(np.isnan(ways).any(axis=1), 2.0, 0.0), np.ones(len(ways))
    if bounds is not None:  # Liang & Barsky 1984: the shares of a way at which it crosses them
        with np.errstate(all="ignore"):
            low, high = (bounds[:, None] - corners[:-1]) / ways
        enter = np.fmax(np.fmin(low, high).max(axis=1), enter)
        leave = np.fmin(np.fmax(low, high).min(axis=1), leave)
    kept = enter <= leave
    enter, leave, start, way = enter[kept, None], leave[kept, None], corners[:-1][kept], ways[kept]
    starts = start + enter * way
    ends = np.where(leave < 1, start + leave * way, corners[1:][kept])
    new = (np.diff(np.flatnonzero(kept)) > 1) | (leave < 1)[:-1, 0] | (enter > 0)[1:, 0]
    cuts = [0, *(np.flatnonzero(new) + 1).tolist(), len(starts)]
    return [_bends(np.vstack([starts[i : i + 1], ends[i:j]])) for i, j in pairwise(cuts) if i < j]


def _bends(corners: Array) -> Array:
    """Drop corners (n, 2) on a straight line between their neighbours: messages get shorter."""
    steps = np.diff(corners, axis=0)
    turns = np.abs(steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]) > 1e-6
    back = (steps[:-1] * steps[1:]).sum(axis=1) < 0
    kept: Array = corners[np.concatenate([[True], turns | back, [True]])]
    return kept

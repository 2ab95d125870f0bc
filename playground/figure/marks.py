"""Marks in CSS pixels: SVG for the live layer, matplotlib artists for the still picture."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import BboxImage
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Affine2D, Bbox, TransformedBbox

from playground.figure import style
from playground.functions import Array

Box = tuple[float, float, float, float]
"""Left, top, width and height in CSS pixels."""

FAR = 1e5
"""Coordinates are limited to this: browsers draw huge numbers wrongly."""

AROUND = 40.0
"""Pixels that a line is drawn beyond its clip box: more than any stroke's width."""

DIVERGING = LinearSegmentedColormap.from_list("playground", [style.SKY, "#ffffff", style.ORANGE])
PALETTE = np.round(DIVERGING(np.linspace(0, 1, 256))[:, :3] * 255).astype(np.uint8)
POINTS_PER_PIXEL = 0.72
"""A figure has 100 CSS pixels per inch, an inch 72 points."""


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
            f'<path d="{outline}" fill="{self.fill}" stroke="{stroke}" stroke-width="{width}"'
            f' stroke-linejoin="round" opacity="{opacity}"{dash}/>'
            for stroke, width, opacity in self._strokes()
        )
        return _clipped(paths, self.clip)

    def draw(self, figure: Figure) -> list[Artist]:
        """Add the same path to a matplotlib figure."""
        pieces = _pieces(self.corners, self.clip, self.closed)
        if not pieces:
            return []
        if self.closed:
            pieces = [np.vstack([piece, piece[:1]]) for piece in pieces]
        outlines = [Outline(piece, closed=self.closed) for piece in pieces]
        outline, artists = Outline.make_compound_path(*outlines), []
        for stroke, width, opacity in self._strokes():
            patch = PathPatch(outline, transform=_to_display(figure), alpha=opacity)
            patch.set(facecolor=self.fill, edgecolor=stroke, joinstyle="round", capstyle="butt")
            patch.set_linewidth(width * POINTS_PER_PIXEL)
            patch.set_linestyle((0, [d / width for d in self.dash]) if self.dash else "-")
            artists.append(_add(figure, patch, self.clip))
        return artists

    def _strokes(self) -> list[tuple[str, float, float]]:
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
    """The same marker around each of the centres (n, 2): filled with a light edge, or hollow.

    The edge is a larger marker below: browsers fill circles four times faster than they stroke.
    """

    centres: Array
    marker: str
    radius: float
    color: str
    hollow: bool = False

    def svg(self) -> str:
        """Return an SVG path element for each layer."""
        return "".join(
            f'<path d="{self._outlines(radius)}" fill="{fill}"{stroke}/>'
            for radius, fill, stroke in self._layers()
        )

    def draw(self, figure: Figure) -> list[Artist]:
        """Add the same markers to a matplotlib figure."""
        stroke, width = (self.color, HOLLOW_WIDTH) if self.hollow else ("none", 0.0)
        artists: list[Artist] = []
        for radius, fill, _ in self._layers():
            outline = np.vstack([[[np.nan, np.nan]], radius * OUTLINES[self.marker]])
            corners = (self.centres[:, None] + outline).reshape(-1, 2)
            artists += Path(corners, stroke, width, fill=fill, closed=True).draw(figure)
        return artists

    def _layers(self) -> list[tuple[float, str, str]]:
        """Return radius, fill and SVG stroke of each layer, the lowest first."""
        if self.hollow:
            line = f' stroke="{self.color}" stroke-width="{HOLLOW_WIDTH}" stroke-linejoin="round"'
            return [(self.radius, "none", line)]
        return [(self.radius + EDGE, style.CARD, ""), (self.radius - EDGE, self.color, "")]

    def _outlines(self, radius: float) -> str:
        shape = _shape(self.marker, radius)
        return "".join([f"M{x:.1f} {y:.1f}{shape}" for x, y in self.centres.tolist()])


@lru_cache(maxsize=64)
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
    size: float = style.TEXT_PX
    anchor: str = "middle"

    def svg(self) -> str:
        """Return one SVG text element with a tspan for each line."""
        lines, step = self.words.split("\n"), 1.4 * self.size
        top = self.y - step * (len(lines) - 1) / 2 + 0.35 * self.size
        rows = "".join(
            f'<tspan x="{self.x:.1f}" y="{top + i * step:.1f}">{escape(line)}</tspan>'
            for i, line in enumerate(lines)
        )
        return (
            f'<text font-family="{style.FONT}" font-size="{self.size}" fill="{self.color}"'
            f' text-anchor="{self.anchor}" stroke="{style.CARD}" stroke-width="3"'
            f' stroke-linejoin="round" paint-order="stroke">{rows}</text>'
        )

    def draw(self, figure: Figure) -> list[Artist]:
        """Add the same words to a matplotlib figure."""
        text = figure.text(self.x, self.y, self.words, transform=_to_display(figure))
        align = {"start": "left", "middle": "center"}[self.anchor]
        text.set(ha=align, va="center", ma="center", linespacing=1.4, color=self.color)
        text.set_fontsize(self.size * POINTS_PER_PIXEL)
        halo = withStroke(linewidth=3 * POINTS_PER_PIXEL, foreground=style.CARD)
        text.set_path_effects([halo])
        return [text]


@dataclass(frozen=True)
class Picture:
    """Shades (rows, columns) of 0 to 255, first row on top, stretched over a box."""

    shades: Array
    box: Box
    smooth: bool = True

    def svg(self) -> str:
        """Return one SVG image element that holds a PNG."""
        left, top, width, height = self.box
        data = base64.b64encode(png(self.shades)).decode()
        look = "" if self.smooth else ' style="image-rendering:pixelated"'
        return (
            f'<image x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"'
            f' preserveAspectRatio="none"{look} href="data:image/png;base64,{data}"/>'
        )

    def draw(self, figure: Figure) -> list[Artist]:
        """Add the same shades to a matplotlib figure."""
        kind = "bilinear" if self.smooth else "nearest"
        place, colors = _bbox(figure, self.box), ListedColormap(PALETTE / 255.0)
        image = BboxImage(place, cmap=colors, interpolation=kind, zorder=0.5)
        image.set_data(self.shades[::-1])  # BboxImage begins at the bottom
        image.set_clim(0, 255)
        return [_add(figure, image, None)]


Mark = Path | Markers | Text | Picture


def png(shades: Array) -> bytes:
    """Encode shades (rows, columns) as a palette PNG, faster than any library at this size."""
    rows, columns = shades.shape
    scanlines = np.zeros((rows, columns + 1), np.uint8)
    scanlines[:, 1:] = shades
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    data = zlib.compress(scanlines.tobytes(), 1)
    chunks = {b"IHDR": header, b"PLTE": PALETTE.tobytes(), b"IDAT": data, b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks.items())


@lru_cache(maxsize=256)
def _outline(corners: bytes, clip: Box | None, closed: bool) -> str:
    """Return the SVG commands of a path; cached, as much of a figure doesn't move."""
    end = "Z" if closed else ""
    pieces = _pieces(np.frombuffer(corners).reshape(-1, 2), clip, closed)
    return "".join(
        "M" + "L".join([f"{x:.1f} {y:.1f}" for x, y in piece.tolist()]) + end for piece in pieces
    )


def _pieces(corners: Array, clip: Box | None, closed: bool) -> list[Array]:
    """Split corners (n, 2) at rows of NaN, and cut the pieces to the visible part."""
    gaps = np.flatnonzero(~np.isfinite(corners).all(axis=1))
    pieces = np.split(np.clip(corners, -FAR, FAR), gaps)
    tidy = [piece[1:] if i else piece for i, piece in enumerate(pieces)]
    if clip is not None:
        tidy = [part for piece in tidy if len(piece) > 1 for part in _within(piece, clip, closed)]
    return [_bends(piece) for piece in tidy if len(piece) > 1]


def _bends(corners: Array) -> Array:
    """Drop corners (n, 2) on a straight line between their neighbours: messages get shorter."""
    steps = np.diff(corners, axis=0)
    turns = np.abs(steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]) > 1e-6
    back = (steps[:-1] * steps[1:]).sum(axis=1) < 0
    kept: Array = corners[np.concatenate([[True], turns | back, [True]])]
    return kept


def _within(corners: Array, box: Box, closed: bool) -> list[Array]:
    """Return the parts of a line (n, 2) in and around a box.

    A browser computes dashes also where a line is invisible, which can take seconds. Closed shapes
    that are clipped are all rectangles.
    """
    left, top, width, height = box
    low = np.array([left - AROUND, top - AROUND])
    high = np.array([left + width + AROUND, top + height + AROUND])
    if ((corners >= low) & (corners <= high)).all():
        return [corners]
    if closed:
        return [np.clip(corners, low, high)]
    start, way = corners[:-1], np.diff(corners, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (low - start) / way, (high - start) / way
    # Along an axis in which a step doesn't move, it is inside all the way or not at all.
    always = np.where((start >= low) & (start <= high), np.inf, -np.inf)
    enter = np.where(way == 0, -always, np.fmin(one, other)).max(axis=1).clip(min=0)
    leave = np.where(way == 0, always, np.fmax(one, other)).min(axis=1).clip(max=1)
    seen = np.flatnonzero(enter < leave)
    gaps = (np.diff(seen) > 1) | (leave[seen[:-1]] < 1) | (enter[seen[1:]] > 0)
    runs = [run for run in np.split(seen, np.flatnonzero(gaps) + 1) if len(run)]

    def at(share: Array, steps: Array) -> Array:
        return start[steps] + share[steps, None] * way[steps]  # type: ignore[no-any-return]

    return [np.concatenate([at(enter, run), at(leave, run[-1:])]) for run in runs]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _clipped(element: str, clip: Box | None) -> str:
    """Clip by an inner svg element, which unlike a clipPath needs no name unique in the page."""
    if clip is None:
        return element
    x, y, width, height = (f"{value:.1f}" for value in clip)
    place = f'x="{x}" y="{y}" width="{width}" height="{height}"'
    return f'<svg {place} viewBox="{x} {y} {width} {height}">{element}</svg>'


def _to_display(figure: Figure) -> Affine2D:
    return Affine2D().scale(style.SHARPNESS, -style.SHARPNESS).translate(0, figure.bbox.height)


def _bbox(figure: Figure, box: Box) -> TransformedBbox:
    left, top, width, height = box
    corners = Bbox([[left, top + height], [left + width, top]])
    return TransformedBbox(corners, _to_display(figure))


def _add(figure: Figure, artist: Any, clip: Box | None) -> Artist:
    figure.add_artist(artist)
    if clip is not None:
        artist.set_clip_box(_bbox(figure, clip))
    added: Artist = artist
    return added

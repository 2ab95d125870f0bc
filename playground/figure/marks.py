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

Array = np.ndarray[Any, Any]
Box = tuple[float, float, float, float]
"""left, top, width, height in CSS pixels."""

FAR = 1e5
"""Coordinates beyond this are cut: browsers draw huge numbers wrongly."""

AROUND = 40.0
"""How far a line is drawn beyond the box that it is clipped to, in pixels: wider than any stroke, so that no cut is seen."""

DIVERGING = LinearSegmentedColormap.from_list("playground", [style.SKY, "#ffffff", style.ORANGE])
PALETTE = np.round(DIVERGING(np.linspace(0, 1, 256))[:, :3] * 255).astype(np.uint8)
POINTS_PER_PIXEL = 0.72
"""A figure has 100 CSS pixels an inch, and an inch has 72 points."""


@dataclass(frozen=True)
class Path:
    """Lines and outlines: corners (n, 2), where a row of NaN starts a new piece; `closed` closes each piece."""

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
        """One SVG path element, or two with a halo."""
        outline = _outline(
            np.ascontiguousarray(self.corners, float).tobytes(), self.clip, self.closed
        )
        dash = f' stroke-dasharray="{" ".join(map(str, self.dash))}"' if self.dash else ""
        strokes = "".join(
            f'<path d="{outline}" fill="{self.fill}" stroke="{stroke}" stroke-width="{width}" stroke-linejoin="round" opacity="{opacity}"{dash}/>'
            for stroke, width, opacity in self._strokes()
        )
        return _clipped(strokes, self.clip)

    def draw(self, figure: Figure) -> list[Artist]:
        """The same path on a matplotlib figure."""
        pieces = _pieces(self.corners, self.clip, self.closed)
        if not pieces:
            return []
        outlines = [
            Outline(np.vstack([p, p[:1]]) if self.closed else p, closed=self.closed) for p in pieces
        ]
        patches = [
            PathPatch(
                Outline.make_compound_path(*outlines),
                facecolor=self.fill,
                edgecolor=stroke,
                linewidth=width * POINTS_PER_PIXEL,
                linestyle=(0, [d / width for d in self.dash]) if self.dash else "-",
                joinstyle="round",
                capstyle="butt",
                alpha=opacity,
                transform=_to_display(figure),
            )
            for stroke, width, opacity in self._strokes()
        ]
        return [_add(figure, patch, self.clip) for patch in patches]

    def _strokes(self) -> list[tuple[str, float, float]]:
        """Colour, width and opacity of each stroke, the halo first."""
        halo = [(style.CARD, self.width + 2, 0.8)] if self.halo else []
        return [*halo, (self.stroke, self.width, self.opacity)]


_ROUND = np.linspace(0, 2 * np.pi, 24, endpoint=False)
OUTLINES = {
    "circle": np.column_stack([np.cos(_ROUND), np.sin(_ROUND)]),
    "square": np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.9,
    "diamond": np.array([[0, -1], [1, 0], [0, 1], [-1, 0]]) * 1.3,
    "triangle": np.array([[0, -1.2], [1.1, 0.8], [-1.1, 0.8]]),
}
"""Outline of each marker, in units of its radius."""

EDGE, HOLLOW_WIDTH = 0.75, 2.0
"""Half the width of a filled marker's edge, and the width of a hollow one's line, in pixels."""


@dataclass(frozen=True)
class Markers:
    """The same marker, one of `OUTLINES`, around each of the centres (n, 2): filled with a light edge, or hollow.

    The edge is a larger marker below, as browsers fill hundreds of circles four times faster than they draw their outlines.
    """

    centres: Array
    marker: str
    radius: float
    color: str
    hollow: bool = False

    def svg(self) -> str:
        """An SVG path element for each layer, a few characters a marker."""
        return "".join(
            f'<path d="{self._outlines(radius)}" fill="{fill}"{stroke}/>'
            for radius, fill, stroke in self._layers()
        )

    def draw(self, figure: Figure) -> list[Artist]:
        """The same markers on a matplotlib figure."""
        stroke, width = (self.color, HOLLOW_WIDTH) if self.hollow else ("none", 0.0)
        artists: list[Artist] = []
        for radius, fill, _ in self._layers():
            outline = radius * OUTLINES[self.marker]
            corners = np.concatenate(
                [np.vstack([[[np.nan, np.nan]], centre + outline]) for centre in self.centres]
            )
            artists += Path(corners, stroke, width, fill=fill, closed=True).draw(figure)
        return artists

    def _layers(self) -> list[tuple[float, str, str]]:
        """Radius, fill and stroke (in SVG's words) of what is drawn, the lowest first."""
        if self.hollow:
            return [
                (
                    self.radius,
                    "none",
                    f' stroke="{self.color}" stroke-width="{HOLLOW_WIDTH}" stroke-linejoin="round"',
                )
            ]
        return [(self.radius + EDGE, style.CARD, ""), (self.radius - EDGE, self.color, "")]

    def _outlines(self, radius: float) -> str:
        shape = _shape(self.marker, radius)
        return "".join([f"M{x:.1f} {y:.1f}{shape}" for x, y in self.centres.tolist()])


@lru_cache(maxsize=64)
def _shape(marker: str, radius: float) -> str:
    """SVG's words for a marker around the place where the pen is."""
    if marker == "circle":
        return f"m{-radius:g} 0a{radius:g} {radius:g} 0 1 0 {2 * radius:g} 0a{radius:g} {radius:g} 0 1 0 {-2 * radius:g} 0"
    outline = radius * OUTLINES[marker]
    steps = np.diff(outline, axis=0).tolist()
    return (
        f"m{outline[0, 0]:.4g} {outline[0, 1]:.4g}l"
        + " ".join(f"{x:.4g} {y:.4g}" for x, y in steps)
        + "z"
    )


@dataclass(frozen=True)
class Text:
    """Lines of words centred on (x, y), with a halo so that they stay readable on anything."""

    x: float
    y: float
    words: str
    color: str = style.INK
    size: float = style.TEXT_PX
    anchor: str = "middle"

    def svg(self) -> str:
        """One SVG text element; each line of the words is a tspan."""
        lines = self.words.split("\n")
        step = 1.4 * self.size
        top = self.y - step * (len(lines) - 1) / 2 + 0.35 * self.size
        rows = "".join(
            f'<tspan x="{self.x:.1f}" y="{top + i * step:.1f}">{escape(line)}</tspan>'
            for i, line in enumerate(lines)
        )
        return (
            f'<text font-family="{style.FONT}" font-size="{self.size}" text-anchor="{self.anchor}" fill="{self.color}"'
            f' stroke="{style.CARD}" stroke-width="3" stroke-linejoin="round" paint-order="stroke">{rows}</text>'
        )

    def draw(self, figure: Figure) -> list[Artist]:
        """The same words on a matplotlib figure."""
        text = figure.text(
            self.x,
            self.y,
            self.words,
            color=self.color,
            fontsize=self.size * POINTS_PER_PIXEL,
            ha={"start": "left", "middle": "center", "end": "right"}[self.anchor],
            va="center",
            ma="center",
            linespacing=1.4,
            transform=_to_display(figure),
            path_effects=[withStroke(linewidth=3 * POINTS_PER_PIXEL, foreground=style.CARD)],
        )
        return [text]


@dataclass(frozen=True)
class Picture:
    """Shades (rows, columns) of 0 to 255, first row on top, stretched over a box: as a smooth surface, or as the pixels of an image."""

    shades: Array
    box: Box
    smooth: bool = True

    def svg(self) -> str:
        """One SVG image element that holds a PNG."""
        left, top, width, height = self.box
        data = base64.b64encode(png(self.shades)).decode()
        look = "" if self.smooth else ' style="image-rendering:pixelated"'
        return f'<image x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none"{look} href="data:image/png;base64,{data}"/>'

    def draw(self, figure: Figure) -> list[Artist]:
        """The same shades on a matplotlib figure."""
        left, top, width, height = self.box
        place = TransformedBbox(
            Bbox([[left, top + height], [left + width, top]]), _to_display(figure)
        )
        image = BboxImage(
            place,
            cmap=ListedColormap(PALETTE / 255.0),
            interpolation="bilinear" if self.smooth else "nearest",
            zorder=0.5,
        )
        image.set_data(self.shades[::-1])  # BboxImage begins at the bottom
        image.set_clim(0, 255)
        return [_add(figure, image, None)]


Mark = Path | Markers | Text | Picture


def png(shades: Array) -> bytes:
    """An 8-bit palette PNG of shades (rows, columns); made by hand because it is faster than any library at this size."""
    rows, columns = shades.shape
    scanlines = np.zeros((rows, columns + 1), np.uint8)
    scanlines[:, 1:] = shades
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", PALETTE.tobytes()),
            _chunk(b"IDAT", zlib.compress(scanlines.tobytes(), 1)),
            _chunk(b"IEND", b""),
        ]
    )


@lru_cache(maxsize=256)
def _outline(corners: bytes, clip: Box | None, closed: bool) -> str:
    """SVG's words for a path; kept, because the target often lies under yours, and much stands where it was a move ago."""
    end = "Z" if closed else ""
    pieces = _pieces(np.frombuffer(corners).reshape(-1, 2), clip, closed)
    return "".join(
        "M" + "L".join([f"{x:.1f} {y:.1f}" for x, y in piece.tolist()]) + end for piece in pieces
    )


def _pieces(corners: Array, clip: Box | None, closed: bool) -> list[Array]:
    """Corners (n, 2) split at its rows of NaN and cut to where they can be seen."""
    gaps = np.flatnonzero(~np.isfinite(corners).all(axis=1))
    pieces = np.split(np.clip(corners, -FAR, FAR), gaps)
    tidy = [piece[1:] if i else piece for i, piece in enumerate(pieces)]
    if clip is not None:
        tidy = [part for piece in tidy if len(piece) > 1 for part in _within(piece, clip, closed)]
    return [_bends(piece) for piece in tidy if len(piece) > 1]


def _bends(corners: Array) -> Array:
    """Corners (n, 2) without those on a straight line between their neighbours: a message a fifth as long for many curves."""
    steps = np.diff(corners, axis=0)
    turns = np.abs(steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]) > 1e-6
    back = (steps[:-1] * steps[1:]).sum(axis=1) < 0
    kept: Array = corners[np.concatenate([[True], turns | back, [True]])]
    return kept


def _within(corners: Array, box: Box, closed: bool) -> list[Array]:
    """The parts of a line (n, 2) in and around a box; an upright rectangle, the only closed shape that is clipped, cut to it.

    A browser lays dashes along the whole of a line, also where it can't be seen: a path that leaves the axes would cost seconds.
    """
    left, top, width, height = box
    low, high = (
        np.array([left - AROUND, top - AROUND]),
        np.array([left + width + AROUND, top + height + AROUND]),
    )
    if ((corners >= low) & (corners <= high)).all():
        return [corners]
    if closed:
        return [np.clip(corners, low, high)]
    start, way = corners[:-1], np.diff(corners, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (low - start) / way, (high - start) / way
    still = way == 0
    inside = (start >= low) & (start <= high)
    enter = (
        np.where(still, np.where(inside, -np.inf, np.inf), np.fmin(one, other))
        .max(axis=1)
        .clip(min=0)
    )
    leave = (
        np.where(still, np.where(inside, np.inf, -np.inf), np.fmax(one, other))
        .min(axis=1)
        .clip(max=1)
    )
    seen = np.flatnonzero(enter < leave)
    runs = np.split(
        seen,
        np.flatnonzero((np.diff(seen) > 1) | (leave[seen[:-1]] < 1) | (enter[seen[1:]] > 0)) + 1,
    )
    ends = [
        (
            start[run] + enter[run, None] * way[run],
            start[run[-1:]] + leave[run[-1:], None] * way[run[-1:]],
        )
        for run in runs
        if len(run)
    ]
    return [np.concatenate(pair) for pair in ends]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _clipped(element: str, clip: Box | None) -> str:
    """An inner svg element cuts at its border and, unlike a clipPath, needs no name that is unique in the page."""
    if clip is None:
        return element
    x, y, width, height = (f"{value:.1f}" for value in clip)
    return f'<svg x="{x}" y="{y}" width="{width}" height="{height}" viewBox="{x} {y} {width} {height}">{element}</svg>'


def _to_display(figure: Figure) -> Affine2D:
    return Affine2D().scale(style.SHARPNESS, -style.SHARPNESS).translate(0, figure.bbox.height)


def _add(figure: Figure, artist: Any, clip: Box | None) -> Artist:
    figure.add_artist(artist)
    if clip is not None:
        left, top, width, height = clip
        artist.set_clip_box(
            TransformedBbox(Bbox([[left, top + height], [left + width, top]]), _to_display(figure))
        )
    added: Artist = artist
    return added

"""Marks in CSS pixels: SVG for the live layer, matplotlib artists for the still picture."""

from __future__ import annotations

import base64
import io
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
from PIL import Image

from playground.figure import style
from playground.functions import Array

Box = tuple[float, float, float, float]
"""Left, top, width and height in CSS pixels."""

AROUND = 39.0
"""Pixels that a line is drawn beyond its clip box: more than any stroke's width."""

# The middle is transparent, so that it has the theme's background.
_STOPS: Any = [
    (0, style.SKY),
    (0.5, f"{style.SKY}00"),
    (0.5, f"{style.ORANGE}00"),
    (1, style.ORANGE),
]
DIVERGING = LinearSegmentedColormap.from_list("playground", _STOPS)
PALETTE = np.round(DIVERGING(np.linspace(0, 1, 256)) * 255).astype(np.uint8)
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
            f'<path d="{outline}" fill="{style.themed(self.fill)}"'
            f' stroke="{style.themed(stroke)}" stroke-width="{thick}"'
            f' stroke-linejoin="round" opacity="{opacity}"{dash}/>'
            for stroke, thick, opacity in self._strokes()
        )
        if self.clip is None:
            return paths
        # Unlike a clipPath, an inner svg element needs no name that is unique in the page.
        x, y, width, height = (f"{value:.1f}" for value in self.clip)
        place = f'x="{x}" y="{y}" width="{width}" height="{height}"'
        return f'<svg {place} viewBox="{x} {y} {width} {height}">{paths}</svg>'

    def draw(self, figure: Figure) -> list[Artist]:
        """Add the same path to a matplotlib figure."""
        pieces, artists = _pieces(self.corners, self.clip, self.closed), list[Artist]()
        if not pieces:
            return artists
        if self.closed:
            pieces = [np.vstack([piece, piece[:1]]) for piece in pieces]
        outlines = [Outline(piece, closed=self.closed) for piece in pieces]
        place: Any = {
            "path": Outline.make_compound_path(*outlines),
            "transform": to_display(figure),
            "clip_box": None if self.clip is None else _bbox(figure, self.clip),
        }
        look: Any = {"facecolor": self.fill, "joinstyle": "round", "capstyle": "butt"}
        for stroke, width, opacity in self._strokes():
            dash = (0, [length / width for length in self.dash]) if self.dash else "-"
            line: Any = {"linewidth": width * POINTS_PER_PIXEL, "linestyle": dash}
            patch = PathPatch(edgecolor=stroke, alpha=opacity, **place, **look, **line)
            artists.append(figure.add_artist(patch))
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
        for radius, fill, stroke, width in self._layers():
            shape = _shape(self.marker, radius)
            outlines = "".join([f"M{x:.1f} {y:.1f}{shape}" for x, y in self.centres.tolist()])
            line = f'stroke="{style.themed(stroke)}" stroke-width="{width}" stroke-linejoin="round"'
            paths.append(f'<path d="{outlines}" fill="{style.themed(fill)}" {line}/>')
        return "".join(paths)

    def draw(self, figure: Figure) -> list[Artist]:
        """Add the same markers to a matplotlib figure."""
        artists: list[Artist] = []
        for radius, fill, stroke, width in self._layers():
            outline = np.vstack([[[np.nan, np.nan]], radius * OUTLINES[self.marker]])
            corners = (self.centres[:, None] + outline).reshape(-1, 2)
            artists += Path(corners, stroke, width, fill=fill, closed=True).draw(figure)
        return artists

    def _layers(self) -> list[tuple[float, str, str, float]]:
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

    def draw(self, figure: Figure) -> list[Artist]:
        """Add the same words to a matplotlib figure."""
        text = figure.text(self.x, self.y, self.words, transform=to_display(figure))
        align = {"start": "left", "middle": "center"}[self.anchor]
        text.set(ha=align, va="center", ma="center", linespacing=1.4, color=self.color)
        text.set_fontsize(style.TEXT_PX * POINTS_PER_PIXEL)
        text.set_path_effects([withStroke(linewidth=3 * POINTS_PER_PIXEL, foreground=style.CARD)])
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
        image, file = Image.fromarray(self.shades), io.BytesIO()
        image.putpalette(PALETTE[:, :3].tobytes())
        image.save(file, "png", compress_level=1, transparency=PALETTE[:, 3].tobytes())
        data = base64.b64encode(file.getvalue()).decode()
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
        return [figure.add_artist(image)]


Mark = Path | Markers | Text | Picture


@lru_cache(maxsize=256)
def _outline(corners: bytes, clip: Box | None, closed: bool) -> str:
    """Return the SVG commands of a path; cached, as much of a figure doesn't move."""
    end = "Z" if closed else ""
    pieces = _pieces(np.frombuffer(corners).reshape(-1, 2), clip, closed)
    return "".join(
        "M" + "L".join([f"{x:.1f} {y:.1f}" for x, y in piece.tolist()]) + end for piece in pieces
    )


def _pieces(corners: Array, clip: Box | None, closed: bool) -> list[Array]:
    """Split corners (n, 2) at rows of NaN, and cut the pieces to the clip box and `AROUND` it.

    A browser computes dashes also where a line is invisible, which can take seconds. Closed shapes
    that are clipped are all rectangles.
    """
    bounds = None
    if clip is not None:
        left, top, width, height = clip
        bounds = left - AROUND, top - AROUND, left + width + AROUND, top + height + AROUND
        if closed:
            corners, bounds = np.clip(corners, bounds[:2], bounds[2:]), None
    tidy = Outline(corners).cleaned(remove_nans=True, clip=bounds)  # ends with a STOP
    vertices, codes = np.asarray(tidy.vertices)[:-1], np.asarray(tidy.codes)[:-1]
    pieces = np.split(vertices, np.flatnonzero(codes == Outline.MOVETO))
    return [_bends(piece) for piece in pieces if len(piece) > 1]


def _bends(corners: Array) -> Array:
    """Drop corners (n, 2) on a straight line between their neighbours: messages get shorter."""
    steps = np.diff(corners, axis=0)
    turns = np.abs(steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]) > 1e-6
    back = (steps[:-1] * steps[1:]).sum(axis=1) < 0
    kept: Array = corners[np.concatenate([[True], turns | back, [True]])]
    return kept


def to_display(figure: Figure) -> Affine2D:
    """Return the transform from CSS pixels to matplotlib's."""
    return Affine2D().scale(style.SHARPNESS, -style.SHARPNESS).translate(0, figure.bbox.height)


def _bbox(figure: Figure, box: Box) -> TransformedBbox:
    left, top, width, height = box
    corners = Bbox([[left, top + height], [left + width, top]])
    return TransformedBbox(corners, to_display(figure))

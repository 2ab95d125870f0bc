"""All that is drawn by matplotlib: a figure's still layer, and its picture for other readers."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cached_property, singledispatchmethod
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import BboxImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Outline
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Affine2D, Bbox, TransformedBbox
from PIL import Image

from playground.figure import page, style
from playground.figure.marks import OUTLINES, PALETTE, Mark, Markers, Path, Picture, Text
from playground.figure.still import Geometry, Grid, Key, Panel, Still
from playground.figure.style import Box

POINTS_PER_PIXEL = 0.72
"""A figure has 100 CSS pixels per inch, an inch 72 points."""

COLORS = ListedColormap(PALETTE / 255.0)

_CLOSE: Any = {"columnspacing": 1.4, "handletextpad": 0.6}
"""Distances in a legend, so that six entries fit."""


class Drawn(Still):
    """A figure of matplotlib's, whose layout is fixed."""

    def __init__(self, panels: Sequence[Panel], keys: Sequence[Key]) -> None:
        size = style.WIDTH / 100, style.HEIGHT / 100
        with _settings():
            self.figure = Figure(size, dpi=100 * style.SHARPNESS, layout="constrained")
            axes = self._axes(panels)
            if keys:
                artists, labels = [_sample(key) for key in keys], [key.label for key in keys]
                self.figure.legend(
                    artists, labels, loc="outside upper center", ncols=len(keys), **_CLOSE
                )
            self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")
        transform = Affine2D().scale(style.SHARPNESS, -style.SHARPNESS)
        self._to_display = transform.translate(0, self.figure.bbox.height)
        self.axes = [self._geometry(ax) for ax in axes]

    def _axes(self, panels: Sequence[Panel]) -> list[Axes]:
        """Add each panel's axes, and make its calls."""
        grids: dict[Grid, Any] = {}
        found: dict[Panel, Axes] = {}
        for panel in panels:
            if panel.owner:
                found[panel] = self._color_bar(found[panel.owner])
            elif isinstance(panel.place, tuple):
                grid, key = panel.place
                if grid not in grids:
                    grids[grid] = self.figure.add_gridspec(grid.rows, grid.columns, **grid.ratios)
                found[panel] = self.figure.add_subplot(grids[grid][key])
            else:
                found[panel] = self.figure.add_subplot(panel.place)
            for method, given, named in panel.calls:
                getattr(found[panel], method)(*given, **named)
        return [*found.values()]

    def _color_bar(self, owner: Axes) -> Axes:
        shown = self.figure.colorbar(ScalarMappable(cmap=COLORS), ax=owner)
        # Invisible numbers reserve space for the moving ones.
        shown.set_ticks([0, 0.5, 1], labels=["−0.00"] * 3, alpha=0)
        assert shown.solids is not None
        shown.solids.remove()  # it knows no transparent colours
        shades = np.linspace(0, 1, 256)[:, None]
        shown.ax.imshow(shades, COLORS, aspect="auto", origin="lower", extent=(0, 1, 0, 1))
        return shown.ax

    def _geometry(self, ax: Axes) -> Geometry:
        corners = self._to_display.inverted().transform(ax.bbox.get_points())
        (left, bottom), (right, top) = corners.round(3).tolist()
        scales = ax.get_xscale(), ax.get_yscale()
        box, logs = (
            (left, top, right - left, bottom - top),
            (scales[0] == "log", scales[1] == "log"),
        )
        return Geometry(box, ax.get_xlim(), ax.get_ylim(), logs)

    @cached_property
    def picture(self) -> str:  # type: ignore[override]  # as it takes a while
        """The figure as SVG without a background."""
        file = io.StringIO()
        with _settings():
            self.figure.savefig(file, format="svg", facecolor="none", metadata={"Date": None})
        return file.getvalue()

    def flat(self, marks: Sequence[Mark]) -> tuple[str, dict[str, str]]:
        """Return both layers as the data URL of a WebP image, and as a small PNG."""
        png = self.png(marks)
        return page.data_url(_webp(png), "webp"), {"image/png": _small(png)}

    def png(self, marks: Sequence[Mark]) -> bytes:
        """Return both layers as a PNG, with `style.SHARPNESS` pixels to a CSS pixel."""
        artists = [artist for mark in marks for artist in self._artists(mark)]
        for order, artist in enumerate(artists, 100):  # over the whole still layer
            artist.set_zorder(order)
        file = io.BytesIO()
        try:
            self.figure.savefig(file, format="png")
        finally:
            for artist in artists:
                artist.remove()
        return file.getvalue()

    def close(self) -> None:
        """Remove all artists."""
        self.figure.clear()

    @singledispatchmethod
    def _artists(self, mark: Any) -> list[Artist]:
        """Add a mark to the figure."""
        raise NotImplementedError

    @_artists.register
    def _(self, mark: Path) -> list[Artist]:
        pieces, artists = mark.pieces(), list[Artist]()
        if not pieces:
            return artists
        if mark.closed:
            pieces = [np.vstack([piece, piece[:1]]) for piece in pieces]
        outlines = [Outline(piece, closed=mark.closed) for piece in pieces]
        place: Any = {
            "path": Outline.make_compound_path(*outlines),
            "transform": self._to_display,
            "clip_box": None if mark.clip is None else self._bbox(mark.clip),
        }
        look: Any = {"facecolor": mark.fill, "joinstyle": "round", "capstyle": "butt"}
        for stroke, width, opacity in mark.strokes():
            line: Any = {
                "linewidth": width * POINTS_PER_PIXEL,
                "linestyle": _dash(mark.dash, width),
            }
            patch = PathPatch(edgecolor=stroke, alpha=opacity, **place, **look, **line)
            artists.append(self.figure.add_artist(patch))
        return artists

    @_artists.register
    def _(self, mark: Markers) -> list[Artist]:
        artists: list[Artist] = []
        for radius, fill, stroke, width in mark.layers():
            outline = np.vstack([[[np.nan, np.nan]], radius * OUTLINES[mark.marker]])
            corners = (mark.centres[:, None] + outline).reshape(-1, 2)
            artists += self._artists(Path(corners, stroke, width, fill=fill, closed=True))
        return artists

    @_artists.register
    def _(self, mark: Text) -> list[Artist]:
        text = self.figure.text(mark.x, mark.y, mark.words, transform=self._to_display)
        align = {"start": "left", "middle": "center"}[mark.anchor]
        text.set(ha=align, va="center", ma="center", linespacing=1.4, color=mark.color)
        text.set_fontsize(style.TEXT_PX * POINTS_PER_PIXEL)
        text.set_path_effects([withStroke(linewidth=3 * POINTS_PER_PIXEL, foreground=style.CARD)])
        return [text]

    @_artists.register
    def _(self, mark: Picture) -> list[Artist]:
        kind = "bilinear" if mark.smooth else "nearest"
        image = BboxImage(self._bbox(mark.box), cmap=COLORS, interpolation=kind, zorder=0.5)
        image.set_data(mark.shades[::-1])  # BboxImage begins at the bottom
        image.set_clim(0, 255)
        return [self.figure.add_artist(image)]

    def _bbox(self, box: Box) -> TransformedBbox:
        left, top, width, height = box
        corners = Bbox([[left, top + height], [left + width, top]])
        return TransformedBbox(corners, self._to_display)


def _sample(key: Key) -> Artist:
    """Return a sample for the legend."""
    look = key.look
    face = "none" if look == style.TARGET else look.color
    dash: Any = _dash(look.dash, look.width)
    if key.kind == "bars":
        return Patch(facecolor=face, edgecolor=look.color, linestyle=dash, linewidth=1.5)
    if key.kind == "points":
        marker = {"circle": "o", "square": "s", "diamond": "D", "triangle": "^"}[look.marker]
        colors: Any = {"markeredgecolor": look.color, "markerfacecolor": face}
        return Line2D([], [], linestyle="none", marker=marker, markersize=7, **colors)
    return Line2D([], [], color=look.color, linewidth=look.width * 0.72, linestyle=dash)


def _dash(dash: Sequence[float], width: float) -> Any:
    """Return matplotlib's line style, whose dashes are in units of the line's width."""
    return (0, [length / width for length in dash]) if dash else "-"


def _small(png: bytes) -> str:
    """Return the picture in base64, small and in 256 colours, for viewers that ignore HTML."""
    file, method = io.BytesIO(), Image.Quantize.MEDIANCUT
    with Image.open(io.BytesIO(png)) as picture:
        small = picture.convert("RGB").reduce(style.SHARPNESS)
        small.quantize(256, method, kmeans=1, dither=Image.Dither.NONE).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def _webp(png: bytes) -> bytes:
    """Return the same picture in a third of the bytes: they are most of a notebook."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").save(file, "webp", lossless=True, quality=50, method=1)
    return file.getvalue()


def _settings() -> AbstractContextManager[None]:
    return matplotlib.rc_context(style.SETTINGS)  # type: ignore[arg-type]  # a literal of all keys

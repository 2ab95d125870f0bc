"""Draw a picture of a mistake as an SVG in the colours of the page, light or dark."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

import numpy as np

from grader.comparison.codec import Array
from grader.comparison.pictures import Picture

WIDTH, HEIGHT = 480, 236
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 32, 44  # margins around the axes
WIDE, TALL = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
FEW = 4  # points that part: each gets a dot
YOURS = "#D55E00"  # a line at 3:1 on white and on dark grey; all words have the colour of the text
GOT = f'stroke="{YOURS}" stroke-width="2.5"'
WANTED = 'stroke="currentColor" stroke-width="2" stroke-dasharray="6 4"'
DOT, RING = f'r="4" fill="{YOURS}"', 'r="7" fill="none" stroke="currentColor" stroke-width="2"'

# It runs in the output of a cell that was run, if the page allows inline handlers. A Jupyter page
# takes keys from the slider, unless an element forbids it; those with Ctrl, Alt, Meta or Shift stay
# the page's: `void`, as a handler that returns false would end them.
SCRIPT = """
this.onload = null;
const points = this.previousElementSibling.querySelectorAll('[data-says]');
const slider = document.createElement('input'), says = document.createElement('output');
Object.assign(slider, {type: 'range', max: points.length - 1, value: this.dataset.start});
Object.assign(slider, {style: this.dataset.place, ariaLabel: this.dataset.name});
says.style.display = 'block';
let shown = points[0];
const show = () => {
  shown.style.display = 'none';
  shown = points[slider.value];
  shown.style.display = 'inline';
  slider.ariaValueText = shown.dataset.x;
  says.textContent = shown.dataset.says;
};
const keys = event => void slider.toggleAttribute('data-lm-suppress-shortcuts',
  !(event.ctrlKey || event.altKey || event.metaKey || event.shiftKey));
slider.oninput = show;
slider.onfocus = slider.onkeydown = slider.onkeyup = keys;
this.before(slider, says);
show();
""".replace("\n", " ")
"""Put a slider below a picture: it shows a dot on both curves, and says what they are there."""


def figure_html(picture: Picture, slider: bool = False) -> str:
    """Return a picture with its description, and a caption that says where the curves part.

    `slider` adds one along a number that varies, on pages that run inline handlers.
    """
    slider = slider and picture.varied
    with np.errstate(all="ignore"):
        drawing = "".join(_drawing(picture, slider))
    return (
        f'<svg role="img" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" font-size="12"'
        ' style="max-width:100%;height:auto;display:block" fill="currentColor"'
        f' aria-label="{escape(picture.description)}">{drawing}</svg>'
        f"{_slider(picture) if slider else ''}<p>{escape(picture.caption)}</p>"
    )


def _slider(picture: Picture) -> str:
    """Return what puts a slider below the picture, along its axis, where the curves part most."""
    first, last = LEFT + _right(picture, picture.x[[0, -1]])
    wide, thumb = f"min({WIDTH}px, 100%)", 16  # the middle of a thumb doesn't reach the ends
    place = (
        f"display:block;height:24px;margin:0 0 0 calc({wide}*{first / WIDTH:.4f} - {thumb / 2}px);"
        f"width:calc({wide}*{(last - first) / WIDTH:.4f} + {thumb}px);accent-color:{YOURS}"
    )
    data = f'data-name="{escape(picture.names[0])}" data-start="{picture.furthest}"'
    return f'<style {data} data-place="{place}" onload="{SCRIPT}"></style>'


def _drawing(picture: Picture, slider: bool) -> Iterator[str]:
    x_name, y_name = map(escape, picture.names)
    yield from _key(y_name)
    yield _text(LEFT + WIDE / 2, HEIGHT - 8, x_name)
    for tick in _ticks(*picture.x_ends):
        yield _text(LEFT + _right(picture, tick), HEIGHT - BOTTOM + 16, f"{tick:.4g}")
    for tick in _ticks(*picture.y_ends):
        yield _text(LEFT - 6, TOP + _down(picture, tick) + 4, f"{tick:.4g}", "end")
    yield f'<svg x="{LEFT}" y="{TOP}" width="{WIDE}" height="{TALL}">'  # cuts curves off
    yield from _marks(picture)
    yield f'<rect width="{WIDE}" height="{TALL}" fill="none" stroke="currentColor" opacity=".4"/>'
    got_x = picture.x if picture.got_x is None else picture.got_x
    for x, y, style in ((picture.x, picture.want, WANTED), (got_x, picture.got, GOT)):
        yield f'<path d="{_path(picture, x, y)}" fill="none" {style}/>'
    if picture.got_x is not None or 0 < picture.parted.sum() <= FEW * (not picture.steps):
        for x, y in zip(got_x[picture.parted], picture.got[picture.parted], strict=True):
            if np.isfinite([x, y]).all():
                place = f'cx="{_right(picture, x)}" cy="{_down(picture, y)}"'
                yield f'<circle {place} r="3" fill="{YOURS}"/>'
    if slider:
        yield from _points(picture)
    yield "</svg>"


def _points(picture: Picture) -> Iterator[str]:
    """Yield the slider's places, hidden: a dot on each curve, and what both curves are there."""
    for i, x in enumerate(picture.x):
        dots = "".join(
            f'<circle cx="{_right(picture, x)}" cy="{_down(picture, y)}" {style}/>'
            for y, style in ((picture.want[i], RING), (picture.got[i], DOT))
            if np.isfinite(y)
        )
        words = f'data-x="{x:.4g}" data-says="At {escape(picture.values_at(i))}."'
        yield f'<g display="none" {words}>{dots}</g>'


def _key(y_name: str) -> Iterator[str]:
    """Yield the name of the vertical axis, and what each curve is."""
    yield _text(6, 16, y_name, "start")
    for x, name, style in ((300, "yours", GOT), (384, "expected", WANTED)):
        yield f'<path d="M{x} 12h26" {style}/>' + _text(x + 32, 16, name, "start")


def _marks(picture: Picture) -> Iterator[str]:
    """Yield a shade where the curves part, and a dotted line at the case itself."""
    if picture.got_x is None:
        between = (picture.x[1:] + picture.x[:-1]) / 2
        edges = picture.x if picture.steps else np.r_[picture.x[0], between, picture.x[-1]]
        lefts = _right(picture, edges)
        for i in np.flatnonzero(picture.parted):
            place = f'x="{lefts[i]}" width="{lefts[i + 1] - lefts[i]:.1f}" height="{TALL}"'
            yield f'<rect {place} fill="{YOURS}" opacity=".12"/>'
    if picture.own is not None:
        line = f'd="M{_right(picture, picture.own)} 0V{TALL}" stroke-dasharray="1 4"'
        yield f'<path {line} stroke="currentColor" stroke-width="1.5"/>'


def _path(picture: Picture, x: Array, y: Array) -> str:
    """Return the points of a curve, with a gap at each that is no number."""
    if picture.steps:
        x, y = np.repeat(x, 2)[1:-1], np.repeat(y, 2)
    text, letter = "", "M"
    for across, down in zip(_right(picture, x), _down(picture, y), strict=True):
        if np.isnan(across) or np.isnan(down):
            letter = "M"
        else:
            text, letter = f"{text}{letter}{across} {down}", "L"
    return text


def _right(picture: Picture, x: Array | float) -> Array:
    low, high = picture.x_ends
    return _pixels((np.asarray(x) - low) / (high - low) * WIDE)


def _down(picture: Picture, y: Array | float) -> Array:
    low, high = picture.y_ends
    return _pixels((high - np.asarray(y)) / (high - low) * TALL)


def _pixels(length: Array) -> Array:
    return np.round(np.clip(length, -9 * WIDTH, 9 * WIDTH), 1)


def _ticks(low: float, high: float) -> Array:
    """Return the round numbers between two ends, at most seven of them."""
    step = 10.0 ** math.floor(math.log10((high - low) / 6))
    step *= next(m for m in (1, 2, 5, 10) if m * step >= (high - low) / 6)
    return np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step


def _text(x: Array | float, y: Array | float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{text}</text>'

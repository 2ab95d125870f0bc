"""Draw still pictures as small SVGs that follow JupyterLab's light and dark theme."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape
from typing import Any, Literal
from urllib.parse import quote

from IPython.display import display

from playground.figure import style

Attributes = dict[str, float | str]
INK, PALE, DASHED, TINT = "currentColor", "#8c959f", "7 5", 0.22
"""The theme's text colour, a grey for both themes, a dash pattern, and the opacity of fills."""

WORDS: Attributes = {"text-anchor": "middle", "font-size": 14, "fill": INK, "font-weight": "normal"}
"""The usual look of words, written once for a whole drawing."""

Anchor = Literal["start", "middle", "end"]

# Where a front end removes style and SVG, as JupyterLab does before a cell is run, the live picture
# stays hidden and the still one, on a white card, is displayed.
_PAGE = (
    "<style>.drawing-still:has(+ .drawing-live svg) {{display:none}}"
    " .drawing-live[hidden] {{display:block}}</style>"
    '<div class="drawing-still">'
    '<img alt="{alt}" src="data:image/svg+xml,{still}" width="{width}"></div>'
    '<div class="drawing-live" hidden="hidden">{live}</div>'
)


class Drawing:
    """A picture built shape by shape, in CSS pixels from the top left; a cell displays it.

    Shapes are outlined in `color` and filled with a light tint of `fill`, so that words on them are
    readable in both themes. Each method returns the drawing.
    """

    def __init__(self, width: int, height: int, alt: str) -> None:
        self.width, self.height, self.alt = width, height, alt
        self._shapes: list[str] = []

    def circle(self, x: float, y: float, r: float, fill: str = "none", dash: str = "") -> Drawing:
        """Draw a circle around (x, y)."""
        return self._outlined("circle", INK, dash, fill, cx=x, cy=y, r=r)

    def box(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        fill: str = "none",
        color: str = INK,
        dash: str = "",
        rounded: float = 5,
    ) -> Drawing:
        """Draw a box whose top left corner is (x, y)."""
        place = {"x": x, "y": y, "width": w, "height": h}
        return self._outlined("rect", color, dash, fill, **place, rx=rounded)

    def line(
        self,
        points: Iterable[tuple[float, float] | None],
        color: str = INK,
        dash: str = "",
        width: float = 1.6,
    ) -> Drawing:
        """Draw a line through points; None starts a new piece."""
        way, move = "", "M"
        for point in points:
            way += f"{move}{_short(point[0])} {_short(point[1])}" if point else ""
            move = "L" if point else "M"
        return self._outlined("path", color, dash, stroke_width=width, d=way)

    def arrow(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        color: str = INK,
        dash: str = "",
        width: float = 1.6,
    ) -> Drawing:
        """Draw an arrow from (x1, y1) to its tip (x2, y2)."""
        length = math.hypot(x2 - x1, y2 - y1) or 1
        along, across = (x2 - x1) / length, (y2 - y1) / length
        x, y = x2 - 9 * along, y2 - 9 * across  # where the head begins
        self.line([(x1, y1), (x, y)], color, dash, width)
        sides = [(x - 4 * across, y + 4 * along), (x + 4 * across, y - 4 * along)]
        corners = " ".join(f"{_short(a)},{_short(b)}" for a, b in [(x2, y2), *sides])
        return self._add(f'<polygon points="{corners}" fill="{color}"/>')

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 14,
        color: str = INK,
        anchor: Anchor = "middle",
        bold: bool = False,
    ) -> Drawing:
        """Write words whose middle is at height y."""
        given: Attributes = {"x": x, "y": y + 0.36 * size, "text-anchor": anchor, "font-size": size}
        given |= {"fill": color, "font-weight": "bold" if bold else "normal"}
        said = {name: value for name, value in given.items() if WORDS.get(name) != value}
        return self._add(f"<text{_written(said)}>{escape(words)}</text>")

    def svg(self, card: bool = False) -> str:
        """Return the picture, on a white card if asked."""
        under = f'<rect width="100%" height="100%" fill="{style.CARD}"/>' if card else ""
        ink = style.INK if card else f"var(--jp-content-font-color1,{style.INK})"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}"'
            f' viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(self.alt)}"'
            f'{_written(WORDS)} font-family="{style.FONT}"'
            f' style="color:{ink};max-width:100%;height:auto">{under}'
            f"{''.join(self._shapes)}</svg>"
        )

    def _outlined(
        self, kind: str, color: str, dash: str, fill: str = "none", **given: Any
    ) -> Drawing:
        given = {"stroke": color, "stroke_width": 1.6, **given, "fill": fill}
        given |= {"fill_opacity": TINT} if fill != "none" else {}
        given |= {"stroke_dasharray": dash} if dash else {}
        return self._add(f"<{kind}{_written(given)}/>")

    def _add(self, shape: str) -> Drawing:
        self._shapes.append(shape)
        return self

    def _ipython_display_(self) -> None:
        display(self._repr_mimebundle_(), raw=True)  # unlike a result, without a number

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        still = quote(self.svg(card=True).replace('"', "'"), safe=" /:;,=()'")
        page = _PAGE.format(alt=escape(self.alt), still=still, width=self.width, live=self.svg())
        return {"text/html": page, "text/plain": self.alt}


def _written(attributes: Attributes) -> str:
    """Return attributes as text; an underscore in a name means a hyphen."""
    given = ((name.replace("_", "-"), _short(value)) for name, value in attributes.items())
    return "".join(f' {name}="{value}"' for name, value in given)


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{round(value, 2):g}"

r"""Set a TeX formula as a picture that needs no network and takes its text's colour."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath, text_to_path

SIZE = 100
"""Units of the picture in one em."""

DISPLAY = "display:block;text-align:center;margin:.8em 0;overflow-x:auto"

SPELLINGS = {
    r"\\[lr]Vert\b": r"\\Vert",
    r"\\[lr]vert\b": r"|",
    r"\\[tdc]frac(?![a-z])": r"\\frac",
    r"\\frac(\d)(\d)": r"\\frac{\1}{\2}",
    r"\\[bB]igg?[lrm]?\b": "",
}
"""What TeX's users write and matplotlib spells otherwise."""


@lru_cache(maxsize=512)
def formula(tex: str, display: bool = False) -> str:
    """A formula as inline SVG, with its TeX as label; as code where matplotlib can't set it.

    Args:
        tex: the formula, without dollars.
        display: whether it stands on a line of its own.
    """
    try:
        picture = _picture(tex, display)
    except (
        Exception
    ):  # matplotlib says ValueError, a parser's own exceptions or, in places, KeyError
        picture = f"<code>{escape(tex.strip())}</code>"
    return (
        f'<span class="formula-display" style="{DISPLAY}">{picture}</span>' if display else picture
    )


def _picture(tex: str, display: bool) -> str:
    text = " ".join(tex.split())
    for spelling, replacement in SPELLINGS.items():
        text = re.sub(spelling, replacement, text)
    if display:
        text = re.sub(r"\\frac\b", r"\\dfrac", text)
    font = FontProperties(size=SIZE, math_fontfamily="dejavusans")
    width, height, depth = text_to_path.get_text_width_height_descent(
        f"${text}$", font, ismath=True
    )
    outline = _outline(TextPath((0, 0), f"${text}$", size=SIZE, prop=font, usetex=False))
    em = [f"{value / SIZE:.3f}em" for value in (width, height, -depth)]
    box = f"0 {depth - height:.0f} {width:.0f} {height:.0f}"
    return (
        f'<svg class="formula" role="img" aria-label="{escape(tex.strip())}" viewBox="{box}" fill="currentColor"'
        f' style="overflow:visible;width:{em[0]};height:{em[1]};vertical-align:{em[2]}"><path d="{outline}"/></svg>'
    )


def _outline(path: Path) -> str:
    """A path in SVG's words; its y points down."""
    words = {
        Path.MOVETO: "M",
        Path.LINETO: "L",
        Path.CURVE3: "Q",
        Path.CURVE4: "C",
        Path.CLOSEPOLY: "Z",
    }
    parts = []
    for points, code in path.iter_segments(simplify=False):
        places = (
            ""
            if code == Path.CLOSEPOLY
            else " ".join(
                f"{value if i % 2 == 0 else -value:.0f}" for i, value in enumerate(points)
            )
        )
        parts.append(words[code] + places)
    return "".join(parts)

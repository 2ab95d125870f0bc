"""Draw counts as SVG, each with a table that says the same to a screen reader."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 560, 220
"""Size of a histogram in CSS pixels."""

LEFT, BOTTOM, TOP = 2, 46, 24
BAR = 30
"""Height of a stacked bar with the space under it."""

MOST_LABELS = 12
"""Most columns that are all labelled; of more, every second one is, and so on."""


@dataclass(frozen=True)
class Column:
    """One column of a histogram: its label under the axis and in the table, its count, and its look, a class of the page's style."""

    label: str
    words: str
    count: int
    look: str = "plain"


def histogram(
    columns: Sequence[Column], caption: str, under: str, line: tuple[float, str] | None = None
) -> str:
    """Columns side by side, and their table.

    Args:
        columns: from left to right.
        caption: what is shown, in one sentence.
        under: what the labels under the axis are.
        line: where a line stands, in columns from the left, and the text at its head.
    """
    most, step = (
        max((column.count for column in columns), default=0) or 1,
        (WIDTH - LEFT) / max(len(columns), 1),
    )
    scale = (HEIGHT - TOP - BOTTOM) / most
    parts = [
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}"/>'
    ]
    every = -(-sum(bool(column.label) for column in columns) // MOST_LABELS)
    if line:
        x = LEFT + line[0] * step
        parts.append(
            f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{HEIGHT - BOTTOM}"/>'
        )
        side = "end" if line[0] > len(columns) / 2 else "start"
        parts.append(
            f'<text class="marked" text-anchor="{side}" x="{x + (-5 if side == "end" else 5):.1f}" y="{TOP - 10}">{escape(line[1])}</text>'
        )
    for number, column in enumerate(columns):
        x, tall = LEFT + number * step, column.count * scale
        middle, top = x + step / 2, HEIGHT - BOTTOM - tall
        if column.count:
            parts.append(
                f'<rect class="{column.look}" x="{x + 1:.1f}" y="{top:.1f}" width="{step - 2:.1f}" height="{tall:.1f}"/>'
            )
            parts.append(
                f'<text class="count" x="{middle:.1f}" y="{top - 4:.1f}">{column.count}</text>'
            )
        if column.label and number % every == 0:
            parts.append(
                f'<text class="tick" x="{middle:.1f}" y="{HEIGHT - BOTTOM + 16}">{escape(column.label)}</text>'
            )
    parts.append(
        f'<text class="under" x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 6}">{escape(under)}</text>'
    )
    rows = [[column.words, str(column.count)] for column in columns if column.count]
    return pair(svg(WIDTH, HEIGHT, caption, parts), table(caption, [under, "students"], rows))


def stacked(rows: Sequence[tuple[str, Sequence[tuple[int, str]]]], caption: str) -> str:
    """One bar for each row, its parts in a line: their counts and looks. Its table is the caller's."""
    left = 12 + 8 * max((len(name) for name, _ in rows), default=0)
    width = max(WIDTH, left + 360)
    parts = []
    for number, (name, counts) in enumerate(rows):
        y, x, total = number * BAR + 2, float(left), max(1, sum(count for count, _ in counts))
        parts.append(f'<text class="name" x="0" y="{y + 16}">{escape(name)}</text>')
        for count, look in counts:
            wide = count / total * (width - left)
            if count:
                parts.append(
                    f'<rect class="{look}" x="{x + 1:.1f}" y="{y}" width="{max(wide - 2, 1):.1f}" height="{BAR - 7}"/>'
                )
            if wide > 18:
                parts.append(
                    f'<text class="inside" x="{x + wide / 2:.1f}" y="{y + 16}">{count}</text>'
                )
            x += wide
    return svg(width, BAR * len(rows), caption, parts)


def legend(looks: Sequence[tuple[str, str]]) -> str:
    """What the looks of a picture mean."""
    return f'<p class="legend" aria-hidden="true">{"".join(f"<span><i class={look}></i>{escape(words)}</span>" for look, words in looks)}</p>'


def svg(width: float, height: float, caption: str, parts: Sequence[str]) -> str:
    """A picture that a screen reader calls by its caption."""
    return f'<svg role="img" aria-label="{escape(caption)}" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}">{"".join(parts)}</svg>'


def pair(picture: str, its_table: str) -> str:
    """A picture with its table beside it."""
    return f'<div class="pair">{picture}{its_table}</div>'


def table(
    caption: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    bars: Sequence[float] | None = None,
) -> str:
    """A table whose first column names the rows; where `bars` are given, a bar of that share of the width ends each row.

    All texts are escaped here.
    """
    if not rows:
        return ""
    right = [
        _kind(next((row[column] for row in rows if row[column]), ""))
        for column in range(len(heads))
    ]
    head = "".join(
        f'<th scope="col"{kind}>{escape(name)}</th>'
        for name, kind in zip(heads, right, strict=True)
    ) + ('<td class="bars" aria-hidden="true"></td>' if bars else "")
    body = []
    for number, (first, *others) in enumerate(rows):
        cells = "".join(f"<td{_kind(text)}>{escape(text)}</td>" for text in others)
        bar = (
            f'<td class="bars" aria-hidden="true"><i style="width:{100 * bars[number]:.0f}%"></i></td>'
            if bars
            else ""
        )
        body.append(f'<tr><th scope="row">{escape(first)}</th>{cells}{bar}</tr>')
    return f'<div class="wide"><table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def _kind(text: str) -> str:
    """Numbers stand to the right, and a moment stands in one line."""
    if re.match(r"\d{4}-\d\d-\d\d", text):
        return ' class="moment"'
    return ' class="number"' if text.replace(".", "").rstrip("%").isdigit() else ""

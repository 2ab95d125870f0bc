"""Write tables and paragraphs, and escape their texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

FULL_BAR = 5
"""Students of a full bar, in a class with fewer."""

MAX_ROWS = 40
"""Rows of a table, or groups, whose number depends on learners."""


class Linked(str):
    """A text that a table shows as a link."""

    href: str

    @classmethod
    def to(cls, text: str, href: str | None) -> str:
        """Return a text that leads to `href`, or the text alone."""
        if href is None:
            return text
        linked = cls(text)
        linked.href = href
        return linked


def table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], shares: Iterable[float] = ()
) -> str:
    """Return a table of escaped texts, or nothing without rows; the first column names the rows.

    Shares from 0 to 1, one for each row, are drawn as bars at their ends.
    """
    if not rows:
        return ""
    bars = [f'<i style="width:{100 * share:.0f}%"></i>' for share in shares]
    aside = '<td class="bars" aria-hidden="true">'
    kinds = [_kind(next(filter(None, column), "")) for column in zip(*rows, strict=True)]
    head = "".join(
        f'<th scope="col"{kind}>{escape(name)}</th>'
        for name, kind in zip(heads, kinds, strict=True)
    )
    body = ""
    for number, (first, *others) in enumerate(rows):
        cells = "".join(f"<td{_kind(text)}>{_text(text)}</td>" for text in others)
        bar = f"{aside}{bars[number]}</td>" if bars else ""
        body += f'<tr><th scope="row">{_text(first)}</th>{cells}{bar}</tr>'
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}{f'{aside}</td>' if bars else ''}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def table_of_counts(caption: str, head: str, numbers: dict[str, int]) -> str:
    """Return a table of numbers of students by name, with bars."""
    full = max([FULL_BAR, *numbers.values()])
    rows = [[name, str(count)] for name, count in numbers.items()]
    return table(caption, [head, "students"], rows, [count / full for count in numbers.values()])


def table_of_students(
    caption: str, heads: list[str], found: Sequence[tuple[str, ...]], with_names: bool
) -> str:
    """Return a table of texts with the number of their students, the most frequent first.

    `found` has the texts of a row and one student in each item.
    """
    students: dict[tuple[str, ...], list[str]] = {}
    for *texts, student in found:
        students.setdefault(tuple(texts), []).append(student)
    first = sorted(students.items(), key=lambda item: -len(item[1]))[:MAX_ROWS]
    full = max([FULL_BAR, *map(len, students.values())])
    rows = [[*texts, str(len(who)), ", ".join(who)] for texts, who in first]
    heads = [*heads, "students", "who"]
    if not with_names:
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    return table(caption, heads, rows, [len(who) / full for _, who in first]) + more(len(students))


def _text(text: str) -> str:
    shown = escape(text)
    return f'<a href="{escape(text.href)}">{shown}</a>' if isinstance(text, Linked) else shown


def _kind(text: str) -> str:
    """Return the class that aligns numbers right, or nothing for other texts."""
    number = text.replace(".", "").replace(" → ", "").isdigit()
    return ' class="number"' if number else ""


def more(count: int) -> str:
    """Return the sentence about rows that a table leaves out, or nothing."""
    return paragraph(f"{count - MAX_ROWS} more are not shown.") if count > MAX_ROWS else ""


def paragraph(text: str) -> str:
    """Return a paragraph of escaped text."""
    return f"<p>{escape(text)}</p>"

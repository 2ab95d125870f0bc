"""Choose the columns of the histogram of submission times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from grader.insights.charts import Column

WIDTHS = tuple(timedelta(hours=hours) for hours in (1, 3, 6, 12, 24, 48, 168, 336, 672))
"""Widths that a column can have."""

MOST = 24
"""Most columns."""


def moment(at: datetime) -> str:
    """A moment in words, in UTC as nbgrader keeps it."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def columns_of(
    known: Sequence[tuple[datetime, bool]], due: datetime | None
) -> tuple[list[Column], tuple[float, str] | None]:
    """The columns of a histogram, and where the due date stands among them, if it does.

    Args:
        known: when each notebook came, and whether that was late.
        due: the due date, or None.
    """
    first, last = min(at for at, _ in known), max(at for at, _ in known)
    width = next(
        (one for one in WIDTHS if (last - first) / one <= MOST - 1), (last - first) / (MOST - 1)
    )
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight + (first - midnight) // width * width
    count = int((last - start) / width) + 1
    columns: list[Column] = []
    for number in range(count):
        begin = start + number * width
        here = [late for at, late in known if begin <= at < begin + width]
        columns.append(_column(begin, width, here, only_days=count > MOST // 2))
    where = None if due is None else (due - start) / width
    return columns, (where, "due") if where is not None and 0 <= where <= count else None


def _column(begin: datetime, width: timedelta, here: list[bool], only_days: bool) -> Column:
    """One column; it looks late where most of what it counts is. Hours are labelled only where there is room."""
    day, hour = f"{begin:%b} {begin.day}", "" if only_days else f"{begin:%H}h"
    short = hour if width < WIDTHS[4] and begin.hour else day
    late = sum(here)
    words = f"{begin:%Y-%m-%d}" if width >= WIDTHS[4] else f"{begin:%Y-%m-%d %H:%M}"
    return Column(
        short,
        words + (f" ({late} late)" if late else ""),
        len(here),
        "missed" if 2 * late > len(here) else "plain",
    )

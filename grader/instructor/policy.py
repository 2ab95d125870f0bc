"""Read the rules of `grader serve` from class/serve.toml, and decide by them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from grader.author.lesson import lessons_in
from grader.errors import UserError


class Results(StrEnum):
    """When a student sees results."""

    AT_ONCE = "at once"
    AFTER_DUE = "after the due date"


class Shown(StrEnum):
    """What a student sees as results."""

    POINTS = "points"
    HINTS = "hints"


class Counting(StrEnum):
    """Which of a student's submissions counts."""

    LATEST = "latest"
    BEST = "best"


@dataclass(frozen=True)
class Policy:
    """The rules for a lesson; a `most_a_day` of 0 means no limit, `timezone` says when days end."""

    results: Results = Results.AT_ONCE
    shown: Shown = Shown.POINTS
    counts: Counting = Counting.LATEST
    most_a_day: int = 0
    timezone: tzinfo = UTC

    def graded_from(self, times: Sequence[datetime]) -> list[datetime | None]:
        """Return when each of a student's submissions may be graded; None means never.

        Of those beyond a day's limit, the last is graded when the day is over.

        Args:
            times: of the submissions, ascending, in UTC without a zone, as nbgrader has them.
        """
        allowed: list[datetime | None] = []
        for day, group in groupby(times, self._day):
            own = [*group]
            allowed += own[: self.most_a_day or None]
            beyond = len(own) - len(own[: self.most_a_day or None])
            allowed += [None] * (beyond - 1) + [self._end(day)] * (beyond > 0)
        return allowed

    def local(self, time: datetime) -> str:
        """Return a time as students read it."""
        return f"{time.replace(tzinfo=UTC).astimezone(self.timezone):%Y-%m-%d %H:%M %Z}"

    def _day(self, time: datetime) -> datetime:
        """Return the midnight with which a local day begins."""
        local = time.replace(tzinfo=UTC).astimezone(self.timezone)
        return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)

    def _end(self, day: datetime) -> datetime:
        return (day + timedelta(days=1)).astimezone(UTC).replace(tzinfo=None)


def policy_path(root: Path) -> Path:
    """Return the path of the rules of a class."""
    return root / "class" / "serve.toml"


def read_policy(root: Path, lesson: str) -> Policy:
    """Return the rules for a lesson: those of its table count before those at the top of the file.

    Raises:
        UserError: the file can't be read, or holds something that is no rule.
    """
    path = policy_path(root)
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Policy()
    except (OSError, ValueError) as error:
        raise UserError(f"{path} can't be read: {error}.") from None
    tables = {name: one for name, one in given.items() if isinstance(one, dict)}
    names = [folder.name for folder in lessons_in(root)]
    if unknown := tables.keys() - {*names}:
        raise UserError(f"{path}: [{min(unknown)}] is no lesson; there are {', '.join(names)}.")
    rules = {name: one for name, one in given.items() if name not in tables}
    rules |= tables.get(lesson, {})
    return Policy(**{name: _rule(path, name, one) for name, one in rules.items()})


def _rule(path: Path, name: str, value: Any) -> Any:
    """Return the value of a rule, or raise UserError with those that it may have."""
    kinds = {"results": Results, "shown": Shown, "counts": Counting}
    try:
        if name in kinds:
            return kinds[name](value)
        if name == "timezone":
            return ZoneInfo(value)
        if name == "most_a_day" and type(value) is int and value >= 0:
            return value
    except (ValueError, TypeError, OSError, LookupError):
        pass
    may = {
        **{one: " or ".join(f'"{value}"' for value in kind) for one, kind in kinds.items()},
        "timezone": 'the name of a zone, like "Europe/Berlin"',
        "most_a_day": "a whole number, 0 for no limit",
    }
    if name not in may:
        known = [one.name for one in fields(Policy)]
        raise UserError(f"{path}: {name} is no rule; there are {', '.join(known)}.")
    raise UserError(f"{path}: {name} = {value!r} is not possible; it can be {may[name]}.")

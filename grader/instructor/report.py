"""Print the progress and the results of a run over a class."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import mean, median
from typing import Any, Self

from grader.comparison.present import one_line
from grader.comparison.vocabulary import in_words

MOST_HINTS = 5
"""How many of the most frequent hints a summary lists."""


@dataclass(frozen=True)
class Change:
    """Whose points changed when a notebook was graded again, from what to what, and why."""

    student: str
    before: float
    after: float
    reasons: tuple[str, ...]

    @classmethod
    def between(cls, student: str, before: dict[str, Any], after: dict[str, Any]) -> Self | None:
        """The change from one result to another of the same notebook, or None where no exercise's points differ."""
        reasons = []
        for name in {**before["exercises"], **after["exercises"]}:
            old, new = before["exercises"].get(name), after["exercises"].get(name)
            if (old or {}).get("points") != (new or {}).get("points"):
                reasons.append(f"{name} {_points(old)} → {_points(new)}: {_why(old, new)}")
        return cls(student, before["points"], after["points"], tuple(reasons)) if reasons else None

    def lines(self) -> list[str]:
        """One line for the student and one for each exercise."""
        return [
            f"  {self.student}: {self.before:g} → {self.after:g}",
            *(f"    {reason}" for reason in self.reasons),
        ]


@dataclass
class Summary:
    """What a run over a class did.

    Attributes:
        graded: points by student, of those that this run wrote.
        kept: points by student, of those that were done before.
        errors: by student, why there is no grade.
        changes: whose points changed.
        planned: who would be graded, in a dry run.
        outdated: number of grades made with another version of the lesson or of the grader.
    """

    lesson: str
    seed: int
    dry: bool = False
    graded: dict[str, float] = field(default_factory=dict)
    kept: dict[str, float] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    planned: list[str] = field(default_factory=list)
    outdated: int = 0
    max_points: float = 0.0
    exercises: dict[str, list[float]] = field(default_factory=dict)
    hints: Counter[tuple[str, str]] = field(default_factory=Counter)
    repaired: dict[str, list[str]] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def add(self, student: str, result: dict[str, Any]) -> None:
        """A grade that this run wrote."""
        self.graded[student] = result["points"]
        self._count(student, result)

    def keep(self, student: str, result: dict[str, Any]) -> None:
        """A grade that was there."""
        self.kept[student] = result["points"]
        self._count(student, result)

    def text(self) -> str:
        """All of it, for reading in a terminal."""
        return "\n".join(map(one_line, self._dry_lines() if self.dry else self._lines()))

    def _count(self, student: str, result: dict[str, Any]) -> None:
        self.max_points = result["max_points"]
        for name, exercise in result["exercises"].items():
            self.exercises.setdefault(name, []).append(exercise["points"] / exercise["max_points"])
            if exercise["hint"]:
                self.hints[name, exercise["hint"]] += 1
        if result["repaired"]:
            self.repaired[student] = result["repaired"]

    def _lines(self) -> Iterator[str]:
        yield from self._class_lines()
        yield from self._list("Repaired", self.repaired)
        yield from self._change_lines()
        yield from self._trouble_lines()

    def _dry_lines(self) -> Iterator[str]:
        names = f": {', '.join(self.planned)}" * bool(self.planned)
        yield f"{self.lesson}: {len(self.planned)} to grade{names}; {len(self.kept)} are done. Nothing was changed."
        yield from self._change_lines()
        yield from self._trouble_lines()

    def _class_lines(self) -> Iterator[str]:
        took = time.monotonic() - self.started
        speed = f" in {took:.1f} s, {len(self.graded) / took:.1f} a second" if self.graded else ""
        yield f"{self.lesson}: {len(self.graded)} graded{speed}; {len(self.kept)} were done before. Seed {self.seed}."
        points = [*self.graded.values(), *self.kept.values()]
        if not points:
            return
        yield f"Points: mean {mean(points):.2f}, median {round(median(points), 2):g}, of {self.max_points:g}."
        width = max(map(len, self.exercises))
        for name, shares in self.exercises.items():
            full = sum(share == 1 for share in shares)
            yield f"  {name:{width}}  {mean(shares):4.0%} of the points; {full} of {len(shares)} solved it"
        if self.hints:
            yield "Most frequent mistakes:"
        for (name, hint), count in self.hints.most_common(MOST_HINTS):
            yield f"  {count:3} × {name}: {hint}"

    def _change_lines(self) -> Iterator[str]:
        if self.changes:
            yield f"Points that {'would ' * self.dry}change:"
        for change in self.changes:
            yield from change.lines()

    def _trouble_lines(self) -> Iterator[str]:
        yield from self._list(
            "Not graded", {student: [reason] for student, reason in self.errors.items()}
        )
        if self.outdated:
            yield f"{self.outdated} grades are out of date (lesson or grader changed); --regrade grades them again, --regrade --dry-run lists what would change."

    @staticmethod
    def _list(title: str, sentences: dict[str, list[str]]) -> Iterator[str]:
        if sentences:
            yield f"{title}:"
        for student, reasons in sentences.items():
            yield from (
                f"  {student}: {reason}{'' if reason.endswith('.') else '.'}" for reason in reasons
            )


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; in a log, nothing."""
    shown = sys.stderr.isatty()

    def show(done: int, of: int) -> None:
        if shown:
            filled = 40 * done // max(of, 1)
            print(
                f"\r[{'█' * filled}{'·' * (40 - filled)}] {done} of {of}",
                end="",
                file=sys.stderr,
                flush=True,
            )

    try:
        yield show
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _points(exercise: dict[str, Any] | None) -> str:
    return "none" if exercise is None else f"{exercise['points']:g}"


def _why(old: dict[str, Any] | None, new: dict[str, Any] | None) -> str:
    if old is None or new is None:
        return "the exercise is new" if old is None else "the exercise is gone"
    now_passed = [prop for prop in old["missed"] if prop in new["passed"]]
    now_missed = [prop for prop in new["missed"] if prop not in old["missed"]]
    reasons = [f"passes now: {', '.join(map(in_words, now_passed))}"] * bool(now_passed) + [
        f"misses now: {', '.join(map(in_words, now_missed))}"
    ] * bool(now_missed)
    if old["note"] != new["note"]:
        reasons.append(new["note"] or f"before: {old['note']}")
    if new["missed"] and new["hint"] and now_missed:
        reasons.append(new["hint"])
    return "; ".join(reasons) or f"worth {new['max_points']:g} now, {old['max_points']:g} before"

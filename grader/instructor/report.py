"""Print the progress and the results of a run over a class."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import mean, median
from typing import NamedTuple

from grader.comparison.present import count_of, listed, one_line
from grader.comparison.vocabulary import in_words
from grader.instructor.run import ExerciseResult, Result


class Standing(NamedTuple):
    """A student's points in the gradebook, and those taken off for a late submission."""

    earned: float
    penalty: float

    @property
    def points(self) -> float:
        """The final points."""
        return round(max(0.0, self.earned - self.penalty), 2)


@dataclass
class Summary:
    """The results of a run over a class, most of them by student.

    `graded` holds the points of grades that this run wrote, `kept` those of grades that were up to
    date, `differences` the final points that earlier grades gained, `shares` each student's share
    of an exercise's points.
    """

    lesson: str
    seed: int
    dry: bool = False
    outdated: int = 0
    graded: dict[str, float] = field(default_factory=dict)
    kept: dict[str, float] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    changes: dict[str, list[str]] = field(default_factory=dict)
    differences: list[float] = field(default_factory=list)
    planned: list[str] = field(default_factory=list)
    max_points: float = 0.0
    shares: dict[str, list[float]] = field(default_factory=dict)
    hints: Counter[tuple[str, str]] = field(default_factory=Counter)
    repaired: dict[str, list[str]] = field(default_factory=dict)
    by_hand: dict[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def add(self, student: str, result: Result, kept: bool = False) -> None:
        """Count a grade that this run wrote, or `kept` because it was up to date."""
        (self.kept if kept else self.graded)[student] = result["points"]
        self.max_points = result["max_points"]
        for name, exercise in result["exercises"].items():
            self.shares.setdefault(name, []).append(exercise["points"] / exercise["max_points"])
            if exercise["hint"]:
                self.hints[name, exercise["hint"]] += 1
        if result["repaired"]:
            self.repaired[student] = result["repaired"]

    def compare(
        self, student: str, was: Standing, now: Standing, results: tuple[Result, Result] | None
    ) -> None:
        """Note which final points differ, and why: a late submission, or two results."""
        self.differences.append(now.points - was.points)
        if was.points == now.points:
            return
        reasons = [*_differing(*results)] if results else []
        if (off := round(now.penalty, 2)) != round(was.penalty, 2):
            reasons.append(f"    late: {off:g} taken off, {was.penalty:.4g} before")
        self.changes[student] = [f"  {student}: {was.points:g} → {now.points:g}", *reasons]

    def text(self) -> str:
        """Return the whole summary, for a terminal."""
        return "\n".join(map(one_line, self._lines()))

    def _lines(self) -> Iterator[str]:
        if self.dry:
            names = f": {', '.join(self.planned)}" if self.planned else ""
            counts = f"{len(self.planned)} to grade{names}; {len(self.kept)} up to date"
            yield f"{self.lesson}: {counts}. Nothing was changed."
        else:
            yield from self._class_lines()
            repaired = ((who, one) for who, many in self.repaired.items() for one in many)
            yield from listed("Repaired", repaired)
            title = "Points by hand for an earlier notebook still count; formgrader changes them"
            yield from listed(title, self.by_hand.items())
        if self.changes:
            yield f"Points that {'would ' * self.dry}change:"
        for lines in self.changes.values():
            yield from lines
        if self.changes:
            up = sum(one > 0 for one in self.differences)
            down = sum(one < 0 for one in self.differences)
            yield f"{up} up, {down} down, {len(self.differences) - up - down} unchanged."
        yield from listed("Not graded", self.errors.items())
        if self.outdated:
            outdated = f"{count_of(self.outdated, 'grade')} out of date (lesson or grader changed)"
            yield f"{outdated}. --regrade grades again; --regrade --dry-run lists the changes."

    def _class_lines(self) -> Iterator[str]:
        took = time.monotonic() - self.started
        counts = f"{len(self.graded)} graded, {len(self.kept)} up to date"
        yield f"{self.lesson}: {counts}, in {took:.1f} s. Seed {self.seed}."
        points = [*self.graded.values(), *self.kept.values()]
        if not points:
            if not self.errors:
                yield f"class/submitted has none of {self.lesson}; `grader collect` adds some."
            return
        middle = f"mean {mean(points):.2f}, median {round(median(points), 2):g}"
        yield f"Points: {middle}, of {self.max_points:g}."
        width = max(map(len, self.shares))
        for name, shares in self.shares.items():
            solved = f"{shares.count(1)} of {len(shares)} solved it"
            yield f"  {name:{width}}  {mean(shares):4.0%} of the points; {solved}"
        if self.hints:
            yield "Most frequent mistakes:"
        for (name, hint), count in self.hints.most_common(5):
            yield f"  {count:3} × {name}: {hint}"


@contextmanager
def show_progress() -> Iterator[Callable[[int, int], None]]:
    """Show the progress where stderr is a terminal."""

    def show(text: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{text}", end="", file=sys.stderr, flush=True)

    try:
        yield lambda done, of: show(f"{done} of {of} graded")
    finally:
        show("\x1b[K")


def _differing(before: Result, after: Result) -> Iterator[str]:
    for name in {**before["exercises"], **after["exercises"]}:
        old, new = before["exercises"].get(name), after["exercises"].get(name)
        if _points(old) != _points(new):
            yield f"    {name} {_points(old)} → {_points(new)}: {_why(old, new)}"


def _points(exercise: ExerciseResult | None) -> str:
    return "none" if exercise is None else f"{exercise['points']:g}"


def _why(old: ExerciseResult | None, new: ExerciseResult | None) -> str:
    if old is None or new is None:
        return "the exercise is new" if old is None else "the exercise is gone"
    passed = ", ".join(in_words(prop) for prop in old["missed"] if prop in new["passed"])
    missed = ", ".join(in_words(prop) for prop in new["missed"] if prop not in old["missed"])
    reasons = [
        passed and f"passes now: {passed}",
        missed and f"misses now: {missed}",
        (new["note"] or f"before: {old['note']}") if old["note"] != new["note"] else "",
        missed and new["hint"],
    ]
    worth = f"worth {new['max_points']:g} now, {old['max_points']:g} before"
    return "; ".join(filter(None, reasons)) or worth

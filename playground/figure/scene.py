"""Combine the results of one moment into marks, readout and alt text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from playground.figure import style
from playground.figure.learner_function import NotWritten, Unusable
from playground.figure.marks import Mark, Path, Text
from playground.figure.parts import Part, Words
from playground.functions import Array

Data = Mapping[str, Any]
Frame = tuple[Data, str]
"""The new data of each part by name, and the readout."""


class Snapshot(NamedTuple):
    """The controls' values by label, and their frames; without yours, the problem."""

    values: Mapping[str, Any]
    yours: Frame | None
    target: Frame | None
    problem: Unusable | None = None


class View(NamedTuple):
    """A snapshot as marks, as lines of text, and as alt text; `right` if yours equals the target.

    Without a target, yours is right.
    """

    marks: list[Mark]
    readout: list[str]
    alt: str
    right: bool = False


def view(title: str, parts: Mapping[str, Part], now: Snapshot) -> View:
    """Draw a snapshot, and describe it in words."""
    right = now.yours is not None and (
        now.target is None or _agree(parts, now.yours[0], now.target[0])
    )
    lines = _readout(now, right)
    settings = [f"{label}: {_value(value)}" for label, value in now.values.items()]
    alt = " ".join([f"{title}.", *([f"{', '.join(settings)}."] if settings else []), *lines])
    return View(_marks(parts, now), lines, alt, right)


def _marks(parts: Mapping[str, Part], now: Snapshot) -> list[Mark]:
    """Return yours and the target's marks, the target's alone, or the problem's sentence."""
    yours, target = (frame[0] if frame else {} for frame in (now.yours, now.target))
    alone = isinstance(now.problem, NotWritten)
    if now.problem and not alone:
        veil = Path(
            _box(0, 0, style.WIDTH, style.HEIGHT), fill=style.CARD, opacity=0.85, closed=True
        )
        return [veil, *_notice(str(now.problem), style.HEIGHT / 2)]
    marks: list[Mark] = []
    for name, part in parts.items():
        if name in yours:
            marks += part.marks(yours[name], part.look)
        if name in target and (part.twin or alone):
            marks += part.marks(target[name], style.TARGET if part.twin else part.look)
    if alone:
        marks += _notice(f"{now.problem}{' Dashed is the target alone.' if target else ''}", 18)
    return marks


def _notice(sentence: str, y: float) -> list[Mark]:
    """Return a sentence in a box as wide as the figure, around height y."""
    lines = textwrap.wrap(sentence, 74)
    half = 0.7 * style.TEXT_PX * len(lines) + 8
    box = _box(1, y - half, style.WIDTH - 1, y + half)
    return [
        Path(box, style.MUTED, 1.0, fill=style.CARD, closed=True),
        Text(style.WIDTH / 2, y, "\n".join(lines)),
    ]


def _box(left: float, top: float, right: float, bottom: float) -> Array:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)


def _readout(now: Snapshot, right: bool) -> list[str]:
    """Return a line for yours and one for the target."""
    target = [f"Target: {now.target[1]}"] if now.target else []
    if now.yours is None:
        ending = " Fix it and run its cell again: this figure follows."
        if isinstance(now.problem, NotWritten):
            ending = " Here is the target alone." if target else ""
        return [f"{now.problem}{ending}", *target]
    if now.target is None:
        return [now.yours[1]]
    return [f"Yours: {now.yours[1]}", *(["The target is the same."] if right else target)]


def _agree(parts: Mapping[str, Part], yours: Data, target: Data) -> bool:
    """Return whether all data but words is the same both times."""
    if yours.keys() != target.keys():
        return False
    names = [name for name in yours if not isinstance(parts[name], Words)]
    a, b = (_flat([data[name] for name in names]) for data in (yours, target))
    return a.shape == b.shape and np.allclose(a, b, 1e-4, 1e-6, equal_nan=True)


def _flat(data: list[Any]) -> Array:
    """Join the numbers of all parts, whose data may be tuples, in one row."""
    arrays = [array for each in data for array in (each if isinstance(each, tuple) else (each,))]
    return np.concatenate([np.asarray(array, float).ravel() for array in arrays])


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return style.number(value) if isinstance(value, int | float) else str(value)

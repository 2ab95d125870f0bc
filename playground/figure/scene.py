"""Combine the results of one moment into marks, readout and alt text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np

from playground.figure import style
from playground.figure.learner_function import NotWritten, Unusable
from playground.figure.marks import Array, Mark, Path, Text
from playground.figure.parts import Part, Words

Data = Mapping[str, Any]
Frame = tuple[Data, str]
"""The new data of each part by name, and the readout."""


def compose(
    parts: Mapping[str, Part], yours: Frame | None, target: Frame | None, problem: Unusable | None
) -> list[Mark]:
    """The marks of a moment: yours over the target's, or the target's alone, or the sentence that says what is wrong."""
    if problem is None and yours is not None:
        return _beside(parts, yours[0], target[0] if target else {})
    if isinstance(problem, NotWritten):
        ending = " Dashed is the target alone." if target else ""
        return _alone(parts, target[0] if target else {}) + _notice(f"{problem}{ending}", 18)
    corners = np.array(
        [[0, 0], [style.WIDTH, 0], [style.WIDTH, style.HEIGHT], [0, style.HEIGHT]], float
    )
    veil = Path(corners, fill=style.CARD, opacity=0.85, closed=True)
    return [veil, *_notice(str(problem), style.HEIGHT / 2)]


def _beside(parts: Mapping[str, Part], yours: Data, target: Data) -> list[Mark]:
    marks: list[Mark] = []
    for name, part in parts.items():
        if name in yours:
            marks += part.marks(yours[name], part.look)
        if part.twin and name in target:
            marks += part.marks(target[name], style.TARGET)
    return marks


def _alone(parts: Mapping[str, Part], target: Data) -> list[Mark]:
    return [
        mark
        for name, part in parts.items()
        if name in target
        for mark in part.marks(target[name], style.TARGET if part.twin else part.look)
    ]


def _notice(sentence: str, y: float) -> list[Mark]:
    """A sentence in a box as wide as the figure, around height y."""
    lines = textwrap.wrap(sentence, 74)
    x = style.WIDTH / 2
    half_width, half_height = x - 1, 0.7 * style.TEXT_PX * len(lines) + 8
    box = np.array(
        [
            [-half_width, -half_height],
            [half_width, -half_height],
            [half_width, half_height],
            [-half_width, half_height],
        ]
    )
    return [
        Path(np.add(box, [x, y]), style.MUTED, 1.0, fill=style.CARD, closed=True),
        Text(x, y, "\n".join(lines)),
    ]


def readout(
    parts: Mapping[str, Part], yours: Frame | None, target: Frame | None, problem: Unusable | None
) -> list[str]:
    """The numbers of a moment in words, a line each for yours and for the target."""
    if yours is None:
        ending = (
            " Mend it and run its cell again: this figure follows."
            if not isinstance(problem, NotWritten)
            else ""
        )
        ending = (
            " Here is the target alone." if isinstance(problem, NotWritten) and target else ending
        )
        return [f"{problem}{ending}"] + ([f"Target: {target[1]}"] if target else [])
    if target is None:
        return [yours[1]]
    if _agree(parts, yours[0], target[0]):
        return [f"Yours: {yours[1]}", "The target is the same."]
    return [f"Yours: {yours[1]}", f"Target: {target[1]}"]


def _agree(parts: Mapping[str, Part], yours: Data, target: Data) -> bool:
    """Whether all that moves is the same both times."""
    names = [name for name, part in parts.items() if not isinstance(part, Words)]
    if any((name in yours) != (name in target) for name in names):
        return False
    a, b = (
        np.concatenate([each for name in names if name in data for each in _flat(data[name])])
        for data in (yours, target)
    )
    if a.shape != b.shape:
        return False
    close = np.abs(a - b) <= 1e-6 + 1e-4 * np.abs(b)
    return bool(np.all(close | (np.isnan(a) & np.isnan(b)) | (a == b)))


def _flat(data: Any) -> list[Array]:
    return [
        np.asarray(each, float).ravel() for each in (data if isinstance(data, tuple) else (data,))
    ]


def describe(title: str, controls: Mapping[str, Any], lines: list[str]) -> str:
    """Alt text: what the figure shows, where its controls stand, and its readout."""
    settings = [f"{label}: {_value(value)}" for label, value in controls.items()]
    return " ".join([f"{title}.", *([", ".join(settings) + "."] if settings else []), *lines])


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return style.number(value) if isinstance(value, int | float) else str(value)

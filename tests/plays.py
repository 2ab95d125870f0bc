"""Give tests every play of the course, and a notebook whose functions can be redefined."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any

from course import LESSONS, lesson
from playground import capstone
from playground.figure.live import LiveFigure
from playground.figure.pad import Ink, Pad
from playground.functions import Function, finished


def plays() -> Iterator[tuple[str, Function]]:
    for name in LESSONS:
        cells = "\n".join(cell.source for cell in lesson(name).notebook.cells)
        imports = re.findall(r"^from playground import (.+)", cells, re.MULTILINE)
        modules = [one.split()[0] for names in imports for one in names.split(",")]
        found = [vars(importlib.import_module(f"playground.{one}")).values() for one in modules]
        for play in chain.from_iterable(found):
            if (
                inspect.isfunction(play)
                and play.__module__.startswith("playground.")
                and play.__annotations__.get("return") == "LiveFigure"
                and play.__name__[0] != "_"
                and {*inspect.signature(play).parameters} - {"after"}  # the learner's functions
            ):
                yield name, play


PLAYS = {f"{name} {play.__name__}": (name, play) for name, play in plays()}


class Notebook:
    """A notebook with one play in it, whose functions can be redefined."""

    def __init__(self, title: str) -> None:
        name, play = PLAYS[title]
        parts = [part for part in inspect.signature(play).parameters if part != "after"]
        if parts[:1] == ["mine"]:
            parts = [*capstone.FUNCTIONS] if "functions" in parts else parts[1:]
            play = partial(play, finished)
        self.names: dict[str, Any] = {"answers": {}}
        self.right = {part: lesson(name).reference[part] for part in parts}
        for part in self.right:
            self.define(part, self.right[part])
        self.play: LiveFigure = play(*(self.names[part] for part in parts))
        assert self.play.widget

    def define(self, part: str, function: Function) -> None:
        self.names["answers"][part] = function
        exec(
            f"def {part}(*inputs, answer=answers[{part!r}]):\n    return answer(*inputs)",
            self.names,
        )

    def reads(self) -> list[str]:
        """Return all readouts: for each option of a choice and the upper end of each slider."""
        self.play.refresh()
        said = [*self.play.readout]
        for control in self.play.controls.values():
            before = control.value
            last = Ink([(0, 0), (1, 1)]) if isinstance(control, Pad) else True
            for value in getattr(control, "options", None) or [getattr(control, "max", last)]:
                control.value = value
                said += self.play.readout
                assert self.play.svg.startswith("<svg")
            control.value = before
        return said

"""Offer the lines of a solution in a wrong order (a Parsons problem), as the last help."""

from __future__ import annotations

import ast
import random
from collections import Counter
from collections.abc import Callable
from html import escape
from typing import Any

from grader.learner.at_work import after_cell, display_alone

AFTER = 3
"""Failed checks of an exercise, in one session, after which its puzzle is offered."""

STYLE = """<style>
.puzzle-still{display:none}
.puzzle select{font-family:var(--jp-code-font-family,monospace);height:auto;overflow:auto}
.puzzle [role=status]{font-family:var(--jp-ui-font-family,sans-serif)}
</style>"""
STILL = """<style>
.jp-OutputArea-child:has(.puzzle-still)+.jp-OutputArea-child:not(:has(.puzzle)){display:none}
</style><div class="puzzle-still">Run this cell for help with the order of the lines.</div>"""
"""What is left of the offer without a kernel."""

_failed: Counter[str] = Counter()
"""By exercise, failed checks since the kernel started or it was solved. Module state because
`check` is a plain function."""


class Puzzle:
    """The lines of a solution below its head, in an order that the learner changes.

    Attributes:
        lines: in the present order.
    """

    def __init__(self, solution: list[str], solves: Callable[[str], bool]) -> None:
        """Mix the lines of a solution; `solves` says whether a function's source is right."""
        self.head, *self._right = solution
        self._solves = solves
        self.lines = list(self._right)
        shuffle = random.Random(self.head).shuffle
        while self.lines == self._right:
            shuffle(self.lines)

    def move(self, at: int, by: int) -> int:
        """Move the line at a position; return its new position."""
        to = min(max(at + by, 0), len(self.lines) - 1)
        self.lines.insert(to, self.lines.pop(at))
        return to

    def reply(self) -> str:
        """Say whether the order is right, or what is wrong first."""
        if self.lines == self._right or self._solves("\n".join([self.head, *self.lines])):
            return "✓ In this order they solve it. Now write it in your cell, in your own words."
        if early := self._early():
            return f"✗ Line {early[0]} uses {early[1]}, but only a later line gives it a value."
        pairs = zip(self.lines, self._right, strict=True)
        wrong = next(number for number, (mine, right) in enumerate(pairs, 1) if mine != right)
        return f"✗ Line {wrong} is not in its place yet; those above it are."

    def _early(self) -> tuple[int, str] | None:
        """Return the first line, from 1, that uses a name which only a later line gives."""
        _, known = _names(self.head)
        names = [_names(line) for line in self.lines]
        for number, (uses, gives) in enumerate(names, 1):
            later = set().union(*(given for _, given in names[number:]))
            if early := (uses & later) - known - gives:
                return number, min(early)
            known |= gives
        return None

    def widget(self) -> Any:
        """Return a list of the lines, buttons that move the chosen one, and the reply."""
        import ipywidgets as widgets

        wide, fits = widgets.Layout(width="auto"), {"width": "max-content"}
        shown = widgets.Select(description="lines", rows=len(self.lines), layout=wide)
        head, reply = widgets.HTML(f"{STYLE}<code>{escape(self.head)}</code>"), widgets.HTML()
        up, down = (
            widgets.Button(description=f"Move {way}", layout=fits) for way in ("up", "down")
        )
        look = widgets.Button(description="Check the order", layout=fits)

        def show(at: int) -> None:
            shown.options = [
                (line.replace(" ", "\N{NO-BREAK SPACE}"), place)
                for place, line in enumerate(self.lines)
            ]
            shown.index = at
            reply.value = ""

        def answer(_: Any) -> None:
            reply.value = f'<div role="status">{escape(self.reply())}</div>'

        up.on_click(lambda _: show(self.move(shown.index, -1)))
        down.on_click(lambda _: show(self.move(shown.index, 1)))
        look.on_click(answer)
        show(0)
        box = widgets.VBox([head, shown, widgets.HBox([up, down, look]), reply])
        box.add_class("puzzle")
        return box


def offer(exercise: str, failed: bool, puzzle: Callable[[], Puzzle]) -> None:
    """Count a check; after `AFTER` failed ones, show a button for the puzzle below the verdict."""
    from IPython.core.getipython import get_ipython

    _failed[exercise] = _failed[exercise] + 1 if failed else 0
    if _failed[exercise] < AFTER or not hasattr(get_ipython(), "kernel"):
        return
    import ipywidgets as widgets
    from IPython.display import display

    words = "Still stuck? Put the lines of a solution in order"
    button = widgets.Button(description=words, layout={"width": "max-content"})
    box = widgets.VBox([button, widgets.HTML(STYLE)])
    box.add_class("puzzle")
    button.on_click(lambda _: setattr(box, "children", [puzzle().widget()]))

    def show() -> None:
        display({"text/html": STILL, "text/plain": ""}, raw=True)
        display_alone(box)

    after_cell(show)


def _names(line: str) -> tuple[set[str], set[str]]:
    """Return the names that a line uses, and those that it gives; a block's start is completed."""
    text = line.strip() + (" pass" if line.endswith(":") else "")
    for start in ("", "if x: pass\n", "try: pass\n"):  # for else and except
        try:
            nodes = [*ast.walk(ast.parse(start + text))]
        except SyntaxError:
            continue
        found = [node for node in nodes if isinstance(node, ast.Name)]
        uses = {node.id for node in found if isinstance(node.ctx, ast.Load)}
        gives = {node.id for node in found if isinstance(node.ctx, ast.Store)}
        gives |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        return uses, gives | {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    return set(), set()

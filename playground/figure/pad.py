"""A pad of 8×8 cells to draw on, made of ipywidgets' own toggle buttons.

A cell is a button, so it can always be clicked. An inline handler adds what buttons lack: a pressed
pointer (mouse, pen or finger) inks the cells that it passes, or cleans them if it began on an inked
one, and arrow keys move from cell to cell. Where a page forbids inline handlers, clicks remain.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import ipywidgets as widgets
import traitlets
from ipywidgets.widgets.widget_bool import ToggleButtonStyle

from playground.figure import style
from playground.figure.style import themed

SIDE, CELL = 8, 34
"""Cells in a row, and a cell's size in CSS pixels: large enough for a finger."""

CELLS = ".playground-cells > button"
STYLE = f"""
.playground .playground-cells {{touch-action:none; user-select:none; margin:0; gap:0;
  overflow:visible; width:max-content; border:1px solid {themed(style.MUTED)}}}
.playground {CELLS} {{width:{CELL}px; height:{CELL}px; margin:0; padding:0; font-size:0;
  background:{themed(style.CARD)}; border:1px solid {themed(style.GRID)}; border-radius:0;
  box-shadow:none}}
.playground {CELLS}.mod-active {{
  background:{themed(style.INK)}; border-color:{themed(style.MUTED)}}}
.playground {CELLS}:focus-visible {{outline:3px solid {style.VERMILLION}; outline-offset:-3px}}
"""
# Clicks of a pointer (which have a detail) are stopped: the pointer's own events have inked.
HANDLER = f"""
const pad = this.closest('.playground-pad');
const cells = () => [...pad.querySelectorAll('{CELLS}')];
const under = (x, y) => cells().find(cell => cell === document.elementFromPoint(x, y));
const inked = cell => cell.classList.contains('mod-active');
let from, erase;
const ink = cell => {{
  if (!cell) return;
  if (inked(cell) === erase) cell.click();
  cell.focus({{preventScroll: true}});
}};
const visit = cell => {{
  for (const one of cells()) one.tabIndex = one === cell ? 0 : -1;
}};
pad.onpointerdown = event => {{
  if (event.button) return;
  const cell = under(event.clientX, event.clientY);
  from = [event.clientX, event.clientY];
  erase = cell && inked(cell);
  ink(cell);
}};
pad.onpointermove = event => {{
  if (!(event.buttons &amp; 1) || !from) return;
  const to = [event.clientX, event.clientY], [x, y] = from, [dx, dy] = [to[0] - x, to[1] - y];
  const n = Math.ceil(Math.hypot(dx, dy) / {CELL // 4});
  for (let i = 1; i &lt;= n; i++) ink(under(x + dx * i / n, y + dy * i / n));
  from = to;
}};
pad.onpointerup = pad.onpointercancel = () => {{ from = null; }};
pad.addEventListener('click', event => {{
  if (event.detail &amp;&amp; cells().includes(event.target)) event.stopPropagation();
}}, true);
const seen = event => cells().includes(event.target) &amp;&amp; visit(event.target);
pad.addEventListener('focusin', seen);
pad.onclick = seen;
pad.onkeydown = event => {{
  const all = cells(), at = all.indexOf(event.target);
  const [across, down] = {{ArrowLeft: [-1, 0], ArrowRight: [1, 0],
    ArrowUp: [0, -1], ArrowDown: [0, 1]}}[event.key] ?? [0, 0];
  if (at &lt; 0 || !(across || down)) return;
  event.preventDefault();
  const column = at % {SIDE} + across, row = Math.floor(at / {SIDE}) + down;
  if (column >= 0 &amp;&amp; column &lt; {SIDE}) all[row * {SIDE} + column]?.focus();
}};
"""


class Ink(frozenset[tuple[int, int]]):
    """The inked cells of a pad, each as its row and column."""

    def __str__(self) -> str:
        return f"{len(self)} of {SIDE * SIDE} cells inked"


class Pad(traitlets.HasTraits):
    """A drawing, which changes with its cells, and changes them when it is set."""

    value = traitlets.Instance(Ink, ())

    def __init__(self, description: str, value: Iterable[tuple[int, int]] = ()) -> None:
        super().__init__()
        self.description, self._setting = description, False
        look = {"layout": widgets.Layout(), "style": ToggleButtonStyle()}  # one for all
        places = [(row, column) for row in range(SIDE) for column in range(SIDE)]
        self.cells = {
            (row, column): widgets.ToggleButton(
                description=f"row {row + 1}, column {column + 1}", tooltip="", **look
            )
            for row, column in places
        }
        for cell in self.cells.values():
            cell.observe(self._read, names="value")
        self.observe(self._write, names="value")
        self.widget = self._widget()
        self.value = Ink(value)

    def _widget(self) -> widgets.VBox:
        """Return the cells with their handler and a button that clears them."""
        columns = widgets.Layout(grid_template_columns=f"repeat({SIDE}, {CELL}px)")
        grid = widgets.GridBox([*self.cells.values()], layout=columns)
        grid.add_class("playground-cells")
        once = f'<style onload="{HANDLER.replace(chr(10), " ")}">{STYLE}</style>'
        clear = widgets.Button(description="clear")
        clear.on_click(lambda _: setattr(self, "value", Ink()))
        place = widgets.Layout(grid_area="1 / 1 / span 5 / 2", overflow="visible")
        pad = widgets.VBox(
            [widgets.HTML(f"{escape(self.description)}{once}"), grid, clear], layout=place
        )
        pad.add_class("playground-pad")
        return pad

    def _read(self, _: Any) -> None:
        if not self._setting:
            self.value = Ink(place for place, cell in self.cells.items() if cell.value)

    def _write(self, _: Any) -> None:
        self._setting = True
        for place, cell in self.cells.items():
            cell.value = place in self.value
        self._setting = False

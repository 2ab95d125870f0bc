"""Declare a figure's axes, moving parts and controls."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
from traitlets import CFloat, CInt

from playground.figure import style
from playground.figure.pad import Pad
from playground.figure.parts import Arrow, Bars, Heat, Line, Part, Points, Words
from playground.figure.still import Panel, Still, still

FloatSlider, IntSlider, FloatLogSlider = (
    type(kind.__name__, (kind,), {"value": trait.tag(sync=True, echo_update=False)})
    for kind, trait in (
        (widgets.FloatSlider, CFloat(0.0)),
        (widgets.IntSlider, CInt(0)),
        (widgets.FloatLogSlider, CFloat(1.0)),
    )
)
"""Sliders whose values the kernel doesn't echo to other browsers: a quarter fewer messages."""


class Canvas:
    """The declaration of a play: its axes, its moving parts and its controls."""

    still: Still
    """The still layer, as soon as the figure is frozen."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.panels: list[Panel] = []
        self.parts: dict[str, Part] = {}
        self.controls: dict[str, widgets.ValueWidget] = {}
        self.panel: list[widgets.DOMWidget] = []
        self._guess_along = ""
        self._grip: tuple[str, Panel, str] | None = None

    def axes(self, place: Any = 111, **settings: Any) -> Panel:
        """Add axes at a place such as 121 or of a `Grid`, with settings (xlabel, xlim, …)."""
        ax = self._panel(Panel(place))
        ax.set(**settings)
        return ax

    def line(self, name: str, ax: Panel, look: style.Look = style.YOURS, **options: Any) -> None:
        """Add a part with data (x, y)."""
        self.parts[name] = Line(ax, look, **options)

    def points(self, name: str, ax: Panel, look: style.Look = style.YOURS, **options: Any) -> None:
        """Add a part with data (x, y), drawn as markers."""
        self.parts[name] = Points(ax, look, **options)

    def bars(self, name: str, ax: Panel, look: style.Look = style.YOURS, **options: Any) -> None:
        """Add a part with data (x, top) or (x, bottom, top)."""
        self.parts[name] = Bars(ax, look, **options)

    def heat(
        self, name: str, ax: Panel, extent: tuple[float, ...], bar: str = "", **options: Any
    ) -> None:
        """Add a part with data values (rows, columns), see `Heat`; `bar` labels a colour bar."""
        scale = None
        ax.grid(visible=False)  # it would be seen through the colours
        if bar:
            scale = self._panel(Panel(None, owner=ax))
            scale.set_ylabel(bar)
        self.parts[name] = Heat(ax, extent=extent, scale=scale, **options)

    def arrow(self, name: str, ax: Panel, look: style.Look = style.YOURS, **options: Any) -> None:
        """Add a part with data (x, y, x_tip, y_tip)."""
        self.parts[name] = Arrow(ax, look, **options)

    def words(self, name: str, ax: Panel, **options: Any) -> None:
        """Add a part with data (x, y, words), or a list of them."""
        self.parts[name] = Words(ax, **options)

    def slider(
        self, name: str, label: str, low: float, high: float, value: float, step: float = 0.1
    ) -> None:
        """Add a slider; `move` gets a float, or an int if all these numbers are whole."""
        numbers = low, high, value, step
        whole = all(float(number).is_integer() for number in numbers)
        kind = IntSlider if whole else FloatSlider
        low, high, value, step = map(int if whole else float, numbers)
        self._control(name, kind(value, min=low, max=high, step=step, description=label))

    def log_slider(
        self, name: str, label: str, low: float, high: float, value: float, step: float = 0.05
    ) -> None:
        """Add a slider from 10**low to 10**high on a logarithmic scale; `move` gets a float."""
        slider = FloatLogSlider(value, min=low, max=high, step=step, description=label)
        self._control(name, slider)

    def grip(self, name: str, ax: Panel, along: str) -> None:
        """Let the picture be dragged along x or y in place of the slider of that name."""
        self._grip = name, ax, along

    def gripped(self) -> tuple[str, str, float, float] | None:
        """Return the slider's label, x or y, and the pixels of its lowest and highest value."""
        if self._grip is None:
            return None
        name, ax, along = self._grip
        slider: Any = self.controls[name]
        ends = [slider.min, slider.max]
        low, high = ax.geometry.pixels(ends, ends)[:, "xy".index(along)]
        return slider.description, along, float(low), float(high)

    def switch(self, name: str, label: str, value: bool) -> None:
        """Add a checkbox; `move` gets a bool."""
        self._control(name, widgets.Checkbox(value, description=label, indent=False))

    def choice(self, name: str, label: str, options: list[str]) -> None:
        """Add toggle buttons, the first one pressed; `move` gets the label of the pressed one."""
        self._control(name, widgets.ToggleButtons(options=options, description=label))

    def button(self, name: str, label: str) -> None:
        """Add a button; `move` gets the number of presses."""
        button, count = widgets.Button(description=label), widgets.IntText(0, description=label)
        button.on_click(lambda _: setattr(count, "value", count.value + 1))
        self._control(name, count, button)

    def field(self, name: str, label: str, value: float) -> None:
        """Add a field for a number; `move` gets a float."""
        self._control(name, widgets.FloatText(value, description=label))

    def guess(self, ax: Panel, along: str = "y") -> None:
        """Draw the number that the learner guessed as a horizontal line, or a vertical one."""
        look = style.Look(style.BLACK, (2, 3), width=2)
        self.line("guess", ax, look, twin=False, label="your guess")
        self._guess_along = along

    def guessed(self, number: float) -> tuple[Any, Any]:
        """Return the data of the line at the learner's guess; beyond the axes, at their edge."""
        ends = self.parts["guess"].ax.geometry
        low, high = ends.y if self._guess_along == "y" else ends.x
        level = (min(max(number, low), high),) * 2
        return (ends.x, level) if self._guess_along == "y" else (level, ends.y)

    def pad(self, name: str, label: str) -> None:
        """Add a pad to draw on; `move` gets its `Ink`."""
        pad = Pad(label)
        self._control(name, pad, pad.widget)

    def values(self) -> dict[str, Any]:
        """Return the controls' values by name."""
        return {name: control.value for name, control in self.controls.items()}

    def freeze(self, with_target: bool) -> None:
        """Fix the layout, with a legend: from now on only the parts move."""
        keys = [key for part in self.parts.values() for key in part.legend(with_target)]
        self.still = still(self.title, self.panels, keys)
        for panel, geometry in zip(self.panels, self.still.axes, strict=True):
            panel.geometry = geometry

    def _panel(self, panel: Panel) -> Panel:
        self.panels.append(panel)
        return panel

    def _control(self, name: str, control: Any, shown: Any = None) -> None:
        self.controls[name] = control
        self.panel.append(shown or control)

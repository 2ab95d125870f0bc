"""Declare a figure's axes, moving parts and controls, and draw its still layer."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from typing import Any

import ipywidgets as widgets
import matplotlib
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from traitlets import CFloat, CInt

from playground.figure import style
from playground.figure.marks import DIVERGING
from playground.figure.parts import Arrow, Bars, Heat, Line, Part, Points, Words

SILENT = {"sync": True, "echo_update": False}
"""A kernel sends each value that it gets back to the browser, for other browsers on the same kernel: a quarter of a move's messages."""


class FloatSlider(widgets.FloatSlider):  # type: ignore[misc]
    """A slider that the kernel follows without sending its values back."""

    value = CFloat(0.0).tag(**SILENT)


class IntSlider(widgets.IntSlider):  # type: ignore[misc]
    """The same for whole numbers."""

    value = CInt(0).tag(**SILENT)


class FloatLogSlider(widgets.FloatLogSlider):  # type: ignore[misc]
    """The same on a logarithmic scale."""

    value = CFloat(1.0).tag(**SILENT)


class Canvas:
    """What a play declares: what stands still, what moves, and by what it is moved."""

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self.controls: dict[str, widgets.ValueWidget] = {}
        self.labels: dict[str, str] = {}
        self.panel: list[widgets.DOMWidget] = []
        size = style.WIDTH / 100, style.HEIGHT / 100
        with _settings():
            self.figure = Figure(size, dpi=100 * style.SHARPNESS, layout="constrained")

    def axes(self, place: Any = 111, **settings: Any) -> Axes:
        """New axes at a subplot place such as 111 or 121, with matplotlib's own settings (xlabel, xlim, yscale, …)."""
        with _settings():
            ax: Axes = self.figure.add_subplot(place)
            ax.set(**settings)
        return ax

    def line(self, name: str, ax: Axes, look: style.Look = style.YOURS, **options: Any) -> None:
        """A part with data (x, y)."""
        self.parts[name] = Line(ax, look, **options)

    def points(self, name: str, ax: Axes, look: style.Look = style.YOURS, **options: Any) -> None:
        """A part with data (x, y), a marker each."""
        self.parts[name] = Points(ax, look, **options)

    def bars(self, name: str, ax: Axes, look: style.Look = style.YOURS, **options: Any) -> None:
        """A part with data (x, top) or (x, bottom, top)."""
        self.parts[name] = Bars(ax, look, **options)

    def heat(
        self,
        name: str,
        ax: Axes,
        extent: tuple[float, float, float, float],
        bar: str = "",
        **options: Any,
    ) -> None:
        """A part with data values (rows, columns) or (values, low, high), over extent (left, right, bottom, top).

        With `smooth=False`, each value stays a pixel. With `bar`, a colour bar of that name stands beside the axes; its numbers follow low and high.
        """
        scale = self._color_bar(ax, bar) if bar else None
        self.parts[name] = Heat(ax, extent=extent, scale=scale, **options)

    def arrow(self, name: str, ax: Axes, look: style.Look = style.YOURS, **options: Any) -> None:
        """A part with data (x, y, x_tip, y_tip)."""
        self.parts[name] = Arrow(ax, look, **options)

    def words(self, name: str, ax: Axes, **options: Any) -> None:
        """A part with data (x, y, words), or a list of such."""
        self.parts[name] = Words(ax, **options)

    def slider(
        self, name: str, label: str, low: float, high: float, value: float, step: float = 0.1
    ) -> None:
        """A slider; its value reaches `move` as a float, or as an int where its steps are whole numbers."""
        whole = all(float(number).is_integer() for number in (low, high, value, step))
        kind, numbers = (IntSlider, int) if whole else (FloatSlider, float)
        low, high, value, step = map(numbers, (low, high, value, step))
        self._control(name, label, kind(value, min=low, max=high, step=step, description=label))

    def log_slider(
        self, name: str, label: str, low: float, high: float, value: float, step: float = 0.05
    ) -> None:
        """A slider on a logarithmic scale from 10**low to 10**high; its value reaches `move` as a float."""
        self._control(
            name, label, FloatLogSlider(value, min=low, max=high, step=step, description=label)
        )

    def switch(self, name: str, label: str, value: bool) -> None:
        """A box to tick; its value reaches `move` as a bool."""
        self._control(name, label, widgets.Checkbox(value, description=label, indent=False))

    def choice(self, name: str, label: str, options: list[str]) -> None:
        """Buttons of which one is pressed, the first at the start; its words reach `move`."""
        self._control(name, label, widgets.ToggleButtons(options=options, description=label))

    def button(self, name: str, label: str) -> None:
        """A button; how often it was pressed reaches `move` as an int."""
        count, button = widgets.IntText(0), widgets.Button(description=label)
        button.on_click(lambda _: setattr(count, "value", count.value + 1))
        self._control(name, label, count, button)

    def values(self) -> dict[str, Any]:
        """What the controls stand at, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def png(self) -> bytes:
        """The figure as it is, `style.SHARPNESS` pixels to a CSS pixel."""
        file = io.BytesIO()
        self.figure.savefig(file, format="png")
        return file.getvalue()

    def freeze(self, with_target: bool) -> None:
        """Add the legend and settle the layout once: from here on nothing moves but the parts."""
        for before in self.figure.legends:  # from a time that was interrupted
            before.remove()
        with _settings():
            keys = [
                (part.key(look), label)
                for part in self.parts.values()
                for label, look in _legend(part, with_target)
            ]
            if keys:
                artists, labels = zip(*keys, strict=True)
                self.figure.legend(artists, labels, loc="outside upper center", ncols=len(keys))
            self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")

    def _control(self, name: str, label: str, control: Any, shown: Any = None) -> None:
        self.controls[name], self.labels[name] = control, label
        self.panel.append(shown or control)

    def _color_bar(self, ax: Axes, label: str) -> Axes:
        with _settings():
            bar = self.figure.colorbar(ScalarMappable(cmap=DIVERGING), ax=ax, label=label)
            # Invisible numbers keep the room in which the moving ones are written.
            bar.set_ticks([0, 0.5, 1], labels=["−0.00"] * 3, color=style.CARD)
        return bar.ax


def _settings() -> AbstractContextManager[None]:
    return matplotlib.rc_context(style.SETTINGS)  # type: ignore[arg-type]  # its keys are a literal type that changes with the version


def _legend(part: Part, with_target: bool) -> list[tuple[str, style.Look]]:
    if not part.label:
        return []
    if not part.twin:
        return [(part.label, part.look)]
    return [(f"your {part.label}", part.look)] + [
        (f"target {part.label}", style.TARGET)
    ] * with_target

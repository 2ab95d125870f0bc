"""Sliders and one function from their values to data come in; a figure that follows the sliders goes out.

matplotlib draws once what stands still. What moves lies over it as SVG, placed by matplotlib's own transforms, so that a move
costs the kernel about a millisecond and the picture still looks like matplotlib. Only core ipywidgets are used.
"""

from __future__ import annotations

import io
import threading
import weakref
import zlib
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import ipywidgets as widgets
import matplotlib
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from playground import page, scene, style
from playground.learner import Followed, Function, Unusable, Watched, hushed
from playground.marks import DIVERGING, Mark
from playground.parts import Arrow, Bars, Heat, Line, Part, Points, Words
from playground.scene import Frame

Move = Callable[..., Frame]

_one_at_a_time = threading.RLock()


class LiveFigure:
    """A play: controls, a figure and a readout, driven by the learner's own functions and by the finished ones.

    `move(f, **values)` gets the functions as `f.name` and the controls' values by name. It returns the new data of each part
    by name, and the readout. It is called twice a move: with the learner's functions, and with those of the same names in
    `playground.finished`, whose data is drawn dashed for every part that is a `twin`. Declare the parts and the controls
    first; the figure is drawn when it is first looked at. As the last expression of a cell it shows itself once.

    Args:
        title: what the figure shows, as its alt text begins.
        move: see above. It runs on a kernel thread of its own: no pyplot in it.
        functions: the learner's functions by the lesson's names; None stands for one that has yet to be defined.
        after: an object with `answered` and `on_answer(callback)`; the play stays covered until it is answered.
    """

    def __init__(
        self, title: str, move: Move, functions: Mapping[str, Function | None] | None = None, after: Any = None
    ) -> None:
        self.title = title
        self.controls: dict[str, widgets.ValueWidget] = {}
        self.parts: dict[str, Part] = {}
        size = style.WIDTH / 100, style.HEIGHT / 100
        with matplotlib.rc_context(style.SETTINGS):
            self.figure = Figure(size, dpi=100 * style.SHARPNESS, layout="constrained")
        self._move, self._after = move, after
        self._learner = {name: Followed(name, function) for name, function in (functions or {}).items()}
        self._finished = _finished(self._learner)
        self._labels: dict[str, str] = {}
        self._shown: list[widgets.DOMWidget] = []
        self._marks: list[Mark] = []
        self._readout: list[str] = []
        self._alt = ""
        self._drawn = False
        self._moving: widgets.HTML | None = None
        self._root: widgets.VBox | None = None

    # Declared by a play: what stands still, what moves, and by what.

    def axes(self, place: Any = 111, **settings: Any) -> Axes:
        """New axes at a subplot place such as 111 or 121, with matplotlib's own settings (xlabel, xlim, yscale, …)."""
        with matplotlib.rc_context(style.SETTINGS):
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
        self, name: str, ax: Axes, extent: tuple[float, float, float, float], bar: str = "", **options: Any
    ) -> None:
        """A part with data values (rows, columns) or (values, low, high), over extent (left, right, bottom, top).

        With `bar`, a colour bar of that name stands beside the axes; its numbers follow low and high.
        """
        scale = self._color_bar(ax, bar) if bar else None
        self.parts[name] = Heat(ax, extent=extent, scale=scale, **options)

    def arrow(self, name: str, ax: Axes, look: style.Look = style.YOURS, **options: Any) -> None:
        """A part with data (x, y, x_tip, y_tip)."""
        self.parts[name] = Arrow(ax, look, **options)

    def words(self, name: str, ax: Axes, **options: Any) -> None:
        """A part with data (x, y, words), or a list of such."""
        self.parts[name] = Words(ax, **options)

    def slider(self, name: str, label: str, low: float, high: float, value: float, step: float = 0.1) -> None:
        """A slider; its value reaches `move` as a float."""
        self._control(name, label, widgets.FloatSlider(value, min=low, max=high, step=step, description=label))

    def log_slider(self, name: str, label: str, low: float, high: float, value: float, step: float = 0.05) -> None:
        """A slider on a logarithmic scale from 10**low to 10**high; its value reaches `move` as a float."""
        self._control(name, label, widgets.FloatLogSlider(value, min=low, max=high, step=step, description=label))

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

    def _color_bar(self, ax: Axes, label: str) -> Axes:
        with matplotlib.rc_context(style.SETTINGS):
            bar = self.figure.colorbar(ScalarMappable(cmap=DIVERGING), ax=ax, label=label)
            # Invisible numbers keep the room in which the moving ones are written.
            bar.set_ticks([0, 0.5, 1], labels=["−0.00"] * 3, color=style.CARD)
        return bar.ax

    def _control(self, name: str, label: str, control: Any, shown: Any = None) -> None:
        control.observe(lambda _: self.refresh(), names="value")
        self.controls[name], self._labels[name] = control, label
        self._shown.append(shown or control)

    # Looked at by a reader.

    @property
    def widget(self) -> widgets.VBox:
        """The live figure, or the sentence that covers it as long as its prediction isn't answered."""
        if self._root is None:
            self._draw_still()
            self.refresh()
            self._root = widgets.VBox(layout=widgets.Layout(overflow="visible"))
            self._root.add_class("playground")
            self._arrange()
            if self._locked:
                self._after.on_answer(self._arrange)
            _keep(self)
        return self._root

    @property
    def svg(self) -> str:
        """The moving layer at the controls' present values."""
        assert self.widget
        return page.layer(self._marks, self._alt)

    @property
    def readout(self) -> list[str]:
        """What stands under the figure now: a line for yours, one for the target."""
        assert self.widget
        return self._readout

    @property
    def alt(self) -> str:
        """The figure in words, at the controls' present values."""
        assert self.widget
        return self._alt

    def still(self) -> bytes:
        """Both layers in one PNG, at the controls' present values."""
        assert self.widget
        artists = [artist for mark in self._marks for artist in mark.draw(self.figure)]
        for order, artist in enumerate(artists):
            artist.set_zorder(100 + order)  # over all that stands still, as the moving layer lies in a browser
        try:
            return self._png()
        finally:
            for artist in artists:
                artist.remove()

    def refresh(self) -> None:
        """Compute and show the moving parts, for the controls' present values and the functions as they are now."""
        if not self._drawn:
            return
        with _one_at_a_time, hushed():
            for function in self._learner.values():
                function.look_up()
            values = {name: control.value for name, control in self.controls.items()}
            target = None if self._finished is None else self._move(self._finished, **values)
            yours, problem = self._try(values)
            self._marks = scene.compose(self.parts, yours, target, problem)
            self._readout = scene.readout(self.parts, yours, target, problem)
            labelled = {self._labels[name]: value for name, value in values.items()}
            self._alt = scene.describe(self.title, labelled, self._readout)
            if self._moving is not None:
                self._moving.value = page.moving(page.layer(self._marks, self._alt), self._readout)

    def follow(self) -> None:
        """Refresh if a cell has given one of the functions a new definition."""
        if any([function.look_up() for function in self._learner.values()]):
            self.refresh()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        live = {page.WIDGET: {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}}
        says = f"Live figure; without a running kernel, this is its picture: {self.title}."
        display({**live, "text/plain": says}, raw=True)
        picture = page.still(self.still(), self.alt, self._name)
        display({"text/html": picture, "text/plain": self.alt}, raw=True)

    def __repr__(self) -> str:
        return f"<LiveFigure: {self.title}>"

    # How it is done.

    @property
    def _locked(self) -> bool:
        return self._after is not None and not self._after.answered

    @property
    def _name(self) -> str:
        """The same on every machine, so that stored outputs can be compared."""
        return f"{zlib.crc32(self.title.encode()):08x}"

    def _try(self, values: Mapping[str, Any]) -> tuple[Frame | None, Unusable | None]:
        try:
            return self._move(SimpleNamespace(**self._learner), **values), None
        except Unusable as problem:
            return None, problem

    def _arrange(self, *_: Any) -> None:
        """Put the play, or its cover, into place."""
        assert self._root is not None
        hide = page.html(page.hide_still(self._name))
        if self._locked:
            self._root.children = (hide, page.html(page.cover()))
            return
        self._moving = page.html(page.moving(page.layer(self._marks, self._alt), self._readout))
        still = page.html(page.picture(self._png()))
        self._root.children = (hide, page.control_panel(self._shown), page.stack(still, self._moving))

    def _draw_still(self) -> None:
        """Draw what stands still, then freeze the layout: from here on nothing moves but the parts."""
        with matplotlib.rc_context(style.SETTINGS):
            keys = [(part.key(look), words) for part in self.parts.values() for words, look in self._legend(part)]
            if keys:
                artists, labels = zip(*keys, strict=True)
                self.figure.legend(artists, labels, loc="outside upper center", ncols=len(keys))
            self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")
        self._drawn = True

    def _legend(self, part: Part) -> list[tuple[str, style.Look]]:
        if not part.label:
            return []
        if not part.twin:
            return [(part.label, part.look)]
        target = [(f"target {part.label}", style.TARGET)] if self._finished else []
        return [(f"your {part.label}", part.look), *target]

    def _png(self) -> bytes:
        file = io.BytesIO()
        self.figure.savefig(file, format="png")
        return file.getvalue()


def _finished(learner: Mapping[str, Followed]) -> SimpleNamespace | None:
    """The finished functions of the same names; None where there are none, as in the sandbox of a grading run."""
    if not learner:
        return None
    try:
        from playground import finished
    except ImportError:
        return None
    return SimpleNamespace(**{name: Watched(name, getattr(finished, name), whole=True) for name in learner})


_newest: weakref.WeakValueDictionary[str, LiveFigure] = weakref.WeakValueDictionary()


def _keep(play: LiveFigure) -> None:
    """Let the newest play of each title follow the notebook's cells; an older one follows at its next move."""
    from IPython.core.getipython import get_ipython

    if (shell := get_ipython()) is not None:  # registering the same function twice counts once
        shell.events.register("post_run_cell", _after_cell)
    _newest[play.title] = play


def _after_cell(_: Any) -> None:
    for play in list(_newest.values()):
        play.follow()

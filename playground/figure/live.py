"""A figure that follows its sliders, driven by one function from values to data.

The still layer is drawn once. The moving parts lie over it as SVG, in the places of its axes, so
that a move costs the kernel about a millisecond. A slider's move is answered in four steps:
`refresh` takes the values and the current functions, `_snapshots` computes, `_show` draws, and
`_later` continues a long move when the slider rests and it is the figure's turn. All of it runs on
the kernel's main thread, where ■ interrupts it.
"""

from __future__ import annotations

import asyncio
import math
import signal
import threading
import time
import weakref
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, MutableSet
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import ipywidgets as widgets
from IPython.core.getipython import get_ipython
from IPython.display import display

from playground.figure import page, scene
from playground.figure.canvas import Canvas
from playground.figure.learner_function import (
    ReboundFunction,
    Unusable,
    describe,
    finished_functions,
    silenced,
)
from playground.figure.scene import Frame, Snapshot, View
from playground.figure.style import number
from playground.figure.turns import Turns, turns
from playground.functions import Function

Move = Callable[..., Frame | Iterator[Frame]]

Mission = Callable[[Any, Mapping[str, Any]], object]
"""Judge the controls' values, as attributes, and the parts' data: true if the goal is reached."""

_reached: MutableSet[str] = set()
"""The words of all missions that the learner has reached, for all figures; see `keep`."""

_lock = threading.RLock()
"""One for all figures, as they share trainings. Only needed in front ends with subshells."""


class LiveFigure(Canvas):
    """A play: controls, a figure and a readout, driven by the learner's functions.

    `move(f, **values)` gets the functions as `f.name` and the controls' values by name. It returns
    the new data of each part by name, and the readout. It is called twice a move: with the
    learner's functions, and with those of the same names in `playground.functions.finished`, whose
    data is drawn dashed for every part that is a `twin`. A long move yields results: the first is
    shown at once, the others while the slider rests. Declare the parts and the controls first (see
    `Canvas`). As the last expression of a cell the figure displays itself.

    `title` begins the alt text and differs for each play of a notebook. `after` is a prediction
    with `answered` and `on_answer(callback)` that unlocks the play. `missions` are goals for the
    learner to reach by the controls, in words that differ in a lesson, each with its judge. They
    count where the learner's functions are right.
    """

    def __init__(
        self,
        title: str,
        move: Move,
        functions: Mapping[str, Function] | None = None,
        after: Any = None,
        missions: Mapping[str, Mission] | None = None,
    ) -> None:
        super().__init__(title)
        self._move, self._after = move, after
        self._missions = missions or {}
        given = (functions or {}).items()
        self._learner = {name: ReboundFunction(name, function) for name, function in given}
        self._finished = finished_functions(self._learner)
        # The same on every machine, so that stored outputs can be compared.
        self._name = f"{zlib.crc32(title.encode()):08x}"
        self._stopped: Unusable | None = None
        self._coming: Iterator[Snapshot] = iter(())
        self._timer: asyncio.TimerHandle | None = None
        self._turns: Turns | None = None
        self._view = View([], [], "")
        self._moving = page.html("", "playground-moving")
        self._goals = page.html("", "playground-missions")
        self._seen = page.seen()
        self._root: widgets.VBox | None = None
        self._drawn = False
        self._open_missions: list[str] = []
        self._run, self._closed = 0, False
        self._moves = 0
        self._seconds = 0.0

    @property
    def widget(self) -> widgets.VBox:
        """The live figure, covered as long as its prediction isn't answered."""
        root = self._empty()
        if not self._drawn:  # set late: after an interrupt everything is done again
            self.refresh()
            self._drawn = True
        return root

    def _empty(self) -> widgets.VBox:
        """Return the live figure, which may not have its first picture yet."""
        if self._root is None:
            self.freeze(with_target=self._finished is not None)
            root = widgets.VBox()
            root.add_class("playground")
            covered = self._locked
            self._wait("This figure is being drawn.")
            self._fill(root, covered)
            for control in self.controls.values():
                control.observe(lambda _: self.refresh(), names="value")
            self._root = root
            if covered:
                self._after.on_answer(self._open)
            self._register()
        return self._root

    def _register(self) -> None:
        """Follow the notebook's cells, in place of the play that this cell's last run displayed."""
        cell = ""
        if (shell := get_ipython()) is not None:
            shell.events.register("post_run_cell", _after_cell)  # registering again counts once
            self._run = shell.execution_count
            cell = getattr(shell, "parent_header", {}).get("metadata", {}).get("cellId", "")
        before = _newest.get((self.title, cell))
        if before is not None and before._run != self._run:
            before.close()
        _newest[self.title, cell] = self

    def close(self) -> None:
        """Give back widgets and artists: ipywidgets and IPython's `Out` keep the play itself."""
        self._coming, self._closed = iter(()), True
        self._rest()
        shown = self._root, self._moving, self._goals, self._seen
        page.close([*shown, *self.panel, *self.controls.values()])
        self.still.close()
        for held in (self.parts, self.controls, self.panel):
            held.clear()

    @property
    def missions(self) -> dict[str, bool]:
        """The missions in words, and whether the learner has reached each."""
        return {words: words in _reached for words in self._missions}

    @property
    def readout(self) -> list[str]:
        """The lines under the figure: one for yours, one for the target."""
        return self._complete().readout

    @property
    def alt(self) -> str:
        """The figure in words, at the controls' present values."""
        return self._complete().alt

    @property
    def svg(self) -> str:
        """The moving layer at the controls' present values."""
        now = self._complete()
        return page.layer(now.marks, now.alt)

    def refresh(self) -> None:
        """Show the moving parts for the controls' values and the functions as they are now."""
        with _lock:
            if self._changed:
                self._stopped = None
            for function in self._learner.values():
                function.rebind()
            self._coming, start = self._snapshots(self.values()), time.monotonic()
            self._advance()
            self._seconds = time.monotonic() - start
        self._later(self._advance)

    def follow(self) -> None:
        """After a cell: refresh soon if it redefined a function, else continue a long move."""
        if not (names := self._changed) or self._locked:
            self._later(self._advance)
            return
        verb = "has" if len(names) == 1 else "have"
        self._wait(f"{' and '.join(names)} {verb} changed: this figure is being drawn again.")
        self._later(self.refresh)

    def _wait(self, sentence: str) -> None:
        """Say that the picture isn't up to date, before it is computed."""
        layer = page.layer(self._view.marks, f"{self.title}. {sentence}")
        self._moving.value = page.moving(layer, [sentence], behind=True)

    @property
    def _changed(self) -> list[str]:
        return [name for name, function in self._learner.items() if function.changed]

    def _snapshots(self, values: dict[str, Any]) -> Iterator[Snapshot]:
        """Yield the result of each step of a move; the first problem ends it."""
        labels = {self.controls[name].description: value for name, value in values.items()}
        frames = self._frames(SimpleNamespace(**self._learner), values)
        targets = self._frames(self._finished, values) if self._finished else iter(())
        target = None
        while True:
            target = next(targets, target)
            yours, problem = self._next(frames)
            if problem is not None:
                target = deque([target, *targets], maxlen=1)[0]
            if yours or problem:
                yield Snapshot(labels, yours, target, problem)
            if not yours:
                return

    def _next(self, frames: Iterator[Frame]) -> tuple[Frame | None, Unusable | None]:
        """Return the next of the learner's frames, None after the last, or the problem."""
        try:
            if self._stopped:
                raise self._stopped
            return next(frames, None), None
        except KeyboardInterrupt as interrupt:
            # Don't run it again before it is redefined: each move would need an interrupt.
            self._stopped = Unusable(str(interrupt) or "This figure was interrupted.")
            return None, self._stopped
        except Unusable as problem:
            return None, problem
        except Exception as error:  # a result that passed the functions' own checks
            return None, Unusable(f"Your functions' results can't be drawn: {describe(error)}")

    def _frames(self, functions: SimpleNamespace, values: dict[str, Any]) -> Iterator[Frame]:
        moved = self._move(functions, **values)
        frames = [moved] if isinstance(moved, tuple) else moved
        if "guess" not in self.parts:
            yield from frames
            return
        guess = getattr(self._after, "guess", None)
        line = self.guessed(math.nan if guess is None else guess)
        told = "" if guess is None else f" Your guess was {number(guess)}."
        for data, text in frames:
            yield {**data, "guess": line}, text + told

    def _advance(self) -> bool:
        """Show the next result of a move; return whether there was one."""
        with _lock, silenced():
            if (now := next(self._coming, None)) is not None:
                self._show(now)
        return now is not None

    def _complete(self) -> View:
        """Compute a long move to its end, and return the view of its last result."""
        assert self.widget
        with _lock, silenced():
            for now in self._coming:
                self._show(now)
        return self._view

    def _show(self, now: Snapshot) -> None:
        self._view = scene.view(self.title, self.parts, now)
        layer = page.layer(self._view.marks, self._view.alt)
        self._moves += 1
        self._moving.value = page.moving(layer, self._view.readout, self._moves)
        if now.yours and self._view.right:
            self._judge(now.yours[0])

    def _judge(self, data: Mapping[str, Any]) -> None:
        """Note the missions that these data reach."""
        values = self.values().items()  # the browser's 0.7 may be 0.7000000000000001
        near = {name: round(one, 9) if isinstance(one, float) else one for name, one in values}
        at = SimpleNamespace(**near)
        for words in self._open_missions:
            if self._missions[words](at, data):
                _reached.add(words)
                self._show_missions()

    def _show_missions(self) -> None:
        self._open_missions = [words for words, done in self.missions.items() if not done]
        self._goals.value = page.missions(self.missions) if self._missions else ""

    def _later(self, work: Callable[[], object], seconds: float = 0.1) -> None:
        """Call `work` until it returns False, between the kernel's messages, when sliders rest.

        Without an event loop, as in a script, do it at once.
        """
        self._rest()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            while work():
                pass
        else:
            self._turns, first = turns(loop), work == self.refresh
            do = partial(self._do, work)
            self._timer = loop.call_later(seconds, self._turns.add, self, do, first)

    def _rest(self) -> None:
        """Forget the work that is to be done later."""
        if self._timer is not None:
            self._timer.cancel()
        if self._turns is not None:
            self._turns.drop(self)

    @property
    def in_view(self) -> bool:
        """Whether the learner sees the figure, as far as its page has reported."""
        return bool(self._seen.value)

    def _do(self, work: Callable[[], object]) -> None:
        try:
            with _interruptible():
                more = work()
        except KeyboardInterrupt:  # it would end the kernel's event loop
            return
        if more:
            self._later(work, 0)

    def _ipython_display_(self) -> None:
        if self._closed:
            print("The cell of this play was run again; it is displayed there.")
            return
        kind = "application/vnd.jupyter.widget-view+json"
        # Before it is drawn, as that may take long.
        model = {"version_major": 2, "version_minor": 0, "model_id": self._empty().model_id}
        says = f"Live figure: run this cell, and it moves. This is its picture: {self.title}."
        display({kind: model, "text/plain": says}, raw=True)
        now, alt = self._complete(), self.alt
        with _lock:
            url, pages = self.still.flat(now.marks)
        pages |= {"text/html": page.still(url, alt, self._name), "text/plain": alt}
        display(pages, raw=True, metadata={"image/png": {"alt": alt}})

    @property
    def _locked(self) -> bool:
        return self._after is not None and not self._after.answered

    def _open(self) -> None:
        """Uncover the play, unless its cell was run again meanwhile."""
        if not self._closed:
            self.refresh()
            self._fill(self.widget, covered=False)

    def _fill(self, root: widgets.VBox, covered: bool) -> None:
        """Put the play, or its cover, into the widget."""
        once = page.html(page.once(self._name, self.gripped()), "playground-page")
        if covered:
            root.children = once, page.html(page.cover())
            return
        with _lock:
            picture = page.html(page.picture(*self.still.pictures()))
        self._show_missions()
        stage = page.stack(picture, self._moving)
        side = page.side(page.control_panel(self.panel), self._goals)
        root.children = once, side, stage, self._seen


def keep(reached: MutableSet[str]) -> None:
    """Keep in this set which missions the learner reaches, by their words."""
    global _reached  # plays, which share no object, are made after it
    _reached = reached


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let ■ interrupt work between two messages, when the kernel ignores interrupts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


_newest: weakref.WeakValueDictionary[tuple[str, str], LiveFigure] = weakref.WeakValueDictionary()
"""The newest play of each title and cell: it follows other cells, and replaces the one before."""


def _after_cell(_: Any) -> None:
    # Those that take longest come last, so that none waits for them.
    for play in sorted(_newest.values(), key=lambda play: play._seconds):
        play.follow()

"""A figure that follows its sliders, driven by one function from values to data.

matplotlib draws once what stands still. What moves lies over it as SVG, placed by matplotlib's own transforms, so that a move
costs the kernel about a millisecond and the picture still looks like matplotlib. Only core ipywidgets are used.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import ipywidgets as widgets

from playground.figure import page, rest, scene
from playground.figure.canvas import Canvas
from playground.figure.interrupt import end, listen
from playground.figure.learner_function import (
    Function,
    LearnerFunction,
    ReboundFunction,
    Unusable,
    hushed,
    told,
)
from playground.figure.marks import Mark
from playground.figure.patience import patient
from playground.figure.scene import Frame

Move = Callable[..., Frame | Iterator[Frame]]

REFRESH_SECONDS = 1 / 30
"""How often a move that yields shows what it has, while the hand rests."""

_one_at_a_time = threading.RLock()


@contextmanager
def _turn() -> Iterator[None]:
    """Within this, one thread at a time. An interrupt of a cell that waits for another thread's turn ends what is under way there."""
    waits = True
    try:
        if os.name == "nt":  # where only who comes back from time to time can be interrupted
            while not _one_at_a_time.acquire(timeout=0.2):
                pass
            _one_at_a_time.release()
        with _one_at_a_time:
            waits = False
            yield
    except KeyboardInterrupt:
        if waits:
            end()
        raise


class LiveFigure(Canvas):
    """A play: controls, a figure and a readout, driven by the learner's own functions and by the finished ones.

    `move(f, **values)` gets the functions as `f.name` and the controls' values by name. It returns the new data of each part
    by name, and the readout. It is called twice a move: with the learner's functions, and with those of the same names in
    `playground.functions.finished`, whose data is drawn dashed for every part that is a `twin`. A move that takes long yields: the first
    of its results is shown at once, and the others while the hand rests, up to the last. Declare the parts and the controls
    first (see `Canvas`); the figure is drawn when it is first looked at. As the last expression of a cell it shows itself once.

    Args:
        title: what the figure shows, as its alt text begins; different for each play of a notebook.
        move: see above. It runs on a kernel thread of its own: no pyplot in it.
        functions: the learner's functions by the lesson's names; None stands for one that has yet to be defined.
        after: an object with `answered` and `on_answer(callback)`; the play stays covered until it is answered.
    """

    def __init__(
        self,
        title: str,
        move: Move,
        functions: Mapping[str, Function | None] | None = None,
        after: Any = None,
    ) -> None:
        super().__init__()
        self.title = title
        self._move, self._after = move, after
        self._learner = {
            name: ReboundFunction(name, function) for name, function in (functions or {}).items()
        }
        self._finished = _finished(self._learner)
        self._marks: list[Mark] = []
        self._readout: list[str] = []
        self._alt = ""
        self._values: dict[str, Any] = {}
        self._target: Frame | None = None
        self._coming: Iterator[Frame] | None = None
        self._targets: Iterator[Frame] = iter(())
        self._unseen: Frame | None = None
        self._seen = 0.0
        self._moving: widgets.HTML | None = None
        self._root: widgets.VBox | None = None

    @property
    def widget(self) -> widgets.VBox:
        """The live figure, or the sentence that covers it as long as its prediction isn't answered."""
        if self._root is None:
            self.freeze(with_target=self._finished is not None)
            self._root = widgets.VBox(layout=widgets.Layout(overflow="visible"))
            self._root.add_class("playground")
            covered = self._locked
            try:
                self.refresh()
                self._arrange(covered=covered)
            except BaseException:  # an interrupt: shown again, it starts again
                self._root = None
                raise
            for control in self.controls.values():
                control.observe(lambda _: self.refresh(), names="value")
            if covered:
                self._after.on_answer(self._open)
            _keep(self)
        return self._root

    @property
    def readout(self) -> list[str]:
        """What stands under the figure now: a line for yours, one for the target."""
        self.complete()
        return self._readout

    @property
    def alt(self) -> str:
        """The figure in words, at the controls' present values."""
        self.complete()
        return self._alt

    @property
    def svg(self) -> str:
        """The moving layer at the controls' present values."""
        self.complete()
        return page.layer(self._marks, self._alt)

    def still(self) -> bytes:
        """Both layers in one PNG, at the controls' present values."""
        self.complete()
        with _turn():
            artists = [artist for mark in self._marks for artist in mark.draw(self.figure)]
            for order, artist in enumerate(artists):
                artist.set_zorder(
                    100 + order
                )  # over all that stands still, as the moving layer lies in a browser
            try:
                return self.png()
            finally:
                for artist in artists:
                    artist.remove()

    def refresh(self) -> None:
        """Compute and show the moving parts, for the controls' present values and the functions as they are now."""
        rest.moved()
        with _turn(), hushed():
            for function in self._learner.values():
                function.look_up()
            self._values, self._coming, self._target = self.values(), None, None
            if self._finished is not None:
                self._target, others = _begin(self._move(self._finished, **self._values))
                self._targets = others or iter(())
            with patient(self._say_slow):
                result = self._try(self._first)
            self._show(*result)
        if self._coming is not None:
            rest.later(self._go_on)

    def complete(self) -> None:
        """Wait for the last result of a move that yields."""
        assert self.widget
        while self._go_on():
            pass

    def _first(self) -> Frame | None:
        yours, self._coming = _begin(self._move(SimpleNamespace(**self._learner), **self._values))
        return yours

    def _go_on(self) -> bool:
        """Take the next result of a move that yields, and show it if it is the last or the time for one more picture; whether there was one."""
        with _turn(), hushed():
            if (coming := self._coming) is None:
                return False
            newest, problem = self._try(lambda: next(coming, None))
            if newest is None:
                self._coming = None
            self._target = next(self._targets, self._target)
            self._unseen = newest or self._unseen
            if problem or (
                self._unseen and (newest is None or time.monotonic() - self._seen > REFRESH_SECONDS)
            ):
                self._show(None if problem else self._unseen, problem)
            return newest is not None

    def _try(self, compute: Callable[[], Frame | None]) -> tuple[Frame | None, Unusable | None]:
        try:
            return compute(), None
        except Unusable as problem:
            return None, problem
        except Exception as error:  # a result that no function's own check has found out
            return None, Unusable(f"What your functions return can't be drawn: {told(error)}")

    def _show(self, yours: Frame | None, problem: Unusable | None) -> None:
        self._unseen, self._seen = None, time.monotonic()
        if problem:  # the target does not wait for yours
            self._target = next(iter(deque(self._targets, maxlen=1)), self._target)
        self._marks = scene.compose(self.parts, yours, self._target, problem)
        self._readout = scene.readout(self.parts, yours, self._target, problem)
        self._alt = scene.describe(
            self.title,
            {self.labels[name]: value for name, value in self._values.items()},
            self._readout,
        )
        if self._moving is not None:
            self._moving.value = self._now()

    def _say_slow(self, seconds: float) -> None:
        """Put into the readout that the picture is still the one before."""
        if self._moving is not None:
            waiting = f"Your functions have been at work on the next picture for {seconds:.0f} seconds; ■ ends them."
            self._moving.value = page.moving(
                page.layer(self._marks, self._alt), [waiting, *self._readout]
            )

    def follow(self) -> None:
        """If a cell has given one of the functions a new definition, refresh as soon as no cell runs."""
        changed = [function.look_up() for function in self._learner.values()]
        if any(changed) and not self._locked:
            rest.later(self._catch_up)

    def _catch_up(self) -> bool:
        self.refresh()
        return False

    def _ipython_display_(self) -> None:
        from IPython.display import display

        live = {
            page.WIDGET: {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        }
        says = f"Live figure; without a running kernel, this is its picture: {self.title}."
        display({**live, "text/plain": says}, raw=True)
        png = self.still()
        pages = {
            "text/html": page.still(png, self._alt, self._name),
            "image/png": page.small(png),
            "text/plain": self._alt,
        }
        display(pages, raw=True, metadata={"image/png": {"alt": self._alt}})

    def __repr__(self) -> str:
        return f"<LiveFigure: {self.title}>"

    @property
    def _locked(self) -> bool:
        return self._after is not None and not self._after.answered

    @property
    def _name(self) -> str:
        """The same on every machine, so that stored outputs can be compared."""
        return f"{zlib.crc32(self.title.encode()):08x}"

    def _now(self) -> str:
        return page.moving(page.layer(self._marks, self._alt), self._readout)

    def _open(self) -> None:
        """Show the play, with what the functions are by now."""
        self.refresh()
        self._arrange(covered=False)

    def _arrange(self, covered: bool) -> None:
        """Put the play, or its cover, into place."""
        assert self._root is not None
        hide = page.html(page.hide_still(self._name))
        if covered:
            self._root.children = (hide, page.html(page.cover()))
            return
        self._moving = page.html(self._now())
        with _turn():
            picture = page.picture(self.png())
        self._root.children = (
            hide,
            page.control_panel(self.panel),
            page.stack(page.html(picture), self._moving),
        )


def _begin(moved: Frame | Iterator[Frame]) -> tuple[Frame, Iterator[Frame] | None]:
    """The first result of a move, and the others if it yields."""
    return (moved, None) if isinstance(moved, tuple) else (next(moved), moved)


def _finished(learner: Mapping[str, ReboundFunction]) -> SimpleNamespace | None:
    """The finished functions of the same names; None where one is missing, or all of them, as in the sandbox of a grading run."""
    if not learner:
        return None
    try:
        from playground.functions import finished
    except ImportError:
        return None
    if not all(hasattr(finished, name) for name in learner):
        return None
    return SimpleNamespace(
        **{name: LearnerFunction(name, getattr(finished, name), whole=True) for name in learner}
    )


_newest: weakref.WeakValueDictionary[str, LiveFigure] = weakref.WeakValueDictionary()


def _keep(play: LiveFigure) -> None:
    """Let the newest play of each title follow the notebook's cells; an older one follows at its next move."""
    from IPython.core.getipython import get_ipython

    if (shell := get_ipython()) is not None:  # registering the same function twice counts once
        shell.events.register("pre_run_cell", _before_cell)
        shell.events.register("post_run_cell", _after_cell)
        listen(shell)
    _newest[play.title] = play


def _before_cell(_: Any) -> None:
    rest.hold(True)


def _after_cell(_: Any) -> None:
    try:
        for play in list(_newest.values()):
            play.follow()
    finally:
        rest.hold(False)

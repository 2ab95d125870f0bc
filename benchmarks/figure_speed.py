"""Measure in Chromium how fast a figure follows its slider or its buttons."""

from __future__ import annotations

import json
import math
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import websocket

HOLD = 0.1
"""Seconds for which a single click holds the mouse button down."""

PROBE = """outputs => {
  // Record when a picture in this cell was changed, and when the change was painted.
  let pending = false;
  const changed = () => {
    probe.changed = performance.now();
    if (pending) return;
    pending = true;
    const first = probe.changed;
    requestAnimationFrame(() => setTimeout(() => {
      pending = false;
      probe.frames.push({changed: first, painted: performance.now()});
    }, 0));
  };
  // A play replaces its SVG, plotly changes parts of one; an equal SVG is no change.
  const drawing = () => [...probe.outputs.querySelectorAll('svg')]
    .map(svg => svg.parentNode.closest('svg') ? '' : svg.innerHTML).join();
  const drawn = node => node.nodeType === 1 && (node.closest('svg') || node.querySelector('svg'));
  const look = list => {
    const seen = m => drawn(m.target) && m.target.closest('svg') || [...m.addedNodes].some(drawn);
    if (!list.some(seen)) return;
    const before = probe.drawing;
    probe.drawing = drawing();
    if (probe.drawing !== before) changed();
  };
  if (!window.probe) {
    window.probe = {observer: new MutationObserver(look)};
    for (const kind of ['mousemove', 'click'])
      document.addEventListener(kind, event => { probe.moved = event.timeStamp; }, true);
    document.addEventListener('load', ({target}) => {
      if (target.tagName === 'IMG' && probe.outputs.contains(target)) changed();
    }, true);
    for (const name of ['drawImage', 'putImageData']) {
      const draw = CanvasRenderingContext2D.prototype[name];
      CanvasRenderingContext2D.prototype[name] = function (...inputs) {
        if (probe.outputs.contains(this.canvas)) changed();
        return draw.apply(this, inputs);
      };
    }
  }
  Object.assign(probe, {outputs, moved: 0, changed: 0, frames: []});
  probe.drawing = drawing();
  probe.observer.disconnect();
  const all = {subtree: true, childList: true, attributes: true, characterData: true};
  probe.observer.observe(outputs, all);
}"""
DELAY = """() => {
  const frame = probe.frames.find(frame => frame.changed >= probe.moved);
  return frame ? frame.painted - probe.moved : null;
}"""
CALM = """async seconds => {
  // Wait until the kernel has replied at once, ten times in a row.
  const {kernel} = jupyterapp.shell.currentWidget.sessionContext.session;
  const until = performance.now() + 1000 * seconds;
  for (let calm = 0; calm < 10 && performance.now() < until;) {
    const asked = performance.now();
    await kernel.requestExecute({code: '', silent: true}).done;
    calm = performance.now() - asked < 50 ? calm + 1 : 0;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}"""
SPACING = """target => {
  // Return the pixels between two values of a slider.
  const {range, step} = target.noUiSlider.options;
  return target.clientWidth * step / (range.max - range.min);
}"""
BUTTONS = ".widget-toggle-button", ".widget-button:not(.widget-toggle-button)"
IDLE = "() => jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"


@dataclass(frozen=True)
class Measured:
    """The speed of one figure.

    Attributes:
        name: of the figure.
        delays: milliseconds from each event of the slider to the painted change.
        rate: frames a second in a 60 Hz drag; None for buttons, which are clicked one by one.
        lag: milliseconds from the last move of the drag to the last frame.
        wanted: number of delays to be measured.
        heat: the figure is a heat map.
        why: the reason why it was not measured.
        interact: the speed of interact's figure of its kind, a moment before.
    """

    name: str
    delays: list[float] = field(default_factory=list)
    rate: float | None = None
    lag: float = 0.0
    wanted: int = 0
    heat: bool = False
    why: str = ""
    interact: Measured | None = None

    @property
    def median(self) -> float:
        """The median delay, ms."""
        return statistics.median(self.delays)

    @property
    def p95(self) -> float:
        """The 95th percentile of the delays, ms."""
        return sorted(self.delays)[int(0.95 * (len(self.delays) - 1))]

    @property
    def quicker(self) -> float | None:
        """Return how many times the frames of interact, if both were dragged."""
        other = self.interact
        return self.rate / other.rate if self.rate and other and other.rate else None

    @property
    def sooner(self) -> float | None:
        """Return how many times as long the median delay of interact is."""
        other = self.interact
        return other.median / self.median if self.delays and other and other.delays else None

    def row(self) -> str:
        """Return a row of the Markdown table."""
        if self.why:
            return f"| {self.name} | not measured: {self.why} | | | | | | |"
        moves = str(len(self.delays))
        if len(self.delays) < self.wanted:
            moves += f" of {self.wanted}"
        drag = "– | –" if self.rate is None else f"{self.rate:.0f} | {self.lag:.0f}"
        numbers = f"{self.median:.0f} | {self.p95:.0f} | {drag}"
        ratios = (f"{ratio:.1f}" if ratio else "–" for ratio in (self.sooner, self.quicker))
        return f"| {self.name} | {numbers} | {moves} | {' | '.join(ratios)} |"


class Restless(Exception):
    """A figure can't be measured; the message explains why."""


class Hand:
    """The mouse, moved through the browser's debugging port: playwright waits after each move."""

    def __init__(self, port: int, page: Any) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            (target,) = (one for one in json.load(answer) if one["url"] == page.url)
        address = target["webSocketDebuggerUrl"]
        self._socket = websocket.create_connection(address, suppress_origin=True)
        self._count = 0

    def click(self, place: tuple[float, float]) -> None:
        """Send one click that holds the button down for `HOLD` seconds."""
        self.to(place, "mousePressed")
        time.sleep(HOLD)
        self.to(place, "mouseReleased")

    def to(self, place: tuple[float, float], kind: str = "mouseMoved") -> None:
        """Send one move of the pressed mouse, without waiting."""
        self._count += 1
        event = {"type": kind, "x": place[0], "y": place[1]}
        event |= {"button": "left", "buttons": 1, "clickCount": 1}
        message = {"id": self._count, "method": "Input.dispatchMouseEvent", "params": event}
        self._socket.send(json.dumps(message))

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def measure(notebook: Any, port: int, name: str, cell_id: str, moves: int) -> Measured:
    """Move a figure by its first fine slider, move by move and then at 60 Hz, or by its buttons.

    Other figures may be at work for long: they are waited for, so that they delay nothing.
    """
    page, cell = notebook.page, notebook.cell(cell_id)
    kinds = ".widget-slider", *BUTTONS
    cell.locator(",".join(kinds)).first.wait_for()  # rendered after the cell has come into view
    controls = cell.locator(".widget-slider").all()
    controls += [buttons for kind in BUTTONS if (buttons := cell.locator(kind)).count()]
    try:
        for control in controls:
            control.first.scroll_into_view_if_needed()
            page.wait_for_timeout(800)
            page.evaluate(CALM, 120)
            cell.locator(".jp-Cell-outputWrapper").evaluate(PROBE)
            with _moving(page, port, control) as move:
                if control is controls[-1] or len(_delays(page, move, 10, 10)) >= 5:
                    delays = _delays(page, move, moves, 4 * moves)
                    if not delays:
                        break
                    slides = control.locator(".noUi-handle").count() > 0
                    rate, lag = _drag(page, move) if slides else (None, 0.0)
                    heat = cell.locator("svg image").count() > 0 or "heat map" in name
                    return Measured(name, delays, rate, lag, moves, heat)
        raise Restless("no control changes the picture")
    except Restless as problem:
        return Measured(name, wanted=moves, why=str(problem))


@contextmanager
def _moving(page: Any, port: int, control: Any) -> Iterator[Callable[[], None]]:
    """Yield a function that moves the held slider, or clicks the next button, without waiting."""
    hand = Hand(port, page)
    try:
        if not control.locator(".noUi-handle").count():
            first, *others = control.all()
            boxes = [button.bounding_box() for button in (*others, first)]
            buttons = cycle(
                [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]
            )
            yield lambda: hand.click(next(buttons))
            return
        places = _places(control)
        start = next(places)
        page.mouse.move(*start)
        hand.to(start, "mousePressed")
        page.wait_for_timeout(500)
        try:
            yield lambda: hand.to(next(places))
        finally:
            hand.to(next(places), "mouseReleased")
            page.wait_for_timeout(300)
    finally:
        hand.close()


def _places(slider: Any) -> Iterator[tuple[float, float]]:
    """Yield places of the mouse: from the handle inwards and back.

    Each is another value of the slider, at least seven pixels away.
    """
    handle = slider.locator(".noUi-handle").first.bounding_box()
    track = slider.locator(".noUi-target").first.bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    yield x, y
    pixels = slider.locator(".noUi-target").first.evaluate(SPACING)
    step = pixels * math.ceil(7 / pixels)
    low, high = track["x"] - 1, track["x"] + track["width"] + 1
    while True:
        if not low < x + step < high:
            step = -step
        x += step
        yield x, y


def _delays(page: Any, move: Callable[[], None], wanted: int, tries: int) -> list[float]:
    """Return milliseconds until the picture changed, for each move that changes it."""
    found: list[float] = []
    while len(found) < wanted and tries:
        tries -= 1
        if (delay := _one_move(page, move)) is not None:
            found.append(delay)
    return found


def _one_move(page: Any, move: Callable[[], None]) -> float | None:
    """Return milliseconds until the picture changed after one move, None if it did not."""
    stand_still(page)
    page.evaluate("() => { probe.frames.length = 0; }")
    move()
    for asked in range(400):  # late, as each question costs the page time
        page.wait_for_timeout(150)
        delay: float | None = page.evaluate(DELAY)
        if delay is not None:
            return delay
        if asked >= 3 and page.evaluate(IDLE):
            return None
    raise Restless("no picture for a minute after a move, and the kernel was still busy")


def stand_still(page: Any, quiet: float = 250.0, seconds: float = 60.0) -> None:
    """Wait until nothing has changed for `quiet` ms, at most for `seconds`.

    Raises:
        Restless: something always changes.
    """
    until = time.monotonic() + seconds
    while (left := quiet - page.evaluate("() => performance.now() - probe.changed")) > 0:
        if time.monotonic() > until:
            raise Restless(f"it never stands still within {seconds:.0f} seconds")
        page.wait_for_timeout(left)


def _drag(page: Any, move: Callable[[], None], seconds: float = 5.0) -> tuple[float, float]:
    """Return frames a second at 60 moves a second, and the last frame's lag (ms)."""
    stand_still(page)
    page.evaluate("() => { probe.frames.length = 0; }")
    start = time.perf_counter()
    for sent in range(int(60 * seconds)):
        time.sleep(max(0.0, start + sent / 60 - time.perf_counter()))
        move()
    page.wait_for_timeout(1000)
    frames, moved = page.evaluate("() => [probe.frames.map(frame => frame.painted), probe.moved]")
    during = [frame for frame in frames if frame <= moved]
    return len(during) / seconds, max(0.0, frames[-1] - moved) if frames else float("nan")

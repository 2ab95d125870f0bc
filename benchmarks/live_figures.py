"""The built lessons come in; a table goes out: how fast each play follows its slider in a real Chromium, beside interact, ipympl and plotly.

On a shared machine neighbours can halve the speed for minutes. So each figure waits for a quiet machine, one on which an empty loop
turns nearly as fast as ever, and is measured again if the machine was slow in the end; what the loop did stands in the last column.

ipympl and plotly are no part of the course: they are installed into build/rivals when they are missing, with pip or uv.

    python benchmarks/live_figures.py [--moves 100] [--only LESSON] [--no-rivals]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import websocket

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "browser")]
RIVALS = ROOT / "build" / "rivals"
PACKAGES = ["ipympl", "plotly", "anywidget", "psygnal", "narwhals", "ipython_genutils"]

COMMON = "import numpy as np, ipywidgets as widgets, matplotlib.pyplot as plt\nx = np.linspace(0, 6, 100)\n"
SLIDER = "s = widgets.FloatSlider(1, min=0.1, max=5, step=0.05)\n"
LINE, HEAT = "np.sin({0} * x)", "np.sin({0} * x[:, None]) * np.cos(x)"
RIVAL_CELLS = {
    "interact + inline, line": "%matplotlib inline\n" + COMMON + "def f(a):\n    plt.figure(figsize=(6.4, 3.8)); plt.plot(x, " + LINE.format("a")
    + "); plt.ylim(-1, 1); plt.show()\nwidgets.interact(f, a=(0.1, 5.0, 0.05));",
    "interact + inline, heat map": "%matplotlib inline\n" + COMMON + "def f(a):\n    plt.figure(figsize=(6.4, 3.8)); plt.imshow(" + HEAT.format("a")
    + ", aspect='auto'); plt.colorbar(); plt.show()\nwidgets.interact(f, a=(0.1, 5.0, 0.05));",
    "ipympl, line": "%matplotlib widget\n" + COMMON + SLIDER + "fig, ax = plt.subplots(figsize=(6.4, 3.8)); line, = ax.plot(x, " + LINE.format("1")
    + ")\ndef f(c):\n    line.set_ydata(" + LINE.format("c.new") + "); fig.canvas.draw_idle()\ns.observe(f, 'value'); display(s, fig.canvas)",
    "ipympl, heat map": "%matplotlib widget\n" + COMMON + SLIDER + "fig, ax = plt.subplots(figsize=(6.4, 3.8)); image = ax.imshow(" + HEAT.format("1")
    + ", aspect='auto')\ndef f(c):\n    image.set_data(" + HEAT.format("c.new") + "); fig.canvas.draw_idle()\ns.observe(f, 'value'); display(s, fig.canvas)",
    "plotly FigureWidget, line": COMMON + SLIDER + "import plotly.graph_objects as go\nfig = go.FigureWidget(go.Scatter(x=x, y=" + LINE.format("1")
    + "), layout=dict(width=640, height=380))\ndef f(c): fig.data[0].y = " + LINE.format("c.new") + "\ns.observe(f, 'value'); display(s, fig)",
    "plotly FigureWidget, heat map": COMMON + SLIDER + "import plotly.graph_objects as go\nfig = go.FigureWidget(go.Heatmap(z=" + HEAT.format("1")
    + "), layout=dict(width=640, height=380))\ndef f(c): fig.data[0].z = " + HEAT.format("c.new") + "\ns.observe(f, 'value'); display(s, fig)",
}  # fmt: skip

PROBE = """outputs => {
  // What is painted anew in this cell's outputs, and when; the rest of the page has pictures that change too.
  const probe = window.probe = {moved: 0, frames: []};
  let pending = false;
  const changed = () => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => setTimeout(() => { pending = false; probe.frames.push(performance.now()); }, 0));
  };
  document.addEventListener('mousemove', event => { probe.moved = event.timeStamp; }, true);
  outputs.addEventListener('load', event => { if (event.target.tagName === 'IMG') changed(); }, true);
  const drawn = node => node.nodeType === 1 && (node.closest('svg') || node.querySelector('svg'));
  new MutationObserver(list => {
    if (list.some(m => drawn(m.target) && m.target.closest('svg') || [...m.addedNodes].some(drawn))) changed();
  }).observe(outputs, {subtree: true, childList: true, attributes: true, characterData: true});
  for (const name of ['drawImage', 'putImageData']) {
    const draw = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...inputs) { if (outputs.contains(this.canvas)) changed(); return draw.apply(this, inputs); };
  }
}"""


HEAD = "| figure | median ms | p95 ms | frames/s | last frame after, ms | moves | loop |\n|---|---|---|---|---|---|---|"


@dataclass(frozen=True)
class Measured:
    """One figure: milliseconds from the slider's event to the painted change, frames a second and lag (ms) in a 60 Hz drag.

    `speed` is how many million times a second an empty Python loop turned before and after, the slower of both.
    """

    name: str
    delays: list[float]
    rate: float
    lag: float
    speed: float = 0.0

    @property
    def median(self) -> float:
        """Median of the delays, ms."""
        return statistics.median(self.delays)

    def row(self) -> str:
        """A line of the Markdown table."""
        p95 = sorted(self.delays)[int(0.95 * (len(self.delays) - 1))]
        return f"| {self.name} | {self.median:.0f} | {p95:.0f} | {self.rate:.0f} | {self.lag:.0f} | {len(self.delays)} | {self.speed:.0f} |"


class Hand:
    """The mouse, moved through the browser's own debugging port: playwright would wait after each move until the page has taken it."""

    def __init__(self, port: int, page: Any) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            (target,) = (one for one in json.load(answer) if one["url"] == page.url)
        self._socket = websocket.create_connection(target["webSocketDebuggerUrl"], suppress_origin=True)
        self._count = 0

    def to(self, place: tuple[float, float], kind: str = "mouseMoved") -> None:
        """Send one move of the pressed mouse, and wait for nothing."""
        self._count += 1
        where = {"type": kind, "x": place[0], "y": place[1], "button": "left", "buttons": 1, "clickCount": 1}
        self._socket.send(json.dumps({"id": self._count, "method": "Input.dispatchMouseEvent", "params": where}))

    def close(self) -> None:
        """Let go."""
        self._socket.close()


class Machine:
    """How fast this machine is just now, and was at its best."""

    QUIET, PATIENCE, TRIES = 0.88, 600.0, 4

    def __init__(self) -> None:
        self.best = 0.0
        for _ in range(10):
            self.speed()
            time.sleep(2)

    def speed(self, turns: int = 2_000_000) -> float:
        """Million turns a second of an empty loop, the median of some, once the processor is awake."""
        found = []
        for _ in range(15):
            start = time.perf_counter()
            for _ in range(turns):
                pass
            found.append(turns / (time.perf_counter() - start) / 1e6)
        now = statistics.median(found[5:])
        self.best = max(self.best, now)
        return now

    def quiet(self, speed: float) -> bool:
        """Whether that is nearly as fast as ever."""
        return speed >= self.QUIET * self.best

    def quietly(self, measured: Callable[[], Measured]) -> Measured:
        """A measurement on a quiet machine; after some tries or minutes, the one on the least slow."""
        tries: list[Measured] = []
        for _ in range(self.TRIES):
            until = time.monotonic() + self.PATIENCE
            while not self.quiet(before := self.speed()) and time.monotonic() < until:
                time.sleep(5)
            found = measured()
            tries.append(replace(found, speed=min(before, self.speed())))
            if not self.quiet(before) or self.quiet(tries[-1].speed):
                break
        return max(tries, key=lambda one: one.speed)


def measure(notebook: Any, port: int, name: str, cell_id: str, moves: int) -> Measured:
    """Drag the first slider of a cell that is fine enough, move by move and then at 60 Hz.

    Raises:
        RuntimeError: with none of them half of the moves changed the picture.
    """
    sliders = notebook.cell(cell_id).locator(".widget-slider")
    for slider in sliders.all():
        measured = _measure(notebook, port, name, cell_id, slider, moves)
        if len(measured.delays) >= moves / 2:
            return measured
    raise RuntimeError(f"{name}: with no slider half of {moves} moves changed the picture; is the play locked?")


def _measure(notebook: Any, port: int, name: str, cell_id: str, slider: Any, moves: int) -> Measured:
    page, cell = notebook.page, notebook.cell(cell_id)
    slider.scroll_into_view_if_needed()
    page.wait_for_timeout(800)
    cell.locator(".jp-Cell-outputWrapper").evaluate(PROBE)
    places = _to_and_fro(slider)
    hand, start = Hand(port, page), next(places)
    page.mouse.move(*start)
    hand.to(start, "mousePressed")
    page.wait_for_timeout(500)
    delays = [delay for _ in range(moves) if (delay := _one_move(page, hand, next(places))) is not None]
    rate, lag = _drag(page, hand, places)
    hand.to(next(places), "mouseReleased")
    page.wait_for_timeout(300)
    hand.close()
    return Measured(name, delays, rate, lag)


def _to_and_fro(slider: Any) -> Iterator[tuple[float, float]]:
    """Places of the mouse: from the handle inwards, seven pixels a move, and back."""
    handle, track = slider.locator(".noUi-handle").first.bounding_box(), slider.locator(".noUi-target").first.bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    yield x, y
    low, high, step = track["x"] + 8, track["x"] + track["width"] - 8, 7.0
    while True:
        if not low < x + step < high:
            step = -step
        x += step
        yield x, y


def _one_move(page: Any, hand: Hand, place: tuple[float, float]) -> float | None:
    """Milliseconds until the picture changed after one move; None if it did not within 0.6 s. Before it, the picture stands still."""
    for _ in range(20):
        page.evaluate("() => { probe.frames.length = 0; }")
        page.wait_for_timeout(60)
        if page.evaluate("() => !probe.frames.length"):
            break
    hand.to(place)
    for _ in range(4):  # asking costs the page time, so it is asked late
        page.wait_for_timeout(150)
        delay: float | None = page.evaluate("() => probe.frames.length ? probe.frames[0] - probe.moved : null")
        if delay is not None:
            return delay
    return None


def _drag(page: Any, hand: Hand, places: Iterator[tuple[float, float]], seconds: float = 5.0) -> tuple[float, float]:
    """Frames a second while the mouse moves 60 times a second, and how long after the last move the last frame came (ms)."""
    page.wait_for_timeout(500)
    page.evaluate("() => { probe.frames.length = 0; }")
    start = time.perf_counter()
    for sent in range(int(60 * seconds)):
        time.sleep(max(0.0, start + sent / 60 - time.perf_counter()))
        hand.to(next(places))
    page.wait_for_timeout(1000)
    frames, moved = page.evaluate("() => [probe.frames, probe.moved]")
    during = [frame for frame in frames if frame <= moved]
    return len(during) / seconds, max(0.0, frames[-1] - moved) if frames else float("nan")


def plays(server: Any, chromium: Any, port: int, machine: Machine, name: str, moves: int) -> Iterator[Measured]:
    """Every play of a lesson that is solved with its reference, its questions answered."""
    from lab import opened

    from course import lesson, references
    from grader.author.lesson import cell_ids, role

    ids = list(zip(cell_ids(lesson(name)), (role(cell)[0] for cell in lesson(name).notebook.cells), strict=True))
    with opened(server, f"{name}/{name}.ipynb", chromium, []) as notebook:
        for exercise, text in references(name).items():
            notebook.set_source(exercise, text)
        notebook.run_all()
        for cell_id in (cell_id for cell_id, kind in ids if kind == "question"):
            groups = notebook.cell(cell_id).locator(".widget-radio-box")
            for index in range(groups.count()):
                groups.nth(index).locator("input").last.click()
        for number, cell_id in enumerate((cell_id for cell_id, kind in ids if kind == "play"), 1):
            if notebook.cell(cell_id).locator(".widget-slider").count():
                yield machine.quietly(partial(measure, notebook, port, f"**{name}**, play {number}", cell_id, moves))
            else:
                print(f"| **{name}**, play {number} | no slider: buttons alone | | | | | |", flush=True)


def rivals(server: Any, chromium: Any, port: int, machine: Machine, moves: int) -> Iterator[Measured]:
    """The other ways, a notebook each, so that none slows the next."""
    import nbformat
    from lab import opened

    for number, (name, code) in enumerate(RIVAL_CELLS.items()):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code, id="rival")])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, server.folder / "work" / f"rival{number}.ipynb")
        with opened(server, f"rival{number}.ipynb", chromium, []) as page:
            page.run_all()
            page.page.wait_for_timeout(1500)
            yield machine.quietly(partial(measure, page, port, name, "rival", moves))


def install_rivals() -> None:
    """Put ipympl and plotly where only this benchmark's server looks for them."""
    if not (RIVALS / "plotly").exists():
        uv = Path(sys.executable).parent / "uv"
        pip = [str(uv), "pip", "install", "--python", sys.executable] if uv.exists() else [sys.executable, "-m", "pip", "install"]
        subprocess.run([*pip, "--no-deps", "--target", str(RIVALS), *PACKAGES], check=True)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(RIVALS), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    os.environ["JUPYTER_PATH"] = str(RIVALS / "share" / "jupyter")


def main() -> None:
    """Print the table, row by row."""
    from lab import Server, browser, free_port

    from course import LESSONS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=100)
    parser.add_argument("--only", choices=[*LESSONS, "rivals"])
    parser.add_argument("--no-rivals", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped too
    if not options.no_rivals:
        install_rivals()
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as home, browser(f"--remote-debugging-port={port}") as chromium:
        shutil.copytree(ROOT / "course", Path(folder) / "course", ignore=shutil.ignore_patterns("progress.json"))
        server = Server(Path(folder), Path(home))
        try:
            machine = Machine()
            print(f"Load when it began: {os.getloadavg()[0]:.1f}\n\n{HEAD}", flush=True)
            for name in () if options.only == "rivals" else [options.only] if options.only else LESSONS:
                for measured in plays(server, chromium, port, machine, name, options.moves):
                    print(measured.row(), flush=True)
            for measured in () if options.no_rivals else rivals(server, chromium, port, machine, options.moves):
                print(measured.row(), flush=True)
        finally:
            server.close()


if __name__ == "__main__":
    main()

"""Measure how fast each play follows its slider or its buttons in Chromium, beside its rivals.

The rivals are interact, ipympl and plotly. Below the table stands which bars are met; a missed bar ends it with 1.

On a shared machine neighbours can halve the speed for minutes. So each figure waits for a quiet machine, one on which an empty loop
turns nearly as fast as ever, and is measured again if the machine was slow in the end; what the loop did stands in the last column.

ipympl and plotly are no part of the course: they are installed into build/rivals when they are missing, with pip or uv, in these versions.

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
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from itertools import cycle
from pathlib import Path
from typing import Any

import websocket

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "browser")]
RIVALS = ROOT / "build" / "rivals"
PACKAGES = {
    "ipympl": "0.10.0",
    "plotly": "7.1.0",
    "anywidget": "0.11.0",
    "psygnal": "0.16.1",
    "narwhals": "2.29.0",
    "ipython_genutils": "0.2.0",
}
OURS = ("jupyterlab", "ipywidgets", "ipykernel", "matplotlib")
MEDIAN_MS, P95_MS, FRAMES, TIMES = 25.0, 40.0, 45.0, 4.0
"""The bars: at most, at most, at least in a second, and at least so many times the frames of interact."""

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

HOLD = 0.1
"""Seconds for which a click's button is down, move by move; at 60 clicks a second it is not held."""

PROBE = """outputs => {
  // When something in this cell's pictures was changed, and when it was painted; the rest of the page has pictures that change too.
  let pending = false;
  const changed = () => {
    probe.changed = performance.now();
    if (pending) return;
    pending = true;
    const first = probe.changed;
    requestAnimationFrame(() => setTimeout(() => { pending = false; probe.frames.push({changed: first, painted: performance.now()}); }, 0));
  };
  // A play comes as a whole SVG each time, plotly changes parts of one; what comes again as it was paints nothing new.
  const drawing = () => [...probe.outputs.querySelectorAll('svg')].map(svg => svg.parentNode.closest('svg') ? '' : svg.innerHTML).join();
  const drawn = node => node.nodeType === 1 && (node.closest('svg') || node.querySelector('svg'));
  const look = list => {
    if (!list.some(m => drawn(m.target) && m.target.closest('svg') || [...m.addedNodes].some(drawn))) return;
    const before = probe.drawing;
    probe.drawing = drawing();
    if (probe.drawing !== before) changed();
  };
  if (!window.probe) {
    window.probe = {observer: new MutationObserver(look)};
    for (const kind of ['mousemove', 'click']) document.addEventListener(kind, event => { probe.moved = event.timeStamp; }, true);
    document.addEventListener('load', event => { if (event.target.tagName === 'IMG' && probe.outputs.contains(event.target)) changed(); }, true);
    for (const name of ['drawImage', 'putImageData']) {
      const draw = CanvasRenderingContext2D.prototype[name];
      CanvasRenderingContext2D.prototype[name] = function (...inputs) { if (probe.outputs.contains(this.canvas)) changed(); return draw.apply(this, inputs); };
    }
  }
  Object.assign(probe, {outputs, moved: 0, changed: 0, frames: []});
  probe.drawing = drawing();
  probe.observer.disconnect();
  probe.observer.observe(outputs, {subtree: true, childList: true, attributes: true, characterData: true});
}"""
DELAY = "() => { const frame = probe.frames.find(frame => frame.changed >= probe.moved); return frame ? frame.painted - probe.moved : null }"
IDLE = "() => jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"


HEAD = "| figure | median ms | p95 ms | frames/s | last frame after, ms | moves | loop |\n|---|---|---|---|---|---|---|"


@dataclass(frozen=True)
class Measured:
    """One figure: milliseconds from the slider's event to the painted change, frames a second and lag (ms) in a 60 Hz drag; or why it has none.

    `speed` is how many million times a second an empty Python loop turned before and after, the slower of both.
    """

    name: str
    delays: list[float] = field(default_factory=list)
    rate: float = 0.0
    lag: float = 0.0
    wanted: int = 0
    heat: bool = False
    why: str = ""
    speed: float = 0.0

    @property
    def median(self) -> float:
        """Median of the delays, ms."""
        return statistics.median(self.delays)

    @property
    def p95(self) -> float:
        """The delay that 95 of 100 moves keep below, ms."""
        return sorted(self.delays)[int(0.95 * (len(self.delays) - 1))]

    def row(self) -> str:
        """A line of the Markdown table."""
        if self.why:
            return f"| {self.name} | not measured: {self.why} | | | | | {self.speed:.0f} |"
        moves = (
            f"{len(self.delays)}"
            if len(self.delays) >= self.wanted
            else f"{len(self.delays)} of {self.wanted}"
        )
        return f"| {self.name} | {self.median:.0f} | {self.p95:.0f} | {self.rate:.0f} | {self.lag:.0f} | {moves} | {self.speed:.0f} |"


def bars(plays: list[Measured], others: list[Measured]) -> list[tuple[bool, str]]:
    """Whether each bar is met, and a line that says so. A play is compared with interact's picture of its kind, lines or a heat map, where there is one."""
    measured = [play for play in plays if not play.why]
    pairs = _beside_interact(plays, others)
    return [
        *_bar(
            "as many moves measured as were wanted",
            {play.name: len(play.delays) / play.wanted for play in plays},
            1,
        ),
        *_bar(
            f"a median of at most {MEDIAN_MS:.0f} ms",
            {play.name: -play.median for play in measured},
            -MEDIAN_MS,
        ),
        *_bar(
            f"a 95th percentile of at most {P95_MS:.0f} ms",
            {play.name: -play.p95 for play in measured},
            -P95_MS,
        ),
        *_bar(
            f"at least {FRAMES:.0f} frames a second",
            {play.name: play.rate for play in measured},
            FRAMES,
        ),
        *_bar(
            f"at least {TIMES:.0f} times the frames of interact",
            {play.name: play.rate / other.rate for play, other in pairs},
            TIMES,
        ),
    ]


def medians(plays: list[Measured], others: list[Measured]) -> str:
    """How much longer interact takes at the median; for this there is no bar."""
    ratios = [other.median / play.median for play, other in _beside_interact(plays, others)]
    return (
        f"At the median interact takes {min(ratios):.1f} to {max(ratios):.1f} times as long."
        if ratios
        else ""
    )


def _beside_interact(
    plays: list[Measured], others: list[Measured]
) -> list[tuple[Measured, Measured]]:
    """Each play that was measured, with interact's picture of its kind."""
    interact = {
        other.heat: other for other in others if other.name.startswith("interact") and not other.why
    }
    return [(play, interact[play.heat]) for play in plays if not play.why and play.heat in interact]


def _bar(wanted: str, found: Mapping[str, float], least: float) -> list[tuple[bool, str]]:
    if not found:
        return []
    short = [f"{name} ({abs(value):.1f})" for name, value in found.items() if not value >= least]
    return [
        (
            not short,
            f"NOT MET by {', '.join(short)}: {wanted}."
            if short
            else f"Met by all {len(found)} plays: {wanted}.",
        )
    ]


class Restless(Exception):
    """A figure can't be measured; the text says why."""


class Hand:
    """The mouse, moved through the browser's own debugging port: playwright would wait after each move until the page has taken it."""

    def __init__(self, port: int, page: Any) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            (target,) = (one for one in json.load(answer) if one["url"] == page.url)
        self._socket = websocket.create_connection(
            target["webSocketDebuggerUrl"], suppress_origin=True
        )
        self._count = 0

    def click(self, place: tuple[float, float], hold: float) -> None:
        """Send one click, whose button stays down for so many seconds, and wait for nothing more."""
        self.to(place, "mousePressed")
        time.sleep(hold)
        self.to(place, "mouseReleased")

    def to(self, place: tuple[float, float], kind: str = "mouseMoved") -> None:
        """Send one move of the pressed mouse, and wait for nothing."""
        self._count += 1
        where = {
            "type": kind,
            "x": place[0],
            "y": place[1],
            "button": "left",
            "buttons": 1,
            "clickCount": 1,
        }
        self._socket.send(
            json.dumps({"id": self._count, "method": "Input.dispatchMouseEvent", "params": where})
        )

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
    """Move a figure by its first slider that is fine enough, or by its buttons where it has none, move by move and then at 60 Hz."""
    page, cell = notebook.page, notebook.cell(cell_id)
    controls = cell.locator(".widget-slider").all() or [None]
    try:
        for control in controls:
            if control is not None:
                control.scroll_into_view_if_needed()
            page.wait_for_timeout(800)
            cell.locator(".jp-Cell-outputWrapper").evaluate(PROBE)
            with _moving(page, port, cell, control) as move:
                if control is controls[-1] or len(_delays(page, move, 10, 10)) >= 5:
                    delays = _delays(page, move, moves, 4 * moves)
                    if not delays:
                        break
                    return Measured(
                        name,
                        delays,
                        *_drag(page, move),
                        moves,
                        cell.locator("svg image").count() > 0 or "heat map" in name,
                    )
        raise Restless("nothing that was moved changes the picture; is the play locked?")
    except Restless as problem:
        return Measured(name, wanted=moves, why=str(problem))


@contextmanager
def _moving(page: Any, port: int, cell: Any, slider: Any) -> Iterator[Callable[[float], None]]:
    """What moves the slider that the mouse holds meanwhile, or clicks the next button where there is none, and waits for nothing.

    It gets the seconds for which a button of the page is held down: JupyterLab is at work when it goes down, which a hand's click leaves time for.
    """
    hand = Hand(port, page)
    try:
        if slider is None:
            boxes = [
                button.bounding_box() for button in cell.locator(".widget-toggle-button").all()
            ]
            buttons = cycle(
                [
                    (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
                    for box in [*boxes[1:], *boxes[:1]]
                ]
            )
            yield lambda hold: hand.click(next(buttons), hold)
            return
        places = _to_and_fro(slider)
        start = next(places)
        page.mouse.move(*start)
        hand.to(start, "mousePressed")
        page.wait_for_timeout(500)
        try:
            yield lambda _: hand.to(next(places))
        finally:
            hand.to(next(places), "mouseReleased")
            page.wait_for_timeout(300)
    finally:
        hand.close()


def _to_and_fro(slider: Any) -> Iterator[tuple[float, float]]:
    """Places of the mouse: from the handle inwards, seven pixels a move, and back."""
    handle, track = (
        slider.locator(".noUi-handle").first.bounding_box(),
        slider.locator(".noUi-target").first.bounding_box(),
    )
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    yield x, y
    low, high, step = track["x"] + 8, track["x"] + track["width"] - 8, 7.0
    while True:
        if not low < x + step < high:
            step = -step
        x += step
        yield x, y


def _delays(page: Any, move: Callable[[float], None], wanted: int, tries: int) -> list[float]:
    """Milliseconds until the picture changed, for each move that changes it."""
    found: list[float] = []
    while len(found) < wanted and tries:
        tries -= 1
        if (delay := _one_move(page, move)) is not None:
            found.append(delay)
    return found


def _one_move(page: Any, move: Callable[[float], None]) -> float | None:
    """Milliseconds until the picture changed after one move; None if it did not and the kernel has done its work. Before it, the picture stands still."""
    _stand_still(page)
    page.evaluate("() => { probe.frames.length = 0; }")
    move(HOLD)
    for asked in range(400):  # asking costs the page time, so it is asked late
        page.wait_for_timeout(150)
        delay: float | None = page.evaluate(DELAY)
        if delay is not None:
            return delay
        if asked >= 3 and page.evaluate(IDLE):
            return None
    raise Restless("after a move no picture came for a minute, and the kernel was still at work")


def _stand_still(page: Any, quiet: float = 250.0, seconds: float = 60.0) -> None:
    """Wait until nothing has changed for so many ms; a play that goes on computing shows its next picture sooner.

    Raises:
        Restless: something always changes.
    """
    until = time.monotonic() + seconds
    while (left := quiet - page.evaluate("() => performance.now() - probe.changed")) > 0:
        if time.monotonic() > until:
            raise Restless(f"it never stands still within {seconds:.0f} seconds")
        page.wait_for_timeout(left)


def _drag(page: Any, move: Callable[[float], None], seconds: float = 5.0) -> tuple[float, float]:
    """Frames a second with 60 moves a second, and how long after the last move the last frame came (ms)."""
    _stand_still(page)
    page.evaluate("() => { probe.frames.length = 0; }")
    start = time.perf_counter()
    for sent in range(int(60 * seconds)):
        time.sleep(max(0.0, start + sent / 60 - time.perf_counter()))
        move(0)
    page.wait_for_timeout(1000)
    frames, moved = page.evaluate("() => [probe.frames.map(frame => frame.painted), probe.moved]")
    during = [frame for frame in frames if frame <= moved]
    return len(during) / seconds, max(0.0, frames[-1] - moved) if frames else float("nan")


def plays(
    server: Any, chromium: Any, port: int, machine: Machine, name: str, moves: int
) -> Iterator[Measured]:
    """Every play of a lesson that is solved with its reference, its questions answered."""
    from lab import opened

    from course import lesson, references
    from grader.author.lesson import cell_ids, role

    ids = list(
        zip(
            cell_ids(lesson(name)),
            (role(cell)[0] for cell in lesson(name).notebook.cells),
            strict=True,
        )
    )
    with opened(server, f"{name}/{name}.ipynb", chromium, [], reload=True) as notebook:
        for exercise, text in references(name).items():
            notebook.set_source(exercise, text)
        notebook.run_all()
        for cell_id in (cell_id for cell_id, kind in ids if kind == "question"):
            notebook.answer(cell_id)
        for number, cell_id in enumerate((cell_id for cell_id, kind in ids if kind == "play"), 1):
            yield machine.quietly(
                partial(measure, notebook, port, f"**{name}**, play {number}", cell_id, moves)
            )


def rivals(
    server: Any, chromium: Any, port: int, machine: Machine, moves: int
) -> Iterator[Measured]:
    """The other ways, a notebook each, so that none slows the next."""
    import nbformat
    from lab import opened

    for number, (name, code) in enumerate(RIVAL_CELLS.items()):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code, id="rival")])
        notebook.metadata.kernelspec = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        nbformat.write(notebook, server.folder / "work" / f"rival{number}.ipynb")
        with opened(server, f"rival{number}.ipynb", chromium, [], reload=True) as page:
            page.run_all()
            page.page.wait_for_timeout(1500)
            yield machine.quietly(partial(measure, page, port, name, "rival", moves))


def install_rivals() -> None:
    """Put ipympl and plotly where only this benchmark's server looks for them."""
    if not all(
        (RIVALS / f"{name}-{version}.dist-info").exists() for name, version in PACKAGES.items()
    ):
        shutil.rmtree(RIVALS, ignore_errors=True)
        uv = Path(sys.executable).parent / "uv"
        pip = (
            [str(uv), "pip", "install", "--python", sys.executable]
            if uv.exists()
            else [sys.executable, "-m", "pip", "install"]
        )
        subprocess.run(
            [
                *pip,
                "--no-deps",
                "--target",
                str(RIVALS),
                *(f"{name}=={version}" for name, version in PACKAGES.items()),
            ],
            check=True,
        )
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(RIVALS), os.environ.get("PYTHONPATH", "")]
    ).rstrip(os.pathsep)
    os.environ["JUPYTER_PATH"] = str(RIVALS / "share" / "jupyter")


def table(measured: Iterable[Measured]) -> list[Measured]:
    """All of them, each printed as a row as soon as it is there."""
    rows = []
    for one in measured:
        rows.append(one)
        print(one.row(), flush=True)
    return rows


def main() -> int:
    """Print the table, row by row, and the bars; 1 if one is not met."""
    from lab import Server, browser, free_port

    from course import LESSONS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=100)
    parser.add_argument("--only", choices=[*LESSONS, "rivals"])
    parser.add_argument("--no-rivals", action="store_true")
    options = parser.parse_args()
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(143)
    )  # so that what was started is stopped too
    versions = {name: version(name) for name in OURS}
    if not options.no_rivals:
        install_rivals()
        versions |= PACKAGES
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as home,
        browser(f"--remote-debugging-port={port}") as chromium,
    ):
        shutil.copytree(
            ROOT / "course", Path(folder) / "course", ignore=shutil.ignore_patterns("progress.json")
        )
        server = Server(Path(folder), Path(home))
        try:
            machine = Machine()
            print(
                f"Chromium {chromium.version}, {', '.join(f'{name} {number}' for name, number in versions.items())}."
            )
            print(f"Load when it began: {os.getloadavg()[0]:.1f}\n\n{HEAD}", flush=True)
            names = [] if options.only == "rivals" else [options.only] if options.only else LESSONS
            ours = [
                row
                for name in names
                for row in table(plays(server, chromium, port, machine, name, options.moves))
            ]
            others = (
                []
                if options.no_rivals
                else table(rivals(server, chromium, port, machine, options.moves))
            )
        finally:
            server.close()
    judged = bars(ours, others)
    print("", *(sentence for _, sentence in judged), medians(ours, others), sep="\n")
    return 0 if all(met for met, _ in judged) else 1


if __name__ == "__main__":
    sys.exit(main())

"""Measure the speed of each play in Chromium, next to interact, ipympl and plotly.

Below the table are the bars and the plays that miss them; a missed bar makes the exit code 1. On a
shared machine neighbours can halve the speed for minutes, so interact is measured again before each
lesson: the last two columns say how many times as long its median delay is, and how many times its
frames a play shows.

ipympl and plotly are not part of the course: missing ones are installed into build/rivals.

    python benchmarks/live_figures.py [--moves 100] [--only LESSON] [--no-rivals]
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / folder) for folder in ("benchmarks", "tests", "tests/browser")]

from figure_speed import Measured, measure  # noqa: E402

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
"""The bars: at most, at most, at least in a second, and at least so much faster than interact."""
HEAD = (
    "| figure | median ms | p95 ms | frames/s | last frame after, ms | moves | interact's median |"
    " its frames |\n|---|---|---|---|---|---|---|---|"
)

COMMON = "import numpy as np, ipywidgets as widgets, matplotlib.pyplot as plt\n"
COMMON += "x = np.linspace(0, 6, 100)\n"
SLIDER = "s = widgets.FloatSlider(1, min=0.1, max=5, step=0.05)\n"
LINE, HEAT = "np.sin({0} * x)", "np.sin({0} * x[:, None]) * np.cos(x)"
INTERACT = (
    "%matplotlib inline\n"
    + COMMON
    + """def f(a):
    plt.figure(figsize=(6.4, 3.8)); {draw}; plt.show()
widgets.interact(f, a=(0.1, 5.0, 0.05));"""
)
IPYMPL = (
    "%matplotlib widget\n"
    + COMMON
    + SLIDER
    + """fig, ax = plt.subplots(figsize=(6.4, 3.8)); {draw}
def f(c):
    {update}; fig.canvas.draw_idle()
s.observe(f, 'value'); display(s, fig.canvas)"""
)
PLOTLY = (
    COMMON
    + SLIDER
    + """import plotly.graph_objects as go
fig = go.FigureWidget(go.{draw}, layout=dict(width=640, height=380))
def f(c): fig.data[0].{update}
s.observe(f, 'value'); display(s, fig)"""
)
RIVAL_CELLS = {
    "interact + inline, line": INTERACT.format(
        draw=f"plt.plot(x, {LINE.format('a')}); plt.ylim(-1, 1)"
    ),
    "interact + inline, heat map": INTERACT.format(
        draw=f"plt.imshow({HEAT.format('a')}, aspect='auto'); plt.colorbar()"
    ),
    "ipympl, line": IPYMPL.format(
        draw=f"line, = ax.plot(x, {LINE.format('1')})",
        update=f"line.set_ydata({LINE.format('c.new')})",
    ),
    "ipympl, heat map": IPYMPL.format(
        draw=f"image = ax.imshow({HEAT.format('1')}, aspect='auto')",
        update=f"image.set_data({HEAT.format('c.new')})",
    ),
    "plotly FigureWidget, line": PLOTLY.format(
        draw=f"Scatter(x=x, y={LINE.format('1')})", update=f"y = {LINE.format('c.new')}"
    ),
    "plotly FigureWidget, heat map": PLOTLY.format(
        draw=f"Heatmap(z={HEAT.format('1')})", update=f"z = {HEAT.format('c.new')}"
    ),
}

INTERACTS = [name for name in RIVAL_CELLS if name.startswith("interact")]


def bars(plays: list[Measured]) -> list[tuple[bool, str]]:
    """Return for each bar whether it is met, and a sentence.

    A play is compared with interact's figure of its kind, lines or a heat map.
    """
    measured = [play for play in plays if not play.why]
    shares = {play.name: len(play.delays) / play.wanted for play in plays}
    medians = {play.name: -play.median for play in measured}
    p95s = {play.name: -play.p95 for play in measured}
    rates = {play.name: play.rate for play in measured if play.rate is not None}
    sooner = {play.name: play.sooner for play in measured if play.sooner is not None}
    quicker = {play.name: play.quicker for play in measured if play.quicker is not None}
    return [
        *_bar("as many moves measured as were wanted", shares, 1),
        *_bar(f"a median of at most {MEDIAN_MS:.0f} ms", medians, -MEDIAN_MS),
        *_bar(f"a 95th percentile of at most {P95_MS:.0f} ms", p95s, -P95_MS),
        *_bar(f"at least {FRAMES:.0f} frames a second", rates, FRAMES),
        *_bar(f"a median that interact takes {TIMES:.0f} times as long for", sooner, TIMES),
        *_bar(f"at least {TIMES:.0f} times the frames of interact", quicker, TIMES),
    ]


def _bar(wanted: str, found: Mapping[str, float], least: float) -> list[tuple[bool, str]]:
    if not found:
        return []
    short = [f"{name} ({abs(value):.1f})" for name, value in found.items() if not value >= least]
    if short:
        return [(False, f"NOT MET by {', '.join(short)}: {wanted}.")]
    return [(True, f"Met by all {len(found)} plays: {wanted}.")]


def plays(server: Any, chromium: Any, port: int, moves: int, name: str) -> Iterator[Measured]:
    """Measure every play of a lesson, after solving it and answering its questions."""
    from lab import opened

    from course import lesson, references
    from grader.author.lesson import cell_ids, role

    roles = [role(cell)[0] for cell in lesson(name).notebook.cells]
    ids = list(zip(cell_ids(lesson(name)), roles, strict=True))
    with opened(server, f"{name}/{name}.ipynb", chromium, [], reload=True) as notebook:
        for exercise, text in references(name).items():
            notebook.set_source(exercise, text)
        notebook.run_all()
        for cell_id in (cell_id for cell_id, kind in ids if kind == "question"):
            notebook.answer(cell_id)
        for number, cell_id in enumerate((cell_id for cell_id, kind in ids if kind == "play"), 1):
            yield measure(notebook, port, f"**{name}**, play {number}", cell_id, moves)


def rivals(
    server: Any, chromium: Any, port: int, moves: int, names: Iterable[str]
) -> Iterator[Measured]:
    """Measure these rivals, each in its own notebook, so that none slows the next."""
    import nbformat
    from lab import opened

    for number, name in enumerate(names):
        cell = nbformat.v4.new_code_cell(RIVAL_CELLS[name], id="rival")
        notebook = nbformat.v4.new_notebook(cells=[cell])
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook.metadata.kernelspec = kernel
        nbformat.write(notebook, server.folder / "work" / f"rival{number}.ipynb")
        with opened(server, f"rival{number}.ipynb", chromium, [], reload=True) as page:
            page.run_all()
            page.page.wait_for_timeout(1500)
            yield measure(page, port, name, "rival", moves)


def install_rivals() -> None:
    """Install ipympl and plotly where only this benchmark's server finds them."""
    wanted = [f"{name}-{number}.dist-info" for name, number in PACKAGES.items()]
    if not all((RIVALS / name).exists() for name in wanted):
        shutil.rmtree(RIVALS, ignore_errors=True)
        uv = Path(sys.executable).parent / "uv"
        pip = [sys.executable, "-m", "pip", "install"]
        if uv.exists():
            pip = [str(uv), "pip", "install", "--python", sys.executable]
        packages = [f"{name}=={number}" for name, number in PACKAGES.items()]
        subprocess.run([*pip, "--no-deps", "--target", str(RIVALS), *packages], check=True)
    paths = [str(RIVALS), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    os.environ["JUPYTER_PATH"] = str(RIVALS / "share" / "jupyter")


def table(measured: Iterable[Measured]) -> list[Measured]:
    """Print a row for each result as soon as it is there, and return all of them."""
    rows = []
    for one in measured:
        rows.append(one)
        print(one.row(), flush=True)
    return rows


def main() -> int:
    """Print the table row by row, and the bars; return 1 if one is missed."""
    from lab import Server, browser, free_port

    from course import LESSONS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=100)
    parser.add_argument("--only", choices=[*LESSONS, "rivals"])
    parser.add_argument("--no-rivals", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped too
    versions = {name: version(name) for name in OURS}
    if not options.no_rivals:
        install_rivals()
        versions |= PACKAGES
    names = [] if options.only == "rivals" else [options.only] if options.only else LESSONS
    port, moves = free_port(), options.moves
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as home,
        browser(f"--remote-debugging-port={port}") as chromium,
    ):
        ignored = shutil.ignore_patterns("progress.json")
        shutil.copytree(ROOT / "course", Path(folder) / "course", ignore=ignored)
        server = Server(Path(folder), Path(home))
        try:
            numbers = ", ".join(f"{name} {number}" for name, number in versions.items())
            print(f"Chromium {chromium.version}, {numbers}.")
            print(f"Load at the start: {os.getloadavg()[0]:.1f}\n\n{HEAD}", flush=True)
            common = server, chromium, port, moves
            ours = []
            for name in names:
                interact = {one.heat: one for one in table(rivals(*common, INTERACTS))}
                played = plays(*common, name)
                ours += table(replace(play, interact=interact.get(play.heat)) for play in played)
            if not options.no_rivals:
                table(rivals(*common, [name for name in RIVAL_CELLS if name not in INTERACTS]))
        finally:
            server.close()
    judged = bars(ours)
    print("", *(sentence for _, sentence in judged), sep="\n")
    return 0 if all(met for met, _ in judged) else 1


if __name__ == "__main__":
    sys.exit(main())

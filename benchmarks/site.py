"""Measure the static site: its size, its first cell, a slider's pictures, and an import.

The site has the xeus kernel; Chromium opens it from this machine. Below the table are the bars; a
missed one makes the exit code 1.

    python benchmarks/site.py [--moves 100]
"""

from __future__ import annotations

import argparse
import gzip
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / folder) for folder in ("benchmarks", "tests", "tests/browser")]

from figure_speed import measure  # noqa: E402

BEFORE = "2e8babd"
"""The last commit whose figures needed matplotlib when they were imported."""
IMPORT = (
    "import IPython, time; start = time.process_time(); from playground import neuron;"
    " print(time.process_time() - start)"  # a kernel has IPython already
)
Row = tuple[str, float, str, float]  # what is measured, its value and unit, and the bar


def compressed(site: Path) -> float:
    """Return the size of a folder's files in MB, as a server that compresses sends them."""
    files = (path.read_bytes() for path in site.rglob("*") if path.is_file())
    return sum(min(len(data), len(gzip.compress(data))) for data in files) / 1e6


def import_share(runs: int = 7) -> float:
    """Return the processor time of the import, in that of the earlier commit's."""
    with tempfile.TemporaryDirectory() as folder:
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", folder, BEFORE], check=True)
        try:
            times: dict[Path, list[float]] = {ROOT: [], Path(folder): []}
            for _ in range(1 + runs):
                for root, found in times.items():
                    found.append(float(_output(root, sys.executable, "-c", IMPORT)))
        finally:
            subprocess.run([*git, "remove", "--force", folder], check=True)
    now, before = (min(found[1:]) for found in times.values())  # the first writes bytecode
    return now / before


def _output(folder: Path, *words: str) -> str:
    return subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout


def visit(site: Path, moves: int) -> Iterator[Row]:
    """Open a lesson with an empty cache, run it, and move the slider of its first large figure."""
    from lab import browser, free_port
    from visit import ALONE, served, visited

    from course import references

    port = free_port()
    with served(site) as address, browser(ALONE, f"--remote-debugging-port={port}") as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(600_000)
        start = time.perf_counter()
        notebook = visited(page, address, "neuron/neuron.ipynb")
        notebook.run("setup-01")
        yield "first cell done after opening", time.perf_counter() - start, "s", 12
        for exercise, text in references("neuron").items():
            notebook.run(exercise, text)
        for cell in ("question-01", "play-02"):
            notebook.run(cell)
        notebook.answer("question-01")
        figure = measure(notebook, port, "signal", "play-02", moves)
        if figure.why or figure.rate is None:
            raise SystemExit(f"The figure was not measured: {figure.why}")
        yield "slider to picture, median", figure.median, "ms", 35
        yield "pictures in a drag", figure.rate, "a second", -25


def rows(moves: int) -> Iterator[Row]:
    """Yield all measured values; a negative bar is a least one."""
    from visit import build

    with tempfile.TemporaryDirectory() as folder:
        build(site := Path(folder) / "site")
        yield "size of the site, compressed", compressed(site), "MB", 35
        yield from visit(site, moves)
    yield f"import of a lesson's figures, to {BEFORE}", import_share(), "of its time", 0.5


def main() -> int:
    """Print the table row by row; return 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=100)
    missed = 0
    print("| measured | result | bar | load |\n|---|---|---|---|", flush=True)
    for name, value, unit, bar in rows(parser.parse_args().moves):
        missed += value < -bar if bar < 0 else value > bar
        wanted = f"at {'least' if bar < 0 else 'most'} {abs(bar):g}"
        load = os.getloadavg()[0]
        print(f"| {name} | {value:.3g} {unit} | {wanted} | {load:.1f} |", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

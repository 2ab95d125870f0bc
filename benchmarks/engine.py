"""Time the sandboxed grading of a solved notebook, against a fresh Python for each."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from grader.author.lesson import load_lesson
from grader.execution.unconfined import Unconfined
from grader.instructor.repairs import Ask
from grader.instructor.run import Run
from grader.sandbox.engine import Engine
from grader.sandbox.launch import Protection, protection
from grader.settings import load_settings

ROOT = Path(__file__).parent.parent
LESSON = "neuron"


def notebook() -> bytes:
    """Return the lesson with its reference solutions."""
    return (ROOT / "solutions" / LESSON / f"{LESSON}.ipynb").read_bytes()


def seconds(ask: Ask, run: Run, data: bytes, count: int) -> list[float]:
    """Return the seconds of each of `count` gradings; each must give all points."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        graded = run.grade(data, ask)
        times.append(time.perf_counter() - start)
        notes = {name: verdict.note for name, verdict in graded.verdicts.items()}
        assert graded.points == graded.max_points, notes
    return times


def one_engine(kind: str, count: int) -> list[float]:
    """Return the seconds of `count` gradings in a new engine, after three to warm up."""
    run = Run(load_lesson(ROOT / "solutions" / LESSON), seed=1)
    with Engine(load_settings(ROOT), kind=Protection[kind]) as engine:
        seconds(engine.run, run, notebook(), 3)
        return seconds(engine.run, run, notebook(), count)


def row(way: str, times: list[float], rate: float, base: float) -> str:
    """Return a row of the table; `rate` and `base` are submissions per second."""
    median = 1000 * statistics.median(times)
    return f"| {way} | {rate:.1f} | {median:.1f} | {rate / base:.0f}× |"


def main() -> None:
    """Print the table."""
    run = Run(load_lesson(ROOT / "solutions" / LESSON), seed=1)
    times = seconds(Unconfined().run, run, notebook(), 5)
    base = 1 / statistics.median(times)
    print("| way | submissions/s | median ms | against a fresh Python |\n|---|---|---|---|")
    print(row("a fresh Python for each, unconfined", times, base, base))
    best = protection()
    for kind in dict.fromkeys((best, Protection.LANDLOCK)):
        times = one_engine(kind.name, 200)
        print(row(f"one engine, {kind.value}", times, len(times) / sum(times), base))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        both = list(pool.map(one_engine, [best.name] * 2, [200] * 2))
    rate = sum(len(times) / sum(times) for times in both)
    print(row(f"two engines, {best.value}", both[0] + both[1], rate, base))


if __name__ == "__main__":
    main()

"""Time the sandboxed grading of a solved notebook, against a fresh Python for each."""

from __future__ import annotations

import json
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from grader.author.lesson import load_lesson
from grader.execution.unconfined import Unconfined
from grader.instructor.run import Run, Runner
from grader.sandbox.engine import Engine
from grader.sandbox.launch import Protection, protection

ROOT = Path(__file__).parent.parent
LESSON = "neuron"


def notebook() -> bytes:
    """The lesson with the reference in it, as a learner would hand it in."""
    return (ROOT / "solutions" / LESSON / f"{LESSON}.ipynb").read_bytes()


def seconds(runner: Runner, run: Run, data: bytes, count: int) -> list[float]:
    """Seconds of each of `count` gradings; every one has to give all points."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        graded = run.grade(data, runner)
        times.append(time.perf_counter() - start)
        assert graded.points == graded.max_points, json.dumps(
            {name: verdict.note for name, verdict in graded.verdicts.items()}
        )
    return times


def one_engine(kind: str, count: int) -> list[float]:
    """The same in an engine of its own, after a first one to warm up."""
    run = Run(load_lesson(ROOT / "solutions" / LESSON), seed=1)
    with Engine(kind=Protection[kind]) as engine:
        seconds(engine, run, notebook(), 3)
        return seconds(engine, run, notebook(), count)


def main() -> None:
    """Print the table."""
    run = Run(load_lesson(ROOT / "solutions" / LESSON), seed=1)
    cold = seconds(Unconfined(), run, notebook(), 5)
    print("| way | submissions/s | median ms | against a fresh Python |\n|---|---|---|---|")
    base = 1 / statistics.median(cold)
    print(
        f"| a fresh Python for each, unconfined | {base:.1f} | {1000 * statistics.median(cold):.0f} | 1 |"
    )
    for kind in [
        kind
        for kind in (Protection.NAMESPACES, Protection.LANDLOCK)
        if protection() is Protection.NAMESPACES or kind is protection()
    ]:
        times = one_engine(kind.name, 200)
        print(
            f"| one engine, {kind.value} | {len(times) / sum(times):.0f} | {1000 * statistics.median(times):.1f} | {len(times) / sum(times) / base:.0f}× |"
        )
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        both = list(pool.map(one_engine, [protection().name] * 2, [200] * 2))
    rate = sum(len(times) / sum(times) for times in both)
    print(
        f"| two engines, {protection().value} | {rate:.0f} | {1000 * statistics.median(both[0] + both[1]):.1f} | {rate / base:.0f}× |"
    )


if __name__ == "__main__":
    main()

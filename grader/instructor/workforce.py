"""Notebooks' cells come in; what each got goes out as it is done, graded by many processes of this machine or by a Dask cluster."""

from __future__ import annotations

import atexit
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from grader import lean  # noqa: F401 (first)
from grader.author.lesson import load_lesson
from grader.comparison.judge import Verdict
from grader.comparison.present import STYLE, failure_rows, verdict_html
from grader.engine.refused import EngineRefused
from grader.execution.submission import Cell
from grader.instructor.grade import open_runner
from grader.instructor.run import Graded, Run, Runner
from grader.orphan import end_with_parent

BATCH = 4
"""Notebooks that travel together."""

TRIES = 3
"""How often a batch is given to another worker when one dies over it; from the second time on its notebooks go alone."""

Result = dict[str, Any]
"""What a notebook got, as plain data: ``"points"``, ``"max_points"``, ``"exercises"``: {name: points, max_points, passed, missed,
hint, note, html}, and ``"repaired"``, sentences. Or only ``"error"``, a sentence. An exercise that no misconception explains has besides
``"unexplained"``: {returned, the fingerprint of what it did; property; reason; case, rows of a name and a text}."""


@dataclass(frozen=True)
class Order:
    """What every worker has to know: the lesson's folder, the seed of the inputs, and whether it may run code unconfined."""

    folder: Path
    seed: int
    unsafe: bool = False


def grade_many(executor: Callable[[], Executor], order: Order, notebooks: Iterable[tuple[str, list[Cell]]], width: int) -> Iterator[tuple[str, Result]]:
    """What each notebook got, by its name, as soon as it is known; a worker that dies costs nobody but the notebook that it dies over.

    Args:
        executor: makes the workers, anew where they broke.
        order: what they all have to know.
        notebooks: name and cells; read only as fast as they are graded.
        width: how many batches are on their way at a time.

    Raises:
        EngineRefused: a worker's machine gives no protection.
    """
    workers = executor()
    waiting = _batches(notebooks)
    again: deque[tuple[list[tuple[str, list[Cell]]], int]] = deque()
    running: dict[Future[list[Result]], tuple[list[tuple[str, list[Cell]]], int]] = {}
    while True:
        while len(running) < width and (more := again.popleft() if again else _first(waiting)):
            try:
                running[workers.submit(grade_batch, order, [cells for _, cells in more[0]])] = more
            except BrokenProcessPool:
                workers = executor()
                again.appendleft(more)
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            batch, tries = running.pop(future)
            try:
                yield from zip((name for name, _ in batch), future.result(), strict=True)
            except EngineRefused:
                raise
            except Exception as error:  # a worker that died; what a learner's code does arrives as a result
                if tries < TRIES:
                    again.extend(([one], tries + 1) for one in batch)
                else:
                    yield from ((name, {"error": f"grading it failed {TRIES} times: {type(error).__name__}: {error}"}) for name, _ in batch)


def grade_batch(order: Order, notebooks: list[list[Cell]]) -> list[Result]:
    """What some notebooks got. Runs in a worker, which keeps the lesson, the expected values and the runner for the next batch."""
    run, runner = _station(order)
    return [grade_one(run, cells, runner) for cells in notebooks]


def grade_one(run: Run, cells: list[Cell], runner: Runner) -> Result:
    """What one notebook got, as plain data."""
    return as_result(run.grade_cells(cells, runner))


def as_result(graded: Graded) -> Result:
    """Verdicts as plain data, of bounded size. What learners' code produced is in it as escaped HTML, and unescaped in ``"unexplained"``."""
    return {
        "points": graded.points,
        "max_points": graded.max_points,
        "exercises": {name: _plain(verdict) for name, verdict in graded.verdicts.items()},
        "repaired": list(graded.repaired),
    }


@contextmanager
def local_workers(count: int) -> Iterator[Callable[[], Executor]]:
    """Makes executors of so many processes on this machine, which end when this process ends, however it ends."""
    made: list[ProcessPoolExecutor] = []

    def make() -> Executor:
        made.append(ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=end_with_parent))
        return made[-1]

    try:
        yield make
    finally:
        for pool in made:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def cluster_workers(scheduler: str) -> Iterator[tuple[Callable[[], Executor], int]]:
    """An executor on a Dask cluster, which has this course under the same path, and how many workers it has."""
    from distributed import Client

    with Client(scheduler, timeout="20s") as client:  # type: ignore[no-untyped-call]
        executor = client.get_executor(pure=False, retries=TRIES)
        yield (lambda: executor), max(1, len(client.scheduler_info()["workers"]))


@cache
def _station(order: Order) -> tuple[Run, Runner]:
    run = Run(load_lesson(order.folder), order.seed)
    stack = ExitStack()
    runner = stack.enter_context(open_runner(order.unsafe))
    atexit.register(stack.close)
    return run, runner


def _batches(notebooks: Iterable[tuple[str, list[Cell]]]) -> Iterator[tuple[list[tuple[str, list[Cell]]], int]]:
    batch: list[tuple[str, list[Cell]]] = []
    for one in notebooks:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch, 1
            batch = []
    if batch:
        yield batch, 1


def _first(waiting: Iterator[tuple[list[tuple[str, list[Cell]]], int]]) -> tuple[list[tuple[str, list[Cell]]], int] | None:
    return next(waiting, None)


def _plain(verdict: Verdict) -> dict[str, Any]:
    data = {
        "points": verdict.points,
        "max_points": verdict.max_points,
        "passed": list(verdict.passed),
        "missed": list(verdict.missed),
        "hint": verdict.hint,
        "note": verdict.note,
        "html": verdict_html(verdict).removeprefix(STYLE),
    }
    return data | ({"unexplained": _unexplained(verdict)} if verdict.returned else {})


def _unexplained(verdict: Verdict) -> dict[str, Any]:
    """What an author needs to write the misconception that is missing; texts are short, but what learners' code produced is in them as it is."""
    assert verdict.failure is not None, "what passed everything needs no misconception"
    failure = verdict.failure
    return {"returned": verdict.returned, "property": failure.case["property"], "reason": failure.reason, "case": failure_rows(failure, printed=False)}

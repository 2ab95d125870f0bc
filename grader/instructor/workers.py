"""Grade notebooks with worker processes on this machine or on a Dask cluster."""

from __future__ import annotations

import atexit
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from grader import startup  # noqa: F401 (first)
from grader.author.lesson import load_lesson
from grader.comparison.judge import Verdict
from grader.comparison.present import STYLE, failure_rows, verdict_html
from grader.comparison.schema import Request, Response
from grader.errors import SandboxUnavailable
from grader.execution.notebook import Cell
from grader.instructor.grade import open_runner
from grader.instructor.run import Graded, Run, Runner
from grader.processes import process_pool

BATCH = 4
"""Notebooks that travel together."""

TRIES = 3
"""How often a notebook is tried over which a worker dies: in its batch, then as a batch of its own, at last with nothing else under way."""

Result = dict[str, Any]
"""What a notebook got, as plain data: ``"points"``, ``"max_points"``, ``"exercises"``: {name: points, max_points, passed, missed,
hint, note, html}, and ``"repaired"``, sentences. Or only ``"error"``, a sentence. An exercise that no misconception explains has besides
``"unexplained"``: {returned, the fingerprint of what it did; property; reason; case, rows of a name and a text}."""

Load = tuple[list[tuple[str, list[Cell]]], int]
"""A batch, name and cells of each notebook, and which try it is."""

_TURN = threading.Lock()
"""Held by the thread of a worker that judges: warnings and random numbers are the process's. It is free while a notebook runs."""

_OF_THREAD = threading.local()


@dataclass(frozen=True)
class Order:
    """What every worker has to know: the lesson's folder and edition, the seed of the inputs, and whether it may run code unconfined.

    A worker of a cluster lives longer than a run, so the edition tells it that a lesson which it has read is another by now.
    """

    folder: Path
    edition: str
    seed: int
    unsafe: bool = False


def grade_many(
    executor: Callable[[], Executor],
    order: Order,
    notebooks: Iterable[tuple[str, list[Cell]]],
    width: int,
) -> Iterator[tuple[str, Result]]:
    """What each notebook got, by its name, as soon as it is known; a worker that dies costs nobody but the notebook that it dies over.

    It takes along what is under way beside it, so a last try comes when all else is done.

    Args:
        executor: makes the workers, again where they broke.
        order: what they all have to know.
        notebooks: name and cells; read only as fast as they are graded.
        width: how many batches are on their way at a time.

    Raises:
        SandboxUnavailable: a worker's machine gives no protection.
    """
    workers = executor()
    waiting = _batches(notebooks)
    again: deque[Load] = deque()
    alone: deque[Load] = deque()
    running: dict[Future[list[Result]], Load] = {}

    def next_load() -> Load | None:
        if load := again.popleft() if again else next(waiting, None):
            return load
        return alone.popleft() if alone and not running else None

    while True:
        while len(running) < width and (load := next_load()):
            try:
                running[workers.submit(grade_batch, order, [cells for _, cells in load[0]])] = load
            except BrokenProcessPool:
                workers = executor()
                again.appendleft(load)
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            batch, tries = running.pop(future)
            try:
                yield from zip((name for name, _ in batch), future.result(), strict=True)
            except SandboxUnavailable:
                raise
            except (
                Exception
            ) as error:  # a worker that died; what a learner's code does arrives as a result
                if tries < TRIES:
                    (again if tries + 1 < TRIES else alone).extend(
                        ([one], tries + 1) for one in batch
                    )
                else:
                    yield from (
                        (
                            name,
                            {
                                "error": f"grading it failed {TRIES} times: {type(error).__name__}: {error}"
                            },
                        )
                        for name, _ in batch
                    )


def grade_batch(order: Order, notebooks: list[list[Cell]]) -> list[Result]:
    """What some notebooks got. Runs in a worker, which keeps the lesson and the expected values for the next batch, and for each thread a runner."""
    with _TURN:
        run, runner = run_of(order), _runner(order.folder.parents[1], order.unsafe)
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
        made.append(process_pool(count))
        return made[-1]

    try:
        yield make
    finally:
        for pool in made:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def cluster_workers(scheduler: str) -> Iterator[tuple[Callable[[], Executor], int]]:
    """An executor on a Dask cluster, which has this course under the same path, and how many threads its workers have."""
    from distributed import Client

    with Client(scheduler, timeout="20s") as client:  # type: ignore[no-untyped-call]
        executor = client.get_executor(pure=False, retries=TRIES)
        yield (lambda: executor), max(1, sum(client.nthreads().values()))


@cache
def run_of(order: Order) -> Run:
    """The one run of an order, with what is expected."""
    return Run(load_lesson(order.folder), order.seed)


def _runner(root: Path, unsafe: bool) -> Runner:
    """Return this thread's runner for a course: an engine runs one notebook at a time."""
    runners: dict[tuple[Path, bool], Runner] = vars(_OF_THREAD).setdefault("runners", {})
    if (root, unsafe) not in runners:
        stack = ExitStack()
        runners[root, unsafe] = _InTurn(stack.enter_context(open_runner(root, unsafe)))
        atexit.register(stack.close)
    return runners[root, unsafe]


class _InTurn:
    """A runner that gives the turn to other threads while a notebook runs."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner

    def run(self, request: Request) -> Response:
        """The runner's response."""
        _TURN.release()
        try:
            return self.runner.run(request)
        finally:
            _TURN.acquire()


def _batches(notebooks: Iterable[tuple[str, list[Cell]]]) -> Iterator[Load]:
    left = iter(notebooks)
    while batch := list(islice(left, BATCH)):
        yield batch, 1


def _plain(verdict: Verdict) -> dict[str, Any]:
    data = {
        "state": verdict.state,
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
    return {
        "returned": verdict.returned,
        "property": failure.case["property"],
        "reason": failure.reason,
        "case": failure_rows(failure, printed=False),
    }

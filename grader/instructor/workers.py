"""Grade notebooks with worker processes on this machine or on a Dask cluster.

`grade_many` sends batches to an executor; `grade_batch` runs in a worker.
"""

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

from grader import startup  # noqa: F401 (first)
from grader.author.lesson import load_lesson
from grader.errors import SandboxUnavailable
from grader.execution.notebook import Cell
from grader.instructor.run import Result, Run, Runner
from grader.processes import process_pool
from grader.sandbox.engine import Engine
from grader.settings import load_settings

BATCH_SIZE = 4

MAX_TRIES = 3
"""Tries of a notebook whose worker dies: in its batch, alone, and with no other batch running."""

_JUDGING = threading.Lock()
"""Held while a thread of a worker prepares or judges: both catch warnings and seed numpy, which
belong to the whole process. It is free while a notebook runs."""

_THREAD = threading.local()
"""Holds a thread's engines: an engine serves one notebook at a time, and every job."""


@dataclass(frozen=True)
class Job:
    """The settings of a run that every worker needs.

    A worker can outlive a run: another `lesson_version` makes it load the lesson again.
    """

    folder: Path
    lesson_version: str
    seed: int


@dataclass(frozen=True)
class Batch:
    """Notebooks sent together, by name, and the number of this try."""

    notebooks: list[tuple[str, list[Cell]]]
    tries: int = 1


def grade_many(
    executor: Callable[[], Executor],
    job: Job,
    notebooks: Iterable[tuple[str, list[Cell]]],
    width: int,
) -> Iterator[tuple[str, Result | str]]:
    """Yield each notebook's name and result, or a sentence about why there is none.

    At most `width` batches are sent at a time, and `notebooks` is read as fast as they are graded.
    A notebook that kills its worker takes the batches down that run at the same time. All of them
    are tried again by new workers, the last time with nothing else running.

    Raises:
        SandboxUnavailable: a worker's machine can't confine learners' code.
    """
    workers = executor()
    waiting = _batches(notebooks)
    again: deque[Batch] = deque()
    alone: deque[Batch] = deque()
    running: dict[Future[list[Result]], Batch] = {}

    def next_batch() -> Batch | None:
        if batch := again.popleft() if again else next(waiting, None):
            return batch
        return alone.popleft() if alone and not running else None

    while True:
        while len(running) < width and (batch := next_batch()):
            cells = [cells for _, cells in batch.notebooks]
            try:
                running[workers.submit(grade_batch, job, cells)] = batch
            except BrokenProcessPool:
                workers = executor()
                again.appendleft(batch)
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            batch = running.pop(future)
            names = [name for name, _ in batch.notebooks]
            try:
                yield from zip(names, future.result(), strict=True)
            except SandboxUnavailable:
                raise
            # A worker died: anything that a learner's code does arrives as a result.
            except Exception as error:
                if batch.tries < MAX_TRIES:
                    queue = again if batch.tries + 1 < MAX_TRIES else alone
                    queue.extend(Batch([one], batch.tries + 1) for one in batch.notebooks)
                    continue
                reason = f"{type(error).__name__}: {error}"
                yield from ((name, f"grading failed {MAX_TRIES} times: {reason}") for name in names)


def grade_batch(job: Job, notebooks: list[list[Cell]]) -> list[Result]:
    """Grade notebooks in a worker, which keeps the lesson and its keys for the next batch."""
    with _JUDGING:
        run = run_of(job)
    runner = _runner(job.folder.parents[1])
    return [_grade(run, cells, runner) for cells in notebooks]


def _grade(run: Run, submitted: list[Cell], runner: Runner) -> Result:
    with _JUDGING:
        request, repaired = run.request(submitted)
    response = runner.run(request)
    with _JUDGING:
        return run.judge(submitted, request, repaired, response).result()


@contextmanager
def local_workers(count: int) -> Iterator[Callable[[], Executor]]:
    """Yield a maker of executors with `count` processes, which never outlive this process."""
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
    """Yield a maker of executors on a Dask cluster, and the number of its threads.

    Its workers need this course under the same path.
    """
    from distributed import Client

    with Client(scheduler, timeout="20s") as client:  # type: ignore[no-untyped-call]
        executor = client.get_executor(pure=False, retries=MAX_TRIES)
        yield (lambda: executor), max(1, sum(client.nthreads().values()))


@cache
def run_of(job: Job) -> Run:
    """Return the run of a job, one for all its notebooks."""
    return Run(load_lesson(job.folder), job.seed)


def _runner(root: Path) -> Runner:
    """Return this thread's sandbox for a course."""
    engines: dict[Path, Engine] = vars(_THREAD).setdefault("engines", {})
    if root not in engines:
        stack = ExitStack()
        engines[root] = stack.enter_context(Engine(load_settings(root)))
        atexit.register(stack.close)
    return engines[root]


def _batches(notebooks: Iterable[tuple[str, list[Cell]]]) -> Iterator[Batch]:
    left = iter(notebooks)
    while batch := list(islice(left, BATCH_SIZE)):
        yield Batch(batch)

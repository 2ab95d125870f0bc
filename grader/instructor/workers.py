"""Grade notebooks with worker processes on this machine or on a Dask cluster.

`grade_many` sends batches to an executor; `grade_batch` runs in a worker. A worker's thread has a
sandbox, which runs learners' code, and a `Guard`, in whose process its outcomes are judged.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby, islice
from multiprocessing.util import Finalize
from pathlib import Path

from grader import startup  # noqa: F401 (first)
from grader.author.lesson import load_lesson
from grader.comparison.schema import Request, Response
from grader.errors import SandboxUnavailable
from grader.execution.limits import OUTSIDE
from grader.execution.submission import Selection
from grader.instructor.repairs import Ask
from grader.instructor.run import Result, Run
from grader.processes import Guard, OverBudget, extend, process_pool
from grader.sandbox.engine import Engine
from grader.settings import load_settings

BATCH_SIZE = 4

Workers = Callable[[Executor | None], Executor]
"""Returns an executor, a new one in place of one that broke."""

MAX_TRIES = 3
"""Tries of a notebook whose worker dies: in its batch, alone, and with no other batch running."""

_PREPARING = threading.Lock()
"""Held while a thread of a worker computes keys: that catches warnings and seeds numpy, which
belong to the whole process."""

_THREAD = threading.local()
"""Holds a thread's engines, by course, and guards, by job: each serves one notebook at a time."""

MAX_GUARDS = 4
"""Most processes that judge for one thread."""

MAX_RUNS = 64
"""Most runs that a worker keeps with their keys."""


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
    """Notebooks of a job that are sent together, by name, and the number of this try."""

    job: Job
    notebooks: list[tuple[str, Selection]]
    tries: int = 1


class _Waiting:
    """Batches that wait to be sent: new ones, those to try again, and those to try alone."""

    def __init__(self, notebooks: Iterable[tuple[str, Job, Selection]]) -> None:
        self._new = _batches(notebooks)
        self._again: deque[Batch] = deque()
        self._alone: deque[Batch] = deque()

    def next(self, others_run: bool) -> Batch | None:
        """Return the next batch that may be sent now, or None."""
        if batch := self._again.popleft() if self._again else next(self._new, None):
            return batch
        return self._alone.popleft() if self._alone and not others_run else None

    def put_back(self, batch: Batch) -> None:
        """Keep a batch that could not be sent."""
        self._again.appendleft(batch)

    def retry(self, batch: Batch) -> bool:
        """Keep the notebooks of a batch whose worker died; return False after the last try."""
        if batch.tries == MAX_TRIES:
            return False
        tries = batch.tries + 1
        queue = self._again if tries < MAX_TRIES else self._alone
        queue.extend(Batch(batch.job, [one], tries) for one in batch.notebooks)
        return True


def grade_many(
    executor: Workers, notebooks: Iterable[tuple[str, Job, Selection]], width: int, first: bool
) -> Iterator[tuple[str, Result | Exception]]:
    """Yield each notebook's name and result, or the error because of which there is none.

    A `first` try of a notebook is short, see `Budget`.

    At most `width` batches are sent at a time, and `notebooks` is read as fast as they are graded.
    A notebook that kills its worker takes the batches down that run at the same time. All of them
    are tried again by new workers, the last time with nothing else running.

    Raises:
        SandboxUnavailable: a worker's machine can't confine learners' code.
    """
    workers = executor(None)
    waiting = _Waiting(notebooks)
    running: dict[Future[list[Result | Exception]], Batch] = {}
    while True:
        while len(running) < width and (batch := waiting.next(bool(running))):
            chosen = [one for _, one in batch.notebooks]
            try:
                running[workers.submit(grade_batch, batch.job, chosen, first)] = batch
            except BrokenProcessPool:
                workers = executor(workers)
                waiting.put_back(batch)
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
                if not waiting.retry(batch):
                    reason = f"{type(error).__name__}: {error}"
                    why = RuntimeError(f"grading failed {MAX_TRIES} times: {reason}")
                    yield from ((name, why) for name in names)


def grade_batch(job: Job, notebooks: list[Selection], first: bool) -> list[Result | Exception]:
    """Grade notebooks in a worker, which keeps the lesson and its keys for the next batch."""
    results = list[Result | Exception]()
    engine = _engine(job.folder.parents[1])
    for chosen in notebooks:
        try:
            results.append(_graded(job, chosen, engine, first))
        except SandboxUnavailable:
            raise
        except Exception as error:
            results.append(error)
    return results


def _graded(job: Job, chosen: Selection, engine: Engine, first: bool) -> Result:
    """Grade a notebook; where the last try is too slow, without explaining its wrong answers."""
    if first:
        run = _within(OUTSIDE.first_run_seconds, engine)
        return _guard(job).call(OUTSIDE.first_seconds, chosen, True, answer=run)
    try:
        return _guard(job).call(OUTSIDE.seconds, chosen, True, answer=engine.run)
    except OverBudget:
        return _guard(job).call(OUTSIDE.seconds, chosen, False, answer=engine.run)


def _within(seconds: float, engine: Engine) -> Ask:
    """Return a function that runs requests, which may take `seconds` in all."""
    left = seconds

    def run(request: Request) -> Response:
        nonlocal left
        start = time.monotonic()
        response = engine.run(request, most=left)
        left = max(left - (time.monotonic() - start), 0.001)  # 0 would be no limit
        return response

    return run


def _guard(job: Job) -> Guard[Result]:
    """Return this thread's guard for a job; its process starts with the keys."""
    guards = vars(_THREAD).setdefault("guards", {})
    if job not in guards:
        while len(guards) >= MAX_GUARDS:
            guards.pop(next(iter(guards))).close()
        with _PREPARING:
            run = run_of(job)
        guards[job] = Guard(partial(_grade, run), OUTSIDE.memory_bytes)
    return guards[job]  # type: ignore[no-any-return]


def _grade(run: Run, chosen: Selection, explain: bool, ask: Ask) -> Result:
    if not explain:
        return run.judge(chosen, ask(run.request(chosen)), ask)[0].result()
    more = partial(extend, OUTSIDE.explain_seconds)
    return run.grade_with_figures(chosen, ask, more).result()


@contextmanager
def local_workers(count: int) -> Iterator[Workers]:
    """Yield a maker of executors with `count` processes, which never outlive this process."""
    made: list[ProcessPoolExecutor] = []

    def make(broken: Executor | None) -> Executor:
        if not made or made[-1] is broken:
            made.append(process_pool(count, __name__))
        return made[-1]

    try:
        yield make
    finally:
        for pool in made:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def cluster_workers(scheduler: str) -> Iterator[tuple[Workers, int]]:
    """Yield a maker of executors on a Dask cluster, and the number of its threads.

    Its workers need this course under the same path.
    """
    from distributed import Client

    with Client(scheduler, timeout="20s") as client:  # type: ignore[no-untyped-call]
        executor = client.get_executor(pure=False, retries=MAX_TRIES)
        yield (lambda _: executor), max(1, sum(client.nthreads().values()))


@lru_cache(MAX_RUNS)
def run_of(job: Job) -> Run:
    """Return the run of a job, one for all its notebooks, with its keys."""
    run = Run(load_lesson(job.folder), job.seed)
    assert run.calls  # computes the keys
    run.add_lines()
    return run


def _engine(root: Path) -> Engine:
    """Return this thread's sandbox for a course."""
    engines: dict[Path, Engine] = vars(_THREAD).setdefault("engines", {})
    if root not in engines:
        stack = ExitStack()
        engines[root] = stack.enter_context(Engine(load_settings(root)))
        Finalize(None, stack.close, exitpriority=0)  # atexit is not called in a worker
    return engines[root]


def _batches(notebooks: Iterable[tuple[str, Job, Selection]]) -> Iterator[Batch]:
    for job, group in groupby(notebooks, lambda one: one[1]):
        while batch := [(name, chosen) for name, _, chosen in islice(group, BATCH_SIZE)]:
            yield Batch(job, batch)

"""Worker processes that end with their parent, and a guard that ends work over its budget."""

from __future__ import annotations

import gc
import os
import signal
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import Pipe, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any, Generic, TypeVar

R = TypeVar("R")

ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
"""Environment of several Pythons at once: BLAS threads that wait keep a core busy."""


def process_pool(count: int | None = None, preload: str = "") -> ProcessPoolExecutor:
    """Return a pool of `count` new processes (default: one per core) that share no state.

    The module `preload`, whose import takes a while, is imported once for all of them.
    """
    context = get_context("forkserver" if preload and hasattr(os, "fork") else "spawn")
    context.set_forkserver_preload([preload] if preload else [])
    return ProcessPoolExecutor(count, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    def watch() -> None:
        if parent := parent_process():
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class OverBudget(Exception):
    """A call took more processor time or memory than it may; the message is a clause."""


def extend(seconds: float) -> None:
    """Give the call that this process serves for a guard `seconds` more of processor time."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, signal.getitimer(signal.ITIMER_PROF)[0] + seconds)


class Guard(Generic[R]):
    """Calls a function in a forked process, which the kernel ends when it exceeds its budget.

    The process is forked at the first call and serves all others until one exceeds the budget. It
    has what this process had in memory at that time. Where processes can't be forked (Windows), the
    function is called here, without a budget.
    """

    def __init__(self, function: Callable[..., R], memory_bytes: int) -> None:
        self._function, self._memory = function, memory_bytes
        self._pid = 0
        self._pipe: Connection | None = None

    def call(self, seconds: float, *args: Any, answer: Callable[[Any], Any] | None = None) -> R:
        """Return the function's result; it may take `seconds` of processor time.

        With `answer`, the function gets one more argument: a function that calls `answer` in this
        process. Its time does not count.

        Raises:
            OverBudget: the call took more time or memory, or ended its process.
            Exception: whatever the function or `answer` raises.
        """
        if not hasattr(os, "fork"):
            return self._function(*args, *filter(None, [answer]))
        try:
            kind, data = self._exchange((seconds, args, answer is not None), seconds)
            while kind == "asked":
                assert answer is not None
                kind, data = self._exchange(answer(data), seconds)
        except BaseException:
            self.close()
            raise
        if kind == "raised":
            raise data
        result: R = data
        return result

    def close(self) -> None:
        """End the process."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def _exchange(self, message: Any, seconds: float) -> tuple[str, Any]:
        if self._pipe is None:
            self._start()
        assert self._pipe is not None
        try:
            self._pipe.send(message)
            reply: tuple[str, Any] = self._pipe.recv()
            return reply
        except (EOFError, OSError):
            self._pipe.close()
            self._pipe = None
            code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        if code == -signal.SIGPROF:
            raise OverBudget(f"it took more than {seconds:g} seconds of processor time")
        raise OverBudget(f"its process ended ({code})")

    def _start(self) -> None:
        self._pipe, theirs = Pipe()
        with warnings.catch_warnings():
            # Python warns that another thread may hold a lock; the function must need none.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if self._pid == 0:
            try:
                _limit_this_process(theirs.fileno(), self._memory)
                self._serve(theirs)
            finally:
                os._exit(1)
        theirs.close()

    def _serve(self, pipe: Connection) -> None:
        def ask(data: Any) -> Any:
            pipe.send(("asked", data))
            return pipe.recv()

        while True:
            seconds, args, asks = pipe.recv()
            signal.setitimer(signal.ITIMER_PROF, seconds)
            try:
                result = self._function(*args, *[ask] * asks)
                reply = ForkingPickler.dumps(("returned", result))
            except MemoryError:
                most = f"it took more than {self._memory >> 20} MB of memory"
                reply = ForkingPickler.dumps(("raised", OverBudget(most)))
            except Exception as error:
                reply = _pickled(error)
            signal.setitimer(signal.ITIMER_PROF, 0)
            pipe.send_bytes(reply)


def _pickled(error: Exception) -> Any:
    try:
        return ForkingPickler.dumps(("raised", error))
    except Exception:
        return ForkingPickler.dumps(("raised", RuntimeError(f"{type(error).__name__}: {error}")))


def _limit_this_process(keep: int, memory_bytes: int) -> None:
    """Keep one descriptor besides the standard ones, and bound the memory from here on."""
    import resource

    gc.freeze()  # nothing of the parent is collected here: it could close a descriptor by number
    os.closerange(3, keep)
    os.closerange(keep + 1, os.sysconf("SC_OPEN_MAX"))
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    with suppress(OSError), open("/proc/self/status", encoding="ascii") as status:
        used = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmData"))
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (used + memory_bytes, hard))

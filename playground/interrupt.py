"""A learner's function that runs comes in; an interrupt of the kernel, or a new definition of it, ends it on whatever thread it runs.

Sliders are answered on a thread of their own, and Python gives an interrupt to the main thread alone, which the kernel ignores while
it is idle: without this, a function that never ends would hold its figure, and the next cell, for ever.
"""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_running: dict[int, list[Callable[..., Any]]] = {}
"""On each thread the functions that are under way, the outermost first."""

_guard = threading.RLock()


class Interrupted(BaseException):
    """Raised in the midst of a learner's function. Not an Exception: the function's own `except Exception` must let it pass."""


class Replaced(Interrupted):
    """The same, because the function has a new definition."""


@contextmanager
def interruptible(function: Callable[..., Any]) -> Iterator[None]:
    """Within this, the function can be ended on the thread that entered; then `Interrupted` comes out."""
    thread = threading.get_ident()
    with _guard:
        under_way = _running.setdefault(thread, [])
        depth = len(under_way)
        under_way.append(function)
    try:
        yield
    finally:
        _leave(thread, depth)


def _leave(thread: int, depth: int) -> None:
    """Forget what was entered from this depth on, even if an interrupt arrives just now; one that comes too late for all of it is dropped."""
    late: Interrupted | None = None
    while True:
        try:
            with _guard:
                del _running[thread][depth:]
                if depth == 0:
                    del _running[thread]
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None)
            break
        except Interrupted as interrupt:
            late = interrupt
        except KeyError:  # the interrupt came when it was done
            break
    if late is not None and depth:
        raise late


def is_outermost() -> bool:
    """Whether no function is under way on this thread, so that nobody further out has to hear of an interrupt."""
    return threading.get_ident() not in _running


def end(function: Callable[..., Any] | None = None) -> None:
    """End this function and whatever it calls, because it was replaced, or all of them, on every thread but this one."""
    why = Interrupted if function is None else Replaced
    with _guard:
        for thread, runs in _running.items():
            if thread != threading.get_ident() and (function is None or any(function is one for one in runs)):
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(why))


def listen(shell: Any) -> None:
    """Let interrupts of an idle kernel end what runs on other threads. While a cell runs, the kernel has a handler of its own: try again after it."""
    handler, loop = signal.getsignal(signal.SIGINT), getattr(getattr(shell, "kernel", None), "io_loop", None)
    if handler is signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: end())
    elif handler is signal.default_int_handler and loop is not None:
        loop.call_later(0.2, listen, shell)

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

_running: dict[int, Callable[..., Any]] = {}
_guard = threading.RLock()


class Interrupted(BaseException):
    """Raised in the midst of a learner's function. Not an Exception: the function's own `except Exception` must let it pass."""


@contextmanager
def interruptible(function: Callable[..., Any]) -> Iterator[None]:
    """Within this, the function can be ended on the thread that entered; then `Interrupted` comes out."""
    thread = threading.get_ident()
    around = _running.get(thread)
    with _guard:
        _running[thread] = function
    try:
        yield
    finally:
        with _guard:
            if around is None:
                _running.pop(thread, None)
            else:
                _running[thread] = around


def end(function: Callable[..., Any] | None = None) -> None:
    """End this function, or all of them, on every thread but this one."""
    with _guard:
        for thread, runs in _running.items():
            if thread != threading.get_ident() and function in (None, runs):
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Interrupted))


def listen(shell: Any) -> None:
    """Let interrupts of an idle kernel end what runs on other threads. While a cell runs, the kernel has a handler of its own: try again after it."""
    handler, loop = signal.getsignal(signal.SIGINT), getattr(getattr(shell, "kernel", None), "io_loop", None)
    if handler is signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: end())
    elif handler is signal.default_int_handler and loop is not None:
        loop.call_later(0.2, listen, shell)

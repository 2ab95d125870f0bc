"""End a learner's function on any thread, by an interrupt or by a new definition of it.

Sliders are answered on a thread of their own, and Python gives an interrupt to the main thread alone, which the kernel ignores while
it is idle: without this, a function that never ends would hold its figure, and the next cell, for ever.
"""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Callable
from typing import Any


class _UnderWay(list[int]):
    """The functions that are under way on a thread, by their id, the outermost first, and whether any was told to end."""

    told = False


_running: dict[int, _UnderWay] = {}

_raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
"""Has an exception raised on a thread at its next step."""


class Interrupted(BaseException):
    """Raised in the midst of a learner's function. Not an Exception: the function's own `except Exception` must let it pass."""


class Replaced(Interrupted):
    """The same, because the function has a new definition."""


def interruptible(function: Callable[..., Any], use: Callable[[], Any]) -> Any:
    """What `use` returns; until then `end` can end it, on behalf of this function. Then `Interrupted` comes out, and never later.

    That holds because CPython lets another thread in, and an exception from one, at a call, a function's start or a jump back alone
    (and, under a debugger, at any line). Here none lies between the end of `use` and the `del` after which `end` passes this thread by;
    nor, in `end`, between looking at the list and raising. What came before that and still waits is met by a jump back.
    """
    thread = threading.get_ident()
    under_way = _running.setdefault(thread, _UnderWay())
    depth = len(under_way)
    try:
        under_way.append(id(function))
        return use()
    finally:
        del under_way[depth:]
        if not depth:
            if under_way.told:  # to take back what waits would slow down all of Python 3.12 until the next one comes
                try:
                    for _ in "jump":
                        pass
                except Interrupted:
                    pass
            _running.pop(thread, None)


def is_outermost() -> bool:
    """Whether no function is under way on this thread, so that nobody further out has to hear of an interrupt."""
    return not _running.get(threading.get_ident())


def end(function: Callable[..., Any] | None = None) -> None:
    """End this function and whatever it calls, because it was replaced, or all of them, on every thread but this one."""
    which, why = id(function), ctypes.py_object(Interrupted if function is None else Replaced)
    for thread, under_way in _running.copy().items():
        if thread == threading.get_ident():
            continue
        what = (
            ctypes.c_ulong(thread),
            why,
        )  # made before the look: making it may collect garbage, and so let the thread in
        under_way.told = True
        if under_way if function is None else which in under_way:
            _raise_in(*what)


def listen(shell: Any) -> None:
    """Let interrupts of an idle kernel end what runs on other threads. While a cell runs, the kernel has a handler of its own: try again after it."""
    handler, loop = (
        signal.getsignal(signal.SIGINT),
        getattr(getattr(shell, "kernel", None), "io_loop", None),
    )
    if handler is signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: end())
    elif handler is signal.default_int_handler and loop is not None:
        loop.call_later(0.2, listen, shell)

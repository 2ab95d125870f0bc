"""The functions that a learner writes come in; their results go out, or the one sentence that says why there are none."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from playground.interrupt import Interrupted, end, interruptible
from playground.marks import Array

Function = Callable[..., Any]


class Unusable(Exception):
    """A function's result can't be drawn; the text is the sentence that says why."""


class NotWritten(Unusable):
    """A function that isn't written yet."""


class Watched:
    """A function under its lesson name; whatever goes wrong in it becomes `Unusable`.

    Args:
        name: what the lesson calls it.
        function: the function itself, or None as long as there is none.
        whole: it takes all points at once (finished functions do, a learner's may not).
    """

    def __init__(self, name: str, function: Function | None, whole: bool = False) -> None:
        self.name, self.function, self.whole = name, function, whole
        self._ended: Function | None = None

    def __call__(self, *inputs: Any, shape: tuple[int, ...] | None = None) -> Any:
        """What the function returns; with `shape`, as a float array of that shape.

        Raises:
            Unusable: it raised an exception, or (with `shape`) returned something else than numbers of that shape.
        """
        result = self._run(lambda function: function(*inputs))
        return result if shape is None else self._numbers(result, shape)

    def over(self, points: Array, *inputs: Any) -> Array:
        """One number for each row of points (n, d): shape (n,).

        Raises:
            Unusable: as above.
        """
        if self.whole:
            return self._numbers(self._run(lambda function: function(points, *inputs)), (len(points),))
        results = self._run(lambda function: [function(point, *inputs) for point in points])
        if any(result is None for result in results):
            self._numbers(None, ())
        try:
            return self._numbers(np.asarray(results), (len(points),))
        except (Unusable, TypeError, ValueError):
            return self._numbers(results[0], ())  # the sentence is about one result, as the learner thinks of it

    def _run(self, use: Callable[[Function], Any]) -> Any:
        function = self.function
        if function is None:
            raise NotWritten(f"{self.name} is not written yet.")
        if function is self._ended:
            raise Unusable(f"{self.name} was interrupted.")
        try:
            with nullcontext() if self.whole else interruptible(function):
                return use(function)
        except Unusable:
            raise
        except NotImplementedError:
            raise NotWritten(f"{self.name} is not written yet.") from None
        except (Interrupted, KeyboardInterrupt):
            self._ended = function  # not run again, or the next value of the slider would need the next interrupt
            raise Unusable(f"{self.name} was interrupted.") from None
        except (Exception, SystemExit) as error:
            said = str(error).strip().split("\n")[0][:140]
            reason = f"{type(error).__name__}: {said}" if said else type(error).__name__
            raise Unusable(f"{self.name} stopped with {reason}{'' if reason.endswith('.') else '.'}") from error

    def _numbers(self, result: Any, shape: tuple[int, ...]) -> Array:
        if result is None:
            raise Unusable(f"{self.name} returned None: is its return missing?")
        try:
            numbers: Array = np.asarray(result)
        except ValueError:  # rows of different lengths
            numbers = np.asarray(None)
        if numbers.dtype.kind not in "biuf":
            raise Unusable(f"{self.name} returned {type(result).__name__} instead of numbers.")
        if numbers.shape != shape:
            raise Unusable(f"{self.name} returned {_kind(numbers.shape)} where {_kind(shape)} belongs.")
        if np.isnan(numbers).all():
            raise Unusable(f"{self.name} returned nothing but NaN (not a number).")
        return numbers.astype(float, copy=False)


def _kind(shape: tuple[int, ...]) -> str:
    return f"an array of shape {shape}" if shape else "one number"


class Followed(Watched):
    """A learner's function, looked up by its name again before each use, so that a cell that is run again counts at once."""

    def __init__(self, name: str, function: Function | None) -> None:
        super().__init__(name, function)
        self._key = getattr(function, "__name__", name)
        homes = [] if function is None else [getattr(function, "__globals__", {})]
        self._home = next((home for home in [*homes, _notebook()] if home.get(self._key) is function), {})

    def look_up(self) -> bool:
        """Take the function that the name stands for now; true if it is another one than before."""
        before, self.function = self.function, self._home.get(self._key, self.function)
        if self.function is before:
            return False
        if before is not None:
            end(before)
        return True


def _notebook() -> MutableMapping[str, Any]:
    """The names of the notebook that runs, if one does."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return {} if shell is None else shell.user_ns


class _Hush(io.TextIOBase):
    """A stream that drops what one thread writes and passes on what all others write."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.thread = stream, threading.get_ident()

    def write(self, text: str) -> int:
        return len(text) if threading.get_ident() == self.thread else int(self.stream.write(text))

    def flush(self) -> None:
        if threading.get_ident() != self.thread:  # a kernel's stream waits for another thread, and Python flushes what it throws away
            self.stream.flush()


@contextmanager
def hushed() -> Iterator[None]:
    """Without what a function prints or warns of: it runs hundreds of times a move, and other threads still may print."""
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Hush(sys.stdout), _Hush(sys.stderr)
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        sys.stdout, sys.stderr = streams

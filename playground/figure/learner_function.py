"""Call the learner's functions, and explain in a sentence why there is no result."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import _lru_cache_wrapper
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any

import numpy as np
from IPython.core.getipython import get_ipython

from playground.functions import Array, Function


class Unusable(Exception):
    """A result can't be drawn; the message explains why."""


class NotWritten(Unusable):
    """A function isn't written yet."""


class Interrupted(KeyboardInterrupt):
    """A learner's function was interrupted; the message names the outermost one."""


class LearnerFunction:
    """A function under its lesson name, or what that name means by mistake.

    Every failure becomes `Unusable`. A `whole` function takes all points at once, as finished ones
    do; `helpers` are the notebook's other functions and numbers that it uses.
    """

    helpers: tuple[Function, ...] = ()

    def __init__(self, name: str, function: Function, whole: bool = False) -> None:
        self.name, self.function, self.whole = name, function, whole

    def __call__(self, *inputs: Any, shape: tuple[int, ...] | None = None) -> Any:
        """Return the function's result; with `shape`, as a float array of that shape."""
        given = inputs if self.whole else _copy(inputs)
        result = self._run(lambda function: function(*given))
        if shape is None:
            return result
        return np.asarray(result, float) if self.whole else self._numbers(result, shape)

    def over(self, points: Array, *inputs: Any) -> Array:
        """Return one number for each row of points (n, d), as an array (n,)."""
        if self.whole:
            return np.asarray(self(points, *inputs, shape=(len(points),)))
        own_points, given = points.copy(), _copy(inputs)
        results = self._run(lambda function: [function(point, *given) for point in own_points])
        if all(isinstance(result, float) and not math.isnan(result) for result in results):
            return np.array(results)
        return np.array([float(self._numbers(result, ())) for result in results])

    def wrap_result(self, function: Any) -> LearnerFunction:
        """Wrap a function that this one returned."""
        if not callable(function):
            raise self.wrong_result(function, "a function")
        return LearnerFunction(f"the function from {self.name}", function)

    def wrong_result(self, result: Any, wanted: str) -> Unusable:
        """Explain why a result has the wrong type."""
        if result is None:
            return Unusable(f"{self.name} returned None: is its return missing?")
        return Unusable(f"{self.name} returned {type(result).__name__} where {wanted} belongs.")

    def get(self) -> Function:
        """Return the function itself, if it is one."""
        if not callable(self.function):
            raise Unusable(f"{self.name} is not a function but {type(self.function).__name__}.")
        return self.function

    def _run(self, call: Callable[[Function], Any]) -> Any:
        function = self.get()
        try:
            return call(function)
        except Unusable:
            raise
        except NotImplementedError:
            raise NotWritten(f"{self.name} is not written yet.") from None
        except KeyboardInterrupt:
            raise Interrupted(f"{self.name} was interrupted.") from None
        except (Exception, SystemExit) as error:
            raise Unusable(f"{self.name} stopped with {describe(error)}") from error

    def _numbers(self, result: Any, shape: tuple[int, ...]) -> Array:
        if result is None:
            raise self.wrong_result(result, "")
        try:
            numbers: Array = np.asarray(result)
        except ValueError:  # rows of different lengths
            numbers = np.asarray(None)
        if numbers.dtype.kind not in "biuf":
            raise Unusable(f"{self.name} returned {type(result).__name__} instead of numbers.")
        if numbers.shape != shape:
            found, wanted = (
                f"an array of shape {size}" if size else "one number"
                for size in (numbers.shape, shape)
            )
            raise Unusable(f"{self.name} returned {found} where {wanted} belongs.")
        if math.isnan(next(numbers.flat, math.nan)) and np.isnan(numbers).all():
            raise Unusable(f"{self.name} returned nothing but NaN (not a number).")
        return numbers.astype(float, copy=False)


def finished_functions(names: Collection[str]) -> SimpleNamespace | None:
    """Return the finished functions of these names; None if any is missing, as in a sandbox."""
    try:
        from playground.functions import finished
    except ImportError:
        return None
    if not names or not all(hasattr(finished, name) for name in names):
        return None
    return SimpleNamespace(**{n: LearnerFunction(n, getattr(finished, n), True) for n in names})


def _copy(value: Any) -> Any:
    """Copy the arrays in an input, so that a learner's function may overwrite them."""
    if isinstance(value, np.ndarray):
        return value.copy()
    return type(value)(map(_copy, value)) if type(value) in (list, tuple) else value


def describe(error: BaseException) -> str:
    """Describe an exception in a few words, with a full stop."""
    message = str(error).strip().split("\n")[0][:140]
    return f"{type(error).__name__}{': ' * bool(message)}{message}".removesuffix(".") + "."


class ReboundFunction(LearnerFunction):
    """A learner's function that can be looked up again after its cell was rerun."""

    def __init__(self, name: str, function: Function) -> None:
        super().__init__(name, function)
        shell = get_ipython()
        homes = getattr(function, "__globals__", {}), shell.user_ns if shell else {}
        keys = getattr(function, "__name__", name), name  # all lambdas have the same name
        self._home, self._key = next(
            ((home, key) for key in keys for home in homes if home.get(key) is function), ({}, name)
        )
        self.helpers = _helpers(function)

    @property
    def changed(self) -> bool:
        """Whether the function or one that it calls was redefined."""
        now = self._home.get(self._key, self.function)
        # compared by identity: a name may mean an array by now
        return [id(now), *map(id, _helpers(now))] != [id(self.function), *map(id, self.helpers)]

    def rebind(self) -> None:
        """Take the current definition."""
        self.function = self._home.get(self._key, self.function)
        self.helpers = _helpers(self.function)


def _helpers(function: Any) -> tuple[Function, ...]:
    """Return the notebook's functions and numbers that a function names, also through others."""
    found = [function]
    for one in found:  # grows while it is read
        for layer in _layers(one):
            home = layer.__globals__
            for called in map(home.get, _names(layer.__code__)):
                local = any(inner.__globals__ is home for inner in _layers(called))
                known = any(called is other for other in found)
                if (local or type(called) in (bool, int, float, str)) and not known:
                    found.append(called)
    return tuple(found[1:])


def _layers(function: Any) -> Iterator[FunctionType]:
    """Yield a function, and those inside of decorators like `functools.cache`."""
    while isinstance(function, FunctionType | _lru_cache_wrapper):
        if isinstance(function, FunctionType):
            yield function
        function = getattr(function, "__wrapped__", None)


def _names(code: CodeType) -> Iterator[str]:
    """Yield the global names in code and in the functions defined inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


@contextmanager
def silenced() -> Iterator[None]:
    """Discard prints and warnings: learners' functions run hundreds of times a move.

    On other threads (of subshells) printing stays as it is: a redirection is for all threads.
    """
    with np.errstate(all="ignore"), open(os.devnull, "w", errors="ignore") as nowhere:
        if threading.current_thread() is threading.main_thread():
            with redirect_stdout(nowhere), redirect_stderr(nowhere):
                yield
        else:
            yield

"""Call the learner's functions, and explain in a sentence why there is no result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from playground.figure.interrupt import Interrupted, Replaced, end, interruptible, is_outermost
from playground.figure.marks import Array
from playground.figure.mute import muted

Function = Callable[..., Any]


class Unusable(Exception):
    """A function's result can't be drawn; the text is the sentence that says why."""


class NotWritten(Unusable):
    """A function that isn't written yet."""


class LearnerFunction:
    """A function under its lesson name; whatever goes wrong in it becomes `Unusable`.

    Args:
        name: what the lesson calls it.
        function: the function itself, or None as long as there is none.
        whole: it takes all points at once (finished functions do, a learner's may not).
        source: the learner's function that made it, where it is not the learner's own; it ends with that one.
    """

    helpers: tuple[Function, ...] = ()
    """The notebook's other functions that it calls: another of them makes it another function."""

    def __init__(
        self,
        name: str,
        function: Function | None,
        whole: bool = False,
        source: Function | None = None,
    ) -> None:
        self.name, self.function, self.whole, self._source = name, function, whole, source

    def __call__(self, *inputs: Any, shape: tuple[int, ...] | None = None) -> Any:
        """What the function returns; with `shape`, as a float array of that shape.

        Raises:
            Unusable: it raised an exception, or (with `shape`) returned something else than numbers of that shape.
        """
        given = inputs if self.whole else _fresh(inputs)
        result = self._run(lambda function: function(*given))
        return result if shape is None else self._numbers(result, shape)

    def over(self, points: Array, *inputs: Any) -> Array:
        """One number for each row of points (n, d): shape (n,).

        Raises:
            Unusable: as above.
        """
        if self.whole:
            return self._numbers(
                self._run(lambda function: function(points, *inputs)), (len(points),)
            )
        own_points, given = points.copy(), _fresh(inputs)
        results = self._run(lambda function: [function(point, *given) for point in own_points])
        try:
            return self._numbers(np.asarray(results), (len(points),))
        except (Unusable, TypeError, ValueError):
            # the sentence is about one result, as the learner thinks of it
            return np.array([float(self._numbers(result, ())) for result in results])

    def made(self, function: Any) -> LearnerFunction:
        """A function that this one returned.

        Raises:
            Unusable: it is none.
        """
        if not callable(function):
            raise self.unfit(function, "a function")
        return LearnerFunction(f"the function from {self.name}", function, source=self.function)

    def unfit(self, result: Any, wanted: str) -> Unusable:
        """The sentence about a result that is not what is wanted."""
        if result is None:
            return Unusable(f"{self.name} returned None: is its return missing?")
        return Unusable(f"{self.name} returned {type(result).__name__} where {wanted} belongs.")

    def usable(self) -> Function:
        """The function itself.

        Raises:
            Unusable: there is none, or the name stands for something else.
        """
        if self.function is None:
            raise NotWritten(f"{self.name} is not written yet.")
        if not callable(self.function):
            raise Unusable(f"{self.name} is no function but {type(self.function).__name__}.")
        return self.function

    def _run(self, use: Callable[[Function], Any]) -> Any:
        function = self.usable()
        source = self._source or function
        if any(source is one for one in _ended):
            raise Unusable(f"{self.name} was interrupted.")
        try:
            return use(function) if self.whole else interruptible(source, lambda: use(function))
        except Unusable:
            raise
        except NotImplementedError:
            raise NotWritten(f"{self.name} is not written yet.") from None
        except (Interrupted, KeyboardInterrupt) as interrupt:
            if not is_outermost():
                raise  # what called it is to end as well
            if not (self.whole or isinstance(interrupt, Replaced)):
                _ended.append(source)
            raise Unusable(f"{self.name} was interrupted.") from None
        except (Exception, SystemExit) as error:
            raise Unusable(f"{self.name} stopped with {told(error)}") from error

    def _numbers(self, result: Any, shape: tuple[int, ...]) -> Array:
        if result is None:
            raise self.unfit(result, "")
        try:
            numbers: Array = np.asarray(result)
        except ValueError:  # rows of different lengths
            numbers = np.asarray(None)
        if numbers.dtype.kind not in "biuf":
            raise Unusable(f"{self.name} returned {type(result).__name__} instead of numbers.")
        if numbers.shape != shape:
            raise Unusable(
                f"{self.name} returned {_kind(numbers.shape)} where {_kind(shape)} belongs."
            )
        if np.isnan(numbers).all():
            raise Unusable(f"{self.name} returned nothing but NaN (not a number).")
        return numbers.astype(float, copy=False)


def _fresh(value: Any) -> Any:
    """The same with arrays of its own, so that what a learner's function writes over is nobody else's."""
    if isinstance(value, np.ndarray):
        return value.copy()
    return type(value)(map(_fresh, value)) if type(value) in (list, tuple) else value


_ended: list[Function] = []
"""Functions that were interrupted. They are not run again, or the next value of a slider would need the next interrupt, until any function
has a new definition: the one to blame may be another that they call."""


def told(error: BaseException) -> str:
    """An exception in a few words, with a full stop."""
    said = str(error).strip().split("\n")[0][:140]
    reason = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return reason if reason.endswith(".") else f"{reason}."


def _kind(shape: tuple[int, ...]) -> str:
    return f"an array of shape {shape}" if shape else "one number"


class ReboundFunction(LearnerFunction):
    """A learner's function, looked up by its name again before each use, so that a cell that is run again counts at once."""

    def __init__(self, name: str, function: Function | None) -> None:
        super().__init__(name, function)
        homes = (
            [_notebook()]
            if function is None
            else [getattr(function, "__globals__", {}), _notebook()]
        )
        keys = getattr(function, "__name__", name), name  # a lambda has no name of its own
        self._home, self._key = next(
            ((home, key) for key in keys for home in homes if home.get(key) is function), ({}, name)
        )
        self.helpers = _helpers(function)

    def look_up(self) -> bool:
        """Take the function that the name stands for now, and what it calls; true if any of it is another than before."""
        before = self.function, *self.helpers
        self.function = self._home.get(self._key, self.function)
        self.helpers = _helpers(self.function)
        now = self.function, *self.helpers
        if len(now) == len(before) and all(
            one is other for one, other in zip(now, before, strict=True)
        ):
            return False
        _ended.clear()
        if before[0] is not None:
            end(before[0])
        return True


def _helpers(function: Function | None) -> tuple[Function, ...]:
    """The functions of the same notebook that a function calls by name, directly or through others."""
    found: list[Any] = [function]
    for one in found:  # grows while it is read
        home = getattr(one, "__globals__", {})
        called = [home.get(name) for name in _names(getattr(one, "__code__", None))]
        found += [
            each
            for each in called
            if isinstance(each, FunctionType)
            and each.__globals__ is home
            and all(each is not one for one in found)
        ]
    return tuple(found[1:])


def _names(code: CodeType | None) -> Iterator[str]:
    """The global names in a piece of code and in what is defined within it."""
    if code is not None:
        yield from code.co_names
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from _names(constant)


def _notebook() -> MutableMapping[str, Any]:
    """The names of the notebook that runs, if one does."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return {} if shell is None else shell.user_ns


@contextmanager
def hushed() -> Iterator[None]:
    """Without what a function prints or warns of: it runs hundreds of times a move."""
    with muted(), np.errstate(all="ignore"):
        yield

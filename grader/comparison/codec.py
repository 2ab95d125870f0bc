"""Encode Python values as JSON data and decode them: all that crosses to the grader and back."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np

from grader.comparison.schema import Function, Plain

MAX_ELEMENTS = 1_000_000
"""Most numbers that one value may hold; a larger one is described, not sent."""

MAX_DEPTH = 8
"""Deepest nesting of lists and tuples."""

MAX_TEXT = 2_000
"""Most characters of a string."""


def encode(value: object) -> Plain:
    """Plain data that describes `value`, whatever it is.

    Arrays become ``{"array": flat list, "shape": …, "dtype": …}``, numpy scalars ``{"scalar": …, "dtype": …}``, sequences
    ``{"tuple": […]}`` or ``{"list": […]}``. What has no plain form becomes ``{"opaque": why}``; this never raises.
    """
    try:
        return _encode(value, _Budget(), 0)
    except _TooLarge as error:
        return {"opaque": str(error)}
    except Exception as error:  # a learner's object may raise anything from any method
        return {"opaque": f"a {type(value).__name__} that can't be read ({type(error).__name__})"}


def decode(data: Plain) -> Any:
    """The value that `encode` described. Functions and generators are refused: results never hold any.

    Raises:
        ValueError: `data` is not what `encode` writes.
    """
    return _decode(data)


def encode_input(value: object) -> Plain:
    """Plain data for an input that an author wrote; besides values, an importable function or a seeded generator.

    Raises:
        ValueError: `value` has no plain form; the message says what to write instead.
    """
    if isinstance(value, np.random.Generator):
        return {"rng": int(value.integers(2**32))}
    if callable(value):
        return _encode_function(value)
    if isinstance(value, (list, tuple)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [encode_input(item) for item in value]}
    data = encode(value)
    if isinstance(data, dict) and "opaque" in data:
        raise ValueError(
            f"an input can't be {data['opaque']}; give numbers, arrays, strings, or importable functions"
        )
    return data


def decode_input(data: Plain) -> Any:
    """The input that `encode_input` described, built afresh: arrays are new, a generator stands at its start."""
    if isinstance(data, dict):
        if "rng" in data:
            return np.random.default_rng(data["rng"])
        if "function" in data:
            return _decode_function(data)
        for kind, build in (("tuple", tuple), ("list", list)):
            if kind in data:
                return build(decode_input(item) for item in data[kind])
    return decode(data)


def opaque(data: Plain) -> str | None:
    """Why `data` holds no value, or None where it holds one."""
    return str(data["opaque"]) if isinstance(data, dict) and "opaque" in data else None


class _TooLarge(Exception):
    """A value over one of the limits; the message describes it."""


class _Budget:
    """Counts the numbers of one value, so that a nested list can't grow past the limit unseen."""

    def __init__(self) -> None:
        self.left = MAX_ELEMENTS

    def spend(self, n: int, what: str) -> None:
        self.left -= n
        if self.left < 0:
            raise _TooLarge(f"{what}, which is more than {MAX_ELEMENTS:,} numbers")


def _encode(value: object, budget: _Budget, depth: int) -> Plain:
    kind = type(value)
    if value is None or kind in (bool, int, float):
        budget.spend(1, "a nested list")
        return _bounded_int(value) if kind is int else value
    if kind is str:
        text = str(value)
        return (
            text if len(text) <= MAX_TEXT else {"opaque": f"a string of {len(text):,} characters"}
        )
    if isinstance(value, np.ndarray):
        return _encode_array(value, budget)
    if isinstance(value, np.generic):
        return _encode_scalar(value)
    if isinstance(value, (list, tuple)):
        return _encode_sequence(value, budget, depth)
    return {"opaque": _describe(value)}


def _bounded_int(value: Any) -> Plain:
    return value if abs(value) < 2**1023 else {"opaque": "an integer of more than 300 digits"}


def _encode_array(value: np.ndarray[Any, Any], budget: _Budget) -> Plain:
    array = np.ndarray.view(value, np.ndarray)  # a subclass could lie about its shape or its values
    if isinstance(value, np.ma.MaskedArray):
        return {"opaque": "a masked array"}
    if array.dtype.kind not in "biuf":
        return {"opaque": f"an array of dtype {array.dtype}"}
    budget.spend(array.size, f"an array of shape {array.shape}")
    numbers = (
        array.astype(np.float64) if array.dtype.kind == "f" and array.dtype.itemsize > 8 else array
    )
    return {
        "array": numbers.ravel().tolist(),
        "shape": list(array.shape),
        "dtype": str(array.dtype),
    }


def _encode_scalar(value: np.generic) -> Plain:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        return {"opaque": f"a numpy scalar of dtype {array.dtype}"}
    return {
        "scalar": float(array) if array.dtype.kind == "f" else array.item(),
        "dtype": str(array.dtype),
    }


def _encode_sequence(value: list[Any] | tuple[Any, ...], budget: _Budget, depth: int) -> Plain:
    if depth >= MAX_DEPTH:
        raise _TooLarge(f"a list nested more than {MAX_DEPTH} deep")
    kind = "tuple" if isinstance(value, tuple) else "list"
    if len(value) > budget.left:
        raise _TooLarge(
            f"a {kind} of {len(value):,} items, which is more than {MAX_ELEMENTS:,} numbers"
        )
    return {kind: [_encode(item, budget, depth + 1) for item in value]}


def _describe(value: object) -> str:
    if callable(value):
        return "a function"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _decode(data: Plain) -> Any:
    if data is None or isinstance(data, (bool, int, float, str)):
        return data
    if not isinstance(data, dict):
        raise ValueError(f"not plain data: {type(data).__name__}")
    if "array" in data:
        return np.array(data["array"], dtype=_dtype(data)).reshape(data["shape"])
    if "scalar" in data:
        return _dtype(data).type(data["scalar"])
    if "tuple" in data:
        return tuple(_decode(item) for item in data["tuple"])
    if "list" in data:
        return [_decode(item) for item in data["list"]]
    raise ValueError(f"not a value: {', '.join(map(str, data))[:80]}")


def _dtype(data: dict[str, Any]) -> np.dtype[Any]:
    dtype = np.dtype(str(data.get("dtype")))
    if dtype.kind not in "biuf":
        raise ValueError(f"not a dtype of numbers: {dtype}")
    return dtype


def _encode_function(function: Function) -> Plain:
    args: tuple[Any, ...] = ()
    bound: dict[str, Any] = {}
    if isinstance(function, functools.partial):
        args, bound, function = function.args, function.keywords, function.func
    module = "numpy" if isinstance(function, np.ufunc) else getattr(function, "__module__", None)
    name = f"{module}.{getattr(function, '__qualname__', getattr(function, '__name__', '?'))}"
    try:
        found = resolve(name)
    except (ImportError, AttributeError):
        found = None
    if found is not function:
        raise ValueError(
            f"the function {name} can't be an input: only one that is importable by name can, with plain arguments bound"
        )
    return {
        "function": name,
        "args": [encode_input(arg) for arg in args],
        "bound": {key: encode_input(item) for key, item in bound.items()},
    }


def _decode_function(data: dict[str, Any]) -> Function:
    function = resolve(data["function"])
    args = [decode_input(arg) for arg in data["args"]]
    bound = {key: decode_input(item) for key, item in data["bound"].items()}
    return functools.partial(function, *args, **bound) if args or bound else function


def resolve(name: str) -> Function:
    """The function that a dotted name like ``numpy.tanh`` names.

    Raises:
        ImportError, AttributeError: nothing has that name.
    """
    module, _, attribute = name.rpartition(".")
    found: Function = getattr(importlib.import_module(module), attribute)
    return found

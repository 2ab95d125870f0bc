"""Encode Python values as JSON data and decode them."""

from __future__ import annotations

import contextlib
import functools
import importlib
from typing import Any

import numpy as np

from grader.comparison.schema import Function, Plain

Array = np.ndarray[Any, Any]

MAX_ELEMENTS = 1_000_000  # numbers in one value; a larger value is described, not sent
MAX_DEPTH = 8  # lists and tuples in each other
MAX_TEXT = 2_000  # characters of a string


def encode(value: object) -> Plain:
    """Return any value as plain data; never raise.

    Arrays become ``{"array": flat list, "shape": …, "dtype": …}``, numpy scalars
    ``{"scalar": …, "dtype": …}``, sequences ``{"tuple": […]}`` or ``{"list": […]}``, and values
    that can't be sent ``{"opaque": description}``.
    """
    try:
        return _Encoder().encode(value)
    except _TooLarge as error:
        return {"opaque": str(error)}
    except Exception as error:  # a learner's object may raise anything from any method
        return {"opaque": f"a {type(value).__name__} that can't be read ({type(error).__name__})"}


def decode(data: Plain) -> Any:
    """Return the value that `encode` wrote. Functions and generators are refused.

    Raises:
        ValueError: `data` is not written by `encode`.
    """
    if data is None or isinstance(data, (bool, int, float, str)):
        return data
    if not isinstance(data, dict):
        raise ValueError(f"not plain data: {type(data).__name__}")
    if "array" in data:
        with np.errstate(over="ignore"):  # 1e300 as a float32, which only an attack sends
            return np.array(data["array"], dtype=_dtype(data)).reshape(data["shape"])
    if "scalar" in data:
        return _dtype(data).type(data["scalar"])
    if "tuple" in data:
        return tuple(map(decode, data["tuple"]))
    if "list" in data:
        return [*map(decode, data["list"])]
    raise ValueError(f"not a value: {', '.join(map(str, data))[:80]}")


def encode_input(value: object) -> Plain:
    """Return an author's input as plain data: a value, an importable function or a generator.

    Raises:
        ValueError: `value` is none of these.
    """
    if isinstance(value, np.random.Generator):
        return {"rng": int(value.integers(2**32))}
    if callable(value):
        return _encode_function(value)
    if isinstance(value, (list, tuple)):
        return {_kind(value): [encode_input(item) for item in value]}
    if reason := opaque(data := encode(value)):
        wanted = "give numbers, arrays, strings, or importable functions"
        raise ValueError(f"an input can't be {reason}; {wanted}")
    return data


def decode_input(data: Plain) -> Any:
    """Return a new copy of the input that `encode_input` wrote; a generator is at its start."""
    if isinstance(data, dict):
        if "rng" in data:
            return np.random.default_rng(data["rng"])
        if "function" in data:
            function = _resolve(data["function"])
            args = [decode_input(arg) for arg in data["args"]]
            bound = {key: decode_input(item) for key, item in data["bound"].items()}
            return functools.partial(function, *args, **bound) if args or bound else function
        if "tuple" in data:
            return tuple(map(decode_input, data["tuple"]))
        if "list" in data:
            return [*map(decode_input, data["list"])]
    return decode(data)


def opaque(data: Plain) -> str | None:
    """Return the description in place of a value that could not be sent, or None."""
    return str(data["opaque"]) if isinstance(data, dict) and "opaque" in data else None


def shape_of(data: Plain) -> tuple[int, ...] | None:
    """Return a value's shape as an array of numbers; None for text, None and other values.

    Of a list the first two items at each depth are looked at; `numbers_in` finds all ragged ones.
    """
    if isinstance(data, (bool, int, float)):
        return ()
    if not isinstance(data, dict):
        return None
    if "array" in data or "scalar" in data:
        return tuple(data.get("shape", ()))
    items = data.get("tuple", data.get("list"))
    if not items:
        return None if items is None else (0,)
    inner, *others = {shape_of(item) for item in items[:2]}
    return None if inner is None or others else (len(items), *inner)


def numbers_in(data: Plain) -> Array | None:
    """Return a value as a float64 array; None if it holds text, None, or a ragged list."""
    try:
        if not isinstance(data, dict) or "array" in data or "scalar" in data:
            numbers = isinstance(data, (bool, int, float, dict))
            return np.asarray(decode(data)).astype(np.float64) if numbers else None
        items = data.get("tuple", data.get("list"))
        if items is None or all(isinstance(item, (bool, int, float)) for item in items):
            return None if items is None else np.array(items, dtype=np.float64)
        parts = [numbers_in(item) for item in items]
        shapes = {None if part is None else part.shape for part in parts}
        return np.array(parts) if len(shapes) == 1 and None not in shapes else None
    except (ValueError, TypeError, OverflowError):
        return None


class _TooLarge(Exception):
    """A value over one of the limits; the message describes it."""


class _Encoder:
    """Encodes one value and counts its numbers, so that nested lists can't exceed the limit."""

    def __init__(self) -> None:
        self.left = MAX_ELEMENTS

    def encode(self, value: Any, depth: int = 0) -> Plain:
        kind = type(value)
        if value is None or kind in (bool, int, float):
            self._spend(1, "a nested list")
            large = kind is int and abs(value) >= 2**1023
            return {"opaque": "an integer of more than 300 digits"} if large else value
        if kind is str:
            large = len(value) > MAX_TEXT
            return {"opaque": f"a string of {len(value):,} characters"} if large else value
        if isinstance(value, np.ma.MaskedArray):
            return {"opaque": "a masked array"}
        if isinstance(value, np.ndarray):
            # A subclass could lie about its shape or its values.
            return self._numbers(np.ndarray.view(value, np.ndarray), "array")
        if isinstance(value, np.generic):
            return self._numbers(np.asarray(value), "scalar")
        if isinstance(value, (list, tuple)):
            return self._sequence(value, depth)
        described = "function" if callable(value) else f"value of type {kind.__name__}"
        return {"opaque": f"a {described}"}

    def _spend(self, count: int, described: str) -> None:
        self.left -= count
        if self.left < 0:
            raise _TooLarge(f"{described}, which is more than {MAX_ELEMENTS:,} numbers")

    def _numbers(self, array: Array, kind: str) -> Plain:
        dtype = str(array.dtype)
        if array.dtype.kind not in "biuf":
            return {"opaque": f"{'an' if kind == 'array' else 'a numpy'} {kind} of dtype {dtype}"}
        self._spend(array.size, f"an array of shape {array.shape}")
        if array.dtype.kind == "f" and array.dtype.itemsize > 8:
            array = array.astype(np.float64)
        if kind == "scalar":
            return {"scalar": array.item(), "dtype": dtype}
        return {"array": array.ravel().tolist(), "shape": list(array.shape), "dtype": dtype}

    def _sequence(self, value: list[Any] | tuple[Any, ...], depth: int) -> Plain:
        if depth >= MAX_DEPTH:
            raise _TooLarge(f"a list nested more than {MAX_DEPTH} deep")
        kind = _kind(value)
        if len(value) > self.left:
            self._spend(len(value), f"a {kind} of {len(value):,} items")
        return {kind: [self.encode(item, depth + 1) for item in value]}


def _kind(value: object) -> str:
    return "tuple" if isinstance(value, tuple) else "list"


def _dtype(data: dict[str, Plain]) -> np.dtype[Any]:
    dtype = np.dtype(str(data.get("dtype")))
    if dtype.kind not in "biuf":
        raise ValueError(f"not a dtype of numbers: {dtype}")
    return dtype


def _encode_function(function: Function) -> Plain:
    whole = function if isinstance(function, functools.partial) else functools.partial(function)
    function = whole.func
    module = "numpy" if isinstance(function, np.ufunc) else getattr(function, "__module__", None)
    name = f"{module}.{getattr(function, '__qualname__', getattr(function, '__name__', '?'))}"
    found: Function | None = None
    with contextlib.suppress(ImportError, AttributeError):
        found = _resolve(name)
    if found is not function:
        raise ValueError(f"the function {name} can't be an input: it is not importable by name")
    return {
        "function": name,
        "args": [encode_input(arg) for arg in whole.args],
        "bound": {key: encode_input(item) for key, item in whole.keywords.items()},
    }


def _resolve(name: str) -> Function:
    """Return the function with a dotted name like ``numpy.tanh``."""
    module, _, attribute = name.rpartition(".")
    found: Function = getattr(importlib.import_module(module), attribute)
    return found

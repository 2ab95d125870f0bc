"""Validate a child's messages, so that later code can trust their shape and size."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np

from grader.comparison.codec import MAX_DEPTH, MAX_TEXT
from grader.comparison.observe import MAX_MESSAGE
from grader.comparison.schema import Answer, Call, Outcome, Plain

# Most lists and objects, and most commas, in a frame: each takes many times its bytes in memory.
# The largest answer of a lesson has 80,000 numbers.
MAX_NESTED, MAX_ITEMS = 100_000, 500_000
MAX_CLASSES = 50  # of an exception
MAX_SIDES = 64  # dimensions of an array in numpy
DTYPE = re.compile(r"[<>=|]?[a-z]{3,10}\d{0,3}|[<>=|][a-z]\d{1,2}")  # float64, >f8


def frame_of(data: bytes) -> Any:
    """Return a frame from its JSON; a frame over the limits is read as ``{"too_large": size}``.

    Raises:
        ValueError, RecursionError: it isn't JSON.
    """
    if data.count(b"[") + data.count(b"{") > MAX_NESTED or data.count(b",") > MAX_ITEMS:
        return {"too_large": len(data)}
    return json.loads(data)


def text_of(data: Any, most: int = MAX_MESSAGE) -> str:
    """Return at most `most` characters that UTF-8 can encode; raise TypeError if not a text."""
    if not isinstance(data, str):
        raise TypeError(f"not a text: {type(data).__name__}")
    return data[:most].encode("utf-8", "replace").decode()


def answer_of(data: Any, calls: list[Call]) -> Answer | None:
    """Return the valid parts of an answer to these calls, or None if it isn't one."""
    try:
        match data:
            case {"missing": why}:
                return {"missing": text_of(why)}
            case {"signature_mismatch": parameters}:
                return {"signature_mismatch": text_of(parameters)}
            case {"outcomes": [*outcomes]}:
                pairs = zip(outcomes, calls, strict=True)
                return {"outcomes": [_outcome(outcome, call) for outcome, call in pairs]}
    except Exception:  # numpy raises many kinds for invalid dtypes, shapes and numbers
        return None
    return None


def _outcome(data: Any, call: Call) -> Outcome:
    """Return the valid parts of a call's outcome, see `grader.comparison.observe`."""
    match data:
        case {"error": [_, *_] as names, "message": message}:
            classes = [text_of(name) for name in names[:MAX_CLASSES]]
            outcome: Outcome = {"error": classes, "message": text_of(message)}
        case {"draws": [_, _, _, _] as draws} if call.get("draws"):
            outcome = {"draws": [*map(_value, draws)]}
        case {"value": value} if not call.get("draws"):
            outcome = {"value": _value(value)}
        case _:
            raise ValueError("not an outcome")
    if texts := data.get("warnings"):
        outcome["warnings"] = [text_of(text) for text in texts[:3]]
    if changed := data.get("changed"):
        places = range(len(call["inputs"]) + len(call.get("at", ())))
        if len(changed) > len(places) or not all(type(i) is int and i in places for i in changed):
            raise ValueError("no input has that number")
        outcome["changed"] = sorted(changed)
    if printed := data.get("printed"):
        outcome["printed"] = text_of(printed)
    if data.get("aliased"):
        outcome["aliased"] = True
    return outcome


def _value(data: Any, depth: int = 0) -> Plain:
    """Return a value that `grader.comparison.codec.decode` can read."""
    match data:
        case None | bool() | float():
            return data
        case int() if abs(data) < 2**1023:
            return data
        case str() if len(data) <= MAX_TEXT:
            return text_of(data, MAX_TEXT)
        case {"opaque": why}:
            return {"opaque": text_of(why)}
        case {"array": [*numbers], "shape": [*shape], "dtype": str(dtype)}:
            lengths = all(type(length) is int and 0 <= length <= MAX_ITEMS for length in shape)
            if lengths and len(shape) <= MAX_SIDES and math.prod(shape) == len(numbers):
                _check_numbers(numbers, dtype)
                return {"array": numbers, "shape": shape, "dtype": dtype}
        case {"scalar": number, "dtype": str(dtype)}:
            _check_numbers([number], dtype)
            return {"scalar": number, "dtype": dtype}
        case {"tuple": [*items]} if depth <= MAX_DEPTH:
            return {"tuple": [_value(item, depth + 1) for item in items]}
        case {"list": [*items]} if depth <= MAX_DEPTH:
            return {"list": [_value(item, depth + 1) for item in items]}
    raise ValueError("not plain data")


def _check_numbers(numbers: list[Any], name: str) -> None:
    """Raise ValueError or TypeError unless an array of that dtype can hold the numbers."""
    dtype = np.dtype(name) if DTYPE.fullmatch(name) else np.dtype(object)
    wanted = {"b": bool, "i": int, "u": int, "f": float}.get(dtype.kind)
    if {*map(type, numbers)} - {wanted}:
        raise ValueError("not plain numbers")
    if wanted is int and numbers:
        smallest, largest = np.iinfo(name).min, np.iinfo(name).max
        if min(numbers) < smallest or max(numbers) > largest:
            raise ValueError("too large for their dtype")

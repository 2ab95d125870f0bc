"""Validate a child's messages, so that later code can trust their shape and size."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from grader.comparison.codec import MAX_DEPTH, MAX_TEXT, decode
from grader.comparison.observe import MAX_MESSAGE
from grader.comparison.schema import Answer, Call, Outcome, Plain

# Most lists and objects, and most commas, in a frame: each takes many times its bytes in memory.
# The largest answer of a lesson has 25,000 numbers.
MAX_NESTED, MAX_ITEMS = 300_000, 2_000_000
MAX_CLASSES = 50  # of an exception
DTYPE = re.compile(r"[<>=|]?[a-z]{3,10}\d{0,3}|[<>=|][a-z]\d{1,2}")  # float64, >f8


def parsed(data: bytes) -> Any:
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
        case {"draws": [one, two, again]} if call.get("draws"):
            outcome = {"draws": [*map(_value, (one, two, again))]}
        case {"value": value} if not call.get("draws"):
            outcome = {"value": _value(value)}
        case _:
            raise ValueError("not an outcome")
    if texts := data.get("warnings"):
        outcome["warnings"] = [text_of(text) for text in texts[:3]]
    if changed := data.get("changed"):
        if not {*changed} <= {*range(len(call["inputs"]))}:
            raise ValueError("no input has that number")
        outcome["changed"] = sorted(map(int, {*changed}))
    if printed := data.get("printed"):
        outcome["printed"] = text_of(printed, MAX_TEXT)
    if data.get("aliased"):
        outcome["aliased"] = True
    if data.get("global_random"):
        outcome["global_random"] = True
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
            right_shape = all(type(length) is int and length >= 0 for length in shape)
            if right_shape and {*map(type, numbers)} <= {bool, int, float}:
                return _decodable({"array": numbers, "shape": shape, "dtype": dtype})
        case {"scalar": bool() | int() | float() as number, "dtype": str(dtype)}:
            return _decodable({"scalar": number, "dtype": dtype})
        case {"tuple": [*items]} if depth <= MAX_DEPTH:
            return {"tuple": [_value(item, depth + 1) for item in items]}
        case {"list": [*items]} if depth <= MAX_DEPTH:
            return {"list": [_value(item, depth + 1) for item in items]}
    raise ValueError("not plain data")


def _decodable(data: dict[str, Plain]) -> Plain:
    if not DTYPE.fullmatch(data["dtype"]):
        raise ValueError("not a dtype")
    with np.errstate(all="raise", under="ignore"):
        decode(data)
    return data

"""Validate messages from a child process, so that later code can trust their shape and size."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from grader.comparison.codec import MAX_DEPTH, MAX_TEXT, decode
from grader.comparison.observe import MAX_MESSAGE
from grader.comparison.schema import Answer, Call, Outcome, Plain

MAX_NESTED, MAX_ITEMS = 300_000, 2_000_000
"""Most lists and objects, and most commas, in a frame: once read, each takes many times its bytes. A lesson's largest answer has 25,000 numbers."""

MAX_CLASSES = 50
"""Most classes that an exception is told to have."""

DTYPE = re.compile(r"[<>=|]?[a-z]{3,10}\d{0,3}|[<>=|][a-z]\d{1,2}")
"""A dtype as numpy writes it: float64, >f8."""


def parsed(data: bytes) -> Any:
    """A frame, as JSON; one with more in it than is read is what a child says itself of too large an answer.

    Raises:
        ValueError, RecursionError: it is no JSON.
    """
    if data.count(b"[") + data.count(b"{") > MAX_NESTED or data.count(b",") > MAX_ITEMS:
        return {"too_large": len(data)}
    return json.loads(data)


def text_of(data: Any, most: int = MAX_MESSAGE) -> str:
    """A text, cut, in letters that every file can hold.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(data, str):
        raise TypeError(f"not a text: {type(data).__name__}")
    return data[:most].encode("utf-8", "replace").decode()


def answer_of(data: Any, calls: list[Call]) -> Answer | None:
    """An answer to these calls, in their order, with nothing in it but what belongs there; None where `data` is no such answer."""
    try:
        match data:
            case {"missing": why}:
                return {"missing": text_of(why)}
            case {"signature_mismatch": parameters}:
                return {"signature_mismatch": text_of(parameters)}
            case {"outcomes": [*outcomes]}:
                return {
                    "outcomes": [
                        _outcome(outcome, call)
                        for outcome, call in zip(outcomes, calls, strict=True)
                    ]
                }
    except Exception:  # numpy has many for what is no dtype, no shape, or no number of that dtype
        return None
    return None


def _outcome(data: Any, call: Call) -> Outcome:
    """An outcome of the kind that the call asks for, see `grader.comparison.observe`."""
    match data:
        case {"error": [_, *_] as names, "message": message}:
            outcome: Outcome = {
                "error": [text_of(name) for name in names[:MAX_CLASSES]],
                "message": text_of(message),
            }
        case {"draws": [one, two, again]} if call.get("draws"):
            outcome = {"draws": [_value(draw) for draw in (one, two, again)]}
        case {"value": value} if not call.get("draws"):
            outcome = {"value": _value(value)}
        case _:
            raise ValueError("no outcome")
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
    """A value as `grader.comparison.codec.encode` writes it, which `decode` can read."""
    match data:
        case None | bool() | float():
            return data
        case int() if abs(data) < 2**1023:
            return data
        case str() if len(data) <= MAX_TEXT:
            return text_of(data, MAX_TEXT)
        case {"opaque": why}:
            return {"opaque": text_of(why)}
        case {"array": [*numbers], "shape": [*shape], "dtype": str(dtype)} if {
            *map(type, numbers)
        } <= {bool, int, float} and all(type(n) is int and n >= 0 for n in shape):
            return _decodable({"array": numbers, "shape": shape, "dtype": dtype})
        case {"scalar": bool() | int() | float() as number, "dtype": str(dtype)}:
            return _decodable({"scalar": number, "dtype": dtype})
        case {"tuple": [*items]} if depth <= MAX_DEPTH:
            return {"tuple": [_value(item, depth + 1) for item in items]}
        case {"list": [*items]} if depth <= MAX_DEPTH:
            return {"list": [_value(item, depth + 1) for item in items]}
    raise ValueError("not plain data")


def _decodable(data: dict[str, Any]) -> Plain:
    if not DTYPE.fullmatch(data["dtype"]):
        raise ValueError("not a dtype")
    with np.errstate(all="raise", under="ignore"):
        decode(data)
    return data

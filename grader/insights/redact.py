"""Say what became of an answer without any text that its learner wrote."""

from __future__ import annotations

import builtins
import re

BUILTINS = [name for name in dir(builtins) if name.isalpha()]

DATA_WORDS = """
    array dtype empty function inf integer items large masked mean nan nested deep numpy numbers of
    random scalar shape standard deviation string characters digits a an is more than which
    bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64
    result was expected
"""
"""Words of results that are numbers, and of the grader's descriptions of other results."""

DATA = re.compile(
    rf"(?:(?<!\w)(?:{'|'.join([*DATA_WORDS.split(), *BUILTINS, '[0-9]+e?'])})(?!\w)|[\s()\[\].,;+…-])+"
)

EXCEPTION = re.compile(r"([^\W\d]\w*)(?:\.|: .*)", re.DOTALL)

NOTEBOOK = re.compile(r"^.*\.ipynb\b", re.DOTALL)
"""A notebook's name, where a sentence about it begins with one."""

CELL_TYPE = re.compile(r"of type .*(?=; it was read)", re.DOTALL)
"""A cell's type, which a submission can call anything."""

OTHER = "something other than numbers"


def redacted_result(text: str) -> str:
    """Return a result that is data as it is, and an exception without its message."""
    if found := EXCEPTION.fullmatch(text):
        return f"{_exception(found[1])} raised"
    return text if DATA.fullmatch(text) else OTHER


def redacted_reason(reason: str) -> str:
    """Return how a result differs, without messages and names of classes."""
    if reason.startswith("It raised "):
        found = EXCEPTION.fullmatch(reason.removeprefix("It raised "))
        return f"It raised {_exception(found[1] if found else '')}."
    if reason.startswith("It warned: "):
        return "It warned."
    start, returned, described = reason.partition(" returned a")
    if not returned or DATA.fullmatch(f"a{described}"):
        return reason
    return f"{start} returned {OTHER}."


def redacted_note(note: str) -> str:
    """Return why an answer could not be judged, without its parameters and names."""
    if found := re.match(r"The cell of \w+ stops with (.*)", note, re.DOTALL):
        error = re.match(r"\w+", found[1])
        return f"{note[: found.start(1)]}{_exception(error[0] if error else '')}."
    theirs = r"(; yours takes |; its cell defines (?!none\.$)).*"
    return re.sub(theirs, r"\1others.", note, flags=re.DOTALL)


def redacted_file(reason: str) -> str:
    """Return why a submission can't be read, without its file's name."""
    return NOTEBOOK.sub("its notebook", reason)


def redacted_repair(sentence: str) -> str:
    """Return what was repaired, without the type that a submission gave to a cell."""
    return CELL_TYPE.sub("of another type", sentence)


def _exception(name: str) -> str:
    """Return the name of an exception of Python; a learner may have named any other."""
    return name if isinstance(vars(builtins).get(name), type) else "an exception"

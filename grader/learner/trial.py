"""Run a learner's function, or edited copies of it, in its notebook within a short time."""

from __future__ import annotations

import ast
import contextlib
import inspect
import signal
import textwrap
import threading
import time
from collections.abc import Iterable, Iterator
from functools import cache
from types import FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

from grader.comparison.distribution import summarise
from grader.comparison.observe import observe, restored_generators
from grader.comparison.schema import Call, Function, Line, Outcome
from grader.diagnosis.repair import Code
from grader.syntax import names_in

SECONDS = 0.5  # for all copies of one answer
EACH = 0.1  # for one copy: an edit can make a loop endless
ALONG_LINES = 0.2  # for the calls of one figure
FORBIDDEN = {"open", "input", "exec", "eval", "compile", "globals", "locals", "vars", "getattr"}
FORBIDDEN |= {"setattr", "delattr", "breakpoint", "exit", "quit", "check", "harden", "get_ipython"}
FORBIDDEN |= {"save", "savez", "savez_compressed", "savetxt", "load", "loadtxt", "genfromtxt"}
FORBIDDEN |= {"fromfile", "tofile", "fromregex", "memmap", "dump", "ctypeslib", "DataSource"}
"""Names that can reach a file or another process, or that ask the learner: code with one stays."""
PLAIN_MODULES = {"numpy", "math", "itertools", "functools", "collections", "cmath", "operator"}


def code_of(function: Any, seconds: float = SECONDS, each: float = EACH) -> Code | None:
    """Return the code of a function that a cell defines; None if copies of it can't be run safely.

    A copy that runs too long is ended by a signal, which only the main thread can receive.
    """
    can_run = isinstance(function, FunctionType) and _computes(function, set())
    if not _can_be_ended() or not can_run:
        return None
    name, space = function.__name__, function.__globals__
    until = time.monotonic() + seconds

    def run(trees: Iterable[ast.Module], calls: list[Call]) -> Iterator[list[Outcome] | None]:
        for tree in trees:
            if time.monotonic() > until:
                return
            yield _outcomes(tree, name, dict(space), calls, each)

    return Code(source_of(function), run)


def outcomes_along(
    function: Function, lines: list[tuple[Line, list[Call]]], seconds: float = ALONG_LINES
) -> list[tuple[Line, list[Outcome]]]:
    """Return the lines along which a function gives results, with them, until its time is over."""
    found: list[tuple[Line, list[Outcome]]] = []
    if not _can_be_ended():
        return found
    with contextlib.suppress(_TooLong), _limited(seconds), restored_generators():
        for line, calls in lines:
            outcomes = [*_until_an_error(function, calls)]
            if len(outcomes) == len(calls):
                found.append((line, outcomes))
    return found


def _until_an_error(function: Function, calls: list[Call]) -> Iterator[Outcome]:
    for call in calls:
        outcome = observe(function, call)
        if "value" not in outcome:
            return
        yield outcome


def _can_be_ended() -> bool:
    """Return whether a signal can end a call here: only the main thread receives one."""
    on_main = threading.current_thread() is threading.main_thread()
    return on_main and hasattr(signal, "setitimer") and _is_interrupted()


@cache
def _is_interrupted() -> bool:
    """Return whether a signal reaches running code, which in a browser it doesn't."""
    end = time.monotonic() + 0.1
    try:
        with _limited(0.001):
            while time.monotonic() < end:
                pass
    except _TooLong:
        return True
    return False


class _TooLong(BaseException):
    """A copy ran too long; no `except Exception` holds it up."""


def _outcomes(
    tree: ast.Module, name: str, space: dict[str, Any], calls: list[Call], each: float
) -> list[Outcome] | None:
    with contextlib.suppress(Exception, _TooLong), _limited(each), restored_generators():
        exec(compile(tree, "<edited>", "exec"), space)
        return [summarise(observe(space[name], call)) for call in calls]
    return None


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def ring(_: int, __: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def source_of(function: Any) -> str:
    """Return the source of a function that a cell defines; empty if there is none."""
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError, IndentationError):
        return ""


def _computes(function: FunctionType, seen: set[FunctionType]) -> bool:
    """Return whether a function, and those that it uses, only compute."""
    try:
        tree = ast.parse(source_of(function))
    except SyntaxError:
        return False
    seen.add(function)
    used = names_in(tree) & function.__globals__.keys()
    values = (function.__globals__[name] for name in used)
    return bool(tree.body) and harmless(tree) and all(_plain(value, seen) for value in values)


def _plain(value: Any, seen: set[FunctionType]) -> bool:
    """Return whether a global value can reach nothing but numbers."""
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    if isinstance(name, str) and _is_plain(name):
        return True
    if isinstance(value, FunctionType):
        return value in seen or _computes(value, seen)
    if isinstance(value, type):
        return name == "builtins"
    return isinstance(value, (int, float, str, list, tuple, dict, np.ndarray, np.ufunc))


def harmless(tree: ast.Module) -> bool:
    """Return whether functions only compute: an edited copy may run."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (node.attr in FORBIDDEN or node.attr[0] == "_"):
            return False
        if isinstance(node, ast.Name) and (node.id in FORBIDDEN or node.id.startswith("__")):
            return False
        if isinstance(node, ast.ImportFrom) and not _is_plain(node.module or ""):
            return False
        if isinstance(node, ast.Import) and not all(_is_plain(one.name) for one in node.names):
            return False
        if isinstance(node, (ast.Global, ast.Try, ast.With, ast.AsyncFunctionDef, ast.ClassDef)):
            return False
    decorated = (one.decorator_list for one in tree.body if isinstance(one, ast.FunctionDef))
    return not any(decorated)


def _is_plain(module: str) -> bool:
    return module.partition(".")[0] in PLAIN_MODULES

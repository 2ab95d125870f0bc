"""Run a learner's cells and call their functions. Used inside the sandbox; knows no answer.

Both ends are plain data, so the transport (a pipe, a sandbox, another machine) is somebody else's matter:

    request   {"cells": [source, …], "calls": {exercise: [call, …]}}
    response  {"answers": {exercise: answer}, "errors": [exception or null for each cell]}
    answer    {"outcomes": [outcome, …]} or {"signature_mismatch": "(x, w)"}, its parameters, or {"missing": why}

`grader.execution.protocol` reads what a child makes of that. As a program it reads a request in one line and writes the response a piece at a time, a line for each of `steps`.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from typing import IO, Any

from grader.comparison.observe import observe, signature_mismatch, undisturbed
from grader.comparison.schema import Answer, Call, Function, Request, Response

RUNS_THE_CELL = re.compile(r"\A\s*%%(?:time|capture|prun)\b.*$", re.MULTILINE)
"""A magic over a cell that runs the cell in the learner's own namespace."""


def run(request: Request) -> Response:
    """Run the cells in order, then make the calls of every exercise."""
    namespace, errors = execute(request["cells"])
    answers = {name: answer(namespace, name, calls) for name, calls in request["calls"].items()}
    return {"answers": answers, "errors": errors}


def steps(request: Request) -> Iterator[dict[str, Any]]:
    """As `run`, a piece at a time: ``{"cell": number}`` and ``{"error": …}`` for each cell, ``{"exercise": name}`` and ``{"answer": …}`` for each exercise."""
    namespace = _fresh_namespace()
    for number, source in enumerate(request["cells"]):
        yield {"cell": number}
        yield {"error": _execute_one(source, namespace)}
    for name, calls in request["calls"].items():
        yield {"exercise": name}
        yield {"answer": answer(namespace, name, calls)}


def execute(cells: list[str]) -> tuple[dict[str, Any], list[str | None]]:
    """Run cells as Jupyter would: in one namespace, and an error does not stop the rest.

    Returns:
        The namespace, and for each cell the exception that ended it, as text, or None.
    """
    namespace = _fresh_namespace()
    return namespace, [_execute_one(source, namespace) for source in cells]


def answer(namespace: dict[str, Any], name: str, calls: list[Call]) -> Answer:
    """What the function `name` of a namespace does on each call."""
    function: Function | None = namespace.get(name)
    if not callable(function):
        return {"missing": f"no function is called {name}"}
    if parameters := signature_mismatch(function, calls):
        return {"signature_mismatch": parameters}
    return {"outcomes": [observe(function, call) for call in calls]}


def main() -> None:
    """One request on standard input, its steps on standard output; the end of the input ends this process, whatever runs."""
    asked, out = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for place in (0, 1):
        os.dup2(
            nowhere, place
        )  # what a learner's cells read, print or start must not mix with requests and steps
    request = json.loads(asked.readline())
    threading.Thread(target=_end_with, args=(asked,), daemon=True).start()
    for step in steps(request):
        print(json.dumps(step), file=out, flush=True)


def _end_with(asked: IO[str]) -> None:
    asked.read()
    os._exit(1)


def _fresh_namespace() -> dict[str, Any]:
    """As Jupyter begins a notebook; what shows something, helps or leaves does nothing. A sandbox's Python doesn't even have `exit`."""
    idle = dict.fromkeys(("exit", "quit", "help", "copyright", "credits", "license"), _nothing)
    history = {
        "In": [""],
        "Out": {},
        "_ih": [""],
        "_oh": {},
        "_dh": ["."],
        **dict.fromkeys(("_", "__", "___", "_i", "_ii", "_iii"), ""),
    }
    return {"__name__": "__main__", "get_ipython": _NoShell, "display": _display, **idle, **history}


def _nothing(*_: object, **__: object) -> None:
    """Stands in for what has no meaning here."""


def _display(*_: object, **options: object) -> _NoShell | None:
    """Stands in for IPython's display."""
    return _NoShell() if options.get("display_id") else None


def _execute_one(source: str, namespace: dict[str, Any]) -> str | None:
    try:
        with undisturbed():
            exec(_compiled(source), namespace)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:300]
    return None


def _compiled(source: str) -> Any:
    """The code of a cell; magics and shell lines become calls that do nothing."""
    try:
        return compile(source, "<cell>", "exec")
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        return compile(
            TransformerManager().transform_cell(RUNS_THE_CELL.sub("", source)), "<cell>", "exec"
        )


class _NoShell:
    """Stands in for IPython's shell, and for the handle of a display: every magic, shell line and update does nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return _nothing


if __name__ == "__main__":
    main()

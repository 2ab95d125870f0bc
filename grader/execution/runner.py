"""Run a learner's cells and call their functions, in a child process without answers.

The program reads a `Request` (see `grader.comparison.schema`) as one line of JSON and writes each
of its `steps` as a line.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import IO, Any

from grader.comparison.observe import observe, signature_mismatch, undisturbed
from grader.comparison.schema import Answer, Call, Request
from grader.execution.cell_facts import definitions

# A cell magic that runs its cell in the notebook's namespace.
RUNS_THE_CELL = re.compile(r"\A\s*%%(?:time|capture|prun)\b.*$", re.MULTILINE)


def steps(request: Request) -> Iterator[dict[str, object]]:
    """Run the cells as Jupyter would, and make the calls of each exercise where it is checked.

    An error does not stop the rest. Yields ``{"cell": number}`` before and ``{"error": text or
    None}`` after each cell, ``{"exercise": name}`` and ``{"answer": Answer}`` for each exercise,
    ``{"postponed": name}`` instead if the function needs a later cell.
    """
    namespace, calls, asked = _new_namespace(), {**request["calls"]}, request.get("asked", {})
    for number, source in enumerate([*request["cells"], None]):
        for name in [name for name in calls if source is None or asked.get(name) == number]:
            yield {"exercise": name}
            answer = _answer(namespace, name, calls[name])
            if source is not None and _needs_more(answer):
                yield {"postponed": name}
            else:
                del calls[name]
                yield {"answer": answer}
        if source is not None and (calls or not request["calls"]):
            yield {"cell": number}
            if number in request.get("stopped", []):
                _define(source, namespace)
                yield {"error": None}
            else:
                yield {"error": _execute(source, namespace)}


def _answer(namespace: dict[str, object], name: str, calls: list[Call]) -> Answer:
    """Return the outcomes of the function `name`, or why there are none."""
    function = namespace.get(name)
    if not callable(function):
        return {"missing": f"no function is called {name}"}
    if parameters := signature_mismatch(function, calls):
        return {"signature_mismatch": parameters}
    return {"outcomes": [observe(function, call) for call in calls]}


def _needs_more(answer: Answer) -> bool:
    """Return whether an answer lacks a name that a later cell may define."""
    if "missing" in answer:
        return True
    raised = (outcome.get("error", [""])[0] for outcome in answer.get("outcomes", []))
    return not {"NameError", "UnboundLocalError"}.isdisjoint(raised)


def main() -> None:
    """Answer one request; the end of standard input ends this process at any time.

    Cells can import files beside the notebook, but no such file takes the place of a module that
    this program needs, as a learner's random.py would.
    """
    sys.path.insert(0, "")
    asked, out = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    # Cells may read and print: that must not mix with requests and steps.
    for descriptor in (0, 1):
        os.dup2(nowhere, descriptor)
    request = json.loads(asked.readline())
    threading.Thread(target=_end_with, args=(asked,), daemon=True).start()
    for step in steps(request):
        print(json.dumps(step), file=out, flush=True)


def _end_with(asked: IO[str]) -> None:
    asked.read()
    os._exit(1)


def _new_namespace() -> dict[str, object]:
    """Return the names of a new notebook; functions to display, to help or to exit do nothing."""
    idle = ("exit", "quit", "help", "copyright", "credits", "license")
    return {
        "__name__": "__main__",
        "get_ipython": _NoShell,
        "display": lambda *_, **options: _NoShell() if options.get("display_id") else None,
        **dict.fromkeys(idle, _nothing),
        **{"In": [""], "Out": {}, "_ih": [""], "_oh": {}, "_dh": ["."]},
        **dict.fromkeys(("_", "__", "___", "_i", "_ii", "_iii"), ""),
    }


def _nothing(*_: object, **__: object) -> None:
    """Do nothing."""


def _execute(source: str, namespace: dict[str, object]) -> str | None:
    """Run a cell; if it stops, run its imports and definitions. Return the error."""
    try:
        _run(_compiled(source), namespace)
    except BaseException as error:
        _define(source, namespace)
        return f"{type(error).__name__}: {error}"[:300]
    return None


def _define(source: str, namespace: dict[str, object]) -> None:
    """Run a cell's imports and definitions one by one."""
    for part in definitions(source):
        with contextlib.suppress(BaseException):
            _run(compile(part, "<cell>", "exec"), namespace)


def _run(code: Any, namespace: dict[str, object]) -> None:
    with undisturbed():
        exec(code, namespace)


def _compiled(source: str) -> Any:
    """Return the code of a cell; magics and shell lines become calls that do nothing."""
    try:
        return compile(source, "<cell>", "exec")
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        python = TransformerManager().transform_cell(RUNS_THE_CELL.sub("", source))
        return compile(python, "<cell>", "exec")


class _NoShell:
    """Replaces IPython's shell and the handles of displays: nearly every method does nothing."""

    def run_cell_magic(self, name: str, line: str, body: str) -> None:
        """Make a module of ``%%writefile module.py``, so that cells can import it."""
        if name == "writefile" and line.endswith(".py"):
            module = ModuleType(line.removesuffix(".py"))
            _run(compile(body, line, "exec"), vars(module))
            sys.modules[module.__name__] = module

    def __getattr__(self, name: str) -> Callable[..., None]:
        return _nothing


if __name__ == "__main__":
    main()

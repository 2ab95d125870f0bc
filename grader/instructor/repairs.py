"""Find repairs of submissions' answers: copies are edited here, and run in the sandbox."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import islice

from grader.comparison.distribution import summarise
from grader.comparison.judge import Compared, Verdict
from grader.comparison.schema import Call, Outcome, Request, Response
from grader.diagnosis import repaired
from grader.diagnosis.repair import Code, RunTrees
from grader.execution.cell_facts import facts, names_bound, parsed
from grader.execution.submission import Selection

MOST = 40
"""Edited copies in one request, the most plausible first: most repairs are among the first 20."""

KEPT = 1000
"""Distinct answers whose repairs are remembered."""

COPIES = """
def _copies(name, sources, each=0.1, all=0.5):
    import signal, time

    def stop(*_):
        raise SystemExit

    def brief(function):
        def call(*inputs):
            if time.monotonic() > end:
                stop()
            signal.setitimer(signal.ITIMER_REAL, each)
            try:
                result = function(*inputs)
                return brief(result) if callable(result) else result
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        return call

    end = time.monotonic() + all
    signal.signal(signal.SIGALRM, stop)
    for copy, source in sources.items():
        space = dict(globals())
        exec(source, space)
        globals()[copy] = brief(space[name])
"""
"""The cell that makes copies: each sees the notebook's names, and ends soon."""


Ask = Callable[[Request], Response]
"""Runs a request, see `grader.execution.runner`."""


class Repairs:
    """The repairs that were found; answers with the same outcomes and cells share one.

    A copy runs after the cells that its answer needs, and no others: what else a notebook does
    decides nothing about the answers of other notebooks.
    """

    def __init__(self) -> None:
        self._found: dict[bytes, tuple[str | None, ...]] = {}

    def repaired(self, verdict: Verdict, answer: Compared, chosen: Selection, ask: Ask) -> Verdict:
        """Return a verdict with the repair that proves its mistake, as `explain` does with code."""
        source = _cell_of(verdict.exercise, chosen)
        if source is None or (tree := parsed(source)) is None:
            return verdict
        cells = _needed(source, chosen.cells)
        others = [one for one in cells if one != source]
        same = _digest(f"{verdict.exercise} {ast.dump(tree)} {others} {answer.outcomes}")
        if same not in self._found:
            if len(self._found) >= KEPT:
                self._found.clear()
            code = Code(source, _run(verdict.exercise, cells, ask))
            new = repaired(verdict, answer, code)
            self._found[same] = new.repair, new.mistake, new.relation
        repair, mistake, relation = self._found[same]
        if repair is None:
            return replace(verdict, relation=relation)
        return replace(
            verdict, repair=repair, mistake=mistake, hint=None, relation=None, returned=None
        )


def _cell_of(name: str, chosen: Selection) -> str | None:
    """Return the cell whose function is asked, or None."""
    until = chosen.asked.get(name, len(chosen.cells))
    found = (one for one in reversed(chosen.cells[:until]) if name in facts(one).functions)
    return next(found, None)


def _needed(source: str, cells: list[str]) -> list[str]:
    """Return a cell, and those that bind numpy or a name that it uses, directly or by others."""
    others = [one for one in cells if one != source]
    needed, used = set[str](), {"np", *_names(source)[1]}
    while more := {one for one in others if not used.isdisjoint(_names(one)[0])} - needed:
        needed |= more
        used = used.union(*(_names(one)[1] for one in more))
    return [*(one for one in others if one in needed), source]


@lru_cache(maxsize=128)
def _names(cell: str) -> tuple[set[str], set[str]]:
    """Return the names that a cell binds outside functions, and all names in it."""
    tree = parsed(cell) or ast.Module([], [])
    bound = set().union(*map(names_bound, tree.body))
    return bound, {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _run(name: str, cells: list[str], ask: Ask) -> RunTrees:
    """Return a function that runs copies of an answer after a notebook's cells."""

    def run(trees: Iterable[ast.Module], calls: list[Call]) -> Iterator[list[Outcome] | None]:
        copies = {f"{name} {i}": ast.unparse(tree) for i, tree in enumerate(islice(trees, MOST))}
        if not copies:
            return
        cell = f"{COPIES}\n_copies({name!r}, {copies!r})"
        asked = dict.fromkeys(copies, calls)
        answers = ask({"cells": [*cells, cell], "calls": asked, "asked": {}})["answers"]
        for copy in copies:
            outcomes = answers[copy].get("outcomes")
            yield outcomes and [*map(summarise, outcomes)]

    return run


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()

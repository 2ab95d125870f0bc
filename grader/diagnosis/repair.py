"""Find a mistake by repair: the first edit with which every case comes out right proves it.

Edits are made to the syntax tree of the learner's own function, the most plausible first. What was
edited is never shown or kept; the sentence quotes only the learner's code.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from grader.comparison.compare import Result, differences
from grader.comparison.judge import Compared, call_of, misses_of
from grader.comparison.schema import Call, ExerciseKey, Outcome
from grader.comparison.vocabulary import kind
from grader.diagnosis.edits import Answer, Change
from grader.diagnosis.operators import OPERATORS, SLIP
from grader.diagnosis.rules import rule_sites

Run = Callable[[Iterable[ast.Module], list[Call]], Iterable[list[Outcome] | None]]
"""Runs trees: yields the outcomes of each, None if there are none, and may end early."""

MAX_EDITS = 480
"""Most single edits of one answer that are tried."""
LEADING = {"value", "distribution", "shape", "integer"}
"""Kinds of property without which the others say little; all operators may explain them."""
ON_EXTREMES = {"minus", "other_function", "if_on_array", "one_number_only", "axis"}
ON_EXTREMES |= {"condition", "argument_order"}
EXPLAINS = {
    "error": {"returned_exception", "condition"},
    "purity": {"writes_into_input", "not_called", "in_place_method"},
    "stability": ON_EXTREMES,
    "quiet": ON_EXTREMES,
    "dtype": {"whole_numbers", "result_kind", "not_in_it"},
}
"""Mistakes that can be the cause where a property is missed first; others would fit by accident."""


@dataclass(frozen=True)
class Code:
    """The source of an answer's function, and a way to run edited copies of it."""

    source: str
    run: Run


@dataclass(frozen=True)
class Edit:
    """One edit, at one place or at several."""

    mistake: str
    rank: float
    sentence: str
    changes: tuple[Change, ...]


class Search:
    """A search for the repair of one answer; no edit is tried twice."""

    def __init__(self, name: str, answer: Compared, code: Code) -> None:
        self.key, self.cases, self.run = answer.key, answer.cases, code.run
        self.missed, self.first = {*answer.missed}, answer.missed[0]
        self.probe = _first_failing(answer)
        self.expected = Result(self.cases[self.probe]["expected"])
        self.answer = _answer(name, self.key, code, {kind(one) for one in self.missed})
        self.seen: set[str] = set()

    def repair(self, slips_only: bool) -> Edit | None:
        """Return the most plausible repair, if there is one."""
        return self._repair(one for one in self.edits if one.rank < SLIP + 0.5 or not slips_only)

    @cached_property
    def edits(self) -> list[Edit]:
        """The edits of the answer, the most plausible first."""
        if self.answer is None:
            return []
        only, sites = EXPLAINS.get(kind(self.first)), []
        for rank, operator in OPERATORS:
            name = operator.__name__
            sites += [(name, rank, site) for site in operator(self.answer)]
        sites += [(rule.name, rule.rank, site) for rule, site in rule_sites(self.answer)]
        edits: list[Edit] = []
        groups: dict[tuple[str, str], list[Edit]] = {}
        for name, rank, site in sites:
            if only is None or name in only:
                edit = Edit(name, site.rank or rank, site.sentence, tuple(site.changes))
                edits.append(edit)
                if site.group:
                    groups.setdefault((name, site.group), []).append(edit)
        edits += [_all(group) for group in groups.values() if 1 < len(group) <= 6]
        return sorted(edits, key=lambda edit: edit.rank)[:MAX_EDITS]

    def _repair(self, edits: Iterable[Edit]) -> Edit | None:
        """Return the first edit that repairs all, or the property missed first and any leading."""
        partial = None
        for edit, still in self._tried(edits):
            if not still:
                return edit
            if (
                still < self.missed
                and self.first not in still
                and not {kind(one) for one in still} & LEADING
            ):
                partial = partial or edit
        return partial

    def _tried(self, edits: Iterable[Edit]) -> Iterator[tuple[Edit, set[str]]]:
        """Yield the edits that put the failing case right, and the properties missed with each.

        Lazy: with a run that takes one tree at a time, nothing is edited before it is needed.
        """
        first, second = itertools.tee(self._new(edits))
        outcomes = self.run((tree for _, tree in second), [call_of(self.cases[self.probe])])
        right = (
            one
            for one, outcome in zip(first, outcomes, strict=False)
            if outcome and self._right(outcome[0])
        )
        first, second = itertools.tee(right)
        every = self.run((tree for _, tree in second), [*map(call_of, self.cases)])
        for (edit, _), outcomes_ in zip(first, every, strict=False):
            if outcomes_ is not None:
                yield edit, set(misses_of(self.key, [*map(Result, outcomes_)]))

    def _new(self, edits: Iterable[Edit]) -> Iterator[tuple[Edit, ast.Module]]:
        if self.answer is None:
            return
        for edit in edits:
            news = [new if isinstance(new, list) else [new] for _, new in edit.changes]
            olds = [id(old) for old, _ in edit.changes]
            text = f"{olds} {[ast.dump(one) for new in news for one in new]}"
            if text not in self.seen:
                self.seen.add(text)
                yield edit, ast.fix_missing_locations(self.answer.edited(edit.changes))

    def _right(self, outcome: Outcome) -> bool:
        return not differences(self.cases[self.probe], self.expected, Result(outcome))


def _first_failing(answer: Compared) -> int:
    """Return the position of a case that misses the first property, of its own if there is one."""
    failures, prop = answer.misses[answer.missed[0]], answer.missed[0]
    failing = min(failures, key=lambda one: one.case["property"] != prop)
    return next(i for i, case in enumerate(answer.cases) if case is failing.case)


def _answer(name: str, key: ExerciseKey, code: Code, missed: set[str]) -> Answer | None:
    """Return the answer as operators see it; None if no copy of it may run."""
    try:
        body = ast.parse(code.source).body
    except (SyntaxError, ValueError):
        return None
    functions = [one for one in body if isinstance(one, ast.FunctionDef)]
    own = [one for one in functions if one.name == name]
    if not own:
        return None
    tree = ast.Module([*functions], [])
    return Answer(code.source, tree, own[-1], key, frozenset(missed))


def _all(edits: list[Edit]) -> Edit:
    """Return one edit at all places of a group."""
    first = edits[0]
    changes = tuple(change for edit in edits for change in edit.changes)
    says = f"{first.sentence} It happens in more than one place."
    return Edit(first.mistake, first.rank + 0.05, says, changes)

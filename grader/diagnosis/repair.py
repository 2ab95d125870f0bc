"""Find a mistake by repair: the first edit with which every case comes out right proves it.

Edits are made to the syntax tree of the learner's own function, the most plausible first. What was
edited is never shown or kept; the sentence quotes only the learner's code.
"""

from __future__ import annotations

import ast
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from grader.comparison.compare import Result, differences
from grader.comparison.judge import Compared, call_of
from grader.comparison.schema import Call, Outcome
from grader.comparison.vocabulary import BASIC, kind
from grader.diagnosis.edits import Answer, Edit
from grader.diagnosis.operators import OPERATORS, SLIP
from grader.diagnosis.rules import by_rules
from grader.syntax import last_name

RunTrees = Callable[[Iterable[ast.Module], list[Call]], Iterable[list[Outcome] | None]]
"""Runs trees: yields the outcomes of each, None if there are none, and may end early."""

MAX_EDITS = 480
"""Most single edits of one answer that are tried."""
ON_EXTREMES = {"minus", "other_function", "if_on_array", "one_number_only", "axis"}
ON_EXTREMES |= {"condition", "argument_order"}
EXPLAINS = {
    "error": {"returned_exception", "condition"},
    "purity": {"writes_into_input", "not_called"},
    "stability": ON_EXTREMES,
    "quiet": ON_EXTREMES,
    "dtype": {"whole_numbers", "not_in_it"},
}
"""Mistakes that can be the cause where a property is missed first; others would fit by accident."""


@dataclass(frozen=True)
class Code:
    """The source of an answer's function, and a way to run edited copies of it."""

    source: str
    run: RunTrees


def repair(name: str, answer: Compared, code: Code, slips_only: bool) -> Edit | None:
    """Return the first edit that repairs all, or the property missed first and any basic one."""
    own, first, partial = _own(name, answer, code), answer.missed[0], None
    if own is None:
        return None
    edits = (one for one in _edits(own, kind(first)) if one.rank < SLIP + 0.5 or not slips_only)
    for edit, missed in _tried(_trees(own, edits), answer, code.run):
        if not missed:
            return edit
        if (
            first not in missed
            and missed < {*answer.missed}
            and not {*BASIC} & {*map(kind, missed)}
        ):
            partial = partial or edit
    return partial


def unused(name: str, answer: Compared, code: Code) -> str | None:
    """Return a sentence about a parameter or a variable that the code never reads, or None."""
    if (own := _own(name, answer, code)) is None:
        return None
    for one in (*own.params, *(last_name(node.targets[0]) for node in own.of(ast.Assign))):
        if one and one not in own.read:
            how = "given to you" if one in own.params else "computed"
            return f"`{one}` is {how} and never used: which part of yours needs it?"
    return None


def _own(name: str, answer: Compared, code: Code) -> Answer | None:
    """Return an answer as operators see it; None if no copy of it may run."""
    try:
        body = ast.parse(code.source).body
    except (SyntaxError, ValueError):
        return None
    functions = [one for one in body if isinstance(one, ast.FunctionDef)]
    own = [one for one in functions if one.name == name]
    missed = frozenset(map(kind, answer.missed))
    tree = ast.Module([*functions], [])
    return Answer(code.source, tree, own[-1], answer.key, missed) if own else None


def _edits(own: Answer, first: str) -> list[Edit]:
    """Return the edits of an answer that misses a kind of property first, the likeliest first."""
    only, groups = EXPLAINS.get(first), defaultdict[tuple[str, str], list[Edit]](list)
    edits = [
        replace(edit, rank=edit.rank or rank, mistake=name)
        for name, rank, operator in OPERATORS
        for edit in operator(own)
    ]
    edits = [one for one in (*edits, *by_rules(own)) if only is None or one.mistake in only]
    for edit in edits:
        groups[edit.mistake, edit.group].append(edit)
    edits += [_all(one) for (_, group), one in groups.items() if group and 1 < len(one) <= 6]
    return sorted(edits, key=lambda one: one.rank)[:MAX_EDITS]


def _trees(own: Answer, edits: Iterable[Edit]) -> Iterator[tuple[Edit, ast.Module]]:
    """Yield each edit with the edited tree, no tree twice."""
    seen = set[str]()
    for edit in edits:
        news = [new if isinstance(new, list) else [new] for _, new in edit.changes]
        olds = [id(old) for old, _ in edit.changes]
        text = f"{olds} {[ast.dump(one) for new in news for one in new]}"
        if text not in seen:
            seen.add(text)
            yield edit, ast.fix_missing_locations(own.edited(edit.changes))


def _tried(
    trees: Iterable[tuple[Edit, ast.Module]], answer: Compared, run: RunTrees
) -> Iterator[tuple[Edit, set[str]]]:
    """Yield the edits that put the failing case right, and the properties missed with each.

    Lazy: with a run that takes one tree at a time, nothing is edited before it is needed.
    """
    case = answer.failure(answer.missed[0]).case
    expected = Result(case["expected"])
    first, second = itertools.tee(trees)
    outcomes = run((tree for _, tree in second), [call_of(case)])
    right = (
        one
        for one, found in zip(first, outcomes, strict=False)
        if found and not differences(case, expected, Result(found[0]))
    )
    first, second = itertools.tee(right)
    every = run((tree for _, tree in second), [*map(call_of, answer.cases)])
    for (edit, _), found in zip(first, every, strict=False):
        if found is not None:
            yield edit, {*Compared(answer.key, found).missed}


def _all(edits: list[Edit]) -> Edit:
    """Return one edit at all places of a group."""
    first = edits[0]
    changes = [change for edit in edits for change in edit.changes]
    says = f"{first.sentence} It happens in more than one place."
    return replace(first, rank=first.rank + 0.05, sentence=says, changes=changes)

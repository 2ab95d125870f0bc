"""Explain a failed exercise in one true sentence: a misconception, a repair, or a relation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from grader.comparison.judge import Compared, Verdict, judged
from grader.comparison.lines import lines_of_case
from grader.comparison.pictures import LineOutcomes, picture_of
from grader.comparison.schema import Call, ExerciseKey, Line, Outcome
from grader.comparison.vocabulary import LEADING, kind
from grader.diagnosis.misconceptions import Known, known, misconception
from grader.diagnosis.relations import relation
from grader.diagnosis.repair import Code, repair


def explain(
    verdict: Verdict,
    answer: Compared,
    code: Code | None = None,
    mistakes: list[Known] | None = None,
) -> Verdict:
    """Return a verdict with one sentence about its first mistake, if one is found.

    A slip in the Python comes first, then a misconception, then any other repair, then a relation.
    Without `code`, nothing is repaired. `mistakes` are the misconceptions of the key, decoded.
    """
    if verdict.failure is None:
        return verdict
    verdict = replace(verdict, hint=misconception(answer, mistakes or known(answer.key)))
    verdict = repaired(verdict, answer, code) if code else verdict
    seen = None if verdict.advice else relation(answer)
    return replace(verdict, relation=seen.sentence) if seen else verdict


def repaired(verdict: Verdict, answer: Compared, code: Code) -> Verdict:
    """Return a verdict with the repair that proves its mistake, in place of another sentence.

    A hint gives way to slips only.
    """
    found = repair(verdict.exercise, answer, code, slips_only=verdict.hint is not None)
    if found is None:
        return verdict
    return replace(verdict, repair=found.sentence, mistake=found.mistake, hint=None, relation=None)


def illustrated(verdict: Verdict, key: ExerciseKey, lines: LineOutcomes) -> Verdict:
    """Return a verdict with a figure of its mistake, where its values are wrong and one shows it.

    `lines` are those of `lines_to_ask`, with the outcomes of the learner's function along them.
    """
    failure = verdict.failure
    if failure is None or kind(failure.case["property"]) not in LEADING:
        return verdict
    with np.errstate(all="ignore"):
        picture = picture_of(failure.case, failure.outcome, lines, key.get("path", False))
    return replace(verdict, picture=picture)


def lines_to_ask(verdict: Verdict, key: ExerciseKey) -> list[tuple[Line, list[Call]]]:
    """Return the lines through a verdict's failing case, with the calls along each."""
    failure = verdict.failure
    return lines_of_case(key, failure.case) if failure and "value" in failure.outcome else []


def explained(
    name: str, key: ExerciseKey, outcomes: list[Outcome], mistakes: list[Known] | None = None
) -> Verdict:
    """Return the verdict on an exercise, explained without its code."""
    answer = Compared(key, outcomes)
    return explain(judged(name, answer), answer, mistakes=mistakes)

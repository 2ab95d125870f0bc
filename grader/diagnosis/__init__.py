"""Explain a failed exercise in one true sentence: a misconception, a repair, or a relation."""

from __future__ import annotations

from dataclasses import replace

from grader.comparison.judge import Compared, Verdict, judged
from grader.comparison.schema import ExerciseKey, Outcome
from grader.diagnosis.misconceptions import Known, known, misconception
from grader.diagnosis.relations import relation
from grader.diagnosis.repair import Code, repair, unused


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
    return verdict if verdict.advice else replace(verdict, relation=relation(answer))


def repaired(verdict: Verdict, answer: Compared, code: Code) -> Verdict:
    """Return a verdict with the repair that proves its mistake, in place of another sentence.

    A hint gives way to slips only. A name that is never used counts as much as a relation does.
    """
    assert verdict.failure is not None
    found = repair(verdict.exercise, answer, code, slips_only=verdict.hint is not None)
    if found is None:
        says_more = verdict.hint or "error" in verdict.failure.outcome
        remark = None if says_more else unused(verdict.exercise, answer, code)
        return replace(verdict, relation=remark or verdict.relation)
    return replace(verdict, repair=found.sentence, mistake=found.mistake, hint=None, relation=None)


def explained(name: str, key: ExerciseKey, outcomes: list[Outcome]) -> Verdict:
    """Return the verdict on an exercise, explained without its code."""
    answer = Compared(key, outcomes)
    return explain(judged(name, answer), answer)

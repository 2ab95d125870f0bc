"""Explain a failed exercise in one true sentence: a misconception, a repair, or a relation."""

from __future__ import annotations

from dataclasses import replace

from grader.comparison.judge import Verdict, judge
from grader.comparison.schema import ExerciseKey, Outcome
from grader.diagnosis.misconceptions import misconception
from grader.diagnosis.relations import relation
from grader.diagnosis.repair import Code, Search


def explain(
    verdict: Verdict, key: ExerciseKey, outcomes: list[Outcome], code: Code | None = None
) -> Verdict:
    """Return a verdict with one sentence about its first mistake, if one is found.

    A slip in the Python comes first, then a misconception, then any other repair, then a relation.
    Without `code`, nothing is repaired.
    """
    if verdict.failure is None:
        return verdict
    search = Search(verdict.exercise, key, outcomes, code) if code else None
    found = search.slip() if search else None
    if found is None and (hint := misconception(key, outcomes)):
        return replace(verdict, hint=hint)
    if found or (search and (found := search.other())):
        return replace(verdict, repair=found.sentence, mistake=found.mistake)
    if seen := relation(key, outcomes):
        return replace(verdict, relation=seen.sentence)
    return verdict


def explained(name: str, key: ExerciseKey, outcomes: list[Outcome]) -> Verdict:
    """Return the verdict on an exercise, explained without its code."""
    return explain(judge(name, key, outcomes), key, outcomes)

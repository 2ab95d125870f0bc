"""A plan: each submission is graded, written, up to date or unreadable."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grader.execution.notebook import UnreadableNotebook
from grader.instructor.journal import Journal
from grader.instructor.plan import make_plan
from grader.instructor.run_id import RunId, digest_of

NOW, OTHER_SEED, OLD = (
    RunId("grader", name, seed) for name, seed in (("v2", 1), ("v2", 2), ("v1", 1))
)
TIME = datetime(2026, 10, 1, 12)


def ann(notebook: str, feedback: bool = True) -> Any:
    """Return Ann's submission; without a notebook, it can't be read."""

    def read() -> bytes:
        if not notebook:
            raise UnreadableNotebook("it is empty")
        return notebook.encode()

    return SimpleNamespace(student="ann", read=read, timestamp=TIME, has_feedback=lambda: feedback)


def journal(*gradings: tuple[RunId, str], written: datetime | None = TIME) -> Journal:
    """Return a journal of Ann's gradings, the last of which is in the gradebook."""
    made = Journal(Path("journal"))
    for run_id, notebook in gradings:
        digest = digest_of(notebook.encode())
        key = run_id.key("ann", digest)
        made.take({"graded": key, "student": "ann", "digest": digest, **run_id.record()}, 1)
        made.take({"written": key, "timestamp": str(written)}, 1)
    return made


UP_TO_DATE = journal((NOW, "a"))


@pytest.mark.parametrize(
    ("known", "digest", "regrade", "in_gradebook", "feedback", "expected"),
    [
        (journal(), "a", False, {}, False, "to_grade"),
        (UP_TO_DATE, "a", False, {"ann": TIME}, True, "up_to_date"),
        (UP_TO_DATE, "a", True, {"ann": TIME}, True, "up_to_date"),
        (UP_TO_DATE, "b", False, {"ann": TIME}, True, "to_grade"),
        (UP_TO_DATE, "a", False, {}, True, "to_write"),
        (UP_TO_DATE, "a", False, {"ann": None}, True, "to_write"),
        (UP_TO_DATE, "a", False, {"ann": TIME}, False, "to_write"),
        (journal((NOW, "a"), written=None), "a", False, {"ann": TIME}, True, "to_write"),
        (journal((OLD, "a")), "a", False, {"ann": TIME}, True, "up_to_date"),
        (journal((OLD, "a")), "a", True, {"ann": TIME}, True, "to_grade"),
        (journal((OTHER_SEED, "a")), "a", True, {"ann": TIME}, True, "to_grade"),
        (journal((NOW, "a"), (OLD, "a")), "a", True, {"ann": TIME}, True, "to_write"),
    ],
)
def test_a_submission_has_one_place_in_a_plan(
    known: Journal,
    digest: str,
    regrade: bool,
    in_gradebook: dict[str, datetime | None],
    feedback: bool,
    expected: str,
) -> None:
    plan = make_plan([ann(digest, feedback)], known, in_gradebook, NOW, regrade)
    places = ("to_grade", "to_write", "up_to_date", "unreadable")
    assert [place for place in places if getattr(plan, place)] == [expected]
    assert plan.students == (["ann"] if expected in ("to_grade", "to_write") else [])


def test_an_unreadable_notebook_is_reported_with_its_reason() -> None:
    plan = make_plan([ann("")], journal(), {}, NOW, False, dry=True)
    assert plan.unreadable == {"ann": "it is empty"}
    assert make_plan([ann("")], UP_TO_DATE, {}, NOW, False).unreadable == plan.unreadable


def test_a_first_notebook_is_read_only_when_it_is_graded() -> None:
    assert make_plan([ann("")], journal(), {}, NOW, False).students == ["ann"]


@pytest.mark.parametrize(("run_id", "outdated"), [(NOW, 0), (OTHER_SEED, 0), (OLD, 1)])
def test_a_grade_of_another_version_is_outdated(run_id: RunId, outdated: int) -> None:
    plan = make_plan([ann("a")], journal((run_id, "a")), {"ann": TIME}, NOW, False)
    assert plan.outdated == outdated

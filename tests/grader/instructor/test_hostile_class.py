"""A class with hostile submissions: each costs only itself, whatever command meets it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from classroom import Course
from hostile_class import FOLDERS, NOTEBOOKS, ODD_FOLDERS, ODD_NOTEBOOKS, ORDERS

from course import solved
from grader.cli import main
from grader.instructor.report import Summary
from grader.sandbox.scratch import remove

HONEST = {"anne": 10.0, "zoe": 10.0}
HOSTILE = {**NOTEBOOKS, **ODD_NOTEBOOKS, **FOLDERS, **ODD_FOLDERS}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    course = Course(tmp_path_factory.mktemp("course"))
    for student in HONEST:
        course.hand_in(student, solved("neuron"))
    for kind, notebook in (NOTEBOOKS | ODD_NOTEBOOKS).items():
        course.hand_in(kind, notebook())
    for kind, fill in (FOLDERS | ODD_FOLDERS).items():
        fill(course.hand_in(kind, solved("neuron")))
    yield course
    remove(str(course.root / "class"))  # a folder in it is too deep for others


@pytest.fixture(scope="module")
def summary(course: Course) -> Summary:
    return course.autograde()


@pytest.mark.long
def test_everybody_has_points_or_a_reason(course: Course, summary: Summary) -> None:
    points = course.points()
    assert {student: points[student] for student in HONEST} == HONEST
    assert {*summary.errors} | {*points} == {*HONEST, *HOSTILE}
    assert all(points[kind] == 10 for kind in FOLDERS)
    assert ORDERS[0] not in summary.text()


@pytest.mark.long
def test_everybody_with_points_has_a_page(course: Course, summary: Summary) -> None:
    course.nbgrader("generate_feedback", "neuron")
    pages = (course.root / "class" / "feedback").glob("*/neuron/neuron.html")
    assert {page.parts[-3] for page in pages} == {*course.points()}


@pytest.mark.long
def test_insights_count_everybody(
    course: Course,
    summary: Summary,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(course.root)
    assert main(["insights", "neuron", "--names"]) == 0
    counts = f"{len(course.points())} graded, {len(summary.errors)} without a grade"
    assert counts in capsys.readouterr().out
    page = (course.root / "class" / "insights" / "neuron.html").read_text(encoding="utf-8")
    assert all(student in page for student in ("zoe", *summary.errors))

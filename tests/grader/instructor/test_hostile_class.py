"""A class with hostile submissions: each costs only itself, whatever it takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from classroom import Course
from hostile_class import FOLDERS, NOTEBOOKS, ORDERS

from course import solved
from grader.sandbox.scratch import remove

HONEST = {"anne": 10.0, "zoe": 10.0}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    course = Course(tmp_path_factory.mktemp("course"))
    for student in HONEST:
        course.hand_in(student, solved("neuron"))
    for kind, notebook in NOTEBOOKS.items():
        course.hand_in(kind, notebook())
    for kind, fill in FOLDERS.items():
        fill(course.hand_in(kind, solved("neuron")))
    yield course
    remove(str(course.root / "class" / "submitted" / "deep folders"))


@pytest.mark.long
def test_everybody_has_points_or_a_reason(graded: Course) -> None:
    summary = graded.autograde()
    points = graded.points()
    assert {student: points[student] for student in HONEST} == HONEST
    assert {*summary.errors} | {*points} == {*HONEST, *NOTEBOOKS, *FOLDERS}
    assert all(points[kind] == 10 for kind in FOLDERS)
    assert ORDERS[0] not in summary.text()

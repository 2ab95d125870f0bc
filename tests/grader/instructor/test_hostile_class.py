"""A class with hostile submissions: each costs only itself, whatever command meets it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from classroom import Course
from hostile_class import FOLDERS, NOTEBOOKS, ODD_FOLDERS, ODD_NOTEBOOKS, ORDERS

from course import solved
from grader.cli import main
from grader.instructor.archive import restore
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


@pytest.fixture
def here(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run commands in the course's folder."""
    monkeypatch.chdir(course.root)


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
    course: Course, summary: Summary, here: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["insights", "neuron", "--names"]) == 0
    counts = f"{len(course.points())} graded, {len(summary.errors)} without a grade"
    assert counts in capsys.readouterr().out
    page = (course.root / "class" / "insights" / "neuron.html").read_text(encoding="utf-8")
    assert all(student in page for student in ("zoe", *summary.errors))


@pytest.mark.long
def test_grade_gives_everybody_the_same_points_or_a_reason(
    course: Course, summary: Summary, here: None, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = sorted(Path("class", "submitted").glob("*/neuron/neuron.ipynb"))
    assert main(["grade", "--json", *map(str, paths)]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["notebook"] for one in lines] == [*map(str, paths)]
    students = [path.parts[-3] for path in paths]
    found = dict(zip(students, lines, strict=True))
    assert {student: found[student].get("points") for student in HONEST} == HONEST
    deserved = course.points()
    for student, one in found.items():
        points = one.get("points")  # also of a notebook whose folder could not be graded
        assert points == deserved.get(student, points) if "points" in one else one["error"]


@pytest.mark.long
def test_archives_hold_what_is_within_limits_and_name_the_rest(
    course: Course, summary: Summary, here: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["archive", "neuron"]) == 0
    told = capsys.readouterr().out
    for kind in ("a sparse notebook", "many files", "sparse files"):
        assert f"More of submitted/{kind}/neuron was left out" in told
    assert "its name is no text" in told
    assert "folders deep" in told
    other = Course(tmp_path)
    restore(other.root, course.root / "class" / "archive" / "neuron.zip")
    assert other.points() == course.points()
    assert main(["anonymize", "neuron"]) == 0
    assert "its name is no text" in capsys.readouterr().out
    with zipfile.ZipFile(course.root / "class" / "archive" / "neuron-anonymous.zip") as made:
        assert not any(kind in name for kind in HOSTILE for name in made.namelist())

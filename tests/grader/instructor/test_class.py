"""A small class goes through nbgrader's own commands, from release to feedback."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from classroom import Course

from course import ROOT, lesson, solved, written

SLOPPY = "def sigmoid(z):\n    return 1 / (1 + np.exp(-np.asarray(z)))\n"
NAN_BLIND = "def relu(z):\n    return np.where(np.asarray(z) > 0, z, 0)\n"

CLASS: dict[str, tuple[dict[str, Any], float]] = {
    "right": (solved("neuron"), 10.0),
    "sloppy": (
        written("neuron", weighted_sum="...", sigmoid=SLOPPY, relu=NAN_BLIND, dense="..."),
        2 + 2.7 + 1.8 + 3,
    ),
    "unfinished": (written("neuron", weighted_sum="..."), 2.0),
    "broken": (
        written("neuron", weighted_sum="def weighted_sum(x, w, b)\n    return", sigmoid="..."),
        3.0,
    ),
}
"""Notebooks by student, with the points that they deserve."""


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Release a lesson, submit, collect, grade, and return the feedback."""
    course = Course(tmp_path_factory.mktemp("course"))
    course.nbgrader("generate_assignment", "neuron", "--force")
    course.nbgrader("release_assignment", "neuron")
    course.nbgrader("fetch_assignment", "neuron", "--Exchange.assignment_dir=home")
    notebook, _ = CLASS["right"]
    (course.root / "home" / "neuron" / "neuron.ipynb").write_text(
        json.dumps(notebook), encoding="utf-8"
    )
    course.nbgrader("submit", "neuron", "--Exchange.assignment_dir=home")
    course.nbgrader("collect", "neuron")
    key = (course.root / "course" / "neuron" / "answers.key").read_text(encoding="utf-8")
    for student in ("sloppy", "unfinished", "broken"):
        folder = course.hand_in(student, CLASS[student][0])
        mine = key.replace('"points":2', '"points":200') if student == "unfinished" else key
        (folder / "answers.key").write_text(mine, encoding="utf-8")
    course.nbgrader("autograde", "neuron")
    course.nbgrader("generate_feedback", "neuron")
    course.nbgrader("release_feedback", "neuron", f"--student={getpass.getuser()}")
    course.nbgrader("fetch_feedback", "neuron", "--Exchange.assignment_dir=home")
    return course


def test_the_gradebook_holds_the_points_that_each_notebook_deserves(graded: Course) -> None:
    expected = {student: points for student, (_, points) in CLASS.items() if student != "right"} | {
        getpass.getuser(): 10.0
    }
    assert graded.points() == pytest.approx(expected)


def test_the_release_holds_the_key_and_no_file_of_an_author(graded: Course) -> None:
    released = next((graded.root / "class" / "exchange").rglob("outbound")) / "neuron"
    assert sorted(path.name for path in released.iterdir()) == ["answers.key", "neuron.ipynb"]
    assert sorted(path.name for path in (graded.root / "course" / "neuron").iterdir()) == [
        "answers.key",
        "neuron.ipynb",
    ]


def test_the_feedback_shows_the_failing_case_and_the_hint(graded: Course) -> None:
    feedback = (graded.root / "class" / "feedback" / "sloppy" / "neuron" / "neuron.html").read_text(
        encoding="utf-8"
    )
    assert "NaN became 0" in feedback
    assert "e to the power 1000 is computed" in feedback


def test_a_learner_gets_the_feedback_back(graded: Course) -> None:
    (page,) = (graded.root / "home" / "neuron" / "feedback").rglob("neuron.html")
    assert "✓ solved" in page.read_text(encoding="utf-8")


def test_nbgrader_validate_tells_whether_the_checks_pass(graded: Course) -> None:
    assert "Success! Your notebook passes all the tests." in graded.nbgrader(
        "validate", "neuron.ipynb", folder="home/neuron"
    )
    said = graded.nbgrader("validate", "neuron.ipynb", folder="class/submitted/sloppy/neuron")
    assert "VALIDATION FAILED ON 2 CELL(S)" in said
    assert "check(sigmoid)" in said
    assert "check(relu)" in said


def test_formgrader_finds_the_class(graded: Course) -> None:
    assignment = graded.formgrader().get_assignment("neuron")
    assert assignment["num_submissions"] == len(CLASS)
    assert assignment["max_score"] == 10
    assert assignment["average_score"] == pytest.approx(
        sum(points for _, points in CLASS.values()) / len(CLASS)
    )


def test_make_class_in_a_fresh_clone_grades_a_class_and_writes_feedback(tmp_path: Path) -> None:
    """Of two hostile students one has a damaged notebook, one all answers right but the last."""
    root, environment = (
        tmp_path / "clone",
        {
            name: value
            for name, value in os.environ.items()
            if name not in ("PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS")
        },
    )
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(root)], check=True)
    done = subprocess.run(
        ["make", "class", "STUDENTS=42"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "neuron: 41 graded" in done.stdout
    assert done.stdout.count("it is damaged") == 1
    course = object.__new__(Course)
    course.root = root
    points = course.points()
    *answered, _ = lesson("neuron").exercises.values()
    assert {
        points[student] for student in points if student.endswith(("right", "other", "untidy"))
    } == {10}
    assert {points[student] for student in points if "hostile" in student} == {
        sum(exercise.points for exercise in answered)
    }
    assert all(
        points[student] < 10 for student in points if student.endswith(("wrong", "unfinished"))
    )
    feedback = {
        path.parts[-3]: path.read_text(encoding="utf-8")
        for path in (root / "class" / "feedback").glob("*/neuron/neuron.html")
    }
    assert feedback.keys() == points.keys()
    assert all(("✓ solved" in page) == bool(points[student]) for student, page in feedback.items())
    insights = (root / "class" / "insights" / "neuron.html").read_text(encoding="utf-8")
    assert "41" in insights
    assert not [student for student in points if student in insights]
    assert (
        subprocess.run(
            ["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=True
        ).stdout
        == ""
    )

"""The gradebook keeps all grades when a lesson that has submissions gets another exercise."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from classroom import Course, one_worker

from course import solved
from grader.author.lesson import LessonError

STUDENTS = ("ana", "Zoé O'Neil")


def without_dense(course: Course) -> dict[Path, str]:
    """Take an exercise and a locked cell out of the lesson; return the files as they were."""
    source, release = course.root / "solutions" / "neuron", course.root / "course" / "neuron"
    files = source / "neuron.md", source / "exercises.py", release / "neuron.ipynb"
    before = {path: path.read_text(encoding="utf-8") for path in files}
    lesson, exercises, notebook = before.values()
    for start in ("def dense", "check\\(dense", "harden\\(dense"):
        block = rf"```{{code-cell}}[^`]*\n{start}[^`]*```\n"
        assert re.search(block, lesson)
        lesson = re.sub(block, "", lesson)
    exercises = re.sub(r"\ndense = Exercise.*?\n(?=bias_turned = )", "\n", exercises, flags=re.S)
    built = json.loads(notebook)
    gone = "dense", "check-dense", "code-13"
    built["cells"] = [cell for cell in built["cells"] if cell["id"] not in gone]
    for path, text in zip(files, (lesson, exercises, json.dumps(built)), strict=True):
        path.write_text(text, encoding="utf-8")
    return before


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = Course(tmp_path)
    for student in STUDENTS:
        course.hand_in(student, solved("neuron"))
    return course


def test_an_exercise_that_is_added_later_keeps_all_grades(course: Course) -> None:
    before = without_dense(course)
    with one_worker():
        assert course.autograde().graded == dict.fromkeys(STUDENTS, 7.0)
        with course.gradebook() as gradebook:
            gradebook.find_grade("check-relu", "neuron", "neuron", "ana").manual_score = 0.5
            gradebook.find_comment("relu", "neuron", "neuron", "ana").manual_comment = "See me."
            gradebook.find_submission("neuron", "ana").extension = timedelta(days=2)
            gradebook.db.commit()
        for path, text in before.items():
            path.write_text(text, encoding="utf-8")
        assert course.autograde().outdated == 2
        assert course.points() == {"ana": 5.5, "Zoé O'Neil": 7.0}
        (course.root / "class" / "submitted" / "ana" / "neuron" / "timestamp.txt").unlink()
        assert course.autograde().graded == {"ana": 7.0}, "its result is written again"
        assert course.points() == {"ana": 5.5, "Zoé O'Neil": 7.0}
        would = course.autograde(regrade=True, dry=True)
        assert "the exercise is new" in would.text()
        assert course.autograde(regrade=True).graded == dict.fromkeys(STUDENTS, 10.0)
    assert course.points() == {"ana": 8.5, "Zoé O'Neil": 10.0}
    with course.gradebook() as gradebook:
        assert gradebook.find_comment("relu", "neuron", "neuron", "ana").comment == "See me."
        submission = gradebook.find_submission("neuron", "ana")
        assert submission.extension == timedelta(days=2)
        assert submission.max_score == 10
    course.generate()


def test_an_exercise_that_has_grades_is_not_taken_away(course: Course) -> None:
    with one_worker():
        course.autograde()
        without_dense(course)
        with pytest.raises(LessonError, match="grades of neuron for check-dense, which"):
            course.autograde()
    assert course.points() == dict.fromkeys(STUDENTS, 10.0)

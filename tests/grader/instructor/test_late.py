"""A late submission loses points where the settings of the class ask for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from classroom import EARLY, Course

from course import solved
from grader.instructor.late import DailyPenalty

DAY = 24 * 60 * 60

LATE = "2026-10-02 12:00:01 UTC"
SETTINGS = (
    'c = get_config()\nc.AssignLatePenalties.plugin_class = "grader.instructor.late.DailyPenalty"\n'
)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Two right submissions: in time, and a day and a second late; no assignment is generated."""
    course = Course(tmp_path)
    course.hand_in("prompt", solved("neuron"), EARLY)
    course.hand_in("late", solved("neuron"), LATE)
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("neuron", duedate=EARLY)
    return course


def penalties(course: Course) -> dict[str, tuple[float, float]]:
    """Return points and penalties by student."""
    with course.gradebook() as gradebook:
        return {
            one.student.id: (one.score, one.late_submission_penalty)
            for one in gradebook.assignment_submissions("neuron")
        }


@pytest.mark.long
def test_there_is_no_penalty_by_default(course: Course) -> None:
    course.nbgrader("autograde", "neuron")
    assert penalties(course) == {"prompt": (10.0, 0.0), "late": (10.0, 0.0)}


@pytest.mark.long
def test_two_begun_days_cost_two_tenths_in_both_commands(course: Course) -> None:
    (course.root / "class" / "nbgrader_config.py").write_text(SETTINGS, encoding="utf-8")
    expected = {"prompt": (10.0, 0.0), "late": (10.0, pytest.approx(2.0))}
    course.nbgrader("autograde", "neuron")
    assert penalties(course) == expected
    course.autograde(regrade=True)
    assert penalties(course) == expected


def test_a_penalty_is_at_most_the_points() -> None:
    plugin = DailyPenalty()
    assert [
        plugin.late_submission_penalty("late", 8.0, seconds)
        for seconds in (1, DAY, DAY + 1, 9.5 * DAY, 400 * DAY)
    ] == pytest.approx([0.8, 0.8, 1.6, 8.0, 8.0])
    assert DailyPenalty(share=0.5).late_submission_penalty("late", 8.0, 1) == pytest.approx(4.0)

"""`nbgrader autograde` and formgrader's button grade and record like `grader autograde`."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from classroom import Course

from course import solved, written
from grader.author.lesson import load_lesson
from grader.cli import main
from grader.insights.gather import gather
from grader.instructor import journal, nbgrader_autograde
from grader.instructor.journal import open_journal

SLOPPY = "def sigmoid(z):\n    return 1 / (1 + np.exp(-np.asarray(z)))\n"


def text_of(notebook: dict[str, Any]) -> str:
    return json.dumps(notebook, ensure_ascii=False, indent=1)


CONFLICT = "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs\n"

READABLE: dict[str, bytes] = {
    "bom": text_of(solved("neuron")).encode("utf-8-sig"),
    "honest": text_of(solved("neuron")).encode(),
    "long": text_of(written("neuron", sigmoid=f"# {'x' * 30_000}\n{SLOPPY}")).encode(),
    "sloppy": text_of(written("neuron", sigmoid=SLOPPY)).encode(),
    "utf16": text_of(solved("neuron")).encode("utf-16"),
}
POINTS = {"bom": 10, "honest": 10, "long": 2.7, "renamed": 10, "sloppy": 2.7, "utf16": 10}


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, said: dict[str, str]) -> Course:
    """Grade a class with unreadable notebooks by nbgrader's own command."""
    course = Course(tmp_path_factory.mktemp("course"))
    for student, notebook in READABLE.items():
        course.hand_in(student, notebook)
    course.hand_in(
        "conflict", CONFLICT.format(text_of(solved("neuron")), text_of(written("neuron"))).encode()
    )
    reference = course.root / "solutions" / "neuron" / "neuron.ipynb"
    thief = course.hand_in("a thief", b"")
    (thief / "neuron.ipynb").unlink()
    (thief / "neuron.ipynb").symlink_to(reference)
    (course.hand_in("renamed", solved("neuron")) / "neuron.ipynb").rename(
        course.root / "class/submitted/renamed/neuron/mine.ipynb"
    )
    (course.root / "class/submitted/honest/neuron/stolen.html").symlink_to(reference)
    (course.root / "class/submitted/honest/neuron/notes.txt").write_text("my own", encoding="utf-8")
    said["nbgrader"] = course.nbgrader("autograde", "neuron", fails=True)
    return course


@pytest.mark.long
def test_a_notebook_saved_by_another_tool_is_graded(graded: Course) -> None:
    assert graded.points() == POINTS


@pytest.mark.long
def test_an_unreadable_notebook_gets_one_sentence_and_stops_nobody(
    graded: Course, said: dict[str, str]
) -> None:
    assert "Traceback" not in said["nbgrader"]
    for student, why in {
        "conflict": "it has conflict markers",
        "a thief": "neuron.ipynb is a link",
    }.items():
        assert f"ERROR] {student} was not graded: {why}" in said["nbgrader"]


@pytest.mark.long
def test_no_link_in_a_submission_is_followed(graded: Course, said: dict[str, str]) -> None:
    assert "honest/neuron/stolen.html was left out: it is a link" in said["nbgrader"]
    marked = graded.root / "class" / "autograded"
    assert {path.name for path in (marked / "honest" / "neuron").iterdir()} == {
        "answers.key",
        "neuron.ipynb",
        "notes.txt",
        "timestamp.txt",
    }
    assert not (marked / "a thief").exists()


def test_the_journal_is_the_same_as_grader_autogrades(course: Course) -> None:
    records = {record["student"]: record for record in course.journal() if "graded" in record}
    shutil.rmtree(course.root / "class" / "journal")
    course.autograde(
        students=tuple(POINTS), seed=next(iter(records.values()))["seed"], regrade=True
    )
    assert {
        record["student"]: record for record in course.journal() if "graded" in record
    } == records


def test_insights_count_the_submissions_that_nbgrader_graded(course: Course) -> None:
    results = gather(course.root, load_lesson(course.root / "solutions" / "neuron"))
    assert {one.student: one.points for one in results.graded} == POINTS
    assert results.resubmitted == []


def test_grader_autograde_finds_it_done_and_keeps_points_given_by_hand(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    with course.gradebook() as gradebook:
        grade = gradebook.find_grade("check-sigmoid", "neuron", "neuron", "sloppy")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    before = course.journal_file.read_bytes()
    assert main(["autograde", "neuron", *(f"--student={student}" for student in READABLE)]) == 0
    assert "neuron: 0 graded, 5 up to date" in capsys.readouterr().out
    assert course.journal_file.read_bytes() == before
    with course.gradebook() as gradebook:
        assert not gradebook.find_grade(
            "check-sigmoid", "neuron", "neuron", "sloppy"
        ).needs_manual_grade


def test_while_another_run_grades_the_lesson_the_button_says_so(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nbgrader_autograde, "JOURNAL_TIMEOUT", 0.1)
    with open_journal(course.journal_file):
        pressed = course.formgrader().autograde("neuron", "sloppy")
    assert not pressed["success"]
    assert "neuron.jsonl: another run is grading this lesson" in pressed["log"]
    assert course.points() == POINTS


def test_the_button_waits_for_another_run_and_records_a_second_grading(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run ends while the button waits."""
    course.hand_in("sloppy", solved("neuron"), "2026-10-03 12:00:00 UTC")
    with ExitStack() as other_run:
        other_run.enter_context(open_journal(course.journal_file))
        monkeypatch.setattr(
            journal,
            "time",
            SimpleNamespace(
                time=time.time, monotonic=time.monotonic, sleep=lambda _: other_run.close()
            ),
        )
        pressed = course.formgrader().autograde("neuron", "sloppy")
    assert pressed["success"], pressed
    assert course.points()["sloppy"] == 10
    assert [record["student"] for record in course.journal() if "graded" in record].count(
        "sloppy"
    ) == 2
    assert course.journal()[-1]["timestamp"] == "2026-10-03 12:00:00"


def test_an_assignment_that_is_no_lesson_is_refused(course: Course) -> None:
    pressed = course.formgrader().autograde("extra", "sloppy")
    assert not pressed["success"]
    assert "extra" in pressed["log"]

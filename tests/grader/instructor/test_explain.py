"""`grader explain`: the cases of a graded submission, from the inputs of its run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from classroom import LATE, Course, one_worker

from course import written
from grader.cli import main
from grader.execution.limits import Budget
from grader.instructor import explain

SLOPPY = "def sigmoid(z):\n    print('hello')\n    return 1 / (1 + np.exp(-np.asarray(z)))\n"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    course = Course(tmp_path)
    course.hand_in("ana", written("neuron", sigmoid=SLOPPY))
    monkeypatch.chdir(course.root)
    return course


def explained(capsys: pytest.CaptureFixture[str], student: str = "ana") -> tuple[int, str]:
    capsys.readouterr()
    code = main(["explain", "neuron", student])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_every_case_is_shown_and_the_points_are_the_gradebooks(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    with one_worker():
        course.autograde(seed=5)
        course.autograde(seed=6, regrade=True)
        course.autograde(seed=7, regrade=True)
    code, said = explained(capsys)
    assert code == 0
    assert f"ana, neuron: {course.points()['ana']:g} of 10 points" in said
    assert "seed 7, lesson version" in said
    assert "sigmoid: 2.7 of 3 points, missed: no warnings at extreme inputs, all cases in " in said
    assert "gradebook:" not in said, "it has the same points"
    assert "no warnings at extreme inputs (0.3 points): It warned: overflow" in said
    for part in ("    z: ", "    yours: ", "    expected: ", "    it printed: hello"):
        assert part in said


def test_points_taken_off_as_late_or_given_by_hand_are_told(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.hand_in("Zoé O'Neil", written("neuron", sigmoid=SLOPPY, relu="..."), LATE)
    course.punish_lateness()
    with one_worker():
        course.autograde()
    assert "gradebook: 0 points (4.7 taken off as late)" in explained(capsys, "Zoé O'Neil")[1]
    with course.gradebook() as gradebook:
        grade = gradebook.find_grade("check-relu", "neuron", "neuron", "ana")
        grade.manual_score = 1.5
        gradebook.db.commit()
    said = explained(capsys)[1]
    assert "ana, neuron: 2.7 of 10 points" in said
    assert "gradebook: 4.2 points (4.2 with those given by hand)" in said


def test_the_commit_of_the_grading_is_named(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@school.example"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "First"]):
        subprocess.run([*git, *words], cwd=course.root, check=True)
    describe = ["git", "describe", "--always", "--abbrev=12"]
    commit = subprocess.run(describe, cwd=course.root, check=True, capture_output=True, text=True)
    with one_worker():
        course.autograde()
    source = course.root / "solutions" / "neuron" / "neuron.md"
    source.write_text(source.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    said = explained(capsys)[1]
    assert f"(commit {commit.stdout.strip()}" in said
    assert "Check that version out" in said


def test_a_notebook_that_takes_too_long_is_answered_by_a_sentence(
    course: Course, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with one_worker():
        course.autograde()
    monkeypatch.setattr(explain, "OUTSIDE", Budget(seconds=1e-3))
    took = "ana: it took more than 0.001 seconds of processor time.\n"
    assert explained(capsys) == (1, took)


def test_what_cannot_be_repeated_is_named_with_the_way_out(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explained(capsys) == (
        1,
        "ana has no grading of neuron yet: `grader autograde neuron --student ana`.\n",
    )
    assert "--student 'Ada L'`" in explained(capsys, "Ada L")[1]
    with one_worker():
        course.autograde()
    course.hand_in("ana", written("neuron"))
    assert "another notebook of ana than the one that was graded" in explained(capsys)[1]
    course.hand_in("ana", written("neuron", sigmoid=SLOPPY))
    exercises = course.root / "solutions" / "neuron" / "exercises.py"
    exercises.write_text(exercises.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    code, said = explained(capsys)
    assert code == 1
    assert "was graded by another version of the lesson: lesson version" in said
    assert "--regrade" in said


@pytest.mark.parametrize("name", ["neuron.ipynb", "essay.pdf"])
def test_the_graded_notebook_is_found_after_one_that_cannot_be_graded(
    course: Course, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with one_worker():
        course.autograde()
    (course.root / "class/submitted/ana/neuron/.ipynb_checkpoints").mkdir()
    newer = course.root / "mail"
    newer.mkdir()
    (newer / name).write_bytes(b"{")
    main(["collect", "neuron", str(newer), "--student", "ana"])
    code, said = explained(capsys)
    assert code == 0
    assert "ana, neuron: 2.7 of 10 points" in said

"""`grader sample-class`: the made-up students earn the points of their kinds."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from course import LESSONS, SETTINGS, copy_of_the_course, lesson
from grader.cli import main
from grader.execution.notebook import UnreadableNotebook
from grader.instructor.run import Run
from grader.instructor.sample_class import KINDS, sample_class
from grader.sandbox.engine import Engine


@pytest.mark.long
@pytest.mark.parametrize("name", LESSONS)
def test_each_student_earns_what_the_kind_deserves(name: str) -> None:
    run = Run(lesson(name), seed=2)
    made = sample_class(lesson(name), sum(KINDS.values()))
    earned: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with Engine(SETTINGS) as engine:
        for student, notebook in made.items():
            kind = student.split("_")[1]
            if kind != "hostile":
                assert "Exercise" not in "".join(
                    text
                    for cell in notebook["cells"]
                    if cell["cell_type"] == "code"
                    for text in cell["source"]
                )
                earned[kind].append(run.grade(json.dumps(notebook).encode(), engine.run).points)
    full = sum(float(exercise.points or 0) for exercise in lesson(name).exercises.values())
    assert all(points for kind, points in earned.items() if kind != "hostile")
    assert all(points == full for kind in ("right", "other", "untidy") for points in earned[kind])
    assert all(points < full for kind in ("wrong", "unfinished") for points in earned[kind])


@pytest.mark.long
@pytest.mark.parametrize("name", ["neuron", "capstone"])
def test_hostile_submissions_earn_their_answers_points_and_nothing_else(name: str) -> None:
    run = Run(lesson(name), seed=2)
    made = {
        student: notebook
        for student, notebook in sample_class(lesson(name), 24 * sum(KINDS.values())).items()
        if "hostile" in student
    }
    *answered, left_out = lesson(name).exercises
    deserved = {
        **{exercise: float(lesson(name).exercises[exercise].points or 0) for exercise in answered},
        left_out: 0,
    }
    damaged = 0
    with Engine(SETTINGS) as engine:
        for student, notebook in made.items():
            try:
                graded = run.grade(
                    (notebook if isinstance(notebook, str) else json.dumps(notebook)).encode(),
                    engine.run,
                )
            except UnreadableNotebook:
                assert isinstance(notebook, str)
                damaged += 1
            else:
                assert {
                    exercise: verdict.points for exercise, verdict in graded.verdicts.items()
                } == deserved, student
    assert damaged == len(made) / 3


def test_the_same_seed_makes_the_same_class() -> None:
    one, same, other = (sample_class(lesson(LESSONS[0]), 30, seed) for seed in (1, 1, 2))
    assert one == same != other


def test_a_submission_that_is_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = LESSONS[0]
    monkeypatch.chdir(copy_of_the_course(tmp_path))
    assert main(["sample-class", name, "--students", "3"]) == 0
    mine = next((tmp_path / "class" / "submitted").glob(f"*/{name}/{name}.ipynb"))
    mine.write_text("mine", encoding="utf-8")
    assert main(["sample-class", name, "--students", "4"]) == 0
    assert mine.read_text(encoding="utf-8") == "mine"
    assert "1 submission of" in capsys.readouterr().out


def test_a_full_disk_leaves_no_notebook_without_its_timestamp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = LESSONS[0]
    monkeypatch.chdir(copy_of_the_course(tmp_path))

    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert main(["sample-class", name, "--students", "2"]) == 1
    assert "No space left on device" in capsys.readouterr().err
    submitted = tmp_path / "class" / "submitted"
    assert list(submitted.glob(f"*/{name}/*.ipynb")) == []
    assert main(["sample-class", name, "--students", "2"]) == 0
    assert len(list(submitted.glob(f"*/{name}/timestamp.txt"))) == 2

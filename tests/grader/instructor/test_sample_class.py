"""`grader sample-class`: each made-up student is of the kind that the name says, in every lesson."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from course import LESSONS, ROOT, copy_of_the_course, lesson
from grader.cli import main
from grader.engine.engine import Engine
from grader.execution.submission import UnreadableNotebook
from grader.instructor.run import Run
from grader.instructor.sample_class import KINDS, sample_class


@pytest.mark.parametrize("name", LESSONS)
def test_each_student_earns_what_the_kind_deserves(name: str) -> None:
    run = Run(lesson(name), seed=2)
    made = sample_class(ROOT, lesson(name), 2 * sum(KINDS.values()))
    earned: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with Engine() as engine:
        for student, notebook in made.items():
            kind = student.split("_")[1]
            if kind != "hostile":
                assert "Exercise" not in "".join(text for cell in notebook["cells"] if cell["cell_type"] == "code" for text in cell["source"])
                earned[kind].append(run.grade(json.dumps(notebook).encode(), engine).points)
    full = sum(float(exercise.points or 0) for exercise in lesson(name).exercises.values())
    assert {kind for kind, points in earned.items() if points} == set(KINDS) - {"hostile"}
    assert all(points == full for kind in ("right", "other", "untidy") for points in earned[kind])
    assert all(points < full for kind in ("wrong", "unfinished") for points in earned[kind])


def test_hostile_hand_ins_earn_nothing_and_stop_nothing() -> None:
    name = LESSONS[0]
    run = Run(lesson(name), seed=2)
    made = {student: notebook for student, notebook in sample_class(ROOT, lesson(name), 26 * sum(KINDS.values())).items() if "hostile" in student}
    with Engine() as engine:
        for notebook in made.values():
            data = (notebook if isinstance(notebook, str) else json.dumps(notebook)).encode()
            if b"while True" not in data:
                try:
                    assert run.grade(data, engine).points == 0
                except UnreadableNotebook:
                    assert isinstance(notebook, str)


def test_the_same_seed_makes_the_same_class() -> None:
    one, same, other = (sample_class(ROOT, lesson(LESSONS[0]), 30, seed) for seed in (1, 1, 2))
    assert one == same != other


def test_who_has_handed_in_keeps_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    name = LESSONS[0]
    monkeypatch.chdir(copy_of_the_course(tmp_path))
    assert main(["sample-class", name, "--students", "3"]) == 0
    mine = next((tmp_path / "class" / "submitted").glob(f"*/{name}/{name}.ipynb"))
    mine.write_text("mine", encoding="utf-8")
    assert main(["sample-class", name, "--students", "4"]) == 0
    assert mine.read_text(encoding="utf-8") == "mine"
    assert "1 students handed in" in capsys.readouterr().out

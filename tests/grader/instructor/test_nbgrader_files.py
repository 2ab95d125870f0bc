"""nbgrader finds files under any name, guesses no time, and collects archives as we do."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import nbgrader.api
import pytest
from classroom import LATE, Course
from nbgrader import utils
from nbgrader.dbutil import _temp_alembic_ini

from course import ROOT, solved
from grader.instructor import nbgrader_files
from grader.instructor.gradebook import newest_schema
from grader.instructor.nbgrader_files import paths_like


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("week [1]/*/neuron", ["week [1]/a[1]/neuron", "week [1]/ada/neuron"]),
        ("week [1]/a[1]/neuron/*.ipynb", ["week [1]/a[1]/neuron/x?.ipynb"]),
        ("week [1]/ada/neuron/*.ipynb", []),
        ("week [1]/[ab]d?/neuron", ["week [1]/ada/neuron"]),
        ("week [12]/*", []),
    ],
)
def test_a_name_that_is_there_is_no_pattern(tmp_path: Path, pattern: str, found: list[str]) -> None:
    for name in ("a[1]", "ada"):
        (tmp_path / "week [1]" / name / "neuron").mkdir(parents=True)
    (tmp_path / "week [1]" / "a[1]" / "neuron" / "x?.ipynb").touch()
    assert sorted(paths_like(f"{tmp_path}/{pattern}")) == [f"{tmp_path}/{one}" for one in found]


@pytest.mark.long
def test_brackets_and_question_marks_in_names_cost_nobody_their_feedback(tmp_path: Path) -> None:
    course = Course(tmp_path / "week [1]? 50%25 #")
    students = ["ada", "a[1]", "b?*"]
    for student in students:
        course.hand_in(student, solved("neuron"))
    course.nbgrader("autograde", "neuron", "--student", "a[1]")
    assert course.autograde().graded.keys() == {"ada", "b?*"}
    course.nbgrader("generate_feedback", "neuron")
    for student in students:
        folder = course.root / "class" / "feedback" / student / "neuron"
        assert (folder / "neuron.html").is_file()
        assert not (folder / "exercises.py").exists(), "an author's file"
    assert (course.root / "class" / "gradebook.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [course.root.name]
    assert course.formgrader().get_submitted_students("neuron") == {*students}


@pytest.mark.long
@pytest.mark.parametrize("when", ["2026-10-02 02:00 CEST", "02/10/2026", "tomorrow"])
def test_a_time_that_cannot_be_read_costs_no_points_in_either_command(
    tmp_path: Path, when: str
) -> None:
    course = Course(tmp_path)
    course.punish_lateness()
    course.hand_in("ada", solved("neuron"), when)
    course.hand_in("bo", solved("neuron"), LATE)
    summary = course.autograde()
    assert f'timestamp.txt says "{when}"' in summary.repaired["ada"][0]
    course.nbgrader("autograde", "neuron", "--force")
    with course.gradebook() as gradebook:
        graded = gradebook.assignment_submissions("neuron")
        points = {one.student.id: one.score - one.late_submission_penalty for one in graded}
    assert points == {"ada": 10, "bo": 0}
    assert course.formgrader().get_submission("neuron", "ada")["timestamp"] is None


@pytest.mark.long
@pytest.mark.parametrize("place", ["downloaded", "class/downloaded"])
def test_zip_collect_takes_an_archive_of_moodle_and_writes_below_class(
    tmp_path: Path, place: str
) -> None:
    course = Course(tmp_path)
    archive = course.root / place / "neuron" / "archive" / "moodle.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as file:
        for who in ("Ada Lovelace_1234567", "Zoë Krüger_1234568", "Bo O'Neill_1234569"):
            file.writestr(
                f"{who}_assignsubmission_file_/neuron.ipynb", json.dumps(solved("neuron"))
            )
    before = {*course.root.iterdir()}
    assert "neuron: 3 submissions (3 new" in course.nbgrader("zip_collect", "neuron")
    submitted = course.root / "class" / "submitted"
    assert {path.parts[-3] for path in submitted.rglob("*.ipynb")} == {
        "Ada Lovelace",
        "Zoë Krüger",
        "Bo O'Neill",
    }
    assert {*course.root.iterdir()} <= before | {course.root / "class"}
    assert "no archive" in course.nbgrader("zip_collect", "loss", fails=True)


def test_nbgrader_finds_files_by_their_name_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("data.csv", "[1].txt", "code.pyc", "deep/er/code.pyc", "deep/er/data.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(utils, "is_ignored", nbgrader_files._is_ignored)
    assert len(utils.find_all_files(str(tmp_path))) == 5
    found = utils.find_all_files(str(tmp_path), ["*.pyc"])
    names = {str(Path(one).relative_to(tmp_path)) for one in found}
    assert names == {"data.csv", "[1].txt", "deep/er/data.csv"}


def test_git_ignores_what_an_instructor_downloads() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"class/", "/downloaded/"} <= {*ignored}


def test_the_newest_schema_is_the_one_that_nbgrader_asks_alembic_for() -> None:
    with _temp_alembic_ini("sqlite://") as ini:
        told = subprocess.run(
            [sys.executable, "-m", "alembic.config", "-c", ini, "heads"],
            capture_output=True,
            text=True,
            check=True,
        )
    assert told.stdout.split()[0] == nbgrader.api.get_alembic_version() == newest_schema()

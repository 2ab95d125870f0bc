"""`grader autograde`: grades as nbgrader writes them, each once, whenever the run is killed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any
from unicodedata import normalize

import psutil
import pytest
from classroom import LATE, Course

from course import learners_notebook, lesson, solved, written
from grader.author.lesson import load_lesson
from grader.cli import main
from grader.instructor.autograde import AutogradeOptions, autograde
from grader.instructor.feedback import has_verdicts
from grader.instructor.gradebook import GradebookUnusable, copy_for_dry_run, course_directory
from grader.instructor.journal import JournalBusy, open_journal, read_journal
from grader.instructor.lesson_gradebook import LessonGradebook
from grader.instructor.sample_class import sample_class

SLOPPY = "def sigmoid(z):\n    return 1 / (1 + np.exp(-np.asarray(z)))\n"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path)


@pytest.mark.long
def test_formgrader_sees_the_same_as_after_nbgraders_own_grading(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    handed_in = Course(tmp_path_factory.mktemp("course"))
    handed_in.punish_lateness()
    handed_in.hand_in("sloppy", written("neuron", weighted_sum="...", sigmoid=SLOPPY))
    handed_in.hand_in("late", solved("neuron"), LATE)
    seen = []
    for way in ("grader autograde", "nbgrader autograde", "nbgrader autograde without this grader"):
        course = handed_in.copy(tmp_path_factory.mktemp("copy"))
        if "without" in way:
            config = course.root / "nbgrader_config.py"
            before, _, after = config.read_text(encoding="utf-8").partition(
                "# Learners' code runs only in the grader's sandbox"
            )
            config.write_text(
                before
                + "\n".join(line for line in after.splitlines() if "LateSubmissionPlugin" in line)
                + "\n",
                encoding="utf-8",
            )
        said = (
            course.autograde().text()
            if way.startswith("grader")
            else course.nbgrader("autograde", "neuron")
        )
        assert ("Executing" in said or "kernel" in said.lower()) == ("without" in way)
        seen.append(_as_formgrader_shows(course))
    ours, through_nbgrader, nbgraders = seen
    assert ours == through_nbgrader == nbgraders
    assert ours["submissions"]["sloppy"]["score"] == 4.7
    assert ours["submissions"]["late"]["score"] == 10
    assert ours["penalties"]["late"] == 10


@pytest.mark.long
def test_nothing_in_a_submission_stops_nbgraders_own_autograde(course: Course) -> None:
    course.generate()
    copied, bare, forged = solved("neuron"), solved("neuron"), written("neuron")
    copied["cells"] += [
        {**cell, "id": f"copy-{cell['id']}"} for cell in copied["cells"] if "relu" in cell["id"]
    ]
    bare["cells"] = [
        {**cell, "metadata": {}, "id": f"c{number}"}
        for number, cell in enumerate(bare["cells"])
        if cell["id"] != "check-dense"
    ]
    for cell in forged["cells"]:
        cell["metadata"] = {
            "nbgrader": {
                "grade_id": "check-relu",
                "points": 99,
                "grade": True,
                "solution": True,
                "schema_version": 3,
            }
        }
    for student, notebook in (("copied", copied), ("bare", bare), ("forged", forged)):
        course.hand_in(student, notebook)
    course.nbgrader("autograde", "neuron")
    assert course.points() == {"copied": 10, "bare": 10, "forged": 0}
    assert course.autograde().seed == course.journal()[0]["seed"]


DIES = """
import os, signal
from nbgrader.preprocessors import NbGraderPreprocessor

class Die(NbGraderPreprocessor):
    def preprocess(self, nb, resources):
        os.kill(os.getpid(), signal.SIGKILL)

c.Autograde.%s_preprocessors = [Die]
"""


@pytest.mark.long
@pytest.mark.parametrize("while_it", ["sanitize", "autograde"])
def test_a_kill_inside_nbgraders_own_autograde_leaves_nobody_at_zero(
    course: Course, while_it: str
) -> None:
    course.generate()
    course.hand_in("ann", solved("neuron"))
    config = course.root / "nbgrader_config.py"
    text = config.read_text(encoding="utf-8")
    config.write_text(text + DIES % while_it, encoding="utf-8")
    command = [sys.executable, "-m", "nbgrader", "autograde", "neuron"]
    assert (
        subprocess.run(command, cwd=course.root, capture_output=True, check=False).returncode
        == -signal.SIGKILL
    )
    assert course.points() == {"ann": 0}
    assert course.root.joinpath("class", "autograded", "ann", "neuron").is_dir()
    config.write_text(text, encoding="utf-8")
    assert "graded again" in course.nbgrader("autograde", "neuron")
    assert course.points() == {"ann": 10}
    assert "graded again" not in course.nbgrader("autograde", "neuron")


def test_a_half_graded_notebook_of_nbgraders_own_autograde_is_written_again(course: Course) -> None:
    course.hand_in("ann", solved("neuron"))
    course.autograde()
    path = course.root / "class" / "autograded" / "ann" / "neuron" / "neuron.ipynb"
    path.unlink()
    path.write_text(json.dumps(learners_notebook("neuron")), encoding="utf-8")
    course.autograde()
    assert has_verdicts(path)


def _as_formgrader_shows(course: Course) -> dict[str, Any]:
    api = course.formgrader()
    hidden = ("id", "assignment_id", "notebook_id")
    with course.gradebook() as gradebook:
        submissions = gradebook.assignment_submissions("neuron")
        return {
            "submissions": {
                one["student"]: {key: value for key, value in one.items() if key not in hidden}
                for one in api.get_submissions("neuron")
            },
            "notebooks": {
                one["student"]: {
                    key: value for key, value in one.items() if key not in (*hidden, "index")
                }
                for one in api.get_notebook_submissions("neuron", "neuron")
            },
            "penalties": {one.student.id: one.late_submission_penalty for one in submissions},
            "grades": {
                (one.student.id, grade.cell.name): (
                    grade.auto_score,
                    grade.manual_score,
                    grade.needs_manual_grade,
                    grade.score,
                    grade.max_score,
                )
                for one in submissions
                for grade in one.notebooks[0].grades
            },
            "comments": {
                (one.student.id, comment.name): comment.comment
                for one in submissions
                for comment in one.notebooks[0].comments
            },
        }


def test_an_unreadable_notebook_is_reported_and_the_class_goes_on(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    course.hand_in("damaged", b"{")
    course.hand_in("right", solved("neuron"), when=None)
    folder = course.hand_in("thief", b"")
    (folder / "neuron.ipynb").unlink()
    (folder / "neuron.ipynb").symlink_to(course.root / "solutions" / "neuron" / "neuron.ipynb")
    renamed = course.hand_in("renamed", solved("neuron"))
    (renamed / "neuron.ipynb").rename(renamed / "neuron (1).ipynb")
    (renamed / "._neuron (1).ipynb").write_bytes(b"of a Mac")
    copied = course.hand_in("copied", written("neuron"))
    (copied / "neuron-Copy1.ipynb").write_text(json.dumps(solved("neuron")), encoding="utf-8")
    monkeypatch.chdir(course.root)
    assert main(["autograde", "neuron", "--workers", "1"]) == 3
    shown = capsys.readouterr().out
    assert "neuron: 3 graded" in shown
    assert "copied: neuron-Copy1.ipynb was graded" in shown
    assert "damaged: it is damaged: it can't be read as JSON" in shown
    assert "thief: neuron.ipynb is a link" in shown
    assert course.points() == {"right": 10, "renamed": 10, "copied": 10}


def test_a_student_without_a_submission_stops_a_run_before_it_grades(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    course.hand_in("ann", solved("neuron"))
    monkeypatch.chdir(course.root)
    assert (
        main(["autograde", "neuron", "--student", "ann", "--student", "anne", "--student", "bbo"])
        == 1
    )
    assert "No submission of neuron from anne, bbo" in capsys.readouterr().err
    assert not course.journal_file.exists()


def test_an_exercise_missing_from_the_course_stops_a_run_before_it_grades(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    course.hand_in("ann", solved("neuron"))
    cell = "def leak(z):\n    ### BEGIN SOLUTION\n    return z\n    ### END SOLUTION\n"
    cells = f"{cell}```\n\n```{{code-cell}}\ncheck(leak)\n```\n\n```{{code-cell}}\n"
    exercise = 'leak = Exercise(points=1)\nleak.cases(lambda rng: [case("value", 1.0)])\n'
    for name, place, new in (
        ("exercises.py", "relu = Exercise(points=2)\n", exercise),
        ("neuron.md", "check(relu)", cells),
    ):
        path = course.root / "solutions" / "neuron" / name
        before, after = path.read_text(encoding="utf-8").split(place)
        path.write_text(before + new + place + after, encoding="utf-8")
    monkeypatch.chdir(course.root)
    assert main(["autograde", "neuron"]) == 1
    said = capsys.readouterr().err
    assert "course/neuron and solutions/neuron differ in exercises (leak)" in said
    assert not course.journal_file.exists()


def test_odd_files_beside_a_notebook_stop_nothing(course: Course) -> None:
    """Folders in place of files, files in place of folders, pipes, links, a long timestamp."""
    for student in ("ann", "bob", "cy"):
        folder = course.hand_in(student, solved("neuron"), when=None)
        (folder / "answers.key").mkdir()
        (folder / "answers.key" / "mine.json").write_text("{}")
        (folder / "notes").mkdir()
        (folder / "notes" / "mine.txt").write_text("mine")
    material = course.root / "course" / "neuron" / "data"
    material.mkdir()
    (material / "digits.txt").write_text("0")
    os.mkfifo(course.root / "class" / "submitted" / "ann" / "neuron" / "timestamp.txt")
    (course.root / "when").write_text("2026-10-01 12:00:00 UTC")
    (course.root / "class" / "submitted" / "bob" / "neuron" / "timestamp.txt").symlink_to(
        course.root / "when"
    )
    (course.root / "class" / "submitted" / "bob" / "neuron" / "data").write_text(
        "a file where the lesson has a folder"
    )
    (course.root / "class" / "submitted" / "cy" / "neuron" / "timestamp.txt").write_text(
        "2026-10-01 12:00:00 UTC" + " " * 10**6
    )
    assert course.autograde().errors == {}
    assert course.points() == dict.fromkeys(("ann", "bob", "cy"), 10)
    for student in ("ann", "bob", "cy"):
        marked = course.root / "class" / "autograded" / student / "neuron"
        assert (marked / "answers.key").read_bytes() == (
            course.root / "course" / "neuron" / "answers.key"
        ).read_bytes()
        assert (marked / "data" / "digits.txt").read_text() == "0"
        assert (marked / "notes" / "mine.txt").read_text() == "mine"
    with course.gradebook() as gradebook:
        times = {
            one.student.id: one.timestamp for one in gradebook.assignment_submissions("neuron")
        }
    assert times == {"ann": None, "bob": None, "cy": datetime(2026, 10, 1, 12)}


def test_a_second_run_grades_only_what_is_new(course: Course) -> None:
    course.hand_in("ann", solved("neuron"))
    first = course.autograde()
    course.hand_in("bob", solved("neuron"))
    second = course.autograde()
    course.hand_in("ann", written("neuron", sigmoid=SLOPPY), when=LATE)
    third = course.autograde()
    assert [sorted(run.graded) for run in (first, second, third)] == [["ann"], ["bob"], ["ann"]]
    assert first.seed == second.seed == third.seed
    assert course.points() == {"ann": 2.7, "bob": 10}


def test_grades_lost_outside_the_journal_are_written_again_without_grading(course: Course) -> None:
    import shutil

    course.hand_in("ann", solved("neuron"))
    course.autograde()
    graded = [record for record in course.journal() if "graded" in record]
    shutil.rmtree(course.root / "class" / "autograded")
    (course.root / "class" / "gradebook.db").unlink()
    course.autograde()
    assert [record for record in course.journal() if "graded" in record] == graded
    assert course.points() == {"ann": 10}
    assert course.marked("ann")["cells"]


def test_points_given_by_hand_survive_a_regrade(course: Course) -> None:
    course.hand_in("ann", written("neuron", sigmoid=SLOPPY))
    course.autograde()
    with course.gradebook() as gradebook:
        grade = gradebook.find_grade("check-sigmoid", "neuron", "neuron", "ann")
        grade.manual_score, grade.extra_credit = 1.5, 0.25
        gradebook.find_comment(
            "sigmoid", "neuron", "neuron", "ann"
        ).manual_comment = "Look at −1000."
        gradebook.db.commit()
    course.autograde(regrade=True, seed=5)
    with course.gradebook() as gradebook:
        grade = gradebook.find_grade("check-sigmoid", "neuron", "neuron", "ann")
        assert (grade.auto_score, grade.manual_score, grade.score, grade.needs_manual_grade) == (
            2.7,
            1.5,
            1.75,
            True,
        )
        assert (
            gradebook.find_comment("sigmoid", "neuron", "neuron", "ann").comment == "Look at −1000."
        )


def test_a_regrade_reports_whose_points_change_and_why(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    course.hand_in("ann", written("neuron", sigmoid=SLOPPY))
    course.hand_in("bob", solved("neuron"))
    course.autograde()
    exercises = course.root / "solutions" / "neuron" / "exercises.py"
    text = exercises.read_text(encoding="utf-8")
    changed = "\n".join(line for line in text.splitlines() if 'case("quiet"' not in line) + "\n"
    exercises.write_text(changed, encoding="utf-8")
    unchanged = course.autograde()
    assert (unchanged.graded, unchanged.outdated) == ({}, 2)
    monkeypatch.chdir(course.root)
    before = course.points()
    assert main(["autograde", "neuron", "--regrade", "--dry-run", "--workers", "1"]) == 0
    listed = capsys.readouterr().out
    assert "Points that would change:\n  ann: 2.7 → 3\n    sigmoid 2.7 → 3" in listed
    assert course.points() == before
    assert main(["autograde", "neuron", "--regrade", "--workers", "1"]) == 0
    assert "Points that change:\n  ann: 2.7 → 3" in capsys.readouterr().out
    assert course.points() == {"ann": 3, "bob": 10}
    assert course.autograde(regrade=True).graded == {}


class Killed(BaseException):
    pass


def test_a_killed_regrade_reports_all_its_changes_in_the_end(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    students = ("ann", "bob", "cy")
    for student in students:
        course.hand_in(student, written("neuron", sigmoid=SLOPPY))
    course.autograde()
    exercises = course.root / "solutions" / "neuron" / "exercises.py"
    text = exercises.read_text(encoding="utf-8")
    exercises.write_text(
        "\n".join(line for line in text.splitlines() if 'case("quiet"' not in line) + "\n",
        encoding="utf-8",
    )

    def killed(*_: object) -> None:
        raise Killed

    with pytest.raises(Killed):
        autograde(
            course.root,
            load_lesson(course.root / "solutions" / "neuron"),
            AutogradeOptions(workers=1, regrade=True),
            killed,
        )
    with monkeypatch.context() as patch:
        patch.setattr("grader.instructor.lesson_gradebook.LessonGradebook.write", killed)
        with pytest.raises(Killed):
            course.autograde(regrade=True)
    assert sum("graded" in record for record in course.journal()) == 5
    monkeypatch.chdir(course.root)
    assert main(["autograde", "neuron", "--regrade", "--workers", "1"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {student}: 2.7 → 3\n    sigmoid 2.7 → 3" in shown for student in students)
    assert course.points() == dict.fromkeys(students, 3)


def test_a_regrade_of_an_earlier_version_writes_its_points(course: Course) -> None:
    course.hand_in("ann", written("neuron", sigmoid=SLOPPY))
    first = course.autograde(seed=1).graded
    exercises = course.root / "solutions" / "neuron" / "exercises.py"
    text = exercises.read_text(encoding="utf-8")
    exercises.write_text(
        "\n".join(line for line in text.splitlines() if 'case("quiet"' not in line) + "\n",
        encoding="utf-8",
    )
    course.autograde(regrade=True)
    assert course.points() == {"ann": 3}
    exercises.write_text(text, encoding="utf-8")
    assert list(course.autograde(regrade=True, dry=True).changes) == ["ann"]
    assert course.points() == {"ann": 3}
    again = course.autograde(regrade=True)
    assert again.graded == first == course.points() == {"ann": 2.7}
    assert list(again.changes) == ["ann"]
    assert course.autograde().outdated == 0


def test_a_dry_run_makes_and_changes_nothing(course: Course) -> None:
    course.hand_in("ann", solved("neuron"))

    def everything() -> dict[str, bytes]:
        return {
            str(path): path.read_bytes()
            for path in sorted(course.root.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }

    before = everything()
    assert course.autograde(dry=True).planned == ["ann"]
    assert everything() == before
    (
        course.root / "class" / "gradebook.db"
    ).touch()  # a file in which nbgrader has not made its tables yet
    assert course.autograde(dry=True).planned == ["ann"]
    course.autograde()
    course.hand_in("bob", solved("neuron"))
    before = everything()
    assert course.autograde(dry=True).planned == ["bob"]
    assert course.autograde(dry=True, regrade=True, seed=5).planned == ["ann", "bob"]
    assert everything() == before


def test_a_dry_run_without_a_file_to_copy_is_refused(course: Course) -> None:
    coursedir = course_directory(course.root)
    coursedir.db_url = "postgresql://localhost/gradebook"
    with pytest.raises(GradebookUnusable, match="SQLite"), copy_for_dry_run(coursedir):
        pass


def test_a_seed_repeats_a_run_exactly_and_the_same_inputs_serve_all(course: Course) -> None:
    for student in ("ann", "bob"):
        course.hand_in(student, written("neuron", relu="def relu(z):\n    return abs(z)\n"))
    course.autograde(seed=11)
    first = {
        record["student"]: record["result"] for record in course.journal() if "graded" in record
    }
    course.journal_file.unlink()
    course.autograde(seed=11)
    again = {
        record["student"]: record["result"] for record in course.journal() if "graded" in record
    }
    assert first == again
    assert first["ann"] == first["bob"]


def test_a_seed_that_draws_nothing_is_refused_before_the_journal_keeps_it(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Later runs would continue with it, and fail as well."""
    monkeypatch.chdir(course.root)
    course.hand_in("ann", solved("neuron"))
    for words in (["autograde", "neuron"], ["grade", "class/submitted/ann/neuron/neuron.ipynb"]):
        with pytest.raises(SystemExit):
            main([*words, "--seed", "-1"])
        assert "a seed is a whole number from 0" in capsys.readouterr().err
    assert not course.journal_file.exists()


def test_a_torn_last_line_of_the_journal_costs_nothing_but_that_line(course: Course) -> None:
    course.hand_in("ann", solved("neuron"))
    course.autograde()
    whole = course.journal_file.read_bytes()
    course.journal_file.write_bytes(whole[:-20])
    assert list(course.autograde().graded) == ["ann"]
    records = course.journal()
    assert sum("graded" in record for record in records) == 1
    assert course.points() == {"ann": 10}


def test_two_runs_of_a_lesson_do_not_mix(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.instructor.autograde.JOURNAL_TIMEOUT", 0)
    with open_journal(course.journal_file), pytest.raises(JournalBusy, match="another run"):
        course.autograde()


@pytest.mark.long
@pytest.mark.parametrize(
    "words", ["autograde --workers 1", "autograde --dry-run", "insights", "insights --csv canvas"]
)
def test_a_locked_gradebook_is_reported_and_nothing_is_lost(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    monkeypatch.chdir(course.root)
    course.hand_in("ann", solved("neuron"))
    assert main(["autograde", "neuron", "--workers", "1"]) == 0
    course.hand_in("bob", solved("neuron"))
    with closing(sqlite3.connect(course.root / "class" / "gradebook.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        command, *options = words.split()
        assert main([command, "neuron", *options]) == 1
    said = capsys.readouterr().err
    assert "gradebook.db: database is locked: another program is writing to it" in said
    assert main(["autograde", "neuron", "--workers", "1"]) == 0
    assert course.points() == {"ann": 10, "bob": 10}


def test_a_student_added_by_another_run_at_the_same_moment_is_graded(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    course.hand_in("ann", solved("neuron"))

    def meanwhile(
        book: LessonGradebook,
        student: str,
        submitted: Callable[[LessonGradebook, str], Any] = LessonGradebook._submitted,
    ) -> Any:
        row = submitted(book, student)
        with course.gradebook() as other:
            other.update_or_create_student(student)
        return row

    monkeypatch.setattr(LessonGradebook, "_submitted", meanwhile)
    assert course.autograde().errors == {}
    assert course.points() == {"ann": 10}


OLDER = """
ALTER TABLE student DROP COLUMN lms_user_id;
ALTER TABLE grade DROP COLUMN extra_credit;
ALTER TABLE notebook DROP COLUMN kernelspec;
CREATE TABLE assignment_of_then (
    id VARCHAR(32) PRIMARY KEY, name VARCHAR(128) UNIQUE, duedate DATETIME
);
INSERT INTO assignment_of_then SELECT id, name, duedate FROM assignment;
DROP TABLE assignment;
ALTER TABLE assignment_of_then RENAME TO assignment;
DROP TABLE course;
CREATE TABLE grade_cell (
    id VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(128) NOT NULL, max_score FLOAT NOT NULL,
    cell_type VARCHAR(8) NOT NULL, notebook_id VARCHAR(32)
);
INSERT INTO grade_cell SELECT id, name, max_score, cell_type, notebook_id
    FROM grade_cells JOIN base_cell USING (id);
CREATE TABLE solution_cell (
    id VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(128) NOT NULL, notebook_id VARCHAR(32)
);
INSERT INTO solution_cell SELECT id, name, notebook_id
    FROM solution_cells JOIN base_cell USING (id);
DROP TABLE grade_cells;
DROP TABLE solution_cells;
DROP TABLE task_cells;
DROP TABLE base_cell;
UPDATE alembic_version SET version_num = 'b6d005d67074';
"""
"""Takes a gradebook back to the tables of nbgrader 0.5, the reverse of nbgrader's migrations."""


@pytest.mark.long
def test_an_older_or_damaged_gradebook_is_reported(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(course.root)
    course.hand_in("ann", written("neuron", relu="..."))
    assert main(["autograde", "neuron", "--workers", "1"]) == 0
    path = course.root / "class" / "gradebook.db"
    with closing(sqlite3.connect(path)) as older:
        older.executescript(OLDER)
    course.hand_in("bob", solved("neuron"))
    for command in (
        ["autograde", "neuron", "--workers", "1"],
        ["insights", "neuron", "--csv", "moodle"],
    ):
        capsys.readouterr()
        assert main(command) == 1, command
        assert (
            "an older nbgrader made it; copy the file to a safe place, then run nbgrader db upgrade"
            in capsys.readouterr().err
        )
    course.nbgrader("db", "upgrade")
    assert main(["autograde", "neuron", "--workers", "1"]) == 0
    assert course.points() == {"ann": 2, "bob": 10}
    assert main(["insights", "neuron", "--csv", "moodle"]) == 0
    path.write_bytes(b"no database at all" * 100)
    assert main(["autograde", "neuron", "--workers", "1"]) == 1
    assert "it is damaged" in capsys.readouterr().err


DIES_BEFORE = """
import os, signal, sys
from grader.cli import main
from grader.instructor.lesson_gradebook import LessonGradebook
from grader.instructor.journal import Journal
step, left = sys.argv[1], int(sys.argv[2])
owner = LessonGradebook if step == "write" else Journal
original = getattr(owner, step)
def counted(*arguments):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments)
setattr(owner, step, counted)
sys.exit(main(["autograde", "neuron", "--workers", "1"]))
"""
"""`grader autograde`, killed at a step between a grading and the note that it is written."""


@pytest.mark.long
def test_killed_at_each_step_a_run_ends_with_every_grade_there_once(course: Course) -> None:
    made = _handed_in(course, 12)
    for step in ("add_grading", "write", "add_written"):
        killed = subprocess.run(
            [sys.executable, "-c", DIES_BEFORE, step, "3"],
            cwd=course.root,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
    left = len(made) - len(read_journal(course.journal_file).graded)
    assert 0 < left < len(made)
    assert course.autograde().errors == {}
    _each_has_one_grade(course, made)


@pytest.mark.long
def test_a_run_killed_three_times_ends_with_every_grade_there_once(course: Course) -> None:
    made = _handed_in(course, 300)
    command = [sys.executable, "-m", "grader.cli", "autograde", "neuron", "--workers", "2"]
    _killed_three_times(course, command, len(made))
    done = subprocess.run(command, cwd=course.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    _each_has_one_grade(course, made)


def _handed_in(course: Course, students: int) -> list[str]:
    """Hand in a class without hostile students, who would run into time limits; return names."""
    made = sample_class(lesson("neuron"), 21, seed=3)
    notebooks = [one for name, one in made.items() if "hostile" not in name]
    names = [f"student {number}" for number in range(students)]
    for name, notebook in zip(names, cycle(notebooks), strict=False):
        assert isinstance(notebook, dict)
        course.hand_in(name, notebook)
    return names


def _killed_three_times(course: Course, command: list[str], students: int) -> None:
    """Kill a run thrice; where this process is slow to look, later ones may have ended before."""
    ended = []
    for kill in range(3):
        process = subprocess.Popen(command, cwd=course.root, stdout=subprocess.DEVNULL)
        while (
            len(read_journal(course.journal_file).graded) < students * (kill + 1) // 4
            and process.poll() is None
        ):
            time.sleep(0.01)
        process.kill()
        ended.append(process.wait())
    assert -signal.SIGKILL in ended
    assert set(ended) <= {-signal.SIGKILL, 0}


def _each_has_one_grade(course: Course, students: list[str]) -> None:
    records = course.journal()
    graded = Counter(record["student"] for record in records if "graded" in record)
    assert graded == Counter(dict.fromkeys(students, 1))
    assert len({record["seed"] for record in records if "started" in record}) == 1
    results = {
        record["student"]: record["result"]["points"] for record in records if "graded" in record
    }
    assert course.points() == results
    assert all(course.marked(student)["cells"] for student in students)


@pytest.mark.long
def test_no_worker_outlives_a_killed_run(course: Course) -> None:
    course.hand_in(
        "slow", written("neuron", relu="import time\ntime.sleep(1000)\ndef relu(z):\n    return z")
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "grader.cli", "autograde", "neuron", "--workers", "1"],
        cwd=course.root,
    )
    run = psutil.Process(process.pid)
    while not (engines := [engine for worker in _children(run) for engine in _children(worker)]):
        assert process.poll() is None
        time.sleep(0.05)
    workers = [*_children(run), *engines]
    process.kill()
    process.wait()
    assert psutil.wait_procs(workers, timeout=300)[1] == []


def _children(parent: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return list(parent.children())
    return []


@pytest.mark.long
def test_over_a_dask_cluster_killed_runs_and_a_killed_worker_cost_no_grade(course: Course) -> None:
    from distributed import LocalCluster

    made = _handed_in(course, 40)
    killed: list[int] = []
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
    ) as cluster:

        def kill_one(done: int, of: int) -> None:
            if done >= 3 and not killed:
                worker = next(iter(cluster.workers.values()))
                killed.append(worker.process.process.pid)
                os.kill(killed[0], signal.SIGKILL)

        command = [
            sys.executable,
            "-m",
            "grader.cli",
            "autograde",
            "neuron",
            "--scheduler",
            cluster.scheduler_address,
        ]
        _killed_three_times(course, command, len(made))
        for late in (
            more := [f"late {number}" for number in range(8)]
        ):  # so that there is work left, however late the third kill came
            course.hand_in(late, solved("neuron"))
        summary = autograde(
            course.root,
            load_lesson(course.root / "solutions" / "neuron"),
            AutogradeOptions(scheduler=cluster.scheduler_address),
            kill_one,
        )
    assert killed
    assert summary.errors == {}
    _each_has_one_grade(course, made + more)


def test_an_id_is_the_same_in_both_forms_of_its_accents(course: Course) -> None:
    course.hand_in(normalize("NFD", "josé"), solved("neuron"))
    assert not course.autograde(students=[normalize("NFC", "josé")]).errors


def test_points_by_hand_for_an_earlier_notebook_are_reported(course: Course) -> None:
    course.hand_in("ana", written("neuron", sigmoid=SLOPPY))
    course.autograde()
    with course.gradebook() as gradebook:
        gradebook.find_grade("check-sigmoid", "neuron", "neuron", "ana").manual_score = 1.0
        gradebook.db.commit()
    assert "by hand" not in course.autograde(seed=5, regrade=True).text()
    course.hand_in("ana", solved("neuron"))
    assert "still count; formgrader changes them:\n  ana: sigmoid." in course.autograde().text()
    assert course.points()["ana"] == 8.0


def test_a_lesson_without_submissions_names_the_way_to_some(course: Course) -> None:
    assert "`grader collect` adds some" in course.autograde().text()

"""The journal: small in memory, whole after a kill, and new versions for changed code."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from course import copy_of_the_course
from grader.author.lesson import load_lesson
from grader.instructor.journal import open_journal, read_journal
from grader.instructor.run_id import RunId, grader_version, lesson_version

RUN = RunId("grader", "lesson", 1)


def result(points: float) -> dict[str, object]:
    lists, texts = {"passed": ["value"], "missed": []}, {"hint": None, "note": None}
    about = {"state": "solved", "points": points, "max_points": 2, **lists, **texts}
    exercise = {**about, "failed": ["right " * 2000, []]}
    return {"points": points, "max_points": 2, "exercises": {"one": exercise}, "repaired": []}


def written(path: Path, students: int) -> Path:
    """Write a journal whose results are as long as real ones."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(students):
            student, digest = f"student {number}", f"{number:032}"
            graded = {"graded": RUN.key(student, "digest"), "student": student, "digest": digest}
            note = {"written": graded["graded"], "timestamp": "2026-10-01 12:00:00"}
            for record in ({**graded, **RUN.record(), "result": result(number)}, note):
                file.write(json.dumps(record) + "\n")
    return path


def test_a_journal_in_memory_is_small_however_long_it_is(tmp_path: Path) -> None:
    held, most = {}, {}
    for students in (1000, 3000):
        path = written(tmp_path / f"{students}.jsonl", students)
        tracemalloc.start()
        with open_journal(path) as journal:
            held[students], most[students] = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert len(journal.latest) == students
            assert journal.result(journal.latest["student 700"])["points"] == 700
    assert (held[3000] - held[1000]) / 2000 < 1000
    assert most[3000] - held[3000] < 500_000


def test_an_added_record_is_found_again_after_damaged_lines(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl", 2)
    with path.open("ab") as file:
        file.write(b'no record\n7\n[]\n{"graded": "a"}\n{"written": {}}\n{"started": null}\n')
        for field, wrong in (("result", {}), ("seed", "1"), ("student", None), ("graded", [])):
            damaged = {**RUN.record(), "graded": "a", "student": "a", "digest": "a"}
            damaged |= {"result": result(1), field: wrong}
            file.write(json.dumps(damaged).encode() + b"\n")
        file.write(b'{"graded": "torn')
    with open_journal(path) as journal:
        assert [*journal.latest] == ["student 0", "student 1"]
        for seed in (1, 2):
            run = RunId("grader", "lesson", seed)
            grading = journal.add_grading(run, "Zoé", "digest", result(seed))
            assert journal.result(grading)["points"] == seed
        assert grading.before is not None
        assert journal.result(grading.before)["points"] == 1
    with open_journal(path) as again:
        assert again.latest == journal.latest
        assert again.result(again.latest["Zoé"])["points"] == 2


def test_a_lessons_version_changes_with_its_files_and_the_courses_packages(tmp_path: Path) -> None:
    root = copy_of_the_course(tmp_path)
    (root / "playground" / "functions").mkdir(parents=True)
    module = root / "playground" / "functions" / "slopes.py"
    module.write_text("ONE = 1\n")
    lesson = load_lesson(root / "solutions" / "neuron")
    versions = [lesson_version(lesson)]
    for path in (lesson.folder / "neuron.md", lesson.folder / "exercises.py", module):
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        versions.append(lesson_version(lesson))
    assert len(set(versions)) == 4
    (root / "solutions" / "loss" / "exercises.py").write_text("")
    assert lesson_version(lesson) == versions[-1]


def test_a_process_keeps_the_version_of_the_code_that_it_has_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = grader_version()
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"changed")
    assert grader_version() == before


def test_a_students_further_notebooks_get_other_inputs_each_the_same_again(tmp_path: Path) -> None:
    run_id = RunId("grader", "lesson", 7)
    with open_journal(tmp_path / "neuron.jsonl") as journal:
        assert journal.run_for(run_id, "ann", "first") == run_id
        journal.add_grading(run_id, "ann", "first", result(0))
        second = journal.run_for(run_id, "ann", "second")
        journal.add_grading(second, "ann", "second", result(0))
        third = journal.run_for(run_id, "ann", "third")
    again = read_journal(tmp_path / "neuron.jsonl")
    assert len({run_id.seed, second.seed, third.seed}) == 3
    assert again.run_for(run_id, "ann", "first") == run_id
    assert again.run_for(run_id, "ann", "second") == second
    assert again.run_for(run_id, "ann", "third") == third
    assert again.run_for(run_id, "bob", "second") == run_id

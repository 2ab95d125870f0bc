"""The journal: small in memory however long it is, and its basis names all that decides about points."""

from __future__ import annotations

import json
import sys
import tracemalloc
from pathlib import Path

import pytest

from course import ROOT, copy_of_the_course
from grader.author.lesson import load_lesson
from grader.instructor.journal import JUDGING, SILENT, RunId, edition_of, open_journal
from grader.instructor.sources import imported_names, with_imports

BASIS = RunId("version", "edition", 1)


def written(path: Path, students: int) -> Path:
    """A journal of so many students, whose results are as long as real ones."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(students):
            key, digest = BASIS.key(f"student {number}", "digest"), f"{number:032}"
            result = {
                "points": 1.0,
                "max_points": 2,
                "exercises": {"one": {"points": number, "html": "<p>" + "right " * 2000}},
                "repaired": [],
            }
            file.write(
                json.dumps(
                    {
                        "graded": key,
                        "student": f"student {number}",
                        "digest": digest,
                        **vars(BASIS),
                        "result": result,
                    }
                )
                + "\n"
            )
            file.write(json.dumps({"written": key, "timestamp": "2026-10-01 12:00:00"}) + "\n")
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
            assert (
                journal.result(journal.latest["student 700"])["exercises"]["one"]["points"] == 700
            )
    assert (held[3000] - held[1000]) / 2000 < 1000
    assert most[3000] - held[3000] < 500_000


def test_what_is_added_is_found_again_in_the_file(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl", 2)
    with path.open("ab") as file:
        file.write(b"no record\n" + b'{"graded": "torn')
    with open_journal(path) as journal:
        for points in (1, 2):
            grading = journal.add_grading(
                RunId("version", "edition", points), "Zoé", "digest", {"points": points}
            )
            assert journal.result(grading) == {"points": points}
        assert grading.before is not None
        assert journal.result(grading.before) == {"points": 1}
    with open_journal(path) as again:
        assert again.latest == journal.latest
        assert again.result(again.latest["Zoé"]) == {"points": 2}


def test_the_version_of_the_grader_names_every_module_that_takes_part_in_judging() -> None:
    """All that a run, the engine and the unconfined runner import, directly or not."""
    found: set[str] = set()
    waiting = [
        "grader/instructor/run",
        "grader/sandbox/engine",
        "grader/sandbox/server",
        "grader/execution/unconfined",
    ]
    while waiting:
        found.add(module := waiting.pop())
        text = (ROOT / f"{module}.py").read_text(encoding="utf-8")
        names = [
            name.replace(".", "/") for name in imported_names(text) if name.startswith("grader.")
        ]
        waiting += {name for name in names if (ROOT / f"{name}.py").is_file()} - found
    assert {f"grader/{name}" for name in JUDGING} == {
        module
        for module in found
        if not module.endswith(("__init__", *SILENT)) and "/" in module.removeprefix("grader/")
    }


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course with a package of its own, whose `slopes` the neuron's exercises take a case from."""
    root = copy_of_the_course(tmp_path)
    (root / "scenery").mkdir()
    (root / "scenery" / "__init__.py").write_text('"""Scenery."""\n')
    (root / "scenery" / "slopes.py").write_text(
        "import numpy\nfrom . import depth\n\ndef ramp(x):\n    return depth.ONE * x\n"
    )
    (root / "scenery" / "depth.py").write_text("ONE = 1\n")
    (root / "scenery" / "widgets.py").write_text("from scenery import slopes\n")
    exercises = root / "solutions" / "neuron" / "exercises.py"
    exercises.write_text(
        exercises.read_text(encoding="utf-8").replace(
            "import numpy as np", "import numpy as np\nfrom scenery import slopes"
        ),
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(root))
    yield root
    for name in [name for name in sys.modules if name.partition(".")[0] == "scenery"]:
        del sys.modules[name]


def test_an_edition_is_another_when_a_module_is_that_its_cases_come_from(course: Path) -> None:
    lesson = load_lesson(course / "solutions" / "neuron")
    editions = [edition_of(lesson)]
    for name in ("slopes", "depth"):
        path = course / "scenery" / f"{name}.py"
        path.write_text(path.read_text() + "# steeper\n")
        editions.append(edition_of(lesson))
    assert len(set(editions)) == 3
    (course / "scenery" / "widgets.py").write_text("# of another colour\n")
    assert edition_of(lesson) == editions[-1]


def test_of_a_lessons_imports_only_the_projects_own_count() -> None:
    names = {
        path.relative_to(ROOT).as_posix()
        for path, *_ in with_imports(ROOT / "solutions" / "chain_rule" / "exercises.py")
    }
    assert names == {
        "solutions/chain_rule/exercises.py",
        "playground/__init__.py",
        "playground/functions/__init__.py",
        "playground/functions/landscapes.py",
    }


def test_an_edition_is_not_read_again_for_each_submission(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = load_lesson(course / "solutions" / "neuron")
    edition = edition_of(lesson)
    for way in ("read_bytes", "read_text"):
        monkeypatch.setattr(Path, way, lambda *_, **__: pytest.fail("a file was read"))
    assert edition_of(lesson) == edition

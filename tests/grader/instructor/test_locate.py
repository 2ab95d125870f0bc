"""A notebook is found by its content; where two could be meant, a command settles it."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest
from hostile_class import NOTEBOOKS

from course import ROOT, learners_notebook, solved, written
from grader.execution.limits import Budget
from grader.execution.notebook import UnreadableNotebook
from grader.instructor import locate
from grader.instructor.locate import Content, Lessons, content, find_notebook
from grader.instructor.submissions import read_time

LESSONS = Lessons(ROOT / "course")


def without_ids() -> bytes:
    """Return a finished notebook as an editor saves it that drops ids and metadata."""
    cells = [{**cell, "id": "", "metadata": {}} for cell in solved("neuron")["cells"]]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 0}).encode()


DONE = json.dumps(solved("neuron")).encode()
PARTLY = json.dumps(written("neuron", relu="...")).encode()
UNTOUCHED = json.dumps(learners_notebook("neuron")).encode()
LOSS = json.dumps(solved("loss")).encode()
SCRATCH = json.dumps({"cells": [{"cell_type": "code", "source": "1 + 1"}]}).encode()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (DONE, Content("neuron", True)),
        (UNTOUCHED, Content("neuron", False)),
        (without_ids(), Content("neuron", True)),
        (LOSS, Content("loss", True)),
        (SCRATCH, Content(None, False)),
    ],
)
def test_a_notebook_belongs_to_the_lesson_of_its_exercises(data: bytes, expected: Content) -> None:
    assert content(data, "neuron", LESSONS.exercises) == expected


def home(folder: Path, files: dict[str, bytes]) -> Path:
    """Write a student's folder."""
    for name, data in files.items():
        path = folder / "ada" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder / "ada"


@pytest.mark.parametrize(
    ("files", "chosen", "notes"),
    [
        ({"neuron/neuron.ipynb": SCRATCH}, "neuron/neuron.ipynb", []),
        ({"neuron/neuron.ipynb": b"{"}, "neuron/neuron.ipynb", []),
        ({"neuron/neuron (1).ipynb": DONE}, "neuron/neuron (1).ipynb", ["only notebook"]),
        ({"neuron/neuron.ipynb.txt": DONE}, "neuron/neuron.ipynb.txt", ["only notebook"]),
        ({"neuron/NEURON.IPYNB": DONE}, "neuron/NEURON.IPYNB", ["only notebook"]),
        ({"neuron/my [1]?* #%_.ipynb": DONE}, "neuron/my [1]?* #%_.ipynb", ["only notebook"]),
        ({"neuron/mine.ipynb": UNTOUCHED}, "neuron/mine.ipynb", ["only notebook of neuron."]),
        (
            {"neuron/my.ipynb": DONE, "neuron/._my.ipynb": b"Mac", "__MACOSX/._my.ipynb": b"Mac"},
            "neuron/my.ipynb",
            ["only notebook"],
        ),
        (
            {"neuron/neuron.ipynb": UNTOUCHED, "neuron/neuron-Copy1.ipynb": PARTLY},
            "neuron/neuron-Copy1.ipynb",
            ["neuron-Copy1.ipynb was graded", "neuron.ipynb was not graded"],
        ),
        (
            {"neuron/neuron.ipynb": b"{", "neuron/neuron-Copy1.ipynb": DONE},
            "neuron/neuron-Copy1.ipynb",
            ["neuron-Copy1.ipynb was graded", "neuron.ipynb was not graded"],
        ),
        (
            {"neuron/neuron.ipynb": PARTLY, "neuron/neuron-Copy1.ipynb": DONE},
            "neuron/neuron.ipynb",
            ["neuron-Copy1.ipynb was not graded: neuron.ipynb was."],
        ),
        ({"neuron/a.ipynb": DONE, "neuron/b.ipynb": DONE}, "neuron/a.ipynb", ["only notebook"]),
        (
            {"neuron/a.ipynb": DONE, "neuron/scratch.ipynb": SCRATCH, "loss/loss.ipynb": LOSS},
            "neuron/a.ipynb",
            ["only notebook", "scratch.ipynb was not graded: a.ipynb was."],
        ),
        ({"neuron/neuron/neuron.ipynb": DONE}, "neuron/neuron/neuron.ipynb", ["neuron/neuron"]),
        ({"neuron/week 1/x.ipynb": DONE}, "neuron/week 1/x.ipynb", ["week 1/x.ipynb was graded"]),
        ({"neuron.ipynb": DONE}, "neuron.ipynb", ["neuron.ipynb was graded"]),
        ({"Neuron/Neuron.ipynb": DONE}, "Neuron/Neuron.ipynb", ["Neuron/Neuron.ipynb was graded"]),
        ({"work/neuron/neuron.ipynb": DONE}, "work/neuron/neuron.ipynb", ["work/neuron"]),
    ],
)
def test_what_is_certain_is_taken_and_reported(
    tmp_path: Path, files: dict[str, bytes], chosen: str, notes: list[str]
) -> None:
    folder = home(tmp_path, files)
    found = find_notebook(folder, "neuron", LESSONS)
    assert found.path == folder / chosen
    assert len(found.notes) == len(notes)
    assert all(part in note for part, note in zip(notes, found.notes, strict=True)), found.notes


@pytest.mark.parametrize(
    ("files", "phrases"),
    [
        ({"neuron/notes.txt": b""}, ["neuron.ipynb is missing; notes.txt is there"]),
        (
            {"neuron/a.ipynb": DONE, "neuron/b c.ipynb": PARTLY},
            ["a.ipynb and b c.ipynb", "`cp ada/neuron/a.ipynb ada/neuron/neuron.ipynb`"],
        ),
        (
            {"neuron/neuron.ipynb": UNTOUCHED, "neuron/a.ipynb": DONE, "neuron/b.ipynb": PARTLY},
            ["a.ipynb and b.ipynb could both be meant"],
        ),
        ({"neuron/loss.ipynb": LOSS}, ["neuron.ipynb is missing; loss.ipynb is of loss"]),
        ({"neuron/x.ipynb": SCRATCH}, ["x.ipynb has no exercise of a lesson"]),
        (
            {"neuron/neuron.ipynb.zip": b"PK"},  # as macOS names it
            ["`grader collect neuron ada/neuron/neuron.ipynb.zip --student ada` unpacks neuron"],
        ),
        (
            {"neuron/my work.zip": b"PK"},
            ["`grader collect neuron 'ada/neuron/my work.zip' --student ada` unpacks my work.zip"],
        ),
        (
            {"bob/neuron/neuron.ipynb": DONE},
            [
                "unexpected folder",
                "`grader collect neuron ada/bob/neuron/neuron.ipynb --student ada`",
            ],
        ),
    ],
)
def test_what_is_not_certain_is_named_with_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], phrases: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnreadableNotebook) as refused:
        find_notebook(home(tmp_path, files), "neuron", LESSONS)
    assert all(phrase in str(refused.value) for phrase in phrases), refused.value


def test_a_folder_of_a_lesson_is_no_student(tmp_path: Path) -> None:
    folder = home(tmp_path, {"ada/neuron.ipynb": DONE}).rename(tmp_path / "neuron")
    with pytest.raises(UnreadableNotebook, match="has a lesson's name"):
        find_notebook(folder, "neuron", LESSONS)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-10-01 12:00:00 UTC", "2026-10-01 12:00:00"),
        ("2026-10-01 12:00:00.000001 UTC\n", "2026-10-01 12:00:00.000001"),
        ("2026-10-01 12:00", "2026-10-01 12:00:00"),
        ("2026-10-01 14:00:00 +0200", "2026-10-01 12:00:00"),
        ("2026-10-01T07:00:00-05:00", "2026-10-01 12:00:00"),
        ("2026-10-01T12:00:00Z", "2026-10-01 12:00:00"),
    ],
)
def test_a_time_with_one_meaning_is_read(tmp_path: Path, text: str, utc: str) -> None:
    (tmp_path / "timestamp.txt").write_text(text)
    time, why = read_time(tmp_path)
    assert (str(time), why) == (utc, "")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("01/10/2026 12:00", 'says "01/10/2026 12:00"'),
        ("2026-10-01 12:00:00 CEST", "CEST"),
        ("2026-10-01 12:00:00 EST", "EST"),
        ("2026-10-01", "2026-10-01"),
        ("yesterday", "yesterday"),
        ("0001-01-01 00:00:00 +2300", "0001"),
        ("", "is empty"),
        ("\xff", "UTF-8"),
    ],
)
def test_a_time_of_unclear_meaning_is_no_time_and_is_reported(
    tmp_path: Path, text: str, why: str
) -> None:
    (tmp_path / "timestamp.txt").write_text(text, encoding="latin-1")
    time, reason = read_time(tmp_path)
    assert time is None
    assert why in reason


def test_notebooks_that_take_too_long_to_read_are_not_chosen_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locate, "OUTSIDE", Budget(choice_seconds=0.01))
    slow = json.dumps(NOTEBOOKS["f-strings"]()).encode()
    files = {"neuron/neuron.ipynb": DONE, "neuron/slow.ipynb": slow}
    with pytest.raises(UnreadableNotebook, match="which of 2 notebooks counts: to look, it took"):
        find_notebook(home(tmp_path, files), "neuron", Lessons(ROOT / "course"))


def test_no_process_is_left_of_a_look_at_notebooks(tmp_path: Path) -> None:
    folder = tmp_path / "ada" / "neuron"
    folder.mkdir(parents=True)
    for name in ("neuron.ipynb", "copy.ipynb"):
        (folder / name).write_text('{"cells": []}')
    lessons = Lessons(tmp_path / "course")
    before = {*psutil.Process().children()}
    find_notebook(tmp_path / "ada", "neuron", lessons)
    assert {*psutil.Process().children()} <= before

"""`grader return` makes files whose names and numbers Moodle and Canvas find their students by."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from classroom import Course

from course import solved
from grader.cli import main

DONE = json.dumps(solved("neuron")).encode()
FILE = "assignsubmission_file"
MOODLE = {
    f"Ada Lovelace_1234567_{FILE}/neuron.ipynb": DONE,
    f"Zoë Krüger_1234568_{FILE}/work/neuron.ipynb": DONE,
    f"Bob Smith_1234569_{FILE}/neuron.ipynb": DONE,
    f"Bob Smith_1234570_{FILE}/neuron.ipynb": DONE,
    f"Bo O'Neill_1234571_{FILE}/neuron.ipynb": DONE,
    f"Group A_55_{FILE}/neuron.ipynb": DONE,
}
CANVAS = {
    "lovelaceada_12345_678_neuron.ipynb": DONE,
    "krügerzoë_LATE_12346_700_neuron.ipynb": b"{}",
    "krügerzoë_LATE_12346_701_neuron-1.ipynb": DONE,
    "oneillbo_12347_702_my_notes.txt": b"mine",
    "oneillbo_12347_703_neuron.ipynb": DONE,
    "anon_Xy12Z_704_neuron.ipynb": DONE,
    "youngcy_12348_text.html": b"<p>Sorry</p>",
}
PEOPLE = """\
First name,Last name,Email address
Ada,Lovelace,ada@example.org
Zoë,Krüger,zoe@example.org
Bob,Smith,bob1@example.org
Bob,Smith,bob2@example.org
Bo,O'Neill,bo@example.org
"""


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    course = Course(tmp_path / "course")
    monkeypatch.chdir(course.root)
    return course


def collect(course: Course, files: dict[str, bytes], *words: str) -> None:
    """Collect a download and grade it."""
    path = course.root.parent / "download.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, content in files.items():
            archive.writestr(inside, content)
    main(["collect", "neuron", str(path), *words])
    course.autograde()


def pages_of(course: Course) -> dict[str, str]:
    """Return the text of each student's page of feedback."""
    pages = (course.root / "class" / "feedback").glob("*/neuron/neuron.html")
    return {page.parents[1].name: page.read_text(encoding="utf-8") for page in pages}


def returned(course: Course, system: str) -> tuple[dict[str, str], list[list[str]]]:
    """Return the pages in the archive by name, and the lines of points."""
    folder = course.root / "class" / "return"
    with zipfile.ZipFile(folder / f"neuron-{system}.zip") as archive:
        pages = {name: archive.read(name).decode() for name in archive.namelist()}
    with open(folder / f"neuron-{system}.csv", encoding="utf-8", newline="") as file:
        return pages, list(csv.reader(file))


def test_moodle_gets_pages_and_its_worksheet_by_its_numbers(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    roster = course.root.parent / "participants.csv"
    roster.write_text(PEOPLE, encoding="utf-8")
    main(["roster", str(roster)])
    bobs = [f"{number}=bob{one}@example.org" for one, number in enumerate((1234570, 1234569), 1)]
    others = ["55=ada@example.org", "55=zoe@example.org"]
    collect(course, MOODLE, *[word for one in bobs for word in ("--student", one)])
    capsys.readouterr()
    assert main(["return", "neuron", "moodle"]) == 0
    said = capsys.readouterr().out
    assert "class/return/neuron-moodle.zip: 5 pages of feedback. In Moodle: " in said
    assert "class/return/neuron-moodle.csv: the points of 5 students. In Moodle: " in said
    (pages, points), made = returned(course, "moodle"), pages_of(course)
    assert pages == {
        f"Ada Lovelace_1234567_{FILE}_/neuron.html": made["ada@example.org"],
        f"Zoë Krüger_1234568_{FILE}_/neuron.html": made["zoe@example.org"],
        f"Bob Smith_1234569_{FILE}_/neuron.html": made["bob2@example.org"],
        f"Bob Smith_1234570_{FILE}_/neuron.html": made["bob1@example.org"],
        f"Bo O'Neill_1234571_{FILE}_/neuron.html": made["bo@example.org"],
    }
    assert points == [
        ["Identifier", "Full name", "Grade", "Last modified (grade)"],
        ["Participant 1234567", "Ada Lovelace", "10", "-"],
        ["Participant 1234571", "Bo O'Neill", "10", "-"],
        ["Participant 1234570", "Bob Smith", "10", "-"],
        ["Participant 1234569", "Bob Smith", "10", "-"],
        ["Participant 1234568", "Zoë Krüger", "10", "-"],
    ]
    collect(course, MOODLE, *[word for one in others for word in ("--student", one)])
    assert main(["return", "neuron", "moodle"]) == 3
    said = capsys.readouterr().out
    assert "ada@example.org: 2 students share upload 55, so it may be a group's." in said
    assert len(returned(course, "moodle")[0]) == 3


def test_moodles_names_without_a_roster_are_those_that_came_in(course: Course) -> None:
    collect(course, {f"Participant_7_{FILE}_/neuron.ipynb": DONE} | MOODLE)
    assert main(["return", "neuron", "moodle"]) == 0
    (pages, points), made = returned(course, "moodle"), pages_of(course)
    assert pages[f"Participant_7_{FILE}_/neuron.html"] == made["Participant 7"]
    assert pages[f"Bob Smith_1234570_{FILE}_/neuron.html"] == made["Bob Smith 1234570"]
    assert ["Participant 1234570", "Bob Smith 1234570", "10", "-"] in points
    assert all(len(name.split("_", 4)) == 5 for name in pages)  # as Moodle reads them


def test_a_groups_number_is_not_taken_for_a_students(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    with course.gradebook() as gradebook:
        gradebook.add_student("ada", first_name="Ada", last_name="Lovelace")
    collect(course, {f"Group A_55_{FILE}/neuron.ipynb": DONE}, "--student", "55=ada")
    assert main(["return", "neuron", "moodle"]) == 3
    assert "ada: upload 55 is Group A's, so its number may be" in capsys.readouterr().out
    assert returned(course, "moodle")[0] == {}


def test_canvas_gets_pages_and_points_by_its_ids(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    collect(course, CANVAS)
    assert main(["return", "neuron", "canvas"]) == 3
    said = capsys.readouterr().out
    assert "anon_Xy12Z: Canvas gave no number for this student." in said
    assert "youngcy 12348: Canvas takes feedback for files only." in said
    (pages, points), made = returned(course, "canvas"), pages_of(course)
    assert pages == {
        "lovelaceada_12345_678_neuron.html": made["lovelaceada 12345"],
        "krügerzoë_LATE_12346_701_neuron-1.html": made["krügerzoë 12346"],
        "oneillbo_12347_703_neuron.html": made["oneillbo 12347"],
    }
    assert [line[:4] + line[5:] for line in points[2:]] == [
        ["krügerzoë 12346", "12346", "", "", "10"],
        ["lovelaceada 12345", "12345", "", "", "10"],
        ["oneillbo 12347", "12347", "", "", "10"],
    ]


def test_feedback_is_not_returned_to_a_name_inside_an_archive(course: Course) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("smithbob_12346_999_neuron.ipynb", DONE)
    collect(
        course,
        {
            "lovelaceada_12345_678_neuron.ipynb.zip": data.getvalue(),
            "smithbob_12346_999_neuron.ipynb": DONE,
        },
    )
    assert main(["return", "neuron", "canvas"]) == 0
    made = pages_of(course)
    assert returned(course, "canvas")[0] == {
        "lovelaceada_12345_678_neuron.ipynb.zip.html": made["lovelaceada 12345"],
        "smithbob_12346_999_neuron.html": made["smithbob 12346"],
    }


def test_pages_are_brought_up_to_date_before_they_are_returned(course: Course) -> None:
    collect(course, {name: text for name, text in MOODLE.items() if "Ada" in name or "Zoë" in name})
    assert main(["return", "neuron", "moodle"]) == 0
    with course.gradebook() as gradebook:
        gradebook.find_grade("check-dense", "neuron", "neuron", "Zoë Krüger").manual_score = 1.5
        gradebook.db.commit()
    assert main(["return", "neuron", "moodle"]) == 0
    pages, points = returned(course, "moodle")
    assert "8.5 of 10 points" in pages[f"Zoë Krüger_1234568_{FILE}_/neuron.html"]
    assert "10 of 10 points" in pages[f"Ada Lovelace_1234567_{FILE}_/neuron.html"]
    assert len(points) == 3


def test_nothing_from_a_system_is_an_error(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    collect(course, CANVAS)
    assert main(["return", "neuron", "moodle"]) == 1
    assert "No submission of neuron was collected from Moodle" in capsys.readouterr().err
    assert not (course.root / "class" / "return").exists()


def test_points_of_an_earlier_submission_are_named(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    file = f"Ada Lovelace_7_{FILE}_/neuron.ipynb"
    collect(course, {file: DONE})
    main(["return", "neuron", "moodle"])
    assert "is not graded" not in capsys.readouterr().out
    collect(course, {file: DONE[:100]})
    main(["return", "neuron", "moodle"])
    assert "newer one is not graded: Ada Lovelace" in capsys.readouterr().out

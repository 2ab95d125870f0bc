"""`grader roster` reads the students of Moodle's and Canvas's files, all of them made up here."""

from __future__ import annotations

from pathlib import Path

import pytest
from classroom import Course

from course import solved
from grader.cli import main
from grader.instructor.roster import read_students

MOODLE = """\
First name,Last name,Email address,Groups
Ada,Lovelace,ada@example.org,A
Bob,Smith,bob1@example.org,
"Bob",Smith,bob2@example.org,
Zoë,"Krüger, née Ångström",zoë+nn@example.org,
Bo,O'Neill,bo@example.org,"A, B"
"""
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,neuron (77)
    Points Possible,,,,,10
"Lovelace, Ada",12345,,ada,A,
"Krüger, née Ångström, Zoë",12346,,,A,
"O'Neill, Bo",12347,,bo@example.org,A,
"""
ADA = {"first_name": "Ada", "last_name": "Lovelace"}


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    course = Course(tmp_path / "course")
    monkeypatch.chdir(course.root)
    return course


def roster(capsys: pytest.CaptureFixture[str], file: Path, text: str, code: int = 0) -> str:
    file.write_text(text, encoding="utf-8")
    assert main(["roster", str(file)]) == code
    return capsys.readouterr().out


def students(course: Course) -> dict[str, tuple[str, ...]]:
    with course.gradebook() as gradebook:
        return {
            one.id: (one.first_name, one.last_name, one.email, one.lms_user_id)
            for one in gradebook.students
        }


def test_students_of_moodle_have_their_address_as_id(
    course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "participants.csv"
    assert "5 students (5 new, 0 updated, 0 unchanged)." in roster(capsys, file, MOODLE)
    assert students(course) == {
        "ada@example.org": ("Ada", "Lovelace", "ada@example.org", None),
        "bob1@example.org": ("Bob", "Smith", "bob1@example.org", None),
        "bob2@example.org": ("Bob", "Smith", "bob2@example.org", None),
        "bo@example.org": ("Bo", "O'Neill", "bo@example.org", None),
        "zoë-nn@example.org": ("Zoë", "Krüger, née Ångström", "zoë+nn@example.org", None),
    }
    changed = MOODLE.replace("Ada,Lovelace", "Ada,King") + "X,Y,bob1@example.org,\n"
    said = roster(capsys, file, changed, 3)
    assert "4 students (0 new, 1 updated, 3 unchanged)." in said
    assert "Left out: X Y: 2 lines are bob1@example.org's." in said
    assert students(course)["ada@example.org"][1] == "King"


def test_students_of_canvas_have_their_login_as_id_and_their_number(
    course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "3 students (3 new" in roster(capsys, tmp_path / "grades.csv", CANVAS)
    assert students(course) == {
        "ada": ("Ada", "Lovelace", None, "12345"),
        "12346": ("Zoë", "Krüger, née Ångström", None, "12346"),
        "bo@example.org": ("Bo", "O'Neill", None, "12347"),
    }
    namesakes = CANVAS[: CANVAS.index("    ")] + '"Lovelace, Ada",99,,,A,\n'
    assert "1 student (1 new" in roster(capsys, tmp_path / "grades.csv", namesakes)
    namesakes = "Username,First name,Last name\no2,Bo,O'Neill\n"
    assert "1 student (1 new" in roster(capsys, tmp_path / "grades.csv", namesakes)


def test_students_that_were_collected_before_get_their_names(
    course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for student in ("Ada Lovelace", "krügernéeångströmzoë 12346", "Bob Smith"):
        course.hand_in(student, solved("neuron"))
    course.autograde()
    said = roster(capsys, tmp_path / "grades.csv", CANVAS)
    assert "3 students (1 new, 2 updated, 0 unchanged)." in said
    assert "neuron: 1 of 4 have not submitted: bo@example.org." in said
    said = roster(capsys, tmp_path / "participants.csv", MOODLE)
    assert "5 students (2 new, 3 updated, 0 unchanged)." in said
    assert "neuron: 3 of 6 have not submitted: bo@example.org, bob1@" in said
    assert students(course)["Ada Lovelace"] == ("Ada", "Lovelace", "ada@example.org", "12345")
    assert students(course)["Bob Smith"] == (None, None, None, None), "one of two: who knows"
    assert main(["roster"]) == 0
    assert "bo@example.org  Bo O'Neill  bo@example.org\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("\ufeffFirst name;Surname;Username\nAda;Lovelace;ada\n", "utf-8", {"id": "ada"}),
        ("First name\tLast name\tEmail address\nAda\tLovelace\ta@b\n", "utf-16", {"email": "a@b"}),
        ('"id","last_name","first_name"\r\n"o\'n","Lovelace","Ada"', "utf-8", {"id": "o'n"}),
        ("LastName,FirstName,ID\nLovelace,Ada,7\nLovelace\n,,,,\n", "utf-8", {"lms_user_id": "7"}),
    ],
    ids=["semicolons", "tabs", "quotes", "short and long lines"],
)
def test_every_dialect_of_csv_is_read(
    tmp_path: Path, text: str, encoding: str, expected: dict[str, str]
) -> None:
    (tmp_path / "roster.csv").write_text(text, encoding=encoding, newline="")
    (student,) = read_students(tmp_path / "roster.csv")
    assert {name: value for name, value in student.items() if value} == ADA | expected


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"Vorname,Nachname\nAda,Lovelace\n", "no column that tells students apart"),
        (b"", "no column that tells students apart"),
        (b"names", "is no CSV file with headings"),
        ("Zoë,ID\n".encode("latin-1"), "not in UTF-8"),
        (b"PK\x03\x04\xff\xfe,", "not in UTF-8"),
        (None, "can't be opened"),
    ],
    ids=["German", "empty", "a word", "Latin-1", "a spreadsheet", "absent"],
)
def test_a_file_that_is_no_roster_is_refused(
    course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes | None, why: str
) -> None:
    file = tmp_path / "roster.csv"
    if data is not None:
        file.write_bytes(data)
    assert main(["roster", str(file)]) == 1
    assert why in capsys.readouterr().err


def test_a_roster_of_one_column_or_of_nobody(tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_bytes(b"\xef\xbb\xbfUsername\r\nanne\r\n")
    assert [one["id"] for one in read_students(file)] == ["anne"]
    file.write_bytes(b"Username,First name\r\n")
    assert read_students(file) == []
    file.write_bytes(b"\r\nUsername,First name\r\nanne,Anne\r\n")
    assert [one["id"] for one in read_students(file)] == ["anne"]

"""Points as CSV in the forms of Moodle and Canvas, after penalties and without formulas."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from classroom import LATE, Course

from course import solved, written
from grader.cli import main
from grader.instructor.export import escape_formula

Lines = list[list[str]]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Grade a class of four: one late, one named like a formula, one without a submission."""
    course = Course(tmp_path_factory.mktemp("course"))
    course.punish_lateness()
    with course.gradebook() as gradebook:
        gradebook.add_student(
            "absent", first_name="Nobody", last_name="Here", email="n@example.org"
        )
        gradebook.add_student(
            "zoë",
            first_name="Zoë",
            last_name="Müller, née Ångström",
            email="z@example.org",
            lms_user_id="4711",
        )
        gradebook.add_student(
            "evil",
            first_name="E",
            last_name='=HYPERLINK("http://example.org","x")',
            email="e@example.org",
        )
    course.hand_in(
        "zoë",
        written(
            "neuron",
            weighted_sum="...",
            sigmoid="def sigmoid(z):\n    return 1 / (1 + np.exp(-np.asarray(z)))\n",
        ),
    )
    course.hand_in("evil", solved("neuron"))
    course.hand_in("late", solved("neuron"), LATE)
    course.autograde()
    return course


def lines(path: Path) -> Lines:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def exported(course: Course, system: str) -> Lines:
    assert main(["insights", "neuron", "--csv", system]) == 0
    return lines(course.root / "class" / "insights" / f"neuron-{system}.csv")


def test_canvas_gets_its_columns_and_its_row_of_points_possible(course: Course) -> None:
    assert exported(course, "canvas") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "neuron"],
        ["    Points Possible", "", "", "", "", "10"],
        ["""'=HYPERLINK("http://example.org","x"), E""", "", "", "evil", "", "10"],
        ["late", "", "", "late", "", "0"],
        ["Müller, née Ångström, Zoë", "4711", "", "zoë", "", "4.7"],
    ]


def test_moodle_gets_usernames_and_points(course: Course) -> None:
    assert exported(course, "moodle") == [
        ["Username", "neuron"],
        ["evil", "10"],
        ["late", "0"],
        ["zoë", "4.7"],
    ]


def test_moodle_gets_addresses_under_their_name_where_ids_are_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    course = Course(tmp_path / "course")
    monkeypatch.chdir(course.root)
    with course.gradebook() as gradebook:
        gradebook.add_student("ada@example.org", email="ada@example.org")
    course.hand_in("ada@example.org", solved("neuron"))
    course.autograde()
    assert exported(course, "moodle") == [["Email address", "neuron"], ["ada@example.org", "10"]]
    assert "identify users by their email address" in capsys.readouterr().out


def test_an_address_that_is_no_folders_name_goes_to_moodle_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The id of ada+uni@example.org is ada-uni@example.org, and the class has addresses still."""
    course = Course(tmp_path / "course")
    monkeypatch.chdir(course.root)
    roster = (
        "First name,Last name,Email address\nAda,L,ada+uni@example.org\nBen,M,ben@example.org\n"
    )
    (tmp_path / "roster.csv").write_text(roster, encoding="utf-8")
    assert main(["roster", str(tmp_path / "roster.csv")]) == 0
    for student in ("ada-uni@example.org", "ben@example.org", "by mail"):
        course.hand_in(student, solved("neuron"))
    course.autograde()
    assert exported(course, "moodle") == [
        ["Email address", "neuron"],
        ["ada+uni@example.org", "10"],
        ["ben@example.org", "10"],
        ["by mail", "10"],
    ]


@pytest.mark.long
def test_nbgraders_own_export_command_writes_the_same(course: Course) -> None:
    for system in ("Moodle", "Canvas"):
        course.nbgrader(
            "export",
            f"--exporter=grader.instructor.export.{system}",
            '--assignment=["neuron"]',
            "--to=points.csv",
        )
        assert lines(course.root / "points.csv") == exported(course, system.lower())


def test_points_given_by_hand_are_in_it(course: Course) -> None:
    with course.gradebook() as gradebook:
        gradebook.find_grade("check-dense", "neuron", "neuron", "zoë").manual_score = 2.25
        gradebook.db.commit()
    assert exported(course, "moodle")[-1] == ["zoë", "6.95"]


def test_an_id_that_is_a_formula_is_escaped_and_reported(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.hand_in("@SUM(A1)", solved("neuron"))
    course.autograde()
    assert exported(course, "moodle")[1] == ["'@SUM(A1)", "10"]
    assert "@SUM(A1): a spreadsheet could run such an id as a formula" in capsys.readouterr().out


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1"]
)
def test_no_cell_begins_a_formula(cell: str) -> None:
    assert escape_formula(cell).startswith("'")
    assert escape_formula(f"Ada; {cell.strip()};").startswith("Ada; '")


@pytest.mark.parametrize(
    "cell", ["", "-", "-1.5", "+3", "4.7", "Åsa", "    Points Possible", "a=b", "o'neill"]
)
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert escape_formula(cell) == cell

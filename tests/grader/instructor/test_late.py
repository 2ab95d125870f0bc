"""A late submission loses points where the settings of the class ask for it."""

from __future__ import annotations

from pathlib import Path
from unicodedata import normalize

import pytest
from classroom import EARLY, Course
from nbgrader.utils import parse_utc

from course import solved, written
from grader.cli import main
from grader.instructor.late import DailyPenalty

DAY = 24 * 60 * 60

LATE = "2026-10-02 12:00:01 UTC"
SETTINGS = (
    'c = get_config()\nc.AssignLatePenalties.plugin_class = "grader.instructor.late.DailyPenalty"\n'
)


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """Two right submissions: in time, and a day and a second late; no assignment is generated."""
    course = Course(tmp_path)
    monkeypatch.chdir(course.root)
    course.hand_in("prompt", solved("neuron"), EARLY)
    course.hand_in("late", solved("neuron"), LATE)
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("neuron", duedate=EARLY)
    return course


def daily(course: Course) -> None:
    (course.root / "class" / "nbgrader_config.py").write_text(SETTINGS, encoding="utf-8")


def ran(capsys: pytest.CaptureFixture[str], words: str) -> str:
    """Run a command of the grader's, and return what it printed."""
    capsys.readouterr()
    assert main([*words.split(), *["--workers", "1"] * words.startswith("autograde")]) == 0
    return capsys.readouterr().out


def penalties(course: Course) -> dict[str, tuple[float, float]]:
    """Return points and penalties by student."""
    with course.gradebook() as gradebook:
        return {
            one.student.id: (one.score, one.late_submission_penalty)
            for one in gradebook.assignment_submissions("neuron")
        }


@pytest.mark.long
def test_there_is_no_penalty_by_default(course: Course) -> None:
    course.nbgrader("autograde", "neuron")
    assert penalties(course) == {"prompt": (10.0, 0.0), "late": (10.0, 0.0)}


@pytest.mark.long
def test_two_begun_days_cost_two_tenths_in_both_commands(course: Course) -> None:
    daily(course)
    expected = {"prompt": (10.0, 0.0), "late": (10.0, pytest.approx(2.0))}
    course.nbgrader("autograde", "neuron")
    assert penalties(course) == expected
    course.autograde(regrade=True)
    assert penalties(course) == expected


def test_a_penalty_is_at_most_the_points() -> None:
    plugin = DailyPenalty()
    assert [
        plugin.late_submission_penalty("late", 8.0, seconds)
        for seconds in (1, DAY, DAY + 1, 9.5 * DAY, 400 * DAY)
    ] == pytest.approx([0.8, 0.8, 1.6, 8.0, 8.0])
    assert DailyPenalty(share=0.5).late_submission_penalty("late", 8.0, 1) == pytest.approx(4.0)


def test_dates_and_extensions_set_after_grading_count(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.autograde()
    daily(course)
    change = "\n  late: 10 → 8\n    late: 2 taken off, 0 before\n0 up, 1 down, 1 unchanged."
    for words in ("autograde neuron --dry-run", "autograde neuron --regrade --dry-run"):
        assert f"Points that would change:{change}" in ran(capsys, words)
    assert penalties(course)["late"] == (10.0, 0.0)
    assert f"Points that change:{change}" in ran(capsys, "autograde neuron")
    assert penalties(course) == {"prompt": (10.0, 0.0), "late": (10.0, pytest.approx(2.0))}
    assert "change" not in ran(capsys, "autograde neuron")

    done = ran(capsys, "extend neuron late --days 1.5 --reason O'Brien’s_illness")
    assert "late: due 2026-10-03 00:00 UTC (1.5 days more)" in done
    listed = "late: 1.5 days, until 2026-10-03 00:00 UTC: O'Brien’s_illness\n"
    assert ran(capsys, "extend neuron") == listed
    assert "  late: 8 → 10\n    late: 0 taken off, 2 before" in ran(capsys, "autograde neuron")
    ran(capsys, "extend neuron late --days 0")
    assert "Nobody has more time" in ran(capsys, "extend neuron")
    assert "1 down" in ran(capsys, "autograde neuron --regrade --dry-run")

    stamp = course.root / "class" / "submitted" / "prompt" / "neuron" / "timestamp.txt"
    stamp.write_text("2026-10-01 18:00:00 +0500", encoding="utf-8")  # an hour late
    for words in ("autograde neuron --dry-run", "autograde neuron --regrade --dry-run"):
        assert "  prompt: 10 → 9\n    late: 1 taken off, 0 before\n0 up, 2 down" in ran(
            capsys, words
        )


def test_a_dry_run_has_the_numbers_of_the_run(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    daily(course)
    wrong = written(
        "neuron", sigmoid="def sigmoid(z):\n    return 1 / (1 + np.exp(-np.asarray(z)))"
    )
    for student in ("by hand", "later"):
        course.hand_in(student, wrong, LATE)
    course.autograde()
    with course.gradebook() as gradebook:
        gradebook.find_grade("check-sigmoid", "neuron", "neuron", "by hand").manual_score = 1.5
        gradebook.db.commit()
    exercises = course.root / "solutions" / "neuron" / "exercises.py"
    lines = exercises.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if 'case("quiet"' not in line]
    exercises.write_text("\n".join(kept) + "\n", encoding="utf-8")

    dry = ran(capsys, "autograde neuron --regrade --dry-run").partition("would change:")[2]
    run = ran(capsys, "autograde neuron --regrade").partition("that change:")[2]
    assert dry == run
    assert "  later: 2.16 → 2.4\n    sigmoid 2.7 → 3" in run
    assert "  by hand: 0.96 → 1.2\n    sigmoid 2.7 → 3" in run  # the hand's 1.5 counts
    assert "2 up, 0 down, 2 unchanged." in run

    ran(capsys, "extend neuron later --days 2")
    dry = ran(capsys, "autograde neuron --regrade --dry-run").partition("would change:")[2]
    assert (
        dry == "\n  later: 2.4 → 3\n    late: 0 taken off, 0.6 before\n1 up, 0 down, 3 unchanged.\n"
    )
    assert "\n  later: 2.4 → 3\n    late: 0" in ran(capsys, "autograde neuron --regrade")


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-12-01 18:00:00 Europe/Berlin", "17:00:00"),
        ("2026-12-01 18:00:00+0100", "17:00:00"),
        ("2026-12-01T18:00 +0100", "17:00:00"),  # formgrader's form
        ("2026-12-01 18:00:00 +0100", "17:58:20"),  # once it is right, the manual need not warn
    ],
    ids=["name", "offset", "formgrader", "space"],
)
def test_nbgrader_reads_due_dates_as_the_manual_tells(text: str, time: str) -> None:
    assert f"{parse_utc(text)}" == f"2026-12-01 {time}"


def test_an_extension_before_a_submission_counts_and_is_no_point(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    daily(course)
    with course.gradebook() as gradebook:
        gradebook.add_student("Zoë")
    ran(capsys, "extend neuron Zoë --days 2")
    assert ran(capsys, "extend neuron").endswith("no reason is known\n")
    course.autograde()
    ran(capsys, "insights neuron --csv moodle")
    points = course.root / "class" / "insights" / "neuron-moodle.csv"
    assert "Zoë" not in points.read_text(encoding="utf-8")
    course.hand_in("Zoë", solved("neuron"), LATE)
    course.autograde()
    assert penalties(course)["Zoë"] == (10.0, 0.0)


def test_a_mac_spells_a_students_name_in_another_form_and_commands_find_it(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    """The roster has one form of the accents, the folder that came from a Mac the other."""
    daily(course)
    here, there = (normalize(form, "Zoë") for form in ("NFC", "NFD"))
    with course.gradebook() as gradebook:
        gradebook.add_student(here, first_name=here)
    folder = course.hand_in(there, solved("neuron"), LATE)
    ran(capsys, f"extend neuron {here} --days 3")
    course.autograde()
    assert penalties(course)[there] == (10.0, 0.0)
    (folder.parents[2] / "autograded" / there / "neuron" / "submission_secret.txt").write_text("x")
    assert "1 page written" in ran(capsys, f"feedback neuron --student {here}")
    assert "1 page released" in ran(capsys, f"release neuron --student {here}")
    assert "10 of 10 points" in ran(capsys, f"explain neuron {here}")


def test_without_a_due_date_nobody_is_late_and_nothing_is_extended(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    daily(course)
    ran(capsys, "extend neuron late --days 1")
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("neuron", duedate=None)
    assert course.autograde().errors == {}
    assert course.points() == {"prompt": 10, "late": 10}
    assert main(["extend", "neuron", "prompt", "--days", "1"]) == 1
    assert "neuron has no due date to extend" in capsys.readouterr().err
    assert ran(capsys, "extend neuron") == "late: 1 day: no reason is known\n"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("nobody --days 1", "No student is called nobody"),
        ("late --days nan", "an extension is 0"),
        ("late --days -1", "an extension is 0"),
        ("late", "needs STUDENT and --days"),
    ],
)
def test_an_extension_that_cannot_be_meant_changes_nothing(
    course: Course, capsys: pytest.CaptureFixture[str], words: str, why: str
) -> None:
    assert main(["extend", "neuron", *words.split()]) == 1
    assert why in capsys.readouterr().err
    assert "Nobody has more time" in ran(capsys, "extend neuron")

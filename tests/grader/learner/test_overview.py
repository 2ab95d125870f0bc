"""Test the welcome page's table: progress in each lesson, and where to continue."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from course import LESSONS, ROOT, lesson
from grader.learner.overview import overview


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in LESSONS:
        shutil.copytree(
            ROOT / "course" / name, tmp_path / name, ignore=shutil.ignore_patterns("progress.json")
        )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def solve(work: Path, name: str, *exercises: str, answers: dict[str, str] | None = None) -> None:
    (work / name / "progress.json").write_text(
        json.dumps({"solved": dict.fromkeys(exercises, 1.0), "answers": answers or {}})
    )


def test_a_new_learner_is_sent_to_the_first_lesson(work: Path) -> None:
    table = overview(*LESSONS)
    assert [row.lesson for row in table.rows] == LESSONS
    assert table.advice() == f"Begin with “{lesson(LESSONS[0]).title}”."
    assert {row.solved for row in table.rows} == {0}


def test_a_table_tells_how_long_a_lesson_takes(work: Path) -> None:
    page = overview(*LESSONS, minutes={LESSONS[0]: 20})._repr_html_()
    assert page.count("<td>20</td>") == 1
    assert page.count("<td>–</td>") == len(LESSONS) - 1


def test_a_picture_is_shown_next_to_the_table(work: Path) -> None:
    picture = SimpleNamespace(_repr_mimebundle_=lambda: {"text/html": "<svg></svg>"})
    page = overview(*LESSONS, picture=picture)._repr_html_()
    assert page.endswith("<td><svg></svg></td></tr></table>")


def test_progress_is_counted_and_the_first_unfinished_lesson_is_named(work: Path) -> None:
    first, second = LESSONS[:2]
    questions = lesson(first).questions
    one, other = list(questions)[:2]
    wrong = next(iter(questions[other].wrong))
    solve(
        work,
        first,
        *lesson(first).exercises,
        "an exercise of an older version",
        answers={one: str(questions[one].answer), other: wrong, "gone": "x"},
    )
    table = overview(*LESSONS)
    assert (table.rows[0].solved, table.rows[0].right, table.rows[0].answered) == (
        len(lesson(first).exercises),
        1,
        2,
    )
    assert table.advice() == f"Continue with “{lesson(second).title}”."
    html = table._repr_html_()
    assert f'href="{second}/{second}.ipynb"' in html
    assert "1 of 2 right" in html


def test_an_optional_lesson_is_offered_and_never_required(work: Path) -> None:
    first, second = LESSONS[:2]
    table = overview(*LESSONS, optional=[first])
    assert f"{lesson(first).title}</a> (optional)</td>" in table._repr_html_()
    assert table._repr_html_().count("optional") == 1
    assert table.advice() == f"Begin with “{lesson(second).title}”."
    for name in LESSONS[1:]:
        solve(work, name, *lesson(name).exercises)
    assert overview(*LESSONS, optional=[first]).advice().endswith("except in an optional one.")
    solve(work, first, *lesson(first).exercises)
    assert overview(*LESSONS, optional=[first]).advice().endswith("lesson is solved.")


def test_a_guessed_number_counts_when_it_is_close_and_an_outdated_answer_does_not(
    work: Path,
) -> None:
    questions = json.loads((work / "warm_up" / "answers.key").read_text())["questions"]
    numbers = {name: one["answer"] for name, one in questions.items() if "low" in one}
    (other,) = [name for name in questions if name == "which_axis"]
    solve(work, "warm_up", answers={**{n: str(a) for n, a in numbers.items()}, other: "gone"})
    (row,) = [row for row in overview().rows if row.lesson == "warm_up"]
    assert (row.right, row.answered) == (len(numbers), len(numbers))
    assert numbers


def test_a_learner_of_the_first_edition_keeps_progress_with_its_keys(work: Path) -> None:
    key = json.loads((work / "loss" / "answers.key").read_text())
    name, question = next((n, q) for n, q in key["questions"].items() if "wrong" in q)
    old = {"text": question["text"], "answer": question["answer"], "why": question["why"]}
    old["options"] = [question["answer"], *question["wrong"]]
    key = {**key, "format": 2, "questions": {name: old}}
    del key["hardened"]
    (work / "loss" / "answers.key").write_text(json.dumps(key))
    solve(work, "loss", "mse", "softmax", answers={name: question["answer"]})
    (row,) = [row for row in overview(*LESSONS).rows if row.lesson == "loss"]
    assert (row.solved, row.right, row.answered) == (2, 1, 1)


def test_a_finished_course_has_no_next_lesson(work: Path) -> None:
    for name in LESSONS:
        solve(work, name, *lesson(name).exercises)
    assert overview(*LESSONS).advice() == "Every exercise of every lesson is solved."


def test_kept_copies_and_missing_or_damaged_lessons_are_left_out(work: Path) -> None:
    shutil.copytree(work / LESSONS[0], work / f"{LESSONS[0]}-1")
    (work / LESSONS[1] / "answers.key").write_text("{")
    shutil.rmtree(work / LESSONS[2])
    assert [row.lesson for row in overview(*LESSONS).rows] == [LESSONS[0], *LESSONS[3:]]


def test_an_empty_folder_gets_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "keep the folders of the course together" in overview().advice()

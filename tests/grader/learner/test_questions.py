"""Test that questions are asked once, remembered, and asked again in the next lesson if missed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from course import LESSONS, ROOT
from grader.comparison.answer_key import KEY_FORMAT, load_key
from grader.learner.progress import load_progress, record_answer
from grader.learner.questions import (
    QuestionView,
    missed_elsewhere,
    predict,
    recall_missed,
    shuffled,
)

QUESTION = {
    "text": "Is 2 even?",
    "answer": "yes",
    "wrong": {"no": "It has a half.", "sometimes": "It is always 2."},
    "why": "Half of it is 1.",
}
NUMBER = {
    "text": "How much is a half?",
    "answer": 0.5,
    **{"low": 0, "high": 1, "step": 0.1, "close": 0.1},
    **{"too_low": "Two of yours are less than 1.", "too_high": "Two of yours are more than 1."},
    "why": "Two halves make 1.",
}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Three lessons with one question each."""
    for name in ("first", "second", "third"):
        (tmp_path / name).mkdir()
        key = {
            **{"format": KEY_FORMAT, "lesson": name, "title": name, "seed": 0},
            **{"exercises": {}, "hardened": [], "packages": []},
            "questions": {"even": QUESTION, "half": NUMBER},
        }
        (tmp_path / name / "answers.key").write_text(json.dumps(key))
    return tmp_path


def test_the_first_answer_to_a_prediction_stays(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(course / "first")
    view = predict("even")
    told: list[str] = []
    view.on_answer(lambda: told.append("answered"))
    assert not view.answered
    assert told == []
    view.choose("no")
    view.choose("yes")
    assert told == ["answered"]
    assert predict("even").chosen == "no"
    assert view.reply() == "✗ It has a half. The answer is: yes. Half of it is 1."


@pytest.mark.parametrize(
    ("guess", "reply"),
    [
        ("0.4", "✓ Yes, it is 0.5. Two halves make 1."),
        ("0.3", "✗ It is 0.5. Two of yours are less than 1. Two halves make 1."),
        ("0.7", "✗ It is 0.5. Two of yours are more than 1. Two halves make 1."),
    ],
)
def test_a_guessed_number_is_right_when_it_is_close(
    course: Path, monkeypatch: pytest.MonkeyPatch, guess: str, reply: str
) -> None:
    monkeypatch.chdir(course / "first")
    view = predict("half")
    assert view.guess is None
    view.choose(guess)
    assert view.guess == float(guess)
    assert view.reply() == reply
    assert missed_elsewhere(course / "second") == ([] if "✓" in reply else ["first/half"])


def test_an_answer_to_another_version_of_a_question_gives_way(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("even", "half"):
        record_answer(course / "first", name, "an option of the first edition")
    monkeypatch.chdir(course / "first")
    for name, answer in (("even", "yes"), ("half", "0.5")):
        view = predict(name)
        assert not view.answered
        view.choose(answer)
        assert load_progress(course / "first")["answers"][name] == answer


def test_an_answer_counts_once_it_is_confirmed(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(course / "first")
    for name, answer in (("even", "yes"), ("half", 0.3)):
        view = predict(name)
        _, control, button, reply = view._widget("style").children
        control.value = "no" if name == "even" else 0.9
        control.value = answer
        assert not view.answered
        button.click()
        assert view.chosen == str(answer)
        assert control.disabled
        assert "The answer" in reply.value or "It is" in reply.value or "Yes" in reply.value


def test_asking_again_keeps_the_question_that_a_play_waits_for(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(course / "first")
    told: list[str] = []
    predict("even").on_answer(lambda: told.append("answered"))
    predict("even").choose("no")
    assert told == ["answered"]
    monkeypatch.chdir(course / "second")
    waiting = predict("even")
    record_answer(course / "second", "even", "yes")  # in another kernel
    assert predict("even").answered
    assert waiting.answered
    (course / "second" / "progress.json").unlink()  # as in a fresh copy of the lesson
    assert not predict("even").answered


def test_an_answer_that_cannot_be_saved_counts_with_a_warning(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("grader.learner.progress.atomic_write", full)
    monkeypatch.chdir(course / "first")
    view = predict("even")
    view.choose("yes")
    assert view.reply().startswith(
        "✓ Yes. Half of it is 1. progress.json can't be written (No space left on device)"
    )


def test_an_unknown_question_is_refused_by_name(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(course / "first")
    with pytest.raises(KeyError, match="odd"):
        predict("odd")


def test_a_missed_question_returns_until_it_is_answered_right(course: Path) -> None:
    record_answer(course / "first", "even", "no")
    assert missed_elsewhere(course / "second") == ["first/even"]
    record_answer(course / "second", "first/even", "no")
    assert missed_elsewhere(course / "third") == ["first/even"]
    assert missed_elsewhere(course / "second") == ["first/even"], "a reopened notebook shows it"
    record_answer(course / "third", "first/even", "yes")
    (course / "fourth").mkdir()
    assert missed_elsewhere(course / "fourth") == []


def test_a_copy_that_reset_keeps_asks_nothing_again(course: Path) -> None:
    record_answer(course / "first", "even", "no")
    shutil.copytree(course / "first", course / "first-1")
    (course / "first" / "progress.json").unlink()
    record_answer(course / "first", "even", "yes")
    assert missed_elsewhere(course / "second") == []


def test_a_notebook_opened_twice_explains_the_answer_that_counts(course: Path) -> None:
    folder, questions = course / "first", load_key(course / "first")["questions"]
    one, other = (QuestionView("even", questions, "", folder) for _ in range(2))
    one.choose("no")
    other.choose("yes")
    assert load_progress(folder)["answers"] == {"even": "no"}
    assert other.reply().startswith("✗")


def test_a_right_answer_or_a_damaged_file_does_not_return(course: Path) -> None:
    record_answer(course / "first", "even", "yes")
    (course / "third" / "progress.json").write_text("{")
    assert missed_elsewhere(course / "second") == []


def test_a_question_asked_again_is_shown_and_still_unanswered(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    record_answer(course / "first", "even", "no")
    monkeypatch.chdir(course / "second")
    recall_missed()
    assert "Is 2 even?" in capsys.readouterr().out
    assert load_progress(course / "second")["answers"] == {}


@pytest.mark.parametrize("name", LESSONS)
def test_the_place_of_an_option_tells_no_learner_whether_it_is_right(name: str) -> None:
    questions = load_key(ROOT / "course" / name)["questions"]
    for seed in ("", *map(str, range(100))):
        first = [
            shuffled(one, questions, seed)[0] == question["answer"]
            for one, question in questions.items()
            if "wrong" in question
        ]
        assert 0 < sum(first) <= 0.45 * len(first)


def test_the_order_of_options_is_steady_and_differs_between_learners() -> None:
    questions = load_key(ROOT / "course" / "neuron")["questions"]
    one = questions["ranges"]
    orders = [tuple(shuffled("ranges", questions, str(seed))) for seed in range(100)]
    assert orders == [tuple(shuffled("ranges", questions, str(seed))) for seed in range(100)]
    assert len(set(orders)) == 6
    assert all(sorted(order) == sorted([one["answer"], *one["wrong"]]) for order in orders)

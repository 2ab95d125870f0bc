"""The rules of `grader serve`: which submissions of a day are graded, and mistakes in the file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from course import copy_of_the_course
from grader.errors import UserError
from grader.instructor.policy import Counting, Policy, Results, Shown, policy_path, read_policy


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-10-{text}")


ONE, TWO, THREE, FOUR = (at(f"01 1{hour}:00") for hour in range(4))
NEXT = at("02 09:00")
MIDNIGHT = at("02 00:00")


@pytest.mark.parametrize(
    ("most", "times", "allowed"),
    [
        (0, [ONE, TWO, THREE], [ONE, TWO, THREE]),
        (2, [ONE, TWO], [ONE, TWO]),
        (2, [ONE, TWO, THREE], [ONE, TWO, MIDNIGHT]),
        (2, [ONE, TWO, THREE, FOUR], [ONE, TWO, None, MIDNIGHT]),
        (1, [ONE, TWO, NEXT], [ONE, MIDNIGHT, NEXT]),
        (1, [], []),
    ],
)
def test_of_submissions_beyond_a_days_limit_the_last_is_graded_after_midnight(
    most: int, times: list[datetime], allowed: list[datetime | None]
) -> None:
    assert Policy(most_a_day=most).graded_from(times) == allowed


def test_a_day_ends_at_midnight_of_the_zone_also_when_clocks_change() -> None:
    policy = Policy(most_a_day=1, timezone=ZoneInfo("Europe/Berlin"))
    evening = [at("26 21:00"), at("26 21:30"), at("26 22:30")]  # the last is on the 27th
    assert policy.graded_from(evening) == [evening[0], at("26 22:00"), evening[2]]
    # On the 27th, summer time ends: the day has 25 hours.
    assert policy.graded_from([at("27 10:00"), at("27 11:00")])[1] == at("27 23:00")
    assert policy.local(at("27 23:00")) == "2024-10-28 00:00 CET"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = copy_of_the_course(tmp_path_factory.mktemp("course"))
    (root / "class").mkdir()
    return root


def test_rules_of_a_lesson_come_before_those_of_all(root: Path) -> None:
    policy_path(root).write_text(
        'counts = "best"\nmost_a_day = 3\n[neuron]\nresults = "after the due date"\n'
        'shown = "hints"\nmost_a_day = 5\n',
        encoding="utf-8",
    )
    assert read_policy(root, "loss") == Policy(counts=Counting.BEST, most_a_day=3)
    assert read_policy(root, "neuron") == Policy(
        Results.AFTER_DUE, Shown.HINTS, Counting.BEST, most_a_day=5
    )


def test_without_a_file_everything_is_shown_at_once(root: Path) -> None:
    policy_path(root).unlink(missing_ok=True)
    assert read_policy(root, "neuron") == Policy()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('counts = "first"', '"latest" or "best"'),
        ('results = "never"', '"at once" or "after the due date"'),
        ("shown = 1", '"points" or "hints"'),
        ("most_a_day = -1", "a whole number"),
        ("most_a_day = true", "a whole number"),
        ('timezone = "Mars/Phobos"', "Europe/Berlin"),
        ('timezone = "../etc"', "Europe/Berlin"),
        ("most_per_day = 3", "most_per_day is no rule; there are results, shown"),
        ("[nueron]\nmost_a_day = 3", "nueron"),
        ("[neuron]\nneuron = 3", "neuron is no rule"),
        ("counts = best", "can't be read"),
    ],
)
def test_a_mistake_in_the_rules_is_named_with_what_is_possible(
    root: Path, text: str, words: str
) -> None:
    policy_path(root).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"serve\.toml") as error:
        read_policy(root, "neuron")
    assert words in str(error.value)


def test_the_class_servers_file_holds_the_rules_without_a_file(root: Path) -> None:
    file = Path(__file__).parents[3] / "docs" / "class-server" / "serve.toml"
    policy_path(root).write_bytes(file.read_bytes())
    assert read_policy(root, "neuron") == Policy(timezone=ZoneInfo("UTC"))

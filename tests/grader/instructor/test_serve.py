"""`grader serve` grades what comes through the exchange, by the rules of class/serve.toml."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from classroom import Course
from hostile_class import in_place_of
from nbgrader.utils import notebook_hash

from course import solved, written
from grader.author.lesson import Lesson, load_lesson
from grader.errors import UserError
from grader.execution.limits import OUTSIDE
from grader.instructor import workers
from grader.instructor.anonymize import anonymize
from grader.instructor.desk import Changed, Desk
from grader.instructor.explain import explanation
from grader.instructor.gradebook import GradebookUnusable
from grader.instructor.lesson_gradebook import open_lesson
from grader.instructor.policy import Counting, Policy, Results, Shown
from grader.instructor.round import LOOK_AGAIN, for_students
from grader.instructor.serve import open_common
from grader.processes import OverBudget

NOON = datetime(2024, 10, 1, 12)
HOUR = timedelta(hours=1)
AFTERNOON = NOON + 4 * HOUR
WRONG = {"sigmoid": "def sigmoid(z):\n    return 1 / (1 + np.exp(np.asarray(z)))\n"}
RESULTS = " of 10 points</"
ALL = f"10{RESULTS}"
"""Texts of feedback pages."""


class Class(Course):
    """A course with an exchange, and a desk that serves a lesson of it."""

    desk: Desk

    def submit(
        self, student: str, notebook: Any, when: datetime = NOON, complete: bool = True
    ) -> Path:
        """Submit as `nbgrader submit` does, but for the end of it where that is not `complete`."""
        time = f"{when:%Y-%m-%d %H:%M:%S.%f} UTC"
        folder = self.exchange / "inbound" / f"{student}+neuron+{time}+{secrets.token_hex(4)}"
        folder.mkdir(parents=True, mode=0o755)
        (folder / "neuron.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        (folder / "timestamp.txt").write_text(time, encoding="utf-8")
        (folder / "submission_secret.txt").write_text(secrets.token_hex(64), encoding="utf-8")
        if complete:
            folder.chmod(0o777)
        return folder

    def serve(self, now: datetime = AFTERNOON) -> None:
        """Do rounds until nothing is left to do at a time, or only what is slow."""
        self.desk.round(now)
        while self.desk.look_at and self.desk.look_at <= now:
            self.desk.round(now)

    def serve_slow(self) -> None:
        """Wait for what is slow, and serve it."""
        while self.desk.slow:
            for _, future in self.desk.slow.values():
                future.result()
            self.serve()

    def page(self, folder: Path, name: str = "neuron") -> str:
        """Return the page about a submission that its student can fetch, or nothing."""
        secret = (folder / "submission_secret.txt").read_text(encoding="utf-8")
        hashed = notebook_hash(secret=secret, notebook_id=name)
        path = self.exchange / "feedback" / f"{hashed}.html"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def graded(self) -> list[dict[str, Any]]:
        return [one for one in self.journal() if "graded" in one]

    @property
    def exchange(self) -> Path:
        return self.root / "class" / "exchange" / "neural_network_basics"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Class:
    course = Class(tmp_path_factory.mktemp("course"))
    with (course.root / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write("\nc.ExchangeCollect.check_owner = False\n")
    with course.gradebook() as gradebook:
        gradebook.add_assignment("neuron")
    return course


@pytest.fixture
def course(
    template: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: Any
) -> Iterator[Class]:
    """Return a class that is served by a policy, which a test gives as a parameter."""
    course = template.copy(tmp_path)
    course.__class__ = Class
    assert isinstance(course, Class)
    monkeypatch.chdir(course.root)
    # However busy this machine is, nothing is slow unless a test says so.
    monkeypatch.setattr(workers, "OUTSIDE", replace(OUTSIDE, first_run_seconds=600))
    # Made-up submissions arrive long after the time that they give.
    monkeypatch.setattr("grader.instructor.collect.believed", lambda claimed, *_: claimed)
    with open_common(course.root, 1) as common:
        course.desk = Desk(common, own_lesson(course), getattr(request, "param", Policy()))
        yield course
        course.desk.reader.close()


def own_lesson(course: Course) -> Lesson:
    return load_lesson(course.root / "solutions" / "neuron")


def policy(**rules: Any) -> Any:
    return pytest.mark.parametrize("course", [Policy(**rules)], indirect=True)


def test_a_submission_is_graded_and_its_feedback_can_be_fetched(course: Class) -> None:
    ada = course.submit("ada", solved("neuron"))
    bob = course.submit("bob", written("neuron", **WRONG), NOON + HOUR)
    course.serve()
    assert course.points() == {"ada": 10.0, "bob": 0.0}
    assert ALL in course.page(ada)
    assert "sigmoid" in course.page(bob)
    for place in ("submitted", "autograded", "feedback"):
        assert (course.root / "class" / place / "bob" / "neuron" / "timestamp.txt").exists()
    with course.gradebook() as gradebook:
        assert gradebook.find_submission("neuron", "bob").timestamp == NOON + HOUR


def test_each_submission_meets_other_inputs_and_can_be_repeated(course: Class) -> None:
    first, second = written("neuron", **WRONG), solved("neuron")
    folders = [course.submit("ada", one, NOON + HOUR * n) for n, one in enumerate((first, second))]
    bob = course.submit("bob", second)
    course.serve()
    assert len({one["seed"] for one in course.graded() if one["student"] == "ada"}) == 2
    assert all(course.page(one) for one in (*folders, bob))
    for options in ({}, {"regrade": True}):
        summary = course.autograde(**options)
        assert (summary.graded, summary.kept) == ({}, {"ada": 10.0, "bob": 10.0})
    last = next(one for one in reversed(course.graded()) if one["student"] == "ada")
    report = [*explanation(course.root, own_lesson(course), "ada")]
    assert report[0] == "ada, neuron: 10 of 10 points"
    assert report[1].startswith(f"seed {last['seed']}")
    earlier = next(one for one in course.graded() if one["student"] == "ada")
    report = [*explanation(course.root, own_lesson(course), "ada", "2024-10-01 12:00")]
    assert report[0] == f"ada, neuron: {earlier['result']['points']:g} of 10 points"
    assert report[1].startswith(f"seed {earlier['seed']}")
    with pytest.raises(UserError, match=r"no grading of that time.*: 2024-10-01 12:00:00"):
        next(explanation(course.root, own_lesson(course), "ada", "2023"))


def test_the_same_notebook_again_meets_other_inputs_too(course: Class) -> None:
    for number in range(3):
        course.submit("ada", solved("neuron"), NOON + number * HOUR)
        course.serve()
    assert len({one["seed"] for one in course.graded()}) == 3


def test_the_latest_submission_counts_whatever_its_points(course: Class) -> None:
    course.submit("ada", solved("neuron"))
    course.submit("ada", written("neuron", **WRONG), NOON + HOUR)
    course.serve()
    assert course.points() == {"ada": 0.0}


def test_a_submission_that_is_older_than_the_graded_one_does_not_count(course: Class) -> None:
    course.submit("ada", solved("neuron"), NOON + HOUR)
    course.serve()
    older = course.submit("ada", written("neuron", **WRONG))
    course.serve()
    assert course.points() == {"ada": 10.0}
    assert "Your submission of 2024-10-01 13:00 UTC counts" not in course.page(older)
    assert "your submission of 2024-10-01 13:00 UTC does" in course.page(older)


@policy(counts=Counting.BEST)
def test_with_best_a_worse_submission_lowers_nothing_and_gets_its_page(course: Class) -> None:
    best = course.submit("ada", solved("neuron"))
    worse = course.submit("ada", written("neuron", **WRONG), NOON + HOUR)
    course.serve()
    assert course.points() == {"ada": 10.0}
    assert ALL in course.page(best)
    page = course.page(worse)
    assert "This submission does not count: your submission of 2024-10-01 12:00 UTC" in page
    assert "<h1>0 of 10 points</h1>" in page
    assert 'class="verdict missed"' in page
    summary = course.autograde(regrade=True)
    assert (summary.graded, summary.kept) == ({}, {"ada": 10.0})


@policy(counts=Counting.BEST)
def test_with_best_a_better_submission_that_costs_more_for_lateness_does_not_count(
    course: Class,
) -> None:
    course.submit("ada", written("neuron", **{**WRONG, "sigmoid": "def sigmoid(z): return 0.5\n"}))
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("neuron", duedate="2024-10-01 12:30 UTC")
    course.serve()
    plugin = course.desk.common.coursedir.config
    plugin.LateSubmissionPlugin.penalty_method = "zero"
    course.submit("ada", solved("neuron"), NOON + HOUR)
    course.serve()
    counted = [one["counts"] for one in course.graded()]
    assert counted == [True, False]


@policy(most_a_day=1)
def test_beyond_a_days_limit_the_last_is_graded_when_the_day_is_over(course: Class) -> None:
    first, second, third = (
        course.submit("ada", notebook, NOON + number * HOUR)
        for number, notebook in enumerate(
            (written("neuron", **WRONG), written("neuron", **WRONG), solved("neuron"))
        )
    )
    course.serve()
    assert course.points() == {"ada": 0.0}
    assert RESULTS in course.page(first)
    assert "it is graded in place of this one" in course.page(second)
    assert "graded after 2024-10-02 00:00 UTC" in course.page(third)
    assert course.desk.look_at == NOON + 12 * HOUR
    course.serve(NOON + 11 * HOUR)
    assert course.points() == {"ada": 0.0}
    course.serve(NOON + 12 * HOUR)
    assert course.points() == {"ada": 10.0}
    assert ALL in course.page(third)
    assert len(course.graded()) == 2


@policy(results=Results.AFTER_DUE)
def test_results_show_after_the_due_date_of_the_student_without_another_submission(
    course: Class,
) -> None:
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("neuron", duedate="2024-10-01 18:00 UTC")
    with open_lesson(course.desk.common.coursedir, "neuron", course.desk.release) as opened:
        opened.extend("bob", 2 * HOUR)
    ada, bob = (course.submit(name, solved("neuron")) for name in ("ada", "bob"))
    course.serve()
    assert course.points() == {"ada": 10.0, "bob": 10.0}
    assert "Its results are here after 2024-10-01 18:00 UTC" in course.page(ada)
    assert "Its results are here after 2024-10-01 20:00 UTC" in course.page(bob)
    assert course.desk.look_at == AFTERNOON + LOOK_AGAIN
    course.serve(NOON + 6 * HOUR)
    assert ALL in course.page(ada)
    assert RESULTS not in course.page(bob)
    course.serve(NOON + 8 * HOUR)
    assert ALL in course.page(bob)
    assert course.desk.look_at is None


@policy(shown=Shown.HINTS)
def test_with_hints_only_no_page_has_points(course: Class) -> None:
    ada = course.submit("ada", written("neuron", **WRONG))
    course.serve()
    page = course.page(ada)
    assert "<h1>Hints, without points</h1>" in page
    assert 'class="hint"' in page
    assert "points</p>" not in page
    assert RESULTS not in page
    assert course.points() == {"ada": 0.0}


CLEAR = "it is large. Clear its outputs and hand it in again"


@pytest.mark.parametrize(
    ("why", "told"),
    [
        (CLEAR, CLEAR),
        ("work.zip is there. `grader collect neuron x` unpacks it", "work.zip is there"),
        ("a.ipynb is missing; b.ipynb is there. `cp b a`", "a.ipynb is missing; b.ipynb is there"),
    ],
)
def test_a_student_reads_the_way_out_but_no_instructors_command(why: str, told: str) -> None:
    assert for_students(why) == told


def test_a_hostile_submission_costs_only_itself_and_its_student_reads_so(
    course: Class, capsys: pytest.CaptureFixture[str]
) -> None:
    eve = course.submit("eve", {"cells": "none"})
    empty = course.submit("mallory", solved("neuron"))
    (empty / "neuron.ipynb").unlink()
    (empty / "neuron.ipynb").symlink_to(course.root / "solutions" / "neuron" / "neuron.ipynb")
    ada = course.submit("ada", solved("neuron"), NOON + HOUR)
    course.serve()
    assert course.points() == {"ada": 10.0}
    assert RESULTS in course.page(ada)
    assert "could not be graded: it is not a notebook" in course.page(eve)
    assert "could not be graded: neuron.ipynb is missing" in course.page(empty)
    assert "eve, 2024-10-01 12:00:00 UTC: not graded: it is not" in capsys.readouterr().out
    anonymize(course.root, [own_lesson(course)], course.root / "anonymous.zip")
    with zipfile.ZipFile(course.root / "anonymous.zip") as archive:
        assert b"mallory" not in archive.read("class/journal/neuron.jsonl")
    again = course.submit("eve", solved("neuron"), NOON + HOUR)
    course.serve()
    assert ALL in course.page(again)


def no_text_for_a_name(folder: Path) -> None:
    shutil.copy(folder / "neuron.ipynb", os.fsencode(folder) + b"/\xff.ipynb")


ODD: dict[str, Callable[[Path], object]] = {
    "a folder for a time": lambda one: in_place_of("timestamp.txt", Path.mkdir)(one),
    "a time before all": lambda one: (one / "timestamp.txt").write_text("0001-01-01 00:00 UTC"),
    "a time to come": lambda one: (one / "timestamp.txt").write_text("9999-12-31 23:59 UTC"),
    "no text for a name": no_text_for_a_name,
    "a folder for a page": lambda one: (one / "neuron.html").mkdir(),
    "a secret that is no text": lambda one: (one / "submission_secret.txt").write_bytes(b"\xff"),
}
"""What a student may do to a right submission."""


@policy(timezone=ZoneInfo("America/New_York"))
@pytest.mark.parametrize("failing", [False, True])
@pytest.mark.parametrize("odd", ODD)
def test_an_odd_folder_has_the_time_of_its_name_and_stops_nobody(
    course: Class, odd: str, failing: bool
) -> None:
    eve = course.submit("eve", {"cells": "none"} if failing else solved("neuron"))
    ODD[odd](eve)
    course.submit("zoe", solved("neuron"), NOON + HOUR)
    course.serve()
    graded = ["zoe"] if failing else ["eve", "zoe"]
    assert course.points() == dict.fromkeys(graded, 10.0)
    (attempt,) = course.desk.attempts["eve"]
    assert attempt.time == NOON
    assert course.desk.open == set()


def test_who_submits_again_and_again_keeps_nobody_waiting(
    course: Class, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(40):
        course.submit("eve", {"cells": "none"}, NOON + timedelta(minutes=number))
    course.submit("zoe", solved("neuron"), NOON + HOUR)
    monkeypatch.setattr("grader.instructor.round.MOST", 1)
    for _ in range(2):
        course.desk.round(AFTERNOON)
    assert course.points() == {"zoe": 10.0}
    assert len(course.desk.attempts["eve"]) == 2
    course.serve()
    assert len(course.desk.attempts["eve"]) == 40
    monkeypatch.setattr("grader.instructor.attempts.MAX_STORED", 1_000)
    for student in ("eve", "ada"):
        course.submit(student, solved("neuron"))
    course.serve()
    assert len(course.desk.attempts["eve"]) == 40
    assert "class/attempts holds more than" in caplog.text
    assert course.points() == {"ada": 10.0, "zoe": 10.0}


def test_nobody_waits_for_a_slow_submission(course: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_slow(_: Any, notebooks: list[Any], first: bool) -> list[Exception]:
        return [OverBudget("it ran for more than 2 seconds")] * len(notebooks)

    may_end = Event()
    course.desk.common.slow_thread.submit(may_end.wait)
    eve = course.submit("eve", solved("neuron"))
    with monkeypatch.context() as patch:
        patch.setattr(workers, "grade_batch", too_slow)
        course.serve()
    ada, more = (course.submit(name, solved("neuron"), NOON + HOUR) for name in ("ada", "eve"))
    course.serve()
    assert [bool(course.page(one)) for one in (eve, ada, more)] == [False, True, False]
    may_end.set()
    course.serve_slow()
    assert all(ALL in course.page(one) for one in (eve, ada, more))
    assert [one["student"] for one in course.graded()] == ["ada", "eve", "eve"]


def test_what_is_slow_even_alone_is_not_graded_and_its_student_reads_so(
    course: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow(_: Any, notebooks: list[Any], first: bool) -> list[Exception]:
        return [OverBudget("it took more than 5 seconds of processor time")] * len(notebooks)

    monkeypatch.setattr(workers, "grade_batch", too_slow)
    eve = course.submit("eve", solved("neuron"))
    course.serve()
    course.serve_slow()
    assert "could not be graded: it took more than 5 seconds of processor" in course.page(eve)


def test_a_submission_is_left_alone_until_it_is_complete(course: Class) -> None:
    ada = course.submit("ada", solved("neuron"), complete=False)
    course.serve()
    assert course.desk.attempts == {}
    ada.chmod(0o777)
    course.serve()
    assert course.points() == {"ada": 10.0}


def test_names_that_lead_elsewhere_are_refused(course: Class) -> None:
    for student, rest in (("..", "x"), ("", "x"), ("ada", ".."), (".a", "x"), ("a*", "x")):
        folder = course.exchange / "inbound" / f"{student}+neuron+{rest}"
        course.submit("zoe", solved("neuron")).rename(folder)
    course.serve()
    assert course.desk.attempts == {}
    assert not [*(course.root / "class" / "attempts").glob("[!.]*")]


def test_a_submission_in_the_name_of_another_account_is_refused(
    course: Class, caplog: pytest.LogCaptureFixture
) -> None:
    course.desk.common.exchange._collect.check_owner = True
    course.submit("somebody-else", solved("neuron"))
    course.serve()
    course.serve()
    assert course.desk.attempts == {}
    assert caplog.text.count("it belongs to another account") == 1


def test_a_folder_that_is_a_link_takes_nobodys_page(course: Class) -> None:
    ada = course.submit("ada", solved("neuron"))
    course.serve()
    assert ALL in course.page(ada)
    link = course.exchange / "inbound" / f"eve+neuron+{NOON:%Y-%m-%d %H:%M:%S.%f} UTC+x"
    link.symlink_to(course.root / "class" / "submitted" / "ada" / "neuron")
    course.serve()
    assert ALL in course.page(ada)
    assert [*course.desk.attempts] == ["ada"]


def test_a_page_is_there_for_each_notebook_under_its_own_name(course: Class) -> None:
    ada = course.submit("ada", solved("neuron"))
    (ada / "neuron.ipynb").rename(ada / "neuron (1).ipynb")
    course.serve()
    assert ALL in course.page(ada, "neuron (1)")


def test_while_the_gradebook_is_locked_results_wait_and_are_not_graded_again(
    course: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = course.submit("bob", solved("neuron"))
    course.serve()
    ada = course.submit("ada", solved("neuron"))
    lock = sqlite3.connect(course.root / "class" / "gradebook.db", isolation_level=None)
    with monkeypatch.context() as patch:

        def locked(*_: Any) -> None:
            lock.execute("BEGIN EXCLUSIVE")

        # Between the journal and the gradebook.
        patch.setattr("grader.instructor.round.install", locked)
        with pytest.raises(GradebookUnusable, match="locked"):
            course.serve()
    lock.rollback()
    lock.close()
    course.serve()
    assert course.points() == {"ada": 10.0, "bob": 10.0}
    assert len(course.graded()) == 2
    assert all(ALL in course.page(one) for one in (ada, bob))


def test_a_result_that_cannot_be_written_yet_is_written_once_it_can(
    course: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = course.submit("ada", solved("neuron"))
    with monkeypatch.context() as patch:

        def refuse(*_: Any) -> None:
            raise PermissionError(13, "Permission denied")

        patch.setattr("grader.instructor.round.install", refuse)
        course.serve()
    assert course.page(ada) == ""
    assert course.desk.look_at == AFTERNOON + LOOK_AGAIN
    course.serve(AFTERNOON + LOOK_AGAIN)
    assert course.points() == {"ada": 10.0}
    assert len(course.graded()) == 1
    assert ALL in course.page(ada)


def test_a_submission_that_came_another_way_is_kept(course: Class) -> None:
    course.hand_in("ada", b"by Canvas")
    course.submit("ada", solved("neuron"))
    course.serve()
    assert course.points() == {"ada": 10.0}
    kept = course.root / "class" / "received" / "neuron" / "ada-1" / "neuron.ipynb"
    assert kept.read_bytes() == b"by Canvas"


@pytest.mark.parametrize(
    "file", ["solutions/neuron/exercises.py", "class/serve.toml", "pyproject.toml"]
)
def test_what_has_changed_is_loaded_before_more_is_graded(course: Class, file: str) -> None:
    course.serve()
    with (course.root / file).open("a", encoding="utf-8") as changed:
        changed.write("\n")
    course.serve()  # nothing to do
    course.submit("ada", solved("neuron"))
    with pytest.raises(Changed):
        course.serve()
    assert not course.journal_file.exists() or course.graded() == []
    assert any(name.endswith("feedback.html.j2") for name, *_ in course.desk._stamp)


def test_a_second_process_for_the_same_course_is_refused(course: Class) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "grader.cli", "serve", "neuron", "--once"],
        cwd=course.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Another `grader serve` runs" in done.stderr) == (1, True)


def written_records(course: Class) -> int:
    file = course.journal_file
    return file.read_bytes().count(b"\n") if file.exists() else 0


@pytest.mark.long
def test_killed_again_and_again_it_grades_each_submission_once_and_shows_all(
    template: Class, tmp_path: Path
) -> None:
    course = template.copy(tmp_path)
    course.__class__ = Class
    assert isinstance(course, Class)
    notebooks = (written("neuron", **WRONG), solved("neuron"))
    times = datetime.now(), datetime.now() + timedelta(microseconds=1)
    folders = {
        (student, number): course.submit(student, notebooks[number], times[number])
        for student in ("ada", "bob")
        for number in range(2)
    }
    command = [sys.executable, "-m", "grader.cli", "serve", "neuron", "--once", "--workers", "2"]
    kills = 0
    while True:
        process = subprocess.Popen(command, cwd=course.root, stdout=subprocess.DEVNULL)
        records = written_records(course) + 2
        # Killed at the second record that it writes: at another step each time.
        while process.poll() is None and written_records(course) < records:
            time.sleep(0.001)
        if process.poll() is not None:
            assert process.returncode == 0
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
    assert kills >= 4
    assert course.points() == {"ada": 10.0, "bob": 10.0}
    counts = Counter((one["student"], one["attempt"]) for one in course.graded())
    assert len(counts) == len(folders)
    assert set(counts.values()) == {1}
    for (_, number), folder in folders.items():
        assert RESULTS in course.page(folder), number

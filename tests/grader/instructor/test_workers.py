"""Workers: threads of one process don't disturb each other, a dead worker costs one notebook."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import deadly
import pytest
from classroom import Course, one_worker
from distributed import LocalCluster
from hostile_class import with_cells

from course import ROOT, lesson, references, solved, written
from grader.cli import main
from grader.execution.notebook import read_notebook
from grader.execution.submission import select
from grader.instructor import autograde, workers
from grader.instructor.report import Summary
from grader.instructor.run import result_html, within_bounds
from grader.instructor.workers import MAX_TRIES, grade_many, local_workers
from grader.processes import OverBudget

TAG = "<b>worker"


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Return the address of a cluster of one worker with three threads."""
    with LocalCluster(
        n_workers=1, threads_per_worker=3, processes=True, dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster.scheduler_address


@pytest.mark.long
def test_the_threads_of_one_worker_do_not_disturb_each_other(
    scheduler: str, tmp_path: Path
) -> None:
    course = Course(tmp_path)
    students = [f"honest {number}" for number in range(24)]
    for student in students:
        course.hand_in(student, solved("neuron"))
    summary = course.autograde(scheduler=scheduler)
    assert summary.errors == {}
    assert course.points() == dict.fromkeys(students, 10)


def test_a_worker_that_outlives_a_run_loads_a_changed_lesson_again(
    scheduler: str, tmp_path: Path
) -> None:
    course = Course(tmp_path)
    course.hand_in(
        "ann",
        written("neuron", sigmoid="def sigmoid(z):\n    return 1 / (1 + np.exp(-np.asarray(z)))\n"),
    )
    exercises = course.root / "solutions" / "neuron" / "exercises.py"
    course.autograde(scheduler=scheduler, seed=5)
    assert course.points() == {"ann": 2.7}
    lines = exercises.read_text(encoding="utf-8").splitlines()
    exercises.write_text(
        "\n".join(line for line in lines if 'case("quiet"' not in line) + "\n", encoding="utf-8"
    )
    course.autograde(scheduler=scheduler, seed=5, regrade=True)
    assert course.points() == {"ann": 3}


def test_a_worker_gives_no_more_points_than_the_lesson_has() -> None:
    def result(points: float) -> Any:
        exercises = {name: {"points": points} for name in lesson("neuron").exercises}
        return {"points": points, "max_points": points, "exercises": exercises, "repaired": []}

    assert within_bounds(result(99), lesson("neuron"))["points"] == 10
    assert within_bounds(result(-99), lesson("neuron"))["points"] == 0
    assert within_bounds(result(float("nan")), lesson("neuron"))["points"] == 0
    for wrong in ({}, {"exercises": {}}, {"exercises": {"relu": 1}}):
        with pytest.raises((KeyError, TypeError)):
            within_bounds(wrong, lesson("neuron"))  # type: ignore[typeddict-item]


def test_a_notebook_that_runs_long_is_graded_after_all_others(tmp_path: Path) -> None:
    course = Course(tmp_path)
    course.hand_in("a sleeper", with_cells("import time\ntime.sleep(3)"))
    course.hand_in("anne", solved("neuron"))
    with one_worker():
        assert course.autograde().errors == {}
    assert course.points() == {"a sleeper": 10, "anne": 10}
    graded = [one["student"] for one in course.journal() if "graded" in one]
    assert graded == ["anne", "a sleeper"]


def test_what_takes_too_long_to_explain_has_its_points(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*_: Any) -> None:
        while True:
            pass

    monkeypatch.setattr(workers.Run, "repaired", endless)
    job = workers.Job(lesson("neuron").folder, "a version", 7)
    answers = {**references("neuron"), "relu": "def relu(z):\n    return z"}
    text = json.dumps(written("neuron", **answers)).encode()
    chosen = select(workers.run_of(job).template, read_notebook(text))
    assert isinstance(workers.grade_batch(job, [chosen], True)[0], OverBudget)
    result: Any = workers.grade_batch(job, [chosen], False)[0]
    assert result["points"] == 10 - result["exercises"]["relu"]["max_points"]


def test_all_requests_of_a_first_try_have_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, limits = [0.0], []

    class Sandbox:
        def run(self, _: Any, most: float) -> None:
            limits.append(round(most, 3))
            clock[0] += 0.75

    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    run = workers._within(2, Sandbox())  # type: ignore[arg-type]
    for _ in range(4):
        run({})  # type: ignore[typeddict-item]
    assert limits == [2, 1.25, 0.5, 0.001]


def test_no_markup_of_a_worker_reaches_a_page() -> None:
    sent: Any = {"state": "missed", "points": 0, "max_points": 1, "passed": [], "missed": ["value"]}
    sent |= {"hint": TAG, "note": TAG, "failed": (TAG, [(TAG, TAG)]), "html": TAG}
    assert result_html(TAG, sent).count("&lt;b&gt;worker") == 6
    assert TAG not in result_html(TAG, sent)
    with pytest.raises(ValueError, match="State"):
        result_html("relu", {**sent, "state": TAG})


def test_a_notebook_that_kills_its_worker_takes_no_neighbour_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "grade_batch", deadly.grade_batch)
    names = [f"{'killer' if number % 4 == 0 else 'honest'} {number}" for number in range(8)]
    with local_workers(2) as make:
        graded = dict(grade_many(make, ((name, None, name.split()[0]) for name in names), 4, True))
    assert {name for name, result in graded.items() if isinstance(result, dict)} == {
        name for name in names if "honest" in name
    }
    assert len(graded) == len(names)
    assert {
        str(result).partition(":")[0] for name, result in graded.items() if "killer" in name
    } == {f"grading failed {MAX_TRIES} times"}


@pytest.mark.parametrize(("scheduler", "warned"), [("tcp://host:8786", True), ("tls://h", False)])
def test_a_scheduler_that_asks_for_no_certificate_is_warned_of(
    scheduler: str,
    warned: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(autograde, "autograde", lambda *_: Summary("neuron", seed=1))
    assert main(["autograde", "neuron", "--scheduler", scheduler]) == 0
    assert ("anybody who reaches the scheduler" in capsys.readouterr().err) == warned

"""`nbgrader collect` collects a learner's own files and follows no link."""

from __future__ import annotations

import getpass
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from classroom import Course

from course import solved
from grader.instructor.collect import GRACE, SafeCollect, believed, copy_ordinary_files, owner_of
from grader.instructor.gradebook import course_directory
from grader.instructor.submissions import read_time

ME = getpass.getuser()


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = Course(tmp_path)
    with course.gradebook() as gradebook:
        gradebook.add_assignment("neuron")
    return course


def inbound(course: Course, student: str = ME) -> Path:
    """Write a submission to the exchange as `nbgrader submit` does."""
    inbound = course.root / "class" / "exchange" / "neural_network_basics" / "inbound"
    folder = inbound / f"{student}+neuron+2026-10-01 12:00:00 UTC+secret"
    folder.mkdir(parents=True)
    (folder / "neuron.ipynb").write_text(json.dumps(solved("neuron")), encoding="utf-8")
    (folder / "timestamp.txt").write_text("2026-10-01 12:00:00.000000 UTC", encoding="utf-8")
    return folder


def collected(course: Course, student: str = ME) -> set[str]:
    folder = course.root / "class" / "submitted" / student / "neuron"
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.long
def test_a_link_in_a_submission_brings_nothing_of_the_teachers(course: Course) -> None:
    folder, secrets = inbound(course), course.root / "solutions" / "neuron"
    (folder / "neuron.ipynb").unlink()
    (folder / "neuron.ipynb").symlink_to(secrets / "neuron.ipynb")
    (folder / "gradebook.html").symlink_to(course.root / "class" / "gradebook.db")
    (folder / "all").symlink_to(secrets)
    (folder / "mine").mkdir()
    (folder / "mine" / "notes.txt").write_text("my own", encoding="utf-8")
    os.mkfifo(folder / "mine" / "pipe")
    said = course.nbgrader("collect", "neuron")
    assert collected(course) == {"timestamp.txt", "mine", "mine/notes.txt"}
    for name in ("neuron.ipynb", "gradebook.html", "all"):
        assert f"{ME}: {name} was left out: it is a link" in said
    assert f"{ME}: mine/pipe was left out: it is no ordinary file" in said
    assert course.autograde().errors == {ME: "neuron.ipynb is missing; notes.txt is there"}


@pytest.mark.long
def test_a_folder_that_is_a_link_brings_nothing_and_the_next_one_is_collected(
    course: Course,
) -> None:
    real = inbound(course, "zoe")
    real.with_name(real.name.replace("zoe", "ann")).symlink_to(course.root / "solutions" / "neuron")
    said = course.nbgrader("collect", "neuron", "--ExchangeCollect.check_owner=False")
    assert "ann: the whole folder was left out: it is a link" in said
    assert not (course.root / "class" / "submitted" / "ann" / "neuron").exists()
    assert collected(course, "zoe") == {"neuron.ipynb", "timestamp.txt"}


def test_formgraders_button_collects_without_links_too(course: Course) -> None:
    folder = inbound(course)
    course.nbgrader("collect", "neuron")
    newer = folder.with_name(folder.name.replace("12:00", "13:00"))
    newer.mkdir()
    (newer / "neuron.ipynb").symlink_to(course.root / "solutions" / "neuron" / "neuron.ipynb")
    (newer / "timestamp.txt").write_text("2026-10-01 13:00:00.000000 UTC", encoding="utf-8")
    said = course.formgrader().collect("neuron")
    assert said["success"]
    assert f"{ME}: neuron.ipynb was left out: it is a link" in said["log"]
    assert collected(course) == {"timestamp.txt"}


def test_too_large_a_submission_stops_nobody_elses(course: Course) -> None:
    (inbound(course, "ann") / "large.bin").write_bytes(bytes(9_000_000))
    inbound(course, "zoe")
    said = course.nbgrader(
        "collect",
        "neuron",
        "--CourseDirectory.max_dir_size=5000",
        "--ExchangeCollect.check_owner=False",
    )
    assert "ann: nothing was collected: the folder holds more than 5000 kB" in said
    assert collected(course, "zoe") == {"neuron.ipynb", "timestamp.txt"}


def test_a_folder_in_anothers_name_counts_as_its_owners(tmp_path: Path) -> None:
    collect = SafeCollect(coursedir=course_directory(Course(tmp_path).root))
    name = "zoe+neuron+2026-10-01 12:00:00 UTC+secret"
    (tmp_path / name).mkdir()
    if os.geteuid() == 0:
        os.chown(tmp_path / name, 12345, -1)
        assert owner_of(str(tmp_path / name)) == "user 12345"
    record = collect._path_to_record(str(tmp_path / name))
    assert record["username"] == owner_of(str(tmp_path / name)) != "zoe"


def test_a_submission_has_the_time_of_its_arrival_or_nearly() -> None:
    arrived, hour = datetime(2026, 10, 1, 12), timedelta(hours=1)
    changed = arrived.replace(tzinfo=UTC).timestamp()
    assert believed(arrived - hour, changed) == arrived
    assert believed(arrived - GRACE / 2, changed) == arrived - GRACE / 2
    assert believed(arrived + hour, changed) == arrived


def test_a_change_in_a_folder_below_is_seen(tmp_path: Path) -> None:
    below = tmp_path / "ann" / "below" / "neuron.ipynb"
    below.parent.mkdir(parents=True)
    below.touch()
    before = copy_ordinary_files(tmp_path / "ann", tmp_path / "first").changed
    while below.stat().st_ctime == before:  # the kernel's clock moves in steps
        below.write_text("later", encoding="utf-8")
    os.utime(below, (0, 0))  # any owner can set these two times
    after = copy_ordinary_files(tmp_path / "ann", tmp_path / "second").changed
    assert after == below.stat().st_ctime > before


def safe_collect(course: Course) -> SafeCollect:
    coursedir = course_directory(course.root)
    coursedir.assignment_id = "neuron"
    return SafeCollect(coursedir=coursedir, config=coursedir.config)


@pytest.mark.parametrize("forged", ["2020-01-01 00:00 UTC", "9999-12-31 23:59 UTC", "", None])
def test_the_time_of_a_submission_is_not_the_learners_to_write(
    course: Course, forged: str | None
) -> None:
    now = datetime.now(UTC)
    folder = inbound(course).rename(inbound(course, "x").parent / f"{ME}+neuron+{now:%c} UTC+x")
    (folder / "timestamp.txt").unlink()
    if forged is None:
        (folder / "timestamp.txt").mkdir()
    else:
        (folder / "timestamp.txt").write_text(forged, encoding="utf-8")
    safe_collect(course).do_copy(str(folder), str(course.root / "copy"))
    time, _ = read_time(course.root / "copy")
    assert time is not None
    assert abs(time - now.replace(tzinfo=None)) < GRACE


def test_a_submission_that_goes_away_stops_nobody_elses(
    course: Course, caplog: pytest.LogCaptureFixture
) -> None:
    gone, zoe = inbound(course, "ann"), inbound(course, "zoe")
    collect = safe_collect(course)
    collect.init_src()
    names = {one["filename"] for one in collect.src_records}
    assert names <= {gone.name, zoe.name}
    shutil.rmtree(gone)
    gone.symlink_to("nowhere")
    collect.src_records = [
        {**collect._path_to_record(str(one)), "username": one.name[:3]} for one in (gone, zoe)
    ]
    collect.copy_files()
    assert "ann: nothing was collected: FileNotFoundError" in caplog.text
    assert collected(course, "zoe") == {"neuron.ipynb", "timestamp.txt"}
    gone.unlink()
    assert collect._path_to_record(str(gone))["username"] == gone.name


def test_a_hard_link_to_somebody_elses_file_is_left_out(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip(
            "Only root gives a file to somebody else; tests/hub tries it with real accounts."
        )
    folder = tmp_path / "ann"
    folder.mkdir()
    (tmp_path / "solution").write_text("the teacher's", encoding="utf-8")
    os.link(tmp_path / "solution", folder / "neuron.ipynb")
    (folder / "earlier").write_text("mine", encoding="utf-8")
    for path in (folder, folder / "earlier"):
        os.chown(path, 12345, -1)
    assert copy_ordinary_files(folder, tmp_path / "copy").left_out == {
        "neuron.ipynb": "it belongs to somebody else"
    }
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["earlier"]

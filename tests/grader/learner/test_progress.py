"""Test that progress survives concurrent writers and a disk that is full for a while."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from grader.learner.progress import (
    load_progress,
    not_saved,
    record_answer,
    record_solved,
    was_right,
)

WRITER = """
import sys
from pathlib import Path
from grader.learner import progress
from grader.learner.progress import record_answer, record_solved
progress.LOCK_TIMEOUT = 600
sys.stdin.read(1)
for number in range(100):
    record_answer(Path.cwd(), f"{sys.argv[1]} {number}", "yes")
    record_solved(Path.cwd(), f"{sys.argv[1]} {number}", 1.0)
"""


def test_two_processes_record_progress_without_losing_any(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, name], cwd=tmp_path, stdin=subprocess.PIPE)
        for name in ("kernel", "watch")
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"g")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=600)
    progress = load_progress(tmp_path)
    assert (len(progress["answers"]), len(progress["solved"])) == (200, 200)
    assert [path.name for path in tmp_path.iterdir()] == ["progress.json"]


def test_a_lock_that_is_never_released_costs_no_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.learner.progress.LOCK_TIMEOUT", 0)
    fcntl = pytest.importorskip("fcntl")
    place = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(place, fcntl.LOCK_EX)
    record_answer(tmp_path, "even", "yes")
    os.close(place)
    assert load_progress(tmp_path)["answers"] == {"even": "yes"}


def test_a_file_that_cannot_be_read_now_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_solved(tmp_path, "relu", 2.0)
    with monkeypatch.context() as patch:
        patch.setattr(
            Path, "read_bytes", Mock(side_effect=PermissionError(13, "Permission denied"))
        )
        record_solved(tmp_path, "dense", 3.0)
    assert "Permission denied" in (not_saved(tmp_path) or "")
    assert load_progress(tmp_path)["solved"] == {"relu": 2.0, "dense": 3.0}
    record_answer(tmp_path, "even", "yes")
    saved = json.loads((tmp_path / "progress.json").read_text())
    assert saved["solved"] == {"relu": 2.0, "dense": 3.0}
    assert saved["answers"] == {"even": "yes"}
    assert not_saved(tmp_path) is None


def test_damaged_entries_are_left_out_and_the_others_kept(tmp_path: Path) -> None:
    damaged = {
        "solved": {"relu": 2.0, "dense": "all"},
        "last_right": {"relu": "long ago", "dense": 3},
        "answers": [],
    }
    (tmp_path / "progress.json").write_text(json.dumps(damaged))
    progress = load_progress(tmp_path)
    kept = {"solved": {"relu": 2.0}, "last_right": {"relu": "long ago"}}
    assert progress == {**kept, "answers": {}, "missions": {}}
    assert was_right(progress, "relu") is None
    (tmp_path / "progress.json").write_text("[" * 100_000)
    assert load_progress(tmp_path)["solved"] == {}


def test_a_file_that_is_damaged_as_a_whole_is_kept_under_another_name(tmp_path: Path) -> None:
    halves = '<<<<<<< mine\n{"solved": {"relu": 2.0}}'
    (tmp_path / "progress.json").write_text(halves)
    record_solved(tmp_path, "dense", 3.0)
    assert load_progress(tmp_path)["solved"] == {"dense": 3.0}
    assert (tmp_path / "progress.damaged.json").read_text() == halves


def test_unsaved_changes_are_merged_into_the_file_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    record_solved(tmp_path, "relu", 2.0)
    with monkeypatch.context() as patch:
        patch.setattr("grader.learner.progress.atomic_write", full)
        record_answer(tmp_path, "even", "yes")
        record_solved(tmp_path, "relu", 1.0)
    assert (not_saved(tmp_path) or "").startswith(
        "progress.json can't be written (No space left on device)"
    )
    progress = load_progress(tmp_path)
    assert (progress["solved"], progress["answers"]) == ({"relu": 1.0}, {"even": "yes"})
    (tmp_path / "progress.json").write_text(
        json.dumps({"solved": {"relu": 2.0, "dense": 3.0}, "answers": {"odd": "no"}})
    )
    record_solved(tmp_path, "sigmoid", 3.0)
    saved = json.loads((tmp_path / "progress.json").read_text())
    assert saved["solved"] == {"relu": 1.0, "dense": 3.0, "sigmoid": 3.0}
    assert saved["answers"] == {"odd": "no", "even": "yes"}
    assert not_saved(tmp_path) is None

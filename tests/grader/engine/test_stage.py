"""What a killed grader leaves in the folder for temporary files is gone after the next run, and what a living one uses is not."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest

from grader.engine.sandbox import make_stage


@pytest.mark.parametrize("age", [3600, -3600])
def test_a_stage_that_nobody_uses_is_removed_by_the_next_run_also_when_the_clock_was_set_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: int) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (used, held), (left, lock) = make_stage(), make_stage()
    os.close(lock)  # as a kill does
    for stage in (used, left):
        os.utime(stage, (time.time() - age,) * 2)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = tmp_path / "grader-stage-link"
    link.symlink_to(elsewhere)

    new, own = make_stage()

    assert used.is_dir()
    assert not left.exists()
    assert elsewhere.is_dir()
    for lock in (held, own):
        os.close(lock)
    shutil.rmtree(new)

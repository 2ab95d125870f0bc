"""What a killed grader leaves in the folder for temporary files is gone after the next run, and what a living one uses is not."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.sandbox.launch import make_stage
from grader.sandbox.scratch import remove, too_full


@pytest.mark.parametrize("age", [3600, -3600])
def test_a_stage_that_nobody_uses_is_removed_by_the_next_run_also_when_the_clock_was_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: int
) -> None:
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


def dig(folder: Path, depth: int, mode: int) -> None:
    """Folders in folders, deeper than any path may be long, each of this mode."""
    before = os.open(".", os.O_RDONLY)
    try:
        os.chdir(folder)
        for _ in range(depth):
            os.mkdir("d" * 20)
            os.chdir("d" * 20)
            Path("file").touch()
            os.chmod(".", mode)
    finally:
        os.fchdir(before)
        os.close(before)


def test_folders_however_deep_and_closed_are_removed_and_no_link_is_followed(
    tmp_path: Path,
) -> None:
    full, elsewhere = tmp_path / "full", tmp_path / "elsewhere"
    full.mkdir()
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (full / "link").symlink_to(elsewhere)
    (full / "link to a file").symlink_to(elsewhere / "kept")
    dig(full, 2000, 0o300)

    remove(str(full))

    assert os.listdir(tmp_path) == ["elsewhere"]
    assert os.listdir(elsewhere) == ["kept"]
    remove(str(full))  # there is none any more, and that is no error


def test_what_a_kill_left_is_removed_however_deep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, lock = make_stage()
    os.close(lock)
    dig(left, 2000, 0o700)
    os.utime(left, (time.time() - 3600,) * 2)
    new, own = make_stage()
    os.close(own)
    assert os.listdir(tmp_path) == [new.name]


SIZE = 1 << 20


@pytest.mark.parametrize(
    ("fill", "full"),
    [
        (lambda folder: (folder / "a").write_bytes(bytes(SIZE // 2)), False),
        (lambda folder: [(folder / name).write_bytes(bytes(SIZE * 2 // 3)) for name in "ab"], True),
        (lambda folder: [(folder / str(i)).touch() for i in range(4000)], False),
        (lambda folder: [(folder / str(i)).touch() for i in range(4200)], True),
        (lambda folder: dig(folder, 30, 0o700), False),
        (lambda folder: dig(folder, 100, 0o700), True),
        (lambda folder: (folder / "link").symlink_to("/usr"), False),
    ],
    ids=["half", "too many bytes", "files", "too many files", "deep", "too deep", "a link"],
)
def test_a_folder_is_too_full_by_bytes_files_or_depth(
    fill: Callable[[Path], object], full: bool, tmp_path: Path
) -> None:
    fill(tmp_path)
    assert too_full(str(tmp_path), os.getpid(), SIZE) is full


def test_a_file_without_a_name_counts_while_it_is_open(tmp_path: Path) -> None:
    with tempfile.TemporaryFile(dir=tmp_path) as file:
        file.write(bytes(SIZE * 2))
        file.flush()
        assert too_full(str(tmp_path), os.getpid(), SIZE)
    assert not too_full(str(tmp_path), os.getpid(), SIZE)


def test_a_folder_that_cannot_be_looked_into_counts_as_too_full(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may look into every folder")
    dig(tmp_path, 1, 0o300)
    assert too_full(str(tmp_path), os.getpid(), SIZE)

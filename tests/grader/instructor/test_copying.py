"""What a learner's folder holds is copied within limits, whatever it says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_class import deep

from grader.instructor.copying import TOO_LARGE, copy_ordinary_files
from grader.sandbox.scratch import remove


def test_sparse_files_together_are_bounded(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in "abc":
        with (folder / name).open("wb") as file:
            file.truncate(400_000)
    left_out = copy_ordinary_files(folder, tmp_path / "copy", most_bytes=1_000_000).left_out
    assert left_out == {"c": TOO_LARGE}
    assert {path.name for path in (tmp_path / "copy").iterdir()} == {"a", "b"}


@pytest.mark.parametrize("levels", [30, 1_100])
def test_folders_in_each_other_are_copied_to_a_depth(levels: int, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    deep(folder, levels)
    ((place, why),) = copy_ordinary_files(folder, tmp_path / "copy").left_out.items()
    assert "folders deep" in why
    assert place.count("/") == 20
    assert (tmp_path / "copy" / "notes.txt").read_text(encoding="utf-8") == "mine"
    remove(str(folder))


def test_many_files_are_copied_to_a_number(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(1_200):
        (folder / str(number)).touch()
    assert "1,000" in copy_ordinary_files(folder, tmp_path / "copy").left_out["more files"]
    assert len(list((tmp_path / "copy").iterdir())) == 1_000

"""The stage has the course without answers, and hostile files are measured and removed."""

from __future__ import annotations

import json
import mmap
import os
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hostile import PATIENT

from course import LESSONS, ROOT, SETTINGS, imported, lesson, solved
from grader.author.lesson import role
from grader.errors import UserError
from grader.instructor.run import Run
from grader.processes import Guard
from grader.sandbox.engine import Engine
from grader.sandbox.scratch import remove, too_full
from grader.sandbox.stage import INSIDE, make_stage


def test_the_stage_holds_the_servers_imports_and_the_course_without_hidden_modules() -> None:
    needed, waiting = set(), ["grader.sandbox.server"]
    while waiting:
        needed.add(module := waiting.pop())
        text = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        names = imported(text)
        modules = {
            name
            for name in names | {name.rpartition(".")[0] for name in names}
            if name.startswith("grader.") and (ROOT / f"{name.replace('.', '/')}.py").is_file()
        }
        waiting += modules - needed
    assert {f"grader.{name.replace('/', '.')}" for name in INSIDE} == needed
    stage = make_stage(SETTINGS)
    found = {path.relative_to(stage).as_posix() for path in stage.rglob("*.py")}
    remove(str(stage))
    assert {path for path in found if path.startswith("grader/")} == {
        "grader/__init__.py",
        *(f"grader/{name}.py" for name in INSIDE),
    }
    assert "playground/functions/landscapes.py" in found
    assert "playground/functions/finished.py" not in found


@pytest.mark.parametrize("name", LESSONS)
def test_setup_cells_run_and_references_get_all_points(name: str, engine: Engine) -> None:
    engine.limits = PATIENT
    run = Run(lesson(name), seed=3)
    setup = [cell.source for cell in run.lesson.notebook.cells if role(cell)[0] == "setup"]
    response = engine.run({"cells": setup, "calls": {"check": [{"inputs": [1]}]}})
    assert response["answers"] == {"check": {"outcomes": [{"value": None}]}}
    assert response["errors"] == [None] * len(setup)
    graded = run.grade(json.dumps(solved(name)).encode(), engine.run)
    assert graded.points == graded.max_points


@pytest.mark.parametrize("wrong", [{"packages": ("no_package",)}, {"hidden": ("playground.gone",)}])
def test_wrong_settings_are_refused(
    wrong: dict[str, tuple[str, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(UserError, match=next(iter(wrong.values()))[0]):
        make_stage(replace(SETTINGS, **wrong))
    assert os.listdir(tmp_path) == []


def dig(folder: Path, depth: int, mode: int) -> None:
    """Make nested folders of this mode; their path may be longer than the system allows."""
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


def test_deep_and_closed_folders_are_removed_and_no_link_is_followed(tmp_path: Path) -> None:
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


def test_the_files_of_a_killed_grader_are_removed_by_the_server(engine: Engine) -> None:
    with Engine(None, PATIENT, engine.kind) as left:
        assert left._control is not None
        assert left._stage is not None
        assert left._server is not None
        for folder in left._stage.glob("scratch-*"):
            (folder / "file").touch()
        left._control.close()  # as a kill does
        left._server.wait()
        assert [*left._stage.glob("scratch-*/*")] == []


SIZE = 1 << 20
NOBODY = 65534


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


def test_a_deleted_file_counts_while_it_is_open(tmp_path: Path) -> None:
    with tempfile.TemporaryFile(dir=tmp_path) as file:
        file.write(bytes(SIZE * 2))
        file.flush()
        assert too_full(str(tmp_path), os.getpid(), SIZE)
    assert not too_full(str(tmp_path), os.getpid(), SIZE)


def test_a_deleted_file_that_is_only_mapped_counts_whatever_its_size(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("w+b") as file:
        file.write(bytes(4096))
        file.flush()
        mapped = mmap.mmap(file.fileno(), 4096)
    assert not too_full(str(tmp_path), os.getpid(), SIZE)
    path.unlink()
    assert too_full(str(tmp_path), os.getpid(), SIZE)
    mapped.close()
    assert not too_full(str(tmp_path), os.getpid(), SIZE)


def measured() -> tuple[bool, bool]:
    """Return whether a folder is too full with and without a folder in it that can't be read."""
    if os.geteuid() == 0:  # who may look into every folder
        os.chdir("/tmp")
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        before = too_full(folder, os.getpid(), SIZE)
        dig(Path(folder), 1, 0o300)
        return too_full(folder, os.getpid(), SIZE), before


def test_an_unreadable_folder_counts_as_too_full() -> None:
    with closing(Guard(measured, memory_bytes=1 << 30)) as guard:
        assert guard.call(60) == (True, False)

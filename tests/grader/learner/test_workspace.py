"""Test the learner's copy of a course: made, refreshed, interrupted, refused."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from grader.cli import main
from grader.errors import UserError
from grader.files import folder_lock
from grader.learner import workspace
from grader.learner.workspace import find_root, first_page, lessons, make_work, reset, version


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a course of two lessons, one of them with a figure."""
    for name in ("zebra", "ant"):
        folder = tmp_path / "course" / name
        folder.mkdir(parents=True)
        (folder / f"{name}.ipynb").write_text(f"{name}, first version")
        (folder / "answers.key").write_text("{}")
    (tmp_path / "course" / "zebra" / "figures").mkdir()
    (tmp_path / "course" / "zebra" / "figures" / "stripes.png").write_bytes(b"\r\n\x00")
    return tmp_path


def publish(root: Path, lesson: str, text: str = "second version") -> None:
    (root / "course" / lesson / f"{lesson}.ipynb").write_text(text)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_copied_notebook_names_this_python_so_that_opening_changes_nothing(root: Path) -> None:
    publish(root, "ant", '{"cells": [], "metadata": {"language_info": {"name": "python"}}}')
    make_work(root)
    copied = json.loads((root / "work" / "ant" / "ant.ipynb").read_text())
    assert copied["metadata"]["language_info"]["version"] == platform.python_version()
    assert copied["cells"] == []


def test_a_copy_holds_every_file_of_every_lesson(root: Path) -> None:
    assert make_work(root) == ["New in work/: ant, zebra."]
    copied = {
        name: data
        for name, data in contents(root / "work").items()
        if not name.startswith(workspace.VERSION)
    }
    assert copied == contents(root / "course")


def test_a_second_start_changes_and_prints_nothing(root: Path) -> None:
    make_work(root)
    before = contents(root / "work")
    assert make_work(root) == []
    assert contents(root / "work") == before


def test_a_learners_work_is_never_overwritten(root: Path) -> None:
    make_work(root)
    notebook = root / "work" / "ant" / "ant.ipynb"
    notebook.write_text("mine")
    publish(root, "ant")
    make_work(root)
    assert notebook.read_text() == "mine"


def test_a_lesson_that_came_later_is_added(root: Path) -> None:
    make_work(root)
    shutil.copytree(root / "course" / "ant", root / "course" / "bee")
    (root / "course" / "bee" / "ant.ipynb").rename(root / "course" / "bee" / "bee.ipynb")
    assert make_work(root) == ["New in work/: bee."]
    assert (root / "work" / "bee" / "bee.ipynb").is_file()


def test_a_newer_version_is_announced_until_it_is_taken(root: Path) -> None:
    make_work(root)
    publish(root, "ant")
    said = [
        "A newer version of ant is there; make reset LESSON=ant (without make: grader reset ant)"
        " gives you it and keeps your copy."
    ]
    assert make_work(root) == said
    assert make_work(root) == said
    reset(root, "ant")
    assert make_work(root) == []


def test_reset_keeps_every_old_copy(root: Path) -> None:
    make_work(root)
    for number in (1, 2):
        (root / "work" / "ant" / "ant.ipynb").write_text(f"mine {number}")
        (root / "work" / "ant" / "progress.json").write_text("{}")
        assert reset(root, "ant") == f"work/ant is new; your copy is now work/ant-{number}."
        assert (root / "work" / f"ant-{number}" / "ant.ipynb").read_text() == f"mine {number}"
        assert (root / "work" / f"ant-{number}" / "progress.json").is_file()
    assert (root / "work" / "ant" / "ant.ipynb").read_text() == "ant, first version"
    assert not (root / "work" / "ant" / "progress.json").exists()


def test_a_newer_welcome_page_is_announced_and_taken_like_a_lesson(root: Path) -> None:
    page, mine = root / "course" / "welcome.ipynb", root / "work" / "welcome.ipynb"
    page.write_text("welcome")
    make_work(root)
    mine.write_text("welcome, run and saved")
    assert make_work(root) == []
    page.write_text("welcome to more lessons")
    for damaged in (None, b"\xff"):  # as it was written, and damaged
        if damaged is not None:
            (root / "work" / f"{workspace.VERSION}welcome").write_bytes(damaged)
        (line,) = make_work(root)
        assert line.startswith("A newer version of welcome is there; make reset LESSON=welcome (")
    assert (
        reset(root, "welcome")
        == "work/welcome.ipynb is new; your copy is now work/welcome-1.ipynb."
    )
    assert (mine.read_text(), (root / "work" / "welcome-1.ipynb").read_text()) == (
        "welcome to more lessons",
        "welcome, run and saved",
    )
    assert make_work(root) == []
    with pytest.raises(
        UserError, match=r"^Say which lesson: the course has ant, zebra, welcome\.$"
    ):
        reset(root, None)


def test_a_killed_reset_of_the_welcome_page_is_completed_at_the_next_start(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, mine = root / "course" / "welcome.ipynb", root / "work" / "welcome.ipynb"
    page.write_text("welcome")
    make_work(root)
    for step in range(4):
        page.write_text(f"welcome {step}")
        left = iter(range(step))

        def counted(
            path: Path,
            target: Path,
            original: Callable[..., Path] = Path.rename,
            left: Iterator[int] = left,
        ) -> Path:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return original(path, target)

        with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
            patch.setattr(Path, "rename", counted)
            reset(root, "welcome")
        outdated = any(line.startswith("A newer version") for line in make_work(root))
        assert (mine.read_text() == f"welcome {step}") != outdated


def test_a_second_process_waits_for_the_first_to_copy(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fcntl")
    half = root / "work" / ".copying-ant-1"
    half.mkdir(parents=True)
    waits = threading.Event()
    monkeypatch.setattr(
        "grader.files.time", SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _: waits.set())
    )
    other = threading.Thread(target=make_work, args=[root])
    with folder_lock(root / "work", timeout=60):
        other.start()
        assert waits.wait(120)
        assert half.is_dir()
    other.join()
    assert not half.exists()
    assert (root / "work" / "ant" / "ant.ipynb").is_file()


def test_reset_copies_a_lesson_that_is_missing(root: Path) -> None:
    assert reset(root, "ant") == "work/ant is new."
    assert (root / "work" / "ant" / "ant.ipynb").is_file()


@pytest.mark.parametrize(
    ("lesson", "start"),
    [("wasp", "The course has no lesson wasp: it"), (None, "Say which lesson: the course")],
)
def test_reset_of_an_unknown_lesson_lists_the_lessons(
    root: Path, lesson: str | None, start: str
) -> None:
    with pytest.raises(UserError, match=f"^{start} has ant, zebra.$"):
        reset(root, lesson)


def test_lessons_follow_the_declared_order_then_the_others(root: Path) -> None:
    assert lessons(root) == ["ant", "zebra"]
    (root / "course" / "order.txt").write_text("zebra\n")
    assert lessons(root) == ["zebra", "ant"]


def test_jupyterlab_opens_the_welcome_page_or_else_the_first_lesson(root: Path) -> None:
    (root / "course" / "order.txt").write_text("zebra\nant\n")
    make_work(root)
    assert first_page(root) == "zebra/zebra.ipynb"
    (root / "course" / "welcome.ipynb").write_text("welcome")
    make_work(root)
    assert first_page(root) == "welcome.ipynb"
    assert (root / "work" / "welcome.ipynb").read_text() == "welcome"
    assert not (root / "work" / "order.txt").exists()


@pytest.mark.parametrize("change", ["a byte", "a name", "a file more", "a file less"])
def test_a_version_changes_with_any_change_of_its_files(root: Path, change: str) -> None:
    lesson = root / "course" / "zebra"
    before = version(lesson)
    figure = lesson / "figures" / "stripes.png"
    match change:
        case "a byte":
            figure.write_bytes(b"\n\n\x00")
        case "a name":
            figure.rename(figure.with_name("dots.png"))
        case "a file more":
            (lesson / "more.txt").touch()
        case "a file less":
            figure.unlink()
    assert version(lesson) != before


def test_caches_of_jupyter_and_python_are_no_part_of_a_version(root: Path) -> None:
    lesson = root / "course" / "ant"
    before = version(lesson)
    for folder in (".ipynb_checkpoints", "__pycache__"):
        (lesson / folder).mkdir()
        (lesson / folder / "rest").touch()
    assert version(lesson) == before


@pytest.mark.parametrize("command", [["lab"], ["reset", "ant"]])
def test_a_copy_killed_at_any_file_is_completed_without_losing_work(
    root: Path, command: list[str]
) -> None:
    make_work(root)
    (root / "work" / "ant" / "ant.ipynb").write_text("mine")
    shutil.rmtree(root / "work" / "zebra")
    call = "make_work(root)" if command == ["lab"] else "reset(root, 'ant')"
    for step in count():
        code = (
            "import os, sys; from pathlib import Path; from grader.learner import workspace\n"
            f"left = [{step}]\n"
            "def counted(original):\n"
            "    def call(*arguments, **options):\n"
            "        left[0] -= 1\n"
            "        if left[0] < 0: os._exit(9)\n"
            "        return original(*arguments, **options)\n"
            "    return call\n"
            "workspace.shutil.copyfile = counted(workspace.shutil.copyfile)\n"
            "Path.rename = counted(Path.rename)\n"
            "Path.write_text = counted(Path.write_text)\n"
            f"root = Path({str(root)!r})\n"
            f"workspace.{call}\n"
        )
        ended = subprocess.run([sys.executable, "-c", code], check=False).returncode
        make_work(root)
        names = {path.name for path in (root / "work").iterdir()}
        assert not any(name.startswith(workspace.COPYING) for name in names)
        for lesson in ("ant", "zebra"):
            copied, original = root / "work" / lesson, root / "course" / lesson
            assert contents(copied).keys() == contents(original).keys()
        assert any(path.read_text() == "mine" for path in (root / "work").glob("ant*/ant.ipynb"))
        if command == ["lab"]:
            shutil.rmtree(root / "work" / "zebra")
        if not ended:
            break
        assert ended == 9
    assert step >= 4


def test_a_copy_of_a_read_only_course_is_writable(root: Path) -> None:
    for path in [*(root / "course").rglob("*"), root / "course"]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    make_work(root)
    assert all(path.stat().st_mode & 0o200 for path in (root / "work").rglob("*"))
    for path in [root / "course", *(root / "course").rglob("*")]:
        path.chmod(0o755)


def test_a_lesson_that_cannot_be_copied_is_not_there(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = Mock(side_effect=OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr(workspace.shutil, "copyfile", refuse)
    with pytest.raises(OSError, match="No space left"):
        make_work(root)
    assert not (root / "work" / "ant").exists()


def test_a_file_called_work_is_reported_and_left_alone(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "work").write_text("shopping list")
    monkeypatch.chdir(root)
    assert main(["reset", "ant"]) == 1
    assert f"File exists ({root}/work)" in capsys.readouterr().err
    assert (root / "work").read_text() == "shopping list"


def test_the_course_is_found_from_inside_the_copy(root: Path) -> None:
    make_work(root)
    assert find_root(root / "work" / "ant") == root


def test_a_folder_without_a_course_gets_advice(tmp_path: Path) -> None:
    with pytest.raises(
        match=r"There is no course/ in .* go to the folder that you unpacked or cloned"
    ):
        find_root(tmp_path)


def test_root_is_told_how_to_start_jupyterlab_unless_it_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    assert workspace._jupyter_refuses_root(["--no-browser"])
    assert not workspace._jupyter_refuses_root(["--allow-root"])
    assert not workspace._jupyter_refuses_root(["--ServerApp.allow_root=True"])
    (tmp_path / "jupyter_lab_config.py").write_text("c.ServerApp.allow_root = True")
    assert not workspace._jupyter_refuses_root(["--no-browser"])
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not workspace._jupyter_refuses_root([])


def test_a_hidden_file_is_no_page_of_the_course(tmp_path: Path) -> None:
    (tmp_path / "course" / "neuron").mkdir(parents=True)
    (tmp_path / "course" / "neuron" / "neuron.ipynb").write_text("{}")
    (tmp_path / "course" / ".DS_Store").write_bytes(b"1")
    assert make_work(tmp_path) == ["New in work/: neuron."]

"""Nobody but the teacher can replace the course in the exchange."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from classroom import Course

from course import ROOT
from grader.instructor.doctor import open_folder, replaceable
from grader.instructor.gradebook import course_directory
from grader.settings import load_settings


def replaced(exchange: Path) -> bool:
    """Return whether another account can put its folder in the place of the course's."""
    if (child := os.fork()) == 0:  # a new process could not read an interpreter in root's home
        try:
            os.chdir(exchange)
            os.setgid(65534)
            os.setuid(65534)
            os.mkdir("mine")
            os.rename("neural_network_basics", "old")
            os.rename("mine", "neural_network_basics")
        except PermissionError:
            os._exit(1)
        except BaseException:
            os._exit(2)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 1)
    return code == 0


def test_another_account_cannot_replace_the_course(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("Only root can become another user; tests/hub tries it with real accounts.")
    root = Course(tmp_path).root
    course_directory(root)  # reads nbgrader_config.py, which makes the exchange
    exchange = root / "class" / "exchange"
    (exchange / "neural_network_basics").mkdir()
    assert not replaced(exchange)
    os.rmdir(exchange / "mine")
    exchange.chmod(0o777)
    assert replaced(exchange)


def test_the_class_servers_exchange_has_the_same_mode() -> None:
    text = (ROOT / "docs" / "class-server.md").read_text(encoding="utf-8")
    assert "chmod 1777 /srv/nbgrader/exchange" in text


@pytest.mark.parametrize(
    ("modes", "found"),
    [
        ((0o1777, 0o755, 0o755), None),
        ((0o777, 0o755, 0o755), "."),
        ((0o1777, 0o1777, 0o755), "basics"),
        ((0o1777, 0o755, 0o777), "basics/outbound"),
    ],
)
def test_doctor_finds_a_folder_in_which_any_account_can_replace_the_course(
    modes: tuple[int, int, int], found: str | None, tmp_path: Path
) -> None:
    folders = tmp_path, tmp_path / "basics", tmp_path / "basics" / "outbound"
    for folder, mode in zip(folders, modes, strict=True):
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)
    assert replaceable(tmp_path, "basics") == (None if found is None else tmp_path / found)


def test_doctor_looks_at_the_courses_own_exchange(tmp_path: Path) -> None:
    settings = load_settings(Course(tmp_path).root)
    assert open_folder(settings) is None
    exchange = settings.root / "class" / "exchange"
    (exchange / "neural_network_basics").mkdir(mode=0o755)
    (exchange / "neural_network_basics").chmod(0o777)
    assert open_folder(settings) == exchange / "neural_network_basics"

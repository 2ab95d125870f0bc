"""Nobody but the teacher can replace the course in the exchange."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from classroom import Course

from course import ROOT
from grader.instructor.gradebook import course_directory

RENAMES = """
import os, sys
os.setgid(65534); os.setuid(65534)
os.chdir(sys.argv[1])
os.mkdir("mine")
try:
    os.rename("neural_network_basics", "old")
    os.rename("mine", "neural_network_basics")
    print("replaced")
except PermissionError:
    print("refused")
"""


def replaced(exchange: Path) -> str:
    """Return what happens when another account puts its folder in the place of the course's."""
    return subprocess.run(
        [sys.executable, "-c", RENAMES, str(exchange)], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_another_account_cannot_replace_the_course(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("Only root can become another user; tests/hub tries it with real accounts.")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    root = Course(tmp_path).root
    course_directory(root)  # reads nbgrader_config.py, which makes the exchange
    exchange = root / "class" / "exchange"
    (exchange / "neural_network_basics").mkdir()
    assert replaced(exchange) == "refused"
    os.rmdir(exchange / "mine")
    exchange.chmod(0o777)
    assert replaced(exchange) == "replaced"


def test_the_class_servers_exchange_has_the_same_mode() -> None:
    text = (ROOT / "docs" / "class-server.md").read_text(encoding="utf-8")
    assert "chmod 1777 /srv/nbgrader/exchange" in text

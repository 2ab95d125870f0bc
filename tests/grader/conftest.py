"""What several files of tests of the grader stand on: a copy of the course that they graded, and a Chromium for a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lab
import pytest
from classroom import Course, one_worker


@pytest.fixture(scope="session", autouse=True)
def _one_worker() -> Iterator[None]:
    with one_worker():
        yield


@pytest.fixture
def course(graded: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A copy, to stand in and to change, of the course that the file's own `graded` makes once."""
    course = graded.copy(tmp_path)
    monkeypatch.chdir(course.root)
    return course


@pytest.fixture
def browser() -> Iterator[Any]:
    """A Chromium with a fresh profile."""
    with lab.browser() as chromium:
        yield chromium

"""Give tests of the grader a graded copy of the course, and a Chromium."""

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
    """Copy the file's `graded` course, and make the copy the current folder."""
    course = graded.copy(tmp_path)
    monkeypatch.chdir(course.root)
    return course


@pytest.fixture
def browser() -> Iterator[Any]:
    """Start a Chromium with a fresh profile."""
    with lab.browser() as chromium:
        yield chromium

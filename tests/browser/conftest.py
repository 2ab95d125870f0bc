"""A learner's fresh copy of the course comes in; JupyterLab on it, and a Chromium to look at it, go out, once for each file of tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from lab import Server, browser, require_chromium

from course import ROOT


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab on a learner's fresh copy of the course."""
    require_chromium()
    folder = tmp_path_factory.mktemp("learner")
    shutil.copytree(ROOT / "course", folder / "course", ignore=shutil.ignore_patterns("progress.json"))
    server = Server(folder, tmp_path_factory.mktemp("home"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A Chromium with a fresh profile."""
    require_chromium()
    with browser() as chromium:
        yield chromium

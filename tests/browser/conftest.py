"""Give tests a JupyterLab on a learner's fresh copy of the course, and a Chromium to look at it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from lab import CEILING, Server, browser, require_chromium
from playwright.sync_api import expect

from course import ROOT

expect.set_options(timeout=CEILING)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start JupyterLab on a learner's copy of the course, once for a test process."""
    require_chromium()
    folder = tmp_path_factory.mktemp("learner")
    shutil.copytree(
        ROOT / "course", folder / "course", ignore=shutil.ignore_patterns("progress.json")
    )
    server = Server(folder, tmp_path_factory.mktemp("home"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Start a Chromium with a fresh profile, once for a file.

    Not once for a test process: while playwright runs, nothing else there can run an event loop.
    """
    require_chromium()
    with browser() as chromium:
        yield chromium

"""A learner's fresh copy of the course comes in; JupyterLab on it, and a Chromium to look at it, go out, once for each file of tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from lab import Server, browser, require_chromium
from playwright.sync_api import expect

from course import ROOT

expect.set_options(timeout=30_000)  # a machine that is shared stands still for seconds at times


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

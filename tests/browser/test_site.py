"""Test the static site in Chromium, with the xeus kernel, while every other host is refused."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lab import CEILING, Notebook, browser, require_chromium, shows
from playwright.sync_api import Page, expect

from course import ROOT, lesson

pytestmark = pytest.mark.long

ALONE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
READY = """() => {
    const notebook = window.jupyterapp?.shell.currentWidget;
    return notebook?.content?.model?.sharedModel?.cells.length > 0
        && notebook.sessionContext.session?.kernel?.status === 'idle';
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the site, and serve it from this machine."""
    require_chromium()
    folder = tmp_path_factory.mktemp("site") / "site"
    for words in (
        ["make", ".venv/site/ready"],
        [sys.executable, "-m", "grader.cli", "site", "--kernel", "xeus", "--output", str(folder)],
    ):
        subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    handler = partial(Quiet, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def page(site: str) -> Iterator[Page]:
    """Open a page; it must have sent no request to another host."""
    with browser(ALONE) as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(CEILING)
        asked: list[str] = []
        page.context.on("request", lambda request: asked.append(request.url))
        yield page
        assert [url for url in asked if not url.startswith((site, "data:", "blob:"))] == []


def opened(page: Page, site: str, path: str) -> Notebook:
    page.goto(f"{site}/lab/index.html?path={path}")
    page.wait_for_function(READY)
    page.evaluate("() => jupyterapp.shell.collapseLeft()")
    return Notebook(page)


def solved(name: str) -> dict[str, str]:
    """Return the cells of a lesson that a learner writes, with the solutions."""
    path = ROOT / "solutions" / name / f"{name}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    return {one.id: one.source for one in cells if one.metadata.get("nbgrader", {}).get("solution")}


def words(notebook: Notebook, cell_id: str) -> str:
    """Return the HTML of a cell's outputs."""
    [outputs] = [one["outputs"] for one in notebook.outputs() if one["id"] == cell_id]
    return "".join(str(output.get("data", {}).get("text/html", "")) for output in outputs)


def test_a_learner_works_in_the_browser_and_hands_in_a_graded_notebook(
    page: Page, site: str, tmp_path: Path
) -> None:
    notebook = opened(page, site, "neuron/neuron.ipynb")
    notebook.run("setup-01")
    notebook.run("sigmoid", "def sigmoid(z):\n    return 1 / (1 + np.exp(z))")
    notebook.run("check-sigmoid")
    assert "Hint:" in words(notebook, "check-sigmoid")
    written = solved("neuron")
    for name, source in written.items():
        notebook.run(name, source)
        notebook.run(f"check-{name}")
        assert "✓ solved" in words(notebook, f"check-{name}"), name
    assert "– no warnings" in words(notebook, "check-sigmoid")
    notebook.run("question-01")
    notebook.run("play-02")
    notebook.answer("question-01")
    play = notebook.cell("play-02").locator(".playground")
    expect(play.locator("svg[role=img]")).to_be_visible()
    slider = play.locator(".widget-slider").first
    notebook.drag(slider)
    shows(play, slider)
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    page.wait_for_function(READY)
    sources = page.evaluate(
        "() => jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map(c => c.source)"
    )
    assert {*written.values()} <= {*sources}
    with page.expect_download() as download:
        page.evaluate("() => { jupyterapp.commands.execute('docmanager:download') }")
    handed = tmp_path / "neuron.ipynb"
    download.value.save_as(handed)
    grader = [sys.executable, "-m", "grader.cli", "grade", "--json", str(handed)]
    result = json.loads(subprocess.run(grader, cwd=ROOT, capture_output=True, check=True).stdout)
    assert (result["points"], result["max_points"]) == (10, 10)


@pytest.mark.parametrize("name", ["loss"])
def test_a_lesson_runs_top_to_bottom_in_the_browser(page: Page, site: str, name: str) -> None:
    notebook = opened(page, site, f"{name}/{name}.ipynb")
    for cell, source in solved(name).items():
        notebook.set_source(cell, source)
    notebook.run_all()
    for cell in notebook.outputs():
        errors = [one for one in cell["outputs"] if one["output_type"] == "error"]
        assert errors == [], cell["id"]
    for exercise in lesson(name).exercises:
        checks = words(notebook, f"check-{exercise}")
        assert "✓ solved" in checks or "✓ works" in checks, exercise

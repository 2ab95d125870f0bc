"""Show plays as pictures: exported and sanitized pages, notebooks not run, a lost kernel."""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup
from lab import CEILING, CELLS, OPEN, READY, Notebook, Server, lessons, opened
from nbconvert import HTMLExporter
from playwright.sync_api import Locator, Page, expect

from course import ROOT, references

LIVE = "application/vnd.jupyter.widget-view+json"
OF_A_RESTART = re.compile(
    "widget model not found|debugger state|Canceled future for create_subshell_request"
)
"""JupyterLab and its widget manager report these to the console when a kernel is gone."""
BROKEN = re.compile("Loading widget|Error displaying widget|model not found")


@cache
def plays(name: str) -> list[str]:
    """Return the alt texts of a lesson's plays, in order, from the executed notebook."""
    solved = ROOT / "solutions" / name / f"{name}.ipynb"
    cells = json.loads(solved.read_text(encoding="utf-8"))["cells"]
    outputs = [cell["outputs"] for cell in cells if cell["id"].startswith("play-")]
    assert all([LIVE in output["data"] for output in each] == [True, False] for each in outputs)
    return ["".join(each[1]["data"]["text/plain"]) for each in outputs]


@cache
def exported(name: str, *left_out: str) -> str:
    """Return nbconvert's page of an executed lesson, without some types of its plays' outputs."""
    notebook = nbformat.read(ROOT / "solutions" / name / f"{name}.ipynb", as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []) if cell.id.startswith("play-") else []:
            for kind in left_out:
                output.data.pop(kind, None)
    page, _ = HTMLExporter().from_notebook_node(notebook)
    return str(page)


def offline(chromium: Any, page: str, folder: Path) -> tuple[Page, list[str]]:
    """Open a page as a file without a network; return it and a list that fills with errors."""
    complaints: list[str] = []
    (folder / "page.html").write_text(page, encoding="utf-8")
    tab = chromium.new_page(viewport={"width": 1000, "height": 900})
    tab.set_default_timeout(CEILING)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type == "error" and "Failed to load resource" not in message.text
            else None
        ),
    )
    tab.route(re.compile(r"^(?!file:|data:)"), lambda route: route.abort())
    tab.goto((folder / "page.html").as_uri())
    return tab, complaints


def sees(pictures: Locator, alts: list[str]) -> None:
    """Require that each play has its picture: loaded, of the right size, with its alt text."""
    expect(pictures).to_have_count(len(alts))
    for index, alt in enumerate(alts):
        picture = pictures.nth(index)
        expect(picture).to_be_visible()
        assert picture.get_attribute("alt") == alt
        assert picture.evaluate(
            "img => img.complete && img.naturalWidth >= 640"
            " && img.getBoundingClientRect().width === 640"
        )


@pytest.mark.parametrize("name", lessons("neuron"))
def test_an_exported_page_shows_every_play_without_network(
    name: str, chromium: Any, tmp_path: Path
) -> None:
    page, complaints = offline(chromium, exported(name), tmp_path)
    sees(page.locator(".playground-still img"), plays(name))
    for place in page.locator(".jp-OutputArea-child", has=page.locator(f'[type="{LIVE}"]')).all():
        expect(place).to_be_hidden()
    expect(page.get_by_text(BROKEN).filter(visible=True)).to_have_count(0)
    assert complaints == []
    page.close()


@pytest.mark.parametrize("name", lessons("neuron"))
def test_a_page_whose_styles_and_scripts_were_taken_out_shows_every_play(
    name: str, chromium: Any, tmp_path: Path
) -> None:
    soup = BeautifulSoup(exported(name), "html.parser")
    for tag in soup(["style", "script", "link", "iframe", "svg"]):
        tag.decompose()
    for tag in soup.find_all(True):
        tag.attrs = {
            key: value
            for key, value in tag.attrs.items()
            if key in ("src", "alt", "href", "width", "height", "title", "colspan", "rowspan")
        }
    page, complaints = offline(chromium, str(soup), tmp_path)
    sees(page.locator("figure img"), plays(name))
    assert complaints == []
    page.close()


@pytest.mark.parametrize("name", lessons("neuron"))
def test_a_viewer_that_shows_no_pictures_from_html_has_the_png_output(
    name: str, chromium: Any, tmp_path: Path
) -> None:
    page, _ = offline(chromium, exported(name, "text/html"), tmp_path)
    pictures = page.locator(".jp-RenderedImage img")
    expect(pictures).to_have_count(len(plays(name)))
    assert pictures.evaluate_all(
        "all => all.every(img => img.complete"
        " && img.naturalWidth === 640 && img.offsetWidth === 640)"
    )
    page.close()


def reads(notebook: Notebook) -> None:
    """Require that a notebook that was opened and not run shows its plays' pictures."""
    for number, alt in enumerate(plays("neuron"), 1):
        cell = notebook.cell(f"play-{number:02}")
        expect(cell.locator("figure.playground-still img")).to_be_visible()
        assert cell.locator("figure.playground-still img").get_attribute("alt") == alt
        expect(cell.get_by_text(BROKEN).filter(visible=True)).to_have_count(0)
        expect(
            cell.locator(".jupyter-widgets, .jupyter-widgets-disconnected").filter(visible=True)
        ).to_have_count(0)


@pytest.mark.long
def test_a_notebook_from_somebody_else_shows_its_plays_before_it_is_run(
    server: Server, chromium: Any
) -> None:
    shutil.copyfile(
        ROOT / "solutions" / "neuron" / "neuron.ipynb", server.fresh("neuron") / "stranger.ipynb"
    )
    complaints: list[str] = []
    with opened(server, "neuron/stranger.ipynb", chromium, complaints, kept=True) as notebook:
        reads(notebook)
        notebook.picture("neuron-unread", notebook.cell("play-01"))
    assert complaints == []


@pytest.mark.long
def test_a_notebook_shows_its_plays_without_its_kernel_and_when_opened_again(
    server: Server, chromium: Any
) -> None:
    complaints: list[str] = []
    with opened(server, "neuron/neuron.ipynb", chromium, complaints) as notebook:
        for exercise, text in references("neuron").items():
            notebook.set_source(exercise, text)
        notebook.run_all()
        notebook.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
        expect(notebook.cell("play-01").locator("figure.playground-still")).to_be_hidden()
        notebook.page.evaluate(
            "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
        )
        for number in range(1, 1 + len(plays("neuron"))):
            cell = notebook.cell(f"play-{number:02}")
            expect(cell.locator("figure.playground-still img")).to_be_visible()
            expect(cell.locator(".playground")).to_be_hidden()
        notebook.picture("neuron-restarted", notebook.cell("play-01"))
    with opened(
        server, "neuron/neuron.ipynb", chromium, complaints, kept=True, reload=True
    ) as notebook:
        assert notebook.page.evaluate(
            f"() => {CELLS}.every(c => c.model.type !== 'code' || c.model.trusted)"
        )
        reads(notebook)
        notebook.picture("neuron-reopened", notebook.cell("play-01"))
    assert [complaint for complaint in complaints if not OF_A_RESTART.search(complaint)] == []


@pytest.mark.long
def test_a_second_notebook_in_the_window_is_readable_next_to_one_that_was_run(
    server: Server, chromium: Any
) -> None:
    complaints: list[str] = []
    with opened(server, "neuron/neuron.ipynb", chromium, complaints, reload=True) as notebook:
        notebook.run("setup-01")
        for exercise, text in references("neuron").items():
            notebook.run(exercise, text)
        for cell in ("drawing-01", "question-01", "play-01"):
            notebook.run(cell)
            expect(notebook.cell(cell).locator("svg, .asked-form").first).to_be_visible()
        expect(notebook.cell("play-01").locator("figure.playground-still")).to_be_hidden()
        expect(notebook.cell("question-01").locator(".asked").filter(visible=True)).to_have_count(1)
        expect(notebook.cell("drawing-02").locator("img")).to_be_visible()  # which was not run
        second = server.folder / "work" / "neuron-1"
        shutil.copytree(server.folder / "course" / "neuron", second)
        try:
            notebook.page.evaluate(OPEN, "neuron-1/neuron.ipynb")
            notebook.page.wait_for_function(READY)
            reads(notebook)
            expect(notebook.cell("drawing-01").locator("img")).to_be_visible()
            expect(notebook.cell("question-01").locator(".asked")).to_be_visible()
        finally:
            shutil.rmtree(second)
    assert complaints == []

"""Test the static site in Chromium, with the xeus kernel, while every other host is refused."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import verdicts
from lab import CEILING, Notebook, browser, require_chromium, shows
from playwright.sync_api import BrowserContext, Page, expect
from visit import ALONE, READY, build, served, visited

from course import LESSONS, ROOT, lesson, references
from grader.author.lesson import role
from grader.learner import trial

pytestmark = pytest.mark.long

SAVE = "() => jupyterapp.commands.execute('docmanager:save')"
EXECUTE = """async code => {
    const {kernel} = jupyterapp.shell.currentWidget.sessionContext.session;
    const future = kernel.requestExecute({code});
    let printed = '';
    future.onIOPub = ({header, content}) => {
        if (header.msg_type === 'stream') printed += content.text;
        if (header.msg_type === 'error') printed += content.traceback.join('\\n');
    };
    await future.done;
    return printed;
}"""
"""Run code in the kernel, and return what it prints."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the site, and serve it from this machine."""
    require_chromium()
    folder = tmp_path_factory.mktemp("site") / "site"
    build(folder)
    with served(folder) as address:
        yield address


@pytest.fixture(scope="module")
def context() -> Iterator[BrowserContext]:
    """Start a browser that fetches the site's files once for all tests."""
    with browser(ALONE) as chromium:
        yield chromium.new_context(viewport={"width": 1280, "height": 1000})


@pytest.fixture
def page(context: BrowserContext, site: str) -> Iterator[Page]:
    """Open a page; it must have sent no request to another host."""
    page = context.new_page()
    page.set_default_timeout(CEILING)
    asked: list[str] = []

    def note(request: Any) -> None:
        asked.append(request.url)

    context.on("request", note)
    yield page
    page.close()
    context.remove_listener("request", note)
    assert [url for url in asked if not url.startswith((site, "data:", "blob:"))] == []


def words(notebook: Notebook, cell_id: str) -> str:
    """Return the HTML of a cell's outputs."""
    [outputs] = [one["outputs"] for one in notebook.outputs() if one["id"] == cell_id]
    return "".join(str(output.get("data", {}).get("text/html", "")) for output in outputs)


def graded(notebook: Path) -> tuple[float, float]:
    """Return the points of a downloaded notebook, and how many there are."""
    grader = [sys.executable, "-m", "grader.cli", "grade", "--json", str(notebook)]
    result = json.loads(subprocess.run(grader, cwd=ROOT, capture_output=True, check=True).stdout)
    return result["points"], result["max_points"]


def test_a_learner_works_in_the_browser_and_hands_in_a_graded_notebook(
    page: Page, site: str, tmp_path: Path
) -> None:
    notebook = visited(page, site, "neuron/neuron.ipynb")
    notebook.run("check-sigmoid")
    assert "have not been run since the kernel started" in words(notebook, "check-sigmoid")
    notebook.run("setup-01")
    notebook.run("check-sigmoid")
    assert "The cell in which you write sigmoid" in words(notebook, "check-sigmoid")
    notebook.run("sigmoid", "def sigmoid(z):\n    return 1 / (1 + np.exp(z))")
    notebook.run("check-sigmoid")
    assert "Hint:" in words(notebook, "check-sigmoid")
    written = references("neuron")
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
    page.evaluate(SAVE)
    page.reload()
    page.wait_for_function(READY, arg="neuron/neuron.ipynb")
    sources = page.evaluate(
        "() => jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map(c => c.source)"
    )
    assert {*written.values()} <= {*sources}
    with page.expect_download() as download:
        page.evaluate("() => { jupyterapp.commands.execute('docmanager:download') }")
    handed = tmp_path / "neuron.ipynb"
    download.value.save_as(handed)
    assert graded(handed) == (10, 10)


@pytest.mark.parametrize("name", [name for name in LESSONS if name != "neuron"])
def test_a_lesson_runs_top_to_bottom_in_the_browser(page: Page, site: str, name: str) -> None:
    notebook = visited(page, site, f"{name}/{name}.ipynb")
    for cell, source in references(name).items():
        notebook.set_source(cell, source)
    notebook.run_all()
    for cell in notebook.outputs():
        wrong = [one for one in cell["outputs"] if "error" in (one["output_type"], one.get("name"))]
        assert wrong == [], cell["id"]
    for exercise in lesson(name).exercises:
        checks = words(notebook, f"check-{exercise}")
        assert "✓ solved" in checks or "✓ works" in checks, exercise
    page.evaluate(SAVE)


def test_the_welcome_pages_button_downloads_all_lessons_for_grading(
    page: Page, site: str, tmp_path: Path
) -> None:
    """Its learner has written the answers of one lesson; those of other tests may be there, too."""
    notebook = visited(page, site, "warm_up/warm_up.ipynb")
    for cell, source in references("warm_up").items():
        notebook.set_source(cell, source)
    page.evaluate(SAVE)
    notebook = visited(page, site, "welcome.ipynb")
    notebook.run("download")
    with page.expect_download() as download:
        notebook.cell("download").get_by_role("button", name="Download all lessons").click()
    download.value.save_as(tmp_path / "lessons.zip")
    with zipfile.ZipFile(tmp_path / "lessons.zip") as archive:
        assert {*archive.namelist()} == {f"{name}/{name}.ipynb" for name in LESSONS}
        archive.extractall(tmp_path)
    points, most = graded(tmp_path / "warm_up" / "warm_up.ipynb")
    assert points == most


SILENT = {
    "chain_rule/sigmoid_grad: plain",
    "chain_rule/sigmoid_grad: warns",
    "chain_rule/softmax_ce_grad: ce_takes_the_loss",
    "loss/cross_entropy: takes_logs_of_logits",
    "neuron/sigmoid: forgets_the_one",
    "neuron/sigmoid: overflows_loudly",
    "neuron/sigmoid: subtracts_below",
}
"""Wrong answers that numpy warns of, which tells some from others; WebAssembly has no warnings."""
OLDER_NUMPY = {
    "chain_rule/chain: one_number_only",
    "chain_rule/numerical_grad: computes_in_float32",
    "chain_rule/sigmoid_grad: goes_through_entries",
    "chain_rule/sigmoid_grad: sigmoid_one_number_only",
    "loss/binary_cross_entropy: takes_the_log_of_math",
    "loss/cross_entropy: takes_logs_of_math",
    "loss/softmax: takes_the_exp_of_math",
    "neuron/sigmoid: by_math_exp",
    "warm_up/apply_twice: one_number_only",
}
"""Wrong answers to which numpy 1.25, of the xeus kernel, gives other results than numpy 2.

It takes an array of one number for that number, and one float32 plus a float is a float64.
"""


def test_every_answer_gets_the_same_verdict_as_in_cpython(
    page: Page, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser can't end a repair that runs too long, so neither makes any."""
    monkeypatch.setattr(trial, "_can_be_ended", lambda: False)
    visited(page, site, "welcome.ipynb")
    page.evaluate(EXECUTE, inspect.getsource(verdicts))
    here: dict[str, Any] = {}
    there: dict[str, Any] = {}
    for name in LESSONS:
        cells = lesson(name).notebook.cells
        sources = [one.source for one in cells if role(one)[0] in ("setup", "exercise")]
        exercises = (ROOT / "solutions" / name / "exercises.py").read_text(encoding="utf-8")
        found = verdicts.verdicts(ROOT / "course" / name, sources, exercises)
        here |= {f"{name}/{label}": verdict for label, verdict in found.items()}
        given = f"Path({name!r}), {sources!r}, {exercises!r}"
        printed = page.evaluate(EXECUTE, f"import json; print(json.dumps(verdicts({given})))")
        there |= {f"{name}/{label}": verdict for label, verdict in json.loads(printed).items()}
    assert len(here) > 1000
    assert [*there] == [*here]
    assert {one for one in here if here[one] != there[one]} == SILENT | OLDER_NUMPY
    for one in SILENT:
        assert {*here[one]["missed"]} - {*there[one]["missed"]} <= {"quiet"}
        assert here[one]["points"] <= there[one]["points"]
    for one in OLDER_NUMPY:
        assert here[one]["points"] == there[one]["points"]

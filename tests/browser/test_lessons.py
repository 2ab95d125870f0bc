"""Run each lesson in a real browser: untouched, wrong, solved, with its questions and sliders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lab import CEILING, READY, Notebook, Server, opened, shows
from playwright.sync_api import Locator, expect

from course import LESSONS, copy_of_the_course, lesson, references
from grader.author.lesson import cell_ids, role
from grader.learner import workspace


def ids_of(name: str, *kinds: str) -> list[str]:
    """Return the ids of a lesson's cells of these kinds."""
    return [
        cell_id
        for cell_id, cell in zip(cell_ids(lesson(name)), lesson(name).notebook.cells, strict=True)
        if role(cell)[0] in kinds
    ]


def errors(notebook: Notebook, but: tuple[str, ...] = ()) -> list[str]:
    """Return the exceptions of all cells, as "cell: Class: message"."""
    found = [
        (cell["id"], output)
        for cell in notebook.outputs()
        for output in cell["outputs"]
        if output["output_type"] == "error"
    ]
    return [
        f"{cell_id}: {output['ename']}: {output['evalue']}"
        for cell_id, output in found
        if output["ename"] not in but
    ]


@pytest.mark.long
@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_is_run_untouched_then_solved_and_its_plays_follow(
    name: str, server: Server, chromium: Any
) -> None:
    complaints: list[str] = []
    with opened(server, f"{name}/{name}.ipynb", chromium, complaints) as notebook:
        notebook.run_all()
        assert errors(notebook) == []
        for exercise in lesson(name).exercises:
            expect(verdict(notebook, exercise)).to_contain_text("not written yet")
        for play in ids_of(name, "play"):
            expect(notebook.cell(play).locator(".jp-OutputArea")).not_to_contain_text("Traceback")
        answers = references(name)
        first = next(iter(answers))
        for exercise, text in {**answers, first: f"def {first}(*inputs):\n    return 0.0"}.items():
            notebook.set_source(exercise, text)
        notebook.run_all()
        assert errors(notebook) == []
        expect(verdict(notebook, first)).to_contain_text("✗")
        notebook.run(first, answers[first])
        notebook.run(f"check-{first}")
        for exercise in lesson(name).exercises:
            expect(verdict(notebook, exercise)).to_contain_text("✓ solved")
        for question in ids_of(name, "question"):
            notebook.answer(question)
        for play in ids_of(name, "play"):
            move(notebook, name, play)
        for theme in ("Dark", "Light"):
            notebook.theme(theme)
            for cell_id in [*ids_of(name, "play"), ids_of(name, "question")[0], f"check-{first}"]:
                notebook.picture(f"{name}-{cell_id}-{theme.lower()}", notebook.cell(cell_id))
        for play in ids_of(name, "play"):
            press(notebook, play, "ArrowLeft")
    assert complaints == []
    progress = json.loads((server_folder(server) / name / "progress.json").read_text())
    assert set(progress["solved"]) == set(lesson(name).exercises)
    assert set(lesson(name).questions) <= set(progress["answers"])


@pytest.mark.long
@pytest.mark.parametrize("name", ["neuron", "loss"])
def test_a_lesson_works_in_notebook_7_too(name: str, server: Server, chromium: Any) -> None:
    """Arrow keys are left out: Notebook 7 moves from cell to cell with them."""
    complaints: list[str] = []
    with opened(
        server, f"{name}/{name}.ipynb", chromium, complaints, under="notebooks"
    ) as notebook:
        for exercise, text in references(name).items():
            notebook.set_source(exercise, text)
        notebook.run_all()
        assert errors(notebook) == []
        for question in ids_of(name, "question"):
            notebook.answer(question)
        for play in ids_of(name, "play"):
            move(notebook, name, play)
        for theme in ("Dark", "Light"):
            notebook.theme(theme)
            notebook.picture(f"notebook7-{name}-{theme.lower()}")
        for play in ids_of(name, "play"):
            press(notebook, play)
    assert complaints == []


@pytest.mark.long
def test_the_first_screen_has_the_lessons_in_their_order_and_no_file_list(
    chromium: Any, tmp_path: Path
) -> None:
    copy_of_the_course(tmp_path)
    server = Server(tmp_path, tmp_path / "home")
    page = chromium.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(CEILING)
    try:
        page.goto(server.url(""))
        page.wait_for_function(READY)
        links = page.locator(".overview").get_by_role("link")
        expect(links.last).to_be_in_viewport()
        in_order = [lesson(name).title for name in workspace.lessons(tmp_path)]
        assert links.all_text_contents() == in_order
        files = page.get_by_role("region", name="File Browser Section")
        expect(files).to_be_hidden()
        page.get_by_role("tab", name="File Browser").click()
        expect(files).to_be_visible()
    finally:
        page.close()
        server.close()


@pytest.mark.long
def test_the_welcome_page_shows_the_learners_progress_and_leads_on(
    server: Server, chromium: Any
) -> None:
    complaints: list[str] = []
    first = LESSONS[0]
    (server.fresh(first) / "progress.json").write_text(
        json.dumps({"solved": dict.fromkeys(lesson(first).exercises, 1), "answers": {}})
    )
    with opened(server, "welcome.ipynb", chromium, complaints) as notebook:
        expect(notebook.page.locator("#jp-main-dock-panel .jp-mod-dirty")).to_have_count(0)
        listed = notebook.page.request.get(server.url(f"api/contents/{first}")).json()["content"]
        assert {one["name"] for one in listed} == {f"{first}.ipynb", "progress.json"}
        notebook.run_all()
        assert errors(notebook) == []
        for instructors in ("Nbgrader", "Validate", "Create Assignment"):
            expect(notebook.page.get_by_text(instructors, exact=True)).to_have_count(0)
        table = notebook.page.locator(".overview")
        expect(table.locator("tr")).to_have_count(len(LESSONS) + 1)
        count = len(lesson(first).exercises)
        expect(table.locator("tr", has_text=lesson(first).title)).to_contain_text(
            f"{count} of {count}"
        )
        for theme in ("Dark", "Light"):
            notebook.theme(theme)
            notebook.picture(f"welcome-{theme.lower()}")
        notebook.cell("cell-02")  # scrolled into view
        table.get_by_role("link", name=lesson(LESSONS[1]).title).click()
        expect(notebook.page.get_by_role("heading", name=lesson(LESSONS[1]).title)).to_be_visible()
        notebook.page.wait_for_function(READY)
    assert complaints == []


def verdict(notebook: Notebook, exercise: str) -> Locator:
    """Return the verdict of an exercise."""
    return notebook.cell(f"check-{exercise}").locator(".verdict")


def move(notebook: Notebook, name: str, play: str) -> None:
    """Drag a play's sliders and press its buttons until its picture changes, and nothing else.

    The text must change each time, and the still picture must be hidden.
    """
    cell = notebook.cell(play)
    figure = cell.locator("svg[role=img]")
    expect(figure).to_be_visible()
    expect(cell.locator("figure.playground-still")).to_be_hidden()
    agrees(cell)
    before, said = drawing(figure), figure.get_attribute("aria-label")
    sliders = cell.locator(".widget-slider").all()
    with notebook.steady(cell):
        for slider in sliders:
            if drawing(figure) == before:
                notebook.drag(slider)
                expect(figure).not_to_have_attribute("aria-label", said or "")
                shows(cell, slider)
        for button in (".widget-toggle-button", ".widget-button:not(.widget-toggle-button)"):
            if drawing(figure) == before and cell.locator(button).count():
                said = figure.get_attribute("aria-label")
                cell.locator(button).last.click()
                expect(figure).not_to_have_attribute("aria-label", said or "")
    assert drawing(figure) != before
    agrees(cell)


def press(notebook: Notebook, play: str, *arrows: str) -> None:
    """Move each slider to its ends with the keyboard, then a step with each arrow key.

    The picture must follow and nothing else move.
    """
    cell = notebook.cell(play)
    figure, sliders = cell.locator("svg[role=img]"), cell.locator(".widget-slider").all()
    with notebook.steady(cell):
        for slider in sliders:
            for key in ("Home", "End", *arrows):
                before = slider.locator(".widget-readout").inner_text()
                said = figure.get_attribute("aria-label")
                notebook.press(slider, key)
                shows(cell, slider)
                if key in arrows:
                    assert slider.locator(".widget-readout").inner_text() != before
                    assert figure.get_attribute("aria-label") != said
    agrees(cell)


def agrees(cell: Locator) -> None:
    """Require that a play has a result, and that it equals the target where there is one."""
    readout = cell.locator(".playground-readout")
    expect(readout).not_to_contain_text("run its cell again")
    expect(readout).not_to_contain_text("not written yet")
    if (readout.text_content() or "").startswith("Yours:"):
        expect(readout).to_contain_text("The target is the same.")


def drawing(figure: Locator) -> str:
    return figure.inner_html()


def server_folder(server: Server) -> Path:
    """Return the learner's own copy."""
    return server.folder / "work"

"""Feedback pages: each verdict with its failing case and hint, and nothing of a submission that could run on the reader's page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from classroom import Course
from playwright.sync_api import Browser

from course import learners_notebook, lesson, written
from grader.instructor.harmless import harmless_markdown, harmless_outputs

TAKE = "window.taken = true"
MARKDOWN = [
    f"<script>{TAKE}</script>",
    f'<img src="x" onerror="{TAKE}">',
    f"text <svg/onload='{TAKE}'> text",
    f"[a link](javascript:{TAKE.replace(' ', '')})",
    f"[a link](java&#115;cript&colon;{TAKE.replace(' ', '')})",
    f"<javascript:{TAKE}>",
    f"```\n</pre><script>{TAKE}</script>\n```",
    f"$x$ <iframe srcdoc='<script>parent.{TAKE}</script>'></iframe>",
    f"$$\\href{{javascript:{TAKE}}}{{x}}$$",
    f"<!-- --><style onload='{TAKE}'></style>",
    f"line\u2028<script>{TAKE}</script>",
]
"""Markdown cells that would run a script on the page that shows them."""

OUTPUTS: list[dict[str, Any]] = [
    {"output_type": "display_data", "metadata": {}, "data": {"text/html": f"<script>{TAKE}</script>"}},
    {"output_type": "display_data", "metadata": {}, "data": {"application/javascript": TAKE}},
    {"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": f"<svg onload='{TAKE}'/>"}},
    {"output_type": "display_data", "metadata": {}, "data": {"text/latex": f"$<script>{TAKE}</script>$"}},
    {"output_type": "display_data", "metadata": {}, "data": {"text/markdown": f"<script>{TAKE}</script>"}},
    {"output_type": "display_data", "metadata": {}, "data": {"image/png": f'"><script>{TAKE}</script>'}},
    {"output_type": "display_data", "metadata": {}, "data": {"text/plain": f"<script>{TAKE}</script>"}},
    {"output_type": "stream", "name": f"<script>{TAKE}</script>", "text": f"<script>{TAKE}</script>"},
    {"output_type": "error", "ename": "E", "evalue": "", "traceback": [f"<script>{TAKE}</script>"]},
    {"output_type": f"<script>{TAKE}</script>"},
]
"""Outputs that would."""


def hostile() -> dict[str, Any]:
    message = f"def relu(z):\n    raise ValueError('<script>{TAKE}</script><img src=x onerror=\"{TAKE}\">')\n"
    notebook = written("neuron", relu=message, sigmoid=f"def sigmoid(z):\n    print('<script>{TAKE}</script>')\n    return z  # </pre><script>{TAKE}</script>")
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = OUTPUTS
    texts = [{"cell_type": "markdown", "metadata": {}, "id": f"x'><script>{TAKE}</script>{number}", "source": text} for number, text in enumerate(MARKDOWN)]
    raw = {"cell_type": "raw", "metadata": {"raw_mimetype": "text/html"}, "id": "raw", "source": f"<script>{TAKE}</script>"}
    attached = {"cell_type": "markdown", "metadata": {}, "id": "at", "source": "![x](attachment:a)", "attachments": {"a": {"image/png": f'"><script>{TAKE}</script>'}}}
    code = {"cell_type": "code", "metadata": {"tags": [f"<script>{TAKE}</script>"]}, "id": "c", "source": "1", "outputs": OUTPUTS, "execution_count": f"<script>{TAKE}</script>"}
    metadata = {"title": f"<script>{TAKE}</script>", "kernelspec": {"name": f"<script>{TAKE}</script>"}, "language_info": {"name": f"<script>{TAKE}</script>"}}
    return {"cells": [*notebook["cells"], *texts, raw, attached, code], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = Course(tmp_path_factory.mktemp("course"))
    course.hand_in("hostile", hostile())
    course.hand_in("sloppy", written("neuron", sigmoid="def sigmoid(z):\n    return 1 / (1 + np.exp(-np.asarray(z)))\n"))
    course.hand_in("unsanitised", written("neuron"))
    course.autograde()
    as_written = course.marked("unsanitised")
    as_written["cells"] += [{**cell, "id": f"x{number}"} for number, cell in enumerate(hostile()["cells"]) if cell.get("source") in MARKDOWN]
    path = course.root / "class" / "autograded" / "unsanitised" / "neuron" / "neuron.ipynb"
    path.unlink()
    path.write_text(json.dumps(as_written), encoding="utf-8")
    course.nbgrader("generate_feedback", "neuron")
    return course


def page_of(course: Course, student: str) -> Path:
    return course.root / "class" / "feedback" / student / "neuron" / "neuron.html"


def test_a_page_shows_each_verdict_with_its_failing_case_and_hint(course: Course) -> None:
    page = page_of(course, "sloppy").read_text(encoding="utf-8")
    assert "The first case that differs (no warnings at extreme inputs)" in page
    assert "does not fit into a float" in page
    assert all(f"{name} is not written yet: replace" in page for name in ("weighted_sum", "relu", "dense"))
    assert "2.7" in page


def test_what_is_tried_here_does_run_where_nobody_makes_it_harmless(course: Course, browser: Browser) -> None:
    page = browser.new_page(offline=True)
    page.goto(page_of(course, "unsanitised").as_uri(), wait_until="load")
    assert page.evaluate("window.taken") is True


def test_nothing_that_a_learner_wrote_runs_on_the_page(course: Course, browser: Browser) -> None:
    page = browser.new_page(offline=True)
    page.goto(page_of(course, "hostile").as_uri(), wait_until="load")
    assert page.evaluate("window.taken") is None
    assert page.evaluate("[...document.querySelectorAll('*')].filter(one => [...one.attributes].some(a => a.name.startsWith('on'))).length") == 0
    assert page.evaluate("[...document.querySelectorAll('a, iframe, object, embed')].filter(one => /script|data:/i.test(one.href || one.src || one.srcdoc || '')).length") == 0
    text = page.evaluate("document.body.innerText")
    assert f"<script>{TAKE}</script>" in text, "it is shown as it was written"
    assert "ValueError: <script>" in text, "so is the exception in the verdict"


@pytest.mark.parametrize("text", ["a < b and $x<y$, **bold**, `code`", "<b>bold</b><br>\n<sub>2</sub>", "see [numpy](https://numpy.org)"])
def test_harmless_markdown_stays_as_it_is(text: str) -> None:
    assert harmless_markdown(text) == text


def test_the_lessons_own_text_stays_as_it_is(course: Course) -> None:
    lessons = {cell["id"]: "".join(cell["source"]) for cell in learners_notebook("neuron")["cells"]}
    marked = {cell["id"]: cell["source"] for cell in course.marked("hostile")["cells"]}
    same = [cell_id for cell_id in lessons if cell_id not in lesson("neuron").exercises]
    assert {cell_id: marked[cell_id] for cell_id in same} == {cell_id: lessons[cell_id] for cell_id in same}


def test_pictures_and_text_of_a_learner_stay() -> None:
    picture = {"output_type": "display_data", "data": {"image/png": ["iVBORw0K\n", "Ggo="], "text/html": "<b>x</b>"}, "metadata": {"x": 1}}
    assert harmless_outputs([picture, "no output"]) == [{"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo="}, "metadata": {}}]
    assert harmless_outputs(3) == []

"""Feedback pages: verdicts with the failing case and hint, and no script of a submission."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from accessible import broken
from classroom import Course
from hostile_class import showing
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from playwright.sync_api import Browser

from course import learners_notebook, lesson, written
from grader.execution.limits import Budget
from grader.execution.submission import Selection
from grader.instructor import nbgrader_feedback
from grader.instructor.feedback import (
    LoadedNotebook,
    as_text,
    feedback_notebook,
    load_submitted,
    released,
    safe_outputs,
)
from grader.instructor.journal import Grading
from grader.instructor.nbgrader_feedback import write_pages
from grader.instructor.run_id import RunId

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
    f"```mermaid\nx <img src=x onerror={TAKE.replace(' ', '')}\n```",
    f"> ~~~ mermaid\n> x <img src=x onerror={TAKE.replace(' ', '')}\n> ~~~",
    f"[a link](javascript\\:{TAKE.replace(' ', '')})",
    f"[a link][1]\n\n[1]: java\\script\\:{TAKE.replace(' ', '')}",
    "a term\n: <script src=//e/x.js",
    "- a\n  : <script src=//e/x.js",
    f"$\\href{{java\\text{{}}script:{TAKE}}}{{x}}$",
    f"&#36;&#92;href{{javascript&#58;{TAKE}}}{{x}}&#36;",
    f"&dollar;&bsol;href{{javascript&colon;{TAKE}}}{{x}}&dollar;",
    f"&#{'9' * 5_000};",
    f"\\$\\\\href{{javascript\\:{TAKE}}}{{x}}\\$",
    "$\\require{html}\\style{position:fixed}{x}$",
    "![a picture](https://e/x.png)",
    f"<pre>\nx<img src=x onerror={TAKE.replace(' ', '')}\n",
]
"""Markdown cells that would run a script on the feedback page."""

OUTPUTS: list[dict[str, Any]] = [
    {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/html": f"<script>{TAKE}</script>"},
    },
    {"output_type": "display_data", "metadata": {}, "data": {"application/javascript": TAKE}},
    {
        "output_type": "display_data",
        "metadata": {},
        "data": {"image/svg+xml": f"<svg onload='{TAKE}'/>"},
    },
    {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/latex": f"$<script>{TAKE}</script>$"},
    },
    {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/markdown": f"<script>{TAKE}</script>"},
    },
    {
        "output_type": "display_data",
        "metadata": {},
        "data": {"image/png": f'"><script>{TAKE}</script>'},
    },
    {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/plain": f"<script>{TAKE}</script>"},
    },
    {
        "output_type": "stream",
        "name": f"<script>{TAKE}</script>",
        "text": f"<script>{TAKE}</script>",
    },
    {"output_type": "error", "ename": "E", "evalue": "", "traceback": [f"<script>{TAKE}</script>"]},
    {"output_type": f"<script>{TAKE}</script>"},
]
"""Outputs that would run one."""


def hostile() -> dict[str, Any]:
    text = f'<script>{TAKE}</script><img src=x onerror="{TAKE}"> $\\href{{javascript:x}}{{y}}$'
    message = f"def relu(z):\n    raise ValueError({text!r})\n"
    notebook = written(
        "neuron",
        relu=message,
        sigmoid=f"def sigmoid(z):\n    print('<script>{TAKE}</script>')\n"
        f"    return z  # </pre><script>{TAKE}</script>",
    )
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = OUTPUTS
    texts = [
        {
            "cell_type": "markdown",
            "metadata": {},
            "id": f"x'><script>{TAKE}</script>{number}",
            "source": text,
        }
        for number, text in enumerate(MARKDOWN)
    ]
    raw = {
        "cell_type": "raw",
        "metadata": {"raw_mimetype": "text/html"},
        "id": "raw",
        "source": f"<script>{TAKE}</script>",
    }
    attached = {
        "cell_type": "markdown",
        "metadata": {},
        "id": "at",
        "source": "![x](attachment:a)",
        "attachments": {"a": {"image/png": f'"><script>{TAKE}</script>'}},
    }
    code = {
        "cell_type": "code",
        "metadata": {"tags": [f"<script>{TAKE}</script>"]},
        "id": "c",
        "source": "1",
        "outputs": OUTPUTS,
        "execution_count": f"<script>{TAKE}</script>",
    }
    metadata = {
        "title": f"<script>{TAKE}</script>",
        "kernelspec": {"name": f"<script>{TAKE}</script>"},
        "language_info": {"name": f"<script>{TAKE}</script>"},
    }
    return {
        "cells": [*notebook["cells"], *texts, raw, attached, code],
        "metadata": metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = Course(tmp_path_factory.mktemp("course"))
    course.hand_in("hostile", hostile())
    course.hand_in(
        "sloppy",
        written("neuron", sigmoid="def sigmoid(z):\n    return 1 / (1 + np.exp(-np.asarray(z)))\n"),
    )
    course.hand_in("unsanitised", written("neuron"))
    course.autograde()
    as_written = course.marked("unsanitised")
    as_written["cells"] += [
        {**cell, "id": f"x{number}"}
        for number, cell in enumerate(hostile()["cells"])
        if cell.get("source") in MARKDOWN
    ]
    path = course.root / "class" / "autograded" / "unsanitised" / "neuron" / "neuron.ipynb"
    path.unlink()
    path.write_text(json.dumps(as_written), encoding="utf-8")
    write_pages(course.root, "neuron")
    return course


READ_BY_MATHJAX = r"""
(() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (texts.nextNode()) {
    const text = texts.currentNode, ignored = "pre, code, script, style, .tex2jax_ignore";
    const runs = /\\(href|require|style)/.test(text.data);
    if (runs && !text.parentElement.closest(ignored)) found.push(text.data);
  }
  return found;
})()
"""


def page_of(course: Course, student: str) -> Path:
    return course.root / "class" / "feedback" / student / "neuron" / "neuron.html"


def test_a_page_shows_each_verdict_with_its_failing_case_and_hint(course: Course) -> None:
    page = page_of(course, "sloppy").read_text(encoding="utf-8")
    assert "The first case that differs (no warnings at extreme inputs)" in page
    assert "e to the power 1000 is computed" in page
    assert all(
        f"{name} is not written yet: replace" in page for name in ("weighted_sum", "relu", "dense")
    )
    assert "2.7" in page


def test_a_page_fetches_nothing_and_shows_its_formulas(course: Course, browser: Browser) -> None:
    page = browser.new_page(offline=True)
    asked_for: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url))
    page.goto(page_of(course, "sloppy").as_uri(), wait_until="load")
    assert [url for url in asked_for if not url.startswith(("file:", "data:"))] == []
    assert page.locator("script").count() == 0
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    boxes = [one.bounding_box() for one in page.locator("math").all()]
    assert len(boxes) > 20
    assert [box for box in boxes if box is None or box["width"] < 3 or box["height"] < 3] == []


@pytest.mark.parametrize("width", [1100, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_in_a_page(
    course: Course, browser: Browser, scheme: str, width: int
) -> None:
    page = browser.new_page(
        offline=True, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    page.goto(page_of(course, "sloppy").as_uri(), wait_until="load")
    assert broken(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1100, 400])
def test_the_first_screen_says_how_each_exercise_went(
    course: Course, browser: Browser, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(page_of(course, "sloppy").as_uri(), wait_until="load")
    rows = page.locator(".exercises li").all()
    texts = [" ".join(row.inner_text().split()) for row in rows]
    assert [text.split()[0] for text in texts] == ["weighted_sum", "sigmoid", "relu", "dense"]
    assert "sigmoid 2.7 of 3 ✗ missed: no warnings at extreme inputs Hint: " in texts[1]
    assert "relu 0 of 2 relu is not written yet: " in texts[2]
    boxes = [row.bounding_box() for row in rows]
    assert all(box and box["y"] + box["height"] <= 800 for box in boxes)
    page.locator(".exercises a", has_text="sigmoid").click()
    box = page.locator("#check-sigmoid").bounding_box()
    assert box is not None
    assert -1 <= box["y"] < 400


def test_a_page_says_where_its_result_comes_from_and_whom_to_ask(course: Course) -> None:
    text = " ".join(page_of(course, "sloppy").read_text(encoding="utf-8").split())
    run = course.journal()[0]
    assert "Submitted 2026-10-01 12:00 UTC. Graded 20" in text
    assert f"seed {run['seed']}, lesson version {run['lesson_version'][:8]}." in text
    assert "Does a result look wrong to you? Write to your instructor:" in text


def test_the_one_to_ask_is_a_setting(course: Course, tmp_path: Path) -> None:
    other = course.copy(tmp_path)
    with (other.root / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write('\nc.FeedbackExporter.contact = "Dr. Ada <ada@example.org>"\n')
    write_pages(other.root, "neuron", ["sloppy"])
    assert "Write to Dr. Ada &lt;ada@example.org&gt;:" in page_of(other, "sloppy").read_text(
        "utf-8"
    )


def test_hints_have_marks_that_they_fold_and_no_cell_has_a_prompt(
    course: Course, browser: Browser
) -> None:
    page = browser.new_page()
    page.goto(page_of(course, "sloppy").as_uri(), wait_until="load")
    folds = page.locator("summary").all()
    assert len(folds) > 8
    display = "one => getComputedStyle(one).display + getComputedStyle(one).listStyleType"
    assert {fold.evaluate(display) for fold in folds} == {"list-itemdisclosure-closed"}
    assert page.locator(".prompt").count() == 0
    assert "In [" not in page.locator("body").inner_text()


def test_the_attacks_of_this_file_work_without_sanitizing(course: Course, browser: Browser) -> None:
    page = browser.new_page(offline=True)
    page.goto(page_of(course, "unsanitised").as_uri(), wait_until="load")
    assert page.evaluate("window.taken") is True


def test_nothing_of_a_learner_runs_on_the_page(course: Course, browser: Browser) -> None:
    page = browser.new_page(offline=True)
    page.goto(page_of(course, "hostile").as_uri(), wait_until="load")
    assert page.evaluate("window.taken") is None
    for elements, condition in (
        ("*", "[...one.attributes].some(a => a.name.startsWith('on'))"),
        (
            "a, iframe, object, embed",
            "/script|data:/i.test(one.href || one.src || one.srcdoc || '')",
        ),
        ("script, img", "one.getAttribute('src')?.includes('/e/')"),
    ):
        found = f"[...document.querySelectorAll('{elements}')].filter(one => {condition}).length"
        assert page.evaluate(found) == 0
    assert page.evaluate(READ_BY_MATHJAX) == []
    text = page.evaluate("document.body.innerText")
    assert f"<script>{TAKE}</script>" in text, "it is shown as it was written"
    assert "ValueError: <script>" in text, "so is the exception in the verdict"


@pytest.mark.parametrize("text", MARKDOWN)
def test_hostile_markdown_stays_in_a_code_block(text: str) -> None:
    assert tags_in(as_text(text)) <= {"p", "pre", "code"}


TAGS = re.compile(
    r"""<(/?[a-z][a-z0-9]*)(?: (?:class|style|scope|type|disabled)(?:="[\w %:;-]*")?"""
    r"""| id="[^"<>]*"| href="(?:https?://|mailto:|#)[^"<>]*")*(?: ?/)?>"""
)
"""A tag that runs nothing."""


def tags_in(markdown: str) -> set[str]:
    """Return the tags of a markdown text that nbconvert has converted."""
    html = markdown2html_mistune(markdown)
    assert not re.search("<[a-zA-Z/!?]", TAGS.sub(" ", html)), html
    return {tag.lstrip("/") for tag in TAGS.findall(html)}


PIECES = [
    "<",
    ">",
    "<script ",
    "x<img src=x ",
    "onerror=a ",
    "</",
    "<!",
    "](",
    "](https://e/",
    ")",
    "[a",
    "!",
    "]:",
    "\n",
    "\n\n",
    "    ",
    "\t",
    "- ",
    "> ",
    ": ",
    "1. ",
]
PIECES += [
    "|",
    "|-|-|\n",
    "`",
    "```",
    "~~~",
    "mermaid",
    "python",
    "$",
    "$$",
    "\\",
    "\\begin{a}",
    "\\end{a}",
    "\\href{",
    "\\:",
    "\\[",
    "\\(",
    "javascript:a",
    "java",
]
PIECES += [
    "&lt;",
    "&#60;",
    "&",
    "<b>",
    "</b>",
    "<pre>",
    "<p>",
    "*",
    "**",
    "_",
    "~~",
    "# ",
    "https://e ",
    "a@b.c",
    "<a@b.c>",
    "x",
    "y ",
    '"',
    "'",
]
PIECES += ["=", "/", "/e/x.js", "[ ] ", "{", "}"]


def test_no_mixture_of_markdown_leaves_the_code_block() -> None:
    rng = random.Random(1)
    for _ in range(2_000):
        text = "".join(rng.choices(PIECES, k=rng.randint(1, 12)))
        assert tags_in(as_text(text)) <= {"p", "pre", "code"}, text


def test_repairs_are_shown_first_as_text(course: Course) -> None:
    release = released(lesson("neuron"))
    repair = "The cell of relu was of type <script>; it was read as code."
    result = {"points": 0.0, "max_points": 10.0, "exercises": {}, "repaired": [repair]}
    nothing = LoadedNotebook("", Selection([], {}, [], {}), [], frozenset())
    grading = Grading("", "ann", "", RunId("", "", 1), 0, None, None)
    first = feedback_notebook(release, nothing, result, grading, None)["cells"][0]
    assert tags_in(first["source"]) <= {"p", "pre", "code"}
    assert repair in first["source"]


def test_the_lessons_own_text_stays_as_it_is(course: Course) -> None:
    lessons = {cell["id"]: "".join(cell["source"]) for cell in learners_notebook("neuron")["cells"]}
    marked = {cell["id"]: cell["source"] for cell in course.marked("hostile")["cells"]}
    same = [cell_id for cell_id in lessons if cell_id not in lesson("neuron").exercises]
    assert {cell_id: marked[cell_id] for cell_id in same} == {
        cell_id: lessons[cell_id] for cell_id in same
    }


def test_pictures_and_text_of_a_learner_stay() -> None:
    picture = {
        "output_type": "display_data",
        "data": {"image/png": ["iVBORw0K\n", "Ggo="], "text/html": "<b>x</b>"},
        "metadata": {"x": 1},
    }
    assert safe_outputs([picture, "no output"]) == [
        {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo="}, "metadata": {}}
    ]
    assert safe_outputs(3) == []


def test_a_page_that_takes_too_long_shows_the_verdicts_and_says_so(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nbgrader_feedback, "OUTSIDE", Budget(1e-3, page_seconds=1e-3))
    made = course.formgrader().generate_feedback("neuron", "sloppy", force=True)
    assert made["success"], made
    assert "sloppy: its page shows the verdicts alone" in made["log"]
    page = course.root / "class" / "feedback" / "sloppy" / "neuron" / "neuron.html"
    text = page.read_text(encoding="utf-8")
    assert "Your notebook can't be shown, it took more than 0.001 seconds" in text.replace("’", "'")
    assert "2.7" in text
    assert "return 1 / (1" not in text


def test_outputs_are_shown_up_to_a_limit_of_the_notebook() -> None:
    release = released(lesson("neuron"))
    notebook = showing(20, "text/plain", "x" * 19_000)
    notebook["cells"][0]["outputs"] *= 20
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grader.instructor.feedback.MAX_OUTPUT", 500_000)
        cells = load_submitted(release, json.dumps(notebook).encode()).cells
    shown = sum(len(json.dumps(cell.get("outputs", []))) for cell in cells)
    assert 480_000 < shown < 520_000
    assert "not shown, after 0.5 MB" in json.dumps(cells[19])

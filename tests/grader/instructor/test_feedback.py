"""Feedback pages: each verdict with its failing case and hint, and nothing of a submission that could run on the reader's page."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from classroom import Course
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from playwright.sync_api import Browser

from course import finishes, learners_notebook, lesson, written
from grader.instructor.feedback import marked, released
from grader.instructor.harmless import harmless_markdown, harmless_outputs
from grader.instructor.run import Run

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
"""Markdown cells that would run a script on the page that shows them."""

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
"""Outputs that would."""


def hostile() -> dict[str, Any]:
    message = f"def relu(z):\n    raise ValueError('<script>{TAKE}</script><img src=x onerror=\"{TAKE}\"> $\\\\href{{javascript:x}}{{y}}$')\n"
    notebook = written(
        "neuron",
        relu=message,
        sigmoid=f"def sigmoid(z):\n    print('<script>{TAKE}</script>')\n    return z  # </pre><script>{TAKE}</script>",
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
    course.nbgrader("generate_feedback", "neuron")
    return course


READ_BY_MATHJAX = r"""
(() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (/\\(href|require|style)/.test(text.data) && !text.parentElement.closest("pre, code, script, style, .tex2jax_ignore")) found.push(text.data);
  }
  return found;
})()
"""


def page_of(course: Course, student: str) -> Path:
    return course.root / "class" / "feedback" / student / "neuron" / "neuron.html"


def test_a_page_shows_each_verdict_with_its_failing_case_and_hint(course: Course) -> None:
    page = page_of(course, "sloppy").read_text(encoding="utf-8")
    assert "The first case that differs (no warnings at extreme inputs)" in page
    assert "does not fit into a float" in page
    assert all(
        f"{name} is not written yet: replace" in page for name in ("weighted_sum", "relu", "dense")
    )
    assert "2.7" in page


def test_a_page_fetches_nothing_and_its_formulas_are_pictures(
    course: Course, browser: Browser
) -> None:
    page = browser.new_page(offline=True)
    asked_for: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url))
    page.goto(page_of(course, "sloppy").as_uri(), wait_until="load")
    assert [url for url in asked_for if not url.startswith(("file:", "data:"))] == []
    assert page.locator("script").count() == 0
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    boxes = [one.bounding_box() for one in page.locator("svg.formula").all()]
    assert len(boxes) > 20
    assert [box for box in boxes if box is None or box["width"] < 3 or box["height"] < 3] == []


def test_what_is_tried_here_does_run_where_nobody_makes_it_harmless(
    course: Course, browser: Browser
) -> None:
    page = browser.new_page(offline=True)
    page.goto(page_of(course, "unsanitised").as_uri(), wait_until="load")
    assert page.evaluate("window.taken") is True


def test_nothing_that_a_learner_wrote_runs_on_the_page(course: Course, browser: Browser) -> None:
    page = browser.new_page(offline=True)
    page.goto(page_of(course, "hostile").as_uri(), wait_until="load")
    assert page.evaluate("window.taken") is None
    assert (
        page.evaluate(
            "[...document.querySelectorAll('*')].filter(one => [...one.attributes].some(a => a.name.startsWith('on'))).length"
        )
        == 0
    )
    assert (
        page.evaluate(
            "[...document.querySelectorAll('a, iframe, object, embed')].filter(one => /script|data:/i.test(one.href || one.src || one.srcdoc || '')).length"
        )
        == 0
    )
    assert (
        page.evaluate(
            "[...document.querySelectorAll('script, img')].filter(one => one.getAttribute('src')?.includes('/e/')).length"
        )
        == 0
    )
    assert page.evaluate(READ_BY_MATHJAX) == []
    text = page.evaluate("document.body.innerText")
    assert f"<script>{TAKE}</script>" in text, "it is shown as it was written"
    assert "ValueError: <script>" in text, "so is the exception in the verdict"


@pytest.mark.parametrize("text", MARKDOWN)
def test_what_could_run_something_is_not_shown_as_it_is(text: str) -> None:
    shown = harmless_markdown(text)
    assert shown != text
    assert tags_in(shown) <= {"p", "pre", "code"}


@pytest.mark.parametrize(
    "text",
    [
        "a < b and $x< y$, **bold**, `code`",
        "<b>bold</b><br>\n<sub>2</sub>",
        "see [numpy](https://numpy.org): it",
        "# Mine\n\n1. one\n2. two\n\n> quoted\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        "```python\nprint(x[1], 'a\\n')\n```",
        "$$\\sigma(z) = \\frac{1}{1 + e^{-z}} \\quad \\text{for all } z \\in \\mathbb{R}$$",
        "R&D, x & y, https://numpy.org",
    ],
)
def test_harmless_markdown_stays_as_it_is(text: str) -> None:
    assert harmless_markdown(text) == text


def test_less_than_before_a_letter_is_no_tag() -> None:
    assert harmless_markdown("$x<y$ and H<sub>2</sub>O") == "$x< y$ and H<sub>2</sub>O"
    assert harmless_markdown("a<script>") == "a< script>"


TAGS = re.compile(
    r"""<(/?[a-z][a-z0-9]*)(?: (?:class|style|scope|type|disabled)(?:="[\w %:;-]*")?| id="[^"<>]*"| href="(?:https?://|mailto:|#)[^"<>]*")*(?: ?/)?>"""
)
"""A tag that runs nothing, whatever follows it."""


def tags_in(markdown: str) -> set[str]:
    """The tags of a markdown text as nbconvert writes it."""
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


def test_whatever_stays_markdown_is_made_of_harmless_tags() -> None:
    rng = random.Random(1)
    kept = 0
    for _ in range(6_000):
        text = "".join(rng.choices(PIECES, k=rng.randint(1, 12)))
        shown = harmless_markdown(text)
        tags_in(shown)
        kept += not shown.startswith("This cell")
    assert kept > 1_000, "many texts were tried"


LOOK = """
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from grader.instructor import harmless
for piece in ["<a", "\\n", " \\n", "<", "< ", "[", "`", "```", "![", "](", "\\\\", "$", "<b", "<b>", "&", "&#", ">", "x<", "\\\\\\\\["]:
    for harmless.MAX_TEXT in (%s):
        shown = harmless.harmless_markdown(piece * 1_000_000)
    markdown2html_mistune(shown)
"""


@pytest.mark.long
def test_a_look_at_a_text_passes_over_it_a_few_times_and_not_once_for_each_letter() -> None:
    """A look from each letter to the end would take hours for the longer texts."""
    finishes(LOOK % "1_000_000, 20_000")


def test_what_was_repaired_stands_first_and_a_type_that_is_html_is_shown_as_its_source(
    course: Course,
) -> None:
    run, notebook = Run(lesson("neuron"), 1), released(course.root, lesson("neuron"))
    repaired = ["The lesson's cell code-01 was changed.", "relu is defined in 2 cells."]
    for more in ([], ["The cell of relu was of type <script>; it was read as code."]):
        first = marked(run.template, notebook, [], {"exercises": {}, "repaired": repaired + more})[
            "cells"
        ][0]
        assert tags_in(first["source"]) <= {"p", "ul", "li", "pre", "code"}
        assert ("<li>" in markdown2html_mistune(first["source"])) == (not more)
        assert repaired[0] in first["source"]


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
    assert harmless_outputs([picture, "no output"]) == [
        {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo="}, "metadata": {}}
    ]
    assert harmless_outputs(3) == []

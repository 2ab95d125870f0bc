"""A page's formulas: pictures that need no network, escaped whatever they are, and no more of them than can be set in some seconds."""

from __future__ import annotations

import re

import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from grader.learner.offline import MAX_TEX, OfflineExporter


def shown(*texts: str, template: str = "lab") -> str:
    """The body of a page with these markdown cells."""
    page, _ = OfflineExporter(template_name=template).from_notebook_node(
        new_notebook(cells=[new_markdown_cell(text) for text in texts])
    )
    return page[page.index("<body") :]


@pytest.mark.parametrize("template", ["lab", "classic"])
def test_formulas_are_pictures_and_mathjax_is_left_out_whatever_the_template(template: str) -> None:
    exporter = OfflineExporter(template_name=template)
    page, _ = exporter.from_notebook_node(
        new_notebook(cells=[new_markdown_cell("in a line $x_1$\n\n$$\\frac{a}{b}$$")])
    )
    assert "libs/mathjax" not in page
    assert "MathJax.Hub" not in page
    assert re.findall(r'aria-label="([^"]*)"', page) == ["x_1", "\\frac{a}{b}"]


@pytest.mark.parametrize(
    "tex",
    [
        '"><script>take()</script>',
        "' onload='take()",
        r'\unheard{"><img src=x onerror=take()>}',
        r"x \text{</svg><script>take()</script>}",
    ],
)
@pytest.mark.parametrize("sign", ["$", "$$"])
def test_nothing_in_a_formula_becomes_html(tex: str, sign: str) -> None:
    tags = {name for name, _ in re.findall(r"<(\w+)([^<>]*)", shown(f"a {sign}{tex}{sign} b"))}
    assert tags <= {"body", "main", "div", "p", "span", "svg", "path", "code"}
    assert not re.search(
        r"<[^<>]*\son\w+=", re.sub(r'"[^"]*"', '""', shown(f"a {sign}{tex}{sign} b"))
    )


def test_more_formulas_than_can_be_set_stay_tex_and_the_next_page_has_its_own() -> None:
    page = shown(*(f"${'x+' * 200}{number}$" for number in range(400)))
    assert 10 < page.count("<svg") < MAX_TEX / 400
    assert page.count("x+x+") > 380
    assert "<svg" in shown("$x$")

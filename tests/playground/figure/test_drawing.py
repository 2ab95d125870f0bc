"""Drawings are small, say in words what they show, and are readable where SVG is removed."""

from __future__ import annotations

import html
import re
from urllib.parse import unquote
from xml.etree import ElementTree

import nbformat
import pytest
from bs4 import BeautifulSoup

from grader.author.lesson import role
from playground import drawings
from playground.figure.drawing import Drawing

READY = {
    "neuron": drawings.neuron(),
    "network": drawings.network([64, 32, 10]),
    "reader": drawings.reader(),
    "graph": drawings.graph(
        {"w < 0": (60, 60), "×": (300, 60), "z": (540, 60)},
        [("w < 0", "×", -2, 3.0), ("×", "z", -6, "")],
    ),
}


def page(drawing: Drawing) -> str:
    return drawing._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("drawing", READY.values(), ids=READY)
def test_a_drawing_is_small_and_its_alt_text_is_everywhere(drawing: Drawing) -> None:
    bundle = drawing._repr_mimebundle_()
    assert len(bundle["text/html"]) < 10_000
    assert bundle["text/plain"] == drawing.alt
    soup = BeautifulSoup(bundle["text/html"], "html.parser")
    assert soup.select_one(".drawing-still img")["alt"] == drawing.alt  # type: ignore[index]
    assert ElementTree.fromstring(drawing.svg()).attrib["aria-label"] == drawing.alt
    assert ElementTree.fromstring(drawing.svg()).attrib["role"] == "img"


@pytest.mark.parametrize("drawing", READY.values(), ids=READY)
def test_every_shape_of_a_drawing_lies_within_it(drawing: Drawing) -> None:
    corners = re.findall(r"[ML]([\d.-]+) ([\d.-]+)", drawing.svg())
    corners += re.findall(r'x="([\d.-]+)" y="([\d.-]+)"', drawing.svg())
    assert corners
    for x, y in corners:
        assert 0 <= float(x) <= drawing.width
        assert 0 <= float(y) <= drawing.height


def test_colours_follow_the_theme_and_the_still_picture_has_a_card() -> None:
    drawing = Drawing(40, 20, "a dot").circle(20, 10, 5)
    assert "color:var(--jp-content-font-color1," in drawing.svg()
    assert 'stroke="currentColor"' in drawing.svg()
    assert "var(" not in drawing.svg(card=True)
    assert '<rect width="100%" height="100%"' in drawing.svg(card=True)


def test_words_are_escaped() -> None:
    drawing = Drawing(40, 20, 'w < 0 & "z"').text(20, 10, "w < 0")
    assert [part.text for part in ElementTree.fromstring(drawing.svg())] == ["w < 0"]
    still = re.search(r'src="data:image/svg\+xml,([^"]*)"', page(drawing))
    assert still is not None
    assert unquote(html.unescape(still[1])) == drawing.svg(card=True).replace('"', "'")


def test_where_style_and_svg_are_removed_the_still_picture_is_the_only_thing_left() -> None:
    soup = BeautifulSoup(page(READY["neuron"]), "html.parser")
    soup.style.decompose()  # type: ignore[union-attr]
    for tag in soup.find_all(["svg", "text", "path", "circle", "rect", "polygon"]):
        tag.unwrap()  # the words would be left without their places
    # JupyterLab's sanitizer also removes attributes with an empty value.
    assert "Σ" in soup.select_one('div[hidden="hidden"]').text  # type: ignore[union-attr]
    soup.select_one("div[hidden]").decompose()  # type: ignore[union-attr]
    assert soup.text == ""
    assert len(soup.find_all("img")) == 1


def test_alt_texts_name_the_numbers() -> None:
    assert "input (64), hidden (32), output (10)" in READY["network"].alt
    assert "from w < 0 to ×: −2, slope 3 on the way back" in READY["graph"].alt


def test_a_cell_with_the_tag_drawing_is_one() -> None:
    cell = nbformat.v4.new_code_cell("play.drawing()", metadata={"tags": ["drawing"]})  # type: ignore[no-untyped-call]
    assert role(cell) == ("drawing", "")

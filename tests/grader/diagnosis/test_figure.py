"""Test the figure of a mistake: which curves are drawn, where they part, and how it is read."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from answers import function_of, key_of

from grader.comparison.figure import figure_html
from grader.comparison.judge import judge, observe_all
from grader.comparison.lines import lines_through
from grader.comparison.pictures import Picture, illustrated, lines_to_ask
from grader.comparison.schema import ExerciseKey
from grader.learner.trial import outcomes_along

RELU = "def f(z):\n    return np.maximum(z, 0)\n"
NORMAL = "def f(std, rng):\n    return rng.normal(0, std, size=(50, 60))\n"
WALK = "def f(w, n):\n    return np.array([w - i for i in range(n)])\n"


def key_with_lines(reference: str, *inputs: Any, property: str = "value") -> ExerciseKey:
    key = key_of(reference, (property, *inputs))
    return key | {"lines": lines_through(key["cases"], 0, function_of(reference), {})}


def figure(answer: str, key: ExerciseKey, slider: bool = False) -> str:
    """Return the figure of an answer, or an empty text."""
    function = function_of(answer)
    verdict = judge("f", key, observe_all(function, key["cases"]))
    along = outcomes_along(function, lines_to_ask(verdict, key), seconds=600)
    picture = illustrated(verdict, key, along).picture
    if not picture:
        return ""
    return figure_html(Picture.of(json.loads(json.dumps(picture.data()))), slider)


def description(html: str) -> str:
    """Return the text in place of the picture, from markup that a browser can read."""
    svg = svg_of(html)
    assert svg.get("role") == "img"
    return svg.get("aria-label", "")


def svg_of(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(html[: html.rindex("</svg>") + len("</svg>")])


def places(html: str) -> list[ElementTree.Element]:
    """Return the places of a figure's slider, which are hidden at first."""
    found = [one for one in svg_of(html).iter("g") if one.get("data-says")]
    assert all(one.get("display") == "none" for one in found)
    return found


Z = key_with_lines(RELU, np.array([-2.0, 0.0, 3.0]))
NORMALS = key_with_lines(NORMAL, 0.5, np.random.default_rng(1), property="distribution")
PATH = key_of(WALK, ("value", np.array([3.0, 1.0]), 5)) | {"path": True}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("def f(z):\n    return np.abs(z)\n", r"Below z\[0\] = 0, yours differs"),
        ("def f(z):\n    return z * 0\n", r"Above z\[0\] = 0, yours differs"),
        (
            "def f(z):\n    return np.where(z == -2, 1, np.maximum(z, 0))\n",
            r"At z\[0\] = -2 alone,",
        ),
        ("def f(z):\n    return np.minimum(np.maximum(z, 0), 1)\n", r"Above z\[0\] = (0\.9|1)"),
        ("def f(z):\n    return np.where(np.abs(z) < 1, 5, z * (z > 0))\n", "between -1.* and 1"),
        ("def f(z):\n    return np.maximum(z, 0) + 1\n", r"For every z\[0\] here, yours differs"),
        ("def f(z):\n    return np.where(z < 0, np.nan, z)\n", "yours nan, expected 0."),
        ("def f(z):\n    return z * np.nan\n", "yours nan, expected"),
        ("def f(z):\n    return np.where(z > 0, np.inf, -1.7e308)\n", "yours inf, expected"),
        ("def f(z):\n    return np.where(z > 0, 1.7e308, -1.7e308)\n", r"yours 1\.7e\+308, exp"),
        ("def f(z):\n    return np.where(z < -1, 1e300, np.maximum(z, 0))\n", r"yours 1e\+300,"),
        (
            "def f(z):\n    return np.where(z < -1, .001, np.maximum(z, 0))\n",
            "yours − expected is 0.001",
        ),
    ],
)
def test_the_description_says_where_the_curves_part(answer: str, says: str) -> None:
    assert re.search(says, description(figure(answer, Z)))


@pytest.mark.parametrize(
    "answer",
    [
        RELU,
        "def f(z):\n    return (np.asarray(z) > 0) * z + 1e-13\n",
        "def f(z):\n    return np.maximum(z, 0).sum()\n",
        "def f(z):\n    return str(z)\n",
        "def f(z):\n    raise ValueError\n",
        "def f(z):\n    if z[0] != -2:\n        raise ValueError\n    return z\n",
        "def f(z):\n    pass\n",
    ],
)
def test_no_figure_where_no_line_can_tell(answer: str) -> None:
    assert figure(answer, Z) == ""


def test_random_numbers_are_two_histograms() -> None:
    twice = description(figure(NORMAL.replace("0, std", "0, 2 * std"), NORMALS))
    assert twice.startswith("Chart of share of the numbers over number drawn.")
    assert figure(NORMAL.replace("rng.normal", "np.random.default_rng(1).normal"), NORMALS) == ""


def test_a_path_is_drawn_as_points() -> None:
    html = figure(WALK.replace("w - i", "w - i * (i < 3)"), PATH)
    assert "From row 3 on, yours leaves the expected path." in description(html)
    assert html.count("<circle") == 2
    longer = WALK.replace("range(n)", "range(n + 1)")
    assert figure(longer, PATH) == ""


def test_a_slider_says_at_each_point_what_both_curves_are() -> None:
    html = figure("def f(z):\n    return np.where(z > 0, np.nan, -z)\n", Z, slider=True)
    points = {one.get("data-x"): one for one in places(html)}
    assert list(map(float, points)) == Z["lines"][0]["values"]
    assert points["-2"].get("data-says") == "At z[0] = -2: yours 2, expected 0."
    wanted, mine = points["-2"]
    assert float(mine.get("cy", "")) < float(wanted.get("cy", ""))
    assert mine.get("cx") == wanted.get("cx")
    assert points["3"].get("data-says") == "At z[0] = 3: yours nan, expected 3."
    assert len(points["3"]) == 1
    start = re.search('data-start="(.*?)"', html)
    assert start
    said = places(html)[int(start[1])].get("data-says", "")
    assert f"Furthest apart at{said.removeprefix('At')}" in description(html)


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (NORMAL.replace("0, std", "0, 2 * std"), NORMALS),
        (WALK.replace("w - i", "w - i * (i < 3)"), PATH),
        ("def f(z):\n    return np.where(z < -1, .001, np.maximum(z, 0))\n", Z),
    ],
    ids=["histogram", "path", "difference"],
)
def test_no_slider_where_no_input_varies_or_curves_are_too_close(
    answer: str, key: ExerciseKey
) -> None:
    assert figure(answer, key, slider=True) == figure(answer, key) != ""


def test_a_figure_without_a_slider_is_a_picture_alone() -> None:
    html = figure("def f(z):\n    return np.abs(z)\n", Z)
    assert places(html) == []
    assert "onload" not in html


def test_what_a_key_says_cannot_become_markup() -> None:
    key = key_with_lines(RELU, np.array([-2.0, 3.0]))
    key["cases"][0]["parameters"] = ['<b onclick="x">']
    html = figure("def f(z):\n    return np.abs(z)\n", key, slider=True)
    assert "<b" not in html
    assert '<b onclick="x">[0]' in description(html)
    assert '<b onclick="x">[0]' in places(html)[0].get("data-says", "")
    assert 'data-name="&lt;b onclick=&quot;x&quot;&gt;[0]"' in html


def test_all_colours_are_the_pages_or_read_on_light_and_dark() -> None:
    html = figure("def f(z):\n    return np.abs(z)\n", Z, slider=True)
    colours = {*re.findall(r'(?:fill|stroke)="([^"]+)"', html)} - {"none", "currentColor"}
    assert colours == {"#D55E00"}
    assert all(contrast("#D55E00", page) >= 3 for page in ("#ffffff", "#111111"))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2)."""
    channels = np.array(
        [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (one, other)]
    )
    linear = np.where(channels <= 10, channels / 3294, ((channels / 255 + 0.055) / 1.055) ** 2.4)
    dark, light = sorted(linear @ [0.2126, 0.7152, 0.0722])
    return float((light + 0.05) / (dark + 0.05))

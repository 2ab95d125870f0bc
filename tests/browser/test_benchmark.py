"""benchmarks/live_figures.py notices changes of a picture, waits for it, and reports the bars."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page

from course import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import figure_speed
import live_figures
from figure_speed import Measured, Restless

SHOW = """r => {
    const circle = `<circle r='${r}'/>`;
    outputs.firstChild.innerHTML = `<svg aria-label='${Math.random()}'>${circle}</svg>`;
}"""
FRAMES = """() => new Promise(done =>
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0))))"""
"""A timer of the second frame runs after the probe's timer of the first."""
PUT = """() => {
    const canvas = outputs.querySelector('canvas').getContext('2d');
    canvas.putImageData(new ImageData(1, 1), 0, 0);
}"""


@pytest.fixture
def page(chromium: Any) -> Iterator[Page]:
    """Open a page with one figure, probed twice, as after a first try that did not count."""
    page = chromium.new_page()
    page.set_content("<div id=outputs><div></div><canvas></canvas></div>")
    page.evaluate(SHOW, 1)
    for _ in range(2):
        page.locator("#outputs").evaluate(figure_speed.PROBE)
    yield page
    page.close()


def frames(page: Page) -> int:
    """Return the number of painted changes, once all are painted."""
    page.evaluate(FRAMES)
    return int(page.evaluate("() => probe.frames.length"))


def test_the_same_picture_again_is_no_change_and_another_is_one(page: Page) -> None:
    page.evaluate(SHOW, 1)
    assert frames(page) == 0
    page.evaluate(SHOW, 2)
    assert frames(page) == 1
    page.evaluate("() => outputs.querySelector('circle').setAttribute('r', 2)")
    assert frames(page) == 1
    page.evaluate("() => outputs.querySelector('circle').setAttribute('r', 3)")
    assert frames(page) == 2


def test_a_second_probe_counts_nothing_twice(page: Page) -> None:
    page.evaluate("() => { window.real = CanvasRenderingContext2D.prototype.putImageData }")
    page.locator("#outputs").evaluate(figure_speed.PROBE)
    assert page.evaluate("() => CanvasRenderingContext2D.prototype.putImageData === real")
    page.evaluate(PUT)
    assert frames(page) == 1


def test_a_change_from_before_the_move_is_not_its_answer(page: Page) -> None:
    page.evaluate(SHOW, 2)
    assert frames(page) == 1
    page.mouse.move(5, 5)
    assert page.evaluate(figure_speed.DELAY) is None
    page.evaluate(SHOW, 3)
    assert frames(page) == 2
    assert page.evaluate(figure_speed.DELAY) > 0


def test_a_picture_that_never_stands_still_is_given_up(page: Page) -> None:
    figure_speed.stand_still(page, quiet=1, seconds=600)
    page.evaluate(SHOW, 2)
    page.wait_for_function("() => probe.changed > 0")
    with pytest.raises(Restless, match="never stands still within 0 seconds"):
        figure_speed.stand_still(page, quiet=3_600_000, seconds=0)


def test_each_bar_is_reported_with_the_plays_that_miss_it() -> None:
    line = Measured("interact + inline, line", [90.0] * 100, 12.0, 90.0, 100)
    grid = Measured("interact + inline, heat map", [70.0] * 100, 7.0, 90.0, 100, heat=True)
    plays = [
        Measured("lines", [20.0] * 100, 60.0, 20.0, 100, interact=line),
        Measured("heat", [20.0] * 90 + [50.0] * 10, 42.0, 20.0, 100, heat=True, interact=grid),
    ]
    assert live_figures.bars(plays) == [
        (True, "Met by all 2 plays: as many moves measured as were wanted."),
        (True, "Met by all 2 plays: a median of at most 25 ms."),
        (False, "NOT MET by heat (50.0): a 95th percentile of at most 40 ms."),
        (False, "NOT MET by heat (42.0): at least 45 frames a second."),
        (False, "NOT MET by heat (3.5): a median that interact takes 4 times as long for."),
        (True, "Met by all 2 plays: at least 4 times the frames of interact."),
    ]
    assert plays[0].row() == "| lines | 20 | 20 | 60 | 20 | 100 | 4.5 | 5.0 |"
    assert len(live_figures.bars([replace(play, interact=None) for play in plays])) == 4
    assert live_figures.bars([]) == []


def test_a_figure_that_is_moved_by_buttons_alone_has_no_frames_a_second() -> None:
    clicked = Measured("clicked", [20.0] * 100, wanted=100)
    assert clicked.row() == "| clicked | 20 | 20 | – | – | 100 | – | – |"
    assert all("frames" not in sentence for _, sentence in live_figures.bars([clicked]))


def test_a_figure_with_too_few_moves_meets_no_bar() -> None:
    few, none = (
        Measured("few", [20.0] * 70, 59.0, 20.0, 100),
        Measured("none", wanted=100, why="it never stands still"),
    )
    assert few.row() == "| few | 20 | 20 | 59 | 20 | 70 of 100 | – | – |"
    assert none.row() == "| none | not measured: it never stands still | | | | | | |"
    assert live_figures.bars([few, none])[0] == (
        False,
        "NOT MET by few (0.7), none (0.0): as many moves measured as were wanted.",
    )

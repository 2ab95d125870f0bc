"""Draw on the pad, and drag in a picture, in a real browser, by mouse, keyboard and touch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from lab import STILL, Notebook, Server, opened
from playwright.sync_api import Locator, expect

CELLS = ".playground-cells > button"
PLAY = "setup-01"
SOURCE = """
from playground.figure.live import LiveFigure
def move(f, ink):
    shares = [sum(column == k for _, column in ink) / 8 for k in range(8)]
    return {"bars": (range(8), shares)}, f"Inked: {sorted(ink)}."
play = LiveFigure("A pad", move)
play.bars("bars", play.axes(xlim=(-1, 8), ylim=(0, 1)))
play.pad("ink", "draw here")
play
"""


@pytest.fixture(scope="module")
def lesson(server: Server, chromium: Any) -> Iterator[Notebook]:
    """Open a notebook with a pad whose bars count the inked cells of each column."""
    complaints: list[str] = []
    with opened(server, "neuron/neuron.ipynb", chromium, complaints, reload=True) as notebook:
        notebook.run(PLAY, SOURCE)
        expect(notebook.cell(PLAY).locator(CELLS)).to_have_count(64)
        yield notebook
    assert complaints == []


@pytest.fixture
def pad(lesson: Notebook) -> Locator:
    """Return the pad, empty and in its place."""
    play = lesson.cell(PLAY)
    play.get_by_role("button", name="clear").click()
    expect(play.locator(f"{CELLS}.mod-active")).to_have_count(0)
    inked(play, [])
    assert play.locator(".playground-cells").evaluate(STILL)
    return play


def inked(play: Locator, cells: list[tuple[int, int]]) -> None:
    """Wait until the kernel has these cells, and the bars follow them."""
    expect(play.locator(".playground-readout")).to_contain_text(f"Inked: {sorted(cells)}.")
    label = re.compile(rf"{len(cells)} of 64 cells inked")
    expect(play.locator("svg[role=img]")).to_have_attribute("aria-label", label)


def middle(play: Locator, row: int, column: int) -> tuple[float, float]:
    box = play.locator(CELLS).nth(8 * row + column).bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_drag_inks_each_cell_on_its_way_and_one_from_ink_cleans(
    pad: Locator, lesson: Notebook
) -> None:
    mouse = lesson.page.mouse
    mouse.move(*middle(pad, 2, 1))
    mouse.down()
    mouse.move(*middle(pad, 2, 6), steps=2)  # a fast hand: the browser reports two places
    mouse.up()
    inked(pad, [(2, column) for column in range(1, 7)])
    before = pad.locator("svg[role=img] path").first.get_attribute("d")
    mouse.move(*middle(pad, 2, 3))
    mouse.down()
    mouse.move(*middle(pad, 2, 5), steps=3)
    mouse.up()
    inked(pad, [(2, 1), (2, 2), (2, 6)])
    assert pad.locator("svg[role=img] path").first.get_attribute("d") != before


def test_a_click_inks_one_cell_once(pad: Locator) -> None:
    pad.locator(CELLS).nth(9).click()
    inked(pad, [(1, 1)])
    pad.locator(CELLS).nth(9).click()
    inked(pad, [])


def test_a_mouse_that_passes_unpressed_or_was_released_outside_draws_nothing(
    pad: Locator, lesson: Notebook
) -> None:
    mouse = lesson.page.mouse
    mouse.move(*middle(pad, 0, 0))
    mouse.down()
    x, y = middle(pad, 0, 0)
    mouse.move(x, y - 60)
    mouse.up()
    mouse.move(*middle(pad, 4, 4), steps=4)
    inked(pad, [(0, 0)])


def test_arrow_keys_move_and_space_and_enter_ink(pad: Locator, lesson: Notebook) -> None:
    cells, keyboard = pad.locator(CELLS), lesson.page.keyboard
    cells.nth(0).focus()
    for key in ("ArrowUp", "ArrowLeft", "Space", "ArrowDown", "ArrowRight", "Enter"):
        keyboard.press(key)
    expect(cells.nth(9)).to_be_focused()
    expect(cells.nth(9)).to_have_attribute("aria-pressed", "true")
    inked(pad, [(0, 0), (1, 1)])
    assert cells.evaluate_all("cells => cells.filter(cell => cell.tabIndex === 0).length") == 1
    keyboard.press("Space")
    inked(pad, [(0, 0)])


def test_a_finger_draws_without_scrolling_the_page(pad: Locator, lesson: Notebook) -> None:
    place = pad.locator(".playground-cells").bounding_box()
    devtools = lesson.page.context.new_cdp_session(lesson.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y} for x, y in points]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", middle(pad, 1, 4))
    for row in range(2, 6):
        touch("touchMove", middle(pad, row, 4))
    touch("touchEnd")
    inked(pad, [(row, 4) for row in range(1, 6)])
    assert pad.locator(".playground-cells").bounding_box() == place


def test_without_the_handler_each_cell_can_still_be_clicked(lesson: Notebook) -> None:
    bare = """import re
label = play.panel[0].children[0]
label.value = re.sub('onload="[^"]*"', "", label.value)
play
"""
    lesson.run(PLAY, SOURCE.removesuffix("play\n") + bare)
    play = lesson.cell(PLAY)
    inked(play, [])
    assert play.locator(".playground-pad").evaluate("pad => pad.onpointerdown === null")
    for cell in (0, 17):
        play.locator(CELLS).nth(cell).click()
    inked(play, [(0, 0), (2, 1)])


GRIPPED = """
from playground.figure.live import LiveFigure
play = LiveFigure("A level", lambda f, level: ({"level": ([0, 1], [level, level])}, f"At {level}."))
ax = play.axes(xlim=(0, 1), ylim=(-1, 5))
play.line("level", ax)
play.slider("level", "the level", 0, 4, 0, step=1)
play.grip("level", ax, "y")
play
"""


def test_a_picture_is_dragged_in_place_of_its_slider(lesson: Notebook) -> None:
    lesson.run(PLAY, GRIPPED)
    play = lesson.cell(PLAY)
    picture, readout = play.locator("svg[role=img]"), play.locator(".playground-readout")
    expect(readout).to_contain_text("At 0.")
    box = picture.bounding_box()
    assert box
    top, bottom = (box["y"] + share * box["height"] for share in (0.02, 0.6))
    lesson.page.mouse.move(box["x"] + box["width"] / 2, bottom)
    lesson.page.mouse.down()
    expect(readout).to_contain_text(re.compile(r"At [12]\."))
    lesson.page.mouse.move(box["x"] + box["width"] / 2, top, steps=5)
    expect(readout).to_contain_text("At 4.")
    lesson.page.mouse.up()
    lesson.page.mouse.move(box["x"] + box["width"] / 2, bottom)
    expect(play.locator(".widget-readout")).to_have_text("4")

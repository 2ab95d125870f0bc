"""Plays, questions, checks and pages for everyone: axe-core, the keyboard, dark, narrow, zoomed."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from accessible import broken
from lab import Notebook, Server, lessons, opened
from PIL import Image
from playwright.sync_api import Locator, expect
from test_lessons import ids_of

from course import ROOT, lesson, references
from grader.author.key import solution_lines
from playground.figure import style

THEMES = ("Dark", "Light")
OUTPUTS = ".jp-OutputArea"


def inside(cell: Locator) -> str:
    """Return the selector of a cell's outputs."""
    index = cell.get_attribute("data-windowed-list-index")
    return f'.jp-Cell[data-windowed-list-index="{index}"] {OUTPUTS}'


@pytest.mark.parametrize("name", lessons("warm_up"))
def test_axe_finds_nothing_wrong_in_what_a_lesson_shows(
    name: str, server: Server, chromium: Any
) -> None:
    complaints: list[str] = []
    with opened(server, f"{name}/{name}.ipynb", chromium, complaints) as notebook:
        for exercise, text in references(name).items():
            notebook.set_source(exercise, text)
        first = next(iter(lesson(name).exercises))
        notebook.run_all()
        for cell_id in [*ids_of(name, "question"), *ids_of(name, "play")]:
            assert broken(notebook.page, inside(notebook.cell(cell_id))) == []
        for question in ids_of(name, "question"):
            notebook.answer(question)
        checks = [f"check-{exercise}" for exercise in lesson(name).exercises]
        for theme in THEMES:
            notebook.theme(theme)
            for cell_id in [*ids_of(name, "play", "drawing", "question"), *checks]:
                cell = notebook.cell(cell_id)
                assert broken(notebook.page, inside(cell)) == [], (theme, cell_id)
                notebook.picture(f"access-{name}-{cell_id}-{theme.lower()}", cell)
        notebook.run(first, f"def {first}(*inputs):\n    return 0.0")
        notebook.run(f"check-{first}")
        for theme in THEMES:
            notebook.theme(theme)
            assert broken(notebook.page, inside(notebook.cell(f"check-{first}"))) == []
    assert complaints == []


@pytest.fixture(scope="module", params=["lab/tree", "notebooks"], ids=["lab", "notebook7"])
def notebook(request: Any, server: Server, chromium: Any) -> Iterator[Notebook]:
    """Open the neuron lesson with a live play, and a question that is not answered."""
    complaints: list[str] = []
    with opened(
        server, "neuron/neuron.ipynb", chromium, complaints, under=request.param
    ) as notebook:
        notebook.run("setup-01")
        for name in ("weighted_sum", "sigmoid"):
            notebook.run(name, references("neuron")[name])
        for cell in ("question-01", "play-02", "question-02"):
            notebook.run(cell)
        notebook.answer("question-01")
        yield notebook
    assert complaints == []


@pytest.fixture
def play(notebook: Notebook) -> Locator:
    cell = notebook.cell("play-02")
    expect(cell.locator("svg[role=img]")).to_be_visible()
    return cell


def handles(play: Locator) -> list[Locator]:
    return play.locator(".noUi-handle").all()


def active(notebook: Notebook) -> str:
    """Return the number of the notebook's active cell and how many it has."""
    found: str = notebook.page.evaluate(
        "() => { const book = jupyterapp.shell.currentWidget.content;"
        " return [book.activeCellIndex, book.widgets.length].join() }"
    )
    return found


def test_a_play_knows_whether_it_is_in_view(play: Locator, notebook: Notebook) -> None:
    ask = (
        "from playground.figure import live\nprint(*[one.in_view for one in live._newest.values()])"
    )
    expect(play.locator(".playground-seen input")).to_be_checked()
    cell = notebook.cell("code-12")  # far below

    def is_told() -> bool:  # messages of widgets and of cells reach the kernel on two ways
        notebook.run("code-12", ask)
        return (cell.locator(".jp-OutputArea").text_content() or "").strip() == "False"

    notebook.until(is_told, "The play was not told that it is out of view.")
    expect(notebook.cell("play-02").locator(".playground-seen input")).to_be_checked()


def test_a_slider_is_one_stop_of_tab_and_says_its_name_and_value(
    play: Locator, notebook: Notebook
) -> None:
    sliders = handles(play)
    sliders[0].focus()
    for slider in sliders:
        if slider is not sliders[0]:
            notebook.page.keyboard.press("Tab")
        expect(slider).to_be_focused()
        assert slider.get_attribute("role") == "slider"
    notebook.page.keyboard.press("Home")
    expect(sliders[-1]).to_have_attribute("aria-label", "bias b")
    expect(sliders[-1]).to_have_attribute("aria-valuetext", "−1.50")


def test_keys_move_the_slider_and_nothing_else(play: Locator, notebook: Notebook) -> None:
    slider = play.locator(".widget-slider").first
    number = slider.locator(".widget-readout")
    notebook.press(slider, "Home")
    expect(number).to_have_text("−1.50")
    for key, value in (("ArrowRight", "−1.40"), ("ArrowUp", "−1.30"), ("ArrowDown", "−1.40")):
        notebook.press(slider, key)
        expect(number).to_have_text(value)
    before = active(notebook)  # the slider's cell by now
    for key in "abmx":
        notebook.press(slider, key)
    expect(slider.locator(".noUi-handle")).to_be_focused()
    assert active(notebook) == before
    notebook.press(slider, "Shift+Enter")
    notebook.until(lambda: active(notebook) != before, "Shift+Enter did not run the cell.")


def test_a_mission_is_reached_by_keyboard_announced_and_kept(notebook: Notebook) -> None:
    notebook.run("question-01")  # the play's prediction is `bet` again
    notebook.run("play-02")  # with its sliders where they begin
    play = notebook.cell("play-02")
    expect(play.locator(".playground-missions")).to_have_attribute("aria-live", "polite")
    mission = play.get_by_role("listitem").filter(has_text="a bias above 0")
    expect(mission.get_by_role("img", name="open")).to_be_visible()
    slider = play.locator(".widget-slider").first
    with notebook.steady(play):
        notebook.press(slider, "Home")
        for _ in range(13):  # from −1.5 to −0.2
            notebook.page.keyboard.press("ArrowRight")
        expect(mission.get_by_role("img", name="reached")).to_be_visible()
    notebook.run("play-02")
    again = notebook.cell("play-02")
    expect(again.get_by_role("img", name="reached")).to_be_visible()
    notebook.picture("missions", again)


def test_a_check_below_an_edited_cell_shows_no_points_until_it_is_run(notebook: Notebook) -> None:
    notebook.run("check-weighted_sum")
    verdict = notebook.cell("check-weighted_sum").locator(".verdict")
    expect(verdict).to_contain_text("solved", use_inner_text=True)
    notebook.set_source("weighted_sum", "def weighted_sum(x, w, b):\n    return x @ w")
    notebook.run("check-weighted_sum")
    notebook.cell("check-weighted_sum")
    expect(verdict).to_have_text("", use_inner_text=True)
    said = verdict.evaluate("one => getComputedStyle(one, '::before').content")
    assert "edited since it ran" in said
    notebook.picture("edited", notebook.cell("check-weighted_sum"))
    notebook.run("weighted_sum", references("neuron")["weighted_sum"])
    expect(verdict).to_contain_text("solved", use_inner_text=True)


def test_a_slider_along_the_figure_of_a_mistake_says_what_both_curves_are(
    notebook: Notebook,
) -> None:
    # A busy machine may stop the kernel longer than a learner may have to wait for the figure.
    patient = "from grader.learner import trial\ntrial.outcomes_along.__defaults__ = (600.0,)"
    notebook.run("code-12", patient)
    notebook.run("sigmoid", "def sigmoid(z):\n    return 1 / (1 + np.exp(z))")
    notebook.run("check-sigmoid")
    cell, keyboard = notebook.cell("check-sigmoid"), notebook.page.keyboard
    slider, says = cell.get_by_role("slider"), cell.locator("output")
    slider.focus()
    for key in ("End", "ArrowLeft", "Home", "ArrowRight", "ArrowUp"):
        said = says.inner_text()
        keyboard.press(key)
        expect(says).not_to_have_text(said)
        words = re.fullmatch(r"At (.+) = (.+): yours (.+), expected (.+)\.", says.inner_text())
        assert words
        name, x, yours, expected = words.groups()
        assert float(yours) == pytest.approx(1 / (1 + math.exp(float(x))), rel=2e-3)
        assert float(expected) == pytest.approx(1 / (1 + math.exp(-float(x))), rel=2e-3)
        expect(slider).to_have_accessible_name(name)
        expect(slider).to_have_attribute("aria-valuetext", x)
        expect(cell.locator("[data-says]").filter(visible=True)).to_have_count(1)
    before = active(notebook)
    for key in "abmx":
        keyboard.press(key)
    expect(slider).to_be_focused()
    assert active(notebook) == before
    keyboard.press("Tab")
    expect(slider).not_to_be_focused()
    for theme in THEMES:
        notebook.theme(theme)
        assert broken(notebook.page, inside(cell)) == []
        notebook.picture(f"mistake-{theme.lower()}", cell)
    slider.press("Shift+Enter")
    notebook.until(lambda: active(notebook) != before, "Shift+Enter did not run the cell.")
    notebook.run("sigmoid", references("neuron")["sigmoid"])


def test_enter_lets_a_number_be_typed_for_a_slider(play: Locator, notebook: Notebook) -> None:
    slider = play.locator(".widget-slider").first
    notebook.press(slider, "Enter")
    expect(slider.locator(".widget-readout")).to_be_focused()
    notebook.page.keyboard.type("0.2")
    notebook.page.keyboard.press("Enter")
    expect(slider.locator(".noUi-handle")).to_be_focused()
    expect(play.locator("svg[role=img]")).to_have_attribute(
        "aria-label", re.compile(r"input x₁: 0\.2,")
    )


def test_the_readout_is_announced_once_the_slider_rests(play: Locator, notebook: Notebook) -> None:
    said = play.locator(".playground-said[aria-live=polite]")
    said.evaluate("said => { said.kept = true }")
    for key in ("Home", "End"):
        notebook.press(play.locator(".widget-slider").last, key)
        bias = "−1.5" if key == "Home" else "1.5"
        expect(play.locator("svg[role=img]")).to_have_attribute(
            "aria-label", re.compile(f"bias b: {bias}")
        )
        lines = play.locator(".playground-readout > div:not(.playground-notice)")
        for line in lines.all_inner_texts():
            expect(said).to_contain_text(line)
    assert said.evaluate("said => said.kept")


def test_a_question_is_a_group_that_keys_answer_and_its_reply_gets_the_focus(
    notebook: Notebook,
) -> None:
    cell, keyboard = notebook.cell("question-02"), notebook.page.keyboard
    group, options = cell.get_by_role("radiogroup"), cell.get_by_role("radio")
    expect(group).to_have_count(1)
    text = cell.locator(".asked-form .asked").inner_text().strip()
    assert (group.get_attribute("aria-label") or "").strip() == text
    options.first.focus()
    before = active(notebook)
    keyboard.press("Shift+Enter")
    notebook.until(lambda: active(notebook) != before, "Shift+Enter did not run the cell.")
    options.first.focus()
    before = active(notebook)
    keyboard.press("Space")
    expect(options.first).to_be_checked()
    keyboard.press("ArrowDown")
    expect(options.nth(1)).to_be_focused()
    expect(options.nth(1)).to_be_checked()
    expect(options.first).not_to_be_checked()
    for _ in range(options.count() - 1):
        keyboard.press("ArrowDown")
    expect(options.first).to_be_checked()  # arrow keys stay in the group
    assert active(notebook) == before
    keyboard.press("Tab")
    expect(cell.get_by_role("button", name="Answer")).to_be_focused()
    keyboard.press("Enter")
    expect(cell.locator("[role=status]")).to_be_focused()
    assert broken(notebook.page, inside(cell)) == []


def test_toggles_say_whether_they_are_pressed(notebook: Notebook) -> None:
    notebook.run(
        "code-01",
        "from playground.figure.live import LiveFigure\n"
        'toy = LiveFigure("Toggles", lambda f, kind: ({}, kind))\n'
        'toy.choice("kind", "kind", ["one", "two"])\ntoy',
    )
    cell = notebook.cell("code-01")
    expect(cell.get_by_role("button", name="one", pressed=True)).to_have_count(1)
    cell.get_by_role("button", name="two").press("Enter")
    expect(cell.get_by_role("button", name="two", pressed=True)).to_have_count(1)
    expect(cell.get_by_role("button", name="one", pressed=False)).to_have_count(1)
    expect(cell.get_by_role("group", name="kind")).to_have_count(1)


def test_a_figure_takes_its_background_from_the_theme(play: Locator, notebook: Notebook) -> None:
    figure = play.locator("svg[role=img]")
    for theme in THEMES:
        notebook.theme(theme)
        shot = Image.open(io.BytesIO(notebook.screenshot(figure))).convert("RGB")
        corner, colors = shot.getpixel((2, 2)), shot.getcolors(shot.width * shot.height)
        ink = max((color for _, color in colors), key=lambda color: abs(sum(color) - sum(corner)))
        layers = play.locator(".playground-still-layer").filter(visible=True)
        expect(layers).to_have_count(1)
        expect(layers).to_have_class(re.compile(f"playground-in-{theme.lower()}"))
        assert sum(corner) < 0x99 if theme == "Dark" else sum(corner) > 0x2F0
        assert contrast(ink, corner) > 4.5
    notebook.theme("Light")


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Return the contrast of two colours as WCAG 2.2 defines it."""

    def luminance(color: tuple[int, ...]) -> float:
        parts = [part / 255 for part in color]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("color", [style.INK, style.MUTED, style.BLACK])
def test_words_and_axes_have_enough_contrast_in_both_themes(color: str) -> None:
    def rgb(color: str) -> tuple[int, ...]:
        return tuple(bytes.fromhex(color[1:]))

    assert contrast(rgb(color), rgb(style.CARD)) >= 4.5
    assert contrast(rgb(style.DARK[color]), rgb(style.DARK[style.CARD])) >= 4.5


@pytest.mark.parametrize("width", [320, 700, 1400, 1900])
def test_a_play_fits_its_place_at_every_width(
    width: int, play: Locator, notebook: Notebook
) -> None:
    page = notebook.page
    before = page.viewport_size
    try:
        page.set_viewport_size({"width": width, "height": 900})
        play = notebook.cell("play-02")
        room, figure, panel, missions, readout = (
            play.locator(part).bounding_box()
            for part in (
                ".playground",
                ".playground-stage",
                ".playground-controls",
                ".playground-missions",
                ".playground-readout",
            )
        )
        assert room
        assert figure
        assert panel
        assert missions
        assert readout
        for box in (figure, panel, missions):
            assert room["x"] - 1 <= box["x"]
            assert box["x"] + box["width"] <= room["x"] + room["width"] + 1
        aside = figure["x"] >= panel["x"] + panel["width"]
        assert aside or figure["y"] >= panel["y"] + panel["height"]
        if room["width"] > 1100:
            assert aside
            assert missions["x"] + missions["width"] <= figure["x"]
            assert missions["y"] >= panel["y"] + panel["height"]
        else:
            assert missions["y"] >= figure["y"] + figure["height"]
        for track in play.locator(".noUi-target").all():
            assert (track.bounding_box() or {"width": 0})["width"] > 60
        assert play.locator(".playground-readout").evaluate(
            "one => one.scrollWidth <= one.clientWidth + 1"
        )
        assert play.locator(".widget-label").evaluate_all(
            "all => all.every(one => one.scrollWidth <= one.clientWidth + 1)"
        )
        notebook.picture(f"access-width-{width}")
    finally:
        page.set_viewport_size(before or {"width": 1280, "height": 1000})


def test_nothing_moves_by_itself_for_those_who_ask_for_less_motion(
    play: Locator, notebook: Notebook
) -> None:
    notebook.page.emulate_media(reduced_motion="reduce")
    assert play.locator(".playground *").evaluate_all(
        "all => all.every(one => getComputedStyle(one).transitionDuration === '0s')"
    )
    notebook.page.emulate_media(reduced_motion="no-preference")


def test_a_long_play_says_that_it_is_at_work_and_how_to_end_it(
    notebook: Notebook, server: Server
) -> None:
    folder: Path = server.folder / "work" / "neuron"
    held = folder / "held"
    wait = "while os.path.exists('held'):\n        time.sleep(0.01)"
    right = references("neuron")["weighted_sum"]
    held.touch()
    try:
        notebook.run(
            "weighted_sum", "import os, time\n" + right.replace("### BEGIN SOLUTION", wait)
        )
        play = notebook.cell("play-02")
        readout = play.locator(".playground-readout")
        expect(readout).to_contain_text("weighted_sum has changed")
        expect(readout).not_to_contain_text("The target is the same.")
        expect(play.locator(".playground-notice")).to_be_visible()
        expect(play.locator(".playground-said")).to_contain_text("■")
    finally:
        held.unlink()
    expect(readout).to_contain_text("The target is the same.")
    expect(play.locator(".playground-notice")).to_be_hidden()


def test_the_violations_of_the_page_around_are_those_listed(
    notebook: Notebook, play: Locator
) -> None:
    listed = set(
        re.findall(
            r"^\| `([a-z-]+)` \|",
            (ROOT / "docs" / "accessibility.md").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )
    found = broken(notebook.page)
    for rule, target, html in found:
        ours = notebook.page.locator(target).first.evaluate(
            f"one => Boolean(one.closest('{OUTPUTS}'))"
        )
        assert not ours, (rule, html)
    assert {rule for rule, _, _ in found} <= listed


@pytest.mark.long
def test_after_three_failed_checks_the_lines_are_put_in_order_by_keys(
    server: Server, chromium: Any
) -> None:
    complaints: list[str] = []
    with opened(server, "chain_rule/chain_rule.ipynb", chromium, complaints) as notebook:
        notebook.run("setup-01")
        notebook.run("chain", "def chain(*functions):\n    return lambda x: x")
        cell = notebook.cell("check-chain")
        offer = cell.get_by_role("button", name="Still stuck?")
        for times in range(1, 4):
            notebook.run("check-chain")
            expect(cell.locator(".verdict")).to_contain_text("✗")
            expect(offer).to_have_count(times // 3)
        offer.press("Enter")
        box, lines = cell.get_by_role("listbox"), cell.locator("option")
        wanted = [
            one.replace(" ", "\xa0") for one in solution_lines(lesson("chain_rule"), "chain")[1:]
        ]
        for place, line in enumerate(wanted):
            box.select_option(label=line)
            while lines.nth(place).text_content() != line:
                before = lines.all_text_contents()
                cell.get_by_role("button", name="Move up").press("Enter")
                expect(lines).not_to_have_text(before)
        cell.get_by_role("button", name="Check the order").press("Enter")
        expect(cell.locator(".puzzle [role=status]")).to_contain_text(
            "✓ In this order they solve it."
        )
        for theme in THEMES:
            notebook.theme(theme)
            assert broken(notebook.page, inside(cell)) == []
            notebook.picture(f"puzzle-{theme.lower()}", cell)
    assert complaints == []

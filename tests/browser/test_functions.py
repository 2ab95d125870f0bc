"""What a learner writes while a play is on the screen: slow, raising, wrong, printing and endless functions, and the slider dragged all the while."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from lab import Notebook, Server, opened
from playwright.sync_api import Locator, expect

from course import references

RIGHT = references("neuron")["weighted_sum"]
PLAY = "play-01"


@pytest.fixture(scope="module")
def lesson(server: Server, chromium: Any) -> Iterator[Notebook]:
    """The neuron lesson, solved as far as its first play."""
    complaints: list[str] = []
    with opened(server, "neuron/neuron.ipynb", chromium, complaints) as notebook:
        notebook.run("setup-01")
        for name in ("weighted_sum", "sigmoid"):
            notebook.run(name, references("neuron")[name])
        notebook.run("question-01")
        notebook.run(PLAY)
        notebook.answer("question-01")
        play = notebook.cell(PLAY)
        expect(play.locator("svg[role=img]")).to_be_visible()
        play.locator(".playground").evaluate("root => { root.untouched = true }")
        yield notebook
    assert complaints == []


@pytest.fixture
def notebook(lesson: Notebook) -> Iterator[Notebook]:
    """The lesson; whatever a test wrote into the cell of `weighted_sum` is mended afterwards, and the play must follow without being built anew."""
    yield lesson
    lesson.run("weighted_sum", RIGHT)
    play = lesson.cell(PLAY)
    expect(readout(play)).to_contain_text("The target is the same.")
    assert play.locator(".playground").evaluate("root => root.untouched === true")
    lesson.drag(slider(play))
    settled(play)
    expect(readout(play)).to_contain_text("The target is the same.")


def slider(play: Locator) -> Locator:
    return play.locator(".widget-slider").first


def readout(play: Locator) -> Locator:
    return play.locator(".playground-readout")


def settled(play: Locator, seconds: float = 5.0) -> None:
    """The figure has come to the value that stands beside its first slider."""
    value = slider(play).locator(".widget-readout").inner_text().strip()
    shown = re.sub(r"\.?0+$", "", value) if "." in value else value
    expect(play.locator("svg[role=img]")).to_have_attribute("aria-label", re.compile(rf"input x₁: {re.escape(shown)},"), timeout=1000 * seconds)


def test_a_slow_function_leaves_the_slider_usable_and_the_figure_ends_on_the_last_value(notebook: Notebook) -> None:
    notebook.run("weighted_sum", "import time\n" + RIGHT.replace("### BEGIN SOLUTION", "time.sleep(0.2)"))
    play = notebook.cell(PLAY)
    handle, number = slider(play).locator(".noUi-handle"), slider(play).locator(".widget-readout")
    apart, seen = [], []

    def look(mouse: float) -> None:
        box = handle.bounding_box()
        assert box is not None
        apart.append(abs(box["x"] + box["width"] / 2 - mouse))
        seen.append(number.inner_text())

    notebook.drag(slider(play), share=0.8, steps=60, at_each=look)
    released = time.monotonic()
    settled(play)
    assert time.monotonic() - released < 3  # a move takes 0.8 s: the one under way and the last one, not sixty
    assert max(apart) < 6
    assert len(set(seen)) > 15


def test_a_function_that_raises_says_so_in_one_sentence_in_the_figures_place(notebook: Notebook) -> None:
    notebook.run("weighted_sum", "def weighted_sum(x, w, b):\n    return x[7] * w[7] + b")
    says(notebook, "weighted_sum stopped with IndexError: index 7 is out of bounds")


def test_a_result_that_cannot_be_drawn_is_said_in_one_sentence(notebook: Notebook) -> None:
    for result, sentence in {
        "None": "weighted_sum returned None: is its return missing?",
        "x * w": "weighted_sum returned an array of shape",
        "str(x @ w)": "weighted_sum returned str instead of numbers.",
        "float('nan')": "weighted_sum returned nothing but NaN",
        "sys.exit()": "weighted_sum stopped with SystemExit",
    }.items():
        notebook.run("weighted_sum", f"import sys\n\ndef weighted_sum(x, w, b):\n    return {result}")
        says(notebook, sentence)


def test_a_function_that_is_deleted_stays_in_the_figure_as_it_was_last(notebook: Notebook) -> None:
    notebook.run("weighted_sum", RIGHT.replace("+ b", "+ b + 1"))
    play = notebook.cell(PLAY)
    expect(readout(play)).to_contain_text("Target:")
    notebook.run("code-01", "del weighted_sum")
    play = notebook.cell(PLAY)
    with notebook.steady(play):
        notebook.drag(slider(play))
        settled(play)
    expect(readout(play)).to_contain_text("Yours:")
    expect(readout(play)).to_contain_text("Target:")


def test_what_a_function_prints_goes_nowhere_and_delays_nothing(notebook: Notebook) -> None:
    notebook.run("weighted_sum", RIGHT.replace("### BEGIN SOLUTION", "print('x\\n' * 10_000)"))
    play = notebook.cell(PLAY)
    notebook.drag(slider(play))
    settled(play, 2)
    expect(readout(play)).to_contain_text("The target is the same.")
    assert not [cell for cell in notebook.outputs() if any(output["output_type"] == "stream" for output in cell["outputs"])]


def test_an_interrupt_frees_a_function_that_never_ends(notebook: Notebook) -> None:
    endless(notebook)
    notebook.drag(slider(notebook.cell(PLAY)))
    notebook.page.wait_for_timeout(500)
    notebook.page.locator('jp-button[data-command="notebook:interrupt-kernel"], button[data-command="notebook:interrupt-kernel"]').click()
    play = notebook.cell(PLAY)
    expect(readout(play)).to_contain_text("weighted_sum was interrupted. Mend it and run its cell again: this figure follows.")
    says(notebook, "weighted_sum was interrupted.")  # and it isn't run again, or the next value would need the next interrupt


def test_a_function_that_never_ends_is_left_when_its_cell_is_mended(notebook: Notebook) -> None:
    endless(notebook)
    notebook.drag(slider(notebook.cell(PLAY)))
    notebook.page.wait_for_timeout(500)


def endless(notebook: Notebook) -> None:
    """A function that is right for what stands in the figure, and never ends once a slider moves."""
    notebook.run("weighted_sum", RIGHT + "\n\nright, weighted_sum = weighted_sum, lambda *inputs: right(*inputs)")
    play = notebook.cell(PLAY)
    expect(readout(play)).to_contain_text("The target is the same.")
    notebook.run("code-01", "def right(*inputs):\n    while True:\n        pass")


def says(notebook: Notebook, sentence: str) -> None:
    """The sentence stands in the figure's place and below it, before and after a drag, and nothing else complains."""
    play = notebook.cell(PLAY)
    expect(readout(play)).to_contain_text(sentence)
    notebook.drag(slider(play))
    settled(play)
    expect(play.locator("svg[role=img]")).to_contain_text(sentence[:50])
    expect(readout(play)).to_contain_text("Mend it and run its cell again: this figure follows.")
    expect(play).not_to_contain_text("Traceback")

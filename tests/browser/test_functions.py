"""What a learner writes while a play is on the screen: slow, raising, wrong, printing and endless functions, and the slider dragged all the while."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import Notebook, Server, opened, shows
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


def settled(play: Locator) -> None:
    """The figure has come to the value that stands beside its first slider."""
    shows(play, slider(play))


def folder(server: Server) -> Path:
    """Where the kernel of the lesson works."""
    return server.folder / "work" / "neuron"


def slowly(notebook: Notebook, name: str, play_id: str, a_move: int, folder: Path) -> None:
    """Drag a play's slider with the real mouse while a function takes 0.2 s a call; a move needs `a_move` calls."""
    calls = folder / "calls"
    calls.write_text("")
    notebook.run(name, "import time\n" + references("neuron")[name].replace("### BEGIN SOLUTION", "open('calls', 'a').write('.')\n    time.sleep(0.2)"))
    play = notebook.cell(play_id)
    handle, number = slider(play).locator(".noUi-handle"), slider(play).locator(".widget-readout")
    apart, seen = [], []

    def look(mouse: float) -> None:
        box = handle.bounding_box()
        assert box is not None
        apart.append(abs(box["x"] + box["width"] / 2 - mouse))
        seen.append(number.inner_text())

    notebook.drag(slider(play), share=0.8, steps=60, at_each=look)
    until_released = len(calls.read_text())
    settled(play)
    assert until_released > 0
    assert len(calls.read_text()) - until_released <= 5 * a_move  # the move under way and the last one, with time to spare, but not sixty
    assert max(apart) < 12  # pixels; two steps of the slider
    assert len(set(seen)) > 15


def test_a_slow_function_leaves_the_slider_usable_and_the_figure_ends_on_the_last_value(notebook: Notebook, server: Server) -> None:
    slowly(notebook, "weighted_sum", PLAY, 4, folder(server))


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


def test_what_a_function_prints_goes_nowhere(notebook: Notebook) -> None:
    notebook.run("weighted_sum", RIGHT.replace("### BEGIN SOLUTION", "print('x\\n' * 10_000)"))
    play = notebook.cell(PLAY)
    notebook.drag(slider(play))
    settled(play)
    expect(readout(play)).to_contain_text("The target is the same.")
    assert not [cell for cell in notebook.outputs() if any(output["output_type"] == "stream" for output in cell["outputs"])]


def test_an_interrupt_frees_a_function_that_never_ends(notebook: Notebook, server: Server) -> None:
    endless(notebook, folder(server))
    notebook.page.locator('jp-button[data-command="notebook:interrupt-kernel"], button[data-command="notebook:interrupt-kernel"]').click()
    play = notebook.cell(PLAY)
    expect(readout(play)).to_contain_text("weighted_sum was interrupted. Mend it and run its cell again: this figure follows.")
    says(notebook, "weighted_sum was interrupted.")  # and it isn't run again, or the next value would need the next interrupt


def test_a_function_that_never_ends_is_left_when_its_cell_is_mended(notebook: Notebook, server: Server) -> None:
    endless(notebook, folder(server))


@pytest.mark.parametrize(("name", "play"), [("sigmoid", "play-02"), ("dense", "play-03")])
def test_a_slow_function_leaves_the_sliders_of_a_heat_map_and_of_other_lines_usable(name: str, play: str, lesson: Notebook, server: Server) -> None:
    """The last ones: the heat map asks `weighted_sum` 187 times a move, so that the other tests would wait for it."""
    for cell in ("relu", "dense"):
        lesson.run(cell, references("neuron")[cell])
    question = play.replace("play", "question")
    lesson.run(question)
    lesson.run(play)
    lesson.answer(question)
    slowly(lesson, name, play, 2, folder(server))
    lesson.run(name, references("neuron")[name])


def endless(notebook: Notebook, folder: Path) -> None:
    """A function that never ends once a slider moves, and a slider that moved."""
    begun = folder / "begun"
    begun.unlink(missing_ok=True)
    notebook.run("weighted_sum", "endless = False\n\n" + RIGHT.replace("### BEGIN SOLUTION", "while endless:\n        open('begun', 'w').close()"))
    play = notebook.cell(PLAY)
    expect(readout(play)).to_contain_text("The target is the same.")
    notebook.run("code-01", "endless = True")
    notebook.drag(slider(notebook.cell(PLAY)))
    until = time.monotonic() + 60
    while not begun.exists():
        assert time.monotonic() < until, "The function was never called."
        notebook.page.wait_for_timeout(20)


def says(notebook: Notebook, sentence: str) -> None:
    """The sentence stands in the figure's place and below it, before and after a drag, and nothing else complains."""
    play = notebook.cell(PLAY)
    expect(readout(play)).to_contain_text(sentence)
    notebook.drag(slider(play))
    settled(play)
    expect(play.locator("svg[role=img]")).to_contain_text(sentence[:50])
    expect(readout(play)).to_contain_text("Mend it and run its cell again: this figure follows.")
    expect(play).not_to_contain_text("Traceback")

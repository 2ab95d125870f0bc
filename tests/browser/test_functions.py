"""Drag a play's slider while its function is slow, raises, is wrong, prints or never ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import Notebook, Server, opened, shows
from playwright.sync_api import Locator, expect

from course import references

RIGHT = references("neuron")["weighted_sum"]
PLAY = "play-02"
LABELS = """play => {
    window.labels = new Set();
    const look = () => {
        for (const svg of play.querySelectorAll('svg[role=img]'))
            labels.add(svg.getAttribute('aria-label'));
    };
    look();
    new MutationObserver(look).observe(play, {subtree: true, childList: true, attributes: true});
}"""
"""Record the alt text of each picture that a play shows from now on."""
WAIT = """open('called', 'w').close()
    while os.path.exists('held'):
        time.sleep(0.01)"""
"""The body of a slow function: report the call, and wait until the test releases it."""


@pytest.fixture(scope="module")
def lesson(server: Server, chromium: Any) -> Iterator[Notebook]:
    """Open the neuron lesson, solved up to the first play that runs its functions."""
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
    """Return the lesson; afterwards fix `weighted_sum`, and see the same play follow it."""
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
    """Wait until the figure shows the value of its first slider."""
    shows(play, slider(play))


def folder(server: Server) -> Path:
    """Return the working folder of the lesson's kernel."""
    return server.folder / "work" / "neuron"


def slowly(notebook: Notebook, name: str, play_id: str, folder: Path) -> None:
    """Drag a play's slider from end to end while a function hangs in its first call."""
    held, called = folder / "held", folder / "called"
    notebook.run(
        name, "import os, time\n" + references("neuron")[name].replace("### BEGIN SOLUTION", WAIT)
    )
    play = notebook.cell(play_id)
    handle, number = slider(play).locator(".noUi-handle"), slider(play).locator(".widget-readout")
    play.evaluate(LABELS)
    called.unlink(missing_ok=True)
    held.touch()
    apart, seen = [], [number.inner_text()]

    def look(mouse: float) -> None:
        box = handle.bounding_box()
        assert box is not None
        apart.append(abs(box["x"] + box["width"] / 2 - mouse))
        seen.append(number.inner_text())
        if seen[-1] != seen[0]:
            notebook.until(called.exists, "The function was never called.")

    try:
        notebook.drag(slider(play), share=0.8, steps=60, at_each=look)
    finally:
        held.unlink()
    settled(play)
    assert max(apart) < 12  # pixels; two steps of the slider
    assert len(set(seen)) > 15
    drawn = notebook.page.evaluate("() => labels.size")  # before, for the move under way, the last
    assert 2 * drawn <= len(set(seen))


def test_a_slow_function_leaves_the_slider_usable(notebook: Notebook, server: Server) -> None:
    slowly(notebook, "weighted_sum", PLAY, folder(server))


def test_a_function_that_raises_shows_one_sentence_in_the_figure(notebook: Notebook) -> None:
    notebook.run("weighted_sum", "def weighted_sum(x, w, b):\n    return x[7] * w[7] + b")
    says(notebook, "weighted_sum stopped with IndexError: index 7 is out of bounds")


@pytest.mark.long
def test_a_result_that_cannot_be_drawn_shows_one_sentence(notebook: Notebook) -> None:
    for result, sentence in {
        "None": "weighted_sum returned None: is its return missing?",
        "x * w": "weighted_sum returned an array of shape",
        "str(x @ w)": "weighted_sum returned str instead of numbers.",
        "float('nan')": "weighted_sum returned nothing but NaN",
        "sys.exit()": "weighted_sum stopped with SystemExit",
    }.items():
        notebook.run(
            "weighted_sum", f"import sys\n\ndef weighted_sum(x, w, b):\n    return {result}"
        )
        says(notebook, sentence)


def test_a_deleted_function_stays_in_the_figure(notebook: Notebook) -> None:
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


def test_a_functions_prints_are_discarded(notebook: Notebook) -> None:
    notebook.run("weighted_sum", RIGHT.replace("### BEGIN SOLUTION", "print('x\\n' * 10_000)"))
    play = notebook.cell(PLAY)
    notebook.drag(slider(play))
    settled(play)
    expect(readout(play)).to_contain_text("The target is the same.")
    assert not [
        cell
        for cell in notebook.outputs()
        if any(output["output_type"] == "stream" for output in cell["outputs"])
    ]


@pytest.mark.long
def test_an_interrupt_frees_a_function_that_never_ends(notebook: Notebook, server: Server) -> None:
    endless(notebook, folder(server))
    command = '[data-command="notebook:interrupt-kernel"]'
    notebook.page.locator(f"jp-button{command}, button{command}").click()
    play = notebook.cell(PLAY)
    expect(readout(play)).to_contain_text("weighted_sum was interrupted.")
    # It isn't called again, or the next value would need the next interrupt.
    says(notebook, "weighted_sum was interrupted.")


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "play", "question"),
    [("sigmoid", "play-04", "question-03"), ("dense", "play-06", "question-05")],
)
def test_a_slow_function_leaves_the_sliders_of_other_plays_usable(
    name: str, play: str, question: str, lesson: Notebook, server: Server
) -> None:
    for cell in ("relu", "dense"):
        lesson.run(cell, references("neuron")[cell])
    lesson.run(question)
    lesson.run(play)
    lesson.answer(question)
    slowly(lesson, name, play, folder(server))
    lesson.run(name, references("neuron")[name])


def endless(notebook: Notebook, folder: Path) -> None:
    """Move a slider whose function then never ends."""
    begun = folder / "begun"
    begun.unlink(missing_ok=True)
    notebook.run(
        "weighted_sum",
        "endless = False\n\n"
        + RIGHT.replace("### BEGIN SOLUTION", "while endless:\n        open('begun', 'w').close()"),
    )
    play = notebook.cell(PLAY)
    expect(readout(play)).to_contain_text("The target is the same.")
    notebook.run("code-01", "endless = True")
    notebook.drag(slider(notebook.cell(PLAY)))
    notebook.until(begun.exists, "The function was never called.")


def says(notebook: Notebook, sentence: str) -> None:
    """See a sentence in the figure and below it, before and after a drag."""
    play = notebook.cell(PLAY)
    expect(readout(play)).to_contain_text(sentence)
    notebook.drag(slider(play))
    settled(play)
    expect(play.locator("svg[role=img]")).to_contain_text(sentence[:50])
    expect(readout(play)).to_contain_text("run its cell again: this figure follows.")
    expect(play).not_to_contain_text("Traceback")

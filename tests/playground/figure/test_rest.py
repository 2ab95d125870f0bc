"""A move that takes long: the figure follows the hand first, and what is left goes on while the hand rests."""

from __future__ import annotations

import re
import threading
from typing import Any

import numpy as np
import pytest
from figures import html, lines_of, shown, slope_figure

from playground.figure import patience, rest, style
from playground.figure.live import LiveFigure


def test_a_slow_function_ends_on_the_last_value() -> None:
    started = threading.Event()
    started.set()

    def relu(z: Any) -> Any:
        started.wait(600)
        return np.maximum(z, 0)

    figure = slope_figure(relu=relu)
    assert figure.widget
    started.clear()
    movers = [
        threading.Thread(target=setattr, args=(figure.controls["slope"], "value", v / 10))
        for v in range(5)
    ]
    for mover in movers:
        mover.start()
    started.set()
    for mover in movers:
        mover.join()
    assert f"it ends at {style.number(figure.controls['slope'].value)}." in html(figure)


def test_a_figure_says_that_it_waits_for_a_slow_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SECONDS", 0.02)
    go_on = threading.Event()
    go_on.set()

    def relu(z: Any) -> Any:
        go_on.wait(600)
        return np.maximum(z, 0)

    figure = slope_figure(relu=relu)
    assert "it ends at 1." in html(figure)
    go_on.clear()
    mover = threading.Thread(target=setattr, args=(figure.controls["slope"], "value", 2.0))
    mover.start()
    assert shown(figure, "Your functions have been at work on the next picture for")
    assert "it ends at 1." in html(figure)
    go_on.set()
    mover.join()
    assert "at work" not in html(figure)
    assert "it ends at 2." in html(figure)


def growing_figure(relu: Any) -> LiveFigure:
    """A curve that grows point by point, up to four."""

    def move(f: Any, slope: float) -> Any:
        for n in range(1, 5):
            x = np.arange(float(n))
            yield (
                {"curve": (x, f.relu(slope * np.cos(x), shape=(n,)))},
                f"{n} points of slope {style.number(slope)}.",
            )

    figure = LiveFigure("It grows", move, {"relu": relu})
    figure.line("curve", figure.axes(xlim=(0, 3), ylim=(-2, 6)), twin=False)
    figure.slider("slope", "slope", -2, 2, 1.0)
    return figure


def test_a_long_move_shows_its_first_result_at_once_and_its_last_at_rest(cell: None) -> None:
    figure = growing_figure(lambda z: z)
    assert "1 points of slope 1" in html(figure)
    assert "The target is the same." in html(figure)
    rest.hold(False)
    assert shown(figure, "4 points of slope 1")
    rest.hold(True)
    figure.controls["slope"].value = 2.0
    assert "1 points of slope 2" in html(figure)
    rest.hold(False)
    assert shown(figure, "4 points of slope 2")
    assert len(lines_of(figure.svg)[0]) == 4


def test_a_hand_that_goes_on_is_not_disturbed_and_ends_on_its_last_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rest, "REST_SECONDS", 3600.0)  # no stall of the machine looks like a rest
    figure = growing_figure(lambda z: z)
    assert figure.widget
    assert figure._moving is not None
    seen: list[str] = []
    figure._moving.observe(lambda change: seen.append(change["new"]), "value")
    for slope in np.arange(-2, 2.1, 0.25):
        figure.controls["slope"].value = slope
    assert {text for each in seen for text in re.findall(r"\d points", each)} == {"1 points"}
    monkeypatch.setattr(rest, "REST_SECONDS", 0.1)
    rest.hold(False)  # wakes what waits for the hand to rest
    assert shown(figure, "4 points of slope 2")


def test_nothing_goes_on_while_a_cell_runs(cell: None) -> None:
    while_held: list[bool] = []

    def relu(z: Any) -> Any:
        if len(z) > 1:
            while_held.append(rest._held)
        return z

    figure = growing_figure(relu)
    assert "1 points" in html(figure)
    rest.hold(False)
    assert shown(figure, "4 points")
    assert while_held == [False] * 3


def test_an_error_in_a_later_result_is_said_and_ends_the_move() -> None:
    def relu(z: Any) -> Any:
        if len(z) > 2:
            raise ValueError("too many")
        return z

    figure = growing_figure(relu)
    assert shown(figure, "relu stopped with ValueError: too many.")
    assert figure.readout == [
        "relu stopped with ValueError: too many. Mend it and run its cell again: this figure follows.",
        "Target: 4 points of slope 1.",
    ]


def test_what_looks_at_the_figure_sees_the_last_result(cell: None) -> None:
    assert growing_figure(lambda z: np.maximum(0, z)).alt.endswith(
        "Yours: 4 points of slope 1. The target is the same."
    )

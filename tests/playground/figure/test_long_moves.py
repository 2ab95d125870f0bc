"""Moves that yield: the first result at once, the others on the kernel's event loop."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import threading
from typing import Any

import numpy as np
import pytest
from figures import html, lines_of, moved, shows, slope_figure

from playground.figure import live, style
from playground.figure.live import LiveFigure


def growing_figure(relu: Any) -> LiveFigure:
    """Return a curve that grows point by point, up to four."""

    def move(f: Any, slope: float) -> Any:
        for n in range(1, 5):
            x = np.arange(float(n))
            curve = x, f.relu(slope * np.cos(x), shape=(n,))
            yield {"curve": curve}, f"{n} points of slope {style.number(slope)}."

    figure = LiveFigure("It grows", move, {"relu": relu})
    figure.line("curve", figure.axes(xlim=(0, 3), ylim=(-2, 6)), twin=False)
    figure.slider("slope", "slope", -2, 2, 1.0)
    return figure


def test_without_an_event_loop_a_long_move_ends_at_once() -> None:
    figure = growing_figure(lambda z: z)
    assert "4 points of slope 1" in html(figure)
    assert "4 points of slope 2" in html(moved(figure, slope=2.0))
    assert len(lines_of(figure.svg)[0]) == 4


def test_in_a_kernel_the_first_result_is_shown_at_once_and_the_others_later() -> None:
    async def scene() -> None:
        figure = growing_figure(lambda z: z)
        assert "1 points of slope 1" in html(figure)
        assert "The target is the same." in html(figure)
        assert await shows(figure, "4 points of slope 1")
        assert "1 points of slope 2" in html(moved(figure, slope=2.0))
        assert await shows(figure, "4 points of slope 2")

    asyncio.run(scene())


def test_a_moving_slider_postpones_the_rest_of_a_move(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        monkeypatch.setattr(live.LiveFigure._later, "__defaults__", (3600.0,))
        figure = growing_figure(lambda z: z)
        assert figure.widget
        seen: list[str] = []
        figure._moving.observe(lambda change: seen.append(change["new"]), "value")
        for slope in np.arange(-2, 2.1, 0.25):
            figure.controls["slope"].value = slope
            await asyncio.sleep(0)
        assert {text for each in seen for text in re.findall(r"\d points", each)} == {"1 points"}
        figure._later(figure._advance, 0)
        assert await shows(figure, "4 points of slope 2")

    asyncio.run(scene())


def test_an_error_in_a_later_result_ends_the_move() -> None:
    def relu(z: Any) -> Any:
        if len(z) > 2:
            raise ValueError("too many")
        return z

    yours, target = growing_figure(relu).readout
    assert yours.startswith("relu stopped with ValueError: too many. Fix it")
    assert target == "Target: 4 points of slope 1."


def test_reading_a_figure_completes_its_move() -> None:
    async def scene() -> str:
        return growing_figure(lambda z: np.maximum(0, z)).alt

    assert asyncio.run(scene()).endswith("Yours: 4 points of slope 1. The target is the same.")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal.")
def test_an_interrupt_between_two_messages_ends_a_function_and_not_the_kernel() -> None:
    def relu(z: Any) -> Any:
        while len(z) > 2:
            os.kill(os.getpid(), signal.SIGINT)
        return z

    async def scene() -> None:
        figure = growing_figure(relu)
        usual = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in an idle kernel
        try:
            assert await shows(figure, "relu was interrupted.")
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        finally:
            signal.signal(signal.SIGINT, usual)

    asyncio.run(scene())


def test_an_interrupt_elsewhere_does_not_end_the_kernels_event_loop() -> None:
    async def scene() -> None:
        def work() -> bool:
            raise KeyboardInterrupt

        slope_figure()._do(work)

    asyncio.run(scene())


def test_figures_move_on_threads_too_where_a_front_end_uses_subshells() -> None:
    figure = growing_figure(lambda z: np.maximum(z, 0))
    assert figure.widget
    values = [n / 10 for n in range(5)]
    threads = [
        threading.Thread(target=setattr, args=(figure.controls["slope"], "value", value))
        for value in values
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    value = style.number(figure.controls["slope"].value)
    assert f"4 points of slope {value}." in html(figure)


def test_first_pictures_come_first_then_figures_in_view_then_the_others() -> None:
    async def scene() -> list[str]:
        notebook: dict[str, Any] = {}
        exec("def relu(z):\n    return z", notebook)
        shown: list[str] = []

        def watched(name: str) -> LiveFigure:
            def note(change: Any) -> None:
                shown.extend(f"{name} {n}" for n in re.findall(r"(\d) points", change["new"])[:1])

            figure = growing_figure(notebook["relu"])
            assert figure.widget
            figure._moving.observe(note, "value")
            return figure

        far, near, changed = (watched(name) for name in ("far", "near", "changed"))
        near._seen.value = True
        for figure in (far, near):
            figure._later(figure._advance, 0)
        changed._later(changed.refresh, 0)
        assert await shows(far, "4 points")
        assert await shows(changed, "4 points")
        return shown

    order = (
        "changed 1, near 2, near 3, near 4, far 2, far 3, far 4, changed 2, changed 3, changed 4"
    )
    assert asyncio.run(scene()) == order.split(", ")

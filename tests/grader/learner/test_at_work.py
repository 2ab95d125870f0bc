"""A notice of long work precedes it, and is gone after it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import IPython.core.getipython
import IPython.display
import pytest
from IPython.core.events import EventManager

from grader.learner.at_work import at_work


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record what a notebook is told to display and to clear."""
    told: list[str] = []
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: told.extend(data))
    monkeypatch.setattr(IPython.display, "clear_output", lambda wait: told.append("cleared"))
    return told


def run_in(cell: str, monkeypatch: pytest.MonkeyPatch) -> EventManager:
    """Let the last cell of a kernel have this text; return the kernel's events."""
    shell: Any = SimpleNamespace(
        kernel=object(), history_manager=SimpleNamespace(input_hist_raw=["", cell])
    )
    shell.events = EventManager(shell, {"post_run_cell": None})
    monkeypatch.setattr(IPython.core.getipython, "get_ipython", lambda: shell)
    events: EventManager = shell.events
    return events


def test_a_notice_comes_before_the_work_and_goes_after_it(
    events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work() -> None:
        events.append("work")
        raise KeyboardInterrupt

    kernel = run_in("check(f)\n", monkeypatch)
    with pytest.raises(KeyboardInterrupt), at_work("f"):
        work()
    # a widget alone: nbval doesn't compare those
    assert events == ["application/vnd.jupyter.widget-view+json", "work", "cleared"]
    assert len(kernel.callbacks["post_run_cell"]) == 1  # closes the notice, once
    kernel.trigger("post_run_cell", None)
    assert kernel.callbacks["post_run_cell"] == []


def test_a_cell_with_other_lines_keeps_its_output(
    events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_in("print(f(0))\ncheck(f)", monkeypatch)
    with at_work("f"):
        events.append("work")
    assert events == ["work"]


def test_outside_of_a_kernel_nothing_is_displayed(events: list[str]) -> None:
    with at_work("f"):
        events.append("work")
    assert events == ["work"]


@pytest.mark.parametrize(("platform", "button"), [("linux", "■"), ("emscripten", "⟳")])
def test_the_notice_names_the_button_that_ends_the_work(
    platform: str, button: str, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Any] = []
    run_in("check(f)", monkeypatch)
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr("grader.learner.at_work.display_alone", shown.append)
    with at_work("f"):
        pass
    assert f"f is still at work. {button} in the toolbar" in shown[0].value

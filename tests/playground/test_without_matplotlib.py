"""A browser has neither matplotlib nor threads: plays are made there from stored stills."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
from figures import html
from plays import PLAYS, Notebook

from playground.figure.live import LiveFigure
from playground.figure.still import Still, _stored

ABSENT = "matplotlib", "PIL", "contourpy"
IMPORTS = f"""
import pkgutil, sys, playground
for module in pkgutil.walk_packages(playground.__path__, "playground."):
    if module.name not in ("playground.figure.drawn", "playground.server"):
        __import__(module.name)
assert not {{*{ABSENT}}} & {{*sys.modules}}
"""


def test_importing_the_plays_imports_nothing_that_draws() -> None:
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forbid everything that a browser lacks."""
    forbidden = {name for name in sys.modules if name.partition(".")[0] in ABSENT}
    for name in (*forbidden, *ABSENT, "playground.figure.drawn"):
        monkeypatch.setitem(sys.modules, name, None)

    def start(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)


@pytest.mark.parametrize("title", PLAYS)
def test_a_play_is_displayed_without_matplotlib_and_threads(
    title: str, bare: None, brief: None, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = Notebook(title)
    assert type(notebook.play.still) is Still
    assert all(notebook.reads())
    assert html(notebook.play).count('class="playground-still-layer') == 2
    notebook.play._ipython_display_()
    whole = notebook.play.still.flat(notebook.play._view.marks)[1]["image/svg+xml"]
    assert whole.count("<svg") == whole.count("</svg>") >= 2


@pytest.mark.parametrize("title", PLAYS)
def test_a_stored_still_is_the_drawn_one(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveFigure, "refresh", lambda _: None)  # nothing has to be computed
    drawn = Notebook(title).play
    stored = _stored(drawn.title)
    for now, then in zip(drawn.still.axes, stored.axes, strict=True):
        np.testing.assert_allclose(then.box, now.box, atol=0.5)
        np.testing.assert_allclose([then.x, then.y], [now.x, now.y])
        assert [*then.logs] == [*now.logs]

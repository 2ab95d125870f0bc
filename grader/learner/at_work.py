"""Show in a notebook that long work goes on, and how to end it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

STYLE = """<style>
.at-work{visibility:hidden;animation:at-work 1ms 2s forwards;\
font-family:var(--jp-ui-font-family,sans-serif);font-size:14px;\
color:var(--jp-ui-font-color1,#222)}
@keyframes at-work{to{visibility:visible}}
</style>"""
"""It reveals the notice after two seconds, so that no thread has to wait for that."""


@contextmanager
def at_work(name: str) -> Iterator[None]:
    """Tell the learner of work that lasts longer than two seconds, until it ends.

    Clears the cell's output at the end; so it does nothing in a cell that has other lines.
    """
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    if not hasattr(shell, "kernel") or "\n" in shell.history_manager.input_hist_raw[-1].strip():
        yield
        return
    import ipywidgets as widgets
    from IPython.display import clear_output

    way_out = "■ in the toolbar, or Interrupt in the menu Kernel, ends it."
    if sys.platform == "emscripten":  # a browser's kernel can't be interrupted
        way_out = "⟳ in the toolbar ends it; what you wrote stays."
    text = escape(f"{name} is still at work. {way_out}")
    notice = widgets.HTML(f'{STYLE}<div class="at-work" role="status">{text}</div>')
    try:
        display_alone(notice)
        yield
    finally:
        clear_output(wait=True)
        # No earlier: JupyterLab stumbles over a closed widget that it still shows.
        after_cell(notice.close)


def display_alone(widget: Any) -> None:
    """Display a widget without a text beside it: no comparison of outputs counts it."""
    from IPython.display import display

    kind = "application/vnd.jupyter.widget-view+json"
    model = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    display({kind: model}, raw=True)


def after_cell(work: Callable[[], object]) -> None:
    """Do something once the running cell has shown its result."""
    from IPython.core.getipython import get_ipython

    events: Any = get_ipython().events  # type: ignore[union-attr]  # only a kernel's cell runs

    def once(_: Any) -> None:
        events.unregister("post_run_cell", once)
        work()

    events.register("post_run_cell", once)

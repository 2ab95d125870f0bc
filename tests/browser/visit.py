"""Build the static site with the xeus kernel, serve it, and open its notebooks in Chromium."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lab import Notebook
from playwright.sync_api import Page

from course import ROOT

ALONE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
"""Option of Chromium: refuse every other host."""
READY = """path => {
    const notebook = window.jupyterapp?.shell.currentWidget;
    const cells = notebook?.content?.model?.sharedModel?.cells.length;
    return cells && notebook.content.widgets.length === cells && notebook.context.path === path
        && notebook.sessionContext.session?.kernel?.status === 'idle';
}"""
"""The kernel of a notebook is idle, and each cell is in the page, which adds them bit by bit.

The page first shows the notebook that was open before.
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Print nothing."""


def build(folder: Path) -> None:
    """Write the site to a folder."""
    for words in (
        ["make", ".venv/site/ready"],
        [sys.executable, "-m", "grader.cli", "site", "--kernel", "xeus", "--output", str(folder)],
    ):
        subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder to this machine, and yield its address."""
    handler = partial(Quiet, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def visited(page: Page, site: str, path: str) -> Notebook:
    """Open a notebook of the site, and wait for its kernel."""
    page.goto(f"{site}/lab/index.html?path={path}")
    page.wait_for_function(READY, arg=path)
    page.evaluate("() => jupyterapp.shell.collapseLeft()")
    return Notebook(page)

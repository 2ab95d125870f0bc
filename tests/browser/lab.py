"""Start JupyterLab on a folder and use it in a real Chromium, as a learner does."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from course import LESSONS, ROOT

PICTURES = ROOT / "build" / "screenshots"
CEILING = 300_000
"""Milliseconds after which a test gives up waiting; a quiet machine needs a tenth."""
CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)
LAYOUT = """play => {
    const box = of => {
        const r = play.querySelector(of)?.getBoundingClientRect();
        const at = play.querySelector('.playground').getBoundingClientRect();
        return r && [r.x - at.x, r.y - at.y, r.width, r.height].map(Math.round).join(' ');
    };
    const isOut = (text, svg) => {
        const t = text.getBoundingClientRect(), s = svg.getBoundingClientRect();
        return t.left < s.left - 1 || t.top < s.top - 1
            || t.right > s.right + 1 || t.bottom > s.bottom + 1;
    };
    const parts = ['.playground', '.playground-controls', 'svg[role=img]', '.playground-readout'];
    window.layouts = new Set();
    window.clipped = new Set();
    const look = () => {
        if (!window.layouts) return;
        window.layouts.add(parts.map(of => `${of}: ${box(of)}`).join('; '));
        for (const svg of play.querySelectorAll('svg[role=img]'))
            for (const text of svg.querySelectorAll('text'))
                if (isOut(text, svg)) window.clipped.add(text.textContent);
        requestAnimationFrame(look);
    };
    look();
}"""
"""Record in every frame from now on the boxes of a play's parts, and words outside its picture."""
STILL = """element => new Promise(resolve => {
    let before, same = 0;
    const look = () => {
        const r = element.getBoundingClientRect(), box = [r.x, r.y, r.width, r.height].join(' ');
        same = box === before ? same + 1 : 0;
        before = box;
        if (same < 3 && r.height) requestAnimationFrame(look); else resolve(r.height > 0);
    };
    look();
})"""
"""True once an element kept its place for three frames; false if the notebook doesn't show it."""
TO_ITS_CELL = """part => jupyterapp.shell.currentWidget.content.scrollToItem(
    Number(part.closest('.jp-Cell').dataset.windowedListIndex), 'center')"""
NEXT_FRAME = "() => new Promise(requestAnimationFrame)"
"""Done once the page draws its next frame."""
READY = """() => {
    const session = window.jupyterapp?.shell.currentWidget?.sessionContext;
    return session?.isReady && session.session?.kernel?.status === 'idle';
}"""
CELLS = "jupyterapp.shell.currentWidget.content.widgets"


def lessons(*usual: str) -> list[Any]:
    """All lessons as parameters; `make long` alone runs those that are not `usual`."""
    return [
        name if name in usual else pytest.param(name, marks=pytest.mark.long) for name in LESSONS
    ]


def require_chromium() -> str:
    """Return the path of Chromium; skip the test where there is none, and fail in CI."""
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "There is no Chromium on this machine: apt install chromium (or Chrome) brings one."
        )
    return str(CHROMIUM)


class Server:
    """JupyterLab as `make lab` starts it, on a free port of this machine."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.token, self.port = folder, secrets.token_hex(8), 0
        places = {"CONFIG": home, "RUNTIME": home / "runtime"}
        environment = {
            **os.environ,
            **{f"JUPYTER_{name}_DIR": str(place) for name, place in places.items()},
            "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
            "OPENBLAS_NUM_THREADS": "1",  # waiting threads cost a busy machine most
            "IPYTHONDIR": str(home / "ipython"),  # kernels of two test processes share no history
        }
        options = [
            "--port=0",
            f"--IdentityProvider.token={self.token}",
            "--no-browser",
            "--allow-root",
        ]
        options += ["--LabApp.expose_app_in_browser=True"]
        # The same server has Notebook 7 under notebooks/.
        options += ["--JupyterNotebookApp.expose_app_in_browser=True"]
        self.process = subprocess.Popen(
            [str(Path(sys.executable).parent / "grader"), "lab", "--", *options],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
        self._lines: list[str] = []
        self._started = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._started.wait(CEILING / 1000) or not self.port:
            self.close()
            raise AssertionError("JupyterLab did not start:\n" + "".join(self._lines))

    def url(self, path: str) -> str:
        """Return the address of one of the server's pages."""
        return f"http://127.0.0.1:{self.port}/{path}{'&' if '?' in path else '?'}token={self.token}"

    def fresh(self, lesson: str) -> Path:
        """Put a lesson back as the course has it, and return its folder."""
        folder = self.folder / "work" / lesson
        shutil.rmtree(folder, ignore_errors=True)
        return Path(shutil.copytree(self.folder / "course" / lesson, folder))

    def close(self) -> None:
        """Stop the server and its kernels."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._reader.join(60)  # longer where a kernel outlives the server and keeps its pipe

    def _read(self) -> None:
        """Keep what the server prints, and take its port from it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.append(line)
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/", line):
                self.port = int(found[1])
                self._started.set()
        self.process.stdout.close()
        self._started.set()  # also where it ended without a port


class Notebook:
    """A notebook that is open in the browser."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def cells(self) -> Locator:
        """Return all cells, in order."""
        return self.page.locator(".jp-Notebook .jp-Cell")

    def theme(self, name: str) -> None:
        """Change JupyterLab's theme ("Light" or "Dark")."""
        self.page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})",
            f"JupyterLab {name}",
        )
        self.page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light",
            arg=str(name == "Light").lower(),
        )

    def run_all(self) -> None:
        """Run every cell and wait for the last one."""
        self.page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
        self.page.wait_for_function(
            f"() => {CELLS}.map(c => c.model).filter(m => m.type === 'code')"
            ".every(m => m.executionCount !== null && m.executionState !== 'running')"
        )

    def until(self, condition: Callable[[], bool], complaint: str) -> None:
        """Let the page draw frame after frame until a condition is met; fail with a complaint."""
        end = time.monotonic() + CEILING / 1000
        while not condition():
            assert time.monotonic() < end, complaint
            self.page.evaluate(NEXT_FRAME)

    def set_source(self, cell_id: str, text: str) -> None:
        """Write a text into a cell."""
        self.page.evaluate(
            f"([id, text]) => {CELLS}.find(c => c.model.id === id)"
            ".model.sharedModel.setSource(text)",
            [cell_id, text],
        )

    def outputs(self) -> list[dict[str, Any]]:
        """Return each code cell's id and outputs, as the notebook would store them."""
        found: list[dict[str, Any]] = self.page.evaluate(
            f"() => {CELLS}.map(c => c.model).filter(m => m.type === 'code')"
            ".map(m => ({id: m.id, outputs: m.outputs.toJSON()}))"
        )
        return found

    def cell(self, cell_id: str) -> Locator:
        """Return the cell of that id, scrolled into view, once it keeps its place."""
        index = self.page.evaluate(f"id => {CELLS}.findIndex(c => c.model.id === id)", cell_id)
        current = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        cell = current.locator(f'.jp-Cell[data-windowed-list-index="{index}"]')
        end = time.monotonic() + CEILING / 1000
        while time.monotonic() < end:
            self.page.evaluate(
                "i => jupyterapp.shell.currentWidget.content.scrollToItem(i, 'center')", index
            )
            if cell.count() and cell.evaluate(STILL):
                with suppress(PlaywrightTimeout):  # the notebook hides cells that are out of view
                    cell.scroll_into_view_if_needed(timeout=CEILING / 20)
                    return cell
        raise AssertionError(f"{cell_id} did not come into view.")

    def run(self, cell_id: str, text: str | None = None) -> None:
        """Run one cell, with a new text where one is given, and wait until it is done."""
        if text is not None:
            self.set_source(cell_id, text)
        self.page.evaluate(
            """id => {
                const notebook = jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = notebook.widgets.findIndex(c => c.model.id === id);
                return jupyterapp.commands.execute('notebook:run-cell');
            }""",
            cell_id,
        )

    def answer(self, cell_id: str) -> None:
        """Answer each open question in a cell, with the last option, and wait for the reply."""
        cell = self.cell(cell_id)
        replies = cell.locator(".asked", has_text="✓").or_(cell.locator(".asked", has_text="✗"))
        buttons = cell.get_by_role("button", name="Answer", exact=True)
        end = time.monotonic() + CEILING / 1000
        while buttons.count() or not replies.count():
            # The notebook may be scrolled meanwhile, and hides cells that are out of view.
            assert time.monotonic() < end, f"{cell_id} does not stay in view."
            self.cell(cell_id)
            with suppress(PlaywrightTimeout, AssertionError):
                button = self.page.get_by_role("button", name="Answer", exact=True)
                group = cell.locator(".widget-vbox", has=button).first
                if options := group.locator("input[type=radio]").all():
                    options[-1].click(timeout=CEILING / 20)
                if open_before := buttons.count():
                    buttons.first.click(timeout=CEILING / 20)
                    expect(buttons).to_have_count(open_before - 1, timeout=CEILING / 20)

    def drag(
        self,
        slider: Locator,
        share: float = 0.3,
        steps: int = 12,
        at_each: Callable[[float], None] | None = None,
    ) -> None:
        """Drag a slider's handle with the mouse by a share of its length, to the farther end.

        `at_each` is called after each step with the mouse's x, in pixels.
        """
        handle = slider.locator(".noUi-handle").first
        handle.scroll_into_view_if_needed()
        assert handle.evaluate(STILL)
        box, track = handle.bounding_box(), slider.locator(".noUi-target").first.bounding_box()
        assert box is not None
        assert track is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        in_left_half = x < track["x"] + track["width"] / 2
        to = x + (share if in_left_half else -share) * track["width"]
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        for step in range(1, steps + 1):
            self.page.mouse.move(x + (to - x) * step / steps, y)
            self.page.evaluate(NEXT_FRAME)
            if at_each is not None:
                at_each(x + (to - x) * step / steps)
        self.page.mouse.up()

    def press(self, slider: Locator, key: str) -> None:
        """Press a key on a slider's handle."""
        slider.locator(".noUi-handle").first.evaluate(
            "handle => handle.focus({preventScroll: true})"
        )
        self.page.keyboard.press(key)

    @contextmanager
    def steady(self, play: Locator) -> Iterator[None]:
        """Require the same layout of a play in every frame, with all words in the picture."""
        play.evaluate(LAYOUT)
        yield
        layouts, clipped = self.page.evaluate(
            "() => { const seen = [[...layouts], [...clipped]]; layouts = null; return seen }"
        )
        assert len(layouts) == 1, layouts
        assert clipped == []

    def picture(self, name: str, of: Locator | None = None) -> None:
        """Save a screenshot of the page, or of a part of it."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        shot = self.page.screenshot() if of is None else self.screenshot(of)
        (PICTURES / f"{name}.png").write_bytes(shot)

    def screenshot(self, of: Locator) -> bytes:
        """Return a picture of a part of a cell, scrolled into view, as a PNG."""
        end = time.monotonic() + CEILING / 1000
        while True:
            of.evaluate(TO_ITS_CELL)
            with suppress(PlaywrightTimeout):  # the notebook hides cells that are out of view
                return of.screenshot(timeout=CEILING / 20)
            assert time.monotonic() < end, "The cell does not stay in view."


def shows(play: Locator, slider: Locator) -> None:
    """Wait until a play's figure shows the value next to a slider."""
    value = slider.locator(".widget-readout").inner_text().strip()
    shown = re.sub(r"\.?0+$", "", value) if "." in value else value
    label = (slider.locator(".widget-label").text_content() or "").strip()
    expect(play.locator("svg[role=img]")).to_have_attribute(
        "aria-label", re.compile(rf"[.,] {re.escape(label)}: {re.escape(shown)}[.,] ")
    )


@contextmanager
def browser(*options: str) -> Iterator[Any]:
    """Start a Chromium with a fresh profile."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=require_chromium(),
            args=["--headless=new", "--no-sandbox", "--disable-gpu", *options],
        )
        try:
            yield chromium
        finally:
            chromium.close()


LABS_OWN = ("Failed to execute 'removeChild'", "reading 'processLuminoMessage'")
"""What JupyterLab and ipywidgets report now and then on a busy machine, of no consequence.

JupyterLab removes a cell twice; a widget hears a message (such as "hide") after it was disposed.
Lumino catches some of these errors and writes them to the console; others reach the page.
"""
NOTEBOOK_7S_OWN = ("'schema'", "Command 'filebrowser:open-path' not registered")
"""Notebook 7.6 reports a setting that it lacks and, on some starts, a command that comes later."""


def ours(errors: list[str], theirs: tuple[str, ...] = ()) -> list[str]:
    """Return the errors without those that JupyterLab and `theirs` cause."""
    return [error for error in errors if not any(each in error for each in (*LABS_OWN, *theirs))]


@contextmanager
def opened(
    server: Server,
    path: str,
    chromium: Any,
    complaints: list[str],
    under: str = "lab/tree",
    kept: bool = False,
    reload: bool = False,
) -> Iterator[Notebook]:
    """Open a notebook in JupyterLab (or, under "notebooks", in Notebook 7), its kernel ready.

    Its lesson is as the course has it, unless it is to be `kept` as it is in the learner's folder.
    A page of JupyterLab that is open already is used again unless `reload`: loading takes longest.
    Errors that the page reports, other than `LABS_OWN`, are added to `complaints`.
    """
    lesson, _, inside = path.partition("/")
    if inside and not kept:
        server.fresh(lesson)
    heard: list[str] = []

    def crash(error: Any) -> None:
        heard.append(str(error))

    def message(message: Any) -> None:
        heard.extend([message.text] if is_error(message) else [])

    page = None if reload or under != "lab/tree" else open_lab(server, chromium)
    again = page is not None
    page = page or chromium.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(CEILING)
    page.on("pageerror", crash)
    page.on("console", message)
    try:
        if again:
            page.evaluate(OPEN, path)
        else:
            page.goto(server.url(f"{under}/{path}?reset"))
        page.wait_for_function(READY)
        page.evaluate("() => jupyterapp.shell.collapseLeft()")
        page.locator(".jp-Notebook").evaluate(STILL)
        yield Notebook(page)
    finally:
        # Not the complaints about a kernel that is shut down below while it starts.
        complaints += ours(heard, NOTEBOOK_7S_OWN if under == "notebooks" else ())
        page.remove_listener("pageerror", crash)
        page.remove_listener("console", message)
        try:
            page.evaluate(CLOSE)
        except PlaywrightError:  # the page has not come so far, or has crashed
            page.close()
        else:
            if reload or under != "lab/tree":
                page.close()


OPEN = "async path => { await jupyterapp.commands.execute('docmanager:open', {path}) }"
CLOSE = """async () => {
    for (const widget of [...jupyterapp.shell.widgets('main')]) widget.dispose();
    await jupyterapp.serviceManager.sessions.shutdownAll();
}"""
"""Close all documents without a question whether to save them, and shut down their kernels."""


def open_lab(server: Server, chromium: Any) -> Page | None:
    """Return the page in which this server's JupyterLab is open already."""
    pages = [page for context in chromium.contexts for page in context.pages]
    return next(
        (page for page in pages if page.url.startswith(server.url("lab").split("?")[0])), None
    )


def is_error(message: Any) -> bool:
    """Return whether a message of the console is an error, other than that a file was not found."""
    return message.type == "error" and "Failed to load resource" not in message.text


def free_port() -> int:
    """Return a free port below those that the system assigns itself."""
    while True:
        port = 15_000 + secrets.randbelow(15_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port

"""Run a lesson in VS Code's own widget manager, with a live kernel, in a page like its notebooks'.

VS Code itself isn't needed: its Jupyter extension displays widgets by this package from npm, in a
page whose content security policy, classes and variables are those below.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
from accessible import broken
from lab import CEILING, Server, ours, shows
from playwright.sync_api import Locator, Page, expect

from course import references

PACKAGE = "@vscode/jupyter-ipywidgets8@1.0.9"
SHA512 = "bocCThfa4JDIDd7qCFAfW3HpzHfTLYxOTpTbiDfw4DXOUjKHnr6ObkMBiIkuzYPRybh5bY4FhYLemuDuTvIbpQ=="
SETUP = """import numpy as np
from grader import check, harden, missions, predict, recall
from playground import neuron as play
play.keep(missions)
from grader.learner import trial
trial.outcomes_along.__defaults__ = (600.0,)  # seconds: a busy machine may stop the kernel"""
WEBVIEW = """<!doctype html><html><head>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data: blob: https:;
  script-src 'unsafe-inline' 'unsafe-eval' blob:; style-src 'unsafe-inline'; font-src data: https:">
<style>
  body {background: var(--vscode-editor-background); color: var(--vscode-editor-foreground)}
  body.vscode-light {--vscode-editor-background: #fff; --vscode-editor-foreground: #3b3b3b}
  body.vscode-dark {--vscode-editor-background: #1f1f1f; --vscode-editor-foreground: #ccc}
  LOOK
</style></head><body class="vscode-light"><div id="container"></div></body></html>"""
LOOKS = {
    "white": ".cell-output-ipywidget-background {background: white !important}",
    "transparent": """.cell-output-ipywidget-background {background: transparent !important;
        --jp-ui-font-color1: var(--vscode-editor-foreground);
        --jp-content-font-color1: var(--vscode-editor-foreground);
        --jp-widgets-color: var(--vscode-editor-foreground);
        --jp-widgets-label-color: var(--vscode-editor-foreground);
        --jp-widgets-readout-color: var(--vscode-editor-foreground)}
        .vscode-dark .cell-output-ipywidget-background {
        --jp-layout-color1: #313131; --jp-layout-color2: #313131; --jp-layout-color3: #313131}""",
}
"""Styles of widgets in older and in newer versions of its Jupyter extension."""
START = """async ([path, page, script]) => {
    const session = await jupyterapp.serviceManager.sessions.startNew(
        {path, name: path, type: 'notebook', kernel: {name: 'python3'}});
    const frame = document.createElement('iframe');
    frame.name = 'webview';
    frame.style = 'position:fixed; inset:0; width:100%; height:100%; z-index:9999; border:0;'
        + 'background:white';
    await new Promise(loaded => {
        frame.onload = loaded;
        frame.srcdoc = page;
        document.body.append(frame);
    });
    const webview = frame.contentWindow, {document: inside} = webview;
    const modules = {};  // its Jupyter extension has require.js for these two
    webview.define = (name, make) => { modules[name] = make(); };
    webview.requirejs = ([name], resolve) => resolve(modules[name]);
    const url = URL.createObjectURL(new Blob([script], {type: 'text/javascript'}));
    (await webview.eval(`import('${url}')`)).activate();
    webview.vscIPyWidgets8.load();
    webview.kernel = session.kernel;
    const none = () => {};
    const loader = {widgetsRegisteredInRequireJs: new Set(), errorHandler: (...why) => {
        throw Error(why.join()); }, loadWidgetScript: () => Promise.reject(), successHandler: none};
    webview.manager = new webview.vscIPyWidgets.WidgetManager(
        session.kernel, inside.getElementById('container'), loader, none);
}"""
"""Start a kernel for a notebook, and VS Code's widget manager on it, in a page within this one."""
RUN = """async ([id, code]) => {
    const kinds = ['application/vnd.jupyter.widget-view+json', 'text/html', 'image/png',
        'text/plain'];
    let cell = document.getElementById(id);
    if (!cell) container.append(cell = Object.assign(document.createElement('div'), {id}));
    cell.replaceChildren();
    const shown = [], output = () => {
        const place = document.createElement('div');
        place.className = 'output';
        cell.append(place);
        return place;
    };
    const show = data => {
        const kind = kinds.find(one => data[one]), place = output();
        if (kind !== kinds[0]) {
            if (kind === kinds[3]) place.textContent = data[kind];
            else place.innerHTML = kind === kinds[1] ? data[kind]
                : `<img src="data:image/png;base64,${data[kind]}">`;
            return;
        }
        place.className += ' cell-output-ipywidget-background';
        shown.push((async () => {
            const model = await manager.get_model(data[kind].model_id);
            const view = await manager.create_view(model, {el: place});
            await manager.display_view(data[kind], view, {node: place});
        })());
    };
    const execution = kernel.requestExecute(
        {code, silent: false, stop_on_error: true, store_history: true}, false, {cellId: id});
    execution.onIOPub = ({header, content}) => {
        if (['display_data', 'execute_result'].includes(header.msg_type)) show(content.data);
        else if (content.text) output().textContent = content.text;
        else if (header.msg_type === 'error') output().textContent = content.evalue;
    };
    await execution.done;
    await Promise.all(shown);
}"""
"""Run code as a cell and show its outputs, each by the kind that VS Code prefers."""


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return VS Code's widget manager as one script."""
    folder = tmp_path_factory.mktemp("npm")
    npm = shutil.which("npm")
    assert npm is not None, "npm is missing: apt install npm"
    command = [npm, "pack", PACKAGE, "--silent"]
    archive = folder / subprocess.check_output(command, cwd=folder, text=True).strip()
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert digest == SHA512
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return (folder / "package" / "dist" / "ipywidgets.js").read_text(encoding="utf-8")


class Webview:
    """A notebook in VS Code's page."""

    def __init__(self, page: Page) -> None:
        frame = page.frame("webview")
        assert frame is not None
        self.page, self.frame = page, frame

    def run(self, cell_id: str, code: str) -> Locator:
        """Run code as a cell, and return what it shows."""
        self.frame.evaluate(RUN, [cell_id, code])
        return self.frame.locator(f"#{cell_id}")

    def theme(self, name: str) -> None:
        """Change VS Code's theme ("light" or "dark")."""
        self.frame.evaluate("name => { document.body.className = `vscode-${name}` }", name)


@pytest.fixture(params=LOOKS)
def webview(request: Any, server: Server, chromium: Any, manager: str) -> Iterator[Webview]:
    """Start a kernel next to the neuron lesson, and VS Code's page on it."""
    complaints: list[str] = []
    server.fresh("neuron")
    page: Page = chromium.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(CEILING)
    page.goto(server.url("lab/tree/welcome.ipynb?reset"))
    page.wait_for_function("() => window.jupyterapp?.shell.currentWidget")
    page.on("pageerror", lambda error: complaints.append(str(error)))
    look = WEBVIEW.replace("LOOK", LOOKS[request.param])
    page.evaluate(START, ["neuron/neuron.ipynb", look, manager])
    yield Webview(page)
    heard = ours(complaints)  # not what JupyterLab says of a kernel that is shut down
    page.evaluate("() => jupyterapp.serviceManager.sessions.shutdownAll()")
    page.close()
    assert heard == []


@pytest.mark.long
def test_plays_questions_and_checks_work_in_vs_codes_widget_manager(webview: Webview) -> None:
    right = references("neuron")
    webview.run("setup", SETUP)
    webview.run("weighted_sum", right["weighted_sum"])
    webview.run("sigmoid", right["sigmoid"])
    expect(webview.run("check", "check(sigmoid)")).to_contain_text("✓ solved")

    choice = webview.run("choice", 'other = predict("strong_signal")')
    expect(choice.locator(".asked:not(.asked-form .asked)")).to_be_hidden()
    choice.get_by_role("radio").last.click()
    number = webview.run("number", 'bet = predict("bias_turned")')
    play = webview.run("play", "play.signal(weighted_sum, sigmoid, after=bet)")
    expect(play).to_contain_text("Answer the prediction above to unlock this play.")
    for question in (choice, number):
        question.get_by_role("button", name="Answer").click()
        expect(question.get_by_role("status")).to_contain_text(re.compile("[✓✗]"))

    figure, readout = play.locator("svg[role=img]"), play.locator(".playground-readout")
    expect(figure).to_be_visible()
    expect(play.locator("figure.playground-still")).to_be_hidden()
    expect(readout).to_contain_text("The target is the same.")
    slider = play.locator(".widget-slider").first
    slider.locator(".noUi-handle").focus()
    for key in ("Home", "ArrowRight"):
        webview.page.keyboard.press(key)
        shows(play, slider)
    handle, track = (slider.locator(part).bounding_box() for part in (".noUi-handle", ".noUi-base"))
    assert handle is not None
    assert track is not None
    webview.page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    webview.page.mouse.down()
    webview.page.mouse.move(track["x"] + 0.8 * track["width"], handle["y"], steps=10)
    webview.page.mouse.up()
    shows(play, slider)

    webview.run("weighted_sum", right["weighted_sum"].replace("+ b", "- b"))
    expect(readout).not_to_contain_text("The target is the same.")
    expect(readout).to_contain_text("Target:")
    wrong = webview.run("check", "check(weighted_sum)")
    expect(wrong).to_contain_text("✗")
    expect(wrong.locator("svg[role=img]")).to_be_visible()
    wrong.get_by_role("slider").press("Home")
    expect(wrong.get_by_role("slider")).to_have_value("0")
    for theme in ("dark", "light"):
        webview.theme(theme)
        for cell in ("choice", "number", "play"):
            assert broken(webview.frame, f"#{cell}") == []
        paper = play.locator(".playground").evaluate("e => getComputedStyle(e).backgroundColor")
        assert theme == "light" or paper == "rgb(31, 31, 31)"

"""`grader export`: write a learner's notebook as one HTML file that needs no kernel or network.

`OfflineExporter` is also the exporter of nbgrader's feedback, see nbgrader_config.py.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from html import escape, unescape
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import tostring

import nbformat
from jinja2 import DictLoader
from latex2mathml.converter import Converter
from nbconvert.exporters.html import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets import default

from grader.comparison.answer_key import KeyMissing, load_key
from grader.comparison.present import progress_text
from grader.comparison.schema import AnswerKey
from grader.errors import UserError
from grader.execution.cell_facts import checked_name, facts
from grader.execution.notebook import UnreadableNotebook, load_notebook
from grader.files import atomic_write
from grader.learner.notebook import find_notebook, reason
from grader.learner.questions import QuestionView
from grader.learner.workspace import notebook_places

WIDGET = "application/vnd.jupyter.widget-view+json"

CELL_SECONDS = 120
"""Time limit of one cell with --run."""

WITHOUT_MATHJAX = DictLoader({"mathjax.html.j2": "{%- macro mathjax(url='') -%}{%- endmacro -%}"})

MATH_STYLE = (
    "font-family:'Cambria Math','STIX Two Math','Latin Modern Math','Noto Sans Math',"
    "'DejaVu Math TeX Gyre',math,serif;max-width:100%;overflow-x:auto"
)
"""Fonts with the tables that MathML needs: browsers don't find each as the generic `math`."""

MACRO = re.compile(r"\\(def|newcommand|newenvironment|DeclareMathOperator)")
"""Commands by which a short formula can grow without bound."""

UNSAFE_ATTRIBUTES = {"href", "style", "class", "id"}

TEMPLATE = """
{%- extends 'index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_css -%}
<style>
@media (prefers-color-scheme: dark) {
  {{ resources.include_css("static/theme-dark.css") | striptags }}
}
:root { color-scheme: light dark }
body.jp-Notebook { background: var(--jp-layout-color0); color: var(--jp-content-font-color1);
  margin: 0; padding: 1.5em 1em 4em; overflow: auto }
main { max-width: 66em; margin: 0 auto }
.exported { border-bottom: 1px solid var(--jp-border-color2); padding: 0 0 .6em;
  margin: 0 5px 1em; font: 14px/1.5 var(--jp-ui-font-family) }
main img { max-width: 100%; height: auto }
details > summary { cursor: pointer }
.jp-Notebook .jp-InputArea-editor, .jp-Notebook .jp-OutputArea pre { overflow-x: auto }
@media print { pre { white-space: pre-wrap } details > * { display: block } }
</style>
{%- endblock -%}
{%- block body_header -%}
{{ super() }}
<p class="exported">{{ resources.summary }}</p>
{%- endblock -%}
"""


class OfflineExporter(HTMLExporter):
    """nbconvert's HTML in any template, with MathML in place of MathJax."""

    @default("extra_loaders")
    def _without_mathjax(self) -> list[DictLoader]:
        return [WITHOUT_MATHJAX]

    def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> Any:
        """Return a notebook's page and nbconvert's resources."""
        markdown = MarkdownWithMath(renderer=_Renderer(escape=False, exclude_anchor_links=True))
        self.register_filter("markdown2html", markdown.render)  # type: ignore[no-untyped-call]
        return super().from_notebook_node(nb, resources, **kw)


class _Renderer(IPythonRenderer):
    def inline_math(self, body: str) -> str:
        return formula(body)

    def block_math(self, body: str) -> str:
        return formula(body, "block")


def formula(tex: str, display: str = "inline") -> str:
    """Return a TeX formula as MathML, or as code if it can't be converted.

    The library's own text form leaves learners' "<" unescaped; so the elements are written here.
    """
    try:
        if MACRO.search(tex):
            raise ValueError
        math = Converter(display=display).convert_to_element(tex)
    except Exception:  # latex2mathml raises a dozen kinds, IndexError among them
        return f"<code>{escape(tex.strip())}</code>"
    for element in math.iter():
        for name in UNSAFE_ATTRIBUTES & element.attrib.keys():
            del element.attrib[name]
        element.text = unescape(element.text or "").replace("\\_", "_")
        if element.tag == "mo" and element.text in ("‖", "|"):  # else it grows with the whole row
            element.attrib.setdefault("stretchy", "false")
    math.attrib |= {"alttext": tex.strip(), "style": MATH_STYLE}
    return tostring(math, encoding="unicode")


def exported(notebook: Path, run: bool = False) -> str:
    """Return a lesson's notebook, beside its answer key, as one HTML page; `run` its cells first.

    Raises:
        UnreadableNotebook, KeyMissing, OSError: there is nothing to export.
    """
    key, page = load_key(notebook.parent), _read(notebook)
    if run:
        _run_cells(page, notebook.parent)
    summary = _summary(key, page.cells)
    for cell in page.cells:
        _make_static(cell, key, notebook.parent)
    page.metadata.pop("widgets", None)
    page.metadata["title"] = key["title"]
    exporter = OfflineExporter(
        raw_template=TEMPLATE, theme="light", exclude_input_prompt=True, exclude_output_prompt=True
    )  # type: ignore[no-untyped-call]
    html: str = exporter.from_notebook_node(page, {"summary": summary})[0]
    return html


def stale(cells: list[Any]) -> list[str]:
    """Return the exercises whose check has not run since their own cell did."""
    last_run: dict[str, int] = {}
    found = []
    for cell in (cell for cell in cells if cell.get("cell_type") == "code"):
        source = "".join(cell.get("source", ""))
        count = cell.get("execution_count") or 0
        if name := checked_name(source):
            if not cell.get("outputs") or count < last_run.get(name, 0):
                found.append(name)
        else:
            last_run |= dict.fromkeys(facts(source).functions, count)
    return found


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `export`."""
    parser = subparsers.add_parser("export", help="write a lesson of yours as one HTML file")
    parser.add_argument(
        "lesson", nargs="?", help="a lesson or a notebook (default: the lesson in this folder)"
    )
    parser.add_argument(
        "--run",
        dest="run_first",
        action="store_true",
        help="run all cells first (default: show the saved outputs)",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: work/LESSON.html")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    places = notebook_places(Path.cwd(), arguments.lesson)
    if len(places) > 1:
        raise UserError(f"Say which lesson: {', '.join(place.stem for place in places)}.")
    place = places[0]
    notebook = find_notebook(place)
    if notebook is None:
        raise UserError(f"There is no {place} yet; make lab makes your copy of the course.")
    try:
        page = exported(notebook, arguments.run_first)
        old = stale(load_notebook(notebook.read_bytes()))
    except (UnreadableNotebook, KeyMissing, OSError) as error:
        raise UserError(
            f"{notebook.name} can't be exported: {reason(error, 'export it again')}."
        ) from None
    named = place.parent if place.stem == place.parent.name else place
    target = arguments.output or named.with_suffix(".html")
    try:
        atomic_write(target, page)
    except OSError as error:
        raise UserError(
            f"{target} can't be written: {error.strerror}; choose another file with --output."
        ) from None
    print(f"Wrote {target}; open it in a browser.")
    if old and not arguments.run_first:
        print(
            f"These answers changed or ran after their last check: {', '.join(old)}."
            " To run all cells first, add --run (make export LESSON=… ARGS=--run).",
            file=sys.stderr,
        )
    return 0


def _read(notebook: Path) -> Any:
    data = notebook.read_bytes()
    load_notebook(data)  # raises UnreadableNotebook with the reason
    try:
        text = json.dumps(_completed(json.loads(data)))
        return nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    except Exception as error:  # nbformat and jsonschema have a dozen
        raise UnreadableNotebook(
            f"it is not a notebook that nbformat reads ({type(error).__name__})",
            "Save it in JupyterLab",
        ) from None


def _completed(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook with the fields that other tools leave out."""
    if "cells" not in notebook:
        return notebook  # an older format, which nbformat converts
    code: dict[str, Any] = {"outputs": [], "execution_count": None}
    cells = [
        {"metadata": {}, "source": ""} | (code if cell.get("cell_type") == "code" else {}) | cell
        for cell in notebook["cells"]
        if isinstance(cell, dict)
    ]
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": {}} | notebook | {"cells": cells}


def _run_cells(page: Any, folder: Path) -> None:
    """Run a notebook's cells in a kernel, past errors; its file is not changed.

    Raises:
        UnreadableNotebook: a cell took too long, or the kernel died.
    """
    from nbclient import NotebookClient

    current = 0

    def start(cell: Any, cell_index: int) -> None:
        nonlocal current
        current = cell_index + 1

    client = NotebookClient(
        page,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        allow_errors=True,
        store_widget_state=False,
        coalesce_streams=True,
        on_cell_start=start,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"],
    )
    try:
        client.execute()
    except TimeoutError:
        raise UnreadableNotebook(
            f"its cell {current} ran for more than {CELL_SECONDS} seconds",
            "Look for a loop that never ends, fix it",
        ) from None
    except RuntimeError:  # the kernel is dead
        raise UnreadableNotebook(
            f"its kernel ended at the cell {current}, which stops Python itself or needs more"
            " memory than there is",
            "Fix that cell",
        ) from None


def _make_static(cell: Any, key: AnswerKey, folder: Path) -> None:
    """Remove a cell's widgets, and add the learner's answer to a question."""
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if WIDGET in data:
            # An empty output keeps its place: the style of a still picture counts on it.
            output["data"] = {"text/html": ""}
        elif 'class="asked ' in (html := "".join(data.get("text/html", ""))):
            data["text/html"] = html.removesuffix("</div>") + _reply(html, key, folder) + "</div>"


def _reply(html: str, key: AnswerKey, folder: Path) -> str:
    """Return the learner's answer to the question in `html`, and why it is right or wrong."""
    name = next((name for name in key["questions"] if f'asked-{name}"' in html), None)
    if name is None:
        return ""
    view = QuestionView(name, key["questions"], "", folder)
    if view.chosen is None:
        return "<p>You have not answered yet.</p>"
    return f"<p>You chose: {escape(view.chosen)}. {escape(view.reply())}</p>"


def _summary(key: AnswerKey, cells: list[Any]) -> str:
    """Return how many exercises are solved, by the outputs of the page's own checks."""
    old = stale(cells)
    points = {
        name: cell["outputs"][-1].get("data", {}).get("text/plain")
        for cell in cells
        if (name := checked_name(cell["source"])) and cell["outputs"]
    }
    solved = sum(
        name not in old and points.get(name) == repr(float(one["points"]))
        for name, one in key["exercises"].items()
    )
    progress = progress_text(solved, len(key["exercises"]))
    text = f"{progress}. The figures don't move here; they do in the notebook."
    if old:
        text += f" Not checked since the code was run: {', '.join(old)}."
    return escape(text)

"""`grader export`: write a learner's notebook as one HTML file that needs no kernel or network.

The pages of feedback are made by a subclass of `OfflineExporter`, in `feedback_page.py`.
"""

from __future__ import annotations

import argparse
import json
import re
from html import escape, unescape
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import tostring

import nbformat
from jinja2 import DictLoader, pass_context
from latex2mathml.converter import Converter
from nbconvert.exporters.html import HTMLExporter
from nbconvert.filters.markdown_mistune import InvalidNotebook, IPythonRenderer, MarkdownWithMath
from traitlets import default

from grader.comparison.answer_key import KeyMissing, load_key, reset_command
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

WITHOUT_MATHJAX = DictLoader({"mathjax.html.j2": "{%- macro mathjax(url='') -%}{%- endmacro -%}"})

MATH_STYLE = (
    "font-family:'Cambria Math','STIX Two Math','Latin Modern Math','Noto Sans Math',"
    "'DejaVu Math TeX Gyre',math,serif"
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
  .highlight { --jp-mirror-editor-comment-color: #7fb3b3;
    --jp-mirror-editor-operator-color: #d08cff }
}
:root { color-scheme: light dark }
@media (prefers-color-scheme: light) {
  .highlight { --jp-mirror-editor-comment-color: #336b6b; --jp-mirror-editor-number-color: #070;
    --jp-mirror-editor-operator-color: #8a00d6 }
}
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

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Return Markdown as HTML, with the pictures pasted into its cell."""
        pasted = context.get("cell", {}).get("attachments", {})
        renderer = _Renderer(escape=False, exclude_anchor_links=True, attachments=pasted)
        return str(MarkdownWithMath(renderer=renderer).render(source))


class _Renderer(IPythonRenderer):
    def image(self, text: str, url: str, title: str | None = None) -> str:
        try:
            return super().image(text, url, title)
        except InvalidNotebook:  # the picture was lost, by an editor that drops attachments
            return f"<em>{escape(text)}</em>"

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
    if display == "block":  # a wide one scrolls, also by the keyboard
        math.attrib["style"] += ";max-width:100%;overflow:auto hidden"
        math.attrib["tabindex"] = "0"
    return tostring(math, encoding="unicode")


def exported(notebook: Path) -> str:
    """Return a lesson's notebook, beside its answer key, as one HTML page with its saved outputs.

    Raises:
        UnreadableNotebook, KeyMissing, OSError: there is nothing to export.
    """
    key, page = load_key(notebook.parent), _read(notebook)
    summary = _summary(key, page.cells)
    for cell in page.cells:
        _make_static(cell, key, notebook.parent)
    page.metadata.pop("widgets", None)
    page.metadata["title"] = key["title"]
    without_prompts = {"exclude_input_prompt": True, "exclude_output_prompt": True}
    exporter = OfflineExporter(raw_template=TEMPLATE, theme="light", **without_prompts)  # type: ignore[no-untyped-call]
    html: str = exporter.from_notebook_node(page, {"summary": summary})[0]
    return html


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `export`."""
    parser = subparsers.add_parser("export", help="write a lesson of yours as one HTML file")
    which = "a lesson or a notebook (default: the lesson in this folder)"
    parser.add_argument("lesson", nargs="?", help=which)
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: work/LESSON.html")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    place, *others = notebook_places(Path.cwd(), arguments.lesson)
    if others:
        raise UserError(f"Say which lesson: {', '.join(one.stem for one in (place, *others))}.")
    notebook = find_notebook(place)
    if notebook is None:
        raise UserError(f"There is no {place}. {reset_command(place.stem)} makes one.")
    try:
        page = exported(notebook)
    except (UnreadableNotebook, KeyMissing, OSError) as error:
        why = reason(error, "export it again")
        raise UserError(f"{notebook.name} can't be exported: {why}.") from None
    named = place.parent if place.stem == place.parent.name else place
    target = arguments.output or named.with_suffix(".html")
    atomic_write(target, page)
    print(f"Wrote {target}; open it in a browser.")
    return 0


def _read(notebook: Path) -> Any:
    """Return a notebook as nbformat's current version."""
    data = notebook.read_bytes()
    load_notebook(data)  # raises UnreadableNotebook with the reason
    try:
        text = json.dumps(json.loads(data))
        page = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(page)
    except Exception as error:  # nbformat and jsonschema have a dozen
        why = f"it is not a notebook that nbformat reads ({type(error).__name__})"
        raise UnreadableNotebook(why, "Save it in JupyterLab") from None
    return page


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
    """Return how many exercises the page's checks find solved, and which code ran after them."""
    last_run: dict[str, int] = {}
    points: dict[str, str | None] = {}
    for cell in (cell for cell in cells if cell.cell_type == "code"):
        count = cell.execution_count or 0
        if name := checked_name(cell.source):
            results = [one for one in cell.outputs if one.output_type == "execute_result"]
            earned = results[-1].data.get("text/plain") if results else None
            points[name] = earned if count >= last_run.get(name, 0) else None
        else:
            last_run |= dict.fromkeys(facts(cell.source).functions, count)
    exercises = key["exercises"]
    solved = sum(points.get(name) == repr(float(one["points"])) for name, one in exercises.items())
    text = f"{progress_text(solved, len(exercises))}. Live figures move only in the notebook."
    if stale := [name for name, earned in points.items() if earned is None]:
        text += f" Not checked since the code was run: {', '.join(stale)}."
    return escape(text)

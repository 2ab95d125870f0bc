"""`grader export`: write a learner's notebook as one HTML file that needs no kernel or network."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from html import escape
from pathlib import Path
from typing import Any

from grader.comparison.answer_key import KEY_FILE, KeyMissing, load_key
from grader.comparison.present import progress_text
from grader.comparison.schema import AnswerKey
from grader.errors import UserError
from grader.execution.cell_facts import checked_name, facts
from grader.execution.notebook import UnreadableNotebook, load_notebook, text_of
from grader.learner.notebook import found
from grader.learner.questions import QuestionView
from grader.learner.workspace import WORK, find_root, lessons

WIDGET = "application/vnd.jupyter.widget-view+json"

CELL_SECONDS = 120
"""That one cell may take where the notebook is run first."""

TEMPLATE = """
{%- extends 'index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_css -%}
<style>
@media (prefers-color-scheme: dark) { {{ resources.include_css("static/theme-dark.css") | striptags }} }
:root { color-scheme: light dark }
body.jp-Notebook { background: var(--jp-layout-color0); color: var(--jp-content-font-color1); margin: 0; padding: 1.5em 1em 4em; overflow: auto }
main { max-width: 66em; margin: 0 auto }
.exported { border-bottom: 1px solid var(--jp-border-color2); padding: 0 0 .6em; margin: 0 5px 1em; font: 14px/1.5 var(--jp-ui-font-family) }
.playground-still img { max-width: 100%; height: auto }
details > summary { cursor: pointer }
.jp-Notebook .jp-InputArea-editor, .jp-Notebook .jp-OutputArea pre { overflow-x: auto }
@media print { pre { white-space: pre-wrap } details > * { display: block } }
</style>
{%- endblock -%}
{%- block body_header -%}
{{ super() }}
<p class="exported">{{ resources.standing }}</p>
{%- endblock -%}
"""


def exported(notebook: Path, run: bool = False) -> str:
    """A lesson's notebook as one HTML page.

    Args:
        notebook: it lies beside the answer key of its lesson.
        run: whether its cells are run first, from the top, in a kernel; else what was saved is shown.

    Raises:
        UnreadableNotebook, KeyMissing, OSError: there is nothing to export.
    """
    from grader.learner.offline import OfflineExporter

    key, page = load_key(notebook.parent), _read(notebook)
    if run:
        _run_cells(page, notebook.parent)
    standing = _standing(key, page.cells)
    for cell in page.cells:
        _still(cell, key, notebook.parent)
    page.metadata.pop("widgets", None)
    page.metadata["title"] = key["title"]
    exporter = OfflineExporter(
        raw_template=TEMPLATE, theme="light", exclude_input_prompt=True, exclude_output_prompt=True
    )  # type: ignore[no-untyped-call]
    html: str = exporter.from_notebook_node(page, {"standing": standing})[0]
    return html


def stale(cells: list[dict[str, Any]]) -> list[str]:
    """Exercises whose check has not been run since their own cell was."""
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
    parser = subparsers.add_parser(
        "export",
        help="make one HTML file of a lesson of yours, with its pictures, that anybody can read",
    )
    parser.add_argument(
        "lesson",
        nargs="?",
        help="a lesson's name, or a notebook; where none is given, the lesson whose folder you are in",
    )
    parser.add_argument(
        "--run",
        dest="run_first",
        action="store_true",
        help="run all its cells first; else it shows what you saved",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="work/LESSON.html where it is not given"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    notebook, place = _places(Path.cwd(), arguments.lesson)
    try:
        page = exported(notebook, arguments.run_first)
        old = stale(load_notebook(notebook.read_bytes()))
    except (UnreadableNotebook, KeyMissing, OSError) as error:
        raise UserError(f"{notebook.name} can't be exported: {_why(error)}.") from None
    place = arguments.output or place
    _write(place, page)
    print(f"{place} is there; open it in a browser.")
    if old and not arguments.run_first:
        print(
            f"It shows what you saved, and these answers were changed or run after their last check: {', '.join(old)}.",
            file=sys.stderr,
        )
        print(
            "With --run (make export LESSON=… ARGS=--run), all cells are run first.",
            file=sys.stderr,
        )
    return 0


def _why(error: UnreadableNotebook | KeyMissing | OSError) -> str:
    if isinstance(error, UnreadableNotebook):
        return error.told("export it again")
    return getattr(error, "strerror", None) or str(error).removesuffix(".")


def _places(start: Path, lesson: str | None) -> tuple[Path, Path]:
    """The notebook that a learner means, and where its page belongs.

    Args:
        start: the folder the learner is in.
        lesson: a notebook, a lesson's folder or its name, or None for the lesson that the learner is in.

    Raises:
        UserError: there is none.
    """
    path = start / lesson if lesson else start
    if path.is_file():
        return path, path.with_suffix(".html")
    if (path / KEY_FILE).is_file():
        return found(own := path / f"{path.name}.ipynb") or own, path.with_suffix(".html")
    root = find_root(start)
    if lesson not in lessons(root):
        start_of_it = (
            f"The course has no lesson {lesson}, and there is no notebook of that name; it has"
            if lesson
            else "Say which lesson: the course has"
        )
        raise UserError(f"{start_of_it} {', '.join(lessons(root))}.")
    notebook = found(root / WORK / lesson / f"{lesson}.ipynb")
    if notebook is None:
        raise UserError(
            f"There is no {WORK}/{lesson}/{lesson}.ipynb yet; make lab makes your copy of the course."
        )
    return notebook, root / WORK / f"{lesson}.html"


def _write(place: Path, page: str) -> None:
    half = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        half.write_text(page, encoding="utf-8")
        half.replace(place)
    except OSError as error:
        with contextlib.suppress(OSError):
            half.unlink()
        raise UserError(
            f"{place} can't be written: {error.strerror}; name another place with --output."
        ) from None


def _read(notebook: Path) -> Any:
    import nbformat

    data = notebook.read_bytes()
    load_notebook(data)  # says in a sentence why it can't be read
    try:
        return nbformat.reads(json.dumps(_completed(json.loads(text_of(data)))), as_version=4)  # type: ignore[no-untyped-call]
    except Exception as error:  # nbformat and jsonschema have a dozen
        raise UnreadableNotebook(
            f"it is not a notebook that nbformat reads ({type(error).__name__})",
            "Save it in JupyterLab",
        ) from None


def _completed(notebook: dict[str, Any]) -> dict[str, Any]:
    """A notebook with what another tool left out of it."""
    if "cells" not in notebook:
        return notebook  # one of an older format, which nbformat brings up to date
    cells = [cell for cell in notebook["cells"] if isinstance(cell, dict)]
    missing = {"metadata": {}, "source": ""}
    return (
        {"nbformat": 4, "nbformat_minor": 4, "metadata": {}}
        | notebook
        | {
            "cells": [
                missing
                | (
                    {"outputs": [], "execution_count": None}
                    if cell.get("cell_type") == "code"
                    else {}
                )
                | cell
                for cell in cells
            ]
        }
    )


def _run_cells(page: Any, folder: Path) -> None:
    """Run a notebook's cells in a kernel, as "Run All" would but past errors; its file stays as it is.

    Raises:
        UnreadableNotebook: a cell doesn't end, or the kernel does.
    """
    from nbclient import NotebookClient

    begun = 0

    def begin(cell: Any, cell_index: int) -> None:
        nonlocal begun
        begun = cell_index + 1

    client = NotebookClient(
        page,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        allow_errors=True,
        store_widget_state=False,
        coalesce_streams=True,
        on_cell_start=begin,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"],
    )
    try:
        client.execute()
    except TimeoutError:
        raise UnreadableNotebook(
            f"its cell {begun} ran for more than {CELL_SECONDS} seconds",
            "Look for a loop that never ends, fix it",
        ) from None
    except RuntimeError:  # the kernel is dead
        raise UnreadableNotebook(
            f"its kernel ended at the cell {begun}, which stops Python itself or needs more memory than there is",
            "Mend that cell",
        ) from None


def _still(cell: Any, key: AnswerKey, folder: Path) -> None:
    """Put what a page without a kernel can show in the place of what lives."""
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if WIDGET in data:
            output["data"] = {
                "text/html": ""
            }  # it keeps its place: the picture's style counts on one before it
        elif 'class="asked ' in (page := "".join(data.get("text/html", ""))):
            data["text/html"] = page.removesuffix("</div>") + _reply(page, key, folder) + "</div>"


def _reply(page: str, key: AnswerKey, folder: Path) -> str:
    """What the learner answered to the question that is shown, and why it was right or wrong."""
    name = next((name for name in key["questions"] if f'asked-{name}"' in page), None)
    if name is None:
        return ""
    asked = QuestionView(name, key["questions"][name], "", folder)
    return (
        f"<p>You chose: {escape(str(asked.chosen))}. {escape(asked.reply())}</p>"
        if asked.answered
        else "<p>You have not answered yet.</p>"
    )


def _standing(key: AnswerKey, cells: list[Any]) -> str:
    """How much is solved, as the page's own checks say."""
    old = stale(cells)
    shown = {
        name: cell["outputs"][-1].get("data", {}).get("text/plain")
        for cell in cells
        if (name := checked_name(cell["source"])) and cell["outputs"]
    }
    solved = sum(
        name not in old and shown.get(name) == repr(float(one["points"]))
        for name, one in key["exercises"].items()
    )
    text = f"{progress_text(solved, len(key['exercises']))}. The figures stand still here; they move in the notebook."
    return escape(
        text if not old else f"{text} Not checked since the code was run: {', '.join(old)}."
    )

"""Render nbgrader's feedback pages, each within a budget."""

from __future__ import annotations

from functools import partial
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from grader.execution.limits import OUTSIDE
from grader.instructor.blame import reason
from grader.learner.export import OfflineExporter
from grader.processes import Guard

STYLE = """<style>
a { color: #23527c; text-decoration: underline }
div.nbgrader_cell .panel-heading a { color: white }
.highlight :is(.ow, .nd) { color: #8a00d6 } .highlight :is(.ne, .se) { color: #9c3328 }
</style>"""

ACCESSIBLE = {
    "<html>": '<html lang="en">',
    "</head>": f"{STYLE}</head>",
    '<div class="panel-heading">': '<div class="panel-heading" role="region" aria-label="Scores">',
}
"""What nbgrader's template lacks for everyone to read it: its text, first found, and ours."""


class FeedbackExporter(OfflineExporter):
    """A page that can't be made within its budget shows the verdicts alone, and says so."""

    def from_notebook_node(
        self, nb: NotebookNode, resources: Any = None, **kw: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Return the page (nbconvert's hook)."""
        render = super().from_notebook_node
        if not vars(self).get("_warm"):  # the next processes have the template and the lexers then
            render(verdicts_of(nb), resources, **kw)
            self._warm = True
        guard = Guard(partial(_sendable, render, nb, resources, **kw), OUTSIDE.memory_bytes)
        try:
            return guard.call(OUTSIDE.page_seconds)
        except Exception as error:  # of memory that is used up, C code raises any kind
            why = reason(error)
            self.log.error("%s: its page shows the verdicts alone: %s", nb_name(resources), why)
            return _sendable(render, verdicts_of(nb, why), resources, **kw)
        finally:
            guard.close()


def _sendable(render: Any, *given: Any, **named: Any) -> tuple[Any, dict[str, Any]]:
    """Render a page for everyone; leave out its functions, which no process can send."""
    body, resources = render(*given, **named)
    for theirs, ours in ACCESSIBLE.items():
        body = body.replace(theirs, ours, 1)
    return body, {name: value for name, value in resources.items() if not callable(value)}


def verdicts_of(nb: NotebookNode, why: str = "") -> NotebookNode:
    """Return a feedback notebook without a learner's cells."""
    graded = [cell for cell in nb.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    text = f"Your notebook can't be shown, {why}. These are your results."
    note = new_markdown_cell(text)  # type: ignore[no-untyped-call]
    return NotebookNode({**nb, "cells": [note, *graded]})  # type: ignore[no-untyped-call]


def nb_name(resources: Any) -> str:
    """Return the student whose page is made."""
    return str((resources or {}).get("nbgrader", {}).get("student", "a notebook"))

"""Render pages of feedback, each distinct cell of a class once.

`FeedbackExporter` makes a page as nbconvert does, from the template here. `Pages` makes the same
page from parts: the top of the page, and its cells, which are mostly the same for everyone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import DictLoader
from nbconvert.exporters.html import HTMLExporter
from nbconvert.filters import Highlight2HTML
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_markdown_cell
from nbformat.v4.rwbase import rejoin_lines
from traitlets import Unicode, default

from grader.comparison.present import with_code
from grader.instructor.grades import Grades
from grader.learner.export import WITHOUT_MATHJAX, OfflineExporter

Resources = dict[str, Any]

TEMPLATE = Path(__file__).with_name("feedback.html.j2")

CUT = "<!--cut-->"
"""Separates parts of a page; a learner's `<` is always escaped."""

MAX_KEPT = 20_000_000  # characters of rendered cells that are kept


class FeedbackExporter(OfflineExporter):
    """Makes a page of a notebook in which nbgrader's GetGrades has put points and comments."""

    contact = Unicode(
        "your instructor", help="whom a learner may ask about a result: a name, an address"
    ).tag(config=True)

    exclude_input_prompt = True
    exclude_output_prompt = True

    @default("extra_loaders")
    def _own_template(self) -> list[DictLoader]:
        template = TEMPLATE.read_text(encoding="utf-8")
        return [DictLoader({"index.html.j2": template}), WITHOUT_MATHJAX]

    def from_notebook_node(
        self, nb: NotebookNode, resources: Any = None, **kw: Any
    ) -> tuple[Any, Resources]:
        """Return the page (nbconvert's hook), or the part of it that `resources` names.

        HTMLExporter's own sends it through BeautifulSoup, for half of the time, to add alt texts
        and to put outputs into the tab order; the template does the first, its style the second.
        """
        lexer = nb.metadata.get("language_info", {}).get("name")
        highlight = Highlight2HTML(pygments_lexer=lexer, parent=self)  # type: ignore[no-untyped-call]
        self.register_filter("highlight_code", highlight)  # type: ignore[no-untyped-call]
        self.register_filter("with_code", with_code)  # type: ignore[no-untyped-call]
        given = {"contact": self.contact, "cut": CUT, **(resources or {})}
        of_templates = super(HTMLExporter, self).from_notebook_node
        return of_templates(nb, self._init_resources(given), **kw)  # type: ignore[no-untyped-call]


class Pages:
    """Makes pages; keeps the cells that it has rendered."""

    def __init__(self, exporter: FeedbackExporter) -> None:
        self._exporter = exporter
        self._cells: dict[str, str] = {}
        self._kept = 0

    def graded(self, nb: NotebookNode, grades: Grades, about: dict[str, Any], why: str = "") -> str:
        """Return the page of a notebook; with a reason why, only the verdicts are in it.

        Args:
            nb: the notebook.
            grades: its points and comments.
            about: nbgrader's facts about it.
            why: a clause.
        """
        nb = verdicts_of(nb, why) if why else nb
        grades.put_into(nb)
        return self.page(nb, {"nbgrader": about})

    def warm_up(
        self, nb: NotebookNode, lesson: set[str], grades: Grades, about: dict[str, Any]
    ) -> None:
        """Render the cells of a notebook that all have in common, before processes are forked.

        They have no output, and a text of the lesson's; see `graded`.
        """
        cells = [cell for cell in nb.cells if cell.source in lesson and not cell.get("outputs")]
        self.graded(NotebookNode({**nb, "cells": cells}), grades, about)  # type: ignore[no-untyped-call]

    def page(self, nb: NotebookNode, resources: Resources) -> str:
        """Return the page of a notebook with points and comments in it."""
        if self._kept > MAX_KEPT:
            self._cells, self._kept = {}, 0
        language = json.dumps(nb.metadata.get("language_info"))
        keys = [language + json.dumps(cell, sort_keys=True) for cell in nb.cells]
        new = {
            key: cell for key, cell in zip(keys, nb.cells, strict=True) if key not in self._cells
        }
        listed = [
            {"cell_type": "raw", "id": cell.get("id"), "source": "", "metadata": cell.metadata}
            for cell in nb.cells
            if cell.metadata.get("nbgrader")
        ]
        top, *others = self._parts({**nb, "cells": listed}, resources, "frame")
        cells = (
            self._parts({**nb, "cells": [*new.values()]}, resources, "cells")[1:-1] if new else []
        )
        if len(others) != 1 or len(cells) != len(new):
            return self.whole(nb, resources)
        self._cells |= zip(new, cells, strict=True)
        self._kept += sum(map(len, new)) + sum(map(len, cells))
        return "".join([top, *(self._cells[key] for key in keys), *others])

    def _parts(self, nb: Any, resources: Resources, part: str) -> list[str]:
        return self.whole(from_dict(nb), {**resources, "part": part}).split(CUT)  # type: ignore[no-untyped-call]

    def whole(self, nb: NotebookNode, resources: Resources) -> str:
        """Return the page without parts that were kept."""
        page: str = self._exporter.from_notebook_node(nb, resources)[0]
        return page


def read(path: Path) -> NotebookNode:
    """Read a notebook that the grader wrote."""
    nb: NotebookNode = from_dict(json.loads(path.read_text(encoding="utf-8")))  # type: ignore[no-untyped-call]
    return rejoin_lines(nb)  # type: ignore[no-any-return, no-untyped-call]


def verdicts_of(nb: NotebookNode, why: str) -> NotebookNode:
    """Return a feedback notebook without a learner's cells."""
    graded = [cell for cell in nb.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    text = f"Your notebook can't be shown, {why}. These are your results."
    note = new_markdown_cell(text, id="not-shown")  # type: ignore[no-untyped-call]
    return NotebookNode({**nb, "cells": [note, *graded]})  # type: ignore[no-untyped-call]

"""Convert notebooks to HTML that fetches nothing: formulas become pictures."""

from __future__ import annotations

from typing import Any

from jinja2 import DictLoader
from nbconvert.exporters.html import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets import default

from grader.learner.formulas import formula

MAX_TEX = 5_000
"""Most characters of formulas that are set on one page, which takes up to half a millisecond for each; further ones stay TeX. A lesson has under 1,000."""

WITHOUT_MATHJAX = DictLoader({"mathjax.html.j2": "{%- macro mathjax(url='') -%}{%- endmacro -%}"})


class Renderer(IPythonRenderer):
    """Markdown's text with its formulas as pictures."""

    left = MAX_TEX

    def inline_math(self, body: str) -> str:
        """A formula in a line."""
        return self._formula(body, f"${self.escape_html(body)}$")

    def block_math(self, body: str) -> str:
        """A formula on a line of its own."""
        return self._formula(body, f"$${self.escape_html(body)}$$", display=True)

    def _formula(self, tex: str, as_written: str, display: bool = False) -> str:
        self.left -= len(tex)
        return formula(tex, display) if self.left >= 0 else as_written


class OfflineExporter(HTMLExporter):
    """nbconvert's HTML, whatever its template, without MathJax."""

    @default("extra_loaders")
    def _without_mathjax(self) -> list[DictLoader]:
        return [WITHOUT_MATHJAX]

    def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> Any:
        """Return the page of a notebook, and nbconvert's resources."""
        markdown = MarkdownWithMath(renderer=Renderer(escape=False, exclude_anchor_links=True))
        self.register_filter("markdown2html", markdown.render)  # type: ignore[no-untyped-call]
        return super().from_notebook_node(nb, resources, **kw)

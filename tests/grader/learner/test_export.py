"""Test `grader export`: one HTML page with formulas and pictures that fetches nothing."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from course import LESSONS, ROOT, lesson, references, solved
from grader import Question
from grader.cli import main
from grader.learner.export import OfflineExporter, exported, formula
from grader.learner.progress import record_answer

MATHML = {"math", "mi", "mn", "mo", "mrow", "mstyle", "msup", "mtext"}


def folder_of(name: str, root: Path, notebook: dict[str, Any] | None = None) -> Path:
    """Return a lesson's notebook in a learner's folder; by default the author's executed one."""
    folder = root / "work" / name
    shutil.copytree(ROOT / "course" / name, folder, ignore=shutil.ignore_patterns("progress.json"))
    source = (
        (ROOT / "solutions" / name / f"{name}.ipynb").read_bytes()
        if notebook is None
        else json.dumps(notebook).encode()
    )
    (folder / f"{name}.ipynb").write_bytes(source)
    return folder / f"{name}.ipynb"


class Fetched(HTMLParser):
    """Lists what a page would fetch or run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = re.findall(
            r"url\((?!['\"]?data:)[^)]*\)|@import[^;]*",
            "".join(re.findall(r"<style.*?</style>", page, re.DOTALL)),
        )
        self.alts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "link", "iframe", "object", "embed", "base") or not (
            given.get("src") or "data:"
        ).startswith("data:"):
            self.found.append(f"{tag} {given.get('src') or ''}")
        if tag == "img":
            self.alts.append(given.get("alt") or "")


PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.mark.parametrize("name", LESSONS)
def test_a_finished_lesson_is_one_page_that_fetches_and_runs_nothing(
    name: str, tmp_path: Path
) -> None:
    page = exported(folder_of(name, tmp_path))
    fetched = Fetched(page)
    assert fetched.found == []
    cells = lesson(name).notebook.cells
    pictures = [one for one in cells if {"play", "drawing"} & {*one.metadata.get("tags", [])}]
    assert len(fetched.alts) == len(pictures)
    assert all(fetched.alts)
    count = len(lesson(name).exercises)
    assert page.count("✓ solved") == count + len(lesson(name).hardened)
    assert (
        f"{'●' * count} {count} of {count} exercises of this lesson solved. Live figures move"
        in page
    )
    text = re.sub(r"<[^>]+>", "", page)
    assert all(f"def {exercise}(" in text for exercise in references(name))


def formulas(name: str) -> list[tuple[str, str]]:
    """Return the formulas of a lesson's text, each with its display mode."""
    text = "\n\n".join(
        cell.source for cell in lesson(name).notebook.cells if cell.cell_type == "markdown"
    )
    text = re.sub(r"`[^`]*`", "", text)
    return [
        (one.strip("$"), "block" if one.startswith("$$") else "inline")
        for one in re.findall(r"\$\$.+?\$\$|\$[^$\n]+\$", text, re.DOTALL)
    ]


def converted(html: str) -> bool:
    """Return whether a formula is MathML without a TeX command that was left over."""
    return html.startswith("<math ") and "\\" not in re.sub(r'"[^"]*"', "", html)


@pytest.mark.parametrize("name", LESSONS)
def test_every_formula_of_a_lesson_becomes_mathml(name: str, tmp_path: Path) -> None:
    found = formulas(name)
    assert found
    assert [tex for tex, display in found if not converted(formula(tex, display))] == []
    page = exported(folder_of(name, tmp_path))
    assert page.count("<math ") == len(found)
    assert not re.search(
        r"\$[^$<\n]{1,60}\$", re.sub(r"<(style|pre|code)\b.*?</\1>", "", page, flags=re.DOTALL)
    )


def shown(*texts: str, template: str = "lab") -> str:
    """Return a page with these markdown cells."""
    cells = [new_markdown_cell(text) for text in texts]
    exporter = OfflineExporter(template_name=template)
    page: str = exporter.from_notebook_node(new_notebook(cells=cells))[0]
    return page


@pytest.mark.parametrize("template", ["lab", "classic"])
def test_formulas_need_no_mathjax_in_any_template(template: str) -> None:
    page = shown("in a line $x_1$\n\n$$\\frac{a}{b}$$", template=template)
    assert "libs/mathjax" not in page
    assert "MathJax.Hub" not in page
    assert re.findall(r'alttext="([^"]*)"', page) == ["x_1", "\\frac{a}{b}"]


@pytest.mark.parametrize("tex", [r"\left( a < b", r"\def\a{\a\a}\a < b", "{" * 9000])
def test_a_formula_that_cannot_be_converted_is_shown_as_code(tex: str) -> None:
    assert formula(tex) == f"<code>{tex.replace('<', '&lt;')}</code>"


@pytest.mark.parametrize(
    "tex",
    [
        '"><script>take()</script>',
        "' onload='take()",
        r'\unheard{"><img src=x onerror=take()>}',
        r"x \text{</math><script>take()</script>}",
        r"\text{&lt;script&gt;take()&lt;/script&gt;}",
        r"\href{javascript:take()}{x}",
        r"\style{background:url(//x)}{x}",
        r'\color{red" onload="take()}{x}',
    ],
)
@pytest.mark.parametrize("sign", ["$", "$$"])
def test_a_formula_cannot_add_html_or_links(tex: str, sign: str) -> None:
    page = shown(f"a {sign}{tex}{sign} b")
    body = page[page.index("<body") :]
    tags = set(re.findall(r"<(\w+)", body))
    assert tags <= {"body", "main", "div", "p", "code"} | MATHML
    assert not re.search(r"<[^<>]*\s(on\w+|href)=", re.sub(r'"[^"]*"', '""', body))
    assert "url(//x)" not in re.sub(r'alttext="[^"]*"', "", body)


def test_the_page_shows_the_learners_answers_and_explains_them(tmp_path: Path) -> None:
    notebook = folder_of("neuron", tmp_path)
    questions = lesson("neuron").questions.items()
    one, other = [item for item in questions if isinstance(item[1], Question)][:2]
    record_answer(notebook.parent, one[0], one[1].answer)
    wrong = next(iter(other[1].wrong))
    record_answer(notebook.parent, other[0], wrong)
    page = exported(notebook)
    assert "✓ Yes." in page
    assert f"You chose: {wrong}. ✗" in page
    assert f"The answer is: {other[1].answer}." in page
    assert page.count("You have not answered yet.") == len(lesson("neuron").questions) - 2


def test_a_puzzle_below_a_check_hides_no_result(tmp_path: Path) -> None:
    path = ROOT / "solutions" / "neuron" / "neuron.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    (check,) = (cell for cell in notebook["cells"] if cell["id"] == "check-relu")
    puzzle = {"application/vnd.jupyter.widget-view+json": {"model_id": "gone"}}
    check["outputs"].append({"output_type": "display_data", "data": puzzle, "metadata": {}})
    page = exported(folder_of("neuron", tmp_path, notebook))
    assert "4 of 4 exercises of this lesson solved" in page
    assert "Not checked" not in page


def test_a_check_older_than_its_code_is_named_and_not_counted(tmp_path: Path) -> None:
    notebook = json.loads(
        (ROOT / "solutions" / "neuron" / "neuron.ipynb").read_text(encoding="utf-8")
    )
    for cell in notebook["cells"]:
        if cell["id"] == "relu":
            cell["execution_count"] = 900
        if cell["id"] == "check-dense":
            cell["outputs"] = []
    page = exported(folder_of("neuron", tmp_path, notebook))
    assert "2 of 4 exercises of this lesson solved" in page
    assert "Not checked since the code was run: relu, dense." in page


def test_export_writes_the_page_next_to_the_lesson_or_where_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "course", tmp_path / "course")
    notebook = folder_of("neuron", tmp_path)
    before = notebook.read_bytes()
    monkeypatch.chdir(tmp_path)
    assert main(["export", "neuron"]) == 0
    assert f"Wrote {tmp_path}/work/neuron.html" in capsys.readouterr().out
    assert main(["export", "neuron", "--output", "mine.html"]) == 0
    page = (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert page == (tmp_path / "work" / "neuron.html").read_text(encoding="utf-8")
    assert "4 of 4 exercises of this lesson solved" in page
    assert notebook.read_bytes() == before


def test_a_notebook_that_cannot_be_exported_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(
        ROOT / "course", tmp_path / "course", ignore=shutil.ignore_patterns("progress.json")
    )
    monkeypatch.chdir(tmp_path)
    notebook = folder_of("neuron", tmp_path, solved("neuron"))

    def said(*words: str) -> str:
        assert main(["export", *words]) == 1
        return capsys.readouterr().err

    assert said().startswith("Say which lesson: warm_up, neuron, loss, ")
    assert "There is no notebook or lesson nouron; the course has warm_up, " in said("nouron")
    assert "work/loss/loss.ipynb. make reset LESSON=loss (without make: " in said("loss")
    assert "No such file or directory (nowhere/" in said("neuron", "--output=nowhere/mine.html")
    notebook.write_bytes(b"{")
    assert "neuron.ipynb can't be exported: it is damaged" in said("neuron")
    notebook.write_bytes(b"<<<<<<< mine\n{}\n=======\n>>>>>>> theirs\n")
    assert "conflict markers (<<<<<<<) of a merge in it. Settle the merge and export it" in said(
        "neuron"
    )
    cells = [{"cell_type": "code", "outputs": 3}]
    notebook.write_text(json.dumps({**solved("neuron"), "cells": cells}))
    assert "neuron.ipynb can't be exported: it is not a notebook that nbformat reads" in said(
        "work/neuron/neuron.ipynb"
    )
    (notebook.parent / "answers.key").unlink()
    assert "neuron.ipynb can't be exported: answers.key is not in neuron/" in said(
        "work/neuron/neuron.ipynb"
    )
    assert not list(tmp_path.rglob("*.html"))


def test_a_notebook_with_another_name_is_exported_from_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = folder_of("neuron", tmp_path)
    notebook.rename(notebook.with_name("mine.ipynb"))
    monkeypatch.chdir(notebook.parent)
    assert main(["export"]) == 0
    assert "4 of 4 exercises of this lesson solved" in (
        tmp_path / "work" / "neuron.html"
    ).read_text(encoding="utf-8")


def test_a_notebook_in_an_encoding_of_windows_is_exported(tmp_path: Path) -> None:
    notebook = folder_of("neuron", tmp_path)
    text = notebook.read_text(encoding="utf-8")
    notebook.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert "4 of 4 exercises of this lesson solved" in exported(notebook)
    notebook.write_bytes(text.encode("utf-16"))
    assert "4 of 4 exercises of this lesson solved" in exported(notebook)


def test_a_pasted_picture_is_shown_and_a_lost_one_named(tmp_path: Path) -> None:
    notebook = folder_of("neuron", tmp_path)
    content = json.loads(notebook.read_text(encoding="utf-8"))
    pasted = {
        "cell_type": "markdown",
        "id": "pasted",
        "metadata": {},
        "attachments": {"image.png": {"image/png": PIXEL}},
        "source": "![mine](attachment:image.png) ![lost](attachment:other.png)",
    }
    content["cells"].insert(1, pasted)
    notebook.write_text(json.dumps(content), encoding="utf-8")
    page = exported(notebook)
    assert f"data:image/png;base64,{PIXEL}" in page
    assert "<em>lost</em>" in page

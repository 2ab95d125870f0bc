"""`grader export`: a lesson as one HTML page, with text, formulas, code, verdicts and pictures, and nothing that is fetched."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from course import LESSONS, ROOT, lesson, references, solved, written
from grader.cli import main
from grader.learner.export import exported, stale
from grader.learner.formulas import formula
from grader.learner.progress import record_answer


def folder_of(name: str, root: Path, notebook: dict[str, Any] | None = None) -> Path:
    """A learner's folder of a lesson; without another notebook, with the author's executed one in it."""
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
    """What a page would fetch or run."""

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


@pytest.mark.parametrize("name", LESSONS)
def test_a_finished_lesson_is_one_page_that_fetches_nothing_and_runs_nothing(
    name: str, tmp_path: Path
) -> None:
    page = exported(folder_of(name, tmp_path))
    fetched = Fetched(page)
    assert fetched.found == []
    plays = [
        cell for cell in lesson(name).notebook.cells if "play" in cell.metadata.get("tags", [])
    ]
    assert len(fetched.alts) == len(plays)
    assert all(re.search(r"\d", alt) for alt in fetched.alts)
    count = len(lesson(name).exercises)
    assert page.count("✓ solved") == count
    assert (
        f"{'●' * count} {count} of {count} exercises of this lesson solved. The figures stand still here"
        in page
    )
    text = re.sub(r"<[^>]+>", "", page)
    assert all(f"def {exercise}(" in text for exercise in references(name))


def formulas(name: str) -> list[tuple[str, bool]]:
    """The formulas of a lesson's text, each with whether it stands on a line of its own."""
    text = "\n\n".join(
        cell.source for cell in lesson(name).notebook.cells if cell.cell_type == "markdown"
    )
    text = re.sub(r"`[^`]*`", "", text)
    return [
        (one.strip("$"), one.startswith("$$"))
        for one in re.findall(r"\$\$.+?\$\$|\$[^$\n]+\$", text, re.DOTALL)
    ]


@pytest.mark.parametrize("name", LESSONS)
def test_every_formula_of_a_lesson_is_a_picture_with_its_tex_as_label(
    name: str, tmp_path: Path
) -> None:
    found = formulas(name)
    assert found
    assert [tex for tex, display in found if "<svg" not in formula(tex, display)] == []
    page = exported(folder_of(name, tmp_path))
    assert page.count('class="formula"') == len(found)
    assert not re.search(
        r"\$[^$<\n]{1,60}\$", re.sub(r"<(style|pre|code)\b.*?</\1>", "", page, flags=re.DOTALL)
    )


def test_a_formula_that_cannot_be_set_stays_readable() -> None:
    assert formula(r"\unheard{a < b}") == r"<code>\unheard{a &lt; b}</code>"
    assert 'aria-label="\\frac{a}{b}"' in formula(r"\frac{a}{b}", display=True)


def test_the_page_says_what_the_learner_answered_and_why_it_was_right_or_wrong(
    tmp_path: Path,
) -> None:
    notebook = folder_of("neuron", tmp_path)
    one, other = list(lesson("neuron").questions.items())[:2]
    record_answer(notebook.parent, one[0], one[1].answer)
    wrong = next(option for option in other[1].options if option != other[1].answer)
    record_answer(notebook.parent, other[0], wrong)
    page = exported(notebook)
    assert "✓ Yes." in page
    assert f"You chose: {wrong}. ✗ No: {other[1].answer}." in page
    assert page.count("You have not answered yet.") == len(lesson("neuron").questions) - 2


def test_a_check_that_is_older_than_its_code_is_not_counted_and_is_named(tmp_path: Path) -> None:
    notebook = json.loads(
        (ROOT / "solutions" / "neuron" / "neuron.ipynb").read_text(encoding="utf-8")
    )
    assert stale(notebook["cells"]) == []
    for cell in notebook["cells"]:
        if cell["id"] == "relu":
            cell["execution_count"] = 900
        if cell["id"] == "check-dense":
            cell["outputs"] = []
    assert stale(notebook["cells"]) == ["relu", "dense"]
    page = exported(folder_of("neuron", tmp_path, notebook))
    assert "2 of 4 exercises of this lesson solved" in page
    assert "Not checked since the code was run: relu, dense." in page


@pytest.mark.long
def test_with_run_all_cells_are_run_first_and_the_notebook_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(
        ROOT / "course", tmp_path / "course", ignore=shutil.ignore_patterns("progress.json")
    )
    notebook = folder_of(
        "neuron",
        tmp_path,
        written(
            "neuron",
            weighted_sum="...",
            sigmoid="...",
            relu="def relu(z):\n    return 1 / 0\n",
            dense="raise KeyError('mine')",
        ),
    )
    before = notebook.read_bytes()
    monkeypatch.chdir(tmp_path)
    assert main(["export", "neuron"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{tmp_path}/work/neuron.html is there; open it in a browser.\n"
    assert (
        "these answers were changed or run after their last check: weighted_sum, sigmoid, relu, dense.\nWith --run"
        in said.err
    )
    assert main(["export", "neuron", "--run", "--output", "mine.html"]) == 0
    assert capsys.readouterr().err == ""
    page = (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert "2 of 4 exercises of this lesson solved" in page
    for part in (
        "ZeroDivisionError: division by zero",
        "KeyError",
        "<figure",
        'class="verdict missed"',
    ):
        assert part in page
    assert Fetched(page).found == []
    assert notebook.read_bytes() == before


def test_what_cannot_be_exported_is_said(
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

    assert (
        said()
        == "Say which lesson: the course has neuron, learning_rate, initialization, loss, chain_rule, capstone.\n"
    )
    assert (
        "The course has no lesson nouron, and there is no notebook of that name; it has neuron, "
        in said("nouron")
    )
    assert "There is no work/loss/loss.ipynb yet; make lab makes your copy of the course." in said(
        "loss"
    )
    assert (
        "nowhere/mine.html can't be written: No such file or directory; name another place with --output."
        in said("neuron", "--output=nowhere/mine.html")
    )
    notebook.write_bytes(b"{")
    assert (
        "neuron.ipynb can't be exported: it is damaged: it can't be read as JSON from its line 1 on. Save it in JupyterLab ("
        in said("neuron")
    )
    notebook.write_bytes(b"<<<<<<< mine\n{}\n=======\n>>>>>>> theirs\n")
    assert (
        said("neuron")
        == "neuron.ipynb can't be exported: it has conflict markers (<<<<<<<) of a merge in it. Settle the merge and export it again.\n"
    )
    notebook.write_bytes(b'{"cells": [{"cell_type": "code", "outputs": 3}]}')
    assert "neuron.ipynb can't be exported: it is not a notebook that nbformat reads" in said(
        "work/neuron/neuron.ipynb"
    )
    (notebook.parent / "answers.json").unlink()
    assert (
        "neuron.ipynb can't be exported: answers.json is not in neuron/, where this notebook runs; keep a lesson's files together. make"
        in said("work/neuron/neuron.ipynb")
    )
    assert not list(tmp_path.rglob("*.html"))


@pytest.mark.long
def test_a_cell_that_kills_its_kernel_or_never_ends_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("grader.learner.export.CELL_SECONDS", 3)
    for answer, why in (
        (
            "import os\nos._exit(1)\n",
            "its kernel ended at the cell {}, which stops Python itself or needs more memory than there is. Mend that cell and export it again.",
        ),
        (
            "while True:\n    pass\n",
            "its cell {} ran for more than 3 seconds. Look for a loop that never ends, fix it and export it again.",
        ),
    ):
        notebook = written("neuron", relu=answer)
        number = [cell["id"] for cell in notebook["cells"]].index("relu") + 1
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code" and cell["id"] != "relu":
                cell["source"] = ""  # else a slow import would be named on a busy machine
        folder_of("neuron", tmp_path / str(number) / why[:10], notebook)
        monkeypatch.chdir(tmp_path / str(number) / why[:10] / "work" / "neuron")
        assert main(["export", "--run"]) == 1
        assert (
            capsys.readouterr().err.splitlines()[-1]
            == f"neuron.ipynb can't be exported: {why.format(number)}"
        )


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


def test_a_notebook_that_another_tool_left_without_metadata_is_exported(tmp_path: Path) -> None:
    cells = solved("neuron")["cells"]
    notebook = {
        "cells": [{key: cell[key] for key in ("cell_type", "source")} for cell in cells] + ["odd"]
    }
    page = exported(folder_of("neuron", tmp_path, notebook))
    assert "What is a neuron?" in page
    assert "0 of 4 exercises of this lesson solved" in page


def test_a_notebook_in_an_encoding_of_windows_is_exported(tmp_path: Path) -> None:
    notebook = folder_of("neuron", tmp_path)
    text = notebook.read_text(encoding="utf-8")
    notebook.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert "4 of 4 exercises of this lesson solved" in exported(notebook)
    notebook.write_bytes(text.encode("utf-16"))
    assert "4 of 4 exercises of this lesson solved" in exported(notebook)

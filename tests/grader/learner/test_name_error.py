"""Test the hint below a NameError in a real kernel: which cell to run first."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from course import ROOT

SETUP = "from grader import check"
ABOVE = "The cells above have not been run since the kernel started, so {} is not defined yet."
WRITE = "The cell in which you write {} has not been run since the kernel started."


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    folder = tmp_path / "neuron"
    folder.mkdir()
    shutil.copy(ROOT / "course" / "neuron" / "answers.key", folder)
    return folder


def outputs(folder: Path, *cells: str) -> list[list[Any]]:
    """Return the outputs of cells run in this order in a fresh kernel."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(
        notebook,
        allow_errors=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"],
    ).execute()
    return [cell.outputs for cell in notebook.cells]


def test_a_cell_that_is_run_too_early_names_the_cell_to_run_first(lesson: Path) -> None:
    cells = [
        "check(relu)",
        "def late():\n    print(x)\n    x = 1\nlate()",
        "def relu(z): return np.abs(z)",
        SETUP,
        "check(dense)",
        "check(relu)",
        "def relu_of_mine(z): return z",
        "check(relu_of_mine)",
        "rleu(3)",
        "1 / 0",
    ]
    too_early, local, _, _, no_dense, relu, _, renamed, typo, other = outputs(lesson, *cells)
    assert (
        [one.output_type for one in too_early]
        == [one.output_type for one in no_dense]
        == ["error", "display_data"]
    )
    assert too_early[0].ename == "NameError"
    assert ABOVE.format("check") in too_early[1].data["text/html"]
    assert WRITE.format("dense") in no_dense[1].data["text/html"]
    assert "def dense(…)" in no_dense[1].data["text/html"]
    assert "It raised NameError" in relu[0].data["text/html"]
    assert "No exercise of this lesson is called relu_of_mine" in renamed[0].data["text/html"]
    assert [one.output_type for one in local + typo + other] == ["error"] * 3


def test_outside_a_lesson_there_is_no_hint(tmp_path: Path) -> None:
    assert [one.output_type for one in outputs(tmp_path, "check(relu)")[0]] == ["error"]
    (tmp_path / "answers.key").write_text("[]")
    assert [one.output_type for one in outputs(tmp_path, "check(relu)")[0]] == ["error"]

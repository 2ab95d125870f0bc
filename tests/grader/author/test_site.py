"""Test the files of the static site; `tests/browser/test_site.py` visits it."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from course import LESSONS, ROOT
from grader.author import site
from grader.author.bundle import files_of_bundle
from grader.learner.download import archive
from grader.settings import load_settings


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return site._contents(load_settings(ROOT), files_of_bundle(ROOT), "xpython")


def test_the_site_has_each_lesson_for_its_kernel(files: dict[str, bytes]) -> None:
    assert {f"{name}/answers.key" for name in LESSONS} < {*files}
    for name in LESSONS:
        notebook = json.loads(files[f"{name}/{name}.ipynb"])
        assert notebook["metadata"]["kernelspec"]["name"] == "xpython"


def test_no_cell_of_the_site_reads_a_file_that_jupyterlite_would_change(
    files: dict[str, bytes],
) -> None:
    assert [path for path in files if "json" in Path(path).name] == []


def test_the_welcome_page_names_no_command_of_a_terminal(files: dict[str, bytes]) -> None:
    cells = json.loads(files["welcome.ipynb"])["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    assert "In this browser" in text
    assert "make " not in text.replace("make a", "")
    assert "grader reset" not in text


def test_the_archive_has_the_notebooks_of_all_lessons(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    with zipfile.ZipFile(io.BytesIO(archive(tmp_path))) as opened:
        assert {*opened.namelist()} == {f"{name}/{name}.ipynb" for name in LESSONS}
        assert opened.read("loss/loss.ipynb") == files["loss/loss.ipynb"]

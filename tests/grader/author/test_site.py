"""Test the files of the static site; `tests/browser/test_site.py` visits it."""

from __future__ import annotations

import importlib
import io
import json
import tomllib
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


def test_both_kernels_load_the_hints_below_a_name_error(tmp_path: Path) -> None:
    """Pyodide puts a wheel's data where Python is installed; IPython reads its settings there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shared = site._ipython(files_of_bundle(ROOT))
    [(path, content)] = shared.items()
    assert path == "etc/ipython/ipython_config.json"
    [extension] = json.loads(content)["InteractiveShellApp"]["extensions"]
    assert hasattr(importlib.import_module(extension), "load_ipython_extension")
    with zipfile.ZipFile(site._wheel(tmp_path / "wheels", project, {}, shared)) as wheel:
        [name] = [one for one in wheel.namelist() if one.endswith(f".data/data/{path}")]
        assert wheel.read(name) == content


def test_numpy_is_pyodides_own(tmp_path: Path) -> None:
    """A package in `specs` comes from the Python index, which has no numpy for Pyodide."""
    wheel = tmp_path / "wheels" / "course-1-py3-none-any.whl"
    found = site._configuration({"name": "course"}, load_settings(ROOT), "pyodide", wheel)
    lock = found["jupyter_lite_config.json"]["PyodideLockAddon"]
    assert lock == {"enabled": True, "wheels": [str(wheel.parent)], "prefetch_extra": ["course"]}

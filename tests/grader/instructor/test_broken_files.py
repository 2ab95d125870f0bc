"""A file that somebody broke ends a command in a sentence that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from course import copy_of_the_course
from grader.cli import main


@pytest.mark.parametrize(
    ("file", "content", "command", "phrase"),
    [
        ("class/nbgrader_config.py", b"c = (", "autograde neuron", "SyntaxError"),
        ("class/nbgrader_config.py", b"import nowhere", "collect neuron class", "nowhere"),
        ("class/nbgrader_config.py", b"\xff", "insights neuron", "nbgrader_config.py"),
        ("nbgrader_config.py", b"1 / 0", "autograde neuron --dry-run", "ZeroDivisionError"),
        ("class/received/neuron.json", b"{", "collect neuron class", "neuron.json is damaged"),
        ("class/received/neuron.json", b'{"a": 1}', "collect neuron class", "Rename it"),
        ("class/received", b"a file", "collect neuron class", "File exists"),
        ("course/neuron/neuron.ipynb", b"{}", "autograde neuron", "missing or damaged; run make"),
        ("course/neuron/neuron.ipynb", b'{"cells": [7]}', "autograde neuron", "run make course"),
        ("solutions/neuron/neuron.ipynb", b"{}", "validate neuron", "missing or damaged; run make"),
        ("pyproject.toml", b"[tool.grader]\nsources = 1", "bundle", "needs [tool.grader]"),
        (
            "pyproject.toml",
            b'[tool.grader]\nsources = "a"\nrelease = "b"\npackages = []\nhidden = []\n'
            b'show_solutions = "no"',
            "bundle",
            "show_solutions (true or false)",
        ),
        ("solutions/neuron/exercises.py", b"# \xff", "verify neuron", "solutions/neuron can't be"),
        ("solutions/neuron/neuron.md", b"---\n: {\n---\n", "verify neuron", "solutions/neuron"),
        ("pyproject.toml", b"[tool.grader]\n= 1", "bundle", "pyproject.toml needs [tool.grader]"),
        ("pyproject.toml", b"[tool.grader] # \xff", "bundle", "pyproject.toml needs [tool.grader]"),
        ("class/a.zip", b"PK\x03\x04 cut", "collect neuron class/a.zip", "no folder, zip or tar"),
    ],
)
def test_a_broken_file_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    file: str,
    content: bytes,
    command: str,
    phrase: str,
) -> None:
    root = copy_of_the_course(tmp_path)
    (root / "class").mkdir()
    (root / file).parent.mkdir(exist_ok=True)
    (root / file).write_bytes(content)
    monkeypatch.chdir(root)
    assert main(command.split()) == 1
    assert phrase in "".join(capsys.readouterr())

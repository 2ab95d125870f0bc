"""On a class server our packages are installed among others: a notebook has the others, and of ours only what the stage holds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from course import ROOT
from grader.execution.limits import Limits
from grader.sandbox import launch
from grader.sandbox.engine import Engine
from grader.sandbox.launch import Protection, protection

KINDS = [
    kind
    for kind in Protection
    if kind is not Protection.NONE and protection() in (Protection.NAMESPACES, kind)
]
LOOK = """
import os, sys
def read(path): return len(open(path).read())
def find(names):
    folders = {*sys.path, *READABLE}
    return "\\n".join(os.path.join(at, name) for folder in folders for at, _, files in os.walk(folder) for name in files if name in names.split())
"""


def installed(folder: Path) -> Path:
    """Ours and another package, as pip installs them."""
    for name in ("grader", "playground"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "data")
        )
    (folder / "other").mkdir()
    (folder / "other" / "module.py").write_text("x = 1")
    return folder


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.lower())
@pytest.mark.parametrize(
    "place",
    [
        "lib/python3/dist-packages",
        *(
            pytest.param(f"lib/{name}", marks=pytest.mark.long)
            for name in ("python3.11/site-packages", "site-packages")
        ),
    ],
)
def test_a_notebook_does_not_have_what_is_installed_of_ours(
    kind: Protection, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = installed(tmp_path / place)
    (tmp_path / "also").symlink_to(tmp_path / "lib")
    monkeypatch.syspath_prepend(packages)
    monkeypatch.setattr(
        launch, "SYSTEM", (*launch.SYSTEM, str(tmp_path / "lib"), str(tmp_path / "also"))
    )
    paths = [
        top / name
        for top in (packages, tmp_path / "also" / packages.relative_to(tmp_path / "lib"))
        for name in ("playground/functions/finished.py", "grader/author/key.py")
    ]
    assert all(path.is_file() for path in paths)
    with Engine(kind=kind) as engine:
        calls = {
            "read": [{"inputs": [str(path)]} for path in (packages / "other" / "module.py", *paths)]
        }
        response = engine.run(
            {
                "cells": [
                    LOOK,
                    "import other.module\nimport grader.learner.check\nimport playground",
                ],
                "calls": calls,
            }
        )
    assert response["errors"] == [None, None]
    other, *ours = response["answers"]["read"]["outcomes"]
    assert other == {"value": 5}
    assert ["error" in outcome for outcome in ours] == [True] * 4


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.lower())
def test_no_file_that_a_notebook_has_holds_answers(kind: Protection) -> None:
    readable = f"READABLE = {[*launch._python_folders(), *launch.SYSTEM]!r}"
    with Engine(Limits(exercise_seconds=300, total_seconds=600, cpu_seconds=600), kind) as engine:
        response = engine.run(
            {
                "cells": [readable, LOOK],
                "calls": {
                    "find": [
                        {"inputs": [names]}
                        for names in ("answers.json finished.py exercises.py", "runner.py")
                    ]
                },
            }
        )
    answers, other = response["answers"]["find"]["outcomes"]
    assert answers == {"value": ""}
    assert "/grader/execution/runner.py" in other["value"]

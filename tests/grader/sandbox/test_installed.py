"""A notebook has installed packages, but of the grader and the course only the stage's modules."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from course import ROOT, SETTINGS
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
    found = []
    for folder in {*sys.path, *READABLE}:
        for at, _, files in os.walk(folder):
            found += [os.path.join(at, name) for name in files if name in names.split()]
    return "\\n".join(found)
"""


def installed(folder: Path) -> Path:
    """Copy the grader, the course's package and another one, as pip installs them."""
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
def test_a_notebook_has_no_installed_module_with_answers(
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
    with Engine(SETTINGS, kind=kind) as engine:
        calls = {
            "read": [{"inputs": [str(path)]} for path in (packages / "other" / "module.py", *paths)]
        }
        response = engine.run(
            {
                "cells": [LOOK, "import other.module\nimport playground\nfrom grader import check"],
                "calls": calls,
            }
        )
    assert response["errors"] == [None, None]
    other, *ours = response["answers"]["read"]["outcomes"]
    assert other == {"value": 5}
    assert ["error" in outcome for outcome in ours] == [True] * 4


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.lower())
def test_no_readable_file_holds_answers(kind: Protection) -> None:
    readable = f"READABLE = {[*launch._python_folders(), *launch.SYSTEM]!r}"
    limits = Limits(exercise_seconds=300, total_seconds=600, cpu_seconds=600)
    with Engine(SETTINGS, limits, kind) as engine:
        response = engine.run(
            {
                "cells": [readable, LOOK],
                "calls": {"find": [{"inputs": ["answers.key finished.py exercises.py runner.py"]}]},
            }
        )
    (outcome,) = response["answers"]["find"]["outcomes"]
    found = outcome["value"].splitlines()
    assert {Path(path).name for path in found} == {"runner.py"}
    assert any(path.endswith("/grader/execution/runner.py") for path in found)

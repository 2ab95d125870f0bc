"""The packages of the grader import only those below them, so that a sandbox holds no answer."""

from __future__ import annotations

import re

import pytest

from course import ROOT, imported

MAY_IMPORT = {
    "comparison": set(),
    "diagnosis": {"comparison"},
    "execution": {"comparison"},
    "learner": {"comparison", "diagnosis", "execution"},
    "sandbox": {"comparison", "execution"},
    "author": {"comparison", "diagnosis", "execution", "learner"},
    "instructor": {"comparison", "diagnosis", "execution", "learner", "sandbox", "author"},
    "insights": {
        "comparison",
        "diagnosis",
        "execution",
        "learner",
        "sandbox",
        "author",
        "instructor",
    },
}
FOR_ALL = {"errors", "files", "processes", "settings", "startup", "syntax"}
"""Modules that every package may import; they know no course."""
OF_THE_COURSE = re.compile(r"\b(playground|solutions)\b")
"""Names of the course's own, which only `[tool.grader]` of pyproject.toml names."""


def forbidden(text: str, package: str) -> set[str]:
    """Return the packages that a module of a package imports and may not."""
    parts = [name.split(".") for name in imported(text)]
    others = {name[1] for name in parts if name[0] == "grader"} - {package} - FOR_ALL
    outside = {name[0] for name in parts if name[0] in ("solutions", "playground", "tests")}
    return (others - MAY_IMPORT[package]) | outside


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_those_below_it(package: str) -> None:
    modules = sorted((ROOT / "grader" / package).rglob("*.py"))
    assert modules
    found = {path.name: forbidden(path.read_text(encoding="utf-8"), package) for path in modules}
    assert {name: packages for name, packages in found.items() if packages} == {}


def test_every_folder_and_module_of_the_grader_is_in_the_table() -> None:
    assert {path.parent.name for path in (ROOT / "grader").glob("*/*.py")} == MAY_IMPORT.keys()
    assert {path.stem for path in (ROOT / "grader").glob("*.py")} == {"__init__", "cli"} | FOR_ALL


def test_a_module_that_imports_too_much_is_found() -> None:
    text = (
        "import numpy\nfrom grader import processes\nfrom grader.author.key import exercise_key\n"
        "def f():\n    from playground import finished\n    import grader.sandbox.linux\n"
    )
    assert forbidden(text, "execution") == {"author", "playground", "sandbox"}


def test_the_grader_names_no_package_of_the_course() -> None:
    texts = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in (ROOT / "grader").rglob("*.py")
    }
    assert [path for path, text in texts.items() if OF_THE_COURSE.search(text)] == []

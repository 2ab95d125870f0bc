"""The rooms of the grader: each knows only those that lie below it, so that what a learner has, or a sandbox, holds no answer."""

from __future__ import annotations

import ast

import pytest

from course import ROOT

MAY_KNOW = {
    "comparison": set(),
    "execution": {"comparison"},
    "learner": {"comparison", "execution"},
    "sandbox": {"comparison", "execution"},
    "author": {"comparison", "execution", "learner"},
    "instructor": {"comparison", "execution", "learner", "sandbox", "author"},
    "insights": {"comparison", "execution", "learner", "sandbox", "author", "instructor"},
}
FOR_ALL = {"errors", "files", "processes", "settings", "startup"}
"""Modules beside the rooms, without anything of a course in them."""


def imported(text: str) -> set[str]:
    """The modules that a module's text imports, at its top or in a function; what is taken from one counts with its name."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def strange(text: str, room: str) -> set[str]:
    """What a module of a room imports and may not know: another room, a lesson, or what moves."""
    parts = [name.split(".") for name in imported(text)]
    above = {name[1] for name in parts if name[0] == "grader"} - MAY_KNOW[room] - {room} - FOR_ALL
    return above | {name[0] for name in parts if name[0] in ("solutions", "playground", "tests")}


@pytest.mark.parametrize("room", MAY_KNOW)
def test_a_room_knows_only_those_below_it(room: str) -> None:
    modules = sorted((ROOT / "grader" / room).rglob("*.py"))
    assert len(modules) > 4
    assert {
        path.name: found
        for path in modules
        if (found := strange(path.read_text(encoding="utf-8"), room))
    } == {}


def test_every_folder_of_the_grader_with_code_is_such_a_room() -> None:
    assert {path.parent.name for path in (ROOT / "grader").glob("*/*.py")} == MAY_KNOW.keys()
    assert {path.stem for path in (ROOT / "grader").glob("*.py")} == {"__init__", "cli"} | FOR_ALL


def test_a_module_that_knows_too_much_is_found_out() -> None:
    text = "import numpy\nfrom grader import processes\nfrom grader.author.key import exercise_key\ndef f():\n    from playground import finished\n    import grader.sandbox.linux\n"
    assert strange(text, "execution") == {"author", "playground", "sandbox"}
    assert strange(text, "instructor") == {"playground"}

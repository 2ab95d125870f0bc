"""`make newest`: which upgrade breaks the checks, tried with real packages, the real solver and real environments."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from newest import all_to_blame, to_blame

from course import ROOT

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tiny"
version = "0"
dependencies = ["ant", "bee", "cat", "dog", "eel"]
[dependency-groups]
test = ["fox"]
[tool.uv]
no-index = true
find-links = ["packages"]
"""
CHECK = "import ant, bee, cat, dog, eel, fox; assert bee.works and eel.works"


def wheel(folder: Path, name: str, version: int, works: bool = True, needs: str = "") -> None:
    info = f"{name}-{version}.dist-info"
    needed = f"Requires-Dist: {needs}\n" if needs else ""
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", f"works = {works}\n")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


class Tiny:
    """A project of six packages that a folder holds, locked at their first versions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "packages").mkdir()
        shutil.copy(ROOT / "tests" / "tiny_backend.py", folder / "backend.py")
        (folder / "pyproject.toml").write_text(PYPROJECT)
        names = ("ant", "bee", "cat", "dog", "eel", "fox")
        for name in names:
            wheel(folder / "packages", name, 1)
        self.lock = folder / "requirements-test.lock"
        self.lock.write_text("".join(f"{name}==1\n" for name in names))

    def publish(self, name: str, works: bool = True, needs: str = "") -> None:
        wheel(self.folder / "packages", name, 2, works, needs)

    def newest(self, check: str = CHECK) -> tuple[int, str, str]:
        environment = {"UV_CACHE_DIR": str(self.folder / "cache"), "PATH": "/usr/bin:/bin"}
        words = [sys.executable, ROOT / "tests" / "newest.py", "requirements-test.lock", "--group", "test", "--", "python", "-c", check]
        done = subprocess.run(words, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=300)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return Tiny(tmp_path)


def test_the_upgrades_that_break_the_checks_are_named_each_by_itself(tiny: Tiny) -> None:
    for name in ("ant", "cat", "dog", "fox"):
        tiny.publish(name)
    tiny.publish("bee", works=False)
    tiny.publish("eel", works=False, needs="dog==2")
    lock = tiny.lock.read_text()
    code, said, _ = tiny.newest()
    assert code == 1
    assert said.startswith("Newer than in the lock:\nant 1 → 2\nbee 1 → 2\n")
    assert [line for line in said.splitlines() if "TO BLAME" in line] == ["TO BLAME: bee 1 → 2", "TO BLAME: eel 1 → 2"]
    assert tiny.lock.read_text() == lock


def test_newest_versions_that_pass_are_said_to(tiny: Tiny) -> None:
    assert tiny.newest()[:2] == (0, "The lock has the newest of everything.\n✓ with no upgraded\nThe checks pass with the newest versions; make lock ARGS=--upgrade takes them.\n")
    tiny.publish("bee")
    code, said, _ = tiny.newest()
    assert code == 0
    assert "bee 1 → 2\n✓ with bee upgraded\nThe checks pass" in said


def test_checks_that_fail_without_any_upgrade_blame_none(tiny: Tiny) -> None:
    tiny.publish("bee")
    code, said, _ = tiny.newest("raise SystemExit(1)")
    assert code == 2
    assert said.endswith("The checks fail with the versions of the lock as well: no upgrade is to blame.\n")


def test_versions_that_do_not_go_together_are_said(tiny: Tiny) -> None:
    (tiny.folder / "packages" / "cat-1-py3-none-any.whl").unlink()
    code, _, complained = tiny.newest()
    assert code == 2
    assert "cat" in complained
    assert complained.endswith("uv pip compile failed; its own words are above, and nothing was tried.\n")


def test_what_fails_only_together_is_named_together_and_what_fails_by_itself_alone() -> None:
    def together(names: object) -> bool:
        return {"b", "f"} <= set(names)  # type: ignore[call-overload]

    assert to_blame("abcdefgh", lambda names: "f" in names) == ["f"]
    assert set(to_blame("abcdefgh", together)) >= {"b", "f"}
    assert all_to_blame("abcdefgh", lambda names: bool({"a", "h"} & set(names))) == [["a"], ["h"]]

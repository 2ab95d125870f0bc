"""Test that pyproject.toml, environment.yml and the locks agree, and that environment.sh works."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LEARNERS: dict[str, Any] = tomllib.loads((ROOT / "bundle" / "pyproject.toml").read_text())
DEPENDENCIES = PYPROJECT["project"]["dependencies"]
INSTRUCTOR = PYPROJECT["project"]["optional-dependencies"]["instructor"]
GROUPS = PYPROJECT["dependency-groups"] | {"instructor": INSTRUCTOR}
LOCKS = {
    "requirements.lock": ("build", "instructor"),
    "requirements-test.lock": ("build", "instructor", "test"),
    "bundle/requirements.lock": ("build",),
    "docs/class-server/requirements.lock": ("build", "instructor", "class-server"),
}
"""Each lock, with the groups that it adds to the dependencies."""


def pins(lock: str) -> dict[str, Version]:
    """Return the version of each package that every platform gets."""
    pattern = re.compile(r"^([a-z0-9.-]+)==(\S+)(?: \\| ; )", re.MULTILINE)
    found = pattern.findall((ROOT / lock).read_text())
    return {name: Version(version) for name, version in found}


def unmet(lock: dict[str, Version], requirements: list[str]) -> list[str]:
    """Return the requirements that the versions of a lock don't meet."""
    needs = [Requirement(entry) for entry in requirements]
    return [
        str(need)
        for need in needs
        if need.name not in lock or lock[need.name] not in need.specifier
    ]


@pytest.mark.parametrize(
    ("file", "packages"),
    [("environment.yml", [*DEPENDENCIES, *INSTRUCTOR]), ("bundle/environment.yml", DEPENDENCIES)],
)
def test_conda_gets_the_packages_and_bounds_of_pyproject(file: str, packages: list[str]) -> None:
    entries = yaml.safe_load((ROOT / file).read_text())["dependencies"]
    conda = {str(Requirement(entry)) for entry in entries if isinstance(entry, str)}
    python = Requirement(f"python{PYPROJECT['project']['requires-python']}")
    assert conda == {str(Requirement(entry)) for entry in packages} | {str(python), "pip"}


def test_learners_get_the_project_without_the_instructors_part() -> None:
    parts = {**PYPROJECT, "project": dict(PYPROJECT["project"]), "tool": dict(PYPROJECT["tool"])}
    del parts["dependency-groups"], parts["project"]["optional-dependencies"]
    for tool in ("mypy", "pytest", "ruff"):
        del parts["tool"][tool]
    assert parts == LEARNERS


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_every_package_within_its_bounds(lock: str) -> None:
    groups = [entry for group in LOCKS[lock] for entry in GROUPS[group]]
    assert unmet(pins(lock), [*DEPENDENCIES, *groups]) == []


def test_the_lock_of_uv_holds_uv_alone() -> None:
    assert pins("requirements-uv.lock").keys() == {"uv"}
    assert unmet(pins("requirements-uv.lock"), PYPROJECT["dependency-groups"]["uv"]) == []


def test_a_version_out_of_bounds_and_a_missing_package_are_found() -> None:
    lock = pins("requirements.lock")
    assert unmet({**lock, "numpy": Version("1.26")}, ["numpy>=2"]) == ["numpy>=2"]
    assert unmet({}, ["nbval>=0.11"]) == ["nbval>=0.11"]


def test_the_checks_run_with_the_versions_that_learners_have() -> None:
    names = ("bundle/requirements.lock", "requirements.lock", "requirements-test.lock")
    learners, instructors, checks = map(pins, names)
    assert learners.items() <= instructors.items() <= checks.items()


def test_the_lock_of_the_site_holds_its_group() -> None:
    names = [need for need in GROUPS["site"] if "python_version" not in need]
    assert unmet(pins("docs/site/requirements.lock"), names) == []
    assert "matplotlib" not in pins("docs/site/requirements.lock")


@pytest.mark.parametrize(
    "lock", [*LOCKS, "requirements-uv.lock", "docs/site/requirements.lock", "docs/site/kernel.txt"]
)
def test_a_lock_hashes_every_package_and_names_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.findall(r"^(?![ #]).+(?:\n +--hash.*)*", text, re.MULTILINE)
    assert entries
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|--(extra-)?index|--find-links", text)


WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def add_package(index: Path, name: str, script: bytes | None = None) -> str:
    """Put version 0 of a package, with a script of its name, in an index; return its lock entry."""
    folder = index / name
    folder.mkdir(parents=True)
    wheel = folder / f"{name}-0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        meta = f"{name}-0.dist-info"
        archive.writestr(f"{meta}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\n")
        archive.writestr(f"{meta}/WHEEL", WHEEL)
        if script is not None:
            entry = zipfile.ZipInfo(f"{name}-0.data/scripts/{name}")
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, script)
        archive.writestr(f"{meta}/RECORD", "")
    (folder / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    return f"{name}==0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


class Project:
    """A tiny project whose packages come from an index on disk, which pip.conf names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        shutil.copy(ROOT / "environment.sh", folder)
        shutil.copy(ROOT / "tests" / "tiny_backend.py", folder / "backend.py")
        self.write(
            "pyproject.toml",
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
            '[project]\nname = "tiny"\nversion = "0"\n',
        )
        for settings in ("grader/kernelconfig", "playground/labconfig"):
            self.write(f"{settings}/settings.json", "{}")
        self.index = folder.parent / "index"
        self.write("requirements.lock", add_package(self.index, "ant"))
        pip_conf = folder.parent / "pip.conf"
        pip_conf.write_text(f"[global]\nindex-url = {self.index.as_uri()}\nuser = true\n")
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHON": sys.executable,
            "HOME": str(folder.parent),
            "PIP_CONFIG_FILE": str(pip_conf),
            "PIP_USER": "1",
            "PIP_RETRIES": "0",
            "UV_HTTP_RETRIES": "0",
        }

    def write(self, place: str, text: str) -> None:
        (self.folder / place).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / place).write_text(text)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["sh", "environment.sh", *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def set_up(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Return the exit code, the output and the error output."""
        process = self.start(*arguments, **environment)
        output, errors = process.communicate()
        return process.returncode, output, errors

    def packages(self) -> set[str]:
        """Return the names of the installed packages, but for pip and what comes with it."""
        found = self.folder.glob(".venv/lib/*/site-packages/*.dist-info")
        return {path.name.partition("-")[0] for path in found} - {"pip", "setuptools"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "course")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Set up a project with uv; tests change its lock."""
    project = Project(tmp_path_factory.mktemp("ready") / "Mes études d'été")
    uv = Path(sys.executable).with_name("uv").read_bytes()
    project.write("requirements-uv.lock", add_package(project.index, "uv", uv))
    code, output, errors = project.set_up()
    assert (code, errors) == (0, "")
    assert output.startswith("Setting up .venv from requirements.lock")
    assert "pip" not in output
    return project


@pytest.mark.long
def test_uv_installs_from_pips_index_whatever_pip_is_told_of_users(ready: Project) -> None:
    assert {"uv", "ant", "tiny"} <= ready.packages()


@pytest.mark.long
def test_nothing_happens_until_a_lock_or_the_project_changes(ready: Project) -> None:
    for changed in ("requirements.lock", "pyproject.toml", "playground/labconfig/settings.json"):
        with (ready.folder / changed).open("a") as file:
            file.write("\n")
        assert ready.set_up()[1].startswith("Setting up")
        assert ready.set_up() == (0, "", "")


@pytest.mark.long
def test_a_second_lock_keeps_what_the_first_brought(ready: Project) -> None:
    ready.write("requirements-test.lock", add_package(ready.index, "bee"))
    for lock in ("requirements.lock", "requirements-test.lock"):
        assert ready.set_up(lock)[::2] == (0, "")
    assert {"ant", "bee", "tiny"} <= ready.packages()
    for lock in ("requirements.lock", "requirements-test.lock"):
        assert ready.set_up(lock) == (0, "", "")


@pytest.mark.long
def test_where_uv_fails_pip_installs(ready: Project) -> None:
    ready.write("requirements.lock", add_package(ready.index, "cat"))
    code, output, errors = ready.set_up(UV_INDEX_URL="http://127.0.0.1:9/simple")
    assert (code, errors) == (0, "")
    assert "pip does" in output
    assert {"cat", "tiny"} <= ready.packages()


@pytest.mark.long
def test_without_a_network_a_sentence_says_so_and_what_is_there_stays(ready: Project) -> None:
    ready.set_up()
    before = (ready.folder / "requirements.lock").read_text()
    ready.write("requirements.lock", f"dog==0 --hash=sha256:{64 * '0'}\n")
    code, _, errors = ready.set_up(PIP_INDEX_URL="http://127.0.0.1:9/simple")
    assert code == 1
    assert "dog==0" in errors
    assert "network" in errors.splitlines()[-1]
    ready.write("requirements.lock", before)
    assert ready.set_up() == (0, "", "")


@pytest.mark.long
def test_a_set_up_that_was_killed_starts_over(ready: Project) -> None:
    ready.set_up()
    ready.write("requirements.lock", add_package(ready.index, "eel"))
    fifo = ready.folder / "fifo"
    os.mkfifo(fifo)
    process = ready.start(TINY_FIFO=str(fifo))
    with fifo.open():  # the build opens its other end
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    fifo.unlink()
    (ready.folder / ".venv" / "half").touch()
    assert ready.set_up()[::2] == (0, "")
    assert ready.packages() == {"uv", "eel", "tiny"}
    assert not (ready.folder / ".venv" / "half").exists()
    assert ready.set_up() == (0, "", "")


def fake_python(path: Path, version: str) -> None:
    """Write a Python that knows its version and makes no environment."""
    fits = Version(version) >= Version("3.11")
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f'#!/bin/sh\ncase "$1" in --version) echo Python {version};; -c) {str(fits).lower()};;'
        " *) exit 1;; esac\n"
    )
    path.chmod(0o755)


def test_an_unsuitable_python_is_named_with_the_versions_that_are_needed(
    project: Project, tmp_path: Path
) -> None:
    old = tmp_path / "bin" / "python3.9"
    fake_python(old, "3.9.6")
    code, output, errors = project.set_up(PYTHON=str(old))
    assert (code, output, len(errors.splitlines())) == (1, "", 1)
    assert "3.11, 3.12 or 3.13" in errors
    assert f"{old} here is Python 3.9.6" in errors
    assert "python3.99 here is missing" in project.set_up(PYTHON="python3.99")[2]
    assert not (project.folder / ".venv").exists()


def test_another_python_of_the_machine_is_used_where_python3_is_unsuitable(
    project: Project, tmp_path: Path
) -> None:
    project.environment["PATH"] = f"{tmp_path / 'bin'}:{project.environment['PATH']}"
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        fake_python(tmp_path / "bin" / name, "3.10.1")
    assert "python3 here is Python 3.10.1" in project.set_up(PYTHON="")[2]
    fake_python(tmp_path / "bin" / "python3.12", "3.12.1")
    assert project.set_up(PYTHON="")[2].startswith("python3.12 could not make .venv")


def test_an_environment_of_another_folder_or_without_its_python_is_made_again(
    ready: Project, tmp_path: Path
) -> None:
    ready.set_up()
    fake_python(tmp_path / "bin" / "python3", "3.12.1")
    machine = {"PYTHON": "", "PATH": f"{tmp_path / 'bin'}:{ready.environment['PATH']}"}
    assert ready.set_up(**machine) == (0, "", "")
    copy = Project(tmp_path / "copy")
    shutil.copytree(ready.folder, copy.folder, symlinks=True, dirs_exist_ok=True)
    assert copy.set_up(**machine)[2].startswith("python3 could not make .venv")
    python = ready.folder / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert ready.set_up(**machine)[2].startswith("python3 could not make .venv")

"""The environment: what pyproject.toml, environment.yml and the locks say of it, and how environment.sh makes it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def conda_differences(environment: str) -> list[str]:
    """What conda would install otherwise than pip, as requirements with their side."""
    entries = [entry for entry in yaml.safe_load(environment)["dependencies"] if isinstance(entry, str) and entry != "pip"]
    conda = {str(Requirement(entry)) for entry in entries}
    project = PYPROJECT["project"]
    pip = {str(Requirement(entry)) for entry in [*project["dependencies"], f"python{project['requires-python']}"]}
    return [f"only conda: {entry}" for entry in sorted(conda - pip)] + [f"only pip: {entry}" for entry in sorted(pip - conda)]


def pins(lock: str) -> dict[str, Version]:
    """The version of each package that every platform gets."""
    text = (ROOT / lock).read_text()
    return {name: Version(version) for name, version in re.findall(r"^([a-z0-9.-]+)==(\S+)(?: \\| ; )", text, re.MULTILINE)}


def unfit(lock: dict[str, Version], *groups: str) -> list[str]:
    """Requirements of the project that a lock doesn't meet."""
    wanted = [*PYPROJECT["project"]["dependencies"], *(entry for group in groups for entry in PYPROJECT["dependency-groups"][group])]
    return [entry for entry in wanted if (need := Requirement(entry)).name not in lock or lock[need.name] not in need.specifier]


def test_conda_gets_the_packages_and_bounds_of_pyproject() -> None:
    assert conda_differences((ROOT / "environment.yml").read_text()) == []


@pytest.mark.parametrize(
    ("change", "to"), [("numpy>=2.0,<3", "numpy>=2.0,<4"), ("  - nbval>=0.11,<0.12\n", ""), ("python>=3.11,<3.14", "python>=3.10,<3.14"), ("  - pip\n", "  - scipy\n")]
)
def test_a_conda_environment_with_another_bound_or_package_is_found_out(change: str, to: str) -> None:
    text = (ROOT / "environment.yml").read_text()
    assert change in text
    assert conda_differences(text.replace(change, to)) != []


def test_the_locks_hold_every_package_within_its_bounds() -> None:
    assert unfit(pins("requirements.lock"), "build") == []
    assert unfit(pins("requirements-test.lock"), "build", "test", "lock") == []


def test_a_lock_that_fell_behind_is_found_out() -> None:
    lock = pins("requirements.lock")
    assert unfit({**lock, "numpy": Version("1.26")}) == ["numpy>=2.0,<3"]
    assert unfit({name: version for name, version in lock.items() if name != "nbval"}) == ["nbval>=0.11,<0.12"]


def test_the_checks_run_with_the_versions_that_learners_have() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-test.lock").items()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock"])
def test_a_lock_hashes_every_package_and_names_no_place_to_fetch_it_from(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(entries) > 100
    assert all("==" in entry and entry.endswith("\\") for entry in entries)
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


class Project:
    """A project without requirements, so that its environment is set up in seconds and without a network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        shutil.copy(ROOT / "environment.sh", folder)
        configs = ("grader/kernelconfig/ipython_kernel_config.json", "playground/labconfig/page_config.json", "playground/jupyter_server_config.d/playground.json")
        for watched in ("requirements.lock", *configs):
            (folder / watched).parent.mkdir(parents=True, exist_ok=True)
            (folder / watched).touch()
        shutil.copy(ROOT / "tests" / "tiny_backend.py", folder / "backend.py")
        (folder / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "tiny"\nversion = "0"\n'
        )
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHON": sys.executable,
            "HOME": str(folder.parent),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
            "PIP_RETRIES": "0",
        }

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["sh", "environment.sh"], cwd=self.folder, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )

    def start_and_reach(self, file: str) -> subprocess.Popen[str]:
        """A set-up that goes on, as soon as there is a file in the environment."""
        process = self.start()
        while not (self.folder / ".venv" / file).exists():
            assert process.poll() is None, f"It ended before there was {file}: {process.communicate()}"
            time.sleep(0.01)
        return process

    def set_up(self) -> tuple[int, str, str]:
        """Exit code, what was printed, and what was complained about."""
        process = self.start()
        said, complained = process.communicate(timeout=120)
        return process.returncode, said, complained

    def is_ready(self) -> bool:
        pip = self.folder / ".venv/bin/pip"
        return pip.exists() and subprocess.run([pip, "show", "tiny"], env=self.environment, capture_output=True, check=False).returncode == 0


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "Mes études d'été")


def test_an_environment_is_set_up_once_and_again_only_when_its_lock_or_the_project_changed(project: Project) -> None:
    code, said, complained = project.set_up()
    assert (code, complained) == (0, "")
    assert said.startswith("Setting up .venv")
    assert project.is_ready()
    assert project.set_up() == (0, "", "")
    for changed in ("requirements.lock", "pyproject.toml"):
        with (project.folder / changed).open("a") as file:
            file.write("# changed\n")
        assert project.set_up()[1].startswith("Setting up .venv")
        assert project.set_up() == (0, "", "")


@pytest.mark.parametrize("moment", ["unfinished", "pyvenv.cfg", "pip.log"])
def test_a_set_up_that_was_killed_is_done_anew(project: Project, moment: str) -> None:
    project.environment["TINY_SECONDS"] = "5" if moment == "pip.log" else "0"  # it must not be over before it is killed
    process = project.start_and_reach(moment)
    project.environment["TINY_SECONDS"] = "0"
    (project.folder / ".venv" / "half").touch()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not project.is_ready()
    assert project.set_up()[0] == 0
    assert project.is_ready()
    assert not (project.folder / ".venv" / "half").exists()


def test_of_two_set_ups_at_once_one_waits_and_finds_it_done(project: Project) -> None:
    first = project.start_and_reach("pyvenv.cfg")
    second, third = project.start(), project.start()
    said, complained = first.communicate(timeout=120)
    assert (first.returncode, complained) == (0, "")
    assert said.startswith("Setting up .venv")
    assert {second.communicate(timeout=60), third.communicate(timeout=60)} == {("", "Another set-up is at work in this folder; waiting for it.\n")}
    assert (second.returncode, third.returncode) == (0, 0)
    assert project.is_ready()


def test_of_many_set_ups_at_once_after_a_killed_one_exactly_one_works(project: Project) -> None:
    killed = project.start_and_reach("pyvenv.cfg")
    waiting = [project.start() for _ in range(6)]
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    ended = [(process.communicate(timeout=120), process.returncode) for process in waiting]
    assert [code for _, code in ended] == [0] * 6
    assert [said[:10] for (said, _), _ in ended if said] == ["Setting up"]
    assert project.is_ready()


def test_what_a_killed_set_up_leaves_running_is_waited_for(project: Project) -> None:
    process = project.start_and_reach("pyvenv.cfg")
    process.kill()   # the shell alone: the Python that it started goes on writing into .venv
    code, said, complained = project.set_up()
    assert (code, complained) == (0, "Another set-up is at work in this folder; waiting for it.\n")
    assert said.startswith("Setting up")
    assert project.is_ready()
    process.communicate()


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_set_up_that_is_stopped_gives_its_turn_back(project: Project, signal_number: int) -> None:
    process = project.start_and_reach("pyvenv.cfg")
    os.killpg(process.pid, signal_number)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert project.set_up()[::2] == (0, "")


def test_one_that_waits_for_its_turn_can_be_stopped(project: Project) -> None:
    first = project.start_and_reach("pyvenv.cfg")
    waiting = project.start()
    assert waiting.stderr is not None
    said = waiting.stderr.readline()
    os.killpg(waiting.pid, signal.SIGINT)
    assert (said, *waiting.communicate(timeout=60)) == ("Another set-up is at work in this folder; waiting for it.\n", "", "")
    assert waiting.returncode != 0
    first.communicate(timeout=120)
    assert first.returncode == 0
    assert project.is_ready()


def test_an_environment_whose_folder_was_moved_is_made_anew(project: Project) -> None:
    project.set_up()
    project.folder = project.folder.rename(project.folder.with_name("elsewhere"))
    assert project.set_up()[0] == 0
    assert project.is_ready()


def test_without_a_network_a_set_up_says_so_and_keeps_what_is_there(project: Project) -> None:
    project.set_up()
    (project.folder / "requirements.lock").write_text("six==1.17.0 --hash=sha256:" + 64 * "0" + "\n")
    code, _, complained = project.set_up()
    assert code == 1
    assert complained.splitlines()[-1] == "The packages could not be fetched: connect to the network and run make env again; what is installed stays as it is."
    assert project.is_ready()
    (project.folder / "requirements.lock").write_text("")
    assert project.set_up()[::2] == (0, "")


def test_a_package_that_pip_refuses_is_told_with_pips_words(project: Project) -> None:
    (project.folder / "requirements.lock").write_text("not a requirement\n")
    code, _, complained = project.set_up()
    assert code == 1
    assert "Invalid requirement" in complained
    assert complained.splitlines()[-1].startswith("The packages could not be installed; pip's own words are above")


def test_a_python_without_venv_is_told_the_package_that_brings_it(project: Project, tmp_path: Path) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError\n")
    project.environment["PYTHONPATH"] = str(tmp_path)
    assert project.set_up() == (1, "", f"{sys.executable} has no venv module; on Debian and Ubuntu, sudo apt install python3-venv brings it.\n")
    assert not (project.folder / ".venv").exists()


def old_python(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.6\nexit 1\n')
    path.chmod(0o755)
    return path


def test_an_unsuitable_python_that_was_asked_for_is_named_with_the_versions_that_are_needed(project: Project, tmp_path: Path) -> None:
    project.environment["PYTHON"] = str(old_python(tmp_path / "bin" / "python3.9"))
    assert project.set_up() == (1, "", f"{tmp_path}/bin/python3.9 is Python 3.9.6; this course needs Python 3.11, 3.12 or 3.13.\n")
    project.environment["PYTHON"] = "python3.99"
    assert project.set_up() == (1, "", "There is no python3.99 on this machine; give another with make env PYTHON=…, or none.\n")


def test_where_python3_is_unsuitable_another_python_of_the_machine_is_taken_and_where_there_is_none_that_is_said(project: Project, tmp_path: Path) -> None:
    old_python(tmp_path / "bin" / "python3")
    for tool in ("sh", "dirname", "cat", "cksum", "rm", "mkdir", "grep", "ln"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or "")
    project.environment["PATH"] = str(tmp_path / "bin")
    del project.environment["PYTHON"]
    code, _, complained = project.set_up()
    assert code == 1
    assert complained == (
        "This course needs Python 3.11, 3.12 or 3.13, and python3 here is Python 3.9.6;"
        " install one of them, or name it: make env PYTHON=/path/to/python3.12.\n"
    )
    (tmp_path / "bin" / "python3.12").symlink_to(Path(sys.executable).resolve())
    assert project.set_up()[::2] == (0, "")
    assert project.is_ready()


def test_another_python_that_is_asked_for_makes_the_environment_anew(project: Project, tmp_path: Path) -> None:
    project.set_up()
    project.environment["PYTHON"] = str(old_python(tmp_path / "bin" / "python3.9"))
    assert "needs Python 3.11" in project.set_up()[2]
    assert project.is_ready()

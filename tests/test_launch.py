"""Test the dev container, the files for Binder, and the links that open the course."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from jupyter_server import DEFAULT_JUPYTER_SERVER_PORT
from jupyter_server.serverapp import ServerApp

from course import ROOT
from grader.author.bundle import files_of_bundle

CONTAINER: dict[str, Any] = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
SERVER: dict[str, Any] = json.loads(
    (ROOT / ".devcontainer/jupyter_server_config.json").read_text()
)["ServerApp"]
LINKS = re.findall(r"^    (https://\S+)$", (ROOT / "docs/launch.md").read_text(), re.MULTILINE)
PIP = '#!/bin/sh\n[ "$1 $2" = "-m pip" ] && echo "$@" >>"$PIPS" || exec "$PYTHON" "$@"\n'
"""A Python that notes what pip is asked for."""


@pytest.fixture(params=["repository", "bundle"])
def clone(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Make the folder that Binder builds from: this repository, or the learners' archive."""
    root = tmp_path / "clone"
    if request.param == "bundle":
        for path, data in files_of_bundle(ROOT).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        (root / ".binder/postBuild").chmod(0o755)  # as the archive has it
        return root
    for folder in (".binder", "bundle", "course", "grader"):
        # Other tests may be writing __pycache__, and files in it go away while it is copied.
        ignore = shutil.ignore_patterns("__pycache__", "progress.json")
        shutil.copytree(ROOT / folder, root / folder, ignore=ignore)
    return root


def test_binder_installs_the_learners_lock_and_makes_their_workspace(
    clone: Path, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text(PIP)
    python.chmod(0o755)
    environment = {
        "HOME": str(clone),  # as on Binder
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "PIPS": str(tmp_path / "pips"),
        "PYTHON": sys.executable,
    }
    subprocess.run(["./.binder/postBuild"], cwd=clone, env=environment, check=True)
    first, second = (tmp_path / "pips").read_text().splitlines()
    *options, lock = first.split()
    assert options[-2:] == ["--require-hashes", "-r"]
    assert (clone / lock).read_bytes() == (ROOT / "bundle/requirements.lock").read_bytes()
    assert second.endswith("--no-deps --no-build-isolation -e .")
    assert (clone / ".jupyter/jupyter_server_config.json").is_file()
    assert (clone / page("mybinder.org")).is_file()


def page(host: str) -> str:
    """Return the notebook that the link to a host opens, relative to the server's folder."""
    link = next(link for link in LINKS if f"//{host}/" in link)
    place = parse_qs(urlsplit(link).query)["urlpath"][0]
    assert place.startswith("lab/tree/")
    return place.removeprefix("lab/tree/")


def test_nbgitpuller_opens_the_welcome_page_of_the_repository_that_it_clones() -> None:
    query = parse_qs(urlsplit(next(link for link in LINKS if "git-pull" in link)).query)
    assert query["repo"] == ["https://github.com/OWNER/REPOSITORY"]
    assert query["branch"] == ["main"]
    assert "--initial-branch main" in (ROOT / "docs/launch.md").read_text()
    assert (ROOT / page("HUB").removeprefix("REPOSITORY/")).is_file()


def test_binders_python_is_one_that_the_course_supports() -> None:
    version = (ROOT / ".binder/runtime.txt").read_text().strip().removeprefix("python-")
    assert version in ("3.11", "3.12", "3.13")


@pytest.mark.parametrize("folder", [".", "bundle"])
def test_the_dev_container_makes_targets_that_exist(folder: str) -> None:
    makefile = (ROOT / folder / "Makefile").read_text()
    commands = [value for name, value in CONTAINER.items() if name.endswith("Command")]
    assert commands == ["make env", "make lab"]
    assert all(re.search(rf"^{one.split()[1]}:", makefile, re.MULTILINE) for one in commands)


def test_the_forwarded_port_is_jupyterlabs_and_its_server_finds_the_settings() -> None:
    (port,) = CONTAINER["forwardPorts"]
    assert port == DEFAULT_JUPYTER_SERVER_PORT
    assert CONTAINER["portsAttributes"].keys() == {str(port)}
    folder = CONTAINER["containerEnv"]["JUPYTER_CONFIG_PATH"]
    assert folder == "${containerWorkspaceFolder}/.devcontainer"
    assert SERVER.keys() <= ServerApp.class_traits().keys()


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://fluffy-disco-4j7q-8888.app.github.dev", True),
        ("https://fluffy-disco-4j7q-8889.app.github.dev", False),
        ("https://fluffy-disco-4j7q-8888.app.github.dev.example.org", False),
        ("https://example.org/-8888.app.github.dev", False),
        ("https://x-8888xappxgithubxdev", False),
    ],
)
def test_only_port_8888_of_a_codespace_may_talk_to_the_server(origin: str, allowed: bool) -> None:
    # Older servers are content with the beginning of an origin.
    assert bool(re.match(SERVER["allow_origin_pat"], origin)) == allowed


@pytest.mark.parametrize("manual", ["README.md", "bundle/README.md"])
def test_each_badge_of_a_readme_is_a_link_of_the_guide(manual: str) -> None:
    found = re.findall(r"\((https://[^)]*OWNER[^)]*)\)", (ROOT / manual).read_text())
    assert len(found) >= 2
    assert set(found) <= set(LINKS)

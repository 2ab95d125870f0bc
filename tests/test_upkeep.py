"""What looks after the project names only what there is: hooks, workflows, and the words of CONTRIBUTING.md."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from course import ROOT

TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
GUIDES = [".ci/run", "CONTRIBUTING.md", "README.md", "CHANGELOG.md", *(str(path.relative_to(ROOT)) for path in (ROOT / ".github").rglob("*.yml"))]


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def strange_targets(text: str) -> set[str]:
    """Targets of make that a text names in code and the Makefile does not have."""
    code = " ".join([*re.findall(r"`[^`]+`", text), *re.findall(r"^(?: {4}|\s*-? *run: ).*$", text, re.MULTILINE)])
    return set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) - TARGETS


@pytest.mark.parametrize("guide", GUIDES)
def test_every_target_of_make_that_a_guide_names_is_there(guide: str) -> None:
    assert strange_targets((ROOT / guide).read_text(encoding="utf-8")) == set()


def test_a_target_that_is_not_there_is_found_out() -> None:
    assert strange_targets("Run `make coffee`.\n    make tea  # in code\n      - run: make test\nto make sure") == {"coffee", "tea"}


def test_the_help_of_make_names_every_target() -> None:
    said = set(re.findall(r'@echo "make ([a-z-]+)', (ROOT / "Makefile").read_text(encoding="utf-8")))
    assert said | {"help", "test-env", "lint", "types", "verify", "pytest"} == TARGETS


def test_every_hook_runs_a_tool_of_the_environment_on_files_that_exist() -> None:
    tracked = [path.relative_to(ROOT).as_posix() for room in ("grader", "playground", "solutions", "course") for path in (ROOT / room).rglob("*.*")]
    hooks = [hook for repository in read(".pre-commit-config.yaml")["repos"] for hook in repository["hooks"]]
    assert [hook["id"] for hook in hooks] == ["ruff", "mypy", "course"]
    for hook in hooks:
        tool = Path(hook["entry"].split()[0])
        assert tool.parent == Path(".venv/bin")
        assert Path(sys.executable).with_name(tool.name).exists()
        assert any(re.search(hook.get("files", ""), path) for path in tracked)


@pytest.mark.parametrize("workflow", ["check.yml", "nightly.yml"])
def test_every_step_of_a_workflow_runs_something_and_scripts_that_it_names_exist(workflow: str) -> None:
    jobs = read(f".github/workflows/{workflow}")["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    assert all(("run" in step) != ("uses" in step) for step in steps)
    assert all("@" in step["uses"] for step in steps if "uses" in step)
    scripts = [word for step in steps for word in step.get("run", "").split() if word.startswith(".")]
    assert scripts
    assert all((ROOT / script).exists() for script in scripts)


def test_dependabot_looks_after_what_is_there() -> None:
    updates = read(".github/dependabot.yml")["updates"]
    assert [update["package-ecosystem"] for update in updates] == ["github-actions"]


def test_the_changelog_has_a_place_for_what_is_not_released_and_contributing_fits_a_screen() -> None:
    assert re.findall(r"^## (.*)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)[0] == "[Unreleased]"
    assert len((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()) <= 40

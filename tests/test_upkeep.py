"""What looks after the project names only what there is, and all of it: hooks, workflows, dependabot, and the commands in the guides."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from nbgrader.apps import NbGraderApp

from course import ROOT
from grader import cli

TARGETS = set(
    re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
)
PAGES = [
    "CONTRIBUTING.md",
    "README.md",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")),
]
GUIDES = [
    ".ci/run",
    "CHANGELOG.md",
    *PAGES,
    *(str(path.relative_to(ROOT)) for path in (ROOT / ".github").rglob("*.yml")),
]
MANUALS = ["bundle/README.md", *PAGES]
MANIFESTS = {
    "github-actions": r"\.github/workflows/.*\.ya?ml",
    "npm": r"(.*/)?package\.json",
    "pip": r"(.*/)?requirements.*\.txt",
    "docker": r"(.*/)?Dockerfile",
}
"""What Dependabot reads, by the name of its ecosystem."""


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def strange_targets(text: str) -> set[str]:
    """Targets of make that a text names in code and the Makefile does not have."""
    code = " ".join(
        [
            *re.findall(r"`[^`\n]+`", text),
            *re.findall(r"^(?: {4}(?!\")|\s*-? *run: ).*$", text, re.MULTILINE),
        ]
    )
    return set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) - TARGETS


@pytest.mark.parametrize("guide", GUIDES)
def test_every_target_of_make_that_a_guide_names_is_there(guide: str) -> None:
    assert strange_targets((ROOT / guide).read_text(encoding="utf-8")) == set()


def test_a_target_that_is_not_there_is_found_out() -> None:
    assert strange_targets(
        "Run `make coffee`.\n    make tea  # in code\n      - run: make test\nto make sure"
    ) == {"coffee", "tea"}


def commands(text: str, program: str) -> list[list[str]]:
    """The words after `program`, of each of its commands in a text's blocks of code and inline code."""
    blocks = re.findall(r"^(`{3,})[^\n]*\n(.*?)^\1$", text, re.MULTILINE | re.DOTALL)
    lines = (
        [line for _, block in blocks for line in block.splitlines()]
        + re.findall(r"^ {4}(.*)$", text, re.MULTILINE)
        + re.findall(r"`([^`\n]+)`", text)
    )
    found = (re.fullmatch(rf"\s*(?:\S*[/\\])?{program} (.*)", line) for line in lines)
    return [shlex.split(one[1], comments=True) for one in found if one]


def refused(words: list[str]) -> bool:
    """Whether the grader's command line does not understand these words; one word alone may be a mention of that command."""
    try:
        cli.parser().parse_args(words if len(words) > 1 else [*words, "--help"])
    except SystemExit as stopped:
        return bool(stopped.code)
    return False


def unknown_to_nbgrader(words: list[str]) -> bool:
    """Whether nbgrader has no such command, or the command no such command of its own."""
    app: Any = NbGraderApp
    for word in words:
        if not isinstance(app.subcommands, dict):  # its words are lessons and options
            return False
        if word not in app.subcommands:
            return True
        app = app.subcommands[word][0]
    return False


@pytest.mark.parametrize("manual", MANUALS)
def test_every_command_that_a_manual_names_is_understood(manual: str) -> None:
    text = (ROOT / manual).read_text(encoding="utf-8")
    assert [words for words in commands(text, "grader") if refused(words)] == []
    assert [words for words in commands(text, "nbgrader") if unknown_to_nbgrader(words)] == []


def test_a_command_that_is_not_there_is_found_out() -> None:
    text = (
        "Run `grader brew`, `grader/` or `grader lab`.\n\n    .venv/bin/grader verify --tea  # grader verify\n\n"
        "```sh one\nexport A=1\n/opt/bin/grader autograde --regrade\nnbgrader db assignment brew neuron\nnbgrader brew\n```\n\n    nbgrader collect neuron\n"
    )
    assert [words for words in commands(text, "grader") if refused(words)] == [
        ["autograde", "--regrade"],
        ["verify", "--tea"],
        ["brew"],
    ]
    assert ["lab"] in commands(text, "grader")
    assert [words for words in commands(text, "nbgrader") if unknown_to_nbgrader(words)] == [
        ["db", "assignment", "brew", "neuron"],
        ["brew"],
    ]
    assert ["collect", "neuron"] in commands(text, "nbgrader")


def test_the_help_of_make_names_every_target() -> None:
    said = set(
        re.findall(r'@echo "make ([a-z-]+)', (ROOT / "Makefile").read_text(encoding="utf-8"))
    )
    assert said | {"help", "test-env", "lint", "types", "verify", "pytest"} == TARGETS


def test_every_hook_runs_a_tool_of_the_environment_on_files_that_exist() -> None:
    tracked = [
        path.relative_to(ROOT).as_posix()
        for room in ("grader", "playground", "solutions", "course")
        for path in (ROOT / room).rglob("*.*")
    ]
    hooks = [
        hook
        for repository in read(".pre-commit-config.yaml")["repos"]
        for hook in repository["hooks"]
    ]
    assert [hook["id"] for hook in hooks] == ["ruff", "mypy", "course"]
    for hook in hooks:
        tool = Path(hook["entry"].split()[0])
        assert tool.parent == Path(".venv/bin")
        assert Path(sys.executable).with_name(tool.name).exists()
        assert any(re.search(hook.get("files", ""), path) for path in tracked)


@pytest.mark.parametrize("workflow", ["check.yml", "nightly.yml"])
def test_every_step_of_a_workflow_runs_something_and_scripts_that_it_names_exist(
    workflow: str,
) -> None:
    jobs = read(f".github/workflows/{workflow}")["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    assert all(("run" in step) != ("uses" in step) for step in steps)
    assert all("@" in step["uses"] for step in steps if "uses" in step)
    scripts = [
        word for step in steps for word in step.get("run", "").split() if word.startswith(".")
    ]
    assert scripts
    assert all((ROOT / script).exists() for script in scripts)


def test_dependabot_looks_after_every_manifest_and_after_nothing_else() -> None:
    """The bounds in pyproject.toml are for the nightly workflow, environment.yml is compared with them."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    there = {
        (ecosystem, path)
        for ecosystem, manifest in MANIFESTS.items()
        for path in tracked
        if re.fullmatch(manifest, path)
    }
    folders = {
        (ecosystem, "/" if ecosystem == "github-actions" else f"/{Path(path).parent}")
        for ecosystem, path in there
    }
    assert {
        (update["package-ecosystem"], update["directory"])
        for update in read(".github/dependabot.yml")["updates"]
    } == folders


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    assert (
        re.findall(r"^## (.*)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)[
            0
        ]
        == "[Unreleased]"
    )


@pytest.mark.parametrize(("page", "most"), [("README.md", 90), ("CONTRIBUTING.md", 50)])
def test_the_front_pages_stay_short(page: str, most: int) -> None:
    assert len((ROOT / page).read_text(encoding="utf-8").splitlines()) <= most


@pytest.mark.parametrize("page", ["CHANGELOG.md", *PAGES])
def test_no_line_of_a_page_is_over_200_characters(page: str) -> None:
    assert [
        line for line in (ROOT / page).read_text(encoding="utf-8").splitlines() if len(line) > 200
    ] == []


def missing_links(page: Path) -> list[str]:
    """Return the relative links of a page that lead nowhere, to a file or to a heading in it."""
    missing = []
    for link in re.findall(r"\]\((?!https?://)([^)]+)\)", page.read_text(encoding="utf-8")):
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        headings = (
            re.findall(r"^#+ (.*)", target.read_text(encoding="utf-8"), re.MULTILINE)
            if heading and target.is_file()
            else []
        )
        if not target.exists() or (
            heading and heading not in {one.lower().replace(" ", "-") for one in headings}
        ):
            missing.append(link)
    return missing


@pytest.mark.parametrize("page", ["CHANGELOG.md", *PAGES])
def test_every_relative_link_of_a_page_leads_somewhere(page: str) -> None:
    assert missing_links(ROOT / page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "one.md").write_text(
        "# Here\n[a](two.md) [b](#there) [c](#here) [d](https://example.org/none)\n"
    )
    assert missing_links(tmp_path / "one.md") == ["two.md", "#there"]


def unknown_modules(text: str) -> list[str]:
    """Return the paths in a page's inline code that name a folder or module of the project and do not exist."""
    named = re.findall(
        r"`((?:grader|playground|solutions|tests|bundle|benchmarks)/[\w./-]*)`", text
    )
    return [path for path in named if "LESSON" not in path and not (ROOT / path).exists()]


@pytest.mark.parametrize(
    "page",
    [
        "CONTRIBUTING.md",
        "README.md",
        *(
            f"docs/{name}.md"
            for name in ("architecture", "benchmarks", "front-ends", "instructor", "security")
        ),
    ],
)
def test_every_module_that_a_page_names_exists(page: str) -> None:
    assert unknown_modules((ROOT / page).read_text(encoding="utf-8")) == []


def test_a_module_that_does_not_exist_is_found() -> None:
    assert unknown_modules(
        "`grader/cli.py`, `grader/tea.py`, `playground/`, `solutions/LESSON/exercises.py`"
    ) == ["grader/tea.py"]


def piped(summary: str) -> bool:
    """Tell whether a module's first line is written as a pipe, "X comes in; Y goes out"."""
    return re.search(r"\bcomes? in\b|\bgoe?s? out\b", summary) is not None


def summary_of(module: Path) -> str:
    return (ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or "").partition("\n")[
        0
    ]


def test_a_module_opens_with_one_line_that_says_what_it_is_for() -> None:
    modules = [
        path
        for folder in ("grader", "playground", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert len(modules) > 100
    assert [
        str(path)
        for path in modules
        if not 0 < len(summary_of(path)) <= 94 or piped(summary_of(path))
    ] == []


def test_a_summary_written_as_a_pipe_is_found() -> None:
    assert piped("A number comes in; a pool of processes goes out.")
    assert not piped("Return a pool of processes.")

"""Keep hooks, workflows, guides and language in sync with the project."""

from __future__ import annotations

import ast
import io
import re
import shlex
import subprocess
import sys
import tokenize
from collections.abc import Iterable, Iterator
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
"""Patterns of the files that Dependabot reads, by the name of their ecosystem."""


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def strange_targets(text: str) -> set[str]:
    """Return the targets of make that a text names in code and the Makefile does not have."""
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


def test_a_missing_target_is_found() -> None:
    text = "Run `make coffee`.\n    make tea  # in code\n      - run: make test\nto make sure"
    assert strange_targets(text) == {"coffee", "tea"}


def commands(text: str, program: str) -> list[list[str]]:
    """Return the arguments of each command of `program` in a text's code, blocks and inline."""
    blocks = re.findall(r"^(`{3,})[^\n]*\n(.*?)^\1$", text, re.MULTILINE | re.DOTALL)
    lines = (
        [line for _, block in blocks for line in block.splitlines()]
        + re.findall(r"^ {4}(.*)$", text, re.MULTILINE)
        + re.findall(r"`([^`\n]+)`", text)
    )
    found = (re.fullmatch(rf"\s*(?:\S*[/\\])?{program} (.*)", line) for line in lines)
    return [shlex.split(one[1], comments=True) for one in found if one]


def refused(words: list[str]) -> bool:
    """Tell whether the grader's command line refuses these words.

    A single word may be a mention of a command, without its arguments.
    """
    try:
        cli.parser().parse_args(words if len(words) > 1 else [*words, "--help"])
    except SystemExit as stopped:
        return bool(stopped.code)
    return False


def unknown_to_nbgrader(words: list[str]) -> bool:
    """Tell whether nbgrader has no such command or subcommand."""
    app: Any = NbGraderApp
    for word in words:
        if not isinstance(app.subcommands, dict):  # lessons and options follow
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


def test_a_missing_command_is_found() -> None:
    text = (
        "Run `grader brew`, `grader/` or `grader lab`.\n\n"
        "    .venv/bin/grader verify --tea  # grader verify\n\n"
        "```sh one\nexport A=1\n/opt/bin/grader autograde --regrade\n"
        "nbgrader db assignment brew neuron\nnbgrader brew\n```\n\n"
        "    nbgrader collect neuron\n"
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
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r'@echo "make ([a-z-]+)', makefile))
    assert named | {"help", "test-env", "lint", "types", "verify", "pytest"} == TARGETS


def test_every_hook_runs_a_tool_of_the_environment_on_files_that_exist() -> None:
    tracked = [
        path.relative_to(ROOT).as_posix()
        for folder in ("grader", "playground", "solutions", "course")
        for path in (ROOT / folder).rglob("*.*")
    ]
    hooks = [
        hook
        for repository in read(".pre-commit-config.yaml")["repos"]
        for hook in repository["hooks"]
    ]
    assert [hook["id"] for hook in hooks] == ["ruff", "ruff-format", "mypy", "course"]
    for hook in hooks:
        tool = Path(hook["entry"].split()[0])
        assert tool.parent == Path(".venv/bin")
        assert Path(sys.executable).with_name(tool.name).exists()
        assert any(re.search(hook.get("files", ""), path) for path in tracked)


@pytest.mark.parametrize("workflow", ["check.yml", "nightly.yml"])
def test_every_step_of_a_workflow_runs_a_script_or_action_that_exists(workflow: str) -> None:
    jobs = read(f".github/workflows/{workflow}")["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    assert all(("run" in step) != ("uses" in step) for step in steps)
    assert all("@" in step["uses"] for step in steps if "uses" in step)
    scripts = [
        word for step in steps for word in step.get("run", "").split() if word.startswith(".")
    ]
    assert scripts
    assert all((ROOT / script).exists() for script in scripts)


def test_dependabot_reads_every_manifest_and_no_other_folder() -> None:
    """The nightly workflow tests pyproject.toml's bounds; another test compares environment.yml."""
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


def test_the_changelog_begins_with_unreleased_changes() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)", changelog, re.MULTILINE)[0] == "[Unreleased]"


@pytest.mark.parametrize(("page", "most"), [("README.md", 90), ("CONTRIBUTING.md", 60)])
def test_the_front_pages_stay_short(page: str, most: int) -> None:
    assert len((ROOT / page).read_text(encoding="utf-8").splitlines()) <= most


def unwrapped(text: str) -> list[str]:
    """Return the lines of prose over 120 columns; code, tables and lone links don't count."""
    prose = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [
        line
        for line in prose.splitlines()
        if len(line) > 120
        and not line.startswith(("|", "    "))
        and not re.fullmatch(r"\[[^]]*\]\(\S*", line)
    ]


@pytest.mark.parametrize("page", ["CHANGELOG.md", *MANUALS])
def test_prose_is_wrapped_at_120_columns(page: str) -> None:
    assert unwrapped((ROOT / page).read_text(encoding="utf-8")) == []


def test_a_long_line_of_prose_is_found() -> None:
    long = "word " * 30
    assert unwrapped(f"{long}\n```sh\n{long}\n```\n| {long} |\n    {long}\nshort") == [long]


def missing_links(page: Path) -> list[str]:
    """Return the relative links of a page whose file or heading does not exist."""
    missing = []
    for link in re.findall(r"\]\((?!https?://)([^)]+)\)", page.read_text(encoding="utf-8")):
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        text = target.read_text(encoding="utf-8") if heading and target.is_file() else ""
        headings = re.findall(r"^#+ (.*)", text, re.MULTILINE)
        anchors = {one.lower().replace(" ", "-") for one in headings}
        if not target.exists() or (heading and heading not in anchors):
            missing.append(link)
    return missing


@pytest.mark.parametrize("page", ["CHANGELOG.md", *PAGES])
def test_every_relative_link_of_a_page_has_a_target(page: str) -> None:
    assert missing_links(ROOT / page) == []


def test_a_link_without_a_target_is_found(tmp_path: Path) -> None:
    (tmp_path / "one.md").write_text(
        "# Here\n[a](two.md) [b](#there) [c](#here) [d](https://example.org/none)\n"
    )
    assert missing_links(tmp_path / "one.md") == ["two.md", "#there"]


def unknown_modules(text: str) -> list[str]:
    """Return the paths in a page's inline code that the project does not have."""
    named = re.findall(
        r"`((?:grader|playground|solutions|tests|bundle|benchmarks)/[\w./-]*)`", text
    )
    return [path for path in named if "LESSON" not in path and not (ROOT / path).exists()]


@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/lesson.md"])
def test_every_module_that_a_page_names_exists(page: str) -> None:
    assert unknown_modules((ROOT / page).read_text(encoding="utf-8")) == []


def test_a_module_that_does_not_exist_is_found() -> None:
    assert unknown_modules(
        "`grader/cli.py`, `grader/tea.py`, `playground/`, `solutions/LESSON/exercises.py`"
    ) == ["grader/tea.py"]


def summary_of(source: str) -> str:
    """Return the first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


@pytest.mark.parametrize("folder", ["grader", "playground", "benchmarks"])
def test_a_module_opens_with_one_line_that_gives_its_purpose(folder: str) -> None:
    summaries = {
        str(path.relative_to(ROOT)): summary_of(path.read_text(encoding="utf-8"))
        for path in (ROOT / folder).rglob("*.py")
    }
    assert summaries
    assert [path for path, line in summaries.items() if not 0 < len(line) <= 94] == []


def long_names(source: str) -> list[str]:
    """Return the names of tests that have 80 characters or more."""
    return re.findall(r"^ *(?:async )?def (test_\w{75,})\(", source, re.MULTILINE)


def test_names_of_tests_have_under_80_characters() -> None:
    files = (ROOT / "tests").rglob("test_*.py")
    assert [name for file in files for name in long_names(file.read_text(encoding="utf-8"))] == []


def test_a_long_name_of_a_test_is_found() -> None:
    names = [f"test_{'x' * length}" for length in (74, 75)]
    assert long_names("".join(f"def {name}():\n    ...\n" for name in names)) == names[1:]


DIALECT = re.compile(
    r"\b(?:mend(?:s|ed|ing)?|anew|rest(?:s|ed|ing)? on|st(?:ands?|anding|ood) (?:for|beside)"
    r"|so many|whoever|what it got|(?:is|are) said|goe?s? on where it was"
    r"|comes? in\b[^.]*?\bgoe?s? out|of its own|to and fro|hand(?:ed)?-ins?)\b",
    re.IGNORECASE,
)
"""Phrases of the project's old dialect; the samples below give the standard words."""


def prose_of(source: str) -> Iterator[str]:
    """Yield the comments and strings of a Python source, docstrings and parts of f-strings too."""
    comments = [
        token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    yield "\n".join(comments)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def dialect_in(text: str) -> list[str]:
    """Return each phrase of the old dialect with the words around it."""
    text = " ".join(text.split())
    return [text[max(found.start() - 30, 0) : found.end() + 30] for found in DIALECT.finditer(text)]


def dialect_of(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    parts = prose_of(text) if path.suffix == ".py" else [text]
    return [found for part in parts for found in dialect_in(part)]


@pytest.mark.parametrize("area", ["grader", "playground", "benchmarks", "solutions", "pages"])
def test_sources_and_pages_use_standard_words(area: str) -> None:
    pages = [ROOT / page for page in ("CHANGELOG.md", *MANUALS)]
    pattern = "*/exercises.py" if area == "solutions" else "**/*.py"
    paths = pages if area == "pages" else sorted((ROOT / area).glob(pattern))
    found = {str(path.relative_to(ROOT)): dialect_of(path) for path in paths}
    assert {path: phrases for path, phrases in found.items() if phrases} == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Mend that and run it again.", "Fix the problem and run the command again."),
        ("ask for it anew", "ask for it again"),
        ("3 grades rest on another version", "3 grades depend on another version"),
        ("sigmoid stands for a value now", "sigmoid is now a value"),
        ("the value that stands\n    beside a slider", "the value next to a slider"),
        ("so many bytes", "N bytes"),
        ("the mistake of whoever wrote it", "the mistake of the person who wrote it"),
        ("what it got", "its result"),
        ("it is said in the summary", "the summary reports it"),
        ("then it goes on where it was", "then it resumes"),
        ("A cell comes in; its result goes out.", "Return the result of a cell."),
        ("a folder of its own", "its own folder"),
        ("moves it to and fro", "moves it back and forth"),
        ("a learner's hand-in", "a learner's submission"),
    ],
)
def test_the_old_dialect_is_found_and_the_standard_word_is_not(old: str, new: str) -> None:
    assert len(dialect_in(old)) == 1
    assert dialect_in(new) == []


def test_the_old_dialect_is_found_in_comments_docstrings_and_messages(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        '"""Do it anew."""\nx = 1  # so many\n# It rests\n# on x.\n'
        'print(f"{x} is " "said", "of " "its own")\nmend = so_many = 2\n'
    )
    found = sorted(dialect_of(module))
    assert found == ["Do it anew.", "is said", "of its own", *["so many It rests on x."] * 2]


def docstrings_of(source: str) -> Iterator[str]:
    """Yield the docstrings of a module, its classes and its functions."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield text


def whats_per_thousand(docstrings: Iterable[str]) -> float:
    """Return how often "what" and "whatever" occur in 1,000 words, 0 without any."""
    words = [word for text in docstrings for word in re.findall(r"[a-z]+", text.lower())]
    whats = sum(word in ("what", "whatever") for word in words)
    return 1000 * whats / max(len(words), 1)


@pytest.mark.parametrize("package", ["grader", "playground"])
def test_docstrings_name_the_thing_instead_of_a_clause_with_what(package: str) -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / package).rglob("*.py")]
    assert whats_per_thousand(text for one in sources for text in docstrings_of(one)) <= 3


def test_clauses_with_what_are_counted_in_docstrings_alone() -> None:
    source = (
        '"""Return what it returned."""\nwhat = "what"  # what\n\n\n'
        'def f():\n    """Return the result, whatever it is."""\n'
    )
    assert whats_per_thousand(docstrings_of(source)) == 200
    assert whats_per_thousand([]) == 0

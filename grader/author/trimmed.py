"""Remove from the set-up files the packages and settings that only an author needs."""

from __future__ import annotations

import re
from collections.abc import Callable

AUTHORS_PACKAGES = ("distributed", "jupytext", "nbgrader", "nbval")
"""What makes, grades and tests a course; a learner runs and checks notebooks without it."""

AUTHORS_SECTIONS = ("dependency-groups", "tool.pytest", "tool.ruff", "tool.mypy")


def trimmed_project(text: str) -> str:
    """pyproject.toml with what a learner's environment is made from."""
    sections = re.split(r"(?m)^(?=\[)", text)
    kept = [section for section in sections if not section.lstrip("[").startswith(AUTHORS_SECTIONS)]
    return _without_authors_packages("".join(kept), r'\s*"({})\b.*",').rstrip() + "\n"


def trimmed_conda(text: str) -> str:
    """environment.yml likewise."""
    return _without_authors_packages(text, r"\s*- ({})\b.*")


def trimmed_lock(
    text: str, wanted: Callable[[str], bool] = lambda name: name not in AUTHORS_PACKAGES
) -> str:
    """A lock with the packages that are left without the author's, with all their hashes; uv notes under each who asked for it.

    Args:
        text: what `uv pip compile` writes.
        wanted: which of the project's own requirements stay.
    """
    head, *entries = re.split(r"(?m)^(?=[a-z0-9])", text)
    asked_by = [
        (entry, re.split(r"[=\[ ]", entry, maxsplit=1)[0], _asked_by(entry)) for entry in entries
    ]
    kept = {
        name
        for _, name, by in asked_by
        if any("pyproject.toml" in one for one in by) and wanted(name)
    }
    while (
        more := {name for _, name, by in asked_by if kept & {one.partition("[")[0] for one in by}}
        - kept
    ):
        kept |= more
    return head + "".join(entry for entry, name, _ in asked_by if name in kept)


def _asked_by(entry: str) -> list[str]:
    comments = "\n".join(
        line.strip().removeprefix("#").strip()
        for line in entry.splitlines()
        if line.strip().startswith("#")
    )
    return (
        comments.removeprefix("via").split("\n")
        if comments.startswith("via\n")
        else [comments.removeprefix("via ")]
    )


def _without_authors_packages(text: str, pattern: str) -> str:
    """Without the lines of the author's packages, and without the comments about an author's files."""
    package = re.compile(pattern.format("|".join(AUTHORS_PACKAGES)))
    return "".join(
        line
        for line in text.splitlines(keepends=True)
        if not package.match(line) and not ("tests/" in line and line.startswith("#"))
    )

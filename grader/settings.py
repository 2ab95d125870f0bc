"""Read the names of a course's folders and packages from `[tool.grader]` in its pyproject.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NotRequired, TypedDict

from grader.errors import UserError
from grader.files import has_form


class Table(TypedDict):
    """The table `[tool.grader]`."""

    sources: str
    release: str
    packages: list[str]
    hidden: list[str]
    show_solutions: NotRequired[bool]
    kept: NotRequired[dict[str, str]]


@dataclass(frozen=True)
class Settings:
    """Names of a course's folders and packages."""

    root: Path
    """The folder with the pyproject.toml."""
    sources: str
    """Folder of the authors' lessons, one folder each."""
    release: str
    """Folder of the lessons that learners open."""
    packages: tuple[str, ...]
    """Packages that lessons import besides the grader."""
    hidden: tuple[str, ...]
    """Modules of these packages that no sandbox contains: finished functions, server code."""
    show_solutions: bool = True
    """Whether learners who are stuck are offered the lines of a solution in a wrong order."""
    kept: Mapping[str, str] = field(default_factory=dict)
    """Folders for what executed lessons write, by the environment variable that tells them."""


def load_settings(root: Path) -> Settings:
    """Return the settings of the course at `root`.

    Raises:
        UserError: the file or its table is missing or incomplete.
    """
    file = root / "pyproject.toml"
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))["tool"]["grader"]
        if not has_form(table, Table):
            raise ValueError("one is missing or of another type")
        packages, hidden = tuple(table["packages"]), tuple(table["hidden"])
        show, kept = table.get("show_solutions", True), table.get("kept", {})
        return Settings(root, table["sources"], table["release"], packages, hidden, show, kept)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{file} needs [tool.grader] with sources and release (text), packages and hidden"
            f" (lists of text), and if you like show_solutions (true or false) and kept"
            f" (a table of texts): {error}."
        ) from None

"""Read the names of a course's folders and packages from `[tool.grader]` in its pyproject.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UserError


@dataclass(frozen=True)
class Settings:
    """Where a course keeps its parts, seen from its root folder.

    Attributes:
        root: the folder with the pyproject.toml.
        sources: folder of the authors' lessons, one folder each.
        release: folder of the lessons that learners open.
        packages: packages that lessons import besides the grader.
        hidden: modules of these packages that hold finished functions; no sandbox has them.
    """

    root: Path
    sources: str
    release: str
    packages: tuple[str, ...]
    hidden: tuple[str, ...]


def load_settings(root: Path) -> Settings:
    """Return the settings of the course at `root`.

    Raises:
        UserError: the file or its table is missing or incomplete.
    """
    file = root / "pyproject.toml"
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))["tool"]["grader"]
        return Settings(
            root,
            table["sources"],
            table["release"],
            tuple(table["packages"]),
            tuple(table["hidden"]),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{file} has no complete table [tool.grader] ({error}); docs/lesson.md says what it holds."
        ) from None

"""Find the project's own modules that a Python file imports, directly or not."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ELSEWHERE = {"site-packages", "dist-packages"}
"""Folders in which packages are that are not the project's own."""

Seen = tuple[Path, int, int]
"""A file, when it was changed and how long it is: what changes whenever the file does."""


def seen(path: Path) -> Seen:
    """A file as it is now."""
    found = path.stat()
    return path, found.st_mtime_ns, found.st_size


def with_imports(path: Path) -> list[Seen]:
    """A file and the modules that its text imports, in the order in which they are met; the grader's own are left out, which know no lesson."""
    found = {path: seen(path)}
    waiting = [found[path]]
    while waiting:
        new = [one for one in _imports(waiting.pop(0)) if one not in found and one.is_file()]
        found |= {one: seen(one) for one in new}
        waiting += [found[one] for one in new]
    return list(found.values())


def imported_names(text: str, package: str = "") -> set[str]:
    """The dotted names of all that a module's text may import, at its top or in a function, with the packages that these are in."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = (
                importlib.util.resolve_name("." * node.level + (node.module or ""), package)
                if node.level
                else f"{node.module}"
            )
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return {name.rsplit(".", depth)[0] for name in names for depth in range(name.count(".") + 1)}


@lru_cache(maxsize=256)
def _imports(module: Seen) -> tuple[Path, ...]:
    return tuple(
        _files(imported_names(module[0].read_text(encoding="utf-8"), _package(module[0].parent)))
    )


def _package(folder: Path) -> str:
    """The dotted name of the package whose modules are in a folder; "" where it is none."""
    return (
        ".".join(filter(None, (_package(folder.parent), folder.name)))
        if (folder / "__init__.py").is_file()
        else ""
    )


def _files(names: set[str]) -> Iterator[Path]:
    for name in sorted(names):
        top = name.partition(".")[0]
        if top == "grader" or top in sys.stdlib_module_names:
            continue
        try:
            found = importlib.util.find_spec(name)
        except (ImportError, ValueError):  # a function of a module, or one that isn't there
            continue
        if (
            found
            and found.origin
            and found.has_location
            and not ELSEWHERE & set(Path(found.origin).parts)
        ):
            yield Path(found.origin)

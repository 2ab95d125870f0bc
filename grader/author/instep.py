"""A freshly built course and the committed one come in; what differs goes out, one sentence each. Numbers may differ in their last digits."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]*")


def differences(built: Path, root: Path, whole: bool = True) -> list[str]:
    """Files that `make course` would change in more than the last digits of a number or the pixels of a picture.

    `whole`: the whole course was built, so that what is not in `built` has no source.
    """
    sentences = []
    for path in sorted(path for room in ("solutions", "course") for path in (built / room).rglob("*") if path.is_file()):
        name = path.relative_to(built)
        if not (root / name).is_file():
            sentences.append(f"{name.as_posix()} is missing; run make course")
        elif where := _difference(path, root / name):
            sentences.append(f"{name.as_posix()} is not in step with its source{where}; run make course")
    return sentences + [f"{name} has no source; delete it, or write one" for name in (_orphans(built, root) if whole else ())]


def _orphans(built: Path, root: Path) -> list[str]:
    """Files of the course that nothing makes."""
    there = (path for path in (root / "course").rglob("*") if path.is_file() and ".ipynb_checkpoints" not in path.parts)
    return sorted(path.relative_to(root).as_posix() for path in there if not (built / path.relative_to(root)).exists() and path.name != "progress.json")


def _difference(new: Path, old: Path) -> str:
    if new.suffix == ".ipynb":
        return _notebook_difference(_read(new), _read(old))
    if new.suffix == ".json":
        return "" if _close(_read(new), _read(old)) else " (numbers or text differ)"
    return "" if new.read_bytes() == old.read_bytes() else " (its content differs)"


def _notebook_difference(new: dict[str, Any], old: dict[str, Any]) -> str:
    ids = [[cell.get("id") for cell in notebook["cells"]] for notebook in (new, old)]
    if ids[0] != ids[1]:
        return " (its cells are others)"
    for one, other in zip(new["cells"], old["cells"], strict=True):
        for part in ("cell_type", "source", "metadata"):
            if _text(one.get(part)) != _text(other.get(part)):
                return f" (the {part} of its cell {one['id']})"
        if [_shown(output) for output in one.get("outputs", [])] != [_shown(output) for output in other.get("outputs", [])]:
            return f" (the output of its cell {one['id']})"
    return "" if new["metadata"] == old["metadata"] else " (its metadata)"


def _shown(output: dict[str, Any]) -> Any:
    """What an output says, without its pictures."""
    if "data" not in output:
        return _text(output.get("text", output.get("evalue")))
    return {kind: PICTURE.sub("", _text(data)) for kind, data in output["data"].items() if kind.startswith("text/")}


def _text(value: Any) -> Any:
    return "".join(value) if isinstance(value, list) else value


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _close(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_close(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_close, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9) or (math.isnan(one) and math.isnan(other))
    return bool(one == other)

"""Compare a freshly built course with the committed one.

Two processors differ in the last bits of a number. A file has drifted only where it says something else: numbers are
compared within the tolerance of their case, pictures pixel by pixel, everything else must be equal.
"""

from __future__ import annotations

import base64
import io
import json
import math
import re
from pathlib import Path
from typing import Any

from grader.comparison.answer_key import KEY_FILE

PICTURE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]*)")

INVISIBLE = 4 / 255
"""Largest difference between two pixels that nobody sees: rounding of a blended edge."""


def differences(built: Path, root: Path, whole: bool = True) -> list[str]:
    """Return a sentence for each file that `make course` would change.

    Args:
        built: the fresh build, laid out like `root`.
        root: the author's clone.
        whole: all lessons were built, so a file that is not in `built` has no source.
    """
    sentences = []
    for path in built_files(built):
        name = path.relative_to(built)
        if not (root / name).is_file():
            sentences.append(f"{name.as_posix()} is missing; run make course")
        elif found := difference(path, root / name):
            sentences.append(f"{name.as_posix()} is out of date ({found}); run make course")
    orphans = _orphans(built, root) if whole else []
    return sentences + [f"{name} has no source; delete it, or write one" for name in orphans]


def built_files(built: Path) -> list[Path]:
    """Return the files of a build that belong to the course, in a fixed order."""
    files = (path for part in ("solutions", "course") for path in (built / part).rglob("*"))
    return sorted(path for path in files if path.is_file())


def difference(new: Path, old: Path) -> str:
    """Say which part of two versions of a file differs; empty where both say the same."""
    one, other = new.read_bytes(), old.read_bytes()
    if one == other:
        return ""
    try:
        if new.suffix == ".ipynb":
            return _notebook_difference(json.loads(one), json.loads(other))
        if new.name == KEY_FILE:
            return _key_difference(json.loads(one), json.loads(other))
    except (ValueError, LookupError, TypeError, AttributeError):
        return "the committed file can't be read"
    return "its content"


def _orphans(built: Path, root: Path) -> list[str]:
    """Return the names of files under course/ that nothing makes."""
    found = []
    for path in (root / "course").rglob("*"):
        name = path.relative_to(root)
        ignored = ".ipynb_checkpoints" in name.parts or name.name == "progress.json"
        if path.is_file() and not ignored and not (built / name).exists():
            found.append(name.as_posix())
    return sorted(found)


def _notebook_difference(new: dict[str, Any], old: dict[str, Any]) -> str:
    if [cell.get("id") for cell in new["cells"]] != [cell.get("id") for cell in old["cells"]]:
        return "its list of cells"
    for one, other in zip(new["cells"], old["cells"], strict=True):
        for part in ("cell_type", "source", "metadata"):
            if _text(one.get(part)) != _text(other.get(part)):
                return f"the {part} of its cell {one['id']}"
        pairs = (one.get("outputs", []), other.get("outputs", []))
        if len(pairs[0]) != len(pairs[1]) or not all(map(_same_output, *pairs)):
            return f"the output of its cell {one['id']}"
    return "" if new["metadata"] == old["metadata"] else "its metadata"


def _same_output(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Compare two outputs: text as text, pictures by their pixels."""
    texts, pictures = zip(_split(one), _split(other), strict=True)
    return texts[0] == texts[1] and _same_pictures(*pictures)


def _split(output: dict[str, Any]) -> tuple[Any, list[str]]:
    """Return an output without its pictures, and its pictures as base64 PNG."""
    if "data" not in output:
        return _text(output.get("text", output.get("evalue"))), []
    texts, pictures = {}, []
    for kind, data in output["data"].items():
        text = _text(data)
        if kind == "image/png":
            text, found = "", [text]
        else:
            found = PICTURE.findall(text) if isinstance(text, str) else []
            text = PICTURE.sub("", text) if found else text
        texts[kind] = text
        pictures += found
    return texts, pictures


def _same_pictures(ones: list[str], others: list[str]) -> bool:
    return len(ones) == len(others) and all(
        one == other or _same_pixels(one, other) for one, other in zip(ones, others, strict=True)
    )


def _same_pixels(one: str, other: str) -> bool:
    from matplotlib.image import imread  # only where two files differ: it takes half a second

    first, second = (imread(io.BytesIO(base64.b64decode(data))) for data in (one, other))
    return first.shape == second.shape and bool((abs(first - second) <= INVISIBLE).all())


def _text(value: Any) -> Any:
    return "".join(value) if isinstance(value, list) else value


def _key_difference(new: dict[str, Any], old: dict[str, Any]) -> str:
    if json.dumps(_without_results(new)) != json.dumps(_without_results(old)):
        return "its cases or texts"
    for name, exercise in new["exercises"].items():
        for case, one, other in _results(exercise, old["exercises"][name]):
            if not _close(one, other, case["rtol"], case["atol"]):
                return f"results of {name}"
    return ""


def _without_results(key: dict[str, Any]) -> dict[str, Any]:
    """Return an answer key without the numbers that a processor computed."""
    exercises = {}
    for name, exercise in key["exercises"].items():
        cases = [{**case, "expected": None} for case in exercise["cases"]]
        wrong = [
            {**entry, "outcomes": len(entry["outcomes"])} for entry in exercise["misconceptions"]
        ]
        exercises[name] = {**exercise, "cases": cases, "misconceptions": wrong}
    return {**key, "exercises": exercises}


def _results(new: dict[str, Any], old: dict[str, Any]) -> list[tuple[dict[str, Any], Any, Any]]:
    """Pair the results of two versions of an exercise, each pair with its case."""
    pairs = [
        (case, case["expected"], other["expected"])
        for case, other in zip(new["cases"], old["cases"], strict=True)
    ]
    for one, other in zip(new["misconceptions"], old["misconceptions"], strict=True):
        pairs += zip(new["cases"], one["outcomes"], other["outcomes"], strict=True)
    return pairs


def _close(one: Any, other: Any, rtol: float, atol: float) -> bool:
    """Compare plain data: floats within a tolerance, everything else exactly."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = one.keys() == other.keys()
        return keys and all(_close(one[key], other[key], rtol, atol) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_close(a, b, rtol, atol) for a, b in pairs)
    if isinstance(one, float) and isinstance(other, float):
        both_nan = math.isnan(one) and math.isnan(other)
        return both_nan or math.isclose(one, other, rel_tol=rtol, abs_tol=atol)
    return type(one) is type(other) and bool(one == other)

"""Compare a freshly built course with the committed one.

Processors differ in the last bits of a number, which is no drift: numbers are compared within the
tolerance of their case and pictures pixel by pixel; everything else must be equal.
"""

from __future__ import annotations

import base64
import io
import json
import math
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

from grader.comparison.answer_key import KEY_FILE
from grader.comparison.schema import AnswerKey, CaseData, ExerciseKey, Plain
from grader.settings import Settings

PICTURE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]*)")

INVISIBLE = 4 / 255
"""Largest difference between two pixels that is only the rounding of a blended edge."""


def differences(built: Path, settings: Settings, whole: bool = True) -> list[str]:
    """Return a sentence for each file that `make course` would change.

    Args:
        built: the fresh build, laid out like the course.
        settings: of the course.
        whole: all lessons were built, so a file that is not in `built` has no source.
    """
    root, sentences = settings.root, []
    for path in built_files(built):
        name = path.relative_to(built)
        if not (root / name).is_file():
            sentences.append(f"{name.as_posix()} is missing; run make course")
        elif found := difference(path, root / name):
            sentences.append(f"{name.as_posix()} is out of date ({found}); run make course")
    orphans = _orphans(built, settings) if whole else []
    return sentences + [f"{name} has no source; delete it, or write one" for name in orphans]


def built_files(built: Path) -> list[Path]:
    """Return the files in the folders of a build, in a fixed order."""
    return sorted(path for path in built.glob("*/**/*") if path.is_file())


def difference(new: Path, old: Path) -> str:
    """Name the part in which two versions of a file differ; empty where they are equal."""
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


def _orphans(built: Path, settings: Settings) -> list[str]:
    """Return the names of the learners' files that have no source."""
    found = []
    for path in (settings.root / settings.release).rglob("*"):
        name = path.relative_to(settings.root)
        ignored = ".ipynb_checkpoints" in name.parts or name.name == "progress.json"
        if path.is_file() and not ignored and not (built / name).exists():
            found.append(name.as_posix())
    return sorted(found)


def _notebook_difference(new: Plain, old: Plain) -> str:
    if [cell.get("id") for cell in new["cells"]] != [cell.get("id") for cell in old["cells"]]:
        return "its list of cells"
    for one, other in zip(new["cells"], old["cells"], strict=True):
        for part in ("cell_type", "source", "metadata"):
            if _text(one.get(part)) != _text(other.get(part)):
                return f"the {part} of its cell {one['id']}"
        outputs, others = one.get("outputs", []), other.get("outputs", [])
        if len(outputs) != len(others) or not all(map(_same_output, outputs, others)):
            return f"the output of its cell {one['id']}"
    return "" if new["metadata"] == old["metadata"] else "its metadata"


def _same_output(one: Plain, other: Plain) -> bool:
    """Compare two outputs: text as text, pictures by their pixels."""
    (text, pictures), (other_text, others) = _split(one), _split(other)
    same = text == other_text and len(pictures) == len(others)
    return same and all(map(_same_pixels, pictures, others))


def _split(output: Plain) -> tuple[Plain, list[str]]:
    """Return an output without its pictures, and its pictures as base64 PNG."""
    if "data" not in output:
        return _text(output.get("text", output.get("evalue"))), []
    texts, pictures = {}, []
    for kind, data in output["data"].items():
        texts[kind] = text = "" if kind == "image/png" else _text(data)
        if kind == "image/png":
            pictures.append(_text(data))
        elif isinstance(text, str):
            pictures += PICTURE.findall(text)
            texts[kind] = PICTURE.sub("", text)
    return texts, pictures


def _same_pixels(one: str, other: str) -> bool:
    if one == other:
        return True
    from matplotlib.image import imread  # only where two pictures differ: it takes half a second

    first, second = (imread(io.BytesIO(base64.b64decode(data))) for data in (one, other))
    return first.shape == second.shape and bool((abs(first - second) <= INVISIBLE).all())


def _text(value: Plain) -> Plain:
    return "".join(value) if isinstance(value, list) else value


def _key_difference(new: AnswerKey, old: AnswerKey) -> str:
    if json.dumps(_without_results(new)) != json.dumps(_without_results(old)):
        return "its cases or texts"
    for name, exercise in new["exercises"].items():
        for case, one, other in _results(exercise, old["exercises"][name]):
            if not _close(one, other, case["rtol"], case["atol"]):
                return f"results of {name}"
    return ""


def _without_results(key: AnswerKey) -> Plain:
    """Return an answer key without the numbers that a processor computed."""
    key = deepcopy(key)
    for exercise in key["exercises"].values():
        for case in exercise["cases"]:
            case["expected"] = {}
        for entry in exercise["misconceptions"]:
            entry["outcomes"] = [None] * len(entry["outcomes"])
    return key


def _results(new: ExerciseKey, old: ExerciseKey) -> Iterator[tuple[CaseData, Plain, Plain]]:
    """Pair the results of two versions of an exercise, each pair with its case."""
    for case, other in zip(new["cases"], old["cases"], strict=True):
        yield case, case["expected"], other["expected"]
    for one, another in zip(new["misconceptions"], old["misconceptions"], strict=True):
        yield from zip(new["cases"], one["outcomes"], another["outcomes"], strict=True)


def _close(one: Plain, other: Plain, rtol: float, atol: float) -> bool:
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

"""Compare a freshly built course with the committed one.

Processors differ in the last bits of a number, which is no drift: an answer key's results are
compared within the tolerance of their case, and pictures pixel by pixel. In a file that an executed
lesson made, places within half a pixel of each other are the same: its SVG and its boxes.
"""

from __future__ import annotations

import base64
import io
import json
import math
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from grader.comparison.answer_key import KEY_FILE
from grader.comparison.schema import Plain
from grader.settings import Settings

PICTURE = re.compile("(?:iVBORw0KGgo|UklGR)[A-Za-z0-9+/=]*")
"""A PNG or WebP image in base64."""

HALF_A_PIXEL = {"rtol": 0.0, "atol": 0.5}
NUMBER = re.compile(r"-?\d+\.\d+")
"""A place in an SVG."""

INVISIBLE = 4
"""Largest difference between two pixels, of 255, that is only the rounding of a blended edge."""


def differences(built: Path, settings: Settings, whole: bool = True) -> list[str]:
    """Return a sentence for each file that `make course` would change.

    If the whole course was built, a file that is not in `built` has no source.
    """
    root = settings.root
    changed = [path.relative_to(built).as_posix() for path in changed_files(built, root)]
    sentences = [f"{name} is out of date; run make course" for name in changed]
    folders = (settings.release, *settings.kept.values())
    for path in sorted(path for name in folders for path in (root / name).rglob("*") if whole):
        name = path.relative_to(root)
        ignored = ".ipynb_checkpoints" in name.parts or name.name == "progress.json"
        if path.is_file() and not ignored and not (built / name).exists():
            sentences.append(f"{name.as_posix()} has no source; delete it, or write one")
    return sentences


def changed_files(built: Path, root: Path) -> list[Path]:
    """Return the files in the folders of a build that differ from those under `root`."""
    paths = sorted(path for path in built.glob("*/**/*") if path.is_file())
    return [path for path in paths if differs(path, root / path.relative_to(built))]


def differs(new: Path, old: Path) -> bool:
    """Tell whether two versions of a file differ, or the old one is missing or damaged."""
    if not old.is_file():
        return True
    if new.read_bytes() == old.read_bytes():
        return False
    try:
        one, other = (json.loads(path.read_bytes()) for path in (new, old))
        if new.name == KEY_FILE:
            one, other = _by_case(one), _by_case(other)
    except (ValueError, LookupError, TypeError, AttributeError):
        return True
    return not _alike(one, other)


def _by_case(key: Plain) -> Plain:
    """Return an answer key with the outcomes of each misconception moved to their cases."""
    for exercise in key["exercises"].values():
        for misconception in exercise["misconceptions"]:
            outcomes = misconception.pop("outcomes")
            for case, outcome in zip(exercise["cases"], outcomes, strict=True):
                case.setdefault("outcomes", []).append(outcome)
    return key


def _alike(one: Plain, other: Plain, case: Plain = None) -> bool:
    """Compare plain data: pictures by their pixels, numbers within the tolerance of a case."""
    if isinstance(one, dict) and isinstance(other, dict):
        results = {key: one for key in ("expected", "outcomes") if "rtol" in one}
        results |= {key: HALF_A_PIXEL for key in ("box", "picture") if key in one}
        return one.keys() == other.keys() and all(
            _alike(one[key], other[key], results.get(key, case)) for key in one
        )
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_alike(a, b, case) for a, b in pairs)
    if isinstance(one, str) and isinstance(other, str) and case is HALF_A_PIXEL:
        numbers = ([float(n) for n in NUMBER.findall(text)] for text in (one, other))
        return NUMBER.sub("number", one) == NUMBER.sub("number", other) and all(
            _alike(a, b, case) for a, b in zip(*numbers, strict=True)
        )
    if isinstance(one, str) and isinstance(other, str):
        same_text = PICTURE.sub("picture", one) == PICTURE.sub("picture", other)
        return same_text and all(map(_same_pixels, PICTURE.findall(one), PICTURE.findall(other)))
    if isinstance(one, float) and isinstance(other, float) and case:
        near = math.isclose(one, other, rel_tol=case["rtol"], abs_tol=case["atol"])
        return near or (math.isnan(one) and math.isnan(other))
    return type(one) is type(other) and repr(one) == repr(other)


def _same_pixels(one: str, other: str) -> bool:
    if one == other:
        return True
    first, second = map(_pixels, (one, other))
    return first.shape == second.shape and bool((abs(first - second) <= INVISIBLE).all())


def _pixels(picture: str) -> NDArray[np.int_]:
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        return np.asarray(image.convert("RGB")).astype(int)

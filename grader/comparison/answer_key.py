"""Read a lesson's answer key."""

from __future__ import annotations

import base64
import json
import os
import sys
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from grader.comparison.schema import AnswerKey
from grader.errors import UserError
from grader.files import has_form, parsed

KEY_FILE = "answers.key"
"""JSON, under another ending: JupyterLite changes numbers in files called .json."""
FIRST_KEY_FILE = "answers.json"
"""Its name in the first edition."""
KEY_FORMAT = 3  # version of the answer key's format


class KeyMissing(UserError):
    """The answer key is missing or unusable."""


def load_key(folder: Path) -> AnswerKey:
    """Return the answer key of the lesson in `folder`.

    Raises:
        KeyMissing: it is missing, damaged, or of another version.
    """
    files = (folder.resolve() / name for name in (KEY_FILE, FIRST_KEY_FILE))
    file = next(filter(os.path.exists, files), folder.resolve() / KEY_FILE)
    try:
        found = file.stat()
    except OSError:
        return _load(file, 0, 0)  # says why
    return _load(file, found.st_mtime_ns, found.st_size)


def reset_command(lesson: str) -> str:
    """Return how to get a new copy of a lesson, with make and without."""
    return f"make reset LESSON={lesson} (without make: grader reset {lesson})"


@lru_cache(maxsize=2)  # each check of a notebook asks for the same key
def _load(file: Path, _changed: int, _size: int) -> AnswerKey:
    name = file.parent.name
    way_out = f"{reset_command(name)} gives you a new copy of the lesson and keeps yours."
    if sys.platform == "emscripten":  # a browser has no terminal
        way_out = "Delete it in the list of files, if it is there, and reload the page."
    try:
        key = parsed(file.read_bytes(), dict[str, Any])
        if key.get("format") == 2:
            key = _upgraded(key)
    except FileNotFoundError:
        place = f"{name}/, where this notebook runs; keep a lesson's files together"
        raise KeyMissing(f"{KEY_FILE} is not in {place}. {way_out}") from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        raise KeyMissing(f"{KEY_FILE} in {name}/ can't be read. {way_out}") from None
    if key.get("format") != KEY_FORMAT:
        raise KeyMissing(f"{KEY_FILE} belongs to another version of the course. {way_out}")
    if not has_form(key, AnswerKey):
        raise KeyMissing(f"{KEY_FILE} in {name}/ is damaged. {way_out}")
    return cast(AnswerKey, key)


def packed(lines: list[str]) -> str:
    """Return code in a form that nobody reads by chance; it hides, it doesn't protect."""
    return base64.b64encode(zlib.compress(json.dumps(lines).encode(), 9)).decode()


def unpacked(text: str) -> list[str]:
    """Return what `packed` has hidden."""
    lines: list[str] = json.loads(zlib.decompress(base64.b64decode(text)))
    return lines


def _upgraded(key: dict[str, Any]) -> dict[str, Any]:
    """Return a key of the first edition in today's format: learners who have begun keep theirs."""
    for question in key["questions"].values():
        options = question.pop("options")
        question["wrong"] = {one: "" for one in options if one != question["answer"]}
    return {"packages": []} | key | {"format": KEY_FORMAT, "hardened": []}

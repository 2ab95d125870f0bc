"""Read a lesson's answer key."""

from __future__ import annotations

import json
from pathlib import Path

from grader.comparison.schema import AnswerKey
from grader.errors import UserError

KEY_FILE = "answers.json"
KEY_FORMAT = 2
"""Version of the answer key's format."""

WAY_OUT = "make reset LESSON=… gives you a new copy of the lesson and keeps yours."


class KeyMissing(UserError):
    """The answer key is missing or unusable."""


def load_key(folder: Path) -> AnswerKey:
    """Return the answer key of the lesson in `folder`.

    Raises:
        KeyMissing: it is missing, damaged, or of another version.
    """
    try:
        key: AnswerKey = json.loads((folder / KEY_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KeyMissing(
            f"{KEY_FILE} is not in {folder.name}/, where this notebook runs;"
            f" keep a lesson's files together. {WAY_OUT}"
        ) from None
    except (OSError, ValueError):
        raise KeyMissing(f"{KEY_FILE} in {folder.name}/ can't be read. {WAY_OUT}") from None
    if not isinstance(key, dict) or key.get("format") != KEY_FORMAT:
        raise KeyMissing(f"{KEY_FILE} belongs to another version of the course. {WAY_OUT}")
    return key

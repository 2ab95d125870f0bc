"""Who is in a class comes in; texts that learners wrote go out with nobody named in them."""

from __future__ import annotations

import re
from collections.abc import Iterable

SHORTEST = 3
"""Fewest letters of a name that is looked for; shorter ones are in too many words."""

HIDDEN = "…"

NOTEBOOK = re.compile(r"^.*\.ipynb\b")
"""What a learner called a notebook, at the beginning of a sentence about it."""


class Names:
    """The names of a class; where they may be shown, nothing is hidden.

    Args:
        known: ids, first and last names, e-mail addresses.
        shown: whether they may be shown.
    """

    def __init__(self, known: Iterable[str], shown: bool) -> None:
        whole = {name.strip() for name in known}
        parts = {part for name in whole for part in re.split(r"[\s._\-@]+", name) if part.isalpha()}
        words = sorted((word for word in whole | parts if len(word) >= SHORTEST), key=len, reverse=True)
        self.shown = shown
        self.pattern = re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, words))})(?![^\W_])", re.IGNORECASE) if words else None

    def hide(self, text: str) -> str:
        """A text that a learner wrote, without the names in it."""
        return text if self.shown or self.pattern is None else self.pattern.sub(HIDDEN, text)

    def hide_file(self, reason: str) -> str:
        """A sentence about a submission's file, without the file's name."""
        return reason if self.shown else self.hide(NOTEBOOK.sub("its notebook", reason))

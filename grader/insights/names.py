"""Who is in a class comes in; texts that learners wrote go out with nobody named in them, as far as the names are known."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from unicodedata import normalize

SHORTEST = 2
"""Fewest letters of a name that is looked for: an initial names nobody and is in too many formulas. A number that is an id has one more."""

HIDDEN = "…"

NOTEBOOK = re.compile(r"^.*\.ipynb\b")
"""What a learner called a notebook, at the beginning of a sentence about it."""

LETTER = r"[^\W\d_]"
UPPER, LOWER = ("".join(filter(of_case, map(chr, range(0x2000)))) for of_case in (str.isupper, str.islower))
"""Letters of Latin, Greek and Cyrillic; expressions know no classes for them."""

EDGE = rf"(?:(?<!{LETTER})|(?!{LETTER})|(?<=[{LOWER}])(?=[{UPPER}])|(?<=[{UPPER}])(?=[{UPPER}][{LOWER}]))"
"""Where a word begins or ends, in a sentence or in an identifier: between anna and Relu, relu_ and anna, ReLU and Anna."""


class Names:
    """The names of a class; where they may be shown, nothing is hidden.

    Args:
        known: ids, first and last names, e-mail addresses.
        shown: whether they may be shown.
    """

    def __init__(self, known: Iterable[str], shown: bool) -> None:
        whole = {normalize("NFC", name).strip() for name in known}
        parts = {part for name in whole for part in re.split(r"[\W\d_]+", name.partition("@")[0])}
        words = sorted((word for word in whole | parts if _is_telling(word)), key=len, reverse=True)
        self.shown = shown
        self.pattern = re.compile("|".join(map(_looked_for, words))) if words else None

    def hide(self, text: str) -> str:
        """A text that a learner wrote, without the names in it."""
        return text if self.shown or self.pattern is None else self.pattern.sub(HIDDEN, normalize("NFC", text))

    def hide_file(self, reason: str) -> str:
        """A sentence about a submission's file, without the file's name."""
        return reason if self.shown else self.hide(NOTEBOOK.sub("its notebook", reason))


def _has_case(name: str) -> bool:
    return name.lower() != name.upper()


def _is_telling(name: str) -> bool:
    return len(name) >= SHORTEST + (not any(map(str.isalpha, name))) or (name.isalpha() and not _has_case(name))


def _looked_for(name: str) -> str:
    """The expression that finds a name: in any case, at a word's edges; one of a script without cases, which puts no spaces between words, anywhere."""
    text = re.escape(name)
    if name.isalpha() and not _has_case(name):
        return text
    before, after = r"(?<!\d)" * name[0].isdigit(), r"(?!\d)" * name[-1].isdigit()
    same = text if keyword.iskeyword(name.lower()) else f"(?i:{text})"  # In and Is are names; in and is are Python
    return f"{EDGE}{before}{same}{after}{EDGE}"

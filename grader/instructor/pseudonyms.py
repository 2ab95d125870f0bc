"""Replace the names and ids of a class in texts, notebooks and journals.

A text is read word by word. A word, or a sequence of words, that is a student's becomes the
student's pseudonym; accents, case and the characters between words don't matter. A word that the
lesson or Python uses, like the name Will or the id max, is nobody's alone: it is replaced only
together with the words next to it, as in "Will Power". So programs stay as they work.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from secrets import SystemRandom
from typing import Any
from unicodedata import combining, normalize

import numpy as np

WORD = r"(?:[^\W_][\u0300-\u036f]*)+"
BETWEEN = r"(?:&#?\w{1,6};|[\W_]){1,8}"
"""Characters between the words of a name: a space, a comma, an apostrophe, also HTML's &#39;."""
TOKEN = re.compile(rf"(?P<base64>[A-Za-z0-9+/]{{60,}}=*)|{WORD}")
"""A word, or a picture, which is left as it is."""
SHORT_NUMBER = 5
"""Fewer digits are any number, and no student's."""
OF_PYTHON = {*dir(builtins), *dir(np), *dir(np.random), *dir(np.linalg), *keyword.kwlist}


class Pseudonyms:
    """Pseudonyms of all students, drawn so that their order says nothing.

    Args:
        students: each id with the names, addresses and numbers of its student.
        known: texts that everybody has, like the lessons; their words are no names.

    Attributes:
        ids: the pseudonym of each id, which a program may use as a name.
        left: names and ids of one word that are not replaced where they are alone.
    """

    def __init__(self, students: Mapping[str, Sequence[str]], known: Iterable[str]) -> None:
        ids = [*students]
        SystemRandom().shuffle(ids)
        width = len(str(len(ids)))
        self.ids = {id: f"student_{number:0{width}}" for number, id in enumerate(ids, 1)}
        ordinary = {word for text in (*known, *OF_PYTHON) for word in _words(text)}
        self.left: set[str] = set()
        self._words: dict[str, str] = {}
        self._phrases: dict[str, list[tuple[re.Pattern[str], list[str], str]]] = defaultdict(list)
        parts = {
            id: {word for text in (id, *texts) for word in _words(text.partition("@")[0])}
            for id, texts in students.items()
        }
        shared = Counter(part for one in parts.values() for part in one)
        for id, pseudonym in self.ids.items():
            for first, *others in filter(None, map(_words, (id, *students[id]))):
                if others:
                    pattern = re.compile("".join(f"{BETWEEN}({WORD})" for _ in others))
                    self._phrases[first].append((pattern, others, pseudonym))
            whole = [_words(text) for text in (id, *students[id])]
            for part in filter(lambda one: len(one) > 1, parts[id]):
                if part in ordinary or (part.isdigit() and len(part) < SHORT_NUMBER):
                    self.left |= {part} if [part] in whole else set()
                elif part.isdigit():  # where a program has a number, a number stays
                    self._words[part] = pseudonym.removeprefix("student_").lstrip("0")
                else:
                    self._words[part] = pseudonym if shared[part] == 1 else "student"

        for phrases in self._phrases.values():
            phrases.sort(key=lambda one: -len(one[1]))  # an address before the name in it

    def text(self, text: str) -> str:
        """Return a text with pseudonyms in it."""
        done, end = list[str](), 0
        for match in TOKEN.finditer(text):
            if match.start() < end or match["base64"]:
                continue
            word = _folded(match[0])
            found, stop = self._words.get(word), match.end()
            for pattern, others, pseudonym in self._phrases.get(word, ()):
                after = pattern.match(text, match.end())
                if after and [*map(_folded, after.groups())] == others:
                    found, stop = pseudonym, after.end()
                    break
            if found:
                done += [text[end : match.start()], found]
                end = stop
        return "".join([*done, text[end:]]) if done else text

    def data(self, data: Any) -> Any:
        """Return JSON data with pseudonyms in its texts."""
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, list):
            return [*map(self.data, data)]
        if isinstance(data, dict):
            return {self.text(key): self.data(one) for key, one in data.items()}
        return data


def _words(text: str) -> list[str]:
    return [_folded(one[0]) for one in TOKEN.finditer(text) if not one["base64"]]


@lru_cache(maxsize=1 << 16)
def _folded(word: str) -> str:
    """Return a word without accents and case."""
    return "".join(one for one in normalize("NFKD", word) if not combining(one)).casefold()

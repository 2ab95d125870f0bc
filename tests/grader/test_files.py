"""Test which saved data is taken for what the course has written."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

import pytest

from course import LESSONS, ROOT
from grader.comparison.answer_key import load_key
from grader.files import has_form, parsed


class Part(TypedDict):
    name: str
    size: NotRequired[float | None]
    pairs: list[tuple[str, int]]


@pytest.mark.parametrize(
    ("text", "form", "has"),
    [
        ('{"name": "a", "pairs": []}', Part, True),
        ('{"name": "a", "pairs": [["b", 1]], "size": 1, "later": 2}', Part, True),
        ('{"name": "a", "pairs": [], "size": null}', Part, True),
        ('{"name": "a", "pairs": [], "size": true}', Part, False),
        ('{"name": "a", "pairs": [["b"]]}', Part, False),
        ('{"name": 1, "pairs": []}', Part, False),
        ('{"pairs": []}', Part, False),
        ("[]", Part, False),
        ('{"a": [1, 2.5]}', dict[str, list[float]], True),
        ('{"a": 1}', dict[str, list[float]], False),
        ("[{}]", list[Any], True),
    ],
)
def test_data_has_a_form_or_not(text: str, form: Any, has: bool) -> None:
    assert has_form(parsed(text, Any), form) is has


@pytest.mark.parametrize(
    ("text", "reason"),
    [("[" * 100_000, "nested too deep"), ("{", "Expecting"), (b"\xff", "decode"), ("7", "form")],
)
def test_text_of_another_form_is_refused(text: str | bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parsed(text, Part)


@pytest.mark.parametrize("name", LESSONS)
def test_each_lessons_answer_key_can_be_read(name: str) -> None:
    assert load_key(ROOT / "course" / name)["lesson"] == name

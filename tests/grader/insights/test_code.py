"""Copies of a finished function are found, whatever their names; honest answers are none."""

from __future__ import annotations

import inspect
import json
import re

import pytest

from course import LESSONS, lesson, solved, written
from grader.insights.code import finished_forms, forms_in, read_code
from grader.instructor.run import template
from playground.functions import finished

NEURON = lesson("neuron")


def copied(**answers: str) -> dict[str, bool]:
    notebook = json.dumps(written("neuron", **answers)).encode()
    codes = read_code(template(NEURON), finished_forms(NEURON), notebook)
    return {name: code.copied for name, code in codes.items()}


def test_a_pasted_function_is_found_also_with_other_names_and_no_comment() -> None:
    pasted = inspect.getsource(finished.relu)
    assert copied(relu=pasted)["relu"]
    other = re.sub(r'""".*?"""', "# mine", re.sub(r"\bz\b", "numbers", pasted))
    assert other != pasted
    assert copied(relu=other)["relu"]


def test_an_answer_that_differs_in_one_number_is_no_copy() -> None:
    assert not copied(relu=inspect.getsource(finished.relu).replace("0.0", "0"))["relu"]


@pytest.mark.parametrize("name", LESSONS)
def test_no_reference_counts_as_a_copy(name: str) -> None:
    one = lesson(name)
    codes = read_code(template(one), finished_forms(one), json.dumps(solved(name)).encode())
    assert not any(code.copied for code in codes.values())


def test_names_and_comments_do_not_count_and_the_rest_does() -> None:
    first = forms_in("def f(a, b):\n    'text'\n    return a + b", "f")
    assert first == forms_in("def f(x, y):\n    return x + y  # mine", "f")
    assert first != forms_in("def f(x, y):\n    return y + x", "f")
    assert first != forms_in("def f(x, y):\n    return x - y", "f")

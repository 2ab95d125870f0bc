"""Expected and actual outcomes of a case, and the difference between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.comparison.codec import encode
from grader.comparison.compare import Difference, Result, alike, differences
from grader.comparison.schema import CaseData

NAN, INF = float("nan"), float("inf")


def case_of(property: str, **more: Any) -> CaseData:
    case = {"property": property, "inputs": [0.0, 0.0], "parameters": ["x"]}
    return {**case, "rtol": 1e-6, "atol": 1e-9, **more}


def returned(value: object, **effects: Any) -> Result:
    return Result({"value": encode(value), **effects})


def raised(*names: str, message: str = "", **more: Any) -> Result:
    return Result({"error": [*names], "message": message, **more})


def only_difference(case: CaseData, expected: Result, mine: Result) -> Difference | None:
    found = differences(case, expected, mine)
    assert len(found) <= 1
    return found[0] if found else None


VALUES = [
    # expected, actual, key phrase of the difference
    (1.0, 1.0 + 1e-7, None),
    (1.0, 1.0 + 1e-5, "The numbers differ."),
    (1, 1.0, None),
    (1.0, True, None),
    (0.0, -0.0, None),
    (0.0, 1e-10, None),
    (0.0, 1e-8, "differ"),
    (NAN, NAN, None),
    (NAN, 0.0, "differ"),
    (INF, INF, None),
    (INF, -INF, "differ"),
    (1.0, INF, "differ"),
    (1.0, None, "returned None"),
    (None, None, None),
    (None, 1.0, "another kind"),
    ("yes", "yes", None),
    ("yes", "no", "another kind"),
    (1.0, "1.0", "another kind"),
    (1.0, np.array(1.0), None),
    (1.0, np.array([1.0]), "has shape (1,); () was expected"),
    (1.0, len, "returned a function"),
    (1.0, {}, "returned a value of type dict"),
    (np.array([1.0, 2.0]), [1, 2], "is a list where an array was expected"),
    (np.array([1.0, 2.0]), [[1], [2]], "has shape (2, 1); (2,) was expected"),
    (np.array([1.0, 2.0]), [1, 2, 3], "has shape (3,); (2,) was expected"),
    (np.zeros((0, 2)), np.zeros((0, 3)), "has shape (0, 3); (0, 2) was expected"),
    (np.array([1.0, 2.0]), [1, 3], "1 of 2 numbers differ"),
    (np.array([1.0, 2.0]), [[1], [2, 3]], "another kind"),
    ((1.0, 2.0), [1.0, 2.0], None),
    ((1.0, 2.0), np.array([1.0, 2.0]), None),
    ((1.0, 2.0), 1.0, "returned one value; 2 were expected"),
    ((1.0, 2.0), (1.0, 2.0, 3.0), "returned 3 values; 2 were expected"),
    ((1.0, 2.0), (1.0, 3.0), "Part 2 of 2: the numbers differ"),
    ((1.0, 2.0), (1.0, len), "Part 2 of 2: part 2 returned a function"),
    ((1.0, (2.0, 3.0)), (1.0, 2.0), "returned one value"),
    ([], (), None),
    ([1.0, 2.0], [1.0, "x" * 2000], "another kind"),
    ((np.array([1.0, 2.0]), 1.0), ([1.0, 2.0], 1.0), "is a list where an array"),
]


@pytest.mark.parametrize(("expected", "actual", "phrase"), VALUES)
def test_values_differ(expected: object, actual: object, phrase: str | None) -> None:
    found = only_difference(case_of("value"), returned(expected), returned(actual))
    assert found is None if phrase is None else found and phrase in found.reason


VALUE_ERROR = case_of("error", raises="ValueError")
ARRAY = np.array([1.0, 2.0])
INTEGERS, PAIR = np.array([1, 2]), (ARRAY, ARRAY)
TRUTH = "The truth value of an array with more than one element is ambiguous."

DIFFERENCES = [
    # case, expected, actual, the kind of property that it concerns, key phrase
    (VALUE_ERROR, raised("ValueError"), raised("ValueError", "Exception"), None, ""),
    (VALUE_ERROR, raised("ValueError"), raised("MyError", "ValueError"), None, ""),
    (VALUE_ERROR, raised("ValueError"), raised("KeyError", message="'w'"), "error", "rror: 'w'"),
    (VALUE_ERROR, raised("ValueError"), raised("KeyError"), "error", "A ValueError was expected"),
    (VALUE_ERROR, raised("ValueError"), returned(1.0), "error", "a ValueError was expected"),
    (case_of("value"), returned(1.0), raised("KeyError", message="'w'"), "value", "KeyError: 'w'"),
    (case_of("value"), returned(1.0), raised("KeyError"), "value", "It raised KeyError."),
    (case_of("value", rtol=0.1), returned(1.0), returned(1.05), None, ""),
    (case_of("value/detail"), returned(1.0), returned(2.0), "value", "differ"),
    (case_of("value"), returned(ARRAY), returned(ARRAY[None]), "shape", "(1, 2); (2,) was"),
    (case_of("value"), returned(1.0), returned(1.0, changed=[0]), "purity", "its input x."),
    (case_of("stability"), returned(1.0), returned(2.0), "stability", "differ"),
    (case_of("stability"), returned(1.0), returned(2.0, changed=[0]), "purity", "its input x."),
    (case_of("shape"), returned(ARRAY), returned(ARRAY + 1), "shape", "2 of 2 numbers differ"),
    (case_of("shape"), returned(ARRAY), returned(ARRAY[None]), "shape", "(1, 2); (2,) was"),
    (case_of("shape"), returned(PAIR), returned((ARRAY, 1.0)), "shape", "(); (2,) was expected"),
    (case_of("shape"), returned(PAIR), returned((ARRAY, ARRAY[None])), "shape", "(2,), (2,) was"),
    (case_of("shape"), returned(PAIR), returned(np.array(PAIR)), None, ""),
    (case_of("shape"), returned(ARRAY), returned("text"), "shape", "another kind"),
    (case_of("shape", inputs=[{"rng": 1}]), returned(ARRAY), returned(ARRAY + 1), None, ""),
    (case_of("dtype"), returned(ARRAY), returned(ARRAY.tolist()), "shape", "a list where"),
    (case_of("dtype"), returned(ARRAY), returned(ARRAY + 1), "dtype", "2 of 2 numbers differ"),
    (case_of("dtype"), returned(INTEGERS + 0.0), returned(INTEGERS), "dtype", "64; float64 was"),
    (case_of("dtype"), returned(1.0), returned(1), "dtype", "int64; float64 was expected"),
    (case_of("quiet"), returned(1.0), returned(2.0), "stability", "differ"),
    (case_of("quiet"), returned(1.0), returned(1.0, warnings=["overflow"]), "quiet", "overflow."),
    (case_of("purity"), returned(1.0), returned(2.0), "purity", "differ"),
    (case_of("purity"), returned(1.0), returned(1.0, changed=[0, 1]), "purity", "x and input 2."),
    (case_of("purity"), returned(1.0, changed=[0]), returned(1.0, changed=[0]), None, ""),
    (case_of("purity"), returned(1.0), returned(1.0, aliased=True), "purity", "one of its inputs"),
    (case_of("purity"), returned(1.0, aliased=True), returned(1.0, aliased=True), None, ""),
    (case_of("purity"), returned(1.0), returned(len), "purity", "returned a function"),
]


@pytest.mark.parametrize(("case", "expected", "actual", "kind", "phrase"), DIFFERENCES)
def test_each_difference_concerns_a_property(
    case: CaseData, expected: Result, actual: Result, kind: str | None, phrase: str
) -> None:
    found = only_difference(case, expected, actual)
    assert (found and found.kind) == kind
    assert found is None or phrase in found.reason


def test_a_changed_input_is_told_beside_a_wrong_value() -> None:
    found = differences(case_of("value"), returned(1.0), returned(2.0, changed=[0]))
    assert [one.kind for one in found] == ["value", "purity"]


HUGE = [
    {"array": [], "shape": [1_000_000, 0], "dtype": "float64"},
    {"list": ["x" * 2000, *range(100_000)]},
    {"list": [{"list": [1, 2]}] * 100_000},
]


@pytest.mark.parametrize("value", HUGE, ids=["rows", "text", "lists"])
@pytest.mark.parametrize("expected", [1.0, ARRAY, PAIR, "text"], ids=str)
def test_a_value_of_a_wrong_size_is_not_decoded(
    value: Any, expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    expectation, huge = returned(expected), Result({"value": value})
    assert differences(case_of("value"), expectation, returned(expected)) == []
    monkeypatch.setattr("grader.comparison.compare.numbers_in", lambda data: None)
    monkeypatch.setattr(np, "array", lambda *_, **__: pytest.fail("decoded"))
    assert only_difference(case_of("value"), expectation, huge)


ALIKE = [
    # property, one outcome, another, whether they are alike
    ("value", returned(1.0), returned(1.0, warnings=["w"], changed=[0]), True),
    ("value", returned(1.0), returned(2.0), False),
    ("value", returned(ARRAY), returned(ARRAY[None]), True),
    ("shape", returned(ARRAY), returned(ARRAY[None]), False),
    ("shape", returned(ARRAY), returned(ARRAY.tolist()), False),
    ("value", returned(len), returned(max), True),
    ("value", returned(len), returned({}), False),
    ("value", raised("KeyError", message="a"), raised("KeyError", message="b"), True),
    ("value", raised("KeyError"), raised("ValueError"), False),
    ("value", raised("KeyError"), returned(1.0), False),
    ("value", raised("ValueError", message="no"), raised("ValueError", message=TRUTH), False),
    (
        "value",
        raised("ValueError", message=f"x: {TRUTH}"),
        raised("ValueError", message=TRUTH),
        True,
    ),
    ("quiet", returned(1.0), returned(1.0, warnings=["w"]), False),
    ("quiet", returned(1.0, warnings=["v"]), returned(1.0, warnings=["w"]), True),
    ("purity", returned(1.0), returned(1.0, changed=[0]), False),
    ("purity", returned(1.0, aliased=True), returned(1.0), False),
    ("purity", raised("KeyError", changed=[0]), raised("KeyError"), False),
    ("value", raised("KeyError", changed=[0]), raised("KeyError"), True),
    ("dtype", returned(ARRAY), returned(ARRAY * 1), True),
    ("dtype", returned(INTEGERS), returned(INTEGERS.astype(float)), False),
    ("dtype/detail", returned(INTEGERS), returned(INTEGERS.astype(float)), False),
]


@pytest.mark.parametrize(("property", "one", "other", "expected"), ALIKE)
def test_outcomes_are_alike(property: str, one: Result, other: Result, expected: bool) -> None:
    assert alike(property, case_of(property), one, other) is expected
    assert alike(property, case_of(property), other, one) is expected

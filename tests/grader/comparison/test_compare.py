"""Expected and actual outcomes of a case, and the difference between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.comparison.codec import encode
from grader.comparison.compare import alike, caused_by_impurity, difference
from grader.comparison.schema import CaseData, Outcome

NAN, INF = float("nan"), float("inf")


def case_of(property: str, **more: Any) -> CaseData:
    case = {"property": property, "inputs": [], "parameters": ["x"], "rtol": 1e-6, "atol": 1e-9}
    return {**case, **more}


def returned(value: object, **effects: Any) -> Outcome:
    return {"value": encode(value), **effects}


def raised(*names: str, message: str = "") -> Outcome:
    return {"error": [*names], "message": message}


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
    (1.0, np.array([1.0]), None),
    (1.0, len, "returned a function"),
    (1.0, {}, "returned a value of type dict"),
    (np.array([1.0, 2.0]), [1, 2], None),
    (np.array([1.0, 2.0]), [[1], [2]], None),
    (np.array([1.0, 2.0]), [1, 2, 3], "has shape (3,); (2,) was expected"),
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
]


@pytest.mark.parametrize(("expected", "actual", "phrase"), VALUES)
def test_values_differ(expected: object, actual: object, phrase: str | None) -> None:
    reason = difference(case_of("value"), returned(expected), returned(actual))
    assert reason is None if phrase is None else phrase in (reason or "")


VALUE_ERROR = case_of("error", raises="ValueError")
ARRAY = np.array([1.0, 2.0])
INTEGERS, PAIR = np.array([1, 2]), (ARRAY, ARRAY)

PROPERTIES = [
    # case, expected, actual, key phrase of the difference
    (VALUE_ERROR, raised("ValueError"), raised("ValueError", "Exception"), None),
    (VALUE_ERROR, raised("ValueError"), raised("MyError", "ValueError"), None),
    (VALUE_ERROR, raised("ValueError"), raised("KeyError", message="'w'"), "KeyError: 'w'"),
    (VALUE_ERROR, raised("ValueError"), raised("KeyError"), "A ValueError was expected"),
    (VALUE_ERROR, raised("ValueError"), returned(1.0), "a ValueError was expected"),
    (case_of("value"), returned(1.0), raised("KeyError", message="'w'"), "It raised KeyError: 'w'"),
    (case_of("value"), returned(1.0), raised("KeyError"), "It raised KeyError."),
    (case_of("value", rtol=0.1), returned(1.0), returned(1.05), None),
    (case_of("value/detail"), returned(1.0), returned(2.0), "differ"),
    (case_of("stability"), returned(1.0), returned(2.0), "differ"),
    (case_of("shape"), returned(ARRAY), returned(ARRAY + 1), None),
    (case_of("shape"), returned(ARRAY), returned(ARRAY[None]), "(1, 2); (2,) was expected"),
    (case_of("shape"), returned(PAIR), returned((ARRAY, 1.0)), "(2,), (); (2,), (2,) was"),
    (case_of("shape"), returned(PAIR), returned([[1, 2], [3, 4]]), None),
    (case_of("shape"), returned(ARRAY), returned("text"), "shape none"),
    (case_of("dtype"), returned(ARRAY), returned([1.5, 2.5]), None),
    (case_of("dtype"), returned(ARRAY), returned(INTEGERS), "int64; float64 was expected"),
    (case_of("dtype"), returned(ARRAY), returned(["a"]), "no numbers; float64"),
    (case_of("quiet"), returned(1.0), returned(2.0), None),
    (case_of("quiet"), returned(1.0), returned(1.0, warnings=["overflow"]), "warned: overflow."),
    (case_of("purity"), returned(1.0), returned(2.0), None),
    (case_of("purity"), returned(1.0), returned(1.0, changed=[0, 1]), "its input x and input 2."),
    (case_of("purity"), returned(1.0), returned(1.0, aliased=True), "one of its inputs"),
    (case_of("purity"), returned(1.0), returned(len), "returned a function"),
]


@pytest.mark.parametrize(("case", "expected", "actual", "phrase"), PROPERTIES)
def test_each_property_has_its_difference(
    case: CaseData, expected: Outcome, actual: Outcome, phrase: str | None
) -> None:
    reason = difference(case, expected, actual)
    assert reason is None if phrase is None else phrase in (reason or "")


ALIKE = [
    # property, one outcome, another, whether they are alike
    ("value", returned(1.0), returned(1.0, warnings=["w"], changed=[0]), True),
    ("value", returned(1.0), returned(2.0), False),
    ("value", returned(ARRAY), returned(ARRAY[None]), False),
    ("value", returned(len), returned(max), True),
    ("value", returned(len), returned({}), False),
    ("value", raised("KeyError", message="a"), raised("KeyError", message="b"), True),
    ("value", raised("KeyError"), raised("ValueError"), False),
    ("value", raised("KeyError"), returned(1.0), False),
    ("quiet", returned(1.0), returned(1.0, warnings=["w"]), False),
    ("quiet", returned(1.0, warnings=["v"]), returned(1.0, warnings=["w"]), True),
    ("purity", returned(1.0), returned(1.0, changed=[0]), False),
    ("purity", returned(1.0, aliased=True), returned(1.0), False),
    ("dtype", returned(ARRAY), returned(ARRAY.tolist()), True),
    ("dtype", returned(INTEGERS), returned(INTEGERS.astype(float)), False),
    ("dtype/detail", returned(INTEGERS), returned(INTEGERS.astype(float)), False),
]


@pytest.mark.parametrize(("property", "one", "other", "expected"), ALIKE)
def test_outcomes_are_alike(property: str, one: Outcome, other: Outcome, expected: bool) -> None:
    assert alike(case_of(property), one, other) is expected
    assert alike(case_of(property), other, one) is expected


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (returned(1.0), False),
        (returned(1.0, changed=[1]), True),
        (raised("TypeError"), False),
        (raised("UFuncTypeError", "TypeError"), True),
    ],
)
def test_an_update_in_place_is_recognized(outcome: Outcome, expected: bool) -> None:
    assert caused_by_impurity(outcome) is expected

"""What holds between a learner's results and the expected ones, and the sentence about it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from answers import function_of, key_of

from grader.comparison.judge import Compared, observe_all
from grader.diagnosis.relations import relation

X, Y = np.array([1.5, -2.0, 0.25, 0.0]), np.array([3.0, -1.0, 40.0])
A, B = np.array([[1.0, 2.5, 4.0], [0.5, -3.0, 8.0]]), np.array([[2.0, -1.5], [0.25, 7.0], [1, 9.0]])
N = np.array([1, 2, 5, 8])
ROWS: list[Any] = [("value", A), ("value", B)]
NUMBERS: list[Any] = [("value", X), ("value", Y)]
TWO: list[Any] = [("value", X, 3.0), ("value", Y, -2.0)]
RNG: list[Any] = [("distribution", 2500, np.random.default_rng(1))]

TABLE: list[tuple[str, str, list[Any], str]] = [
    ("x + 1", "(x + 1) * 2", NUMBERS, "yours is twice what was expected"),
    ("x + 1", "-(x + 1)", NUMBERS, "yours is minus what was expected"),
    ("x + 1", "(x + 1) / 0.7", NUMBERS, "1.42857 times"),
    ("np.log(x**2 + 2)", "np.log10(x**2 + 2)", NUMBERS, "a logarithm to base 10"),
    ("x.mean(axis=0)", "x.sum(axis=0)", ROWS, "times the number of rows of x"),
    ("x * w", "x * w**2", TWO, "what was expected times w"),
    ("x**2 + 2", "x", NUMBERS, "Yours is x itself"),
    ("x * (x + 2)", "x + 2", [("value", Y), ("value", Y * 2)], "divided by x"),
    ("x + 2", "0 * x", NUMBERS, "Yours is 0 for every input"),
    ("x + 3", "(x + 3)**2", NUMBERS, "the square of the expected"),
    ("x", "np.trunc(x)", NUMBERS, "without its decimals"),
    ("x * 2", "x.T * 2", [("value", A), ("value", B)], "the expected, transposed"),
    ("x * 3", "x[0] * 3", ROWS, "only the first row"),
    ("x.mean()", "x", NUMBERS, "The mean of your numbers is"),
    ("x.mean()", "np.append(x, x)", [("value", X)], "The mean of your numbers is"),
    ("x.cumsum()", "np.append(x, 1.0)", NUMBERS, "more numbers than were expected"),
    ("x.cumsum()", "x[:-1]", NUMBERS, "fewer numbers than were expected"),
    ("np.maximum(x, 0)", "np.where(x < 0, x / 10, x)", NUMBERS, "just where x is below 0"),
    ("x / 3", "x / 3.0001", NUMBERS, "nearly right"),
    ("x / 3", "np.round(x / 3, 2)", NUMBERS, "off by less than 2 %"),
    ("np.exp(x)", "np.exp(x) + x**2", NUMBERS, "never too small"),
    ("np.sqrt(x**2)", "np.sqrt(x)", NUMBERS, "nan where x is -2"),
    ("(x, w)", "(w, x)", TWO, "in another order"),
    ("(x, 2 * x)", "(x, x)", NUMBERS, "In part 2, in every case yours is half"),
    (
        "(x, np.sin(x))",
        "(x, np.cos(3 * x))",
        [("value", X), ("value", X * 7)],
        "Of your 2 parts only 2",
    ),
    ("x", "x[None]", NUMBERS, "and not their shape"),
    ("x.sum(axis=1)", "x * np.sin(x)", ROWS, "one axis too many"),
    ("x / 2", "x // 2 + (x - x)", [("value", X * 8), ("integer", N)], "lost their decimals"),
    (
        "x / 2",
        "x / 2 if x.dtype == float else x * 7",
        [("value", X), ("integer", N)],
        "with whole numbers it is not",
    ),
    (
        "1 / (1 + np.exp(-x))",
        "1 / (1 + np.exp(-np.clip(x, -5, 5)))",
        [("value", X), ("stability", np.array([0.0, 40.0]))],
        "At x = 40 yours is 0.993307",
    ),
    (
        "-np.log(x)",
        "-np.log(np.maximum(x, 1e-10))",
        [("value", Y[:1]), ("stability", np.array([1e-200]))],
        "yours is 23.0259, and 460.517 was expected",
    ),
    ("x / 3", "np.round(x / 3, 2)", [("value", X), ("value", X[:0])], "off by less than 2 %"),
    ("x / 2", "None", NUMBERS, "returns None"),
    ("x / 2", "{1.5}", NUMBERS, "a value of type set"),
    ("x / 2", "str(x / 2)", NUMBERS, "returned a text"),
    ("np.log(x[:1])", "[np.log(0 * x).sum()]", [("value", Y)], "A logarithm of 0 is taken"),
    ("np.log1p(x)", "np.log(1 + x) + 0 * np.log(0 * x)", [("quiet", Y + 3)], "logarithm of 0"),
    ("x + 1", "x + 1 + 0 * (np.exp(np.float64(1000)) > 0)", [("quiet", Y)], "power gets too large"),
    ("x * 1", "x", [("value", X), ("purity", X)], "shares its memory"),
    (
        "x.copy()",
        "x.sort() or x.copy()",
        [("value", np.sort(X)), ("purity", X)],
        "`x` is not as before",
    ),
    ("np.float32(x)", "np.float64(x)", [("value", X), ("dtype", np.float32(X))], "another type"),
    ("w.normal(0, 1, x)", "w.normal(0, 2, x)", RNG, "spread too wide"),
    ("w.normal(0, 1, x)", "w.normal(0, 0.5, x)", RNG, "spread too little"),
    ("w.normal(0, 1, x)", "w.normal(1, 1, x)", RNG, "what shifts them"),
    ("w.normal(0, 1, x)", "np.abs(w.normal(0, 1, x))", RNG, "None of your numbers is below 0"),
    ("w.normal(0, 1, x)", "np.random.normal(0, 1, x)", RNG, "don't depend on rng alone"),
    ("w.normal(0, 1, x)", "w.uniform(-1.73, 1.73, x)", RNG, "which distribution"),
]


@pytest.mark.parametrize(("right", "wrong", "cases", "phrase"), TABLE)
def test_a_relation_is_seen(right: str, wrong: str, cases: list[Any], phrase: str) -> None:
    arguments = "x, w" if len(cases[0]) > 2 else "x"
    key = key_of(f"def f({arguments}):\n    return {right}\n", *cases)
    outcomes = observe_all(function_of(f"def f({arguments}):\n    return {wrong}\n"), key["cases"])
    seen = relation(Compared(key, outcomes))
    assert seen
    assert phrase in seen


ERRORS: list[tuple[str, str]] = [
    ("1.0 if x > 0 else 0.0", "asked a whole array for one yes or no"),
    ("float(x)", "A function for one number was given an array"),
    ("np.exp * x", "used there as if it were its value"),
    ("sum(3)", "A single number has no places"),
    ("x.exp()", "An array has no `exp`"),
    ("x.append(1)", "An array has no `append`"),
    ("np.exp.real", "used there as if it were its value"),
    ("np.dot.real", "used there as if it were its value"),
    ("x[0].exp()", "A plain number has no `exp`"),
    ("exp(x)", "`exp` is not known there: which library"),
    ("x[len(x)]", "An index is past the end"),
    ("x.sum(axis=1)", "There is no axis 1"),
    ("x[0, 0]", "More places are named than the array has axes"),
    ("x + np.ones(7)", "could not fit two shapes together"),
    ("x @ np.ones((7, 2))", "do the columns of the first meet"),
    ("x(2)", "A value of type ndarray is called"),
    ("len(x)(x)", "A value of type int is called"),
    ("x.sum()(1 - x)", "A value of type float64 is called"),
    ("None + 1", "Something is None there"),
    ("sum(x, 1, 2, 3)", "too few or too many arguments"),
    ("np.zeros((2, 0.5))", "has to be a whole number"),
    ("[x for _ in range(x.shape)]", "A tuple was given in place of one whole number"),
    ("list(x)[0, 1]", "A list takes one whole number as its index"),
    ("(lambda: (z, (z := 1)))()", "`z` is read before it has a value"),
    ("x @ np.sum", "One side of an `@`"),
    ("x[0][0]", "A single number has no places"),
    ("np.bitwise_xor(x, 2)", "can't work with what it gets"),
]


@pytest.mark.parametrize(("wrong", "phrase"), ERRORS)
def test_an_exception_is_told_in_a_beginners_words(wrong: str, phrase: str) -> None:
    key = key_of("def f(x):\n    return x + 1\n", *NUMBERS)
    outcomes = observe_all(function_of(f"def f(x):\n    return {wrong}\n"), key["cases"])
    seen = relation(Compared(key, outcomes))
    assert phrase in seen if seen and phrase else not phrase


def test_bad_input_that_gets_a_result_is_named() -> None:
    reference = "def f(x):\n    if x < 0:\n        raise ValueError\n    return x + 1\n"
    key = key_of(reference, ("value", 2.0), ValueError=(-1.0,))
    for wrong, phrase in (
        ("x + 1", "took bad input"),
        ("[x + 1][int(x < 0)]", "raised IndexError"),
    ):
        outcomes = observe_all(function_of(f"def f(x):\n    return {wrong}\n"), key["cases"])
        seen = relation(Compared(key, outcomes))
        assert seen
        assert phrase in seen

"""Each operator repairs a wrong answer, and leaves alone one that is wrong for another reason."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from answers import explained, function_of, key_of

from grader.comparison.judge import Compared, judged, observe_all
from grader.diagnosis import explain
from grader.diagnosis.repair import Code

X, W = np.array([1.5, -2.0, 0.25]), np.array([0.5, 3.0, -1.25])
A = np.array([[1.0, 2.5, 4.0], [0.5, -3.0, 8.0]])
M = np.array([[2.0, 1.0, 0.5], [1.0, 3.0, -2.0], [0.25, -1.0, 4.0]])
SUM = (
    "def f(x, w):\n    s = 0\n    for i in range(len(x)):\n        s += x[i] * w[i]\n    return s\n"
)
SHARES = "def f(a):\n    return a / a.sum(axis=1, keepdims=True)\n"
CHECKED = (
    "def f(x, w):\n    if len(x) != len(w):\n        raise ValueError\n    return (x * w).sum()\n"
)
LAST = (
    "def f(x, w):\n    for one in w:\n        y = np.tanh(x * one)\n        x = y\n    return x\n"
)
SIGN = "def f(x):\n    return np.where(x > 0, 1.0, -1.0)\n"
PLUS = "def f(x, w):\n    x = x + w\n    return x\n"
HALF = "def f(x):\n    out = np.zeros_like(x, dtype=float)\n    out += x / 2\n    return out\n"
CHAIN = "def f(g, x):\n    return g(x) * 2\n"
EARLY = "def f(x, w):\n    return x.sum(), w.sum()\n"
LOGS = "def f(x, w):\n    return -np.mean(x * w + (1 - x) * (2 - w))\n"
BACK = (
    "def f(x):\n    s = 1.0\n    for one in reversed(x):\n        s = s / 2 + one\n    return s\n"
)
BOTH = "def f(x, w):\n    return (x @ w) / (1 + np.sum(x**2))\n"
ANGLE = "def f(x, w):\n    return np.arctan2(x, w)\n"
RAISED = "def f(x, w):\n    y = np.copy(x)\n    y[0] += w[0]\n    return y\n"

TWO: list[Any] = [("value", X, W), ("value", W, X + 1), ("value", X[:1], W[:1])]
ONE: list[Any] = [("value", X), ("value", W), ("integer", np.array([3, -4, 0, 5]))]
TABLE: list[Any] = [("value", A), ("value", A[:1]), ("value", A[:, :2] ** 2)]
CALLED: list[Any] = [("value", np.tanh, X), ("value", np.square, W)]
DRAWN: list[Any] = [("shape", 3, 4, np.random.default_rng(0))]

ROWS: dict[str, list[tuple[str, str, list[Any]]]] = {
    "return_in_loop": [(SUM, SUM.replace("    return", "        return"), TWO)],
    "no_return": [
        (SUM, SUM.replace("return s", "print(s)"), TWO),
        (SUM, SUM.replace("    return s\n", ""), TWO),
        (SUM, SUM.replace("return s", "float(s)"), TWO),
    ],
    "returned_exception": [
        (CHECKED, CHECKED.replace("raise", "return"), TWO),
        (CHECKED, CHECKED.replace("raise ValueError", "print('no')"), TWO),
        (
            CHECKED,
            CHECKED.replace(
                "if len(x) != len(w):\n        raise ValueError", "assert len(x) == len(w)"
            ),
            TWO,
        ),
        (CHECKED, CHECKED.replace("ValueError", "KeyError"), TWO),
    ],
    "overwritten_in_loop": [(SUM, SUM.replace("+=", "="), TWO)],
    "not_handed_on": [(LAST, LAST.replace("        x = y\n    return x", "    return y"), TWO)],
    "loop_direction": [(BACK, BACK.replace("reversed(x)", "x"), ONE)],
    "range_ends": [(SUM, SUM.replace("range(len(x))", "range(len(x) - 1)"), TWO[:2])],
    "one_number_only": [
        ("def f(x):\n    return np.maximum(x, 0)\n", "def f(x):\n    return max(x, 0)\n", ONE)
    ],
    "not_called": [
        (CHAIN, CHAIN.replace("g(x)", "g"), CALLED),
        (EARLY, EARLY.replace("x.sum()", "x.sum"), TWO),
        ("def f(a):\n    return a @ a.T\n", "def f(a):\n    return a @ a.transpose\n", TABLE),
    ],
    "not_used": [
        (CHAIN, CHAIN.replace("g(x)", "x"), CALLED),
        (PLUS, PLUS.replace("x + w", "x"), TWO),
    ],
    "argument_order": [
        (SIGN, SIGN.replace("1.0, -1.0", "-1.0, 1.0"), ONE),
        (ANGLE, ANGLE.replace("2(x, w)", "2(w, x)"), TWO),
    ],
    "place_in_loop": [
        (SUM, SUM.replace("range(len(x))", "x"), TWO),
        (SUM, SUM.replace("w[i]", "w[0]"), TWO),
    ],
    "start_value": [(SUM, SUM.replace("s = 0", "s = 1"), TWO)],
    "update": [(RAISED, RAISED.replace("+=", "-="), TWO)],
    "other_variable": [(PLUS, PLUS.replace("x + w", "x + x"), TWO)],
    "argument_tuple": [
        (
            "def f(n, m, rng):\n    return rng.normal(0, 2, (n, m))\n",
            "def f(n, m, rng):\n    return rng.normal(0, 2, n, m)\n",
            DRAWN,
        )
    ],
    "writes_into_input": [
        (PLUS, PLUS.replace("x = x + w", "x += w"), [*TWO, ("purity", X, W)]),
        (
            "def f(x):\n    y = np.copy(x)\n    y[0] = 7.0\n    return y\n",
            "def f(x):\n    y = x\n    y[0] = 7.0\n    return y\n",
            [("value", X), ("purity", W)],
        ),
    ],
    "whole_numbers": [
        (HALF, HALF.replace(", dtype=float", "").replace("out += x / 2", "out[:] = x / 2"), ONE),
        ("def f(x):\n    return x / 2\n", "def f(x):\n    return x // 2\n", ONE),
    ],
    "condition": [
        (CHECKED, CHECKED.replace("!=", "=="), TWO),
        (SIGN, SIGN.replace("x > 0", "x >= 0"), [*ONE, ("value", np.array([0.0, 1.0]))]),
    ],
    "parentheses": [
        (BOTH, BOTH.replace("(1 + np.sum(x**2))", "1 + np.sum(x**2)"), TWO),
        (LOGS, LOGS.replace("x * w + (1 - x) * (2 - w))", "x * w) + (1 - x) * (2 - w)"), TWO),
        ("def f(x, w):\n    return -(x @ w + 1)\n", "def f(x, w):\n    return -x @ w + 1\n", TWO),
    ],
    "axis": [
        (SHARES, SHARES.replace(", keepdims=True", ""), TABLE),
        (SHARES, SHARES.replace("axis=1", "axis=0"), TABLE),
    ],
    "operation": [
        (
            "def f(a, b):\n    return a @ b\n",
            "def f(a, b):\n    return a * b\n",
            [("value", M, M.T)],
        ),
        (PLUS, PLUS.replace("x + w", "x - w"), TWO),
    ],
    "operand_order": [
        (
            "def f(a, b):\n    return a @ b\n",
            "def f(a, b):\n    return b @ a\n",
            [("value", M, A.T)],
        ),
        ("def f(x, w):\n    return x - w\n", "def f(x, w):\n    return w - x\n", TWO),
    ],
    "minus": [
        (
            "def f(x):\n    return 1 / (1 + np.exp(-x))\n",
            "def f(x):\n    return 1 / (1 + np.exp(x))\n",
            ONE,
        )
    ],
    "not_in_it": [
        ("def f(x, w):\n    return x @ w\n", "def f(x, w):\n    return np.abs(x @ w)\n", TWO)
    ],
    "transposed": [
        (
            "def f(a):\n    return a @ a.T\n",
            "def f(a):\n    return a @ a\n",
            [("value", A), ("value", M)],
        )
    ],
    "index": [
        ("def f(x):\n    return x[-1] + x.sum()\n", "def f(x):\n    return x[0] + x.sum()\n", ONE)
    ],
    "other_function": [
        ("def f(x):\n    return np.mean(x)\n", "def f(x):\n    return np.sum(x)\n", ONE)
    ],
}
ANSWERS = [(mistake, *row) for mistake, rows in ROWS.items() for row in rows]


def key(reference: str, cases: list[Any]) -> Any:
    """Return the key of a row; a reference that raises gets a case of bad input."""
    raising = {"ValueError": (X, W[:1])} if "raise " in reference else {}
    return key_of(reference, *cases, **raising)


@pytest.mark.parametrize(("mistake", "right", "wrong", "cases"), ANSWERS)
def test_an_operator_repairs_an_answer(
    mistake: str, right: str, wrong: str, cases: list[Any]
) -> None:
    verdict = explained(wrong, key(right, cases))
    assert verdict.mistake == mistake, verdict


@pytest.mark.parametrize(("mistake", "right", "wrong", "cases"), ANSWERS)
def test_no_edit_names_a_mistake_that_is_not_there(
    mistake: str, right: str, wrong: str, cases: list[Any]
) -> None:
    """A right answer that a spoiled key rejects: no edit can meet it."""
    spoiled = copy.deepcopy(key(right, cases))
    spoiled["cases"][0]["expected"] = {"value": 12345.678}
    verdict = explained(right, spoiled)
    assert not verdict.solved
    assert verdict.repair is None


@pytest.mark.parametrize(("mistake", "right", "wrong", "cases"), ANSWERS)
def test_a_sentence_does_not_show_the_repaired_code(
    mistake: str, right: str, wrong: str, cases: list[Any]
) -> None:
    sentence = explained(wrong, key(right, cases)).repair or ""
    fixed = {line.strip() for line in right.splitlines()} - {x.strip() for x in wrong.splitlines()}
    assert not any(f"`{line}`" in sentence for line in fixed)


def test_a_name_that_is_never_used_is_named() -> None:
    for wrong, phrase in (
        ("def f(x, w):\n    return x**3\n", "`w` is given to you and never used"),
        ("def f(x, w):\n    y = x @ w\n    return x - w**3\n", "`y` is computed and never used"),
    ):
        verdict = explained(wrong, key("def f(x, w):\n    return np.exp(x) + w\n", TWO))
        assert phrase in (verdict.relation or "")


def test_a_lambda_gets_no_repair() -> None:
    sum_key = key(SUM, TWO)
    function = function_of("def f(x, w):\n    return x\n")
    answer = Compared(sum_key, observe_all(function, sum_key["cases"]))
    code = Code("f = lambda x, w: x\n", lambda trees, calls: [])
    verdict = explain(judged("f", answer), answer, code)
    assert verdict.repair is None

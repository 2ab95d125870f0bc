"""Outcomes and verdicts, as a learner reads them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.comparison.codec import encode, encode_input
from grader.comparison.judge import Failure, State, Verdict
from grader.comparison.present import (
    count_of,
    failure_rows,
    one_line,
    progress_text,
    show,
    show_outcome,
    verdict_html,
)
from grader.comparison.schema import CaseData, Outcome

SHOWN: list[tuple[Any, str]] = [
    (None, "None"),
    (True, "True"),
    (3, "3"),
    (0.1 + 0.2, "0.3"),
    (1e-12, "1e-12"),
    ("it's", '"it\'s"'),
    ((1, 2.5), "(1, 2.5)"),
    ([1, [None]], "[1, [None]]"),
    ([*range(9)], "[0, 1, 2, 3, 4, 5, 6, 7, …]"),
    (np.float64(1 / 3), "0.33333333"),
    (np.int64(3), "3"),
    (np.array([1.0, 2.5]), "[1. , 2.5]"),
    (np.array([1, 2]), "[1, 2]"),
    (np.array([1 / 3]), "[0.333333]"),
    (np.array([1.0], dtype=np.float32), "[1.]  (float32)"),
    (np.array([[True], [False]]), "[[ True],\n [False]]"),
    (np.zeros((0, 3)), "an empty array of shape (0, 3)"),
    (np.ones((1, 1, 1, 1, 2)), "[1., 1.]  (of shape (1, 1, 1, 1, 2))"),
    (np.arange(100), "[ 0,  1,  2, ..., 97, 98, 99]"),
    (np.tanh, "np.tanh"),
    (np.linalg.norm, "np.linalg.norm"),
    ("x" * 500, f"'{'x' * 399} …"),
]


@pytest.mark.parametrize(("value", "text"), SHOWN)
def test_a_value_is_shown(value: Any, text: str) -> None:
    assert show(encode_input(value)) == text


def test_lists_in_lists_are_shown_in_a_bounded_number_of_steps() -> None:
    value: Any = 1.0
    for _ in range(40):
        value = {"list": [value] * 8}
    assert len(show(value)) <= 402


SAMPLE = {"shape": [2, 3], "quantiles": [-1.0, 0.0, 1.0]}

OUTCOMES: list[tuple[Any, str]] = [
    ({"value": 2.0}, "2"),
    ({"value": encode(len)}, "a function"),
    ({"error": ["KeyError"], "message": "'w'"}, "KeyError: 'w'"),
    ({"error": ["KeyError"], "message": " "}, "KeyError."),
    ({"draws": [1.5, 2.5, 1.5]}, "1.5"),
    ({"value": None, "sample": SAMPLE}, "shape (2, 3), mean 0, standard deviation 0.816"),
    ({"value": None, "sample": {"shape": [0], "quantiles": []}}, "an empty array of shape (0,)"),
]


@pytest.mark.parametrize(("outcome", "phrase"), OUTCOMES)
def test_an_outcome_is_shown(outcome: Outcome, phrase: str) -> None:
    assert phrase in show_outcome(outcome)


def failure_of(outcome: Outcome, **more: Any) -> Failure:
    case: Any = {"property": "value", "inputs": [1.0, 2.0], "parameters": ["x"]}
    full: CaseData = {**case, "rtol": 0.0, "atol": 0.0, "expected": {"value": 5.0}, **more}
    return Failure(full, outcome, "The numbers differ.")


INPUTS = [("x", "1"), ("input 2", "2")]
ROWS: list[tuple[Failure, list[tuple[str, str]]]] = [
    (failure_of({"value": 3.0}), [("yours", "3"), ("expected", "5")]),
    (
        failure_of({"value": 3.0, "printed": "hello"}),
        [("yours", "3"), ("expected", "5"), ("it printed", "hello")],
    ),
    (
        failure_of({"value": 3.0}, raises="ValueError"),
        [("yours", "3"), ("expected", "ValueError raised")],
    ),
    (
        failure_of({"value": 3.0}, at=[[1.0, 2.0], [3.0]]),
        [("its result called with", "1, 2; 3"), ("yours", "3"), ("expected", "5")],
    ),
]


@pytest.mark.parametrize(("failure", "rows"), ROWS)
def test_a_failure_has_its_rows(failure: Failure, rows: list[tuple[str, str]]) -> None:
    assert failure_rows(failure) == INPUTS + rows
    assert "it printed" not in dict(failure_rows(failure, printed=False))


VERDICTS: list[tuple[Verdict, list[str]]] = [
    (Verdict("f", State.SOLVED, 2, 2, passed=("value",)), ["verdict solved", "✓ solved, 2 of 2"]),
    (
        Verdict("f", State.PARTLY, 1, 2, ("value",), ("quiet",), failure_of({"value": 3.0})),
        ["verdict missed", "✗ not yet, 1 of 2", "✓ right values", "✗ no warnings", "differ."],
    ),
    (
        Verdict("f", State.MISSED, 0, 2, missed=("value", "purity"), hint="Use `<b>`."),
        [
            "✗ not yet, 0 of 2",
            "✗ right values",
            "○ leaves its inputs",
            "Hint: Use <code>&lt;b&gt;</code>.",
        ],
    ),
    (
        Verdict("f", State.UNWRITTEN, 0, 2, note="f is not written yet."),
        ["verdict open", "○ not yet, 0 of 2", "<p>f is not written yet.</p>"],
    ),
    (
        Verdict("<i>", State.UNJUDGED, 0, 0, note="<i> is missing."),
        ["verdict open", "&lt;i&gt;</b> ○ not yet</p>", "<p>&lt;i&gt; is missing.</p>"],
    ),
    (
        Verdict("f", State.MISSED, 0, 2, failure=failure_of({"value": "<script>"})),
        ["<pre>&#x27;&lt;script&gt;&#x27;</pre>"],
    ),
]


@pytest.mark.parametrize(("verdict", "phrases"), VERDICTS)
def test_a_verdict_is_a_card(verdict: Verdict, phrases: list[str]) -> None:
    card = verdict_html(verdict)
    assert [phrase for phrase in phrases if phrase not in card] == []
    assert "<script>" not in card


def test_a_card_can_end_with_progress_and_a_warning() -> None:
    card = verdict_html(Verdict("f", State.SOLVED, 2, 2), 1, 3, "Not saved & lost.")
    assert f">{progress_text(1, 3)}</p><p>Not saved &amp; lost.</p></div>" in card
    assert progress_text(1, 3).startswith("●○○ 1 of 3 exercises")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a b", "a b"), ("a\nb\tc", "a b c"), ("\x1b[2J", "�[2J"), ("\u202ea", "�a"), ("é○", "é○")],
)
def test_a_line_moves_no_cursor(text: str, shown: str) -> None:
    assert one_line(text) == shown


@pytest.mark.parametrize(("count", "text"), [(0, "0 cells"), (1, "1 cell"), (2, "2 cells")])
def test_a_count_has_its_plural(count: int, text: str) -> None:
    assert count_of(count, "cell") == text

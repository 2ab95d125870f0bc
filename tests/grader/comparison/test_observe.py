"""The outcome of a call: its printed text, and what a returned function changes."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from grader.comparison.codec import encode
from grader.comparison.compare import Result, differences
from grader.comparison.observe import observe
from grader.comparison.schema import CaseData


def test_the_output_of_another_thread_is_not_captured(capsys: pytest.CaptureFixture[str]) -> None:
    def relu() -> float:
        talk = threading.Thread(target=print, args=("epoch 1",))
        talk.start()
        talk.join()
        print("called")
        return 0.0

    assert observe(relu, {"inputs": []})["printed"] == "called\n"
    assert capsys.readouterr().out == "epoch 1\n"


def test_a_returned_function_that_writes_into_its_input_has_changed_it() -> None:
    def doubled(f: Any, in_place: bool) -> Any:
        def double(x: Any) -> Any:
            if in_place:
                x *= 2
                return x
            return 2 * x

        return double

    points = [[encode(1.5)], [encode(np.array([1.0, 2.0]))]]
    case: CaseData = {
        **{"property": "shape", "rtol": 1e-6, "atol": 0.0, "parameters": ["f", "in_place"]},
        **{"inputs": [1, False], "at": points, "expected": {}},
    }
    expected = observe(doubled, case)
    outcome = observe(doubled, {**case, "inputs": [1, True]})
    assert "changed" not in expected
    assert outcome["changed"] == [3]
    (found,) = differences(case, Result(expected), Result(outcome))
    assert (found.kind, found.reason) == (
        "purity",
        "The function that it returned changed its input.",
    )

"""Edited copies of a learner's function run within bounds, and only where they just compute."""

from __future__ import annotations

import ast
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answers import function_of, key_of

from grader.comparison.schema import Call, Line
from grader.learner.trial import code_of, outcomes_along

CALL: Call = {"inputs": [2.0]}
REACHES: dict[str, str] = {
    "a file": "def f(x):\n    open('kept.txt', 'w').write('gone')\n    return x\n",
    "an import": "def f(x):\n    import math, os\n    os.remove('kept.txt')\n    return x\n",
    "numpy's files": "def f(x):\n    np.save('kept.txt', x)\n    return x\n",
    "a module": "def f(x):\n    Path('kept.txt').unlink()\n    return x\n",
    "a helper": "def g(x):\n    open('kept.txt', 'w')\ndef f(x):\n    g(x)\n    return x\n",
    "a class": "def f(x):\n    x.__class__.__subclasses__()\n    return x\n",
    "a swallowed end": "def f(x):\n    try:\n        return x\n    except: pass\n",
    "a decorator": "@np.vectorize\ndef f(x):\n    return x\n",
}


@pytest.mark.parametrize("what", REACHES)
def test_code_that_reaches_further_is_never_run_again(what: str) -> None:
    function: Any = function_of(REACHES[what], Path=Path)
    assert code_of(getattr(function, "pyfunc", function)) is None


PLAIN = {
    "numbers": "def f(x):\n    return np.exp(x) + K\n",
    "a helper": "def g(x):\n    return x\ndef f(x):\n    return g(x)\n",
    "itself": "def f(x):\n    return f(x - 1) if x > 0 else 0\n",
}


@pytest.mark.parametrize("what", PLAIN)
def test_code_that_only_computes_may_run(what: str) -> None:
    assert code_of(function_of(PLAIN[what], K=2))


def test_a_function_without_source_is_left_alone() -> None:
    namespace: dict[str, Any] = {}
    exec("def f(x):\n    return x\n", namespace)
    assert code_of(namespace["f"]) is None
    assert code_of(np.exp) is None


def test_an_endless_copy_is_given_up_and_the_next_one_runs() -> None:
    code = code_of(function_of("def f(x):\n    return x\n"), seconds=60, each=2)
    assert code
    endless = ast.parse("def f(x):\n    while True:\n        pass\n")
    right = ast.parse("def f(x):\n    return x\n")
    assert [*code.run([endless, right], [CALL])] == [None, [{"value": 2.0}]]


def test_no_copy_runs_after_the_time_is_over() -> None:
    code = code_of(function_of("def f(x):\n    return x\n"), seconds=-1)
    assert code
    assert [*code.run([ast.parse("def f(x):\n    return x\n")], [CALL])] == []


def test_copies_change_nothing_in_the_notebook() -> None:
    function = function_of("def f(x):\n    return x * K\n", K=3)
    code = code_of(function, seconds=60)
    assert code
    assert [*code.run([ast.parse("K = 7\ndef f(x):\n    return K\n")], [CALL])] == [[{"value": 7}]]
    assert function(2) == 6


def test_elsewhere_than_on_the_main_thread_nothing_is_repaired() -> None:
    found: list[object] = []
    function = function_of("def f(x):\n    return x\n")
    thread = threading.Thread(target=lambda: found.append(code_of(function)))
    thread.start()
    thread.join()
    assert found == [None]


def test_an_interrupt_ends_a_search() -> None:
    key = key_of("def f(x):\n    return 2 * x\n", ("value", 1.5), ("value", 2.5))
    code = code_of(function_of("def f(x):\n    return x\n"), seconds=60)
    assert code
    with pytest.raises(KeyboardInterrupt):
        [*code.run([ast.parse("def f(x):\n    raise KeyboardInterrupt\n")], key["cases"])]


def test_a_function_is_asked_along_lines_until_its_time_is_over() -> None:
    line: Line = {"case": 0, "input": 0, "entry": None, "values": [1.0, 2.0], "expected": [[1, 2]]}
    asked: list[tuple[Line, list[Call]]] = [(line, [{"inputs": [1.0]}, {"inputs": [2.0]}])]
    same = function_of("def f(x):\n    return x\n")
    assert outcomes_along(same, asked, seconds=60) == [(line, [{"value": 1.0}, {"value": 2.0}])]
    endless = function_of("def f(x):\n    while x > 1:\n        pass\n    return x\n")
    assert outcomes_along(endless, asked, seconds=0.05) == []
    refuses = function_of("def f(x):\n    assert x < 2\n    return x\n")
    assert outcomes_along(refuses, asked, seconds=60) == []
    elsewhere: list[Any] = [None]
    thread = threading.Thread(target=lambda: elsewhere.append(outcomes_along(same, asked)))
    thread.start()
    thread.join()
    assert elsewhere == [None, []]

"""Functions that never end, on threads that get no interrupt from Python."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from playground.interrupt import end
from playground.learner import Followed, Unusable


def stubborn(z: Any) -> Any:
    while True:
        try:
            np.exp(z)
        except Exception:  # what a learner may write
            z = 0.0


def outcome(function: Followed) -> tuple[threading.Thread, list[str]]:
    """The thread on which a function runs, and what comes of it."""
    said: list[str] = []

    def run() -> None:
        try:
            function(np.zeros(2))
        except Unusable as problem:
            said.append(str(problem))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    return thread, said


def test_a_function_that_never_ends_is_ended_on_its_thread() -> None:
    thread, said = outcome(Followed("relu", stubborn))
    end()
    thread.join(5)
    assert said == ["relu was interrupted."]


def test_a_function_that_was_interrupted_is_not_run_again_until_it_is_another_one() -> None:
    relu = Followed("relu", stubborn)
    thread, said = outcome(relu)
    end()
    thread.join(5)
    assert said == ["relu was interrupted."]
    with pytest.raises(Unusable, match=r"^relu was interrupted\.$"):
        relu(np.zeros(2))
    relu.function = np.abs
    assert relu(np.array([-1.0]), shape=(1,)) == 1


def test_a_new_definition_ends_the_old_one_and_no_other() -> None:
    home: dict[str, Any] = {"np": np}
    exec("def relu(z):\n    while True:\n        np.exp(z)\n\ndef sigmoid(z):\n    while True:\n        np.exp(z)", home)
    relu, sigmoid = Followed("relu", home["relu"]), Followed("sigmoid", home["sigmoid"])
    (one, said), (other, silent) = outcome(relu), outcome(sigmoid)
    home["relu"] = np.abs
    assert relu.look_up()
    one.join(5)
    other.join(0.2)
    assert said == ["relu was interrupted."]
    assert silent == []
    end(home["sigmoid"])
    other.join(5)


def test_an_interrupt_on_the_main_thread_is_a_sentence_too() -> None:
    def relu(z: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(Unusable, match=r"^relu was interrupted\.$"):
        Followed("relu", relu)(np.zeros(2))

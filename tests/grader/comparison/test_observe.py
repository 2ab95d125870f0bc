"""The printed text of a call belongs to its outcome; that of another thread does not."""

from __future__ import annotations

import threading

import pytest

from grader.comparison.observe import observe


def test_the_output_of_another_thread_is_not_captured(capsys: pytest.CaptureFixture[str]) -> None:
    def relu() -> float:
        talk = threading.Thread(target=print, args=("epoch 1",))
        talk.start()
        talk.join()
        print("called")
        return 0.0

    assert observe(relu, {"inputs": []})["printed"] == "called\n"
    assert capsys.readouterr().out == "epoch 1\n"

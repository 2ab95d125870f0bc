"""What a call prints is kept with its outcome; what another thread prints meanwhile is not the call's."""

from __future__ import annotations

import threading

import pytest

from grader.comparison.observe import observe


def test_what_another_thread_prints_meanwhile_goes_where_it_went_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def relu() -> float:
        talk = threading.Thread(target=print, args=("epoch 1",))
        talk.start()
        talk.join()
        print("called")
        return 0.0

    assert observe(relu, {"inputs": []})["printed"] == "called\n"
    assert capsys.readouterr().out == "epoch 1\n"

"""Functions that never end, on threads that get no interrupt from Python."""

from __future__ import annotations

import linecache
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from figures import html, slope_figure

from playground.figure.interrupt import _running, end
from playground.figure.learner_function import LearnerFunction, ReboundFunction, Unusable, _ended


class Endless:
    """A function that never ends on its own, and says when it is under way."""

    def __init__(self) -> None:
        self.begun, self.calls = threading.Event(), 0

    def __call__(self, z: Any) -> Any:
        self.calls += 1
        self.begun.set()
        while True:
            try:
                np.exp(z)
            except Exception:  # what a learner may write
                z = 0.0


def outcome(
    function: LearnerFunction, begun: threading.Event
) -> tuple[threading.Thread, list[str]]:
    """The thread on which a function runs, once it is under way, and what comes of it."""
    said: list[str] = []

    def run() -> None:
        try:
            function(np.zeros(2))
        except Unusable as problem:
            said.append(str(problem))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert begun.wait(600)
    return thread, said


def ended(thread: threading.Thread) -> bool:
    thread.join(600)
    return not thread.is_alive()


def defined(**functions: str) -> dict[str, Any]:
    """A notebook's names; in the sources, `endless` is a function that never ends."""
    home: dict[str, Any] = {"endless": Endless()}
    for name, body in functions.items():
        exec(f"def {name}(z):\n    {body}", home)
    return home


def test_a_function_that_never_ends_is_ended_on_its_thread() -> None:
    endless = Endless()
    thread, said = outcome(ReboundFunction("relu", endless), endless.begun)
    end()
    assert ended(thread)
    assert said == ["relu was interrupted."]


def test_a_function_that_was_interrupted_is_not_run_again_until_it_is_another_one() -> None:
    home = defined(relu="return endless(z)")
    relu = ReboundFunction("relu", home["relu"])
    thread, _ = outcome(relu, home["endless"].begun)
    end()
    assert ended(thread)
    for again in (
        relu,
        LearnerFunction("relu", relu.function),
    ):  # the capstone's experiments watch it anew for each move
        with pytest.raises(Unusable, match=r"^relu was interrupted\.$"):
            again(np.zeros(2))
    assert home["endless"].calls == 1
    home["relu"] = np.abs
    assert relu.look_up()
    assert relu(np.array([-1.0]), shape=(1,)) == 1


def test_a_new_definition_ends_the_old_one_and_no_other() -> None:
    home, others = defined(relu="return endless(z)"), defined(sigmoid="return endless(z)")
    relu, sigmoid = (
        ReboundFunction("relu", home["relu"]),
        ReboundFunction("sigmoid", others["sigmoid"]),
    )
    (one, said), (other, silent) = (
        outcome(relu, home["endless"].begun),
        outcome(sigmoid, others["endless"].begun),
    )
    home["relu"] = np.abs
    assert relu.look_up()
    assert ended(one)
    assert said == ["relu was interrupted."]
    assert other.is_alive()
    assert silent == []
    end(others["sigmoid"])
    assert ended(other)


def test_a_new_definition_ends_the_old_one_while_it_calls_another() -> None:
    home = defined(gd_step="return endless(z)", train="return step(z)")
    home["step"] = LearnerFunction("gd_step", home["gd_step"])
    train = ReboundFunction("train", home["train"])
    thread, said = outcome(train, home["endless"].begun)
    home["train"] = np.abs
    assert train.look_up()
    assert ended(thread)
    assert said == ["train was interrupted."]
    home["endless"].begun.clear()
    again, _ = outcome(home["step"], home["endless"].begun)  # it was not to blame
    end()
    assert ended(again)


def test_a_new_definition_ends_the_function_that_the_old_one_returned() -> None:
    home = defined(chain="return endless")
    chain = ReboundFunction("chain", home["chain"])
    thread, said = outcome(chain.made(chain(0.0)), home["endless"].begun)
    home["chain"] = np.abs
    assert chain.look_up()
    assert ended(thread)
    assert said == ["the function from chain was interrupted."]


def test_another_helper_makes_another_function() -> None:
    home = defined(
        square="return endless(z)",
        twice="return [square(each) for each in (z, z)]",
        relu="return twice(z)",
    )
    relu = ReboundFunction("relu", home["relu"])
    thread, said = outcome(relu, home["endless"].begun)
    assert not relu.look_up()
    exec("def square(z):\n    return z * z", home)
    assert relu.look_up()
    assert ended(thread)
    assert said == ["relu was interrupted."]
    assert np.shape(relu(np.zeros(2))) == (2, 2)


def test_an_interrupt_that_comes_too_late_disturbs_nobody(quick_turns: None) -> None:
    inner = LearnerFunction("gd_step", lambda z: z)
    brief = LearnerFunction("train", lambda z: inner(z))
    stop, escaped, said = threading.Event(), list[BaseException](), list[str]()

    def many() -> None:
        try:
            while not stop.is_set():
                try:
                    brief(0.0)
                except Unusable as problem:
                    said.append(str(problem))
                    _ended.clear()
        except BaseException as interrupt:
            escaped.append(interrupt)

    for _ in range(20):
        thread = threading.Thread(target=many, daemon=True)
        thread.start()
        for _ in range(2000):
            end()
            end(brief.function)
        stop.set()
        assert ended(thread)
        assert thread.ident not in _running
        stop.clear()
    assert escaped == []
    assert set(said) == {"train was interrupted."}


@pytest.fixture
def quick_turns() -> Iterator[None]:
    """Threads take turns as often as can be."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def interrupt_when_waiting(done: threading.Event) -> None:
    """Interrupt the main thread as soon as it waits for another one's turn.

    Again and again: a signal that comes a moment before a lock is waited for doesn't end the wait.
    """
    main = threading.main_thread().ident
    assert main is not None
    while not done.wait(0.01):
        frame = sys._current_frames()[main]
        if "with _one_at_a_time" in linecache.getline(frame.f_code.co_filename, frame.f_lineno):
            os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def one_interrupt() -> Iterator[None]:
    """Only the first of many signals is an interrupt."""

    def interrupt(*_: Any) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    usual = signal.signal(signal.SIGINT, interrupt)
    yield
    signal.signal(signal.SIGINT, usual)


@pytest.mark.skipif(
    os.name == "nt", reason="No process of Windows sends itself what a kernel gets there."
)
def test_an_interrupt_of_a_cell_that_waits_for_a_figure_ends_its_function(
    one_interrupt: None,
) -> None:
    endless, slow = Endless(), threading.Event()
    figure = slope_figure(relu=lambda z: endless(z) if slow.is_set() else z)
    assert figure.widget
    slow.set()
    slider = threading.Thread(
        target=setattr, args=(figure.controls["slope"], "value", 2.0), daemon=True
    )
    slider.start()
    assert endless.begun.wait(600)
    done = threading.Event()
    threading.Thread(target=interrupt_when_waiting, args=(done,), daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        figure.refresh()
    done.set()
    assert ended(slider)
    assert "relu was interrupted." in html(figure)


def test_an_interrupt_on_the_main_thread_is_a_sentence_too() -> None:
    def relu(z: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(Unusable, match=r"^relu was interrupted\.$"):
        ReboundFunction("relu", relu)(np.zeros(2))

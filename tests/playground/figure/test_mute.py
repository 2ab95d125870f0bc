"""Printing of threads that are muted, and of all others, in a real kernel beside checks and cells."""

from __future__ import annotations

import io
import sys
import threading
from contextlib import redirect_stdout
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from playground.figure.mute import listen, muted


def test_what_a_thread_prints_while_muted_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    with muted():
        with muted():
            print("within")
        print("after an inner one")
        sys.stderr.writelines(["a ", "warning"])
        sys.stdout.flush()
    print("heard")
    assert capsys.readouterr() == ("heard\n", "")


@pytest.mark.parametrize("first", ["the move", "the check"])
def test_a_move_and_a_check_that_overlap_leave_printing_as_it_was(
    first: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begun, end = threading.Event(), threading.Event()

    def move() -> None:
        with muted():
            begun.set()
            end.wait(600)
            print("a move's")

    mover = threading.Thread(target=move)
    checked = io.StringIO()
    listen()  # as the first figure of a notebook does
    if first == "the move":
        mover.start()
        begun.wait(600)
    with redirect_stdout(checked):
        if first == "the check":
            mover.start()
            begun.wait(600)
        print("a check's")
        if first == "the move":
            end.set()
            mover.join()
    end.set()
    mover.join()
    print("heard")
    assert checked.getvalue() in ("a check's\n", "a check's\na move's\n")
    assert capsys.readouterr().out == "heard\n"


CELLS = """
import threading, time
from playground.figure.mute import muted
begun, end = threading.Event(), threading.Event()
def move():
    with muted():
        begun.set(); end.wait(600); print("a move's")
mover = threading.Thread(target=move); mover.start(); begun.wait(600)
# %%
print("while a figure moves"); end.set(); mover.join()
# %%
print("afterwards")
"""


def test_what_a_cell_prints_while_a_figure_moves_lands_under_it() -> None:
    manager, client = start_new_kernel(startup_timeout=600)
    heard: list[list[str]] = []
    try:
        for cell in CELLS.split("# %%"):
            texts: list[str] = []

            def take(message: dict[str, Any], texts: list[str] = texts) -> None:
                if message["msg_type"] in ("stream", "error"):
                    texts.append(message["content"].get("text") or message["content"]["evalue"])

            client.execute_interactive(cell, output_hook=take, timeout=600)
            heard.append(texts)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert heard == [[], ["while a figure moves\n"], ["afterwards\n"]]

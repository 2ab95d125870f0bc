"""Cells run as in Jupyter: with the names that it puts into a notebook, and calls in an order that the same notebook and seed always get."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grader.execution.runner import steps

CELLS = {
    "display": "def f(z):\n    display(z, z)\n    return z + 1",
    "display of nothing known": "class Mine: ...\ndef f(z):\n    display(Mine(), clear=True)\n    return z + 1",
    "display to be updated": "shown = display(1, display_id=True)\ndef f(z):\n    shown.update(z)\n    return z + 1",
    "a shell": "get_ipython().run_line_magic('matplotlib', 'inline')\ndef f(z):\n    return z + 1",
    "what went in and out": "In[0], Out.get(3), _, __, ___, _i, _ii, _iii, _ih, _oh, _dh\ndef f(z):\n    return z + 1",
    "help": "help(len)\ncredits\nlicense()\ndef f(z):\n    return z + 1",
    "leaving": "def f(z):\n    return z + 1\nexit()\nquit()\nexit\nquit(0)\ndel f\ndef f(z):\n    return z + 1",
    "a name of one's own": "def display(z):\n    return z + 1\n_ = display\ndef f(z):\n    return _(z)",
}


@pytest.mark.parametrize("what", CELLS)
def test_what_jupyter_puts_into_a_notebook_is_there_and_does_nothing(what: str) -> None:
    done = [*steps({"cells": [CELLS[what]], "calls": {"f": [{"inputs": [2]}]}})]
    assert {"error": None} in done
    assert done[-1] == {"answer": {"outcomes": [{"value": 3}]}}


def test_it_is_there_without_the_site_module_as_in_the_sandbox() -> None:
    request = {"cells": [*CELLS.values()], "calls": {}}
    program = (
        f"import sys; sys.path[:] = {sys.path!r}; from grader.execution.runner import steps;"
        f" print([step['error'] for step in steps({request!r}) if 'error' in step])"
    )
    words = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([None] * len(CELLS))

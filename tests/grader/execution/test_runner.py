"""Cells run as in Jupyter, with the names that it puts into a notebook."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grader.execution.runner import steps

F = "def f(z):\n    return z + 1\n"

CELLS = {
    "display": "def f(z):\n    display(z, z)\n    return z + 1",
    "display of an object": f"class Mine: ...\ndisplay(Mine(), clear=True)\n{F}",
    "an update of a display": f"shown = display(1, display_id=True)\nshown.update(2)\n{F}",
    "the shell": f"get_ipython().run_line_magic('matplotlib', 'inline')\n{F}",
    "the history": f"In[0], Out.get(3), _, __, ___, _i, _ii, _iii, _ih, _oh, _dh\n{F}",
    "help": f"help(len)\ncredits\nlicense()\n{F}",
    "exit": f"{F}exit()\nquit()\nexit\nquit(0)\ndel f\n{F}",
    "a learner's own name": "def display(z):\n    return z + 1\n_ = display\nf = lambda z: _(z)",
}


@pytest.mark.parametrize("name", CELLS)
def test_jupyters_names_exist_and_do_nothing(name: str) -> None:
    done = [*steps({"cells": [CELLS[name]], "calls": {"f": [{"inputs": [2]}]}})]
    assert {"error": None} in done
    assert done[-1] == {"answer": {"outcomes": [{"value": 3}]}}


def test_they_exist_without_the_site_module_as_in_the_sandbox() -> None:
    request = {"cells": [*CELLS.values()], "calls": {}}
    program = (
        f"import sys; sys.path[:] = {sys.path!r}; from grader.execution.runner import steps;"
        f" print([step['error'] for step in steps({request!r}) if 'error' in step])"
    )
    words = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([None] * len(CELLS))

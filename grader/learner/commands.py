"""The learner's commands, all that the learners' archive has."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from grader.learner import page, watch, work

Register = Callable[["argparse._SubParsersAction[argparse.ArgumentParser]"], None]

REGISTER: list[Register] = [work.register, watch.register, page.register]

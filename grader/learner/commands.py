"""The commands of a learner: each module adds its own to the parser by its `register`. The learners' edition has these and no other."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from grader.learner import page, watch, work

Register = Callable[["argparse._SubParsersAction[argparse.ArgumentParser]"], None]

REGISTER: list[Register] = [work.register, watch.register, page.register]

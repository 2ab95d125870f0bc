"""The list of the grader's commands: each module that has some adds them to the parser by its `register`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from grader import autograde, build, grade, sample_class, validate, verify, work
from grader.engine import doctor
from grader.insights import command as insights

REGISTER: list[Callable[[argparse._SubParsersAction[argparse.ArgumentParser]], None]] = [
    work.register,
    build.register,
    verify.register,
    grade.register,
    validate.register,
    autograde.register,
    insights.register,
    sample_class.register,
    doctor.register,
]

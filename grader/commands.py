"""All commands of the grader: each module that has some adds them to the parser by `register`."""

from __future__ import annotations

from grader.author import build, edition, verify
from grader.engine import doctor
from grader.insights import command as insights
from grader.instructor import autograde, grade, sample_class, validate
from grader.learner import commands as learners

REGISTER: list[learners.Register] = [
    *learners.REGISTER,
    build.register,
    verify.register,
    grade.register,
    validate.register,
    autograde.register,
    insights.register,
    sample_class.register,
    edition.register,
    doctor.register,
]

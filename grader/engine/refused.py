"""Raised when this machine has no sandbox."""

from grader.refused import Refused


class EngineRefused(Refused):
    """This machine can't confine a learner's code; the sentence says what to do."""

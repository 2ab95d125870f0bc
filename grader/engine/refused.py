"""What says that nothing is run: this machine can't confine it."""

from grader.refused import Refused


class EngineRefused(Refused):
    """This machine can't confine a learner's code; the sentence says what to do."""

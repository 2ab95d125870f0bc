"""What says that nothing is run: this machine can't confine it."""


class EngineRefused(Exception):
    """This machine can't confine a learner's code; the sentence says what to do."""

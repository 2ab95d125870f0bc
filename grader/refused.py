"""The error that a command ends with; the command line prints its sentence."""


class Refused(Exception):
    """Why a command can't go on, in one sentence with the way out."""

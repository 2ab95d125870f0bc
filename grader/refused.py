"""What a command raises that can't go on; the command line prints its sentence."""


class Refused(Exception):
    """Why a command can't go on, in one sentence with the way out."""

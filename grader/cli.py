"""Run the `grader` command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from io import TextIOWrapper

from grader import startup  # noqa: F401 (first)
from grader.errors import UserError

Register = Callable[["argparse._SubParsersAction[argparse.ArgumentParser]"], None]

LEARNERS = ("learner.workspace", "learner.watch", "learner.export")
AUTHORS = ("author.build", "author.verify", "author.bundle", "author.site")
INSTRUCTORS = (
    *("instructor.grade", "instructor.validate", "instructor.roster"),
    *("instructor.collect_command", "instructor.autograde", "instructor.extend"),
    *("instructor.explain", "instructor.feedback_command", "instructor.serve"),
    *("instructor.give_back", "instructor.gradescope", "insights.command"),
    *("instructor.archive", "instructor.anonymize", "instructor.sample_class"),
    "instructor.doctor",
)
"""The modules of the commands, in the order of the help."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 means success, 1 a problem, 2 wrong use, 3 that some submissions of a class could not be
    graded and the others were, 130 an interrupt.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal may lack a sign
            stream.reconfigure(errors="replace")
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        print(end="", flush=True)
    except UserError as error:
        print(_harmless(f"{error}"), file=sys.stderr)
        return 1
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            return 0
        where = f" ({error.filename})" if error.filename else ""
        message = f"Stopped: {error.strerror or error}{where}. Finished work is kept."
        message = _harmless(f"{message} Fix the problem and run the command again.")
        print(message, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return code


def _harmless(message: str) -> str:
    """Return an error's message without control characters: names in it may be a learner's."""
    from grader.comparison.present import one_line

    return "\n".join(map(one_line, message.split("\n")))


def _nobody_reads() -> bool:
    """Return whether the reader of the output has gone, as with `| head -1`; send the rest away."""
    try:
        print(flush=True)  # a line, as the text that met the broken pipe may be lost by now
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; a command is run by `arguments.run(arguments)`."""
    commands = argparse.ArgumentParser(
        prog="grader", description="Make, check and grade the notebooks of a course."
    )
    subparsers = commands.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for register in _commands():
        register(subparsers)
    return commands


def _commands() -> list[Register]:
    """Return the commands; the learners' bundle has only the learner's."""
    whole = find_spec("grader.author") is not None
    names = (*LEARNERS, *AUTHORS, *INSTRUCTORS) if whole else LEARNERS
    return [import_module(f"grader.{name}").register for name in names]


if __name__ == "__main__":
    sys.exit(main())

"""The `grader` command line: parse the words, run the command, print what stops it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from grader import lean  # noqa: F401 (first)
from grader.learner import commands as learners
from grader.refused import Refused


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit code: 0 where all is well, 1 where something was found wrong or could not be done, 2 for wrong use, 3 where all of
        a class that can be graded is graded and some could not be, 130 where it was interrupted.
    """
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        return code
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"Stopped: {error.strerror or error}{where}. Finished work is kept. Fix the problem and run the command again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """What understands the words of all commands; `arguments.run(arguments)` runs the one that was named."""
    words = argparse.ArgumentParser(prog="grader", description="Make, check and grade the notebooks of a course.")
    subparsers = words.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for register in _commands():
        register(subparsers)
    return words


def _commands() -> list[learners.Register]:
    """The learner's commands; where `grader.commands` is, which the learners' edition leaves out, the instructor's too."""
    if find_spec("grader.commands") is None:
        return learners.REGISTER
    from grader.commands import REGISTER

    return REGISTER


if __name__ == "__main__":
    sys.exit(main())

"""Command-line words come in; one of the grader's commands runs. `grader --help` lists them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from grader import lean  # noqa: F401 (first)
from grader.commands import REGISTER
from grader.engine.refused import EngineRefused
from grader.lesson import LessonError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0 where all is well, 1 where something was found wrong, 2 for wrong use."""
    parser = argparse.ArgumentParser(prog="grader", description="Make, check and grade the notebooks of a course.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for register in REGISTER:
        register(subparsers)
    arguments = parser.parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        return code
    except (LessonError, EngineRefused) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())

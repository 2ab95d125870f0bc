"""The `grader` command line: parse the words, run the command, print the error that stops it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from grader import startup  # noqa: F401 (first)
from grader.errors import UserError

Register = Callable[["argparse._SubParsersAction[argparse.ArgumentParser]"], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit code: 0 for success, 1 where something was found wrong or could not be done, 2 for wrong use, 3 where
        some submissions of a class could not be graded and all others are, 130 after an interrupt.
    """
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except UserError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(
            f"Stopped: {error.strerror or error}{where}. Finished work is kept. Fix the problem and run the command again.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return code


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; `arguments.run(arguments)` runs the one that was named."""
    words = argparse.ArgumentParser(
        prog="grader", description="Make, check and grade the notebooks of a course."
    )
    subparsers = words.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for register in _commands():
        register(subparsers)
    return words


def _commands() -> list[Register]:
    """Return the learner's commands, and the author's and instructor's where they are: the learners' bundle has none."""
    from grader.learner import export, watch, workspace

    learners: list[Register] = [workspace.register, watch.register, export.register]
    if find_spec("grader.author") is None:
        return learners
    from grader.author import build, bundle, verify
    from grader.insights import command as insights
    from grader.instructor import autograde, grade, sample_class, validate
    from grader.sandbox import doctor

    authors = [build.register, verify.register, bundle.register]
    instructors = [
        grade.register,
        validate.register,
        autograde.register,
        insights.register,
        sample_class.register,
        doctor.register,
    ]
    return [*learners, *authors, *instructors]


if __name__ == "__main__":
    sys.exit(main())

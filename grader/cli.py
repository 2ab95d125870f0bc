"""Run the `grader` command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from grader import startup  # noqa: F401 (first)
from grader.errors import UserError

Register = Callable[["argparse._SubParsersAction[argparse.ArgumentParser]"], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0 means success, 1 a problem, 2 wrong use, 3 that some submissions of a class could not be
    graded and the others were, 130 an interrupt.
    """
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except UserError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        message = f"Stopped: {error.strerror or error}{where}. Finished work is kept."
        print(f"{message} Fix the problem and run the command again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return code


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
    from grader.learner import export, watch, workspace

    learners: list[Register] = [workspace.register, watch.register, export.register]
    if find_spec("grader.author") is None:
        return learners
    from grader.author import build, bundle, verify
    from grader.insights import command as insights
    from grader.instructor import autograde, collect_command, explain, grade, sample_class, validate
    from grader.sandbox import doctor

    authors = (build, verify, bundle)
    instructors = (
        grade,
        validate,
        collect_command,
        autograde,
        explain,
        insights,
        sample_class,
        doctor,
    )
    return [*learners, *(module.register for module in (*authors, *instructors))]


if __name__ == "__main__":
    sys.exit(main())

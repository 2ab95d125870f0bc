"""The command `grader collect`: take submissions from an LMS or a folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from grader.author.lesson import authors_root, named_lessons
from grader.errors import SOME_LEFT_OUT


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `collect`."""
    does = "take submissions from a download of Moodle or Canvas, or from a folder"
    parser = subparsers.add_parser(
        "collect",
        help=does,
        description=f"{does.capitalize()}, to class/submitted.",
        epilog=f"Exit code: 0, or {SOME_LEFT_OUT} where the report names something to settle.",
    )
    parser.add_argument("lesson", metavar="LESSON")
    what = "a zip or tar archive, a folder with a folder for each student, or a notebook"
    parser.add_argument("sources", metavar="FILE", nargs="+", type=Path, help=what)
    whose = "the student whose files these are; with ID=NAME, whose the upload ID is (repeatable)"
    parser.add_argument(
        "--student", dest="students", metavar="NAME", action="append", default=[], help=whose
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    lesson = named_lessons(root, [arguments.lesson])[0].name
    from grader.instructor.received import collect  # nbgrader takes a second to import

    report = collect(root, lesson, arguments.sources, arguments.students)
    print(report.text())
    return SOME_LEFT_OUT if report.problems or report.left_out else 0

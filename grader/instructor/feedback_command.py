"""The commands `grader feedback` and `grader release`."""

from __future__ import annotations

import argparse
from pathlib import Path

from grader.author.lesson import authors_root, named_lessons
from grader.comparison.present import count_of, listed, one_line
from grader.errors import SOME_LEFT_OUT, UserError


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands `feedback` and `release`."""
    makes = "write the pages of feedback that are missing or out of date, to class/feedback"
    gives = "write feedback, and put it into the exchange, where learners fetch it"
    for name, does in (("feedback", makes), ("release", gives)):
        parser = subparsers.add_parser(
            name, help=does, epilog=f"Exit code: 0, or {SOME_LEFT_OUT} where some are left out."
        )
        parser.add_argument("lesson", metavar="LESSON")
        only = "only this student (repeatable)"
        parser.add_argument("--student", dest="students", action="append", default=[], help=only)
        parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from grader.instructor.gradebook import course_directory
    from grader.instructor.nbgrader_feedback import write_pages
    from grader.instructor.nbgrader_files import paths_like
    from grader.instructor.people import same_id
    from grader.instructor.release import release

    root = authors_root(Path.cwd())
    lesson = named_lessons(root, [arguments.lesson])[0].name
    course = course_directory(root)
    graded = paths_like(course.format_path(course.autograded_directory, "*", lesson))
    ids = {Path(path).parent.name for path in graded}
    students = [same_id(one, ids) or one for one in arguments.students]
    made = write_pages(root, lesson, students)
    left_out = made.failed
    if absent := {*students} - {*made.written, *made.unchanged, *left_out}:
        raise UserError(
            f"No submission of {lesson} from {', '.join(sorted(absent))} is graded. `grader roster`"
            f" lists the ids; `grader autograde {lesson}` grades."
        )
    pages = count_of(len(made.written), "page")
    lines = [f"{lesson}: {pages} written, {len(made.unchanged)} unchanged."]
    lines += listed("These pages show the verdicts alone", made.alone.items())
    if arguments.command == "release":
        done = release(root, lesson, students)
        lines.append(f"{count_of(len(done.released), 'page')} released.")
        left_out |= done.left_out
    print("\n".join(map(one_line, [*lines, *listed("Left out", left_out.items())])))
    return SOME_LEFT_OUT if left_out else 0

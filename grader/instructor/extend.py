"""`grader extend`: give a student more time for a lesson, or list who has it."""

from __future__ import annotations

import argparse
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from grader.author.lesson import Lesson, authors_root, load_lesson, named_lessons
from grader.comparison.present import one_line
from grader.errors import UserError
from grader.files import atomic_write, parsed
from grader.instructor.feedback import released

MAX_DAYS = 1000


def extend(root: Path, lesson: Lesson, student: str, days: float, reason: str) -> str:
    """Extend the due date for a student by `days`, in place of an earlier extension.

    nbgrader's gradebook keeps the extension, `class/extensions.json` the reason.

    Raises:
        UserError: the student is unknown, the lesson has no due date, or `days` can't be meant.
    """
    from grader.instructor.gradebook import course_directory
    from grader.instructor.lesson_gradebook import open_lesson
    from grader.instructor.people import roster, same_id
    from grader.instructor.submissions import submissions

    if not 0 <= days <= MAX_DAYS:
        raise UserError(f"--days {days:g}: an extension is 0 (none) to {MAX_DAYS} days.")
    coursedir, reasons = course_directory(root), _reasons(root)
    submitted = {one.student for one in submissions(coursedir, lesson.name)}
    # A submission's row has the points: its id comes before the roster's in another form.
    known = same_id(student, submitted) or same_id(student, {one.id for one in roster(coursedir)})
    if known is None:
        raise UserError(f"No student is called {student}; `grader roster` lists them.")
    student = known
    time = timedelta(days=days)
    with open_lesson(coursedir, lesson.name, released(lesson)) as gradebook:
        if (due := gradebook.due()) is None:
            command = f'nbgrader db assignment add {lesson.name} --duedate="2026-12-01 18:00 UTC"'
            raise UserError(f"{lesson.name} has no due date to extend. Set one first: {command}")
        gradebook.extend(student, time or None)
    reasons.setdefault(lesson.name, {})[student] = reason
    atomic_write(_file(root), json.dumps(reasons, ensure_ascii=False, indent=1))
    again = f"`grader autograde {lesson.name}` brings points that are there up to date"
    return f"{student}: due {_at(due + time)} ({_days(time)} more). {again}."


def extensions(root: Path, lesson: Lesson) -> list[str]:
    """Return a line for each extension of a lesson."""
    from nbgrader.api import Assignment, SubmittedAssignment
    from sqlalchemy import select

    from grader.instructor.gradebook import course_directory, reading

    reasons, row = _reasons(root).get(lesson.name, {}), SubmittedAssignment
    query = select(row.student_id, row.extension, Assignment.duedate).join(Assignment)
    query = query.where(Assignment.name == lesson.name, row.extension.is_not(None))
    with reading(course_directory(root)) as connection:
        found = connection.execute(query.order_by(row.student_id)).all() if connection else []
    return [
        f"{student}: {_days(time)}"
        + (f", until {_at(due + time)}" if due else "")
        + f": {reasons.get(student) or 'no reason is known'}"
        for student, time, due in found
    ]


def _days(time: timedelta) -> str:
    days = time / timedelta(days=1)
    return f"{days:g} day{'' if days == 1 else 's'}"


def _at(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _file(root: Path) -> Path:
    return root / "class" / "extensions.json"


def _reasons(root: Path) -> dict[str, dict[str, str]]:
    """Return the reasons by lesson and student."""
    try:
        data = parsed(_file(root).read_bytes(), dict[str, dict[str, str]])
        return cast(dict[str, dict[str, str]], data)
    except FileNotFoundError:
        return {}
    except ValueError:
        raise UserError(f"{_file(root)} is damaged. Rename it, and try again.") from None


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `extend`."""
    does = "give a student more time for a lesson, or list who has it"
    parser = subparsers.add_parser("extend", help=does)
    parser.add_argument("lesson", metavar="LESSON")
    parser.add_argument("student", metavar="STUDENT", nargs="?")
    more = "days after the due date of all, in place of an earlier extension; 0 takes it back"
    parser.add_argument("--days", type=float, metavar="N", help=more)
    parser.add_argument("--reason", default="", help="why, for the list")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    lesson = load_lesson(named_lessons(root, [arguments.lesson])[0])
    if (arguments.student is None) != (arguments.days is None):
        raise UserError("An extension needs STUDENT and --days N; without both, all are listed.")
    if arguments.student is None:
        lines = extensions(root, lesson) or [f"Nobody has more time for {lesson.name}."]
        print("\n".join(map(one_line, lines)))
    else:
        done = extend(root, lesson, arguments.student, arguments.days, arguments.reason)
        print(one_line(done))
    return 0

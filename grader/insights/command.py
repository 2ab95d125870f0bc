"""The command `grader insights`: write the page or a CSV file of a lesson."""

from __future__ import annotations

import argparse
from os.path import relpath
from pathlib import Path

from grader.author.lesson import Lesson, LessonError, authors_root, load_lesson, named_lessons
from grader.comparison.present import count_of
from grader.files import atomic_write

SYSTEMS = ("moodle", "canvas")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `insights`."""
    parser = subparsers.add_parser(
        "insights", help="write a page on how a class did, or its points as CSV"
    )
    parser.add_argument("lesson", metavar="LESSON")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="default: a file in class/insights/"
    )
    parser.add_argument(
        "--names",
        action="store_true",
        help="show names and code as written; without it, no text by learners",
    )
    parser.add_argument(
        "--csv", choices=SYSTEMS, help="write the points for this system's import, not the page"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    lesson = load_lesson(named_lessons(root, [arguments.lesson])[0])
    name = f"{lesson.name}-{arguments.csv}.csv" if arguments.csv else f"{lesson.name}.html"
    target = arguments.output or root / "class" / "insights" / name
    if arguments.csv:
        _write_csv(root, lesson, arguments.csv, target)
    else:
        _write_page(root, lesson, target, arguments.names)
    return 0


def _write_page(root: Path, lesson: Lesson, target: Path, names: bool) -> None:
    from grader.insights.gather import gather  # takes a second to import
    from grader.insights.groups import groups_of
    from grader.insights.page import page

    results = gather(root, lesson)
    groups = groups_of(results)
    target.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(target, page(results, groups, names))
    unexplained = sum(len(group.students) for group in groups)
    print(
        f"{relpath(target)}: {len(results.graded)} graded, {len(results.ungraded)} without a"
        f" grade, {count_of(unexplained, 'answer')} unexplained."
    )


def _write_csv(root: Path, lesson: Lesson, system: str, target: Path) -> None:
    from grader.instructor.export import Canvas, Moodle, escape_formula
    from grader.instructor.gradebook import course_directory, open_gradebook, timestamps_in

    coursedir = course_directory(root)
    target.parent.mkdir(parents=True, exist_ok=True)
    students = timestamps_in(coursedir, lesson.name)
    if not students:
        raise LessonError(
            f"The gradebook has no points for {lesson.name}; run grader autograde {lesson.name}"
        )
    exporter = (Moodle if system == "moodle" else Canvas)(
        config=coursedir.config, assignment=[lesson.name], to=str(target)
    )
    with open_gradebook(coursedir) as gradebook:
        exporter.export(gradebook)
    print(f"{relpath(target)}: the points of {len(students)} students. {exporter.next_step}")
    if changed := [student for student in students if escape_formula(student) != student]:
        print(
            f"{', '.join(changed)}: a spreadsheet could run such an id as a formula, so it begins"
            " with an apostrophe; enter these points by hand."
        )

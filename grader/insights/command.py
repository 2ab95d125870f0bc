"""The command `grader insights`: write the page or a CSV file of a lesson."""

from __future__ import annotations

import argparse
from os.path import relpath
from pathlib import Path

from grader.author.lesson import Lesson, authors_root, load_lesson, named_lessons
from grader.comparison.present import count_of, one_line
from grader.files import atomic_write


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `insights`."""
    parser = subparsers.add_parser(
        "insights", help="write a page on how a class did, or its points as CSV, to class/insights/"
    )
    parser.add_argument("lessons", metavar="LESSON", nargs="+", help="several: on one page")
    parser.add_argument(
        "--names", action="store_true", help="show names and code; without it, no text by learners"
    )
    parser.add_argument("--csv", choices=("moodle", "canvas"), help="write points for its import")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    lessons = [*map(load_lesson, named_lessons(root, arguments.lessons))]
    folder = root / "class" / "insights"
    if arguments.csv:
        for lesson in lessons:
            target = folder / f"{lesson.name}-{arguments.csv}.csv"
            _write_csv(root, lesson, arguments.csv, target)
    else:
        names = "-".join(lesson.name for lesson in lessons)
        _write_page(root, lessons, folder / f"{names}.html", arguments.names)
    return 0


def _write_page(root: Path, lessons: list[Lesson], target: Path, names: bool) -> None:
    from grader.insights.gather import gather  # takes a second to import
    from grader.insights.groups import groups_of
    from grader.insights.page import page

    classes = [gather(root, lesson) for lesson in lessons]
    found = [(results, groups_of(results)) for results in classes]
    target.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(target, page(found, names))
    for results, groups in found:
        unexplained = count_of(sum(len(group.students) for group in groups), "answer")
        counts = f"{len(results.graded)} graded, {len(results.ungraded)} without a grade"
        print(f"{relpath(target)}: {counts}, {unexplained} unexplained.")


def _write_csv(root: Path, lesson: Lesson, system: str, target: Path) -> None:
    from grader.instructor.export import Canvas, Moodle, escape_formula, write_points
    from grader.instructor.gradebook import course_directory

    exporter = Moodle if system == "moodle" else Canvas
    export = write_points(course_directory(root), lesson.name, exporter, target)
    students = export.written
    print(f"{relpath(target)}: the points of {len(students)} students. {export.next_step}")
    if changed := [student for student in students if escape_formula(student) != student]:
        reason = "a spreadsheet could run such an id as a formula; enter these points by hand."
        print(one_line(f"{', '.join(changed)}: {reason}"))

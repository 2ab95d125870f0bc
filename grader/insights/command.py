"""The command `grader insights`: write the page or a CSV file of a lesson."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from grader.author.lesson import Lesson, LessonError, authors_root, load_lesson, named_lessons
from grader.comparison.present import count_of

if TYPE_CHECKING:  # nbgrader takes a second to import, which no other command needs
    from grader.insights.gather import Class

SYSTEMS = ("moodle", "canvas")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `insights`."""
    parser = subparsers.add_parser(
        "insights", help="write a page on how a class did, or its points as CSV"
    )
    parser.add_argument("lesson", metavar="LESSON")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="where the page or the CSV goes; class/insights/ where it is not given",
    )
    parser.add_argument(
        "--names",
        action="store_true",
        help="show names and code as written; without it, no text by learners",
    )
    parser.add_argument(
        "--csv",
        choices=SYSTEMS,
        help="write the points as the CSV that this system imports, in place of the page",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from grader.insights.gather import gather

    root = authors_root(Path.cwd())
    lesson = load_lesson(named_lessons(root, [arguments.lesson])[0])
    if arguments.csv:
        return _csv(root, lesson, arguments.csv, arguments.output)
    return _page(root, gather(root, lesson), arguments.output, arguments.names)


def _page(root: Path, of_class: Class, output: Path | None, names: bool) -> int:
    from grader.insights.groups import groups_of
    from grader.insights.page import page

    target = output or root / "class" / "insights" / f"{of_class.lesson.name}.html"
    groups = groups_of(of_class)
    _write(target, page(of_class, groups, names))
    unexplained = sum(len(group.students) for group in groups)
    print(
        f"{_short(target)}: {len(of_class.works)} graded, {len(of_class.ungraded)} without a grade, {count_of(unexplained, 'answer')} unexplained."
    )
    return 0


def _csv(root: Path, lesson: Lesson, system: str, output: Path | None) -> int:
    from grader.instructor.export import Canvas, Moodle, escape_formula
    from grader.instructor.gradebook import course_directory, open_gradebook, timestamps_in

    coursedir = course_directory(root)
    target = output or root / "class" / "insights" / f"{lesson.name}-{system}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    there = timestamps_in(coursedir, lesson.name)
    if not there:
        raise LessonError(
            f"The gradebook has no points for {lesson.name}; run grader autograde {lesson.name}"
        )
    exporter = (Moodle if system == "moodle" else Canvas)(
        config=coursedir.config, assignment=[lesson.name], to=str(target)
    )
    with open_gradebook(coursedir) as gradebook:
        exporter.export(gradebook)
    print(f"{_short(target)}: the points of {len(there)} students. {exporter.next_step}")
    if changed := [student for student in there if escape_formula(student) != student]:
        print(
            f"{', '.join(changed)}: such an id could run as a formula in a spreadsheet, so an apostrophe stands before it; enter these points by hand."
        )
    return 0


def _write(target: Path, text: str) -> None:
    """Write a file that appears all at once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.half")
    half.write_text(text, encoding="utf-8")
    os.replace(half, target)


def _short(target: Path) -> Path:
    """A path as seen from here."""
    return target.relative_to(Path.cwd()) if target.is_relative_to(Path.cwd()) else target

"""`grader explain LESSON STUDENT`: grade one submission again and show every case."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from grader.author.lesson import Lesson, authors_root, load_lesson, named_lessons
from grader.comparison.compare import Result, differences
from grader.comparison.distribution import summarise
from grader.comparison.judge import Failure, Verdict, points
from grader.comparison.present import failure_rows, one_line
from grader.comparison.schema import ExerciseKey, Outcome
from grader.comparison.vocabulary import in_order, in_words
from grader.errors import UserError
from grader.execution.notebook import read_notebook
from grader.execution.submission import select
from grader.instructor.journal import (
    Grading,
    Journal,
    digest_of,
    grader_version,
    journal_path,
    lesson_version,
    read_journal,
)
from grader.instructor.run import Run
from grader.sandbox.engine import Engine
from grader.settings import load_settings


def explanation(root: Path, lesson: Lesson, student: str) -> Iterator[str]:
    """Yield the lines of a report on a student's last grading, from the same inputs.

    Raises:
        UserError: it can't be repeated: no grading, another version, or another notebook.
    """
    journal = read_journal(journal_path(root, lesson))
    grading = _last_grading(journal, lesson, student)
    run = Run(lesson, grading.run_id.seed)
    chosen = select(run.template, read_notebook(_notebook(root, lesson, grading)))
    request = run.request(chosen)
    with Engine(load_settings(root)) as engine:
        start = time.perf_counter()
        response = engine.run(request)
        seconds = time.perf_counter() - start
        graded = run.repaired(chosen, response, run.judge(chosen, response), engine)
    recorded = journal.result(grading)["points"]
    yield f"{student}, {lesson.name}: {graded.points:g} of {graded.max_points:g} points"
    yield f"seed {grading.run_id.seed}, {_version(journal, grading)}; run in {seconds:.1f} s"
    if graded.points != recorded:
        yield f"The journal has {recorded:g} points: this notebook does not always do the same."
    yield from chosen.repaired
    for name, verdict in graded.verdicts.items():
        yield ""
        yield from _exercise(verdict, run.keys[name], response["answers"].get(name, {}))


def _last_grading(journal: Journal, lesson: Lesson, student: str) -> Grading:
    if (grading := journal.latest.get(student)) is None:
        command = f"grader autograde {lesson.name} --student {student}"
        raise UserError(f"{student} has no grading of {lesson.name} yet: {command}.")
    now = grader_version(), lesson_version(lesson)
    if grading.run_id.versions != now:
        what = "lesson" if grading.run_id.grader_version == now[0] else "grader"
        raise UserError(
            f"{student} was graded by another version of the {what}: {_version(journal, grading)}."
            f" Check that version out, or grade again: grader autograde {lesson.name} --regrade."
        )
    return grading


def _version(journal: Journal, grading: Grading) -> str:
    version = f"lesson version {grading.run_id.lesson_version[:8]}"
    commit = journal.commits.get(grading.run_id)
    return f"{version} (commit {commit})" if commit else version


def _notebook(root: Path, lesson: Lesson, grading: Grading) -> bytes:
    from grader.instructor.gradebook import course_directory
    from grader.instructor.submissions import submissions

    for submission in submissions(course_directory(root), lesson.name, [grading.student]):
        if digest_of(data := submission.read()) == grading.digest:
            return data
    raise UserError(
        f"class/submitted has another notebook of {grading.student} than the one that was graded:"
        f" grader autograde {lesson.name} --student {grading.student} grades it."
    )


def _exercise(verdict: Verdict, key: ExerciseKey, answer: object) -> Iterator[str]:
    """Yield the lines of an exercise: its verdict, then each case."""
    missed = f", missed: {', '.join(map(in_words, verdict.missed))}" if verdict.missed else ""
    yield f"{verdict.exercise}: {verdict.points:g} of {verdict.max_points:g} points{missed}"
    for sentence in (verdict.note, verdict.hint, verdict.repair, verdict.relation):
        if sentence:
            yield f"  {sentence}"
    outcomes: list[Outcome] = answer.get("outcomes", []) if isinstance(answer, dict) else []
    if len(outcomes) != len(key["cases"]):
        return
    tested = in_order(case["property"] for case in key["cases"])
    total = float(key["points"])
    for number, (case, outcome) in enumerate(zip(key["cases"], outcomes, strict=True), 1):
        mine = Result(summarise(outcome))
        found = differences(case, Result(case["expected"]), mine)
        reason = " ".join(one.reason for one in found) or "as expected."
        costs = total - points(total, tested, {case["property"]})
        yield f"  case {number}, {in_words(case['property'])} ({costs:.2g} points): {reason}"
        for name, text in failure_rows(Failure(case, mine.outcome, reason)):
            yield f"    {name}: {text}"


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `explain`."""
    does = "show each case of a student's last grading: inputs, results, points"
    parser = subparsers.add_parser("explain", help=does)
    parser.add_argument("lesson", metavar="LESSON")
    parser.add_argument("student", metavar="STUDENT")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    lesson = load_lesson(named_lessons(root, [arguments.lesson])[0])
    for line in explanation(root, lesson, arguments.student):
        print(line[: len(line) - len(line.lstrip())] + one_line(line.strip()))
    return 0

"""`grader explain LESSON STUDENT`: grade one submission again and show every case."""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from glob import escape
from pathlib import Path

from grader.author.lesson import Lesson, authors_root, load_lesson, named_lessons
from grader.comparison.compare import Result, differences
from grader.comparison.distribution import summarise
from grader.comparison.judge import Failure, Verdict, earned
from grader.comparison.present import failure_rows, one_line
from grader.comparison.schema import Answer, ExerciseKey
from grader.comparison.vocabulary import in_words
from grader.errors import UserError
from grader.execution.limits import OUTSIDE
from grader.execution.notebook import UnreadableNotebook, read_notebook, read_submitted
from grader.execution.submission import select
from grader.instructor.blame import costs_only
from grader.instructor.journal import Grading, Journal, journal_path, read_journal
from grader.instructor.locate import is_notebook
from grader.instructor.repairs import Ask
from grader.instructor.run import Graded, Run
from grader.instructor.run_id import digest_of, grader_version, lesson_version
from grader.processes import Guard
from grader.sandbox.engine import Engine
from grader.settings import load_settings


def explanation(root: Path, lesson: Lesson, student: str, attempt: str = "") -> Iterator[str]:
    """Yield the lines of a report on a student's grading that counts, from the same inputs.

    With the beginning of a time, `attempt`, it is that of a submission to `grader serve`.

    Raises:
        UserError: it can't be repeated: no grading, another version, or another notebook.
    """
    from grader.instructor.people import same_id  # with nbgrader, which takes a second to import

    journal = read_journal(journal_path(root, lesson.name))
    student = same_id(student, journal.notebooks) or student
    grading = _grading(journal, lesson, student, attempt)
    run, errors = Run(lesson, grading.run_id.seed), dict[str, str]()
    assert run.calls  # computes the keys
    with (
        Engine(load_settings(root)) as engine,
        closing(Guard(partial(_report, run), OUTSIDE.memory_bytes)) as guard,
        costs_only(student, errors),
    ):
        notebook = _notebook(root, lesson, journal, grading)
        graded, seconds, lines = guard.call(OUTSIDE.seconds, notebook, answer=engine.run)
    for why in errors.values():
        raise UserError(f"{student}: {why}.")
    recorded = journal.result(grading)["points"]
    yield f"{student}, {lesson.name}: {graded.points:g} of {graded.max_points:g} points"
    yield f"seed {grading.run_id.seed}, {_version(journal, grading)}; run in {seconds:.1f} s"
    if grading is journal.latest.get(student):
        yield from _in_gradebook(root, lesson, student, recorded)
    if graded.points != recorded:
        yield f"The journal has {recorded:g} points: this notebook does not always do the same."
    yield from graded.repaired
    yield from lines


def _report(run: Run, notebook: bytes, ask: Ask) -> tuple[Graded, float, list[str]]:
    """Return the verdicts on a notebook, the seconds of its run, and the lines about its cases."""
    chosen = select(run.template, read_notebook(notebook))
    start = time.perf_counter()
    response = ask(run.request(chosen))
    seconds = time.perf_counter() - start
    graded = run.repaired(chosen, *run.judge(chosen, response, ask), ask)
    lines = list[str]()
    for name, verdict in graded.verdicts.items():
        took = response["seconds"].get(name)
        answer = response["answers"].get(name, {})
        lines += ["", *_exercise(verdict, run.keys[name], answer, took)]
    return graded, seconds, lines


def _grading(journal: Journal, lesson: Lesson, student: str, attempt: str) -> Grading:
    attempts = {id: one for (of, id), one in journal.attempts.items() if of == student}
    grading = journal.latest.get(student)
    if attempt:
        grading = next((one for id, one in attempts.items() if id.startswith(attempt)), None)
    if grading is None and attempts:
        times = ", ".join(id.partition("+")[0] for id in attempts)
        raise UserError(f"{student} has no grading of that time. Those of {lesson.name}: {times}.")
    if grading is None and attempt:
        raise UserError(
            f"{student} has no submission of {lesson.name} to `grader serve`. Leave out --attempt"
            " to explain the last grading."
        )
    if grading is None:
        command = f"grader autograde {lesson.name} --student {shlex.quote(student)}"
        raise UserError(f"{student} has no grading of {lesson.name} yet: `{command}`.")
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
    commit = journal.commits.get(grading.run_id.versions)
    return f"{version} (commit {commit})" if commit else version


def _notebook(root: Path, lesson: Lesson, journal: Journal, grading: Grading) -> bytes:
    from grader.instructor.gradebook import course_directory
    from grader.instructor.submissions import submissions

    coursedir = course_directory(root)
    attempts = [id for (_, id), one in journal.attempts.items() if one.digest == grading.digest]
    for place in (coursedir.submitted_directory, *(f"class/attempts/{id}" for id in attempts)):
        coursedir.submitted_directory = place
        for submission in submissions(coursedir, lesson.name, [grading.student]):
            with suppress(UnreadableNotebook):  # a newer one; the graded one is kept elsewhere
                if digest_of(data := submission.read()) == grading.digest:
                    return data
    received = root / "class" / "received" / lesson.name
    for path in sorted(received.glob(f"{escape(grading.student)}-*/**/*")):
        with suppress(UnreadableNotebook):  # a link, or a folder like .ipynb_checkpoints
            if is_notebook(path) and digest_of(data := read_submitted(path)) == grading.digest:
                return data
    raise UserError(
        f"class/submitted has another notebook of {grading.student} than the one that was graded:"
        f" `grader autograde {lesson.name} --student {shlex.quote(grading.student)}` grades it,"
        " or says why it can't."
    )


def _in_gradebook(root: Path, lesson: Lesson, student: str, graded: float) -> Iterator[str]:
    """Yield a line where the gradebook has other points: given by hand, or late."""
    from grader.instructor.gradebook import course_directory, standing_of

    found = standing_of(course_directory(root), lesson.name, student)
    if found is None or found.points == graded:
        return
    reasons = [
        f"{found.earned:g} with those given by hand" * (round(found.earned, 2) != graded),
        f"{found.penalty:.4g} taken off as late" * bool(found.penalty),
    ]
    yield f"gradebook: {found.points:g} points ({', '.join(filter(None, reasons))})"


def _exercise(
    verdict: Verdict, key: ExerciseKey, answer: Answer, took: float | None
) -> Iterator[str]:
    """Yield the lines of an exercise: its verdict, then each case."""
    missed = f", missed: {', '.join(map(in_words, verdict.missed))}" if verdict.missed else ""
    seconds = "" if took is None else f", all cases in {took:.3f} s"
    points_of = f"{verdict.points:g} of {verdict.max_points:g} points"
    yield f"{verdict.exercise}: {points_of}{missed}{seconds}"
    for sentence in (verdict.note, verdict.hint, verdict.repair, verdict.relation):
        if sentence:
            yield f"  {sentence}"
    outcomes = answer.get("outcomes", [])
    if len(outcomes) != len(key["cases"]):
        return
    for number, (case, outcome) in enumerate(zip(key["cases"], outcomes, strict=True), 1):
        mine = Result(summarise(outcome))
        found = differences(case, Result(case["expected"]), mine)
        reason = " ".join(one.reason for one in found) or "as expected."
        costs = key["points"] - earned(key, [case["property"]])
        yield f"  case {number}, {in_words(case['property'])} ({costs:.2g} points): {reason}"
        for name, text in failure_rows(Failure(case, mine.outcome, reason)):
            yield f"    {name}: {text}"


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `explain`."""
    does = "show each case of a student's last grading: inputs, results, points"
    parser = subparsers.add_parser("explain", help=does)
    parser.add_argument("lesson", metavar="LESSON")
    parser.add_argument("student", metavar="STUDENT")
    of = "the submission to grader serve of this time (default: the one that counts)"
    parser.add_argument("--attempt", default="", metavar="TIME", help=of)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    lesson = load_lesson(named_lessons(root, [arguments.lesson])[0])
    for line in explanation(root, lesson, arguments.student, arguments.attempt):
        print(line[: len(line) - len(line.lstrip())] + one_line(line.strip()))
    return 0

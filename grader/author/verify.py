"""Verify a lesson: its cases reject each wrong answer, accept each right one, tell them apart."""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

from grader.author.key import exercise_key
from grader.author.lesson import Lesson, LessonError, authors_root, load_lesson, named_lessons
from grader.comparison.compare import alike
from grader.comparison.judge import accepted, judge, observe_all
from grader.comparison.present import count_of
from grader.comparison.schema import ExerciseKey, Function, Outcome
from grader.processes import process_pool

SEEDS = 50


def verify(lesson: Lesson, seeds: range, exercises: list[str] | None = None) -> list[str]:
    """Return a lesson's mistakes, a sentence each with file and name.

    For each seed the reference and the right answers must pass every case, each misconception
    must fail one, and two misconceptions must differ on one.

    Args:
        lesson: the lesson.
        seeds: of the cases.
        exercises: names of those to verify; None means all.

    Raises:
        LessonError: a key can't be made at all.
    """
    mistakes: dict[str, None] = {}
    for name in lesson.exercises if exercises is None else exercises:
        for seed in seeds:
            for sentence in _mistakes_on(lesson, name, seed):
                mistakes.setdefault(f"{lesson.exercises_file}: {sentence}")
    return list(mistakes)


def _mistakes_on(lesson: Lesson, name: str, seed: int) -> list[str]:
    key, exercise = exercise_key(lesson, name, seed), lesson.exercises[name]
    sentences = []
    if lost := _lost(name, key, lesson.reference[name]):
        sentences.append(f"the reference {name} does not pass its own cases: {lost}")
    for right in exercise.right_answers:
        if lost := _lost(name, key, right):
            sentences.append(f"{name} rejects the right answer {right.__name__}: {lost}")
    whole: list[tuple[str, list[Outcome]]] = []
    for misconception, entry in zip(exercise.misconceptions, key["misconceptions"], strict=True):
        pairs = zip(key["cases"], entry["outcomes"], strict=True)
        outcomes = [outcome or case["expected"] for case, outcome in pairs]
        whole.append((misconception.name, outcomes))
        if accepted(key, outcomes):
            sentences.append(
                f'{name} has no case that rejects "{misconception.name}";'
                " add one on which it differs from the reference"
            )
    for (one, its), (other, theirs) in combinations(whole, 2):
        if all(map(alike, key["cases"], its, theirs)):
            sentences.append(
                f'{name} has no case that tells "{one}" from "{other}";'
                " add one on which they differ, or make them one"
            )
    return sentences


def _lost(name: str, key: ExerciseKey, function: Function) -> str:
    """Say which properties a function misses, and why; empty where it passes."""
    outcomes = observe_all(function, key["cases"])
    if accepted(key, outcomes):
        return ""
    verdict = judge(name, key, outcomes)
    reason = verdict.note or (verdict.failure.reason if verdict.failure else "")
    return f"{', '.join(verdict.missed)} missed. {reason}"


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `verify`."""
    parser = subparsers.add_parser(
        "verify", help="prove lessons: every wrong answer is rejected, every right one passes"
    )
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="lessons (default: all)")
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, help="draws of the cases (default: %(default)s)"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    sentences: list[str] = []
    lessons: list[Lesson] = []
    for folder in named_lessons(authors_root(Path.cwd()), arguments.lessons):
        try:
            lessons.append(load_lesson(folder))
        except LessonError as error:
            sentences.append(str(error))
    jobs = [(one.folder, name, arguments.seeds) for one in lessons for name in one.exercises]
    if len(jobs) > 1:
        with process_pool() as pool:
            found = list(pool.map(_verify_one, *zip(*jobs, strict=True)))
    else:
        found = [_verify_one(*job) for job in jobs]
    sentences += [sentence for some in found for sentence in some]
    summaries = [_summary(lesson, arguments.seeds) for lesson in lessons]
    print(*(dict.fromkeys(sentences) or summaries), sep="\n")
    return int(bool(sentences))


def _verify_one(folder: Path, name: str, seeds: int) -> list[str]:
    try:
        return verify(load_lesson(folder), range(seeds), [name])
    except LessonError as error:
        return [str(error)]


def _summary(lesson: Lesson, seeds: int) -> str:
    exercises = lesson.exercises.values()
    wrong = sum(len(one.misconceptions) for one in exercises)
    right = sum(len(one.right_answers) for one in exercises)
    return (
        f"{lesson.name}: {count_of(len(exercises), 'exercise')},"
        f" {count_of(wrong, 'wrong answer')} rejected, {count_of(right, 'right answer')} accepted"
        f" besides the references, on {count_of(seeds, 'draw')}."
    )

"""Verify a lesson: its cases reject each wrong answer, accept each right one, tell them apart."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from grader.author.key import exercise_key
from grader.author.lesson import Lesson, LessonError, authors_root, load_lesson, named_lessons
from grader.comparison.compare import alike
from grader.comparison.judge import accepted, judge, observe_all
from grader.comparison.present import count_of
from grader.comparison.schema import ExerciseKey, Outcome
from grader.processes import process_pool

SEEDS = 50


def verify(lesson: Lesson, seeds: range, exercises: list[str] | None = None) -> list[str]:
    """Mistakes of a lesson on all the given seeds, each one sentence with file and name; none is a proof for these seeds.

    `exercises` names those to look at, all where it is None. On every seed the reference and every right answer must pass whole, every misconception must be rejected, and two
    misconceptions must differ on at least one case.

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
    if lost := _lost(name, key, observe_all(lesson.reference[name], key["cases"])):
        sentences.append(f"the reference {name} does not pass its own cases: {lost}")
    for right in exercise.right_answers:
        if lost := _lost(name, key, observe_all(right, key["cases"])):
            sentences.append(f"{name} rejects the right answer {right.__name__}: {lost}")
    for misconception, entry in zip(exercise.misconceptions, key["misconceptions"], strict=True):
        if accepted(key, _whole(key, entry["outcomes"])):
            sentences.append(
                f'{name} has no case that rejects "{misconception.name}"; add one on which it differs from the reference'
            )
    return sentences + _indistinct(name, key, [one.name for one in exercise.misconceptions])


def _lost(name: str, key: ExerciseKey, outcomes: list[Outcome]) -> str | None:
    if accepted(key, outcomes):
        return None
    verdict = judge(name, key, outcomes)
    reason = verdict.note or (verdict.failure.reason if verdict.failure else "")
    return f"{', '.join(verdict.missed)} missed. {reason}"


def _whole(key: ExerciseKey, outcomes: list[Outcome | None]) -> list[Outcome]:
    return [
        case["expected"] if outcome is None else outcome
        for case, outcome in zip(key["cases"], outcomes, strict=True)
    ]


def _indistinct(name: str, key: ExerciseKey, names: list[str]) -> list[str]:
    all_outcomes = [_whole(key, entry["outcomes"]) for entry in key["misconceptions"]]
    return [
        f'{name} has no case that tells "{names[i]}" from "{names[j]}"; add one on which they differ, or make them one'
        for j in range(len(names))
        for i in range(j)
        if all(
            alike(case, a, b)
            for case, a, b in zip(key["cases"], all_outcomes[i], all_outcomes[j], strict=True)
        )
    ]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `verify`."""
    parser = subparsers.add_parser(
        "verify", help="prove lessons: every wrong answer is rejected, every right one passes"
    )
    parser.add_argument(
        "lessons", nargs="*", metavar="LESSON", help="which lessons; all where none is named"
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=SEEDS,
        help="how many different draws of the cases (default %(default)s)",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    folders = named_lessons(authors_root(Path.cwd()), arguments.lessons)
    sentences: list[str] = []
    lessons: list[Lesson] = []
    for folder in folders:
        try:
            lessons.append(load_lesson(folder))
        except LessonError as error:
            sentences.append(str(error))
    jobs = [
        (lesson.folder, name, arguments.seeds) for lesson in lessons for name in lesson.exercises
    ]
    with process_pool() if len(jobs) > 1 else contextlib.nullcontext() as pool:
        for found in (
            (pool.map if pool else map)(_verify_one, *zip(*jobs, strict=True)) if jobs else ()
        ):
            sentences += found
    print(
        *(dict.fromkeys(sentences) or [_summary(lesson, arguments.seeds) for lesson in lessons]),
        sep="\n",
    )
    return int(bool(sentences))


def _verify_one(folder: Path, name: str, seeds: int) -> list[str]:
    try:
        return verify(load_lesson(folder), range(seeds), [name])
    except LessonError as error:
        return [str(error)]


def _summary(lesson: Lesson, seeds: int) -> str:
    exercises = lesson.exercises.values()
    wrong, right = (
        sum(len(getattr(one, kind)) for one in exercises)
        for kind in ("misconceptions", "right_answers")
    )
    counts = f"{count_of(len(exercises), 'exercise')}, {count_of(wrong, 'wrong answer')} rejected, {count_of(right, 'right answer')} accepted besides the references"
    return f"{lesson.name}: {counts}, on {count_of(seeds, 'draw')}."

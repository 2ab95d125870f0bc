"""Verify a lesson: its cases reject each wrong answer, accept each right one, tell them apart."""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

from grader.author.build import KEY_SEED
from grader.author.key import exercise_key, lines_of
from grader.author.lesson import Lesson, LessonError, authors_root, load_lesson, named_lessons
from grader.comparison.compare import Result, alike
from grader.comparison.judge import earned, judge, observe_all
from grader.comparison.lines import lines_of_case
from grader.comparison.observe import observe
from grader.comparison.pictures import LineOutcomes, illustrated, lines_to_ask, parts, picture_of
from grader.comparison.present import count_of
from grader.comparison.schema import Call, CaseData, ExerciseKey, Function, Line
from grader.diagnosis.misconceptions import known
from grader.processes import process_pool

SEEDS = 50
PROVEN = 10  # every tenth seed also proves the figures, beginning with that of the learners' key

Points = dict[str, dict[float, int]]  # of each wrong answer, with the first seed that gives them


def verify(folder: Path, name: str, seeds: int) -> list[str]:
    """Return the mistakes of one exercise of a lesson, a sentence each with file and name.

    For each seed the reference and the right answers must pass every case, each misconception
    must fail one and earn the same points, and two misconceptions must differ on one. For every
    tenth seed the figures are proven, too.
    """
    try:
        lesson = load_lesson(folder)
        points: Points = {}
        found = [one for seed in range(seeds) for one in _mistakes_on(lesson, name, seed, points)]
        found += _unsteady(name, points)
        return [f"{lesson.exercises_file}: {sentence}" for sentence in found]
    except LessonError as error:
        return [str(error)]


def _mistakes_on(lesson: Lesson, name: str, seed: int, points: Points) -> list[str]:
    key, exercise = exercise_key(lesson, name, seed), lesson.exercises[name]
    sentences = []
    if lost := _lost(name, key, lesson.reference[name]):
        sentences.append(f"the reference {name} does not pass its own cases: {lost}")
    for right in exercise.right_answers:
        if lost := _lost(name, key, right):
            sentences.append(f"{name} rejects the right answer {right.__name__}: {lost}")
    whole: list[tuple[str, list[Result]]] = []
    for misconception, mistake in zip(exercise.misconceptions, known(key), strict=True):
        whole.append((misconception.name, mistake.results))
        points.setdefault(misconception.name, {}).setdefault(earned(key, mistake.missed), seed)
        if not mistake.missed:
            sentences.append(f'{name} has no case that rejects "{misconception.name}"; add one')
    for (one, its), (other, theirs) in combinations(whole, 2):
        if all(map(_same, key["cases"], its, theirs)):
            sentences.append(f'{name} has no case that tells "{one}" from "{other}"; add one')
    if seed % PROVEN == KEY_SEED:
        sentences += _unshown(lesson, name, key)
    return sentences


def _unshown(lesson: Lesson, name: str, key: ExerciseKey) -> list[str]:
    """Return a sentence for each wrong value without a figure, and each right answer with one."""
    exercise, sentences = lesson.exercises[name], []
    key["lines"] = lines_of(lesson, name, key)
    advice = f"name what to vary: {name} = Exercise(vary=…)"
    for wrong, mistake in zip(exercise.misconceptions, known(key), strict=True):
        verdict = judge(name, key, [one.outcome for one in mistake.results])
        lines = _along(wrong.function, lines_to_ask(verdict, key))
        shown, failure = illustrated(verdict, key, lines).picture, verdict.failure
        if not shown and failure and parts(failure.case, failure.outcome):
            sentences.append(f'{name} has no figure that shows "{wrong.name}"; {advice}')
    for right in (lesson.reference[name], *exercise.right_answers):
        for case, outcome in zip(key["cases"], observe_all(right, key["cases"]), strict=True):
            lines = _along(right, lines_of_case(key, case))
            if picture := picture_of(case, outcome, lines, key.get("path", False)):
                which = f"the right answer {right.__name__} over {picture.names[0]}"
                sentences.append(f"{name} has a figure that parts {which}; {advice}")
    return sentences


def _along(function: Function, lines: list[tuple[Line, list[Call]]]) -> LineOutcomes:
    return [(line, [observe(function, call) for call in calls]) for line, calls in lines]


def _same(case: CaseData, one: Result, other: Result) -> bool:
    """Return whether no property that a case looks at tells two outcomes apart."""
    looked_at = (case["property"], "shape", "purity")
    return all(alike(property, case, one, other) for property in looked_at)


def _unsteady(name: str, points: Points) -> list[str]:
    """Return a sentence for each wrong answer whose points depend on the seed."""
    sentences = []
    for wrong, first in points.items():
        if len(first) > 1:
            listed = ", ".join(f"{earned:g} with seed {seed}" for earned, seed in first.items())
            sentences.append(f'{name} gives "{wrong}" other points by the seed: {listed}')
    return sentences


def _lost(name: str, key: ExerciseKey, function: Function) -> str:
    """Say which properties a function misses, and why; empty where it passes."""
    verdict = judge(name, key, observe_all(function, key["cases"]))
    if verdict.solved:
        return ""
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
    seeds, mistakes, summaries, jobs = arguments.seeds, [], [], []
    for folder in named_lessons(authors_root(Path.cwd()), arguments.lessons):
        try:
            lesson = load_lesson(folder)
        except LessonError as error:
            mistakes.append(str(error))
            continue
        summaries.append(_summary(lesson, seeds))
        jobs += [(folder, name, seeds) for name in lesson.exercises]
    with process_pool() as pool:
        for found in pool.map(verify, *zip(*jobs, strict=True)):
            mistakes += found
    print(*(dict.fromkeys(mistakes) or summaries), sep="\n")
    return int(bool(mistakes))


def _summary(lesson: Lesson, seeds: int) -> str:
    exercises = lesson.exercises.values()
    wrong = count_of(sum(len(one.misconceptions) for one in exercises), "wrong answer")
    right = count_of(sum(len(one.right_answers) for one in exercises), "right answer")
    count, draws = count_of(len(exercises), "exercise"), count_of(seeds, "draw")
    return f"{lesson.name}: {count}, {wrong} rejected, {right} accepted on {draws}."

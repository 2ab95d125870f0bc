"""A group of unexplained answers comes in; a misconception whose hint is to be written is added to `exercises.py`, where nothing else changes."""

from __future__ import annotations

import ast
import os
import re
import shutil
from dataclasses import dataclass

from grader.author.lesson import Lesson, LessonError
from grader.comparison.present import count_of
from grader.comparison.vocabulary import TODO
from grader.insights.groups import Group
from grader.insights.standalone import NotStandalone, standalone


@dataclass(frozen=True)
class Skeleton:
    """What was added, and at which line of `exercises.py`."""

    name: str
    line: int
    code: str


def add_skeleton(lesson: Lesson, group: Group) -> Skeleton:
    """Add one learner's answer as a misconception of its exercise, after the last one.

    Raises:
        LessonError: the code can't stand by itself, or it is there already.
    """
    path = lesson.folder / "exercises.py"
    data = path.read_bytes()
    text, tree = data.decode("utf-8"), ast.parse(data)
    name = _name(lesson, group, tree)
    code = _code(lesson, group, name, data)
    line_end = "\r\n" if "\r\n" in text else "\n"
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)  # as Python counts lines
    place = _place(lesson, group.exercise, tree)
    before, after = "".join(lines[:place]), "".join(lines[place:])
    before += "" if before.endswith("\n") else line_end
    new = (before + f"\n\n{code}\n".replace("\n", line_end) + after).encode("utf-8")
    ast.parse(new)
    half = path.with_name(f".{path.name}.half")
    half.write_bytes(new)
    shutil.copymode(path, half)
    os.replace(half, path)
    return Skeleton(name, place + 3, code)


def _name(lesson: Lesson, group: Group, tree: ast.Module) -> str:
    name = f"todo_{group.name.rpartition('-')[2]}"
    if any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body):
        raise LessonError(f"{lesson.exercises_file}: {name} is there already; write its hint, then run grader verify {lesson.name}")
    return name


def _code(lesson: Lesson, group: Group, name: str, module: bytes) -> str:
    if group.example is None:
        raise LessonError(f"{group.name}: none of its notebooks is there any more as it was graded; run grader autograde {lesson.name} and look for the group again")
    try:
        function = standalone(group.example.cells, group.example.source, group.exercise, name, module)
    except NotStandalone as error:
        raise LessonError(
            f"{group.name} can't become a misconception by itself: its code {error}. Write one by hand in {lesson.exercises_file}; nothing was changed"
        ) from None
    who = "this learner" if len(group.students) == 1 else f"these {count_of(len(group.students), 'learner')}"
    return f'@{group.exercise}.misconception("{TODO} what did {who} misunderstand? One sentence about the idea, without the solution.")\n{function}'


def _place(lesson: Lesson, exercise: str, tree: ast.Module) -> int:
    """After which line the next misconception of an exercise belongs."""
    registered = [node for node in tree.body if isinstance(node, ast.FunctionDef) and any(_of(exercise, one) for one in node.decorator_list)]
    declared = [node for node in tree.body if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == exercise for one in node.targets)]
    if found := [node.end_lineno for node in registered or declared if node.end_lineno]:
        return max(found)
    raise LessonError(f"{lesson.exercises_file}: {exercise} is not declared at the top of the file; write the misconception by hand")


def _of(exercise: str, decorator: ast.expr) -> bool:
    """Whether a decorator is `exercise.misconception(…)`, `exercise.right_answer` or `exercise.cases`."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == exercise

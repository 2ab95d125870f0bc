"""No function that a sandbox contains solves an exercise, wherever it is kept."""

from __future__ import annotations

import json

from course import LESSONS, SETTINGS, finishes

SEARCH = """
import json, pkgutil, sys, types
from importlib import import_module
from grader.comparison.judge import call_of, judge, observe_all
from grader.comparison.observe import signature_mismatch

hidden, packages, lessons = json.loads(sys.argv[1])
sys.modules.update(dict.fromkeys(hidden))
modules = []
for package in map(import_module, packages):
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if found.name not in hidden:
            modules.append(import_module(found.name))
exec(sys.argv[2], vars(modules[0]))

LONG = 300  # bytes of a function that is no solution, but perhaps a play, which takes long
FUNCTION = 3  # flags of a function's code, not of a class's

def reach(value, seen):
    '''Yield the functions in a value: in tables, closures, defaults, classes and constants.'''
    if id(value) in seen:
        return
    seen[id(value)] = value
    if isinstance(value, types.FunctionType):
        yield value
        for cell in value.__closure__ or ():
            try: yield from reach(cell.cell_contents, seen)
            except ValueError: pass
        yield from reach(value.__defaults__, seen)
        yield from reach(value.__kwdefaults__, seen)
        for part in value.__code__.co_consts:
            if isinstance(part, types.CodeType) and part.co_flags & FUNCTION == FUNCTION:
                inline = part.co_name.startswith("<") and part.co_name != "<lambda>"
                if part.co_freevars or inline: continue  # a comprehension crashes on its own
                yield from reach(types.FunctionType(part, value.__globals__), seen)
        yield from reach(vars(value), seen)
    elif isinstance(value, dict):
        for part in list(value.values()): yield from reach(part, seen)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for part in value: yield from reach(part, seen)
    elif isinstance(value, type) and value.__module__.startswith(tuple(packages)):
        yield from reach(dict(vars(value)), seen)
    elif isinstance(value, (staticmethod, classmethod)):
        yield from reach(value.__func__, seen)

seen, functions = {}, []
for module in modules:
    functions += [f for f in reach(dict(vars(module)), seen) if len(f.__code__.co_code) < LONG]
solved = []
for path in lessons:
    for name, key in json.load(open(path, encoding="utf-8"))["exercises"].items():
        calls = [call_of(case) for case in key["cases"]]
        for function in functions:
            try:
                if signature_mismatch(function, calls): continue
                first = observe_all(function, key["cases"][:1])[0]
                if "error" in first and "raises" not in key["cases"][0]: continue
                earned = judge(name, key, observe_all(function, key["cases"])).points
            except BaseException: continue
            if earned: solved.append([name, function.__module__, function.__qualname__])
print(json.dumps([len(functions), solved]))
"""


PLANTED = """
import numpy as np
TABLE = {"ReLU": ([lambda z: np.maximum(z, 0.0)],)}
def outer():
    def inner(z):
        return np.maximum(z, 0.0)
"""
"""Two functions that would solve an exercise, in a table and inside another function."""


def test_no_reachable_function_solves_an_exercise_but_the_planted_ones() -> None:
    keys = [str(SETTINGS.root / SETTINGS.release / one / "answers.key") for one in LESSONS]
    arguments = [json.dumps([SETTINGS.hidden, SETTINGS.packages, keys]), PLANTED]
    program = f"import sys\nsys.argv[1:] = {arguments!r}\n{SEARCH}"
    count, solved = json.loads(finishes(program, 3_600).splitlines()[-1])
    assert count > 150
    assert sorted((name, where.rpartition(".")[2]) for name, _, where in solved) == [
        ("relu", "<lambda>"),
        ("relu", "inner"),
    ]

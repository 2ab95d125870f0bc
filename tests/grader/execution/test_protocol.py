"""Any message of a child gives a result: nothing raises, and wrong values earn nothing."""

from __future__ import annotations

import copy
import json
import random
import tracemalloc
from collections.abc import Callable
from functools import cache, partial
from itertools import cycle
from typing import Any

import pytest

from course import SETTINGS, finishes, lesson, solved, written
from grader.execution.limits import Limits
from grader.execution.protocol import MAX_ITEMS, MAX_NESTED, frame_of
from grader.execution.request_state import RequestState
from grader.execution.runner import steps
from grader.instructor.run import Run
from grader.sandbox.engine import Engine
from grader.sandbox.launch import Protection, protection

RUNS = {name: Run(lesson(name), seed=3) for name in ("neuron", "initialization")}
LONG = "9" * 6_000
JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    5,
    10**400,
    1e308,
    float("nan"),
    "",
    "x" * 5_000,
    "\ud800\x1b]0;\x07",
    [],
    {},
    [[]],
    [None],
    [""],
    ["OSError"],
    {"x": 1},
    {"list": {}},
    {"tuple": [[]]},
    {"value": {"x": 1}},
    {"limit": "It is right."},
    {"opaque": {"a": []}},
    {"opaque": "\ud800" + "o" * 5_000},
    {"array": [1.0], "shape": [-1], "dtype": "float64"},
    {"array": [1.0] * 4, "shape": [2, 2], "dtype": "O"},
    {"array": ["1"], "shape": [1], "dtype": "float64"},
    {"array": [1e300], "shape": [1], "dtype": "float32"},
    {"array": [True], "shape": [True], "dtype": "bool"},
    {"array": [0.5], "shape": [1] * 70, "dtype": "float64"},
    {"scalar": 300, "dtype": "int8"},
    {"scalar": 1, "dtype": "f8,f8"},
    {"scalar": [], "dtype": []},
    {"scalar": 10**400, "dtype": "float64"},
    {"array": [], "shape": [0, 3], "dtype": "int64"},
    {"draws": [{"array": [], "shape": [0], "dtype": "float64"}] * 3},
    {"draws": [1, None, "x"]},
    {"missing": 3},
    {"missing": LONG},
    {"signature_mismatch": []},
    {"signature_mismatch": LONG},
    {"outcomes": [{}]},
    {"error": []},
    {"error": [[]], "message": {}},
    {"exercise": []},
    {"cell": "1"},
    {"cell": -1},
    {"error": ["OSError"], "message": f"[Errno {LONG}]"},
    {"sample": {"quantiles": []}},
    {"value": 1.0, "printed": 5},
    {"value": 1.0, "warnings": 7},
    {"value": 1.0, "warnings": [7]},
    {"value": 1.0, "changed": [99]},
    {"value": 1.0, "changed": [[]]},
    json.loads('{"list": [' * 30 + "]}" * 30),
]
KEYS = [
    "limit",
    "points",
    "sample",
    "value",
    "error",
    "message",
    "draws",
    "printed",
    "warnings",
    "changed",
    "missing",
    "signature_mismatch",
    "exercise",
    "answer",
    "cell",
    "too_large",
]


class Forger(Engine):
    """An engine without a sandbox that lets `forge` change the frames before it reads them."""

    def __init__(self, forge: Callable[[list[Any]], list[Any]] = list) -> None:
        super().__init__(None, Limits(starts=1), Protection.LANDLOCK)
        self.forge = forge

    def _run_child(self, attempt: RequestState) -> None:
        attempt.begin()
        for frame in self.forge(copy.deepcopy(honest_frames(attempt.request()))):
            attempt.take(frame_of(json.dumps(frame).encode()))
        attempt.end(0.0)


@cache
def honest_frames(request: bytes) -> list[Any]:
    return list(steps(json.loads(request)))


def mutated(frames: list[Any], rng: random.Random) -> list[Any]:
    """Return the frames with a few parts replaced, deleted, doubled or added."""
    for _ in range(rng.randint(1, 4)):
        place: Any = frames
        while (
            inner := [
                key
                for key in (place if isinstance(place, dict) else range(len(place)))
                if isinstance(place[key], (dict, list)) and place[key]
            ]
        ) and rng.random() < 0.9:
            place = place[rng.choice(inner)]
        key = rng.choice(list(place if isinstance(place, dict) else range(len(place))))
        match rng.randrange(4):
            case 0:
                del place[key]
            case 1 if isinstance(place, list):
                place.insert(key, copy.deepcopy(place[key]))
            case 2 if isinstance(place, dict):
                place[rng.choice(KEYS)] = copy.deepcopy(rng.choice(JUNK))
            case _:
                place[key] = copy.deepcopy(rng.choice(JUNK))
        if not place:
            return frames
    return frames


def result(
    name: str, notebook: dict[str, Any], forge: Callable[[list[Any]], list[Any]] = list
) -> dict[str, Any]:
    found = RUNS[name].grade(json.dumps(notebook).encode(), Forger(forge).run).result()
    for exercise in found["exercises"].values():
        assert len(json.dumps(exercise, ensure_ascii=False).encode()) < 20_000
    return found


@cache
def all_wrong(name: str) -> dict[str, Any]:
    return written(
        name,
        **{
            exercise: f"def {exercise}(*inputs):\n    print(inputs)\n    return 7.5"
            for exercise in RUNS[name].keys
        },
    )


@pytest.mark.parametrize(
    ("name", "rounds"),
    [
        ("neuron", 60),
        ("initialization", 10),
        pytest.param("initialization", 100, marks=pytest.mark.long),
    ],
)
def test_no_frame_raises_or_earns_points_for_wrong_values(name: str, rounds: int) -> None:
    rng = random.Random(1)
    for _ in range(rounds):
        assert result(name, all_wrong(name), lambda frames: mutated(frames, rng))["points"] == 0
        assert result(name, solved(name), lambda frames: mutated(frames, rng))["points"] <= sum(
            key["points"] for key in RUNS[name].keys.values()
        )
    assert result(name, solved(name))["points"] == sum(
        key["points"] for key in RUNS[name].keys.values()
    )


PLACES: list[Callable[[Any, Any], Any]] = [
    lambda outcome, junk: junk,
    lambda outcome, junk: {"value": junk},
    lambda outcome, junk: {"value": {"list": [junk]}},
    lambda outcome, junk: {"draws": [junk] * 3},
    lambda outcome, junk: {"error": junk, "message": junk},
    lambda outcome, junk: {"error": ["OSError"], "message": junk},
    *(lambda outcome, junk, key=key: outcome | {key: junk} for key in KEYS),
]


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: json.dumps(junk)[:30])
def test_junk_in_any_place_is_no_result_or_a_wrong_one(name: str, junk: Any) -> None:
    def forge(places: list[Callable[[Any, Any], Any]], frames: list[Any]) -> list[Any]:
        answers = (frame["answer"] for frame in frames if "answer" in frame)
        for answer, place in zip(answers, cycle(places)):
            answer["outcomes"] = [place(outcome, junk) for outcome in answer["outcomes"]]
        return [junk, *frames, junk]

    for start in range(0, len(PLACES), len(RUNS[name].keys)):
        assert result(name, all_wrong(name), partial(forge, PLACES[start:]))["points"] == 0


def test_a_child_cannot_write_the_sentence_about_a_limit() -> None:
    def forge(frames: list[Any]) -> list[Any]:
        return [
            {"answer": {"limit": "<" * 1_000_000}} if "answer" in frame else frame
            for frame in frames
        ]

    for name, exercise in result("neuron", solved("neuron"), forge)["exercises"].items():
        assert exercise["note"] == f"{name} sent back something that can't be read as a result."


@pytest.mark.parametrize("piece", [b"[],", b'{"a":1},', b'"ab",', b"1.5,"])
def test_a_frame_of_many_small_items_is_refused_before_it_takes_memory(piece: bytes) -> None:
    data = b'{"answer": {"outcomes": [' + piece * (24_000_000 // len(piece)) + b"0]}}"
    tracemalloc.start()
    try:
        assert frame_of(data) == {"too_large": len(data)}
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()
    assert max(MAX_NESTED * 240, MAX_ITEMS * 60) < Limits().memory_bytes / 8


def test_a_result_of_many_dimensions_is_shown_in_one() -> None:
    """Numpy would show six of each dimension."""
    data = "{'array': [0.5] * 2**18, 'shape': [2] * 18, 'dtype': 'float64'}"
    shown = finishes(f"from grader.comparison.present import show; print(show({data}))")
    assert shown.startswith("[0.5, 0.5, 0.5, ..., 0.5, 0.5, 0.5]  (of shape (2, 2, 2")


HONEST = {
    "a scalar": ("np.float32(z.sum())", "value"),
    "a long double": ("np.longdouble(0.1)", "value"),
    "half numbers": ("np.array([6e-8, 65504.0], dtype=np.float16)", "value"),
    "bytes the other way round": ("np.array([1.5], dtype='>f8')", "value"),
    "as deep as can be": ("[[[[[[[[1]]]]]]]]", "value"),
    "an object": ("object()", "value"),
    "a large number": ("10**300", "value"),
    "text": ("'x\\ud800'", "value"),
    "nothing": ("np.zeros((0, 3), dtype=bool)", "value"),
    "an exception of half a letter": (
        "(_ for _ in ()).throw(ValueError('\\ud800' * 999))",
        "error",
    ),
}


@pytest.mark.parametrize("name", HONEST)
def test_the_answers_of_an_honest_runner_are_read(name: str) -> None:
    returned, kind = HONEST[name]
    calls = [{"inputs": [{"array": [1.0, 2.0], "shape": [2], "dtype": "float64"}]}]
    attempt = RequestState(
        {"cells": [f"import numpy as np\ndef f(z):\n    return {returned}"], "calls": {"f": calls}},
        Limits(),
    )
    attempt.begin()
    for frame in steps(json.loads(attempt.request())):
        attempt.take(frame_of(json.dumps(frame).encode()))
    assert kind in attempt.answers["f"]["outcomes"][0]


STATEFUL = """def relu(z, seen=[]):
    seen.append(z)
    return np.maximum(0, z) if len(seen) % 2 else np.asarray(z)"""


def test_notebook_and_seed_decide_the_order_of_the_calls() -> None:
    def orders(cells: list[str], seed: int) -> dict[str, list[int]]:
        request = {"cells": cells, "calls": RUNS["neuron"].calls, "order_seed": seed}
        return RequestState(request, Limits()).order

    assert orders(["x"], 1) == orders(["x"], 1)
    assert len({json.dumps(orders([cell], seed)) for cell in "xyz" for seed in range(3)}) == 9
    request = {"cells": [], "calls": {}, "order_seed": 12345}
    assert b"seed" not in RequestState(request, Limits()).request()


def test_a_function_that_remembers_its_calls_is_graded_repeatably() -> None:
    notebook = written("neuron", relu=STATEFUL)
    first = result("neuron", notebook)
    assert first["exercises"]["relu"]["missed"]
    assert all(result("neuron", notebook) == first for _ in range(5))


FRAMES = [*JUNK[:5], {"exercise": []}, {"answer": {"limit": "x"}}, {"cell": []}, {"error": {}}]
FORGED = f"""
import json, os
frames = json.loads({json.dumps(FRAMES)!r})
for data in [*(json.dumps(frame).encode() for frame in frames), b"[" + b"[]," * 5_000_000 + b"0]"]:
    data = len(data).to_bytes(8, "big") + data
    while data:
        data = data[os.write(4, data):]
"""


def test_the_engine_continues_after_forged_frames() -> None:
    if protection() is Protection.NONE:
        pytest.skip("This machine can't confine notebooks.")
    relu = (
        "def relu(z):\n"
        + "".join(f"    {line}\n" for line in FORGED.strip().split("\n"))
        + "    return 7.5"
    )
    with Engine(SETTINGS) as engine:
        notebook = json.dumps(written("neuron", relu=relu)).encode()
        hostile = RUNS["neuron"].grade(notebook, engine.run).result()
        assert hostile["points"] == 0
        assert RUNS["neuron"].grade(json.dumps(solved("neuron")).encode(), engine.run).points == 10


def test_wall_time_ends_before_processor_time() -> None:
    assert Limits().cpu_seconds >= Limits().total_seconds

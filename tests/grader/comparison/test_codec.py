"""Values, encoded and decoded; refusals."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grader.comparison.codec import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_TEXT,
    decode,
    decode_input,
    encode,
    encode_input,
    numbers_in,
    opaque,
)

VALUES: list[Any] = [
    None,
    True,
    3,
    10**300,
    -0.5,
    float("inf"),
    float("nan"),
    "text",
    [],
    (),
    [1, [2.0, "a", None]],
    (1, (2, [3])),
    np.float32(0.1),
    np.int8(-3),
    np.bool_(True),
    np.array(2.5),
    np.zeros((0, 3)),
    np.array([[1, 2], [3, 4]], dtype=np.uint8),
    np.array([0.1, np.inf, -np.inf, np.nan], dtype=np.float16),
    np.array([True, False]),
    np.arange(6.0).reshape(2, 3).T,
    [np.array([1.0]), np.float64(2.0)],
]


def same(one: Any, other: Any) -> bool:
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and all(map(same, one, other)) and len(one) == len(other)
    if isinstance(one, np.ndarray):
        equal = np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        return equal and (one.dtype, one.shape) == (other.dtype, other.shape)
    return type(one) is type(other) and (one == other or one != one)


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("pair", [(encode, decode), (encode_input, decode_input)])
def test_a_value_survives_json(value: Any, pair: tuple[Callable[..., Any], ...]) -> None:
    write, read = pair
    assert same(value, read(json.loads(json.dumps(write(value)))))


class Unreadable:
    @property
    def __class__(self) -> type:  # type: ignore[override]
        raise RuntimeError


def nested(depth: int) -> list[Any]:
    return [nested(depth - 1)] if depth else []


OPAQUE: list[tuple[Any, str]] = [
    (len, "a function"),
    (object(), "a value of type object"),
    ({}, "a value of type dict"),
    (1j, "a value of type complex"),
    (10**400, "an integer of more than 300 digits"),
    ("x" * (MAX_TEXT + 1), "a string of 2,001 characters"),
    (np.array(["a"]), "an array of dtype <U1"),
    (np.array([1j]), "an array of dtype complex128"),
    (np.complex64(1), "a numpy scalar of dtype complex64"),
    (np.ma.masked_array([1.0], [True]), "a masked array"),
    (np.zeros(MAX_ELEMENTS + 1), "an array of shape (1000001,), which is more than 1,000,000"),
    ([np.zeros(MAX_ELEMENTS), 1.0], "a nested list, which is more than 1,000,000 numbers"),
    ([0.0] * (MAX_ELEMENTS + 1), "a list of 1,000,001 items"),
    (nested(MAX_DEPTH), f"nested more than {MAX_DEPTH} deep"),
    (Unreadable(), "a Unreadable that can't be read (RuntimeError)"),
]


@pytest.mark.parametrize(("value", "phrase"), OPAQUE, ids=[phrase for _, phrase in OPAQUE])
def test_other_values_are_described(value: Any, phrase: str) -> None:
    data = encode(value)
    assert phrase in (opaque(data) or "")
    assert len(json.dumps(data)) < 200


REFUSED: list[Any] = [
    [1.0],
    {"x": 1},
    {"rng": 0},
    {"function": "os.system", "args": [], "bound": {}},
    {"opaque": "a function"},
    {"list": [{"function": "numpy.tanh", "args": [], "bound": {}}]},
    {"array": [1.0], "shape": [2], "dtype": "float64"},
    {"array": ["a"], "shape": [1], "dtype": "float64"},
    {"array": [1.0], "shape": [1], "dtype": "object"},
    {"scalar": 1.0, "dtype": "U1"},
]


@pytest.mark.parametrize("data", REFUSED, ids=repr)
def test_other_data_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match=r"not|reshape|convert"):
        decode(data)


def test_functions_and_generators_are_inputs() -> None:
    inputs = [np.tanh, np.linalg.norm, functools.partial(np.full, 2, fill_value=0.5)]
    tanh, norm, full = decode_input(json.loads(json.dumps(encode_input(inputs))))
    assert (tanh, norm) == (np.tanh, np.linalg.norm)
    assert full().tolist() == [0.5, 0.5]
    generator = encode_input(np.random.default_rng(1))
    assert decode_input(generator).random() == decode_input(generator).random()


@pytest.mark.parametrize("value", [lambda x: x, functools.partial(np.full, object()), {}, [1j]])
def test_other_inputs_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"input can't be|can't be an input"):
        encode_input(value)


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (1, ()),
        (True, ()),
        (np.ones((2, 3)), (2, 3)),
        ([[1, 2], (3, 4.5)], (2, 2)),
        ([], (0,)),
        ("1", None),
        (None, None),
        (["1"], None),
        ([[1], [2, 3]], None),
        ([1, None], None),
        (len, None),
    ],
)
def test_numbers_are_found(value: Any, shape: tuple[int, ...] | None) -> None:
    numbers = numbers_in(encode(value))
    assert (None if numbers is None else numbers.shape) == shape
    assert numbers is None or numbers.dtype == np.float64

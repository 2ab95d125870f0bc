"""Put the lines of a solution in order: what is right, and what is said of a wrong order."""

from __future__ import annotations

import pytest

from course import LESSONS, lesson
from grader.author.key import make_key
from grader.comparison.answer_key import packed, unpacked
from grader.learner.check import _solves
from grader.learner.puzzle import Puzzle

LINES = [
    "def total(values, start=0):",
    "    result = start",
    "    count = len(values)",
    "    for value in values:",
    "        result += value",
    "    return (result, count)",
]


def arranged(*order: int, solves: bool = False) -> Puzzle:
    """Return the puzzle with its lines in this order."""
    puzzle = Puzzle(LINES, lambda _: solves)
    puzzle.lines = [LINES[number] for number in order]
    return puzzle


def test_a_puzzle_begins_in_a_wrong_order_and_lines_move_up_to_the_ends() -> None:
    puzzle = Puzzle(LINES, lambda _: False)
    assert puzzle.lines != LINES[1:]
    assert sorted(puzzle.lines) == sorted(LINES[1:])
    first = puzzle.lines[0]
    assert puzzle.move(0, -1) == 0
    assert puzzle.move(0, 1) == 1
    assert puzzle.lines[1] == first


def test_the_order_of_the_solution_is_right_and_so_is_another_that_passes() -> None:
    assert arranged(1, 2, 3, 4, 5).reply().startswith("✓")
    assert arranged(2, 1, 3, 4, 5).reply() == (
        "✗ Line 1 is not in its place yet; those above it are."
    )
    assert arranged(2, 1, 3, 4, 5, solves=True).reply().startswith("✓")


def test_a_name_that_is_used_too_early_is_named() -> None:
    assert "Line 2 uses value, but only a later line" in arranged(1, 4, 3, 2, 5).reply()
    assert "Line 1 uses count, but" in arranged(5, 1, 2, 3, 4).reply()


@pytest.mark.parametrize("name", ["chain_rule", "capstone"])
def test_the_packed_lines_solve_their_exercise_and_a_wrong_order_does_not(name: str) -> None:
    found, keys = 0, make_key(lesson(name), 1)["exercises"]
    for exercise in lesson(name).exercises:
        key = keys[exercise]
        if "solution" not in key:
            continue
        found += 1
        function = lesson(name).reference[exercise]
        solution = unpacked(key["solution"])
        assert _solves("\n".join(solution), function, exercise, key)
        puzzle = Puzzle(solution, lambda _: False)
        assert not _solves("\n".join([puzzle.head, *puzzle.lines]), function, exercise, key)
    assert found >= 4


def test_lines_are_not_in_clear_in_a_key() -> None:
    assert "result" not in packed(LINES)
    assert unpacked(packed(LINES)) == LINES


@pytest.mark.parametrize("name", LESSONS)
def test_other_right_ways_need_only_what_the_notebook_has(name: str) -> None:
    for exercise, key in make_key(lesson(name), 1)["exercises"].items():
        for text in unpacked(key["ways"]) if "ways" in key else []:
            why, _, code = text.partition("\n")
            assert why[-1] == "."
            assert _solves(code, lesson(name).reference[exercise], exercise, key), text

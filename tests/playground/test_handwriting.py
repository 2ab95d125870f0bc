"""The pad and the plays that look into the digits' reader show the facts of the capstone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from figures import moved, png

from course import lesson
from playground import capstone, handwriting, reader
from playground.figure.learner_function import LearnerFunction
from playground.figure.live import LiveFigure
from playground.figure.pad import Ink
from playground.functions import finished
from playground.functions.digits import a, digits

REFERENCE = lesson("capstone").reference
PLAYS: dict[str, Callable[..., LiveFigure]] = {
    "draw": handwriting.draw,
    "mistakes": reader.mistakes,
    "hidden_units": reader.hidden_units,
    "fool": reader.fool,
}
DRAWINGS = """
..###... ...#.... ..###... ..###... .#...... .#####.. ...##... .#####.. ..###... ..###...
.#...#.. ..##.... .#...#.. .....#.. .#..#... .#...... ..#..... .....#.. .#...#.. .#...#..
.#...#.. ...#.... .....#.. ...##... .#..#... .####... .#...... ....#... ..###... .#...#..
.#...#.. ...#.... ....#... .....#.. .#####.. .....#.. .####... ....#... .#...#.. ..####..
.#...#.. ...#.... ...#.... .....#.. ....#... .....#.. .#...#.. ...#.... .#...#.. .....#..
..###... ...#.... .#####.. ..###... ....#... .####... ..###... ...#.... ..###... ..###...

..####.. ....#... ..####.. ..####.. .....#.. .######. ...###.. .######. ..####.. ..####..
.#....#. ...##... .#....#. .#....#. ....##.. .#...... ..#..... ......#. .#....#. .#....#.
#......# ..#.#... ......#. ......#. ...#.#.. .#...... .#...... .....#.. .#....#. .#....#.
#......# ....#... .....#.. ...###.. ..#..#.. .#####.. .#.###.. .....#.. ..####.. .#...##.
#......# ....#... ....#... ......#. .#...#.. ......#. .##...#. ....#... .#....#. ..###.#.
#......# ....#... ...#.... ......#. .######. ......#. .#....#. ....#... .#....#. ......#.
.#....#. ....#... ..#..... .#....#. .....#.. .#....#. .#....#. ...#.... .#....#. .....#..
..####.. ..#####. .######. ..####.. .....#.. ..####.. ..####.. ...#.... ..####.. ..###...

....###. .#...... ###..... ....###. #.#..... ..####.. ....#... ..####.. ...##... ...###..
....#.#. .#...... ..#..... ......#. #.#..... ..#..... ...#.... .....#.. ..#..#.. ...#.#..
....#.#. .#...... .#...... ....###. ###..... ..###... ..#..... ....#... ...##... ...###..
....###. .#...... #....... ......#. ..#..... .....#.. ..###... ....#... ..#..#.. .....#..
........ .#...... ###..... ....###. ..#..... .....#.. ..#..#.. ...#.... ..#..#.. ....#...
........ ........ ........ ........ ........ ..###... ...##... ........ ...##... ........

...##... ......#. ..###... .#####.. ...#.... ...####. ....#... .######. ...###.. ...##...
..#..#.. .....##. .#...#.. ....#... ..#..... ..#..... ...#.... ......#. ..#...#. ..#..#..
.#....#. ....#.#. .....#.. ...#.... ..#..#.. ..#..... ..#..... .....#.. ..#..#.. ..#..#..
.#....#. .....#.. ....#... ....##.. .#...#.. ..###... ..#..... ...####. ...##... ...###..
.#....#. .....#.. ...#.... ......#. .#####.. .....#.. ..####.. ....#... ..#..#.. .....#..
.#...#.. ....#... ..#..... ......#. .....#.. .....#.. ..#...#. ...#.... .#...#.. .....#..
..#..#.. ....#... .####.#. .#...#.. ....#... .....#.. ..#...#. ........ .#...#.. ....#...
...##... ........ .....#.. ..###... ....#... .####... ...###.. ........ ..###... ....#...

........ ..#..... .###.... .####... .#...#.. ..#####. ..##.... #####... ..####.. ...###..
..####.. ..#..... #...#... .....#.. .#...#.. ..#..... .#...... ....#... ..#..#.. ..#..#..
..#..#.. ..#..... ....#... .....#.. .#...#.. ..#..... .#...... ....#... ..#..#.. ..#..#..
..#..#.. ..#..... ...#.... ..###... .#...#.. ..####.. .#...... ...#.... ...##... ...###..
..#..#.. ..#..... ..#..... .....#.. .######. ......#. .###.... ...#.... ..#..#.. .....#..
..#..#.. ..#..... .#...... .....#.. .....#.. ......#. .#..#... ..#..... ..#..#.. .....#..
..####.. ..#..... #####... .####... .....#.. ..#...#. .#..#... ..#..... ..#..#.. .....#..
........ ..#..... ........ ........ .....#.. ...###.. ..##.... ..#..... ..####.. ..###...
"""
"""Five hands' digits 0 to 9 on the pad; the last hand was not used to choose the pen."""


def hands() -> list[list[Ink]]:
    """Return each hand's ten drawings."""
    blocks = [block.split("\n") for block in DRAWINGS.strip().split("\n\n")]
    return [
        [
            Ink(
                (row, column)
                for row, line in enumerate(block)
                for column, cell in enumerate(line.split(" ")[digit])
                if cell == "#"
            )
            for digit in range(10)
        ]
        for block in blocks
    ]


THREE = hands()[0][3]


@cache
def network() -> reader.Reader:
    """Return the trained network of the reference."""
    functions = {name: LearnerFunction(name, REFERENCE[name]) for name in capstone.FUNCTIONS}
    return [*reader.readers(SimpleNamespace(**functions), finished)][-1]


def play_of(name: str, mine: Any = finished, **exchanged: Any) -> LiveFigure:
    functions = (exchanged.get(part, REFERENCE[part]) for part in capstone.FUNCTIONS)
    return PLAYS[name](mine, *functions)


def said(play: LiveFigure, **values: Any) -> str:
    return moved(play, **values).readout[0]


def read(images: list[Any]) -> list[int]:
    return np.argmax(network().probabilities(np.array(images)), axis=1).tolist()


def right(redraw: Any, hand: list[Ink]) -> int:
    """Return how many of a hand's ten drawings are read."""
    return sum(int(a == b) for a, b in enumerate(read([redraw(ink) for ink in hand])))


@pytest.mark.parametrize("name", PLAYS)
def test_each_play_draws_itself_with_alt_text(name: str) -> None:
    play = play_of(name)
    assert png(play).startswith(b"\x89PNG")
    assert play.alt.startswith(play.title)


def test_redrawn_drawings_are_read_and_bare_cells_mostly_are_not() -> None:
    redrawn = [right(handwriting.redrawn, hand) for hand in hands()]
    bare = [right(handwriting.cells, hand) for hand in hands()]
    assert len(redrawn) == 5
    assert 46 <= sum(redrawn) <= 48
    assert redrawn[-1] >= 9
    assert 14 <= sum(bare) <= 20


def test_a_drawing_is_redrawn_alike_at_any_place_and_on_other_sizes() -> None:
    aside = Ink((row - 1, column + 2) for row, column in THREE)
    assert np.array_equal(handwriting.redrawn(aside), handwriting.redrawn(THREE))
    X = digits().X
    ink = np.array([handwriting.redrawn(ink) for hand in hands() for ink in hand])
    assert ink.min() == 0
    assert ink.max() == 1
    assert abs(ink.mean() - X.mean()) < 0.1
    columns = [images.reshape(-1, 8, 8).mean(axis=(0, 1)) for images in (X, ink)]
    assert np.corrcoef(*columns)[0, 1] > 0.95


def test_strokes_join_neighbours_and_cut_no_corner() -> None:
    corner = Ink([(0, 0), (0, 1), (1, 1)])
    assert sorted(map(tuple, handwriting.strokes(corner).tolist())) == [
        *((0, 0), (1, 0), (1, 1), (2, 1), (2, 2))
    ]
    assert [1, 0] in handwriting.strokes(Ink([(0, 0), (1, 1)])).tolist()


@pytest.mark.parametrize("ink", [[], [(3, 3)], [(0, 0), (7, 7)], [(2, 1), (2, 2), (2, 3)]])
def test_any_drawing_can_be_redrawn(ink: list[tuple[int, int]]) -> None:
    x = handwriting.redrawn(Ink(ink))
    assert x.shape == (64,)
    assert np.isfinite(x).all()
    assert bool(x.any()) == bool(ink)


def test_an_empty_pad_is_read_as_a_digit() -> None:
    p = network().probabilities(np.zeros((1, 64)))[0]
    assert p.sum() == pytest.approx(1)
    assert 0.11 < p.max() < 0.3
    assert "The pad is empty, and all the same it is read as a 4" in said(play_of("draw"))


def test_the_bars_follow_the_pad() -> None:
    play = play_of("draw")
    assert said(play, ink=THREE).startswith("Your drawing is read as a 3 with ")
    assert f"draw a digit: {len(THREE)} of 64 cells inked" in play.alt
    redrawn = play.svg
    assert moved(play, like_data=False).svg != redrawn
    assert "The pad is empty" in said(play, ink=Ink())


def test_an_added_drawing_is_learned_and_the_test_digits_are_still_read() -> None:
    misread = [
        (digit, ink)
        for hand in hands()
        for digit, ink in enumerate(hand)
        if read([handwriting.redrawn(ink)]) != [digit]
    ]
    assert misread
    for digit, ink in misread:
        play = play_of("draw")
        text = said(moved(play, ink=ink, label=digit), added=1)
        assert f"is read as {a(digit)} with" in text
        new, old = re.findall(r"([\d.]+)\s%(?=,|\.$)", text)[-2:]
        assert float(new) > 96
        assert abs(float(new) - float(old)) < 1.5
        assert "Before your drawing joined the training images, it was read as" in text
        assert "Your drawing is read as" in said(play, ink=THREE)


def test_ten_mistakes_are_made_with_two_thirds_of_certainty() -> None:
    text = said(play_of("mistakes"))
    found = re.match(r"Mistake 1 of (\d+), test image \d+: it is an? (\d), read as an? (\d)", text)
    assert found
    assert 8 <= int(found[1]) <= 12
    assert found[2] != found[3]
    _, _, X, labels = digits()
    p = network().probabilities(X)
    wrong = np.argmax(p, axis=1) != labels
    right_comes_second = np.argsort(p[wrong], axis=1)[:, -2] == labels[wrong]
    assert right_comes_second.mean() > 0.6
    assert p[wrong].max(axis=1).mean() == pytest.approx(0.66, abs=0.05)
    assert p[~wrong].max(axis=1).mean() == pytest.approx(0.96, abs=0.02)


def test_each_press_shows_another_mistake_until_the_first_returns() -> None:
    play = play_of("mistakes")
    first = said(play)
    n = int(re.findall(r"of (\d+),", first)[0])
    assert len({said(play, presses=i) for i in range(n)}) == n
    assert said(play, presses=n) == first


def test_a_digit_activates_twenty_units_and_a_unit_serves_many_digits() -> None:
    _, _, X, labels = digits()
    active = network().active(X) > 0
    assert active.shape == (360, reader.HIDDEN)
    assert active.sum(axis=1).mean() == pytest.approx(20.6, abs=1)
    shares = np.array([active[labels == digit].mean(axis=0) for digit in range(10)])
    served = (shares > 0.5).sum(axis=0)
    assert (served >= 9).mean() > 0.5
    assert not active.all(axis=1).any()
    assert "of 32 units are active" in said(play_of("hidden_units"), image=5)


def test_every_unit_has_its_picture_and_its_level() -> None:
    W, activity = np.arange(64.0 * 32).reshape(64, 32), np.eye(32)[9]
    wall = reader.tiles(W, activity)[::-1]  # unit 9 is the second picture in the second row
    assert np.array_equal(wall[11:19, 11:19], W[:, 9].reshape(8, 8))
    assert np.array_equal(wall[:8, :8], W[:, 0].reshape(8, 8) / 4)
    x, bottom, top = reader.levels(activity)
    assert np.flatnonzero(top > bottom).tolist() == [9]
    assert len({*zip(x.round(6), bottom.round(6), strict=True)}) == 32


def flips() -> Iterator[tuple[float, float]]:
    """Yield for each digit that is read right the smallest ε, and that of a random change."""
    _, _, X, labels = digits()
    rng, one = np.random.default_rng(0), network()
    uphill = np.sign(one.slope(X, labels))
    for x, label, sign in zip(X, labels, uphill, strict=True):
        found = []
        for change in (sign, rng.choice([-1.0, 1.0], 64)):
            images = reader.changed(x, change, reader.SMALL_STEPS)
            wrong = np.argmax(one.probabilities(images), axis=1) != label
            found.append(reader.SMALL_STEPS[wrong.argmax()] if wrong.any() else np.inf)
        if found[0] > 0:
            yield found[0], found[1]


def test_a_tenth_of_grey_fools_the_network_and_a_random_change_needs_five_times_it() -> None:
    uphill, random = np.median([*flips()], axis=0)
    assert uphill == pytest.approx(0.11, abs=0.02)
    assert random == pytest.approx(0.53, abs=0.08)


def test_the_slope_of_the_pixels_is_the_numerical_one() -> None:
    x, label, one = digits().X_test[:1], digits().labels_test[:1], network()

    def loss(values: Any) -> float:
        return finished.cross_entropy(one.blocks.logits(values, one.layers), label)

    assert np.allclose(one.slope(x, label), finished.numerical_grad(loss, x), atol=1e-6)


def test_the_smallest_change_is_found_and_fools() -> None:
    play = play_of("fool")
    text = said(play, image=3)
    least = float(re.findall(r"answer is ([\d.]+)\.$", text)[0])
    digit = re.findall(r"this (\d) is read", text)[0]
    for epsilon, fooled in ((least - 0.01, False), (least, True)):
        read_as = re.findall(r"read as an? (\d) with", said(play, epsilon=epsilon))[0]
        assert (read_as != digit) == fooled


WRONG: dict[str, tuple[str, Any, str]] = {
    "forward stops": ("forward", lambda *_: 1 / 0, "forward stopped with ZeroDivisionError"),
    "forward keeps no inputs": (
        "forward",
        lambda X, layers, f: (None, REFERENCE["forward"](X, layers, f)[1]),
        "",
    ),
    "backward is wrong": (
        "backward",
        lambda *given: [(dW, 2 * db) for dW, db in REFERENCE["backward"](*given)],
        "The gradient check fails at b",
    ),
    "train returns None": ("train", lambda *_: None, "train returned None"),
}


@pytest.mark.parametrize("way", WRONG)
@pytest.mark.parametrize("name", PLAYS)
def test_a_wrong_function_is_named(name: str, way: str) -> None:
    part, function, words = WRONG[way]
    text = said(play_of(name, **{part: function}))
    assert words in text
    assert "Fix it and run its cell again: this figure follows." in text


@pytest.mark.parametrize("name", PLAYS)
def test_the_learners_own_softmax_makes_the_bars(name: str) -> None:
    def softmax(logits: Any) -> Any:
        raise NotImplementedError

    mine = SimpleNamespace(**vars(finished) | {"softmax": softmax})
    assert "softmax is not written yet" in said(play_of(name, mine))

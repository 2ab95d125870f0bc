"""The forecaster's play of the loss lesson: twenty mornings, a p for each, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from playground.figure.live import LiveFigure
from playground.figure.scene import Frame
from playground.figure.still import Grid
from playground.figure.style import BLACK, BLUE, GREEN, MUTED, ORANGE, SKY, Look, number
from playground.functions import Array, Function

SKIES = ("blue sky", "a few clouds", "grey sky", "dark clouds")
MORNINGS = np.repeat([0, 1, 2, 3], [6, 4, 4, 6])
RAIN = np.concatenate([[1, 0, 0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1, 1, 0]])
"""The sky of each of twenty mornings, and whether it rained then."""
CARDS = len(RAIN)
OFTEN = np.array([RAIN[sky == MORNINGS].mean() for sky in range(len(SKIES))])
"""How often it rained under each sky: the best p to have given."""


class Round(NamedTuple):
    """The cards of one round in their order, and the probabilities given to those turned."""

    skies: Array
    rain: Array
    given: Array


class Forecasts:
    """The probability at each press of the button; a press after the last card starts a round."""

    def __init__(self) -> None:
        self._at_press: dict[int, float] = {}

    def round(self, presses: int, p: float) -> Round:
        """Return the round after this many presses, of which the new ones gave rain p."""
        for press in range(1, presses + 1):
            self._at_press.setdefault(press, p)
        number, turned = divmod(presses, CARDS + 1)
        order = np.random.default_rng(number + 1).permutation(CARDS)
        given = [self._at_press[presses - turned + card] for card in range(1, turned + 1)]
        return Round(MORNINGS[order], RAIN[order].astype(float), np.array(given))


def forecast(mse: Function, binary_cross_entropy: Function, after: Any = None) -> LiveFigure:
    """Turn twenty cards after giving rain a probability, and see two losses grow."""
    forecasts = Forecasts()

    def move(f: Any, p: float, presses: int) -> Frame:
        now = forecasts.round(presses, p)
        losses = f.mse, f.binary_cross_entropy
        done = len(now.given) == CARDS
        totals = [_total(loss, now) for loss in losses]
        data = _timeline(now) | {"totals": (range(2), totals), "unsure": _unsure(len(now.given))}
        data["total numbers"] = [(i, 18.5, number(total)) for i, total in enumerate(totals)]
        prices = [
            loss(np.array([p]), np.array([y]), shape=()) for y in (1.0, 0.0) for loss in losses
        ]
        return data | _calibration(now, done), _ending(losses, now) if done else _price(
            now, p, prices
        )

    own = {"mse": mse, "binary_cross_entropy": binary_cross_entropy}
    play = LiveFigure(
        "Twenty forecasts of rain",
        move,
        own,
        after,
        missions={
            "one card that costs more than 3 in cross-entropy": lambda at, data: _dearest(data) > 3,
            "all twenty cards for less than 13 in cross-entropy": lambda at, data: (
                len(data["given"][0]) == CARDS and data["totals"][1][1] < 13
            ),
        },
    )
    _declare(play)
    play.slider("p", "your p for rain", 0.01, 0.99, 0.5, step=0.01)
    play.button("presses", "turn the card")
    return play


def _declare(play: LiveFigure) -> None:
    """Add the axes and the parts of the forecaster's figure."""
    grid = Grid(2, 2)
    top = play.axes(grid[0, :], xlabel="card", xlim=(0.4, CARDS + 0.6), ylim=(-0.15, 1.5))
    top.set(xticks=[1, 5, 10, 15, 20], yticks=[0, 0.5, 1], ylabel="p for rain")
    left = play.axes(grid[1, 0], ylabel="cost so far", xlim=(-0.6, 1.6), ylim=(0, 20))
    left.set_xticks(range(2), ["squared", "cross-entropy"])
    right = play.axes(grid[1, 1], xlabel="your mean p", ylabel="it rained", xlim=(0, 1))
    right.set(ylim=(-0.05, 1.05), yticks=[0, 0.5, 1])
    right.plot([0, 1], [0, 1], color=MUTED, linewidth=1)
    play.bars("given", top, Look(SKY), twin=False)
    play.points("wet", top, Look(BLUE, marker="triangle"), twin=False, label="rain")
    play.points("dry", top, Look(ORANGE), twin=False, label="dry")
    play.words("next", top)
    play.bars("totals", left, Look(GREEN), label="cost")
    play.points("unsure", left, Look(BLACK, marker="diamond"), twin=False, label="always 0.5")
    play.words("total numbers", left)
    play.points("calibration", right, Look(BLACK), twin=False)
    play.words("skies", right)


def _timeline(now: Round) -> dict[str, Any]:
    """Return the bars, the weather and the words of the row of cards."""
    turned = len(now.given)
    cards, rain = np.arange(1, turned + 1), now.rain[:turned]
    said = _card(now)
    if turned:
        said = f"{'rain' if rain[-1] else 'dry'} after your {number(now.given[-1])} · {said}"
    return {
        "given": (cards, now.given),
        "wet": (cards[rain == 1], np.ones(int(rain.sum()))),
        "dry": (cards[rain == 0], np.zeros(int((1 - rain).sum()))),
        "next": (CARDS / 2 + 0.5, 1.3, said),
    }


def _dearest(data: Mapping[str, Any]) -> float:
    """Return the highest cross-entropy of a card that is turned."""
    cards, p = data["given"]
    return float(np.max(-np.log(np.where(np.isin(cards, data["wet"][0]), p, 1 - p)), initial=0.0))


def _card(now: Round) -> str:
    turned = len(now.given)
    if turned == CARDS:
        return "all are turned; once more starts a new round"
    return f"card {turned + 1} of {CARDS}: {SKIES[now.skies[turned]]}"


def _total(loss: Any, now: Round) -> float:
    """Return the sum of the costs so far, from the mean that a loss returns."""
    turned = len(now.given)
    return turned * float(loss(now.given, now.rain[:turned], shape=())) if turned else 0.0


def _unsure(turned: int) -> tuple[list[int], list[float]]:
    """Return the costs so far of someone who says 0.5 every day."""
    return [0, 1], [turned * 0.25, turned * float(np.log(2))]


def _price(now: Round, p: float, prices: list[Any]) -> str:
    squared_wet, cross_wet, squared_dry, cross_dry = map(number, map(float, prices))
    return (
        f"{_card(now)}; with p = {number(p)}, rain would cost {squared_wet} squared and"
        f" {cross_wet} in cross-entropy; a dry day {squared_dry} and {cross_dry}."
    )


def _calibration(now: Round, done: bool) -> dict[str, Any]:
    """Return your mean p and how often it rained, for each sky; words until all is turned."""
    if not done:
        return {"calibration": ([], []), "skies": (0.5, 0.5, "after the last card")}
    means = [float(now.given[now.skies == sky].mean()) for sky in range(len(SKIES))]
    places = [x + (0.24 if x < 0.6 else -0.24) for x in means]  # beside the points
    heights = OFTEN + np.array([-0.06, 0.06, 0, 0])  # the lowest two are close to each other
    return {"calibration": (means, OFTEN), "skies": [*zip(places, heights, SKIES, strict=True)]}


def _ending(losses: Any, now: Round) -> str:
    """Say what the cards cost, and which p for each sky would have cost least."""
    best = OFTEN[now.skies]
    yours, ideal = (
        [number(float(loss(given, now.rain, shape=()))) for loss in losses]
        for given in (now.given, best)
    )
    pairs = [f"{number(p, 2)} under {sky}" for p, sky in zip(OFTEN, SKIES, strict=True)]
    return (
        f"a card cost {yours[0]} squared and {yours[1]} in cross-entropy (always 0.5: 0.25 and"
        f" 0.693). You should have said {', '.join(pairs)}: {ideal[0]} and {ideal[1]}."
    )

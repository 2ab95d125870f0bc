"""Missions: none is reached at first, each by the controls, and none with a wrong function."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from figures import html
from plays import PLAYS, Notebook

from course import LESSONS
from grader.learner import progress
from playground import clinic, loss, loss_forecast, neuron_digit
from playground.figure import live
from playground.figure.live import LiveFigure
from playground.figure.pad import Ink

SLOPES = {"gap": -1.0, "a": -1.0, "z": -0.25, "w1": -0.5, "w2": 0.25, "b": -0.25}
ONE = Ink((row, 4) for row in range(8))
ZERO = Ink(
    [*((row, column) for row in range(1, 7) for column in (2, 5)), (0, 3), (0, 4), (7, 3), (7, 4)]
)


def forecasts(turn: int, wrong: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the best p for each card of a round, or the worst for its first, and a press."""
    order = np.random.default_rng(turn).permutation(loss_forecast.CARDS)
    best = loss_forecast.OFTEN[loss_forecast.MORNINGS[order]]
    sure = 0.99 - 0.98 * loss_forecast.RAIN[order]
    for card in range(1 if wrong else len(order)):
        p = float((sure if wrong else best)[card])
        yield {"p": p, "presses": card + 1 + (turn - 1) * (loss_forecast.CARDS + 1)}


WAYS: dict[str, list[dict[str, Any]]] = {
    "warm_up cloud": [{"right": 0, "up": 0}, {"right": -2, "up": 1}],
    "warm_up steps": [{"kind": "half, plus 20", "price": 40}, {"kind": "10 off", "price": 20}],
    "neuron look": [
        {"digit": 8, "image": 7, "weights": "3, not 8"},
        {"digit": 9, "image": 10},
        {"digit": 7, "image": 4, "weights": "1, not 0"},
    ],
    "neuron first_look": [{"image": 16}, {"image": 1, "sideways": -3}, {"image": 3, "sideways": 2}],
    "neuron boundary": [{"b": 0}, {"w1": 0, "b": 0.5}, {"w1": 1, "w2": 0.5, "b": -2}],
    "neuron separate": [
        {"w1": 3, "w2": -1, "b": -0.5},
        {"w2": 0, "b": -1},
        {"points": "XOR", "w1": 8, "w2": 8, "b": -4},
    ],
    "neuron xor": [{"b2": -1, "v1": 1, "v2": -2}, {"activation": False, "b2": 0, "v1": 0, "v2": 0}],
    "neuron signal": [
        {"b": 1, "w1": 0, "x2": -1, "w2": 1},
        {"b": -1, "w1": 0, "x2": 1, "w2": 1},
        {"b": 0.5, "x1": -1.5, "w1": 1.5, "x2": -1.5, "w2": 1.5},
    ],
    "neuron three_units": [
        {"b1": 2, "b2": 0, "b3": -2, "v1": 1.5, "v2": -3, "v3": 1.5},
        {"goal": "valley", "b2": 1, "b3": -1, "v1": -3, "v2": 3, "v3": 3},
        {"goal": "step", "b1": 0.5, "b2": -0.5, "v1": 3, "v2": -3, "v3": 0},
    ],
    "loss forecast": [*forecasts(1), {"presses": 21}, *forecasts(2, wrong=True)],
    "loss likelihood": [{"wet": 7, "p": 0.7}, {"wet": 3, "p": 0.3}, {"p": 0.9}],
    "loss outlier": [{"height": 3}, {"height": 10}, {"height": -3}],
    "loss slopes": [{"z": 10}, {"y": "1", "z": -8}, {"z": 8}],
    "loss three_logits": [
        {"temperature": 10, "z1": 0.1, "z2": 0, "z3": -0.1},
        {"temperature": 1, "z1": -4, "z2": -4, "z3": 4},
        {"z1": 4, "z2": 4, "z3": -4},
    ],
    "loss surer": [{"times": 3.0}, {"times": 6.0}],
    "learning_rate bowl": [{"lr": 1.0}, {"lr": 1.9}, {"lr": 2.0}],
    "learning_rate ravine": [{"across": 30, "lr": 10**-1.2}, {"across": 1, "lr": 1}],
    "learning_rate curvature": [{"angle": 45}, {"angle": 135}, {"angle": 15}],
    "learning_rate two_balls": [
        {"own1": 3, "own2": 3, "together": 0},
        {"own1": 4, "own2": 2, "together": 0.8},
        {"own1": 10, "own2": 10, "together": 0.9},
    ],
    "learning_rate promise": [{"lr": 0.001}, {"lr": 10**-1.1}],
    "learning_rate sweep": [{"lr": 1.0}, {"lr": 10}],
    "learning_rate curves": [{"lr": rate} for rate in (1.6, 0.03, 5.0, 0.5)],
    "learning_rate land": [
        {"lr": 10**-0.95, "roll": 1},
        {"roll": 2},
        *({"lr": 10**-1.3, "roll": roll} for roll in range(3, 21)),
    ],
    "chain_rule number_lines": [{"x": 1.8}, {"x": 2.0}, {"at_x": True}],
    "chain_rule graph": [{"b": -2}, {"a": -1}, {"a": 1, "b": 1}],
    "chain_rule fill": [{f"slope_{name}": slope for name, slope in SLOPES.items()}, {"y": 0.5}],
    "chain_rule depth": [{"layers": 30, "z": 0, "w": 4}, {"z": 1}, {"z": -1}],
    "initialization clones": [
        {"start": "only outputs random"},
        {"start": "zeros", "activation": "ReLU", "step": 200},
        {"activation": "sigmoid"},
    ],
    "initialization corridor": [
        {"width": width, "std": std} for width, std in (("16", 0.35), ("32", 0.25), ("64", 0.18))
    ],
    "initialization depth": [
        {"scheme": "the slider's", "std": 0.25},
        {"scheme": "std 1", "activation": "tanh"},
    ],
    "capstone read_digits": [{"step": step} for step in range(0, 301, 10)] + [{"image": 21}],
    "capstone clinic": [
        {"patient": patient, "diagnosis": clinic._illness(patient)} for patient in range(3)
    ],
    "capstone draw": [{"ink": ONE}, {"ink": ZERO, "like_data": False}],
    "capstone fool": [{"image": 3, "epsilon": 0.1}, {"image": 2, "epsilon": 0.2}],
}
"""For each play the controls to set, one after the other, that reach its missions."""
OURS = {"loss likelihood": loss.likelihood, "neuron first_look": neuron_digit.first_look}
"""Plays without a function of the learner's."""


@pytest.fixture(autouse=True)
def reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep missions in a set of this test's own, also where a lesson's setup cell is run."""
    found: set[str] = set()
    monkeypatch.setattr("grader.missions", found)
    monkeypatch.setattr(live, "_reached", found)


def opened(title: str) -> LiveFigure:
    """Return a play of the course with the right functions, drawn once."""
    figure = OURS[title]() if title in OURS else Notebook(title).play
    assert figure.widget
    return figure


def walk(figure: LiveFigure, ways: list[dict[str, Any]]) -> None:
    """Set the controls; a training is taken to its end each time."""
    for values in ways:
        for name, value in values.items():
            figure.controls[name].value = value
            assert figure.readout


@pytest.mark.parametrize(
    "title",
    [
        pytest.param(title, marks=[pytest.mark.long] if title.startswith("capstone") else [])
        for title in WAYS
    ],
)
def test_each_mission_is_open_at_first_and_is_reached_by_the_controls(title: str) -> None:
    figure = opened(title)
    assert len(figure.missions) in (2, 3, 4)
    assert not any(figure.missions.values())
    assert html(figure).count("○") == len(figure.missions)
    walk(figure, WAYS[title])
    assert all(figure.missions.values()), figure.missions
    assert html(figure).count("●") == len(figure.missions)


def test_every_play_with_missions_is_walked_and_their_words_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LiveFigure, "widget", "not drawn")
    for name in LESSONS:
        found = [opened(title) for title in (*PLAYS, *OURS) if title.startswith(f"{name} ")]
        walked = [title for title in WAYS if title.startswith(f"{name} ")]
        assert sum(bool(play.missions) for play in found) == len(walked)
        words = [words for play in found for words in play.missions]
        assert len(words) == len(set(words))


def test_a_wrong_function_reaches_no_mission() -> None:
    notebook = Notebook("neuron signal")
    notebook.define("weighted_sum", lambda x, w, b: float(x @ w))  # the bias forgotten
    walk(notebook.play, WAYS["neuron signal"])
    assert not any(notebook.play.missions.values())


def test_a_reached_mission_is_in_the_learners_progress_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    notebook = Notebook("neuron signal")
    live.keep(progress.missions)
    walk(notebook.play, WAYS["neuron signal"][:1])
    (first,) = json.loads((tmp_path / "progress.json").read_text())["missions"]
    again = opened("neuron signal")
    assert [words for words, done in again.missions.items() if done] == [first]
    assert html(again).count("●") == 1

"""The capstone's experiments, trained with its reference, show the facts of the lesson."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from figures import html, moved, shows

from course import lesson
from playground import capstone, network
from playground.figure.live import LiveFigure
from playground.functions import finished
from playground.functions.digits import FILE, digits

REFERENCE = lesson("capstone").reference
NAMES = capstone.FUNCTIONS
FUNCTIONS = [REFERENCE[name] for name in NAMES]

PLAYS: dict[str, Callable[..., LiveFigure]] = {
    "gradient_check": capstone.gradient_check,
    "spiral": capstone.spiral,
    "read_digits": capstone.read_digits,
    "depth": capstone.depth,
}


def play_of(name: str, **exchanged: Any) -> LiveFigure:
    return PLAYS[name](finished, *(exchanged.get(part, REFERENCE[part]) for part in NAMES))


def said(play: LiveFigure, **values: Any) -> str:
    return moved(play, **values).readout[0]


def percents(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"([\d.]+)\s%", text)]


@pytest.mark.long
@pytest.mark.parametrize("name", PLAYS)
def test_each_experiment_draws_itself(name: str) -> None:
    assert play_of(name).still().startswith(b"\x89PNG")


def test_the_gradient_check_passes_for_the_reference_and_fails_for_every_bug() -> None:
    play = play_of("gradient_check")
    verdicts = {bug: said(play, bug=bug) for bug in network.BUGS}
    assert "passes, the largest error is below 1e−9" in verdicts.pop(
        "none"
    )  # no digit that depends on the processor
    assert len(verdicts) == 4
    for text in verdicts.values():
        assert "fails" in text
        found = re.search(r"largest error is ([\d.e+-]+)", text)
        assert found
        assert float(found[1].rstrip(".;")) > 1e-2


def test_the_gradient_check_is_shown_at_once_and_its_training_on_the_way() -> None:
    async def scene() -> None:
        network.training.cache_clear()
        play = play_of("gradient_check")
        assert re.search(r"The gradient check passes, .* of new digits right so far\.", html(play))
        moved(play, bug="mean taken twice")
        assert re.search(r"The gradient check fails, .* of new digits right so far\.", html(play))
        assert await shows(play, "of new digits right.")

    asyncio.run(scene())


def test_accuracy_does_not_notice_a_forgotten_slope_or_untrained_biases() -> None:
    play = play_of("gradient_check")
    right = percents(said(play, bug="none"))[0]
    for bug in ("ReLU slope forgotten", "biases not trained"):
        assert percents(said(play, bug=bug))[0] > max(95, right - 1)
    assert percents(said(play, bug="mean taken twice"))[0] < 30


def test_a_wrong_gradient_stops_training_and_is_named() -> None:
    play = play_of(
        "spiral", backward=lambda *given: [(dW, 2 * db) for dW, db in REFERENCE["backward"](*given)]
    )
    assert re.search(
        r"The gradient check fails at b\d, with a relative error of 0\.33: training waits",
        said(play),
    )


def test_a_function_that_is_not_written_yet_is_named() -> None:
    def train(layers: Any, gradient: Any, step: Any, lr: float, n_steps: int) -> Any:
        raise NotImplementedError("train is not written yet")

    assert "train is not written yet" in said(play_of("depth", train=train))


def test_a_line_gets_half_of_the_spiral_right_and_32_units_nearly_all() -> None:
    play = play_of("spiral")
    assert 50 <= percents(said(play, hidden="none"))[0] <= 60
    assert percents(said(play, hidden="4"))[0] < 80
    assert percents(said(play, hidden="32"))[0] >= 99


def test_the_network_reads_97_percent_of_new_digits() -> None:
    hidden, none = percents(said(play_of("read_digits")))
    assert hidden >= 97
    assert 96 <= none <= hidden


def test_deep_networks_keep_their_losses_and_not_their_layers() -> None:
    play = play_of("depth")
    assert "16 hidden layers" in said(play, layers=16)
    runs = [one for one in gc.get_objects() if type(one) is network.Training]
    runs = [run for run in runs if len(run.settings.hidden) == 16]
    assert len(runs) == 2
    for run in runs:
        assert len(run.moments) == capstone.DEPTH_STEPS // capstone.DEPTH_EVERY + 1
        assert [bool(moment.layers) for moment in run.moments[-3:]] == [False, False, True]


def test_deep_networks_train_from_kaiming_and_not_from_xavier() -> None:
    play = play_of("depth")
    losses = {}
    for layers in (1, 4, 8, 10, 16):
        found = re.findall(r"([\d.]+) from", said(play, layers=layers))
        losses[layers] = [float(number) for number in found[:2]]
    kaiming, xavier = losses[16]
    assert kaiming < 2.0 < 2.25 < xavier
    kaiming, xavier = losses[10]
    assert kaiming < 1.2 < 1.9 < xavier
    kaiming, xavier = losses[1]
    assert abs(kaiming - xavier) < 0.3
    assert max(losses[4][0], losses[8][0]) < 0.7 < kaiming


def test_all_digits_are_in_one_of_two_parts_and_have_a_licence() -> None:
    data = digits()
    assert (data.X.shape, data.X_test.shape) == ((1437, 64), (360, 64))
    assert (data.X.min(), data.X.max()) == (0, 1)
    assert set(data.labels) == set(data.labels_test) == set(range(10))
    assert not {row.tobytes() for row in data.X} & {row.tobytes() for row in data.X_test}
    assert "CC BY 4.0" in (FILE.parent / "README.md").read_text()


def test_the_checked_network_is_clear_of_kinks_and_in_float64() -> None:
    blocks = network.Blocks(
        *FUNCTIONS, *(getattr(finished, name) for name in network.names()[len(NAMES) :])
    )
    X = np.random.default_rng(0).normal(size=(5, 3))
    layers = network._clear_of_kinks(blocks, X)
    _, sums = REFERENCE["forward"](X, layers, finished.relu)
    assert min(np.abs(Z).min() for Z in sums[:-1]) > network.CLEAR_OF_KINKS
    assert {Z.dtype for Z in sums} == {np.dtype("float64")}

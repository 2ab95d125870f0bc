"""The capstone's experiments: trained with the lesson's own functions, and the facts that the lesson tells are what they show."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from figures import html, shown

from course import lesson
from playground import capstone, network
from playground.figure import rest
from playground.figure.live import LiveFigure
from playground.functions import finished
from playground.functions.digits import FILE, digits

REFERENCE = lesson("capstone").reference
NAMES = ("forward", "backward", "train", "relative_error")
FUNCTIONS = [REFERENCE[name] for name in NAMES]

PLAYS: dict[str, Callable[..., LiveFigure]] = {
    "bench": capstone.bench,
    "spiral": capstone.spiral,
    "reading": capstone.reading,
    "depth": capstone.depth,
}


def play_of(name: str, **exchanged: Any) -> LiveFigure:
    return PLAYS[name](finished, *(exchanged.get(part, REFERENCE[part]) for part in NAMES))


def said(play: LiveFigure, **values: Any) -> str:
    assert play.widget
    for name, value in values.items():
        play.controls[name].value = value
    return play.readout[0]


def percents(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"([\d.]+)\s%", text)]


@pytest.mark.long
@pytest.mark.parametrize("name", PLAYS)
def test_each_experiment_draws_itself(name: str) -> None:
    assert play_of(name).still().startswith(b"\x89PNG")


def test_the_gradient_check_passes_for_the_reference_and_fails_for_every_bug() -> None:
    bench = play_of("bench")
    verdicts = {bug: said(bench, bug=bug) for bug in network.BUGS}
    assert "passes, the largest error is below 1e−9" in verdicts.pop(
        "none"
    )  # no digit that depends on the processor
    assert len(verdicts) == 4
    for text in verdicts.values():
        assert "fails" in text
        found = re.search(r"largest error is ([\d.e+-]+)", text)
        assert found
        assert float(found[1].rstrip(".;")) > 1e-2


def test_the_bench_says_at_once_what_the_check_found_and_trains_while_the_hand_rests(
    cell: None,
) -> None:
    network.training.cache_clear()
    bench = play_of("bench")
    assert re.search(r"The gradient check passes, .* of new digits right so far\.", html(bench))
    bench.controls["bug"].value = "mean taken twice"
    assert re.search(r"The gradient check fails, .* of new digits right so far\.", html(bench))
    rest.hold(False)
    assert shown(bench, "of new digits right.")


def test_accuracy_does_not_notice_a_forgotten_slope_or_untrained_biases() -> None:
    bench = play_of("bench")
    right = percents(said(bench, bug="none"))[0]
    for bug in ("ReLU slope forgotten", "biases not trained"):
        assert percents(said(bench, bug=bug))[0] > max(95, right - 1)
    assert percents(said(bench, bug="mean taken twice"))[0] < 30


def test_a_wrong_gradient_closes_the_gate_and_the_sentence_names_the_array() -> None:
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


def test_a_line_gets_about_half_of_the_spiral_right_and_32_units_nearly_all() -> None:
    play = play_of("spiral")
    assert 50 <= percents(said(play, hidden="none"))[0] <= 60
    assert percents(said(play, hidden="4"))[0] < 80
    assert percents(said(play, hidden="32"))[0] >= 99


def test_the_network_reads_97_percent_of_new_digits_and_softmax_regression_nearly_as_many() -> None:
    hidden, none = percents(said(play_of("reading")))
    assert hidden >= 97
    assert 96 <= none <= hidden


def test_deep_networks_keep_their_losses_and_not_their_layers() -> None:
    play = play_of("depth")
    assert "16 hidden layers" in said(play, layers=16)
    runs = [
        one
        for one in gc.get_objects()
        if isinstance(one, network.Training) and len(one._sizes) == 18
    ]
    assert len(runs) == 2
    for run in runs:
        assert len(run.moments) == capstone.DEPTH_STEPS // capstone.DEPTH_EVERY + 1
        assert [bool(moment.layers) for moment in run.moments[-3:]] == [False, False, True]


def test_with_depth_kaiming_still_trains_and_xavier_stands_still() -> None:
    play = play_of("depth")
    losses = {
        layers: [
            float(n)
            for n in re.findall(r"is ([\d.]+) from|and ([\d.]+) from", said(play, layers=layers))[
                0:2
            ]
            for n in n
            if n
        ]
        for layers in (1, 10, 16)
    }
    kaiming, xavier = losses[16]
    assert kaiming < 2.0 < 2.25 < xavier
    kaiming, xavier = losses[10]
    assert kaiming < 1.2 < 1.9 < xavier
    kaiming, xavier = losses[1]
    assert abs(kaiming - xavier) < 0.3


def test_the_digits_are_all_there_each_in_one_part_only_with_their_licence() -> None:
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

"""The capstone's experiments, trained with its reference, show the facts of the lesson."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import re
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from figures import html, moved, png, shows

from course import lesson
from playground import capstone, clinic, network
from playground.figure.live import LiveFigure
from playground.functions import finished
from playground.functions.digits import FILE, digits

REFERENCE = lesson("capstone").reference
NAMES = capstone.FUNCTIONS
FUNCTIONS = [REFERENCE[name] for name in NAMES]

PLAYS: dict[str, Callable[..., LiveFigure]] = {
    "clinic": clinic.clinic,
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
    assert png(play_of(name)).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "control", "values"),
    [("clinic", "diagnosis", list(clinic.BUGS)[:2]), ("depth", "layers", [1, 2])],
)
def test_what_was_computed_for_a_move_is_not_computed_again(
    name: str, control: str, values: list[Any]
) -> None:
    calls: list[int] = []

    def forward(*given: Any) -> Any:
        calls.append(1)
        return REFERENCE["forward"](*given)

    play = play_of(name, forward=forward)
    for value in values:
        said(play, **{control: value})
    assert calls
    calls.clear()
    for value in values:
        said(play, **{control: value})
    assert not calls


@cache
def clinic_play() -> LiveFigure:
    return play_of("clinic")


def patient(bug: str) -> int:
    """Return the number of the first patient that has a bug."""
    return next(k for k in range(len(clinic.BUGS)) if clinic._illness(k) == bug)


def treated(bug: str, diagnosis: str = clinic.UNNAMED) -> str:
    said(clinic_play(), patient=patient(bug))
    return said(clinic_play(), diagnosis=diagnosis)


def read(bug: str) -> list[float]:
    """Return the percentages of known and of new images that a patient reads."""
    return percents(treated(bug))[:2]


def worst(bug: str) -> dict[str, bool]:
    """Return for each gradient of a patient whether the check finds it wrong."""
    sick = clinic.BUGS[bug].change(blocks())
    found = network.errors(clinic._checked(sick, finished.init_kaiming_normal))
    assert all(error < clinic.ROUNDING or error > 1e-2 for error in found.values())
    return {name: error > network.LIMIT for name, error in found.items()}


def blocks() -> network.Blocks:
    return network.Blocks(
        *FUNCTIONS, *(getattr(finished, name) for name in network.names()[len(NAMES) :])
    )


def test_the_gradient_check_finds_three_bugs_each_by_its_own_pattern() -> None:
    wrong = {
        bug: "".join(n for n, is_wrong in worst(bug).items() if is_wrong) for bug in clinic.BUGS
    }
    assert wrong.pop("slope forgotten") == "W0b0W1b1"
    assert wrong.pop("mean taken twice") == "W0b0W1b1W2b2"
    assert wrong.pop("biases left out") == "b0b1b2"
    assert set(wrong.values()) == {""}


def test_each_seven_patients_have_all_bugs_and_none_twice_in_a_row() -> None:
    bugs = [clinic._illness(k) for k in range(70)]
    assert all(set(bugs[k : k + 7]) == set(clinic.BUGS) for k in range(0, 70, 7))
    assert all(one != other for one, other in pairwise(bugs))
    assert bugs[0] == "mean taken twice"


def test_accuracy_does_not_notice_a_forgotten_slope_or_untrained_biases() -> None:
    _, sound = percents(f"0 % {said(play_of('read_digits'))}")[:2]
    for bug in ("slope forgotten", "biases left out"):
        assert read(bug)[1] > max(96, sound - 1)
    assert read("mean taken twice")[1] < 30


def test_the_other_bugs_are_visible_in_what_is_read() -> None:
    known, new = read("labels shuffled")
    assert 15 < known < 30
    assert new < 15
    for bug in ("all weights 0", "dead ReLUs"):
        assert max(read(bug)) < 15
    assert read("rate too high")[1] < 90


def test_the_size_of_the_signal_tells_weights_of_zero_from_dead_relus() -> None:
    sizes = {}
    for bug in ("all weights 0", "dead ReLUs", "labels shuffled"):
        run = clinic._training(blocks(), bug)
        run.advance()
        sizes[bug] = clinic._sizes(blocks(), run)
    assert (sizes["all weights 0"][1:] == 0).all()
    assert sizes["dead ReLUs"][1] > 1
    assert (sizes["dead ReLUs"][2:] == 0).all()
    assert (sizes["labels shuffled"] > 0.2).all()


def test_a_rate_too_high_makes_the_loss_leap() -> None:
    run = clinic._training(blocks(), "rate too high")
    assert [*capstone.in_step(run)][-1] == len(run.moments) - 1
    losses = [moment.loss for moment in run.moments]
    assert np.sum(np.diff(losses) > 0.3) >= 2
    assert max(losses[1:]) > losses[0] - 0.2


def test_a_diagnosis_is_judged_and_forgotten_with_the_next_patient() -> None:
    assert "Right, it is “mean taken twice”." in treated("mean taken twice", "mean taken twice")
    assert "It isn't “dead ReLUs”. Dead ReLUs get" in treated("mean taken twice", "dead ReLUs")
    moved(clinic_play(), patient=patient("labels shuffled"))
    assert clinic_play().controls["diagnosis"].value == clinic.UNNAMED
    assert "It isn't" not in said(clinic_play())


def test_the_clinic_waits_until_the_gradients_are_right() -> None:
    def backward(*given: Any) -> Any:
        return [(dW, 2 * db) for dW, db in REFERENCE["backward"](*given)]

    assert "The gradient check fails at b" in said(play_of("clinic", backward=backward))


def test_a_patient_is_shown_at_once_and_trained_on_the_way() -> None:
    async def scene() -> None:
        network.training.cache_clear()
        play = play_of("clinic")
        assert "Patient 1 after 0 steps" in html(play)
        moved(play, patient=1)
        assert "Patient 2 after 0 steps" in html(play)
        assert await shows(play, "Patient 2 after 300 steps")

    asyncio.run(scene())


@pytest.mark.parametrize(("name", "steps"), [("spiral", 3000), ("read_digits", 300)])
def test_a_network_is_shown_before_its_training_and_on_the_way(name: str, steps: int) -> None:
    shown: list[str] = []

    async def scene() -> None:
        network.training.cache_clear()
        capstone.keep(set())
        play = play_of(name)
        assert play._empty()
        play._moving.observe(lambda change: shown.append(change.new), "value")
        assert await shows(play, f"After {steps} steps")
        assert not any(play.missions.values())  # the learner has moved nothing

    asyncio.run(scene())
    found = [re.search(r"After (\d+) steps", text) for text in shown]
    assert [int(one[1]) for one in found if one] == [*range(0, steps + 1, steps // 30)]


def test_training_goes_as_far_as_the_slider_and_continues_there() -> None:
    network.training.cache_clear()
    run = capstone.digit_training(blocks(), ())
    assert [*capstone.in_step(run, step=20)] == [0, 1, 2]
    assert [*capstone.in_step(run, step=10)] == [1]
    other = capstone.digit_training(blocks(), (32,))
    assert [*capstone.in_step(run, other, step=30)] == [0, 1, 2, 3]


@pytest.mark.parametrize("part", NAMES)
def test_the_clinic_explains_a_function_that_stops(part: str) -> None:
    def stops(*_: Any) -> Any:
        raise ZeroDivisionError("on purpose")

    assert f"{part} stopped with ZeroDivisionError: on purpose." in said(
        play_of("clinic", **{part: stops})
    )


@cache
def script() -> dict[str, Any]:
    """Return the names that the lesson's own cells define: start, gradient_on, report and run."""
    X, labels, X_new, labels_new = digits()
    names = {"np": np, "play": capstone, "mine": finished, **REFERENCE, "X": X, "labels": labels}
    names |= {"X_new": X_new, "labels_new": labels_new}
    for cell in lesson("capstone").notebook.cells:
        if re.match("def (start|report|run)", cell.source):
            exec(cell.source.split("with play")[0], names)
    return names


def logbook(n: int, **settings: Any) -> np.ndarray[Any, Any]:
    """Return step, losses on known and new images, and percent read of both, line by line."""
    names, told = script(), io.StringIO()
    with contextlib.redirect_stdout(told):
        names["run"](names["X"][:n], names["labels"][:n], **settings)
    lines = [re.findall(r"[\d.]+", line) for line in told.getvalue().splitlines()]
    return np.array(lines, float)


def test_five_epochs_are_225_small_steps_or_five_full_ones() -> None:
    small, full = logbook(1437, batch_size=32, epochs=5), logbook(1437, batch_size=1437, epochs=5)
    assert small[-1, 0] == 225
    assert small[:, 4].max() > 96
    assert small[-1, 4] > 90
    assert full[-1, 0] == 5
    assert 50 < full[-1, 4] < 60


def test_thirty_images_are_learned_by_heart_and_new_losses_rise() -> None:
    book = logbook(30, batch_size=30, epochs=1000, every=100)
    after = book[1:]
    assert (after[:, 3] == 100).all()
    assert ((after[:, 4] > 72) & (after[:, 4] < 80)).all()
    assert (np.diff(after[:, 1]) <= 0).all()
    assert (np.diff(after[:, 2]) > 0).all()


def test_the_numbers_of_the_gate_are_those_of_its_text() -> None:
    a, b = np.array([3.0, 4.0]), np.array([3.0, 4.5])
    assert [round(float(np.linalg.norm(each)), 2) for each in (a, b)] == [5, 5.41]
    assert round(REFERENCE["relative_error"](a, b), 3) == 0.048
    assert script()["start"](64, 32, 10)[0][0].size == 2048


def test_a_script_explains_what_stopped_it(capsys: pytest.CaptureFixture[str]) -> None:
    def forward(n: int) -> float:
        if not n:
            raise NotImplementedError
        return 1 / (n - 1)

    for n in (0, 1):
        with capstone.explained():
            forward(n)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "forward is not written yet."
    assert re.fullmatch(r"ZeroDivisionError: .*\. It came from line \d+ .*: return 1 / .*", second)


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
    assert 96 <= none <= hidden < none + 1
    assert abs(none - lesson("capstone").questions["better_than_linear"].answer) < 0.5


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
    play, losses, reads = play_of("depth"), {}, {}
    for layers in (1, 2, 4, 8, 10, 16):
        told = said(play, layers=layers)
        losses[layers] = [float(number) for number in re.findall(r"([\d.]+) from", told)]
        reads[layers] = percents(told)[0]
    kaiming, xavier = losses[16]
    assert kaiming < 2.0 < 2.25 < xavier < 2.35
    kaiming, xavier = losses[10]
    assert kaiming < 1.2 < 1.9 < xavier
    for layers in (1, 2):
        assert max(losses[layers]) - min(losses[layers]) < 0.3
    assert max(losses[4][0], losses[8][0]) < 0.7 < losses[1][0] < losses[10][0]
    assert max(reads[4], reads[8]) < reads[1] + 1


def test_all_digits_are_in_one_of_two_parts_and_have_a_licence() -> None:
    data = digits()
    assert (data.X.shape, data.X_test.shape) == ((1437, 64), (360, 64))
    assert (data.X.min(), data.X.max()) == (0, 1)
    assert set(data.labels) == set(data.labels_test) == set(range(10))
    assert not {row.tobytes() for row in data.X} & {row.tobytes() for row in data.X_test}
    assert "CC BY 4.0" in (FILE.parent / "README.md").read_text()


def test_the_checked_network_is_clear_of_kinks_and_in_float64() -> None:
    X = np.random.default_rng(0).normal(size=(5, 3))
    layers = network._clear_of_kinks(blocks(), X)
    _, sums = REFERENCE["forward"](X, layers, finished.relu)
    assert min(np.abs(Z).min() for Z in sums[:-1]) > network.CLEAR_OF_KINKS
    assert {Z.dtype for Z in sums} == {np.dtype("float64")}

"""Live figures follow their controls and the learner's functions, and explain errors."""

from __future__ import annotations

import asyncio
import base64
import io
import re
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from figures import html, lines_of, moved, png, shows, slope_figure
from ipywidgets.widgets.widget import _instances
from matplotlib.image import imread
from PIL import Image

from playground.figure import live, style
from playground.figure.learner_function import Interrupted, LearnerFunction
from playground.figure.live import LiveFigure


class Prediction:
    """A question with the interface of the grader's."""

    answered = False
    guess: float | None = None

    def __init__(self) -> None:
        self.callbacks: list[Any] = []

    def on_answer(self, callback: Any) -> None:
        if self.answered:
            callback()
        else:
            self.callbacks.append(callback)

    def answer(self) -> None:
        self.answered = True
        for callback in self.callbacks:
            callback()


def test_a_prediction_answered_while_its_play_is_being_covered_uncovers_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prediction = Prediction()

    def fill(figure: LiveFigure, *given: Any, original: Any = LiveFigure._fill, **how: Any) -> None:
        original(figure, *given, **how)
        prediction.answered = True

    monkeypatch.setattr(LiveFigure, "_fill", fill)
    assert "it ends at 1." in html(slope_figure(after=prediction))


def test_a_play_interrupted_at_its_first_showing_is_whole_at_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figure = slope_figure(relu=lambda z: z)
    for step in ("_fill", "refresh"):
        with monkeypatch.context() as patch:
            patch.setattr(LiveFigure, step, Mock(side_effect=KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                _ = figure.widget
    assert "it ends at 1." in html(figure)
    figure.controls["slope"].value = 2.0
    assert "it ends at 2." in html(figure)
    assert len(figure.still.figure.legends) == 1


def test_a_name_without_a_function_is_reported_and_its_next_function_followed() -> None:
    home: dict[str, Any] = {}
    exec("def relu(z):\n    return z", home)
    figure = slope_figure(relu=home["relu"])
    assert "it ends at 1." in html(figure)
    for thing in (np.zeros(2), np.ones(3)):
        home["relu"] = thing
        figure.follow()
        assert "relu is not a function but ndarray. Fix it and run its cell again" in html(figure)
    exec("def relu(z):\n    return 2 * z", home)
    figure.follow()
    assert "it ends at 2." in html(figure)


def test_a_function_may_overwrite_its_inputs() -> None:
    def spoiled(x: Any, layers: Any) -> Any:
        x *= 0
        layers[0][0][:] = 0
        return x.sum()

    point, points, layers = np.ones(2), np.ones((3, 2)), [(np.ones((2, 2)), np.ones(2))]
    watched = LearnerFunction("spoiled", spoiled)
    watched(point, layers)
    watched.over(points, layers)
    assert (point.sum(), points.sum(), layers[0][0].sum()) == (2, 6, 4)


def test_moving_a_slider_moves_the_line_and_leaves_the_still_layer() -> None:
    figure = slope_figure()
    before, layer = lines_of(figure.svg)[-1], _pictures(figure)
    figure.controls["slope"].value = -1.0
    after = lines_of(figure.svg)[-1]
    assert after[0] == pytest.approx(before[0])
    assert after[-1, 1] > before[-1, 1] + 50
    assert _pictures(figure) == layer


def _pictures(figure: LiveFigure) -> list[str]:
    return re.findall(r'<img alt=""[^>]* src="([^"]+)"', html(figure))


def test_the_alt_text_describes_the_present_data() -> None:
    figure = slope_figure(relu=lambda z: np.maximum(z, 0))
    assert "slope: 1" in _label(figure)
    assert "it ends at 1." in _label(figure)
    figure.controls["slope"].value = -1.5
    assert "slope: −1.5" in _label(figure)
    assert "it ends at 0." in _label(figure)


def _label(figure: LiveFigure) -> str:
    return re.findall(r'aria-label="([^"]*)"', html(figure))[0]


def test_a_right_function_is_reported_as_the_target() -> None:
    assert slope_figure(relu=lambda z: np.maximum(z, 0)).readout == [
        "Yours: it ends at 1.",
        "The target is the same.",
    ]


def test_a_wrong_function_is_drawn_next_to_the_target() -> None:
    figure = slope_figure(relu=lambda z: 0 * z)
    yours, target = lines_of(figure.svg)[1], lines_of(figure.svg)[-1]
    assert yours[-1, 1] > target[-1, 1] + 50
    assert figure.readout == ["Yours: it ends at 0.", "Target: it ends at 1."]


@pytest.mark.parametrize(
    ("relu", "sentence"),
    [
        (lambda z: 1 / 0, "relu stopped with ZeroDivisionError: division by zero."),
        (lambda: 0, "relu stopped with TypeError: "),
        (lambda z: None, "relu returned None: is its return missing?"),
        (
            lambda z: z[:2],
            "relu returned an array of shape (2,) where an array of shape (5,) belongs.",
        ),
        (lambda z: 3.0, "relu returned one number where an array of shape (5,) belongs."),
        (lambda z: z * np.nan, "relu returned nothing but NaN (not a number)."),
        (lambda z: "soon", "relu returned str instead of numbers."),
        (lambda z: [str(each) for each in z], "relu returned list instead of numbers."),
        (lambda z: [[1, 2], [3]], "relu returned list instead of numbers."),
    ],
)
def test_an_error_is_explained_in_one_sentence_in_the_figure(relu: Any, sentence: str) -> None:
    figure = slope_figure(relu=relu)
    assert figure.readout[0].startswith(sentence)
    drawn = " ".join(re.findall(r"<tspan[^>]*>([^<]*)", figure.svg))
    assert drawn.replace("&#x27;", "'").startswith(sentence[:60])
    assert png(figure).startswith(b"\x89PNG")


def test_an_unwritten_function_leaves_the_target_alone() -> None:
    def relu(z: Any) -> Any:
        raise NotImplementedError("relu: fill me in")

    figure = slope_figure(relu=relu)
    assert figure.readout == [
        "relu is not written yet. Here is the target alone.",
        "Target: it ends at 1.",
    ]
    assert style.TARGET.color in figure.svg
    assert style.YOURS.color not in figure.svg


def test_a_fixed_function_is_followed_without_rebuilding_the_figure() -> None:
    notebook: dict[str, Any] = {}
    exec("def relu(z): raise ValueError('not yet right')", notebook)
    figure = slope_figure(relu=notebook["relu"])
    widget = figure.widget
    assert "not yet right" in html(figure)
    exec("def relu(z): return z * (z > 0)", notebook)
    figure.controls["slope"].value = 2.0
    assert figure.readout == ["Yours: it ends at 2.", "The target is the same."]
    assert figure.widget is widget
    assert "not yet right" not in html(figure)


def test_following_refreshes_only_for_a_new_definition() -> None:
    notebook: dict[str, Any] = {"calls": []}
    exec("def relu(z):\n    calls.append(1)\n    return z", notebook)
    figure = slope_figure(relu=notebook["relu"])
    assert figure.widget
    figure.follow()
    exec("def relu(z): return 0 * z", notebook)
    figure.follow()
    assert "Yours: it ends at 0." in html(figure)
    assert notebook["calls"] == [1]


@pytest.mark.parametrize(
    ("before", "after", "slopes"),
    [
        ("relu = lambda z: z", "relu = lambda z: 2 * z", (1, 2)),
        (
            "def positive(z): return z > 9\n\ndef relu(z): return z * positive(z)",
            "def positive(z): return z > 0",
            (0, 1),
        ),
        ("SLOPE = 1.0\n\ndef relu(z): return SLOPE * z", "SLOPE = 2.0", (1, 2)),
        (
            "from functools import cache\n\n@cache\ndef slope(): return 1\n\n"
            "def relu(z): return slope() * z",
            "@cache\ndef slope(): return 2",
            (1, 2),
        ),
        (
            "from functools import wraps\n\ndef logged(f):\n    @wraps(f)\n"
            "    def inner(z): return f(z)\n    return inner\n\n"
            "def slope(): return 1\n\n@logged\ndef relu(z): return slope() * z",
            "def slope(): return 2",
            (1, 2),
        ),
    ],
    ids=[
        "a lambda by its variable",
        "a function that its function calls",
        "a number that its function uses",
        "a cached function that its function calls",
        "a function that its decorated function calls",
    ],
)
def test_a_figure_follows(before: str, after: str, slopes: tuple[int, int]) -> None:
    notebook: dict[str, Any] = {}
    exec(before, notebook)
    figure = slope_figure(relu=notebook["relu"])
    assert f"Yours: it ends at {slopes[0]}." in html(figure)
    exec(after, notebook)
    figure.follow()
    assert f"Yours: it ends at {slopes[1]}." in html(figure)


def test_in_a_kernel_a_figure_follows_soon_after_the_last_cell() -> None:
    async def scene() -> None:
        notebook: dict[str, Any] = {}
        exec("def relu(z): return z", notebook)
        figure = slope_figure(relu=notebook["relu"])
        assert figure.widget
        exec("def relu(z): return 0 * z", notebook)
        figure.follow()
        figure.follow()  # after the next cell, which redefined nothing
        assert "relu has changed: this figure is being drawn again." in html(figure)
        assert "it ends at 1." not in html(figure)
        assert await shows(figure, "it ends at 0.")

    asyncio.run(scene())


def test_a_figure_says_that_it_is_being_drawn_before_its_functions_are_called() -> None:
    seen: list[str] = []

    def relu(z: Any) -> Any:
        seen.append(figure._moving.value)
        return z

    figure = slope_figure(relu=relu)
    assert figure.widget
    assert "This figure is being drawn." in seen[0]
    assert "playground-behind" in seen[0]
    assert "playground-behind" not in figure._moving.value


def test_the_figure_that_takes_longest_follows_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_newest", {})
    followed: list[str] = []
    for title, seconds in (("sweep", 9.0), ("bowl", 0.01), ("ravine", 0.02)):
        figure = slope_figure()
        figure._seconds = seconds
        monkeypatch.setattr(figure, "follow", lambda title=title: followed.append(title))
        live._newest[title, "cell"] = figure
    live._after_cell(None)
    assert followed == ["bowl", "ravine", "sweep"]


def test_a_cell_run_again_closes_its_last_play_and_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live, "_newest", {})
    prediction = Prediction()

    def shown(cell: str, run: int) -> LiveFigure:
        parent = {"metadata": {"cellId": cell}}
        shell = SimpleNamespace(events=Mock(), execution_count=run, parent_header=parent)
        monkeypatch.setattr(live, "get_ipython", lambda: shell)
        figure = slope_figure(after=prediction)
        assert figure.widget
        return figure

    before = len(_instances)
    first = shown("a", 1)
    each = len(_instances) - before
    twins = [shown("a", 2), shown("a", 2), shown("b", 3)]
    assert first.still.figure.axes == []
    assert len(_instances) - before == 3 * each
    prediction.answer()
    assert all("it ends at 1." in html(figure) for figure in twins)
    first._ipython_display_()
    assert "run again" in capsys.readouterr().out


def test_an_interrupted_function_is_not_called_again_before_it_is_redefined() -> None:
    notebook: dict[str, Any] = {"calls": []}
    exec("def relu(z):\n    calls.append(1)\n    raise KeyboardInterrupt", notebook)
    figure = slope_figure(relu=notebook["relu"])
    for slope in (2.0, -1.0):
        assert "relu was interrupted. Fix it" in html(moved(figure, slope=slope))
    assert notebook["calls"] == [1]
    exec("def relu(z): return z", notebook)
    assert "it ends at 0.5." in html(moved(figure, slope=0.5))


def test_an_interrupt_names_the_outermost_function() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    inner = LearnerFunction("gd_step", stop)
    with pytest.raises(Interrupted, match=r"^train was interrupted\.$"):
        LearnerFunction("train", inner)()


def test_a_function_without_a_name_in_the_notebook_stays_the_same() -> None:
    figure = slope_figure(relu=np.abs)
    figure.controls["slope"].value = -2.0
    assert figure.readout[0] == "Yours: it ends at 2."


def test_a_play_is_covered_until_its_prediction_is_answered() -> None:
    prediction = Prediction()
    figure = slope_figure(after=prediction)
    assert "Answer the prediction above to unlock this play." in html(figure)
    assert "<svg" not in html(figure)
    assert "it ends at" not in html(figure)
    figure.follow()
    prediction.answer()
    assert "Answer the prediction" not in html(figure)
    assert "<svg" in html(figure)
    assert "it ends at 1." in html(figure)


def test_an_answered_prediction_covers_nothing() -> None:
    prediction = Prediction()
    prediction.answered = True
    assert "<svg" in html(slope_figure(after=prediction))


def test_a_learners_prints_and_warnings_stay_out_of_the_notebook(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def relu(z: Any) -> Any:
        print("debugging", z)
        return np.maximum(z, 0) + 0 * np.log(-1.0)

    with np.errstate(all="warn"):
        figure = slope_figure(relu=relu)
        assert figure.widget
    assert capsys.readouterr() == ("", "")


def test_a_move_before_the_figure_is_looked_at_places_nothing_wrongly() -> None:
    early, late = slope_figure(), slope_figure()
    early.controls["slope"].value = 0.5
    assert late.widget
    late.controls["slope"].value = 0.5
    assert early.svg == late.svg


def test_a_button_counts_its_presses() -> None:
    figure = LiveFigure("Steps", lambda f, step: ({}, f"step {step}."))
    figure.button("step", "one step")
    assert figure.widget
    side: Any = figure.widget.children[1]
    side.children[0].children[0].click()
    assert figure.readout == ["step 1."]


def test_every_control_has_a_label() -> None:
    figure = LiveFigure("Controls", lambda f, **values: ({}, str(sorted(values))))
    figure.slider("a", "weight a", 0, 1, 0.5)
    figure.log_slider("b", "rate b", -3, 0, 0.1)
    figure.switch("c", "on", True)
    figure.choice("d", "kind", ["one", "two"])
    assert [control.description for control in figure.controls.values()] == [
        "weight a",
        "rate b",
        "on",
        "kind",
    ]
    assert figure.widget
    assert figure.alt.startswith("Controls. weight a: 0.5, rate b: 0.1, on: on, kind: one.")


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Record the bundles that figures display."""
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(live, "display", lambda data, raw, metadata=None: shown.append(data))
    return SimpleNamespace(
        of=lambda figure: (shown.clear(), figure._ipython_display_(), list(shown))[
            -1
        ]  # the way IPython asks for it
    )


def test_a_reader_without_a_kernel_gets_a_picture_with_alt_text(displayed: Any) -> None:
    widget, still = displayed.of(slope_figure())
    assert set(widget) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    assert imread(io.BytesIO(base64.b64decode(still["image/png"]))).shape[:2] == (
        style.HEIGHT,
        style.WIDTH,
    )
    alt, data = re.findall(
        r'<img alt="([^"]+)" src="data:image/webp;base64,([^"]+)"', still["text/html"]
    )[0]
    assert alt == still["text/plain"] == "A slope. slope: 1. it ends at 1."
    size = style.WIDTH * style.SHARPNESS, style.HEIGHT * style.SHARPNESS
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == size


def test_the_text_of_stored_outputs_is_the_same_in_every_run(displayed: Any) -> None:
    first, second = (
        [bundle["text/plain"] for bundle in displayed.of(slope_figure())] for _ in range(2)
    )
    assert first == second
    assert not re.search(r"0x[0-9a-f]|\d\.\d{4}|[0-9a-f]{32}", " ".join(first))


def test_the_picture_is_hidden_by_the_live_figure_and_by_nothing_else(displayed: Any) -> None:
    figure = slope_figure()
    still = displayed.of(figure)[1]["text/html"]
    name = re.findall(r"playground-still-(\w+)\"", still)[0]
    for live_figure in (figure, slope_figure(after=Prediction())):
        assert f":has(.playground-still-{name}) {{display:none}}" in html(live_figure)
    assert f".playground-still-{name}{{" not in still.replace(" ", "").replace(
        f":has(+.jp-OutputArea-child.playground-still-{name})", ""
    )


def test_a_guess_is_drawn_and_told_once_it_is_made() -> None:
    prediction = Prediction()
    figure = slope_figure(after=prediction)
    figure.guess(figure.panels[0])
    prediction.guess = 0.5
    prediction.answer()
    assert figure.svg.count(f'stroke="{style.themed(style.BLACK)}"') == 1
    assert "Your guess was 0.5." in figure.readout[-1]
    assert "guess" not in slope_figure().alt

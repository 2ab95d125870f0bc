"""A live figure: what moves lies where matplotlib would draw it, follows the controls, and is a picture without a kernel."""

from __future__ import annotations

import base64
import io
import re
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from playground import rest, style
from playground.live import LiveFigure
from playground.marks import OUTLINES, _pieces, _shape

CORNERS = (np.array([1.0, 10.0, 1000.0]), np.array([0.25, 0.75, 0.5]))


class Prediction:
    """A question in the way that the grader's is one."""

    answered = False

    def __init__(self) -> None:
        self.callbacks: list[Any] = []

    def on_answer(self, callback: Any) -> None:
        self.callbacks.append(callback)

    def answer(self) -> None:
        self.answered = True
        for callback in self.callbacks:
            callback()


def slope_figure(after: Any = None, **functions: Any) -> LiveFigure:
    """y = relu(slope · x), drawn by the learner's relu beside the finished one."""

    def move(f: Any, slope: float) -> Any:
        x = np.linspace(0, 1, 5)
        y = f.relu(slope * x, shape=(5,)) if functions else slope * x
        return {"curve": (x, y)}, f"it ends at {style.number(y[-1])}."

    figure = LiveFigure("A slope", move, functions, after)
    figure.line("curve", figure.axes(xlim=(0, 1), ylim=(-2, 2)), label="curve")
    figure.slider("slope", "slope", -2, 2, 1.0)
    return figure


def html(figure: LiveFigure) -> str:
    """All HTML that the widget shows now."""

    def walk(widget: Any) -> list[str]:
        own = [str(widget.value)] if hasattr(widget, "placeholder") else []
        return own + [text for child in getattr(widget, "children", ()) for text in walk(child)]

    return "".join(walk(figure.widget))


def lines_of(svg: str) -> list[np.ndarray[Any, Any]]:
    """The corners of each path of an SVG; for a row of markers, the first one's centre."""
    paths = re.findall(r'<path d="M([^"Zm]*)[Z"m]', svg)
    return [np.array([[float(n) for n in corner.split()] for corner in path.split("L")]) for path in paths]


@pytest.mark.parametrize("scale", ["linear", "log", "symlog"])
@pytest.mark.parametrize("place", [111, 122])
def test_a_line_lies_where_matplotlib_would_draw_it(scale: str, place: int) -> None:
    figure = LiveFigure("Corners", lambda f: ({"corners": CORNERS}, ""))
    ax = figure.axes(place, xscale=scale, xlim=(0.5, 2000), ylim=(0, 1), xlabel="words", ylabel="words")
    figure.line("corners", ax)
    drawn = lines_of(figure.svg)[-1]
    expected = ax.transData.transform(np.column_stack(CORNERS)) / style.SHARPNESS
    expected[:, 1] = style.HEIGHT - expected[:, 1]
    np.testing.assert_allclose(drawn, expected, atol=0.051)
    assert drawn.min() > 0
    assert drawn.max() < style.WIDTH


def test_the_still_picture_shows_each_part_where_the_moving_layer_does() -> None:
    def move(f: Any, at: float) -> Any:
        shades = np.zeros((10, 10))
        shades[-1, 0] = 1.0  # the top left corner
        return {"heat": shades, "dot": (np.array([at]), np.array([0.25]))}, ""

    figure = LiveFigure("Places", move)
    ax = figure.axes(xlim=(0, 1), ylim=(0, 1))
    figure.heat("heat", ax, (0, 1, 0, 1))
    figure.points("dot", ax, style.Look("#ff0000"))
    figure.slider("at", "at", 0, 1, 0.6)
    picture = imread(io.BytesIO(figure.still()))[..., :3]
    dot = lines_of(figure.svg)[0].mean(axis=0) * style.SHARPNESS
    assert picture[int(dot[1]), int(dot[0])] == pytest.approx([1, 0, 0], abs=0.02)
    left, top, width, height = map(float, re.findall(r'<image x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', figure.svg)[0])
    corner = picture[int((top + height / 20) * style.SHARPNESS), int((left + width / 20) * style.SHARPNESS)]
    assert corner == pytest.approx(_rgb(style.ORANGE), abs=0.05)
    assert picture[int((top + height / 2) * style.SHARPNESS), int((left + width / 4) * style.SHARPNESS)] == pytest.approx(_rgb(style.SKY), abs=0.05)


@pytest.mark.parametrize("marker", ["square", "diamond", "triangle"])
def test_a_marker_has_the_same_outline_in_both_layers(marker: str) -> None:
    first, others = _shape(marker, 6.0).removeprefix("m").removesuffix("z").split("l")
    steps = [float(number) for number in f"{first} {others}".split()]
    np.testing.assert_allclose(np.cumsum(np.reshape(steps, (-1, 2)), axis=0), 6 * OUTLINES[marker], atol=1e-3)


def _rgb(color: str) -> list[float]:
    return [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def test_a_gap_in_the_data_breaks_the_line() -> None:
    data = (np.array([0, 1, np.nan, 2, 3.0]), np.zeros(5))
    figure = LiveFigure("Gap", lambda f: ({"line": data}, ""))
    figure.line("line", figure.axes(xlim=(0, 3), ylim=(-1, 1)))
    assert re.findall(r'<path d="([^"]*)"', figure.svg)[-1].count("M") == 2


def test_moving_a_slider_moves_the_line_and_leaves_the_still_layer() -> None:
    figure = slope_figure()
    before, layer = lines_of(figure.svg)[-1], _pictures(figure)
    figure.controls["slope"].value = -1.0
    after = lines_of(figure.svg)[-1]
    assert after[0] == pytest.approx(before[0])
    assert after[-1, 1] > before[-1, 1] + 50
    assert _pictures(figure) == layer


def _pictures(figure: LiveFigure) -> list[str]:
    return re.findall(r'<img alt="" src="([^"]+)"', html(figure))


def test_the_alt_text_says_what_the_data_is_now() -> None:
    figure = slope_figure(relu=lambda z: np.maximum(z, 0))
    assert "slope: 1" in _label(figure)
    assert "it ends at 1." in _label(figure)
    figure.controls["slope"].value = -1.5
    assert "slope: −1.5" in _label(figure)
    assert "it ends at 0." in _label(figure)


def _label(figure: LiveFigure) -> str:
    return re.findall(r'aria-label="([^"]*)"', html(figure))[0]


def test_the_readout_is_announced_politely() -> None:
    assert re.search(r'aria-live="polite"[^>]*><div>it ends at 1', html(slope_figure()))


def test_a_right_function_is_said_to_be_the_same_as_the_target() -> None:
    assert slope_figure(relu=lambda z: np.maximum(z, 0)).readout == ["Yours: it ends at 1.", "The target is the same."]


def test_a_wrong_function_is_drawn_beside_the_target_and_its_numbers_differ() -> None:
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
        (lambda z: z[:2], "relu returned an array of shape (2,) where an array of shape (5,) belongs."),
        (lambda z: 3.0, "relu returned one number where an array of shape (5,) belongs."),
        (lambda z: z * np.nan, "relu returned nothing but NaN (not a number)."),
        (lambda z: "soon", "relu returned str instead of numbers."),
        (lambda z: [str(each) for each in z], "relu returned list instead of numbers."),
        (lambda z: [[1, 2], [3]], "relu returned list instead of numbers."),
    ],
)
def test_what_goes_wrong_is_said_in_one_sentence_in_the_figures_place(relu: Any, sentence: str) -> None:
    figure = slope_figure(relu=relu)
    assert figure.readout[0].startswith(sentence)
    drawn = " ".join(re.findall(r"<tspan[^>]*>([^<]*)", figure.svg))
    assert drawn.replace("&#x27;", "'").startswith(sentence[:60])
    assert figure.still().startswith(b"\x89PNG")


def test_an_unwritten_function_leaves_the_target_alone() -> None:
    def relu(z: Any) -> Any:
        raise NotImplementedError("relu: fill me in")

    figure = slope_figure(relu=relu)
    assert figure.readout == ["relu is not written yet. Here is the target alone.", "Target: it ends at 1."]
    assert style.TARGET.color in figure.svg
    assert style.YOURS.color not in figure.svg


def test_a_mended_function_is_followed_without_rebuilding_the_figure() -> None:
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
    assert notebook["calls"] == [1]
    exec("def relu(z): return 0 * z", notebook)
    figure.follow()
    assert figure.readout[0] == "Yours: it ends at 0."


def test_a_function_without_a_name_in_the_notebook_stays_the_one_that_was_given() -> None:
    figure = slope_figure(relu=np.abs)
    figure.controls["slope"].value = -2.0
    assert figure.readout[0] == "Yours: it ends at 2."


def test_a_play_is_covered_until_its_prediction_is_answered_and_opens_at_once() -> None:
    prediction = Prediction()
    figure = slope_figure(after=prediction)
    assert "Answer the prediction above to unlock this play." in html(figure)
    assert "<svg" not in html(figure)
    assert "it ends at" not in html(figure)
    prediction.answer()
    assert "Answer the prediction" not in html(figure)
    assert "<svg" in html(figure)
    assert "it ends at 1." in html(figure)


def test_an_answered_prediction_covers_nothing() -> None:
    prediction = Prediction()
    prediction.answered = True
    assert "<svg" in html(slope_figure(after=prediction))


def test_what_a_learners_function_prints_stays_out_of_the_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    def relu(z: Any) -> Any:
        print("debugging", z)
        return np.maximum(z, 0) + 0 * np.log(-1.0)

    with np.errstate(all="warn"):
        figure = slope_figure(relu=relu)
        assert figure.widget
    assert capsys.readouterr() == ("", "")


def test_another_thread_still_prints_while_a_figure_moves(capsys: pytest.CaptureFixture[str]) -> None:
    def relu(z: Any) -> Any:
        talk = threading.Thread(target=print, args=("epoch 1",))
        talk.start()
        talk.join()
        return np.maximum(z, 0)

    assert slope_figure(relu=relu).widget
    assert capsys.readouterr().out == "epoch 1\n"


def test_a_slow_function_ends_on_the_last_value() -> None:
    def relu(z: Any) -> Any:
        time.sleep(0.02)
        return np.maximum(z, 0)

    figure = slope_figure(relu=relu)
    assert figure.widget
    movers = [threading.Thread(target=setattr, args=(figure.controls["slope"], "value", v / 10)) for v in range(5)]
    for mover in movers:
        mover.start()
    for mover in movers:
        mover.join()
    assert f"it ends at {style.number(figure.controls['slope'].value)}." in html(figure)


def growing_figure(relu: Any) -> LiveFigure:
    """A curve that grows point by point, up to four."""

    def move(f: Any, slope: float) -> Any:
        for n in range(1, 5):
            x = np.arange(float(n))
            yield {"curve": (x, f.relu(slope * np.cos(x), shape=(n,)))}, f"{n} points of slope {style.number(slope)}."

    figure = LiveFigure("It grows", move, {"relu": relu})
    figure.line("curve", figure.axes(xlim=(0, 3), ylim=(-2, 6)), twin=False)
    figure.slider("slope", "slope", -2, 2, 1.0)
    return figure


def shown(figure: LiveFigure, words: str, seconds: float = 5) -> bool:
    """Whether the browser is given these words in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if words in html(figure):
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def cell() -> Iterator[None]:
    """A cell runs, until the test lets it end."""
    rest.hold(True)
    yield
    rest.hold(False)


def test_a_move_that_takes_long_shows_its_first_result_at_once_and_its_last_while_the_hand_rests() -> None:
    figure = growing_figure(lambda z: z)
    assert "1 points of slope 1" in html(figure)
    assert "The target is the same." in html(figure)
    assert shown(figure, "4 points of slope 1")
    figure.controls["slope"].value = 2.0
    assert "1 points of slope 2" in html(figure)
    assert shown(figure, "4 points of slope 2")
    assert len(lines_of(figure.svg)[0]) == 4


def test_a_hand_that_goes_on_is_not_disturbed_and_ends_on_its_last_value() -> None:
    figure = growing_figure(lambda z: z)
    assert figure.widget
    assert figure._moving is not None
    seen: list[str] = []
    figure._moving.observe(lambda change: seen.append(change["new"]), "value")
    for slope in np.arange(-2, 2.1, 0.25):
        figure.controls["slope"].value = slope
        time.sleep(rest.REST_SECONDS / 10)
    assert {text for each in seen for text in re.findall(r"\d points", each)} == {"1 points"}
    assert shown(figure, "4 points of slope 2")


def test_nothing_goes_on_while_a_cell_runs(cell: None) -> None:
    figure = growing_figure(lambda z: z)
    assert "1 points" in html(figure)
    assert not shown(figure, "4 points", 5 * rest.REST_SECONDS)
    rest.hold(False)
    assert shown(figure, "4 points")


def test_an_error_in_a_later_result_is_said_and_ends_the_move() -> None:
    def relu(z: Any) -> Any:
        if len(z) > 2:
            raise ValueError("too many")
        return z

    figure = growing_figure(relu)
    assert shown(figure, "relu stopped with ValueError: too many.")
    assert figure.readout == ["relu stopped with ValueError: too many. Mend it and run its cell again: this figure follows.", "Target: 4 points of slope 1."]


def test_what_looks_at_the_figure_sees_the_last_result(cell: None) -> None:
    assert growing_figure(lambda z: np.maximum(0, z)).alt.endswith("Yours: 4 points of slope 1. The target is the same.")


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
    panel: Any = figure.widget.children[1]
    panel.children[0].click()
    assert figure.readout == ["step 1."]


def test_every_control_says_what_it_is_for_and_takes_the_keyboard() -> None:
    figure = LiveFigure("Controls", lambda f, **values: ({}, str(sorted(values))))
    figure.slider("a", "weight a", 0, 1, 0.5)
    figure.log_slider("b", "rate b", -3, 0, 0.1)
    figure.switch("c", "on", True)
    figure.choice("d", "kind", ["one", "two"])
    assert [control.description for control in figure.controls.values()] == ["weight a", "rate b", "on", "kind"]
    assert all(control.tabbable is not False for control in figure.controls.values())
    assert figure.widget
    assert figure.alt.startswith("Controls. weight a: 0.5, rate b: 0.1, on: on, kind: one.")


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What figures display: a list of bundles."""
    import IPython.display

    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(IPython.display, "display", lambda data, raw, metadata=None: shown.append(data))
    return SimpleNamespace(
        of=lambda figure: (shown.clear(), figure._ipython_display_(), list(shown))[-1]  # the way IPython asks for it
    )


def test_a_reader_without_a_kernel_gets_a_picture_with_alt_text(displayed: Any) -> None:
    live, still = displayed.of(slope_figure())
    assert set(live) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    assert imread(io.BytesIO(base64.b64decode(still["image/png"]))).shape[:2] == (style.HEIGHT, style.WIDTH)
    alt, data = re.findall(r'<img alt="([^"]+)" src="data:image/png;base64,([^"]+)"', still["text/html"])[0]
    assert alt == still["text/plain"] == "A slope. slope: 1. it ends at 1."
    assert imread(io.BytesIO(base64.b64decode(data))).shape[:2] == (
        style.HEIGHT * style.SHARPNESS,
        style.WIDTH * style.SHARPNESS,
    )


def test_the_text_of_stored_outputs_is_the_same_in_every_run(displayed: Any) -> None:
    first, second = ([bundle["text/plain"] for bundle in displayed.of(slope_figure())] for _ in range(2))
    assert first == second
    assert not re.search(r"0x[0-9a-f]|\d\.\d{4}|[0-9a-f]{32}", " ".join(first))


def test_the_picture_is_hidden_by_the_live_figure_and_by_nothing_else(displayed: Any) -> None:
    figure = slope_figure()
    still = displayed.of(figure)[1]["text/html"]
    name = re.findall(r"playground-still-(\w+)\"", still)[0]
    assert f".playground-still-{name}, " in html(figure)
    assert "display:none" in html(figure)
    assert f".playground-still-{name}{{" not in still.replace(" ", "").replace(f":has(+.jp-OutputArea-child.playground-still-{name})", "")


def test_a_locked_play_hides_its_picture_too() -> None:
    assert re.search(r"\.playground-still-\w+, .*display:none", html(slope_figure(after=Prediction())))


def test_a_point_outside_the_axes_is_not_drawn() -> None:
    figure = LiveFigure("Points", lambda f: ({"points": (np.array([0.5, 0.5, np.nan, 1.0]), np.array([0.5, 7.0, 0.5, 1.0]))}, "four."))
    figure.points("points", figure.axes(xlim=(0, 1), ylim=(0, 1)))
    assert figure.svg.count("M") == 2 * 2  # edge and fill


def test_a_line_that_leaves_the_axes_is_cut_so_that_no_browser_dashes_its_far_end() -> None:
    box = (10.0, 10.0, 100.0, 100.0)
    far = np.array([[50.0, 50.0], [50.0, 9e4], [9e4, 50.0], [60.0, 50.0], [60.0, 60.0], [-9e4, 60.0], [-9e4, -9e4]])
    pieces = _pieces(far, box, closed=False)
    assert [piece.round(1).tolist() for piece in pieces] == [[[50.0, 50.0], [50.0, 150.0]], [[150.0, 50.0], [60.0, 50.0], [60.0, 60.0], [-30.0, 60.0]]]
    within = np.array([[20.0, 20.0], [30.0, 90.0], [40.0, 20.0]])
    assert [piece.tolist() for piece in _pieces(within, box, closed=False)] == [within.tolist()]
    across = _pieces(np.array([[-1000.0, 60.0], [1000.0, 60.0]]), box, closed=False)
    assert [piece.round(1).tolist() for piece in across] == [[[-30.0, 60.0], [150.0, 60.0]]]
    assert _pieces(np.array([[-1000.0, -60.0], [1000.0, -60.0]]), box, closed=False) == []
    tall = _pieces(np.array([[20.0, -9e4], [40.0, -9e4], [40.0, 90.0], [20.0, 90.0]]), box, closed=True)
    assert tall[0].tolist() == [[20.0, -30.0], [40.0, -30.0], [40.0, 90.0], [20.0, 90.0]]

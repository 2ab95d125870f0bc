"""What moves lies where matplotlib would draw it, and nothing of it leaves its axes."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
from figures import lines_of, png
from matplotlib.image import imread

from playground.figure import style
from playground.figure.live import LiveFigure
from playground.figure.marks import OUTLINES, _pieces, _shape

CORNERS = (np.array([1.0, 10.0, 1000.0, -3.0]), np.array([0.25, 0.75, 0.5, 2.0]))


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("place", [111, 122])
@pytest.mark.parametrize("low", [0.5, 3000])
def test_a_line_lies_where_matplotlib_would_draw_it(scale: str, place: int, low: float) -> None:
    figure = LiveFigure("Corners", lambda f: ({"corners": CORNERS}, ""))
    ax = figure.axes(
        place, xscale=scale, xlim=(low, 2000), ylim=(0, 1), xlabel="words", ylabel="words"
    )
    figure.line("corners", ax)
    assert figure.svg
    drawn: Any = figure.still
    expected = drawn.figure.axes[0].transData.transform(np.column_stack(CORNERS)) / style.SHARPNESS
    expected[:, 1] = style.HEIGHT - expected[:, 1]
    np.testing.assert_allclose(ax.geometry.pixels(*CORNERS), expected, rtol=1e-5, atol=0.005)


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
    picture = imread(io.BytesIO(png(figure)))[..., :3]
    dot = lines_of(figure.svg)[0].mean(axis=0) * style.SHARPNESS
    assert picture[int(dot[1]), int(dot[0])] == pytest.approx([1, 0, 0], abs=0.02)
    left, top, width, height = map(
        float,
        re.findall(
            r'<image x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', figure.svg
        )[0],
    )
    corner = picture[
        int((top + height / 20) * style.SHARPNESS), int((left + width / 20) * style.SHARPNESS)
    ]
    assert corner == pytest.approx(_rgb(style.ORANGE), abs=0.05)
    assert picture[
        int((top + height / 2) * style.SHARPNESS), int((left + width / 4) * style.SHARPNESS)
    ] == pytest.approx(_rgb(style.SKY), abs=0.05)


@pytest.mark.parametrize("marker", ["square", "diamond", "triangle"])
def test_a_marker_has_the_same_outline_in_both_layers(marker: str) -> None:
    first, others = _shape(marker, 6.0).removeprefix("m").removesuffix("z").split("l")
    steps = [float(number) for number in f"{first} {others}".split()]
    np.testing.assert_allclose(
        np.cumsum(np.reshape(steps, (-1, 2)), axis=0), 6 * OUTLINES[marker], atol=1e-3
    )


def _rgb(color: str) -> list[float]:
    return [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def test_a_gap_in_the_data_breaks_the_line() -> None:
    data = (np.array([0, 1, np.nan, 2, 3.0]), np.zeros(5))
    figure = LiveFigure("Gap", lambda f: ({"line": data}, ""))
    figure.line("line", figure.axes(xlim=(0, 3), ylim=(-1, 1)))
    assert re.findall(r'<path d="([^"]*)"', figure.svg)[-1].count("M") == 2


def test_a_point_outside_the_axes_is_not_drawn() -> None:
    figure = LiveFigure(
        "Points",
        lambda f: (
            {"points": (np.array([0.5, 0.5, np.nan, 1.0]), np.array([0.5, 7.0, 0.5, 1.0]))},
            "four.",
        ),
    )
    figure.points("points", figure.axes(xlim=(0, 1), ylim=(0, 1)))
    assert figure.svg.count("M") == 2 * 2  # edge and fill


def test_a_line_that_leaves_the_axes_is_cut_so_that_no_browser_dashes_its_far_end() -> None:
    box = (10.0, 10.0, 100.0, 100.0)
    far = np.array(
        [
            [50.0, 50.0],
            [50.0, 9e4],
            [9e4, 50.0],
            [60.0, 50.0],
            [60.0, 60.0],
            [-9e4, 60.0],
            [-9e4, -9e4],
        ]
    )
    pieces = _pieces(far, box, closed=False)
    assert [piece.round(1).tolist() for piece in pieces] == [
        [[50.0, 50.0], [50.0, 149.0]],
        [[149.0, 50.0], [60.0, 50.0], [60.0, 60.0], [-29.0, 60.0]],
    ]
    within = np.array([[20.0, 20.0], [30.0, 90.0], [40.0, 20.0]])
    assert [piece.tolist() for piece in _pieces(within, box, closed=False)] == [within.tolist()]
    across = _pieces(np.array([[-1000.0, 60.0], [1000.0, 60.0]]), box, closed=False)
    assert [piece.round(1).tolist() for piece in across] == [[[-29.0, 60.0], [149.0, 60.0]]]
    assert _pieces(np.array([[-1000.0, -60.0], [1000.0, -60.0]]), box, closed=False) == []
    tall = _pieces(
        np.array([[20.0, -9e4], [40.0, -9e4], [40.0, 90.0], [20.0, 90.0]]), box, closed=True
    )
    assert tall[0].tolist() == [[20.0, -29.0], [40.0, -29.0], [40.0, 90.0], [20.0, 90.0]]

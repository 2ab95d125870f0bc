"""A pad's drawing and its cells follow each other."""

from __future__ import annotations

from playground.figure.live import LiveFigure
from playground.figure.pad import Ink, Pad


def test_cells_and_drawing_follow_each_other() -> None:
    pad, heard = Pad("draw"), list[Ink]()
    pad.observe(lambda change: heard.append(change["new"]), names="value")
    pad.cells[2, 3].value = True
    assert pad.value == {(2, 3)}
    pad.value = Ink([(0, 0), (7, 7)])
    assert [place for place, cell in pad.cells.items() if cell.value] == [(0, 0), (7, 7)]
    assert heard == [{(2, 3)}, {(0, 0), (7, 7)}]  # one change for each, not for each cell


def test_clear_empties_the_pad_in_one_change() -> None:
    pad, heard = Pad("draw", [(1, 1), (2, 2)]), list[Ink]()
    pad.observe(lambda change: heard.append(change["new"]), names="value")
    pad.widget.children[-1].click()
    assert heard == [Ink()]
    assert not any(cell.value for cell in pad.cells.values())


def test_every_cell_has_a_name_for_screen_readers() -> None:
    names = [cell.description for cell in Pad("draw").cells.values()]
    assert len({*names}) == 64
    assert names[9] == "row 2, column 2"


def test_a_play_gets_the_drawing_and_says_how_much_is_inked() -> None:
    play = LiveFigure("A pad", lambda f, ink: ({}, f"{len(ink)} cells"))
    play.pad("ink", "draw here")
    assert play.readout == ["0 cells"]
    play.controls["ink"].value = Ink([(1, 2)])
    assert play.readout == ["1 cells"]
    assert "draw here: 1 of 64 cells inked." in play.alt

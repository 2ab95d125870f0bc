"""The HTML and the widgets of a figure."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

import ipywidgets as widgets
from PIL import Image

from playground.figure import style
from playground.figure.marks import Mark

WIDGET = "application/vnd.jupyter.widget-view+json"

_CARD = f"width:{style.WIDTH}px;height:{style.HEIGHT}px;border-radius:6px;background:{style.CARD};color:{style.INK}"
_TEXT = "font-family:var(--jp-content-font-family,system-ui,sans-serif);font-size:var(--jp-content-font-size1,14px);line-height:1.5;color:var(--jp-content-font-color1,inherit)"
_CONTROLS = f"""
.playground .playground-controls {{display:grid; grid-template-columns:repeat(2, {style.WIDTH // 2 - 6}px); gap:2px 12px; overflow:visible}}
.playground .playground-control {{width:100%; margin:0}}
.playground .playground-control > label.widget-label {{flex:0 0 auto; width:auto; min-width:8.5em; text-align:left}}
.playground .playground-wide {{grid-column:1 / -1}}
.playground .playground-control > .widget-readout {{min-width:4.5em}}
.playground .playground-control.widget-toggle-buttons {{display:flex; flex-flow:row nowrap; align-items:baseline}}
.playground .playground-control.widget-toggle-buttons > div {{display:flex; flex-wrap:wrap; gap:4px}}
.playground .playground-control.widget-toggle-buttons .widget-toggle-button {{width:auto; min-width:4.5em; margin:0}}
.playground .noUi-connects, .playground .noUi-connect, .playground .noUi-origin, .playground .noUi-handle {{will-change:auto; backface-visibility:visible}}
"""


def layer(marks: Sequence[Mark], alt: str) -> str:
    """The moving layer as one SVG; its label is the figure's alt text."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{style.WIDTH}" height="{style.HEIGHT}"'
        f' viewBox="0 0 {style.WIDTH} {style.HEIGHT}" role="img" aria-label="{escape(alt)}" style="display:block">'
        f"{''.join(mark.svg() for mark in marks)}</svg>"
    )


def moving(svg: str, readout: Sequence[str]) -> str:
    """The moving layer and the readout in one piece of HTML, so that a move is one message."""
    lines = "".join(f"<div>{escape(line)}</div>" for line in readout)
    return f'{svg}<div class="playground-readout" role="status" aria-live="polite" style="{_TEXT};width:{style.WIDTH}px;min-height:6em;margin-top:6px">{lines}</div>'


def picture(png: bytes) -> str:
    """The still layer on its card. It has no alt text of its own: the moving layer speaks for both."""
    return f'<div style="{_CARD}"><img alt="" src="{_url(png)}" width="{style.WIDTH}" height="{style.HEIGHT}" style="{_CARD}"></div>'


def still(png: bytes, alt: str, name: str) -> str:
    """The picture for readers without a kernel; it also hides a live figure's place as long as nothing lives there."""
    dead = ".jp-OutputArea-child:not(:has(.playground))"
    return (
        f"<style>{dead}:has(+ .jp-OutputArea-child .playground-still-{name}) {{display:none}}</style>"
        f'<figure class="playground-still playground-still-{name}" style="margin:0">'
        f'<img alt="{escape(alt)}" src="{_url(png)}" width="{style.WIDTH}" height="{style.HEIGHT}"></figure>'
    )


def small(png: bytes) -> str:
    """The picture at one pixel to a CSS pixel and in 256 colours, as base64: what viewers show that take no picture from HTML."""
    with Image.open(io.BytesIO(png)) as picture:
        file = io.BytesIO()
        picture.convert("RGB").reduce(style.SHARPNESS).quantize(
            256, Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE
        ).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def hide_still(name: str) -> str:
    """A style that hides the picture; it lives in the live figure, so the picture is hidden only while that lives.

    A live figure whose kernel is gone stays in JupyterLab as broken links: it gives its place to the picture.
    """
    still, place = f".playground-still-{name}", ".jp-OutputArea-child"
    gone = f"{place}:has(.playground.jupyter-widgets-disconnected)"
    return (
        f"<style>{still}, {place}:not({gone}) + {place}:has({still}), {gone} {{display:none}} {gone} + {place} {still} {{display:block}}"
        f"{_CONTROLS}</style>"
    )


def cover() -> str:
    """What stands in a play's place until its prediction is answered."""
    return (
        f'<div role="status" style="{_TEXT};width:{style.WIDTH}px;padding:2em;box-sizing:border-box;text-align:center;'
        'border:1px dashed var(--jp-border-color1,#8c959f);border-radius:6px">'
        "Answer the prediction above to unlock this play.</div>"
    )


def html(value: str) -> widgets.HTML:
    """A widget that shows HTML without a margin."""
    return widgets.HTML(
        value, layout=widgets.Layout(margin="0", grid_area="1 / 1 / 2 / 2", overflow="visible")
    )


def stack(below: widgets.Widget, above: widgets.Widget) -> widgets.GridBox:
    """Two widgets in one place."""
    columns = f"{style.WIDTH}px"
    return widgets.GridBox(
        [below, above], layout=widgets.Layout(grid_template_columns=columns, overflow="visible")
    )


def control_panel(controls: Sequence[widgets.DOMWidget]) -> widgets.Box:
    """The controls above a figure, two in a row; buttons of a choice take a row of their own."""
    for control in controls:
        control.add_class("playground-control")
        control.tooltip = ""  # without it, the label's tooltip is "null"
        if isinstance(control, widgets.ToggleButtons):
            control.add_class("playground-wide")
    panel = widgets.Box(list(controls), layout=widgets.Layout(margin="0 0 8px"))
    panel.add_class("playground-controls")
    return panel


def _url(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()

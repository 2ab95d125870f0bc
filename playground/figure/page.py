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

_SIZE = f'width="{style.WIDTH}" height="{style.HEIGHT}"'
_CARD = (
    f"width:{style.WIDTH}px;height:{style.HEIGHT}px;border-radius:6px;"
    f"background:{style.CARD};color:{style.INK}"
)
_TEXT = (
    "font-family:var(--jp-content-font-family,system-ui,sans-serif);line-height:1.5;"
    "font-size:var(--jp-content-font-size1,14px);color:var(--jp-content-font-color1,inherit)"
)
# The last rule spares the browser a layer for each part of a slider.
_CONTROLS = f"""
.playground .playground-controls {{display:grid; overflow:visible; gap:2px 12px;
  grid-template-columns:repeat(2, {style.WIDTH // 2 - 6}px)}}
.playground .playground-control {{width:100%; margin:0}}
.playground .playground-control > label.widget-label {{
  flex:0 0 auto; width:auto; min-width:8.5em; text-align:left}}
.playground .playground-wide {{grid-column:1 / -1}}
.playground .playground-control > .widget-readout {{min-width:4.5em}}
.playground .playground-control.widget-toggle-buttons {{
  display:flex; flex-flow:row nowrap; align-items:baseline}}
.playground .playground-control.widget-toggle-buttons > div {{
  display:flex; flex-wrap:wrap; gap:4px}}
.playground .playground-control.widget-toggle-buttons .widget-toggle-button {{
  width:auto; min-width:4.5em; margin:0}}
.playground :is(.noUi-connects, .noUi-connect, .noUi-origin, .noUi-handle) {{
  will-change:auto; backface-visibility:visible}}
"""


def layer(marks: Sequence[Mark], alt: str) -> str:
    """Return the moving layer as one SVG; its label is the figure's alt text."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {_SIZE}'
        f' viewBox="0 0 {style.WIDTH} {style.HEIGHT}" role="img" aria-label="{escape(alt)}"'
        ' style="display:block">'
        f"{''.join(mark.svg() for mark in marks)}</svg>"
    )


def moving(svg: str, readout: Sequence[str]) -> str:
    """Return the moving layer and the readout as one text, so that a move is one message."""
    lines = "".join(f"<div>{escape(line)}</div>" for line in readout)
    look = f"{_TEXT};width:{style.WIDTH}px;min-height:6em;margin-top:6px"
    attributes = f'class="playground-readout" role="status" aria-live="polite" style="{look}"'
    return f"{svg}<div {attributes}>{lines}</div>"


def picture(png: bytes) -> str:
    """Return the still layer on its card; the alt text is the moving layer's."""
    return f'<div style="{_CARD}"><img alt="" src="{_url(png)}" {_SIZE} style="{_CARD}"></div>'


def still(png: bytes, alt: str, name: str) -> str:
    """Return the picture for readers without a kernel; it also hides a dead figure's output."""
    dead = ".jp-OutputArea-child:not(:has(.playground))"
    followed = f":has(+ .jp-OutputArea-child .playground-still-{name})"
    return (
        f"<style>{dead}{followed} {{display:none}}</style>"
        f'<figure class="playground-still playground-still-{name}" style="margin:0">'
        f'<img alt="{escape(alt)}" src="{_url(png)}" {_SIZE}></figure>'
    )


def small(png: bytes) -> str:
    """Return the picture in base64, small and in 256 colours, for viewers that ignore HTML."""
    file, method = io.BytesIO(), Image.Quantize.MEDIANCUT
    with Image.open(io.BytesIO(png)) as picture:
        small = picture.convert("RGB").reduce(style.SHARPNESS)
        small.quantize(256, method, kmeans=1, dither=Image.Dither.NONE).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def hide_still(name: str) -> str:
    """Return a style that hides the still picture while the live figure is displayed.

    JupyterLab shows broken links when the kernel has ended: then only the picture is displayed.
    """
    still, place = f".playground-still-{name}", ".jp-OutputArea-child"
    gone = f"{place}:has(.playground.jupyter-widgets-disconnected)"
    return (
        f"<style>{still}, {place}:not({gone}) + {place}:has({still}), {gone} {{display:none}}"
        f" {gone} + {place} {still} {{display:block}}{_CONTROLS}</style>"
    )


def cover() -> str:
    """Return the note in place of a play whose prediction isn't answered yet."""
    return (
        f'<div role="status" style="{_TEXT};width:{style.WIDTH}px;padding:2em;text-align:center;'
        "box-sizing:border-box;border:1px dashed var(--jp-border-color1,#8c959f);"
        'border-radius:6px">'
        "Answer the prediction above to unlock this play.</div>"
    )


def html(value: str) -> widgets.HTML:
    """Return a widget that shows HTML without a margin."""
    layout = widgets.Layout(margin="0", grid_area="1 / 1 / 2 / 2", overflow="visible")
    return widgets.HTML(value, layout=layout)


def stack(below: widgets.Widget, above: widgets.Widget) -> widgets.GridBox:
    """Return two widgets in one place."""
    layout = widgets.Layout(grid_template_columns=f"{style.WIDTH}px", overflow="visible")
    return widgets.GridBox([below, above], layout=layout)


def control_panel(controls: Sequence[widgets.DOMWidget]) -> widgets.Box:
    """Return the controls above a figure, two in a row; a choice takes a whole row."""
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

"""The HTML and the widgets of a figure."""

from __future__ import annotations

import base64
import sys
from collections.abc import Mapping, Sequence
from html import escape

import ipywidgets as widgets

from playground.figure import style
from playground.figure.marks import Mark

_SIZE = f'width="{style.WIDTH}" height="{style.HEIGHT}"'
_TEXT = (
    "font-family:var(--jp-content-font-family,system-ui,sans-serif);line-height:1.5;"
    "font-size:var(--jp-content-font-size1,14px);color:var(--jp-content-font-color1,inherit)"
)
_LIGHT, _DARK = (
    "; ".join(f"--playground-{color[1:]}:{tone}" for color, tone in tones.items())
    for tones in ({color: color for color in style.DARK}, style.DARK)
)
_IN_DARK = ":is([data-jp-theme-light=false], .vscode-dark)"
# VS Code's dark theme has a white background behind widgets, or none, depending on its version.
# A figure is as wide as fits the window's height together with its controls and readout. The
# controls and the missions are beside it from 1,100 pixels on, else above and below it. The rule
# about sliders spares the browser a layer for each of their parts; a layer for the still picture
# spares it from being painted at each move.
_STYLE = f"""
.playground.playground {{display:flex; flex-flow:row wrap; gap:8px 20px; position:relative;
  overflow:visible; container-type:inline-size; {_LIGHT}}}
.playground .playground-side {{display:contents}}
@container (min-width:1100px) {{
  .playground .playground-side {{display:block; flex:1 1 340px; margin:0; overflow:visible}}}}
{_IN_DARK} .playground.playground {{{_DARK}}}
.vscode-dark .playground.playground {{background:var(--vscode-editor-background);
  --jp-content-font-color1:var(--vscode-editor-foreground);
  --jp-widgets-label-color:var(--vscode-editor-foreground);
  --jp-widgets-readout-color:var(--vscode-editor-foreground)}}
.playground .playground-page {{position:absolute; width:1px; height:1px; overflow:hidden}}
.playground .playground-stage {{flex:1 1 740px; min-width:0; overflow:auto hidden;
  max-width:max({style.WIDTH}px, calc((100vh - 340px) * {style.WIDTH / style.HEIGHT:.3f}))}}
.playground :where(.playground-still-layer, svg[role=img]) {{display:block; margin:0}}
.playground.playground :is(.playground-still-layer, svg[role=img]) {{
  width:100%; max-width:none; min-width:400px; height:auto}}
.playground .playground-stage .widget-html-content {{min-width:0}}
.playground .playground-still-layer {{will-change:transform}}
.playground .playground-in-dark, {_IN_DARK} .playground .playground-in-light {{display:none}}
{_IN_DARK} .playground .playground-in-dark {{display:block}}
.playground .playground-control.widget-hslider {{flex-wrap:wrap; height:auto}}
.playground .playground-control > .slider-container {{flex:1 1 100px}}
.playground .playground-readout {{min-height:6em; margin-top:6px}}
.playground .playground-missions {{flex:1 0 100%; order:1; padding-top:8px}}
.playground .playground-missions ul {{list-style:none; margin:0; padding:0 0 0 1.5em}}
.playground .playground-missions [role=img] {{
  display:inline-block; width:1.5em; margin-left:-1.5em}}
.playground .playground-notice {{visibility:hidden}}
.playground .playground-behind svg[role=img] {{opacity:.4}}
.playground-behind .playground-notice {{animation:playground-reveal 1ms 1.7s forwards}}
@keyframes playground-reveal {{to {{visibility:visible}}}}
.playground .playground-controls {{flex:1 1 340px; display:grid; overflow:visible; gap:2px 12px;
  align-content:start; grid-template-columns:repeat(auto-fit, minmax(min(100%, 300px), 1fr))}}
.playground .playground-control {{width:100%; margin:0}}
.playground .playground-control > label.widget-label {{
  flex:0 0 auto; width:auto; min-width:8.5em; text-align:left}}
.playground .playground-wide {{grid-column:1 / -1}}
.playground .playground-control > .widget-readout {{min-width:4.5em}}
.playground .playground-control.widget-toggle-buttons {{
  display:flex; flex-flow:row wrap; align-items:baseline}}
.playground .playground-control.widget-toggle-buttons > div {{
  display:flex; flex-wrap:wrap; gap:4px}}
.playground .playground-control.widget-toggle-buttons .widget-toggle-button {{
  width:auto; min-width:4.5em; margin:0}}
.playground:has(.playground-grip-x) .playground-stage {{cursor:ew-resize; touch-action:pan-y}}
.playground:has(.playground-grip-y) .playground-stage {{cursor:ns-resize; touch-action:pan-x}}
.playground :is(.noUi-connects, .noUi-connect, .noUi-origin, .noUi-handle) {{
  will-change:auto; backface-visibility:visible}}
@media (prefers-reduced-motion: reduce) {{.playground * {{transition:none !important}}}}
"""
# ipywidgets gives sliders and toggles no names and states for screen readers, and can't be asked to
# from Python. A Jupyter page hears keys before a slider does, unless an element forbids it: it may
# have those with Ctrl, Alt, Meta or Shift. Where a page forbids inline handlers, mouse and keys
# still move the sliders.
_SCRIPT = """
const root = this.closest('.playground'), say = root.querySelector('.playground-said');
const put = (one, name, value) =>
  one.getAttribute(name) === value || one.setAttribute(name, value);
const parts = slider => ['.widget-label', '.noUi-handle', '.widget-readout'].map(
  part => slider.querySelector(part));
const name = () => {
  for (const missions of root.querySelectorAll('.playground-missions'))
    put(missions, 'aria-live', 'polite');
  for (const slider of root.querySelectorAll('.widget-slider')) {
    const [label, handle, number] = parts(slider);
    if (!handle) continue;
    put(handle, 'aria-label', label.textContent);
    put(handle, 'aria-valuetext', number.textContent);
    put(number, 'role', 'textbox');
    put(number, 'aria-label', label.textContent + ', exact number');
    put(number, 'tabindex', '-1');
  }
  for (const toggle of root.querySelectorAll('.widget-toggle-button'))
    put(toggle, 'aria-pressed', String(toggle.classList.contains('mod-active')));
  for (const group of root.querySelectorAll('.widget-toggle-buttons')) {
    put(group, 'role', 'group');
    put(group, 'aria-label', group.querySelector('label').textContent);
  }
};
let soon, late, visible = false;
const see = () => {
  const seen = root.querySelector('.playground-seen input');
  if (seen &amp;&amp; seen.checked !== visible) seen.click();
};
new IntersectionObserver(changes => {
  visible = changes.at(-1).isIntersecting;
  see();
}).observe(root);
new MutationObserver(changes => {
  name();
  see();
  const moved = ({attributeName, oldValue, target}) => attributeName === 'aria-valuenow'
    &amp;&amp; oldValue !== null &amp;&amp; oldValue !== target.getAttribute(attributeName);
  if (changes.some(moved))
    late ??= setTimeout(() => root.classList.add('playground-behind'), 300);
  const drawn = ({type, target}) =>
    type === 'childList' &amp;&amp; target.closest('.playground-moving');
  if (!changes.some(drawn)) return;
  root.classList.remove('playground-behind');
  clearTimeout(late);
  late = null;
  clearTimeout(soon);
  const says = root.querySelector('.playground-readout');
  soon = setTimeout(() => { say.textContent = says.innerText; }, 500);
}).observe(root, {subtree: true, childList: true, attributeOldValue: true,
  attributeFilter: ['class', 'aria-valuenow', 'aria-valuetext']});
name();
root.addEventListener('animationend', event => {
  if (event.animationName === 'playground-reveal') say.textContent = event.target.textContent;
});
const keys = event => void event.target.toggleAttribute('data-lm-suppress-shortcuts',
  !(event.ctrlKey || event.altKey || event.metaKey || event.shiftKey));
root.addEventListener('focusin', keys);
root.onkeyup = keys;
root.onkeydown = event => {
  keys(event);
  const slider = event.target.closest('.widget-slider');
  if (!slider || event.shiftKey || !['Enter', 'Escape'].includes(event.key)) return;
  const [, handle, number] = parts(slider);
  if (event.target === handle &amp;&amp; event.key === 'Enter') {
    event.preventDefault();
    number.focus();
    getSelection().selectAllChildren(number);
  } else if (event.target === number) handle.focus();
};
const grip = root.querySelector('.playground-grip');
const drag = event => {
  const picture = event.target.closest('.playground-stage')?.querySelector('svg[role=img]');
  if (!picture || !(event.buttons &amp; 1)) return;
  const {slider, along, low, high} = grip.dataset, box = picture.getBoundingClientRect();
  const at = along === 'x' ? (event.clientX - box.x) / box.width * WIDTH
    : (event.clientY - box.y) / box.height * HEIGHT;
  const {noUiSlider} = root.querySelector(`.noUi-target:has([aria-label=&quot;${slider}&quot;])`);
  const {min, max} = noUiSlider.options.range;
  noUiSlider.set(min + (at - low) / (high - low) * (max - min));
};
if (grip) root.addEventListener('pointerdown', event => {
  drag(event);
  event.target.closest('.playground-stage')?.setPointerCapture(event.pointerId);
});
if (grip) root.addEventListener('pointermove', drag);
""".replace("WIDTH", str(style.WIDTH)).replace("HEIGHT", str(style.HEIGHT))


def layer(marks: Sequence[Mark], alt: str) -> str:
    """Return the moving layer as one SVG; its label is the figure's alt text."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {_SIZE}'
        f' viewBox="0 0 {style.WIDTH} {style.HEIGHT}" role="img" aria-label="{escape(alt)}">'
        f"{''.join(mark.svg() for mark in marks)}</svg>"
    )


def moving(svg: str, readout: Sequence[str], move: int = 0, behind: bool = False) -> str:
    """Return the moving layer and the readout as one text, so that a move is one message.

    `move` counts them: a text that is the same as before would not be sent. `behind` means that
    they aren't up to date: after two seconds, a notice says so.
    """
    lines = "".join(f"<div>{escape(line)}</div>" for line in readout)
    way_out = "■ in the toolbar, or Interrupt in the menu Kernel, ends it."
    if sys.platform == "emscripten":  # a browser's kernel can't be interrupted
        way_out = "⟳ in the toolbar ends it; what you wrote stays."
    return (
        f'<div class="playground-now{" playground-behind" * behind}" data-move="{move}">{svg}'
        f'<div class="playground-readout" style="{_TEXT}">{lines}'
        f'<div class="playground-notice">Still at work. {way_out}</div></div></div>'
    )


def missions(reached: Mapping[str, bool]) -> str:
    """Return the list of missions, each with whether it is reached."""
    marks = {False: ("open", "○"), True: ("reached", "●")}
    items = "".join(
        '<li><span role="img" aria-label="{}:">{}</span>{}</li>'.format(*marks[done], escape(words))
        for words, done in reached.items()
    )
    return f'<div style="{_TEXT}">Missions<ul>{items}</ul></div>'


def picture(light: str, dark: str) -> str:
    """Return the still layer for both themes; the alt text is the moving layer's."""
    return "".join(
        f'<img alt="" class="playground-still-layer playground-in-{theme}" {_SIZE}'
        f' src="{data_url(svg.encode(), "svg+xml")}">'
        for theme, svg in (("light", light), ("dark", dark))
    )


def still(url: str, alt: str, name: str) -> str:
    """Return the picture for readers without a kernel; it also hides a dead figure's output."""
    dead = ".jp-OutputArea-child:not(:has(.playground))"
    followed = f":has(+ .jp-OutputArea-child .playground-still-{name})"
    return (
        f"<style>{dead}{followed} {{display:none}}</style>"
        f'<figure class="playground-still playground-still-{name}" style="margin:0">'
        f'<img alt="{escape(alt)}" src="{url}" {_SIZE}></figure>'
    )


def whole(picture: str, marks: Sequence[Mark]) -> str:
    """Return a still layer with marks over it as one SVG, on a white card."""
    below = (
        f'<rect width="100%" height="100%" fill="{style.CARD}"/>{picture[picture.index("<svg") :]}'
    )
    return layer(marks, "").replace(">", f' style="{_LIGHT}">{below}', 1)


def once(name: str, grip: tuple[str, str, float, float] | None) -> str:
    """Return the play's style and script, and the element that a screen reader announces.

    `grip` is the label of a slider that is also dragged in the picture, x or y, and the pixels of
    its ends.

    The style also hides the still picture below the live figure, and no other: several notebooks
    share one page. JupyterLab shows broken links when the kernel has ended: then only the picture
    is displayed. Other front ends have a page for each notebook, or for each output.
    """
    place, still = ".jp-OutputArea-child", f".playground-still-{name}"
    gone = ".playground.jupyter-widgets-disconnected"
    script, held = _SCRIPT.replace("\n", " "), ""
    if grip:
        slider, along, low, high = grip
        held = (
            f'<i class="playground-grip playground-grip-{along}" data-along="{along}"'
            f' data-slider="{escape(slider)}" data-low="{low:.1f}" data-high="{high:.1f}"></i>'
        )
    return held + (
        '<div class="playground-said" role="status" aria-live="polite"></div>'
        f"<style>body:not(:has({place})) {still}, {place}:has({gone}),"
        f" {place}:has(.playground):not(:has({gone})) + {place}:has({still}) {{display:none}}"
        f'</style><style onload="{script}">{_STYLE}</style>'
    )


def cover() -> str:
    """Return the note in place of a play whose prediction isn't answered yet."""
    return (
        f'<div role="status" style="{_TEXT};max-width:{style.WIDTH}px;padding:2em;'
        "text-align:center;box-sizing:border-box;border:1px dashed var(--jp-border-color1,#8c959f);"
        'border-radius:6px">'
        "Answer the prediction above to unlock this play.</div>"
    )


def html(value: str, *classes: str) -> widgets.HTML:
    """Return a widget that shows HTML without a margin."""
    shown = widgets.HTML(value, layout=widgets.Layout(margin="0", grid_area="1 / 1 / 2 / 2"))
    for name in classes:
        shown.add_class(name)
    return shown


def seen() -> widgets.Checkbox:
    """Return a hidden checkbox, in which the page notes whether the figure is in view."""
    box = widgets.Checkbox(False, layout=widgets.Layout(display="none"))
    box.add_class("playground-seen")
    return box


def stack(below: widgets.Widget, above: widgets.Widget) -> widgets.GridBox:
    """Return two widgets in one place."""
    stage = widgets.GridBox([below, above], layout={"grid_template_columns": "minmax(0, 1fr)"})
    stage.add_class("playground-stage")
    return stage


def control_panel(controls: Sequence[widgets.DOMWidget]) -> widgets.Box:
    """Return the controls; a choice takes a whole row."""
    for control in controls:
        control.add_class("playground-control")
        control.tooltip = ""  # without it, the label's tooltip is "null"
        if isinstance(control, widgets.ToggleButtons):
            control.add_class("playground-wide")
    panel = widgets.Box(list(controls))
    panel.add_class("playground-controls")
    return panel


def side(panel: widgets.Box, goals: widgets.HTML) -> widgets.Box:
    """Return controls and missions, which a wide page shows below each other."""
    column = widgets.Box([panel, goals])
    column.add_class("playground-side")
    return column


def close(part: object) -> None:
    """Close the widgets in a list, and those in a widget: its children, layout and style."""
    if isinstance(part, (list, tuple)):
        for one in part:
            close(one)
    elif isinstance(part, widgets.Widget):
        close([getattr(part, key) for key in part.keys])
        part.close()


def data_url(picture: bytes, kind: str) -> str:
    """Return a picture as a URL."""
    return f"data:image/{kind};base64," + base64.b64encode(picture).decode()

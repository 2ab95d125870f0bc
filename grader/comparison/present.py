"""Render verdicts as HTML, and values as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from grader.comparison.codec import decode, opaque
from grader.comparison.compare import error_text
from grader.comparison.figure import figure_html
from grader.comparison.judge import Failure, Verdict
from grader.comparison.schema import Outcome, Plain
from grader.comparison.vocabulary import in_order, in_words

MAX_SHOWN = 400  # characters of one value
MAX_DIMENSIONS = 4  # of an array that is shown with brackets: numpy writes six numbers along each

Texts = tuple[str, list[tuple[str, str]]]
Way = tuple[str, str]
"""What a right answer is good at, and its code."""

STYLE = (
    "<style>\n"
    ".verdict{border:1px solid var(--jp-border-color2,#bbb);border-left:6px solid #D55E00;"
    "border-radius:4px;padding:.6em 1em;margin:.3em 0;\n"
    "max-width:46em;color:var(--jp-ui-font-color1,#222);background:var(--jp-layout-color1,#fff);"
    "font-family:var(--jp-ui-font-family,sans-serif);font-size:14px;line-height:1.5}\n"
    ".verdict.solved{border-left-color:#009E73}.verdict.open{border-left-color:#0072B2}\n"
    ".verdict b.name,.verdict pre{font-family:var(--jp-code-font-family,monospace)}\n"
    ".verdict ul{list-style:none;margin:.3em 0;padding:0;display:flex;flex-wrap:wrap;"
    "gap:.1em 1.2em}\n"
    ".verdict table{border-collapse:collapse;margin:.3em 0}.verdict th{text-align:left;"
    "padding:.1em 1em .1em 0;vertical-align:top;font-weight:600;color:inherit}\n"
    ".verdict td{text-align:left;padding:.1em 0;color:inherit}.verdict pre{margin:0;"
    "white-space:pre-wrap;color:inherit;background:none;font-size:13px}\n"
    ".verdict summary{cursor:pointer}.verdict details pre{margin:0 0 .8em 1em}\n"
    ".verdict p{margin:.3em 0}.verdict .hint{font-weight:600}.verdict .overall{opacity:.8}\n"
    ".jp-mod-dirty + .jp-Cell .verdict{border-left-color:#0072B2}\n"
    ".jp-mod-dirty + .jp-Cell .verdict > *{display:none}\n"
    ".jp-mod-dirty + .jp-Cell .verdict::before{content:'The cell above has been edited since it"
    " ran: run it, then this check.'}\n"
    "</style>"
)
"""Jupyter marks a cell whose text is not what ran: the check below it then shows no verdict."""


def missed_for_sure(verdict: Verdict) -> list[str]:
    """Return wrong values alone where they are missed: they make most other properties fail too."""
    return ["value"] if "value" in verdict.missed else [*verdict.missed]


def with_code(text: str) -> str:
    """Return text as escaped HTML, with what is between backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def verdict_html(
    verdict: Verdict,
    solved: int | None = None,
    exercises: int = 0,
    warning: str | None = None,
    later: bool = False,
    failed: Texts | None = None,
    ways: Sequence[Way] = (),
    slider: bool = False,
) -> str:
    """Return a verdict, and the learner's progress in the lesson, as a card of escaped HTML.

    `later` leaves the missed properties, the difference and the hint to the lesson's hardening.
    `failed` shows the texts of a failing case where the verdict has none; `ways` are folded;
    `slider` puts one below a figure.
    """
    mark, words = verdict.state.mark, "solved" if verdict.solved else "not yet"
    if later:
        mark, words = "✓", "works"
    style = {"✓": "solved", "✗": "missed", "○": "open"}[mark]
    earned = f", {verdict.points:g} of {verdict.max_points:g} points" if verdict.max_points else ""
    parts = [
        f'{STYLE}<div class="verdict {style}" role="status">'
        f'<p><b class="name">{escape(verdict.exercise)}</b> {mark} {words}{earned}</p>'
    ]
    if verdict.note:
        parts.append(f"<p>{escape(verdict.note)}</p>")
    if properties := in_order([*verdict.passed, *verdict.missed, *verdict.open]):
        sure = [] if later else missed_for_sure(verdict)
        marks = dict.fromkeys(verdict.passed, "✓") | dict.fromkeys(sure, "✗")
        marks |= dict.fromkeys(verdict.open, "–")
        items = "".join(
            f"<li>{marks.get(one, '○')} {escape(in_words(one))}"
            f"{': looked at after handing in' if one in verdict.open else ''}</li>"
            for one in properties
        )
        parts.append(f'<ul style="padding:0">{items}</ul>')
    if later:
        parts.append("<p>The values are right. ○ comes later, under “Harden it”.</p>")
    elif failed := failure_texts(verdict.failure) if verdict.failure else failed:
        parts.append(_failed(*failed))
        parts.append(figure_html(verdict.picture, slider) if verdict.picture else "")
    if verdict.advice and not later:
        parts.append(f'<p class="hint">{with_code(verdict.advice)}</p>')
    if ways:
        shown = (f"<p>{escape(why)}</p><pre>{escape(code)}</pre>" for why, code in ways)
        parts.append(f"<details><summary>Other right ways</summary>{''.join(shown)}</details>")
    if solved is not None:
        parts.append(f'<p class="overall">{progress_text(solved, exercises)}</p>')
    if warning:
        parts.append(f"<p>{escape(warning)}</p>")
    return "".join([*parts, "</div>"])


def progress_text(solved: int, exercises: int) -> str:
    """Return the learner's progress in one line."""
    dots = "●" * solved + "○" * (exercises - solved)
    return f"{dots} {solved} of {exercises} exercises of this lesson solved"


def failure_texts(failure: Failure) -> Texts:
    """Return the sentence about a failing case, and the names and texts of its values."""
    return failure_sentence(failure), failure_rows(failure)


def failure_sentence(failure: Failure) -> str:
    """Return the property and the difference of the first case that differs."""
    return f"The first case that differs ({in_words(failure.case['property'])}): {failure.reason}"


def failure_rows(failure: Failure, printed: bool = True) -> list[tuple[str, str]]:
    """Return names and texts of the inputs, both outcomes, and the learner's printed text."""
    case, outcome = failure.case, failure.outcome
    more = (f"input {i + 1}" for i in range(len(case["parameters"]), len(case["inputs"])))
    rows = [*zip([*case["parameters"], *more], map(show, case["inputs"]), strict=True)]
    if points := case.get("at"):
        rows.append(("its result called with", "; ".join(", ".join(map(show, p)) for p in points)))
    wanted = f"{case['raises']} raised" if "raises" in case else show_outcome(case["expected"])
    rows += [("yours", show_outcome(outcome)), ("expected", wanted)]
    if printed and (text := outcome.get("printed")):
        rows.append(("it printed", text))
    return rows


def show(data: Plain) -> str:
    """Return a plain value as a learner would write or print it, cut to a readable length."""
    text = _show(data, MAX_SHOWN)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]} …"


def show_outcome(outcome: Outcome) -> str:
    """Return the result or the exception of a call as text."""
    if "error" in outcome:
        return error_text(outcome)
    if sample := outcome.get("sample"):
        shape, quantiles = tuple(sample["shape"]), np.array(sample["quantiles"])
        if not quantiles.size:
            return f"an empty array of shape {shape}"
        with np.errstate(all="ignore"):
            spread = f"mean {quantiles.mean():.3g}, standard deviation {quantiles.std():.3g}"
        return f"random numbers of shape {shape}, {spread}"
    return show(outcome["value"] if "value" in outcome else outcome["draws"][0])


def count_of(count: int, noun: str) -> str:
    """Return a number and a noun: "1 answer", "3 answers"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def listed(title: str, reasons: Iterable[tuple[str, str]]) -> list[str]:
    """Return a title, and below it a line for each name and its reason; nothing without any."""
    lines = [f"  {name}: {why.removesuffix('.')}." for name, why in reasons]
    return [f"{title}:", *lines] if lines else []


def one_line(text: str) -> str:
    """Return a text for a terminal, without line breaks and control characters."""
    return "".join(one if one.isprintable() else " " if one.isspace() else "�" for one in text)


def _failed(sentence: str, rows: list[tuple[str, str]]) -> str:
    # Inline, because JupyterLab's own style of tables is stronger than a class.
    left, plain = 'style="text-align:left"', 'style="background:none"'
    cells = "".join(
        f'<tr {plain}><th scope="row" {left}>{escape(name)}</th>'
        f"<td {left}><pre>{escape(text)}</pre></td></tr>"
        for name, text in rows
    )
    return f"<p>{escape(sentence)}</p><table>{cells}</table>"


def _show(data: Plain, room: int) -> str:
    """Return the text of a value; of a list only what fits into `room` characters, and a little."""
    if reason := opaque(data):
        return reason
    if not isinstance(data, dict):
        return f"{data:.8g}" if isinstance(data, float) else repr(data)
    if "tuple" in data or "list" in data:
        items = data["tuple"] if "tuple" in data else data["list"]
        texts: list[str] = []
        for item in items[:8]:
            room -= len(texts[-1]) if texts else 0
            texts.append(_show(item, room) if room > 0 else "…")
        shown = ", ".join(texts + ["…"] * (len(items) > 8))
        return f"({shown})" if "tuple" in data else f"[{shown}]"
    if "function" in data:
        name = data["function"].replace("numpy.", "np.", 1)
        bound = [show(arg) for arg in data["args"]]
        bound += [f"{name}={show(value)}" for name, value in data["bound"].items()]
        return f"{name} with {', '.join(bound)}" if bound else name
    return f"np.random.default_rng({data['rng']})" if "rng" in data else _show_numbers(data)


def _show_numbers(data: dict[str, Plain]) -> str:
    value = decode(data)
    if "scalar" in data:
        return f"{value:.8g}" if data["dtype"].startswith("float") else str(value)
    if not value.size:
        return f"an empty array of shape {value.shape}"
    deep = value.ndim > MAX_DIMENSIONS
    with np.printoptions(precision=6, threshold=60, edgeitems=3, suppress=False, linewidth=60):
        text = np.array2string(value.ravel() if deep else value, separator=", ")
    kind = "" if data["dtype"] in ("float64", "int64", "bool") else f"  ({data['dtype']})"
    return f"{text}{kind}{f'  (of shape {value.shape})' if deep else ''}"

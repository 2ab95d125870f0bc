"""Sanitize the text and outputs of a learner's notebook for the feedback page."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from grader.execution.notebook import text_in

MAX_TEXT = 20_000
"""Most characters shown of one output or one markdown cell."""

MAX_IMAGE = 2_000_000
"""Most characters of a picture, as base64."""

MAX_OUTPUTS = 20
"""Most outputs shown of one cell."""

PICTURES = ("image/png", "image/jpeg")

TAG = r"/?(?:b|i|em|strong|br|hr|sub|sup|u|p|code|kbd|pre) ?/?>"
HARMLESS_TAG = re.compile(f"<{TAG}", re.IGNORECASE)
SMALLER = re.compile(rf"(?<=\w)<(?!{TAG})(?=[a-z])", re.IGNORECASE)
"""What is less than in ``$x<y$``, and a tag for whoever reads HTML."""

WEB_LINK = re.compile(r"\]\(https?://[a-zA-Z0-9._~/?#=&%+,;@-]*\)")
SPECIAL = re.compile(r"<[a-zA-Z/!?]|\]\(|\]:|!\[|&#|&[a-zA-Z][a-zA-Z0-9]*;")
"""What begins a tag, a link, a link's address or a picture, and a character by its number or name, which MathJax takes for that character."""

FENCE = re.compile(r"(?:`{3,}|~{3,})(.*)")
LANGUAGES = {"", "python", "py", "python3", "text", "console", "bash", "sh"}
"""What may stand behind a fence: mermaid, for one, is put on a page as it is."""

COMMAND = re.compile(r"\\([a-zA-Z]+)")
FORMULAS = """
alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi varphi chi psi omega
Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega nabla partial infty ell hbar Re Im forall exists neg emptyset
frac dfrac tfrac binom sqrt sum prod int lim sup inf max min argmax argmin exp log ln sin cos tan sinh cosh tanh det dim deg Pr
cdot cdots ldots dots vdots ddots times div pm mp circ odot otimes oplus ast star prime top bot dagger mid parallel perp
le leq ge geq lt gt ne neq approx equiv sim simeq cong propto ll gg in notin ni subset subseteq supset supseteq cup cap setminus land lor
to gets mapsto rightarrow leftarrow Rightarrow Leftarrow leftrightarrow Leftrightarrow longrightarrow implies iff uparrow downarrow
left right middle big Big bigg Bigg bigl bigr Bigl Bigr langle rangle lfloor rfloor lceil rceil lvert rvert lVert rVert vert Vert
hat bar vec dot ddot tilde widehat widetilde overline underline overbrace underbrace overset underset stackrel boxed
mathbf mathrm mathbb mathcal mathit mathsf boldsymbol operatorname text textbf textit textrm displaystyle textstyle limits nolimits
quad qquad begin end hline tag label n t
"""
COMMANDS = frozenset(FORMULAS.split())
"""What MathJax may be told, and what ends a line in a string of Python; other commands of it make links and styles, or new commands."""

MAX_BACKSLASHES = 1_000
"""Most in a text that is shown as markdown: for each, all that follows is searched for the end of a formula."""

LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\ud800-\udfff]")


def harmless_markdown(text: str) -> str:
    """A markdown cell made only of what can hold neither HTML nor a link that runs something; one of anything else is shown as its source."""
    text = CONTROLS.sub("�", LINE_ENDS.sub("\n", text[:MAX_TEXT]))
    formatted = SMALLER.sub("< ", text)
    if _is_plain(formatted):
        return formatted
    return "This cell holds HTML or the like, so it is shown as it was written:\n\n" + "\n".join(
        f"    {line}" for line in text.split("\n")
    )


def _is_plain(text: str) -> bool:
    """Whether nothing in a markdown text is special but simple formatting, links to the web, code and known formulas. Looks at each letter a few times."""
    rest = WEB_LINK.sub("] ", HARMLESS_TAG.sub(" ", text))
    return (
        not SPECIAL.search(rest)
        and text.count("\\") <= MAX_BACKSLASHES
        and all(match[1].strip() in LANGUAGES for match in FENCE.finditer(text))
        and all(match[1] in COMMANDS for match in COMMAND.finditer(text))
    )


def harmless_outputs(outputs: Any) -> list[dict[str, Any]]:
    """What a cell showed, as text and pictures; HTML, SVG, scripts and widgets are left out."""
    shown = (
        [_output(output) for output in outputs[:MAX_OUTPUTS] if isinstance(output, dict)]
        if isinstance(outputs, list)
        else []
    )
    return [output for output in shown if output]


def harmless_text(text: str) -> str:
    """Text that any file and any page can hold, cut to a readable length."""
    text = CONTROLS.sub("�", LINE_ENDS.sub("\n", text))
    return (
        text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}\n… cut after {MAX_TEXT:,} characters"
    )


def _output(output: dict[str, Any]) -> dict[str, Any] | None:
    match output.get("output_type"):
        case "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            return {"output_type": "stream", "name": name, "text": _text(output.get("text"))}
        case "error":
            text = (
                _text(output.get("traceback"), "\n")
                or f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
            )
            return {"output_type": "stream", "name": "stdout", "text": text}
        case "execute_result" | "display_data":
            data = output.get("data")
            shown = _shown(data) if isinstance(data, dict) else {}
            return {"output_type": "display_data", "data": shown, "metadata": {}} if shown else None
    return None


def _shown(data: dict[str, Any]) -> dict[str, str]:
    shown = {kind: picture for kind in PICTURES if (picture := _picture(data.get(kind)))}
    return shown | ({"text/plain": _text(data["text/plain"])} if "text/plain" in data else {})


def _picture(data: Any) -> str | None:
    text = "".join(text_in(data).split())
    if not text or len(text) > MAX_IMAGE:
        return None
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return text


def _text(data: Any, between: str = "") -> str:
    return harmless_text(text_in(data, between))

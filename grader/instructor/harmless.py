"""Text and outputs of a learner's notebook come in; what can be shown on a page without running anything there goes out."""

from __future__ import annotations

import base64
import binascii
import re
from html import unescape
from typing import Any

MAX_TEXT = 20_000
"""Most characters shown of one output or one markdown cell."""

MAX_IMAGE = 2_000_000
"""Most characters of a picture, as base64."""

MAX_OUTPUTS = 20
"""Most outputs shown of one cell."""

PICTURES = ("image/png", "image/jpeg")

HARMLESS_TAG = re.compile(r"</?(?:b|i|em|strong|br|hr|sub|sup|u|p|code|kbd|pre)\s*/?>", re.IGNORECASE)
ANY_TAG = re.compile(r"^[\s>*+\-\d.)#]*<[a-zA-Z/!?]|<\s*[a-zA-Z/!?][^>]*>", re.MULTILINE)
"""A tag, or what markdown takes for one at the beginning of a line; ``x<y`` in a formula is none."""
ANY_SCHEME = re.compile(r"(?:script|data|file|about|blob|attachment):", re.IGNORECASE)
LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\ud800-\udfff]")


def harmless_markdown(text: str) -> str:
    """A markdown cell that can hold neither HTML nor a link that runs something; one that does is shown as its source."""
    text = CONTROLS.sub("�", LINE_ENDS.sub("\n", text[:MAX_TEXT]))
    plain = re.sub(r"[\s\x00-\x20]+", "", unescape(unescape(text)))
    if not ANY_TAG.search(HARMLESS_TAG.sub("", text)) and not ANY_SCHEME.search(plain):
        return text
    return "This cell holds HTML, so it is shown as it was written:\n\n" + "\n".join(f"    {line}" for line in text.split("\n"))


def harmless_outputs(outputs: Any) -> list[dict[str, Any]]:
    """What a cell showed, as text and pictures; HTML, SVG, scripts and widgets are left out."""
    shown = [_output(output) for output in outputs[:MAX_OUTPUTS] if isinstance(output, dict)] if isinstance(outputs, list) else []
    return [output for output in shown if output]


def harmless_text(text: str) -> str:
    """Text that any file and any page can hold, cut to a readable length."""
    text = CONTROLS.sub("�", LINE_ENDS.sub("\n", text))
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}\n… cut after {MAX_TEXT:,} characters"


def _output(output: dict[str, Any]) -> dict[str, Any] | None:
    match output.get("output_type"):
        case "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            return {"output_type": "stream", "name": name, "text": _text(output.get("text"))}
        case "error":
            text = _text(output.get("traceback"), "\n") or f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"
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
    text = "".join(_text_of(data, "").split())
    if not text or len(text) > MAX_IMAGE:
        return None
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return text


def _text(data: Any, between: str = "") -> str:
    return harmless_text(_text_of(data, between))


def _text_of(data: Any, between: str) -> str:
    return between.join(map(str, data)) if isinstance(data, list) else "" if data is None else str(data)

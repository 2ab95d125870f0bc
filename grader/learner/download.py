"""Download all lessons' notebooks in one archive, as a browser without a server needs it."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path
from typing import Any

from grader.learner.notebook import lesson_keys

NAME = "lessons.zip"


def archive(course: Path) -> bytes:
    """Return a zip archive of the notebooks in the lessons' folders."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as written:
        for lesson in lesson_keys(course):
            for path in sorted((course / lesson).glob("*.ipynb")):
                written.writestr(f"{lesson}/{path.name}", path.read_bytes())
    return file.getvalue()


def download() -> Any:
    """Return a button that downloads the notebooks of all lessons next to the current one."""
    import ipywidgets as widgets

    button, link = widgets.Button(description="Download all lessons"), widgets.HTML()

    def offer(_: Any) -> None:
        data = base64.b64encode(archive(Path.cwd())).decode()
        anchor = f'<a download="{NAME}" href="data:application/zip;base64,{data}">{NAME}</a>'
        link.value = f'{anchor}<style onload="this.previousElementSibling.click()"></style>'

    button.on_click(offer)
    return widgets.HBox([button, link])

"""Build a tiny project for a test: an editable install that needs no package and no network."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any


def build_editable(folder: str, config_settings: Any = None, metadata_directory: Any = None) -> str:
    """Write a wheel without modules; first wait for a reader of the pipe TINY_FIFO, if it is set."""
    if fifo := os.environ.get("TINY_FIFO"):
        Path(fifo).open("w").close()
        Path(fifo).open().close()  # nobody writes: wait to be killed
    name = "tiny-0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("tiny-0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 0\n")
        wheel.writestr("tiny-0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-0.dist-info/RECORD", "")
    return name

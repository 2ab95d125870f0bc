"""Build a tiny project for a test: an editable install that needs no package and no network."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

METADATA = "Metadata-Version: 2.1\nName: tiny\nVersion: 0\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build_editable(folder: str, config_settings: Any = None, metadata_directory: Any = None) -> str:
    """Write an empty wheel; where TINY_FIFO names a pipe, wait for a reader, then for a kill."""
    if fifo := os.environ.get("TINY_FIFO"):
        Path(fifo).open("w").close()
        Path(fifo).open().close()  # nobody writes: wait to be killed
    name = "tiny-0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("tiny-0.dist-info/METADATA", METADATA)
        wheel.writestr("tiny-0.dist-info/WHEEL", WHEEL)
        wheel.writestr("tiny-0.dist-info/RECORD", "")
    return name

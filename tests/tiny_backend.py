"""The build backend of tests' tiny projects: an editable install without any package, so that it needs no network."""

from __future__ import annotations

import os
import time
import zipfile
from typing import Any


def build_editable(folder: str, config_settings: Any = None, metadata_directory: Any = None) -> str:
    time.sleep(float(os.environ.get("TINY_SECONDS", "0")))
    name = "tiny-0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("tiny-0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 0\n")
        wheel.writestr("tiny-0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-0.dist-info/RECORD", "")
    return name

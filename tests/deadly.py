"""In place of `grader.instructor.workforce.grade_batch`, importable by a worker in no time: notebooks come in, and one of them ends its process."""

from __future__ import annotations

import os
import signal
import time
from typing import Any


def grade_batch(order: Any, notebooks: list[str]) -> list[dict[str, Any]]:
    """Each honest notebook takes a while; one that is called a killer ends its worker a little sooner."""
    for notebook in notebooks:
        time.sleep(0.05 if notebook == "killer" else 0.2)
        if notebook == "killer":
            os.kill(os.getpid(), signal.SIGKILL)
    return [{"points": 1.0}] * len(notebooks)

"""Replace `grader.instructor.workers.grade_batch` in tests: some notebooks kill the worker."""

from __future__ import annotations

import os
import signal
from typing import Any


def grade_batch(job: Any, notebooks: list[str], first: bool) -> list[dict[str, Any]]:
    """Return a point for each notebook; one named "killer" ends its worker."""
    for notebook in notebooks:
        if notebook == "killer":
            os.kill(os.getpid(), signal.SIGKILL)
    return [{"points": 1.0}] * len(notebooks)

"""Time a check in a learner's notebook, and `make course` for one lesson."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


def checks(lesson: str, rounds: int = 20) -> dict[str, float]:
    """Return the median seconds of `check(f)` and its HTML with each exercise's reference."""
    from grader import check
    from grader.author.lesson import load_lesson

    reference = load_lesson(ROOT / "solutions" / lesson).reference
    os.environ["PYTHONWARNINGS"] = "ignore"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "answers.key").write_bytes(
            (ROOT / "course" / lesson / "answers.key").read_bytes()
        )
        os.chdir(folder)
        times = {
            name: statistics.median(
                _seconds(lambda f=f: check(f)._repr_html_()) for _ in range(rounds)
            )
            for name, f in reference.items()
        }
        os.chdir(ROOT)
    return times


def course(lesson: str) -> float:
    """Return the seconds that `grader course LESSON --check` takes."""
    command = [str(Path(sys.executable).parent / "grader"), "course", "--check", lesson]
    return _seconds(lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True))


def _seconds(action: object) -> float:
    start = time.perf_counter()
    action()  # type: ignore[operator]
    return time.perf_counter() - start


if __name__ == "__main__":
    for folder in sorted(path.parent.name for path in (ROOT / "course").glob("*/answers.key")):
        slowest = max(checks(folder).items(), key=lambda item: item[1])
        print(f"| {folder} | slowest check, {slowest[0]} | {1000 * slowest[1]:.0f} ms |")
        print(f"| {folder} | make course | {course(folder):.1f} s |")

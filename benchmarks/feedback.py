"""Compare the processor time of `grader feedback` with that of nbgrader's own generate_feedback.

python benchmarks/feedback.py [--students 60] [--more 300]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader.author.lesson import load_lesson
from grader.instructor.autograde import AutogradeOptions, autograde

ROOT = Path(__file__).parent.parent
LESSON = "neuron"
OURS = "# Learners' code runs only in the grader's sandbox"
"""Start of the part of nbgrader_config.py that replaces nbgrader's code."""


def graded_class(root: Path, students: int) -> None:
    """Make a course in `root` with a made-up class that is graded."""
    for name in ("course", "solutions"):
        shutil.copytree(ROOT / name, root / name)
    for name in ("nbgrader_config.py", "pyproject.toml"):
        shutil.copyfile(ROOT / name, root / name)
    command = [sys.executable, "-m", "grader.cli", "sample-class", LESSON]
    subprocess.run([*command, "--students", str(students)], cwd=root, check=True)
    autograde(root, load_lesson(root / "solutions" / LESSON), AutogradeOptions())


def run(root: Path, *words: str) -> tuple[float, float]:
    """Return the seconds and the processor time of a command, with its processes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    module = {"grader": "grader.cli"}.get(words[0], words[0])
    command = [sys.executable, "-m", module, *words[1:], LESSON]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(root: Path) -> None:
    """Print the table of a graded class."""
    pages, config = root / "class" / "feedback", root / "nbgrader_config.py"
    shutil.rmtree(pages, ignore_errors=True)
    rows = [("`grader feedback`", *run(root, "grader", "feedback"))]
    rows.append(("the same, with nothing to do", *run(root, "grader", "feedback")))
    students = len([*pages.iterdir()])
    shutil.rmtree(pages)
    whole = config.read_text(encoding="utf-8")
    config.write_text(whole.split(OURS)[0], encoding="utf-8")
    theirs = run(root, "nbgrader", "generate_feedback")
    config.write_text(whole, encoding="utf-8")
    assert len([*pages.iterdir()]) == students
    rows.append(("nbgrader's own `generate_feedback`", *theirs))
    print(f"| {students} pages | seconds | processor seconds | ratio |\n|---|---|---|---|")
    for what, seconds, cpu in rows:
        print(f"| {what} | {seconds:.1f} | {cpu:.1f} | {theirs[1] / cpu:.1f} |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=60)
    parser.add_argument("--more", type=int, default=0)
    wanted = parser.parse_args()
    print(f"{os.cpu_count()} cores")
    for students in filter(None, (wanted.students, wanted.more)):
        with tempfile.TemporaryDirectory() as folder:
            graded_class(Path(folder), students)
            compare(Path(folder))


if __name__ == "__main__":
    main()

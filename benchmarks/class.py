"""Time the grading of a made-up class into the gradebook, beside `nbgrader autograde`.

python benchmarks/class.py [--students 300] [--part 8] [--more 1000]
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader.author.lesson import load_lesson
from grader.instructor.gradebook import course_directory
from grader.instructor.sample_class import sample_class

ROOT = Path(__file__).parent.parent
LESSON = "neuron"
OURS = "# Learners' code runs only in the grader's sandbox"
"""Where nbgrader_config.py begins to put the engine behind `nbgrader autograde`."""

MOST = "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
"""Runs a command and prints, last, the most memory of one of its processes, in kB. Not asked of this process: a child begins with its parent's memory."""


class Course:
    """A copy of the course with so many students, none of them hostile or untidy: `nbgrader autograde` would stop at those."""

    def __init__(self, root: Path, students: int, plain: bool = False) -> None:
        self.root = root
        for room in ("course", "solutions"):
            shutil.copytree(ROOT / room, root / room)
        config = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
        (root / "nbgrader_config.py").write_text(
            config.split(OURS)[0] if plain else config, encoding="utf-8"
        )
        made = sample_class(ROOT, load_lesson(ROOT / "solutions" / LESSON), 2 * students)
        honest = [
            (student, notebook)
            for student, notebook in made.items()
            if not student.endswith(("hostile", "untidy"))
        ]
        for student, notebook in honest[:students]:
            folder = root / "class" / "submitted" / student / LESSON
            folder.mkdir(parents=True)
            (folder / f"{LESSON}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
            (folder / "timestamp.txt").write_text("2026-10-01 12:00:00 UTC", encoding="utf-8")
            shutil.copyfile(ROOT / "course" / LESSON / "answers.json", folder / "answers.json")
        self.run("nbgrader", "generate_assignment", LESSON, "--force")

    def run(self, *words: str) -> tuple[float, float]:
        """Seconds of a command, and the most memory of one of its processes, in MB."""
        start = time.perf_counter()
        command = [
            sys.executable,
            "-m",
            {"grader": "grader.cli"}.get(words[0], words[0]),
            *words[1:],
        ]
        done = subprocess.run(
            [sys.executable, "-c", MOST, *command],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
        return time.perf_counter() - start, int(done.stdout.split()[-1]) / 1024

    def points(self) -> dict[str, float]:
        """What the gradebook says."""
        from nbgrader.api import Gradebook

        coursedir = course_directory(self.root)
        with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
            return {one.student.id: one.score for one in gradebook.assignment_submissions(LESSON)}


def whole(students: int) -> tuple[float, dict[str, float], float]:
    """Seconds of `grader autograde` on a class, its points, and the most memory of one of its processes, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        course = Course(Path(folder), students)
        seconds, memory = course.run("grader", "autograde", LESSON)
        return seconds, course.points(), memory


def each_further(students: int, plain: bool) -> tuple[float, dict[str, float]]:
    """Seconds that `nbgrader autograde` takes for each submission after the first two, and the points."""
    times = []
    for count in (2, students):
        with tempfile.TemporaryDirectory() as folder:
            course = Course(Path(folder), count, plain)
            times.append(course.run("nbgrader", "autograde", LESSON)[0])
            points = course.points()
    return (times[1] - times[0]) / (students - 2), points


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--part", type=int, default=8)
    parser.add_argument("--more", type=int, default=0)
    wanted = parser.parse_args()
    plain, theirs = each_further(wanted.part, plain=True)
    drop_in, inside = each_further(8 * wanted.part, plain=False)
    seconds, ours, memory = whole(wanted.students)
    same = all(
        abs(ours[student] - points) < 1e-9 and inside[student] == ours[student]
        for student, points in theirs.items()
    )
    print("| way | students | seconds | seconds each | ratio |\n|---|---|---|---|---|")
    print(f"| nbgrader autograde, each further submission | {wanted.part} | | {plain:.3f} | 1 |")
    print(
        f"| nbgrader autograde with the engine behind it, each further submission | {8 * wanted.part} | | {drop_in:.3f} | {plain / drop_in:.0f} × |"
    )
    each = seconds / wanted.students
    print(
        f"| grader autograde, start and gradebook included | {wanted.students} | {seconds:.1f} | {each:.4f} | {plain / each:.0f} × |"
    )
    if wanted.more:
        longer, _, more_memory = whole(wanted.more)
        print(
            f"| the same | {wanted.more} | {longer:.1f} | {longer / wanted.more:.4f} | {plain * wanted.more / longer:.0f} × |"
        )
        print(
            f"\n{wanted.more} cost {longer / seconds:.2f} times {wanted.students}; most memory of a process {memory:.0f} MB, then {more_memory:.0f} MB."
        )
    print(
        f"\nPoints of the part are {'the same' if same else 'DIFFERENT'} in all three gradebooks."
    )


if __name__ == "__main__":
    main()

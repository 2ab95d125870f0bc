"""Time the grading of a made-up class and compare it with `nbgrader autograde`.

python benchmarks/class.py [--students 300] [--part 8] [--more 1000]
python benchmarks/class.py --hostile: how long 38 students wait in a class with 22 hostile ones
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader.author.lesson import load_lesson
from grader.instructor.autograde import SOME_NOT_GRADED
from grader.instructor.gradebook import course_directory
from grader.instructor.sample_class import sample_class, submit
from grader.sandbox.scratch import remove

ROOT = Path(__file__).parent.parent
LESSON = "neuron"
OURS = "# Learners' code runs only in the grader's sandbox"
"""Start of the part of nbgrader_config.py that replaces nbgrader's grading."""

MEASURE = """
import contextlib, ctypes, os, resource, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans are waited for, too
code = subprocess.call(sys.argv[1:])
with contextlib.suppress(ChildProcessError):
    while True:
        os.wait()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
"""Runs a command, then prints the peak memory of its largest process in kB.

A separate process, because a child starts with its parent's memory."""


class Course:
    """A copy of the course with students, none hostile or untidy: nbgrader stops at those."""

    def __init__(self, root: Path, students: int, plain: bool = False) -> None:
        self.root = root
        for name in ("course", "solutions"):
            shutil.copytree(ROOT / name, root / name)
        shutil.copyfile(ROOT / "pyproject.toml", root / "pyproject.toml")
        config = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
        config = config.split(OURS)[0] if plain else config
        (root / "nbgrader_config.py").write_text(config, encoding="utf-8")
        made = sample_class(load_lesson(ROOT / "solutions" / LESSON), 2 * students)
        honest = [name for name in made if not name.endswith(("hostile", "untidy"))][:students]
        chosen = {name: made[name] for name in honest}
        submit(root / "class" / "submitted", LESSON, chosen, random.Random(1))
        self.run("nbgrader", "generate_assignment", LESSON, "--force")

    def run(self, *words: str) -> tuple[float, float]:
        """Return a command's seconds, and the peak memory of its largest process in MB."""
        start = time.perf_counter()
        module = {"grader": "grader.cli"}.get(words[0], words[0])
        command = [sys.executable, "-m", module, *words[1:]]
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, *command],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, SOME_NOT_GRADED):
            raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
        return time.perf_counter() - start, int(done.stdout.split()[-1]) / 1024

    def add_hostile(self, count: int) -> None:
        """Add the submissions of `tests/hostile_class.py`, their names between the others'."""
        sys.path.insert(0, str(ROOT / "tests"))
        from hostile_class import FOLDERS, NOTEBOOKS

        kinds = [*NOTEBOOKS, *FOLDERS]
        for number in range(count):
            kind = kinds[number % len(kinds)]
            folder = self.root / "class" / "submitted" / f"{2 * number:04} {kind}" / LESSON
            folder.mkdir(parents=True)
            notebook = NOTEBOOKS.get(kind, NOTEBOOKS["no columns"])()
            (folder / f"{LESSON}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
            FOLDERS.get(kind, Path.exists)(folder)

    def points(self) -> dict[str, float]:
        """Return the points in the gradebook by student."""
        from nbgrader.api import Gradebook

        coursedir = course_directory(self.root)
        with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
            return {one.student.id: one.score for one in gradebook.assignment_submissions(LESSON)}


def whole(students: int) -> tuple[float, dict[str, float], float]:
    """Return the seconds of `grader autograde`, the points, and the peak memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        course = Course(Path(folder), students)
        seconds, memory = course.run("grader", "autograde", LESSON)
        return seconds, course.points(), memory


def each_further(students: int, plain: bool) -> tuple[float, dict[str, float]]:
    """Return nbgrader's seconds for each submission after the first two, and the points."""
    times = []
    for count in (2, students):
        with tempfile.TemporaryDirectory() as folder:
            course = Course(Path(folder), count, plain)
            times.append(course.run("nbgrader", "autograde", LESSON)[0])
            points = course.points()
    return (times[1] - times[0]) / (students - 2), points


def waits(students: int, hostile: int) -> list[tuple[float, float]]:
    """Return how long the honest students wait for their grades, then for their pages.

    Each is the seconds until the last of them has it, and the peak memory of a process in MB.
    """
    with tempfile.TemporaryDirectory() as folder:
        course, found = Course(Path(folder), students), []
        submitted = course.root / "class" / "submitted"
        honest = [path.name for path in submitted.iterdir()]
        course.add_hostile(hostile)
        for command, place in (
            (("grader", "autograde"), "autograded/{}/{}/{}.ipynb"),
            (("grader", "feedback"), "feedback/{}/{}/{}.html"),
        ):
            start = time.time()
            memory = course.run(*command, LESSON)[1]
            files = [course.root / "class" / place.format(one, LESSON, LESSON) for one in honest]
            found.append((max(path.stat().st_mtime for path in files) - start, memory))
        remove(str(submitted))  # a folder in it is too deep for others
        return found


def print_waits(students: int, hostile: int) -> None:
    """Print the waits of the honest students without and with hostile ones."""
    print("| everybody else has | alone | with them | ratio | largest process |")
    print("|---|---|---|---|---|")
    both = zip(("points", "pages"), waits(students, 0), waits(students, hostile), strict=True)
    for what, (alone, _), (together, memory) in both:
        ratio = together / alone
        print(f"| {what} | {alone:.1f} s | {together:.1f} s | {ratio:.2f} | {memory:.0f} MB |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--part", type=int, default=8)
    parser.add_argument("--more", type=int, default=0)
    parser.add_argument("--hostile", action="store_true")
    wanted = parser.parse_args()
    if wanted.hostile:
        print_waits(38, 22)
        return
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
        f"| nbgrader autograde with the sandbox, each further submission | {8 * wanted.part} | "
        f"| {drop_in:.3f} | {plain / drop_in:.0f} × |"
    )
    each = seconds / wanted.students
    print(
        f"| grader autograde, start and gradebook included | {wanted.students} | {seconds:.1f} "
        f"| {each:.4f} | {plain / each:.0f} × |"
    )
    if wanted.more:
        longer, _, more_memory = whole(wanted.more)
        each = longer / wanted.more
        print(
            f"| the same | {wanted.more} | {longer:.1f} | {each:.4f} | {plain / each:.0f} × |\n\n"
            f"{wanted.more} cost {longer / seconds:.2f} times {wanted.students}; "
            f"peak memory of a process {memory:.0f} MB, then {more_memory:.0f} MB."
        )
    points = "the same" if same else "DIFFERENT"
    print(f"\nPoints of the part are {points} in all three gradebooks.")


if __name__ == "__main__":
    main()

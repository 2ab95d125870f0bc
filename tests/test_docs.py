"""What the pages under docs tell an author to do, done."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course import LESSONS, ROOT, lesson

BLOCK = re.compile(r"^(`{3,})(?:markdown|python) (\S+/\S+)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


def repository(folder: Path) -> Path:
    """A copy of what an author has, with the files in it that the page shows."""
    for room in ("course", "solutions", "grader", "playground"):
        shutil.copytree(
            ROOT / room,
            folder / room,
            ignore=shutil.ignore_patterns("__pycache__", "progress.json"),
        )
    for file in ("nbgrader_config.py", "pyproject.toml"):
        shutil.copy(ROOT / file, folder)
    for _, path, text in BLOCK.findall((ROOT / "docs" / "lesson.md").read_text(encoding="utf-8")):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    with (folder / "solutions" / "order.txt").open("a", encoding="utf-8") as order:
        order.write("momentum\n")
    return folder


@pytest.mark.long
def test_the_lesson_of_ten_minutes_is_verified_made_and_graded(tmp_path: Path) -> None:
    root = repository(tmp_path)

    def grader(*words: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "grader.cli", *words],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "momentum" in grader("verify", "momentum")
    grader("course", "momentum")
    learners = json.loads(
        (root / "course" / "momentum" / "momentum.ipynb").read_text(encoding="utf-8")
    )
    text = json.dumps(learners)
    assert "Not written yet" in text
    assert "beta * np.asarray(v) + grad" not in text
    graded = json.loads(grader("grade", "--json", "solutions/momentum/momentum.ipynb"))
    assert (graded["points"], graded["max_points"]) == (2.0, 2.0)
    plays = [
        output
        for cell in learners["cells"]
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert "after 40 steps x = " in "".join(plays[0]["data"]["text/plain"])


@pytest.mark.parametrize("page", ["class-server.md", "security.md"])
def test_a_page_says_how_many_finished_functions_learners_could_find(page: str) -> None:
    from playground.functions import finished

    exercises = [name for one in LESSONS for name in lesson(one).exercises]
    found = [name for name in exercises if hasattr(finished, name)]
    assert f"finished functions for {len(found)} of the {len(exercises)} exercises" in (
        ROOT / "docs" / page
    ).read_text(encoding="utf-8")


def test_the_benchmarks_page_and_the_readme_count_the_answers_of_each_lesson() -> None:
    exercises = {name: lesson(name).exercises.values() for name in LESSONS}
    counts = {
        name: (
            len(all_of),
            sum(len(one.misconceptions) for one in all_of),
            sum(len(one.right_answers) for one in all_of),
        )
        for name, all_of in exercises.items()
    }
    total = tuple(map(sum, zip(*counts.values(), strict=True)))
    page, readme = (
        (ROOT / path).read_text(encoding="utf-8") for path in ("docs/benchmarks.md", "README.md")
    )
    for name, numbers in {**counts, "all": total}.items():
        assert f"| {' | '.join(map(str, (name, *numbers)))} |" in page
    assert (
        f"{total[0]} exercises, checked against [{total[1]} wrong and {total[2]} right answers]"
        in readme
    )

"""Follow the pages under docs, and compare the numbers in them with the course."""

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
from grader.comparison import codec, observe
from grader.execution import notebook, protocol
from grader.execution.limits import OUTSIDE, Limits
from grader.instructor import feedback
from playground.functions import finished

BLOCK = re.compile(r"^(`{3,})(?:markdown|python) (\S+/\S+)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


def repository(folder: Path) -> Path:
    """Copy an author's repository, and add the files that docs/lesson.md shows."""
    ignore = shutil.ignore_patterns("__pycache__", "progress.json")
    for name in ("course", "solutions", "grader", "playground"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for file in ("nbgrader_config.py", "pyproject.toml"):
        shutil.copy(ROOT / file, folder)
    for _, path, text in BLOCK.findall((ROOT / "docs" / "lesson.md").read_text(encoding="utf-8")):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    with (folder / "solutions" / "order.txt").open("a", encoding="utf-8") as order:
        order.write("momentum\n")
    return folder


@pytest.mark.long
def test_the_lesson_in_ten_minutes_is_verified_made_and_graded(tmp_path: Path) -> None:
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
def test_a_page_counts_the_finished_functions_that_learners_could_find(page: str) -> None:
    exercises = [name for one in LESSONS for name in lesson(one).exercises]
    found = [name for name in exercises if hasattr(finished, name)]
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert f"finished functions for {len(found)} of the {len(exercises)} exercises" in text


def limits() -> dict[str, str]:
    """Return the rows of the tables of limits, by what is limited, as the code has them."""
    inside, outside = Limits(), OUTSIDE
    seconds = inside.cell_seconds, inside.exercise_seconds, inside.total_seconds
    return {
        "one cell; all calls of one exercise; the whole notebook": "; ".join(
            f"{one:g} s" for one in seconds
        ),
        "processor time of one child": f"{inside.cpu_seconds} s",
        "memory of one child": f"{inside.memory_bytes >> 30} GB",
        "files written": f"{inside.scratch_bytes >> 20} MB",
        "open files": f"{inside.open_files}",
        "results of one exercise, as they are sent": f"{inside.result_bytes >> 20} MB",
        "children for one notebook, if some crash": f"{inside.starts}",
        "printed by one cell or call": f"{observe.MAX_PRINTED:,} characters",
        "numbers in one value; characters in one text; depth of lists": (
            f"{codec.MAX_ELEMENTS:,}; {codec.MAX_TEXT:,}; {codec.MAX_DEPTH}"
        ),
        "lists and objects, commas, in the results of one exercise": (
            f"{protocol.MAX_NESTED:,}; {protocol.MAX_ITEMS:,}"
        ),
        "time in the sandbox: first try (after all others, 60 s)": (
            f"{outside.first_run_seconds:g} s"
        ),
        "processor time to read it, and to judge it: first try; last try, after all others": (
            f"{outside.first_seconds:g} s; {outside.seconds:g} s"
        ),
        "the same, to explain its wrong answers": f"{outside.explain_seconds:g} s more",
        "processor time to find out which notebook of a student counts, where there are several": (
            f"{outside.choice_seconds:g} s"
        ),
        "processor time to render its feedback page": f"{outside.page_seconds:g} s",
        "memory besides what the process has before": f"{outside.memory_bytes >> 20} MB",
        "a notebook's file; its cells; one cell; all cells": (
            f"{notebook.MAX_BYTES // 10**6} MB; {notebook.MAX_CELLS:,};"
            f" {notebook.MAX_SOURCE:,} characters; {notebook.MAX_SOURCES:,} characters"
        ),
        "outputs that its feedback shows, in memory": f"{feedback.MAX_OUTPUT // 10**6} MB",
        "other files that are copied: their number; all together; folders in each other": (
            f"{outside.files:,}; {outside.file_bytes // 10**6} MB; {outside.depth}"
        ),
    }


def test_the_tables_of_limits_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    section = text.partition("\n## Limits\n")[2].partition("\n## ")[0]
    rows = re.findall(
        r"^\| (?!limit )([^|]+) \| ([^|]+?)(?: \(`[^`]+`\))? \|$", section, re.MULTILINE
    )
    assert dict(rows) == limits()


def test_the_welcome_page_shows_every_lesson_in_the_order_of_teaching() -> None:
    order = (ROOT / "solutions" / "order.txt").read_text(encoding="utf-8").split()
    assert sorted(order) == LESSONS
    assert (ROOT / "course" / "order.txt").read_text(encoding="utf-8").split() == order
    welcome = json.loads((ROOT / "course" / "welcome.ipynb").read_text(encoding="utf-8"))
    pages = [
        "".join(output["data"]["text/html"])
        for cell in welcome["cells"]
        for output in cell.get("outputs", [])
    ]
    assert re.findall(r'<td><a href="(\w+)/', pages[0]) == order
    advice = pages[0].partition('<p class="overview-next">')[2]
    assert lesson("neuron").title in advice, "not the warm-up, which is optional"


def test_the_benchmarks_page_and_the_readme_count_the_answers() -> None:
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
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, numbers in {**counts, "all": total}.items():
        assert f"| {' | '.join(map(str, (name, *numbers)))} |" in page
    answers = f"[{total[1]} wrong and {total[2]} right answers]"
    assert f"{total[0]} exercises, checked against {answers}" in " ".join(readme.split())

"""Test the committed course: in sync with its sources, without answers, reproducible."""

from __future__ import annotations

import base64
import copy
import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from matplotlib.image import imsave

from course import LESSONS, ROOT, STILLS, copy_of_the_course, learners_notebook, lesson, references
from grader.author import key
from grader.author.build import (
    build,
    build_lesson,
    execute,
    install,
    notebook_of,
    stamped,
    write_key,
)
from grader.author.bundle import leaks
from grader.author.drift import differences, differs
from grader.author.lesson import BEGIN, END, LessonError, lessons_in
from grader.comparison.answer_key import KEY_FILE
from grader.instructor.validate import SANITIZE
from grader.settings import Settings, load_settings

LONG = [pytest.param(name, marks=pytest.mark.long) for name in LESSONS if name != "neuron"]

OTHER_INSTRUCTIONS = {
    "NPY_DISABLE_CPU_FEATURES": " ".join(
        np.show_config("dicts")["SIMD Extensions"].get("found", [])
    )
}
"""Environment in which numpy computes without the instructions of newer processors."""

WRITE_KEYS = """
import sys
from pathlib import Path
from grader.author.build import write_key
from grader.author.lesson import load_lesson
for name in sys.argv[2:]:
    (Path(sys.argv[1]) / name).mkdir()
    write_key(load_lesson(Path("solutions") / name), Path(sys.argv[1]) / name)
"""


def stale(folder: Path) -> list[str]:
    """Return the lessons whose answer keys in a folder differ from the committed ones."""
    keys = {name: Path(name) / KEY_FILE for name in LESSONS}
    return [name for name, key in keys.items() if differs(folder / key, ROOT / "course" / key)]


def test_answer_keys_are_the_same_with_other_instructions(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITE_KEYS, str(tmp_path), *LESSONS]
    subprocess.run(command, cwd=ROOT, env=os.environ | OTHER_INSTRUCTIONS, check=True)
    assert stale(tmp_path) == []


def nudged(data: Any) -> Any:
    """Return plain data with each float moved by a few units in its last place."""
    if isinstance(data, float):
        return data * (1 + 1e-15)
    if isinstance(data, dict):
        return {key: nudged(item) for key, item in data.items()}
    return [nudged(item) for item in data] if isinstance(data, list) else data


def test_answer_keys_are_the_same_when_every_result_is_nudged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("observe", "observe_all"):
        original = getattr(key, name)
        monkeypatch.setattr(key, name, lambda f, case, original=original: nudged(original(f, case)))
    for name in LESSONS:
        (tmp_path / name).mkdir()
        write_key(lesson(name), tmp_path / name)
    assert stale(tmp_path) == []


@pytest.mark.parametrize("name", LESSONS)
def test_the_cells_of_a_lesson_are_those_of_its_source(name: str) -> None:
    path = ROOT / "solutions" / name / f"{name}.ipynb"
    stored = json.loads(path.read_text(encoding="utf-8"))["cells"]
    source = stamped(lesson(name)).cells
    for part in ("id", "cell_type", "metadata"):
        assert [cell[part] for cell in stored] == [cell[part] for cell in source]
    assert ["".join(cell["source"]) for cell in stored] == [cell.source for cell in source]


@pytest.mark.long
def test_the_course_is_in_sync_when_built_with_other_instructions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in OTHER_INSTRUCTIONS.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "built").mkdir()
    build(ROOT, lessons_in(ROOT), tmp_path / "built")
    assert differences(tmp_path / "built", load_settings(ROOT)) == []
    root = copy_of_the_course(tmp_path / "root", STILLS)
    assert install(tmp_path / "built", root) == []


def test_a_lesson_is_executed_where_it_finds_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "solutions" / "loss").mkdir(parents=True)
    seen: list[str] = []

    def look(_notebook: object, folder: Path, *_: object) -> None:
        seen.extend(path.name for path in folder.parent.iterdir())
        raise LessonError("seen")

    monkeypatch.setattr("grader.author.build.execute", look)
    with pytest.raises(LessonError, match="seen"):
        build_lesson(ROOT / "solutions" / "neuron", tmp_path)
    assert seen == ["neuron"]


def png(pixels: np.ndarray[Any, Any]) -> str:
    file = io.BytesIO()
    imsave(file, pixels, format="png")
    return base64.b64encode(file.getvalue()).decode()


def drift(tmp_path: Path, name: str, new: Any, old: Any) -> bool:
    """Compare two versions of a file, given as JSON data."""
    paths = [tmp_path / version / name for version in ("new", "old")]
    for path, data in zip(paths, (new, old), strict=True):
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(data), encoding="utf-8")
    return differs(*paths)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda case: case["expected"]["value"].update(array=[0.5 + 1e-8]), False),
        (lambda case: case["expected"]["value"].update(array=[0.5 + 1e-5]), True),
        (lambda case: case["expected"]["value"].update(array=[True]), True),
        (lambda case: case["expected"].update(warnings=["overflow"]), True),
        (lambda case: case["inputs"].append(1e-12), True),
        (lambda case: case.update(rtol=1e-4), True),
        (lambda case: case.pop("inputs"), True),
        (lambda case: case.pop("expected"), True),
    ],
)
def test_a_key_drifts_by_its_values_not_by_their_last_digits(
    change: Callable[[Any], Any], found: bool, tmp_path: Path
) -> None:
    value = {"array": [0.5], "shape": [1], "dtype": "float64"}
    case = {"inputs": [0.5], "expected": {"value": value}, "rtol": 1e-6, "atol": 1e-9}
    wrong = {"hint": "Look again.", "outcomes": [{"value": math.nan}]}
    new = {"exercises": {"relu": {"cases": [case], "misconceptions": [wrong]}}}
    old = copy.deepcopy(new)
    change(old["exercises"]["relu"]["cases"][0])
    assert drift(tmp_path, KEY_FILE, new, old) == found


def test_a_damaged_file_has_drifted(tmp_path: Path) -> None:
    assert drift(tmp_path, KEY_FILE, {"exercises": {}}, [])


def with_output(**data: str) -> dict[str, Any]:
    """Return a notebook of one cell that shows this data."""
    output = {"output_type": "display_data", "data": data}
    cell = {"id": "play-01", "cell_type": "code", "source": "", "metadata": {}}
    return {"cells": [{**cell, "outputs": [output]}], "metadata": {}}


def test_a_notebook_drifts_by_its_texts_and_pixels(tmp_path: Path) -> None:
    gray = np.full((8, 8, 3), 100, dtype=np.uint8)
    other = gray.copy()
    other[3, 4] = 110
    pictures = {"same": png(gray), "rounded": png(gray + 1), "changed": png(other)}
    html = {name: f'<img src="data:image/png;base64,{one}">' for name, one in pictures.items()}

    def found(new: dict[str, str], old: dict[str, str]) -> bool:
        data = [{name.replace("_", "/"): text for name, text in one.items()} for one in (new, old)]
        return drift(tmp_path, "neuron.ipynb", *(with_output(**one) for one in data))

    for kind, shown in (("image_png", pictures), ("text_html", html)):
        assert not found({kind: shown["same"]}, {kind: shown["rounded"]})
        assert found({kind: shown["same"]}, {kind: shown["changed"]})
        assert found({kind: shown["same"]}, {})
    assert found({"text_html": html["same"]}, {"text_html": html["rounded"] + "!"})
    assert found({"text_plain": "0.5"}, {"text_plain": "0.25"})


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda still: still["axes"].update(box=[10.4, 20.0]), False),
        (lambda still: still["axes"].update(box=[10.6, 20.0]), True),
        (lambda still: still["axes"].update(x=[0.0, 1.4]), True),
        (lambda still: still.update(picture='<path d="M 1.4 2.0"/><!-- loss -->'), False),
        (lambda still: still.update(picture='<path d="M 1.6 2.0"/><!-- loss -->'), True),
        (lambda still: still.update(picture='<path d="M 1.0 2.0"/><!-- cost -->'), True),
    ],
)
def test_a_kept_still_drifts_by_more_than_half_a_pixel(
    change: Callable[[Any], Any], found: bool, tmp_path: Path
) -> None:
    picture = '<path d="M 1.0 2.0"/><!-- loss -->'
    old = {"axes": {"box": [10.0, 20.0], "x": [0.0, 1.0]}, "picture": picture}
    new = copy.deepcopy(old)
    change(new)
    assert drift(tmp_path, "still.json", new, old) == found


def test_a_file_without_a_source_and_a_missing_one_are_reported(tmp_path: Path) -> None:
    built, root = tmp_path / "built", tmp_path / "root"
    settings = Settings(root, "solutions", "course", (), ())
    for path in (built / "course/a/a.ipynb", root / "course/a/old.ipynb"):
        path.parent.mkdir(parents=True)
        path.touch()
    assert differences(built, settings) == [
        "course/a/a.ipynb is out of date; run make course",
        "course/a/old.ipynb has no source; delete it, or write one",
    ]
    assert len(differences(built, settings, whole=False)) == 1


def test_a_lesson_that_takes_too_long_is_named_with_its_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.author.build.TIMEOUT", 1)
    cell = nbformat.v4.new_code_cell("while True: pass", id="play-07")
    with pytest.raises(LessonError, match=r"neuron\.md: its cell play-07 took longer than 1 sec"):
        execute(notebook_of([cell]), tmp_path, "neuron.md")


@pytest.mark.long
def test_a_lesson_built_alone_keeps_the_welcome_page(tmp_path: Path) -> None:
    root = copy_of_the_course(tmp_path / "root")
    build(root, [root / "solutions" / "neuron"], tmp_path)
    assert (tmp_path / "course" / "welcome.ipynb").read_bytes() == (
        root / "course" / "welcome.ipynb"
    ).read_bytes()


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def found_answers(leaked: list[str]) -> set[str]:
    """Return the names of the functions in the sentences of `leaks`."""
    return {re.findall(r"\((\w+) of \w+\)$", one)[0] for one in leaked}


@pytest.mark.parametrize("name", LESSONS)
def test_no_answer_and_no_authors_file_is_in_the_course(name: str) -> None:
    files = files_below(ROOT / "course" / name)
    assert [name for name in files if name.endswith((".py", ".md", ".pyc"))] == []
    assert leaks([lesson(name)], files) == []


@pytest.mark.parametrize("name", LESSONS)
def test_a_leaked_answer_is_found(name: str) -> None:
    exercises = lesson(name).exercises
    wrong = [one.name for item in exercises.values() for one in item.misconceptions]
    folder = ROOT / "solutions" / name
    for place, functions in ((f"{name}.ipynb", set(exercises)), ("exercises.py", set(wrong))):
        data = (folder / place).read_bytes()
        missing = functions - found_answers(leaks([lesson(name)], {f"{place}.txt": data}))
        assert len(missing) <= 1, "those whose statements a lesson shows are no secret"
    answer = next(iter(references(name).values()))
    squeezed = re.sub(r"\s+", " ", answer.split(BEGIN)[1].split(END)[0])
    assert leaks([lesson(name)], {"notes.txt": squeezed.encode()}) != [], "without its line ends"


@pytest.mark.parametrize("name", ["neuron", *LONG])
def test_an_executed_lesson_is_reproducible(name: str, tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "solutions" / name,
        tmp_path / name,
        ignore=shutil.ignore_patterns("*.md", "*.py", "progress.json"),
    )
    notebook = tmp_path / name / f"{name}.ipynb"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--nbval",
        f"--nbval-sanitize-with={SANITIZE}",
        "-p",
        "no:cacheprovider",
        "--nbval-cell-timeout=1200",
    ]
    done = subprocess.run(
        [*command, f"--rootdir={tmp_path}", str(notebook)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    code_cells = sum(
        cell["cell_type"] == "code"
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    )
    assert f"{code_cells} passed" in done.stdout


@pytest.mark.parametrize("name", LESSONS)
def test_every_check_of_the_executed_lesson_gives_all_points(name: str) -> None:
    cells = {
        cell["id"]: cell
        for cell in json.loads(
            (ROOT / "solutions" / name / f"{name}.ipynb").read_text(encoding="utf-8")
        )["cells"]
    }
    points = {
        exercise: "".join(cells[f"check-{exercise}"]["outputs"][0]["data"]["text/plain"])
        for exercise in lesson(name).exercises
    }
    assert points == {
        exercise: repr(float(item.points or 0)) for exercise, item in lesson(name).exercises.items()
    }


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_keeps_the_rhythm(name: str) -> None:
    mistakes = []
    for cell in lesson(name).notebook.cells:
        words = len(cell.source.split("<details>")[0].split())
        if cell.cell_type == "markdown" and words > 100:
            mistakes.append(f"{words} words: {cell.source[:60]}")
        if (
            cell.cell_type == "code"
            and BEGIN not in cell.source
            and len(cell.source.splitlines()) > 15
        ):
            mistakes.append(f"more than 15 lines: {cell.source[:60]}")
        if (
            cell.cell_type == "markdown"
            and any(word in cell.source for word in ("!", "simply", " just "))
            and "![" not in cell.source
        ):
            mistakes.append(f"loud or belittling: {cell.source[:60]}")
    assert mistakes == []
    folds = "".join(cell.source for cell in lesson(name).notebook.cells).count("<summary>Hint")
    assert folds == 3 * len(lesson(name).exercises)


@pytest.mark.parametrize("path", [*(f"{name}/{name}.ipynb" for name in LESSONS), "welcome.ipynb"])
def test_headings_are_in_order(path: str) -> None:
    cells = json.loads((ROOT / "course" / path).read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("name", LESSONS)
def test_each_play_has_a_picture_with_alt_text_made_from_its_numbers(name: str) -> None:
    cells = learners_notebook(name)["cells"]
    plays = [cell for cell in cells if cell["id"].startswith("play-")]
    assert plays
    for cell in plays:
        pages = [
            "".join(output["data"]["text/html"])
            for output in cell["outputs"]
            if "text/html" in output.get("data", {})
        ]
        alts = [alt for page in pages for alt in re.findall(r'<img[^>]* alt="([^"]+)"', page)]
        assert len(alts) == 1
        assert re.search(r"\d", alts[0])


@pytest.mark.parametrize("name", LESSONS)
def test_the_example_in_each_docstring_is_true(name: str) -> None:
    import doctest

    found = {
        exercise: doctest.DocTestFinder().find(function, exercise, globs=function.__globals__)[0]
        for exercise, function in lesson(name).reference.items()
    }
    assert all(test.examples for test in found.values())
    runner = doctest.DocTestRunner(verbose=False)
    assert sum(runner.run(test).failed for test in found.values()) == 0


@pytest.mark.parametrize("name", LESSONS)
def test_each_exercise_has_enough_wrong_and_right_answers(name: str) -> None:
    for exercise in lesson(name).exercises.values():
        assert len(exercise.misconceptions) >= 10
        assert len(exercise.right_answers) >= 4

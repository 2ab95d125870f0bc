"""The course as it is committed: in step with its sources, without an author's answers in it, and doing what is stored."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from course import LESSONS, ROOT, copy_of_the_course, learners_notebook, lesson, references
from grader.author.build import build
from grader.author.instep import differences
from grader.author.lesson import BEGIN, END, lessons_in
from grader.instructor.validate import SANITIZE


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course, made anew from its sources."""
    folder = tmp_path_factory.mktemp("built")
    build(ROOT, lessons_in(ROOT), folder)
    return folder


def test_the_course_is_in_step_with_its_sources(built: Path) -> None:
    assert differences(built, ROOT) == []


def test_a_course_that_is_not_in_step_is_found_out(built: Path, tmp_path: Path) -> None:
    root = copy_of_the_course(tmp_path)
    notebook = root / "course" / "neuron" / "neuron.ipynb"
    notebook.write_text(notebook.read_text(encoding="utf-8").replace("Not written yet", "Not yet written"), encoding="utf-8")
    key = json.loads((root / "course" / "neuron" / "answers.json").read_text(encoding="utf-8"))
    key["exercises"]["relu"]["cases"][0]["expected"]["value"]["array"][0] += 0.001
    (root / "course" / "neuron" / "answers.json").write_text(json.dumps(key), encoding="utf-8")
    (root / "course" / "neuron" / "exercises.py").write_text("", encoding="utf-8")
    assert differences(built, root) == [
        "course/neuron/answers.json is not in step with its source (numbers or text differ); run make course",
        "course/neuron/neuron.ipynb is not in step with its source (the source of its cell weighted_sum); run make course",
        "course/neuron/exercises.py has no source; delete it, or write one",
    ]


def test_a_lesson_that_is_made_alone_leaves_the_welcome_page_as_it_is(tmp_path: Path) -> None:
    root = copy_of_the_course(tmp_path / "root")
    build(root, [root / "solutions" / "neuron"], tmp_path)
    assert (tmp_path / "course" / "welcome.ipynb").read_bytes() == (root / "course" / "welcome.ipynb").read_bytes()


def secrets(name: str) -> dict[str, str]:
    """What of a lesson must not reach a learner, line by line: the reference's own lines and the bodies of misconceptions and right answers."""
    lines = {}
    for text in references(name).values():
        solution = text.split(BEGIN)[1].split(END)[0]
        lines |= dict.fromkeys((line.strip() for line in solution.splitlines()), "reference")
    source = (ROOT / "solutions" / name / "exercises.py").read_text(encoding="utf-8")
    for function in (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.decorator_list):
        lines |= {line.strip(): function.name for part in function.body for line in (ast.get_source_segment(source, part) or "").splitlines()}
        if function.name != "_":
            lines[f"def {function.name}("] = function.name
    return {line: where for line, where in lines.items() if len(line) > 14 and line not in ("raise ValueError",)}


def leaks(name: str, course: Path) -> list[str]:
    """Secrets of a lesson that stand in a folder of the course, and files there that only an author should have."""
    prose = "".join(cell.source for cell in lesson(name).notebook.cells if cell.cell_type == "markdown" or BEGIN not in cell.source)
    found = [f"{path.name} is an author's file" for path in course.rglob("*") if path.suffix in (".py", ".md") or path.name == "__pycache__"]
    for path in (path for path in course.rglob("*") if path.is_file()):
        text = path.read_text(encoding="utf-8", errors="replace").replace('\\"', '"')
        found += [f"{path.name}: {line} ({where})" for line, where in secrets(name).items() if line in text and line not in prose]
    return found


@pytest.mark.parametrize("name", LESSONS)
def test_no_answer_and_no_authors_file_is_in_the_course(name: str) -> None:
    assert leaks(name, ROOT / "course" / name) == []


@pytest.mark.parametrize("name", LESSONS)
def test_a_leaked_answer_is_found_out(name: str, tmp_path: Path) -> None:
    shutil.copyfile(ROOT / "solutions" / name / f"{name}.ipynb", tmp_path / f"{name}.ipynb")
    assert any("(reference)" in leak for leak in leaks(name, tmp_path))
    shutil.copyfile(ROOT / "solutions" / name / "exercises.py", tmp_path / "exercises.py")
    found = leaks(name, tmp_path)
    wrong = [one.name for exercise in lesson(name).exercises.values() for one in exercise.misconceptions]
    assert "exercises.py is an author's file" in found
    assert all(any(function in leak for leak in found) for function in wrong)


@pytest.mark.parametrize("name", LESSONS)
def test_the_executed_lesson_does_again_what_is_stored(name: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "solutions" / name, tmp_path / name, ignore=shutil.ignore_patterns("*.md", "*.py", "progress.json"))
    notebook = tmp_path / name / f"{name}.ipynb"
    command = [sys.executable, "-m", "pytest", "-q", "--nbval", f"--nbval-sanitize-with={SANITIZE}", "-p", "no:cacheprovider", "--nbval-cell-timeout=120"]
    done = subprocess.run([*command, f"--rootdir={tmp_path}", str(notebook)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    code_cells = sum(cell["cell_type"] == "code" for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"])
    assert f"{code_cells} passed" in done.stdout


@pytest.mark.parametrize("name", LESSONS)
def test_every_check_of_the_executed_lesson_gives_all_points(name: str) -> None:
    cells = {cell["id"]: cell for cell in json.loads((ROOT / "solutions" / name / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]}
    points = {exercise: "".join(cells[f"check-{exercise}"]["outputs"][0]["data"]["text/plain"]) for exercise in lesson(name).exercises}
    assert points == {exercise: repr(float(item.points or 0)) for exercise, item in lesson(name).exercises.items()}


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_keeps_the_rhythm(name: str) -> None:
    mistakes = []
    for cell in lesson(name).notebook.cells:
        words = len(cell.source.split("<details>")[0].split())
        if cell.cell_type == "markdown" and words > 100:
            mistakes.append(f"{words} words: {cell.source[:60]}")
        if cell.cell_type == "code" and BEGIN not in cell.source and len(cell.source.splitlines()) > 15:
            mistakes.append(f"more than 15 lines: {cell.source[:60]}")
        if cell.cell_type == "markdown" and any(word in cell.source for word in ("!", "simply", " just ")) and "![" not in cell.source:
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
        pages = ["".join(output["data"]["text/html"]) for output in cell["outputs"] if "text/html" in output.get("data", {})]
        alts = [alt for page in pages for alt in re.findall(r'<img[^>]* alt="([^"]+)"', page)]
        assert len(alts) == 1
        assert re.search(r"\d", alts[0])


@pytest.mark.parametrize("name", LESSONS)
def test_the_example_in_each_docstring_is_true(name: str) -> None:
    import doctest

    found = {exercise: doctest.DocTestFinder().find(function, exercise, globs=function.__globals__)[0] for exercise, function in lesson(name).reference.items()}
    assert all(test.examples for test in found.values())
    runner = doctest.DocTestRunner(verbose=False)
    assert sum(runner.run(test).failed for test in found.values()) == 0


@pytest.mark.parametrize("name", LESSONS)
def test_each_exercise_has_enough_wrong_and_right_answers(name: str) -> None:
    for exercise in lesson(name).exercises.values():
        assert len(exercise.misconceptions) >= 10
        assert len(exercise.right_answers) >= 4

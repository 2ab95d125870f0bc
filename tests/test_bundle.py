"""Test the learners' bundle: it holds no answer, and a lesson can be solved in it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course import LESSONS, ROOT, learners_notebook, lesson, references, solved
from grader.author.bundle import files_of_bundle
from grader.author.lesson import LessonError
from grader.cli import main

TOP = "neural-network-basics"
AUTHORS_PACKAGES = ("distributed", "jupytext", "nbgrader", "nbval")
FILES = ("LICENSE", "LICENSE-lessons", "environment.sh", "requirements-uv.lock")
FOLDERS = (".binder", ".devcontainer")
"""Files and folders of the project's root that are in the archive."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the archive with `grader bundle`."""
    path = tmp_path_factory.mktemp("dist") / "bundle.zip"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        assert main(["bundle", "--output", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def files(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name.removeprefix(f"{TOP}/"): opened.read(name) for name in opened.namelist()}


class Learner:
    """An unpacked bundle, without the packages that only authors install."""

    def __init__(self, archive: Path, folder: Path) -> None:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
        self.root = folder / TOP
        absent = folder / "absent"
        absent.mkdir()
        (absent / "sitecustomize.py").write_text(
            f"import sys\nsys.modules.update(dict.fromkeys({[*AUTHORS_PACKAGES, 'solutions']}))\n"
        )
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(self.root), str(absent)]),
        }

    def run(self, *words: str) -> tuple[int, str]:
        """Return a command's exit code and its output."""
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.root,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.returncode, done.stdout

    def executed(self, path: str, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Run a notebook of the learner's workspace in a new kernel and save it."""
        monkeypatch.setenv("PYTHONPATH", self.environment["PYTHONPATH"])
        place = self.root / "work" / path
        notebook = nbformat.read(place, as_version=4)
        NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            resources={"metadata": {"path": str(place.parent)}},
        ).execute()
        nbformat.write(notebook, place)
        return notebook


@pytest.fixture
def learner(archive: Path, tmp_path: Path) -> Learner:
    return Learner(archive, tmp_path)


def test_the_same_course_makes_the_same_archive(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT / "course")
    again = tmp_path / "again" / "bundle.zip"
    assert main(["bundle", "--output", str(again)]) == 0
    assert again.read_bytes() == archive.read_bytes()
    assert [path.name for path in again.parent.iterdir()] == ["bundle.zip"]


def test_only_what_a_learner_needs_is_in_the_archive(files: dict[str, bytes]) -> None:
    tops = {name.partition("/")[0] for name in files}
    learners = {path.name for path in (ROOT / "bundle").iterdir()}
    assert tops == {"course", "grader", "playground", *FILES, *FOLDERS, *learners}
    assert learners >= {"pyproject.toml", "requirements.lock", "README.md"}
    assert {
        name for name in files if name.endswith((".md", ".py")) and name.startswith("course/")
    } == set()
    packages = {name.split("/")[1] for name in files if name.startswith("grader/")}
    assert not packages & {"author", "insights", "instructor", "sandbox"}
    assert not any("progress.json" in name or "__pycache__" in name for name in files)
    assert {
        f"course/{name}/{part}" for name in LESSONS for part in (f"{name}.ipynb", "answers.key")
    } <= files.keys()


SOLVES = """
import importlib, inspect, json, pathlib, sys
from grader.comparison.judge import call_of, judge, observe_all
from grader.comparison.observe import signature_mismatch
exercises, found = {}, set()
for path in pathlib.Path("course").glob("*/answers.key"):
    exercises |= json.loads(path.read_text(encoding="utf-8"))["exercises"]
for module in map(importlib.import_module, sys.argv[1:]):
    for name, function in inspect.getmembers(module, inspect.isfunction):
        for exercise, key in exercises.items():
            if function.__module__ != module.__name__ or exercise not in name:
                continue
            if signature_mismatch(function, [call_of(case) for case in key["cases"]]):
                continue
            if judge(exercise, key, observe_all(function, key["cases"])).points:
                found.add((module.__name__, exercise))
print(json.dumps([len(exercises), sorted(found)]))
"""
"""Judges functions that have an exercise's name in theirs, like _sigmoid; prints the solutions."""


def modules_of(files: dict[str, bytes]) -> list[str]:
    names = [name.removesuffix(".py") for name in files if name.endswith(".py")]
    return [name.replace("/", ".").removesuffix(".__init__") for name in names]


def test_only_the_finished_functions_for_figures_solve_an_exercise(
    learner: Learner, files: dict[str, bytes]
) -> None:
    (learner.root / "playground" / "another.py").write_text(
        "def _my_relu(z):\n    return z * (z > 0)\n"
    )
    code, said = learner.run("-c", SOLVES, *modules_of(files), "playground.another")
    assert code == 0, said
    exercises, found = json.loads(said)
    assert exercises == sum(len(lesson(name).exercises) for name in LESSONS)
    assert [one for one in found if one[0] != "playground.functions.finished"] == [
        ["playground.another", "relu"]
    ]
    assert len(found) > 20
    assert "working functions, which figures draw as targets" in files["README.md"].decode()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Copy the files from which a bundle is made, with two lessons."""
    skipped = ["__pycache__", "progress.json"]
    others = [name for name in LESSONS if name not in ("neuron", "loss")]
    for folder in ("course", "solutions", "grader", "playground", "bundle", *FOLDERS):
        more = others if folder in ("course", "solutions") else []
        ignore = shutil.ignore_patterns(*skipped, *more)
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignore)
    for name in (*FILES, "pyproject.toml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def test_a_bundle_with_an_answer_in_it_is_not_made(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(clone)
    (clone / "course" / "neuron" / "neuron.ipynb").write_text(json.dumps(solved("neuron")))
    assert main(["bundle"]) == 1
    assert (
        "The bundle is not made, an answer would be in it: course/neuron/neuron.ipynb: "
        in capsys.readouterr().err
    )
    (clone / "course" / "neuron" / "neuron.ipynb").write_text(
        json.dumps(learners_notebook("neuron"))
    )
    answer = references("loss")["softmax"].split("### BEGIN SOLUTION")[1]
    (clone / "playground" / "notes.txt").write_text(f"softmax: {answer}\n")
    assert main(["bundle"]) == 1
    complaint = capsys.readouterr().err
    assert "playground/notes.txt: " in complaint
    assert "(softmax of loss)" in complaint
    assert not (clone / "dist").exists()


def test_a_bundle_leaves_out_stray_files_and_refuses_an_authors_file(clone: Path) -> None:
    before = files_of_bundle(clone)
    for stray in (
        "course/neuron/progress.json",
        "course/neuron/.ipynb_checkpoints/neuron-checkpoint.ipynb",
        "grader/notes.py",
        "playground/__pycache__/x.pyc",
        "work/mine.ipynb",
    ):
        (clone / stray).parent.mkdir(parents=True, exist_ok=True)
        (clone / stray).write_text("{}")
    assert files_of_bundle(clone) == before
    (clone / "course" / "neuron" / "exercises.py").write_text("")
    with pytest.raises(
        LessonError, match=r"course/neuron/exercises.py is an author's file; take it out of course/"
    ):
        files_of_bundle(clone)
    (clone / "course" / "neuron" / "exercises.py").unlink()
    shutil.rmtree(clone / "course" / "loss")
    with pytest.raises(LessonError, match="course/loss is missing; run make course"):
        files_of_bundle(clone)


def test_the_learners_lock_holds_all_that_is_needed_and_no_authors_package(
    files: dict[str, bytes],
) -> None:
    names = set(re.findall(r"^([a-z0-9.-]+)==", files["requirements.lock"].decode(), re.MULTILINE))
    assert {"jupyterlab", "hatchling", "nbconvert", "nbclient", "colorama", "appnope"} <= names
    assert names & {*AUTHORS_PACKAGES, "dask", "sqlalchemy", "pytest"} == set()
    assert set(needed(names)) <= names


def needed(names: set[str]) -> Iterator[str]:
    """Return the requirements of these packages, as far as they are installed here."""
    for name in names:
        try:
            entries = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:  # of another system
            continue
        for need in map(Requirement, entries):
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                yield canonicalize_name(need.name)


def test_the_learners_makefile_has_the_recipes_of_the_projects(files: dict[str, bytes]) -> None:
    def recipes(text: str) -> dict[str, str]:
        return dict(re.findall(r"^([a-z-]+):.*\n\t(@[^e].*)$", text, re.MULTILINE))

    learners = recipes(files["Makefile"].decode())
    assert learners.keys() == {"env", "lab", "watch", "reset", "export"}
    assert learners.items() <= recipes((ROOT / "Makefile").read_text()).items()


def test_files_and_commands_that_the_readme_names_exist(
    files: dict[str, bytes], learner: Learner
) -> None:
    text = files["README.md"].decode()
    targets = set(re.findall(r"^([a-z]+):", files["Makefile"].decode(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", text)) - {"bundle"} <= targets
    for name in re.findall(r"`([\w/.-]+)`", text):
        assert name in (
            "work/",
            "progress.json",
            "work/neuron.html",
            "work/neuron/neuron.ipynb",
        ) or any(place.startswith(name) for place in files), name
    commands = set(
        re.findall(r"^    ([a-z-]+) ", learner.run("-m", "grader.cli", "--help")[1], re.MULTILINE)
    )
    assert commands == {"lab", "reset", "watch", "export"}
    assert set(re.findall(r"grader ([a-z]+)`", text)) <= commands


def test_every_module_of_the_bundle_imports_without_an_authors_packages(
    learner: Learner, files: dict[str, bytes]
) -> None:
    modules = modules_of(files)
    script = (
        "import importlib, sys\n"
        f"for name in {modules}:\n"
        "    place = importlib.import_module(name).__file__\n"
        f"    assert place.startswith({str(learner.root)!r}), name\n"
        "print(len([name for name in sys.modules if name.startswith('grader')]))\n"
    )
    code, said = learner.run("-W", "error", "-c", script)
    assert (code, said.strip()) == (0, str(sum(name.startswith("grader") for name in modules))), (
        said
    )


def test_every_installed_setting_and_each_module_that_it_names_exists(
    files: dict[str, bytes],
) -> None:
    shared = tomllib.loads(files["pyproject.toml"].decode())["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]["shared-data"]
    assert all(any(place.startswith(f"{folder}/") for place in files) for folder in shared)
    settings = [
        data.decode()
        for place, data in files.items()
        if place.endswith(".json") and not place.startswith("course/")
    ]
    named = {
        name for text in settings for name in re.findall(r"\b(?:grader|playground)(?:\.\w+)+", text)
    }
    assert named
    assert {f"{name.replace('.', '/')}.py" for name in named} <= files.keys()


@pytest.mark.long
@pytest.mark.parametrize("name", ["neuron", "capstone"])
def test_a_lesson_is_solved_watched_and_exported_in_an_unpacked_bundle(
    name: str, learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = learner.run("-m", "grader.cli", "watch", name, "--once")
    assert code == 1
    assert "0 of 4 exercises" in said
    (learner.root / "work" / name / f"{name}.ipynb").write_text(
        json.dumps(solved(name)), encoding="utf-8"
    )
    notebook = learner.executed(f"{name}/{name}.ipynb", monkeypatch)
    checks = {
        cell.id: cell.outputs[0].data for cell in notebook.cells if cell.id.startswith("check-")
    }
    assert checks.keys() == {f"check-{exercise}" for exercise in lesson(name).exercises}
    assert all("✓ solved" in data["text/html"] for data in checks.values())
    assert learner.run("-m", "grader.cli", "watch", name, "--once")[0] == 0
    welcome = learner.executed("welcome.ipynb", monkeypatch)
    shown = next(
        output.data
        for cell in welcome.cells
        for output in cell.get("outputs", [])
        if "overview" in output.get("data", {}).get("text/html", "")
    )
    minutes = re.escape(lesson(name).title) + r"</a></td><td>\d+</td><td>"
    assert re.search(f"{minutes}●●●● 4 of 4</td>", shown["text/html"])
    assert learner.run("-m", "grader.cli", "export", name)[0] == 0
    assert "4 of 4 exercises of this lesson solved" in (
        learner.root / "work" / f"{name}.html"
    ).read_text(encoding="utf-8")


def test_a_newer_bundle_takes_over_the_learners_work_and_names_new_lessons(
    archive: Path, learner: Learner, tmp_path: Path
) -> None:
    start = (
        "-c",
        "from pathlib import Path; from grader.learner.workspace import make_work;"
        "print(*make_work(Path.cwd()), sep='\\n')",
    )
    assert learner.run(*start)[1].startswith("New in work/: ")
    mine = json.dumps(solved("neuron"))
    (learner.root / "work" / "neuron" / "neuron.ipynb").write_text(mine, encoding="utf-8")
    (tmp_path / "new").mkdir()
    newer = Learner(archive, tmp_path / "new")
    (newer.root / "course" / "loss" / "loss.ipynb").write_text(
        json.dumps(learners_notebook("neuron")), encoding="utf-8"
    )
    shutil.copytree(learner.root / "work", newer.root / "work")
    assert newer.run(*start)[1].startswith(
        "A newer version of loss is there; make reset LESSON=loss "
    )
    assert (newer.root / "work" / "neuron" / "neuron.ipynb").read_text(encoding="utf-8") == mine
    code, said = newer.run("-m", "grader.cli", "watch", "neuron", "--once")
    assert code == 0, said


@pytest.mark.long
def test_an_unpacked_bundle_sets_itself_up_as_its_readme_says(
    archive: Path, tmp_path: Path
) -> None:
    learner = Learner(archive, tmp_path)
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    done = subprocess.run(
        ["make", "env"],
        cwd=learner.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    python = learner.root / ".venv" / "bin" / "python"
    assert (
        subprocess.run(
            [python, "-m", "pip", "check"], env=environment, capture_output=True, check=False
        ).returncode
        == 0
    )
    solve = (
        "import pathlib, sys; place = pathlib.Path('work/neuron/neuron.ipynb');"
        "place.write_text(sys.stdin.read(), encoding='utf-8')"
    )
    for command, code in (
        (["make", "watch", "ARGS=--once"], 2),
        ([str(python), "-c", solve], 0),
        (["make", "watch", "LESSON=neuron", "ARGS=--once"], 0),
        (["make", "export", "LESSON=neuron"], 0),
    ):
        done = subprocess.run(
            command,
            cwd=learner.root,
            env=environment,
            input=json.dumps(solved("neuron")),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
    page = (learner.root / "work" / "neuron.html").read_text(encoding="utf-8")
    assert "What is a neuron?" in page


def test_a_bundle_holds_only_what_git_tracks_and_names_the_rest(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], cwd=clone, check=True)
    before = files_of_bundle(clone)
    for stray in ("course/neuron/class_list.csv", "playground/notes.txt"):
        (clone / stray).write_text("Anne, Zoe")
    assert files_of_bundle(clone) == before
    monkeypatch.chdir(clone)
    assert main(["bundle"]) == 0
    said = capsys.readouterr().out
    assert "git does not track it: course/neuron/class_list.csv" in said
    assert "git does not track it: playground/notes.txt" in said


def test_finished_functions_are_packed_and_work(files: dict[str, bytes]) -> None:
    text = files["playground/functions/finished.py"].decode()
    assert "sigmoid" not in text
    names: dict[str, Any] = {"__name__": "finished"}
    exec(text, names)
    assert names["relu"](-1.0) == 0

"""`grader gradescope`: its archive, unpacked and run as Gradescope's harness does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from course import LESSONS, ROOT, copy_of_the_course, solved, written
from grader.cli import main
from grader.instructor import gradescope_run

SLOPPY = "def sigmoid(z):\n    return 1 / (1 + np.exp(-np.asarray(z)))\n"
SPY = """
import os, sys
ROOT = {root!r}
def seen(path):
    try:
        return open(os.path.join(ROOT, path)).read()
    except OSError:
        return ""
def relu(z):
    text = "".join(map(seen, {files!r}))
    if text or os.environ.get("SECRET_OF_THE_TEST") or "grader.author" in sys.modules:
        raise SystemExit(text[:200] or "leaked")
    open(ROOT + "/results/results.json", "w").write("{{}}")
"""


class Harness:
    """Does what the specification and the sample Dockerfile of Gradescope say."""

    def __init__(self, root: Path, archive: Path) -> None:
        self.root = root
        with zipfile.ZipFile(archive) as unpacked:
            self.names = unpacked.namelist()
            unpacked.extractall(root / "source")
        shutil.copy(root / "source" / "run_autograder", root / "run_autograder")
        (root / "run_autograder").chmod(0o755)
        (root / "source" / ".venv").symlink_to(sys.prefix)  # what setup.sh makes
        (root / "nothing").mkdir()

    def submit(self, files: dict[str, bytes], number: int = 1) -> None:
        for name in ("submission", "results"):
            shutil.rmtree(self.root / name, ignore_errors=True)
            (self.root / name).mkdir()
        for name, data in files.items():
            (self.root / "submission" / name).write_bytes(data)
        user = {"email": "zoe@school.example", "id": 7, "name": "Zoé O'Neil"}
        metadata = {"id": number, "users": [user], "previous_submissions": []}
        (self.root / "submission_metadata.json").write_text(json.dumps(metadata))

    def run(self) -> subprocess.CompletedProcess[str]:
        """Grade the submission in a container that has no bubblewrap."""
        return subprocess.run(
            [self.root / "run_autograder"],
            cwd=self.root,
            env={"PATH": str(self.root / "nothing"), "SECRET_OF_THE_TEST": "x"},
            capture_output=True,
            text=True,
            check=False,
        )

    def results(self, files: dict[str, bytes], number: int = 1) -> dict[str, Any]:
        self.submit(files, number)
        done = self.run()
        assert done.returncode == 0, done.stdout + done.stderr
        return self.written()

    def results_here(self, files: dict[str, bytes]) -> dict[str, Any]:
        """Return the same, from this process, which has imported the grader already."""
        self.submit(files)
        assert gradescope_run.main(self.root) == 0
        return self.written()

    def written(self) -> dict[str, Any]:
        results: dict[str, Any] = json.loads((self.root / "results" / "results.json").read_bytes())
        return results


def data(notebook: dict[str, Any]) -> bytes:
    return json.dumps(notebook).encode()


def written_archive(root: Path, lesson: str, *options: str) -> Path:
    """Return the archive that an author's repository with a class writes."""
    if not (root / "solutions").exists():
        copy_of_the_course(root)
        for name in ("grader", "playground"):
            (root / name).symlink_to(ROOT / name)
        for name in ("LICENSE", "LICENSE-lessons", "requirements.lock"):
            shutil.copy(ROOT / name, root)
        submitted = root / "class" / "submitted" / "Zoé O'Neil" / lesson
        submitted.mkdir(parents=True)
        (submitted / f"{lesson}.ipynb").write_text("{}")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert main(["gradescope", lesson, *options]) == 0
    return root / "class" / "gradescope" / f"{lesson}.zip"


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("author")


@pytest.fixture(scope="module")
def harness(author: Path, tmp_path_factory: pytest.TempPathFactory) -> Harness:
    return Harness(tmp_path_factory.mktemp("autograder"), written_archive(author, "neuron"))


def test_each_exercise_is_a_test_with_points_and_the_hint(harness: Harness) -> None:
    told = harness.results({"neuron.ipynb": data(written("neuron", sigmoid=SLOPPY, relu="..."))})
    assert told["output"] == "4.7 of 10 points."
    assert (told["visibility"], told["stdout_visibility"]) == ("visible", "hidden")
    assert told["extra_data"]["confined_by"] == "Landlock and seccomp"
    tests = {one["name"]: one for one in told["tests"]}
    sigmoid, relu = tests["sigmoid"], tests["relu"]
    assert (relu["score"], relu["max_score"], relu["status"]) == (2.0, 2.0, "passed")
    assert (sigmoid["score"], sigmoid["max_score"], sigmoid["status"]) == (2.7, 3.0, "failed")
    assert (sigmoid["output_format"], sigmoid["visibility"]) == ("text", "visible")
    assert "✗ no warnings at extreme inputs" in sigmoid["output"].splitlines()
    for part in ("The first case that differs", "  expected: ", "Hint: The values are right, but"):
        assert part in sigmoid["output"]
    assert "not written yet" in tests["weighted_sum"]["output"]


def test_a_submission_meets_its_own_inputs_whenever_it_is_graded(harness: Harness) -> None:
    wrong = {"neuron.ipynb": data(written("neuron", relu="def relu(z):\n    return abs(z)\n"))}
    first, again, other = (harness.results(wrong, number) for number in (1, 1, 2))
    assert first["tests"] == again["tests"] != other["tests"]
    assert first["extra_data"] == again["extra_data"]
    assert first["extra_data"]["seed"] != other["extra_data"]["seed"]
    by_hand = [sys.executable, "-m", "grader.cli", "grade", "--json", "--lesson", "neuron"]
    notebook = harness.root / "submission" / "neuron.ipynb"
    seed = ["--seed", f"{other['extra_data']['seed']}"]
    done = subprocess.run([*by_hand, *seed, notebook], cwd=ROOT, capture_output=True, check=True)
    repeated = json.loads(done.stdout)["exercises"]
    assert [one["points"] for one in repeated.values()] == [one["score"] for one in other["tests"]]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "there is no notebook in the submission. Hand in neuron.ipynb."),
        ({"neuron.ipynb": b"{"}, "it is damaged: it can't be read as JSON"),
        (
            {"a.ipynb": data(solved("neuron")), "b.ipynb": data(solved("neuron"))},
            "a.ipynb and b.ipynb could be meant. Hand in neuron.ipynb alone.",
        ),
    ],
)
def test_what_cannot_be_graded_gets_a_sentence_and_no_points(
    harness: Harness, files: dict[str, bytes], said: str
) -> None:
    told = harness.results_here(files)
    assert told["output"].startswith("Not graded, so it earns no points.")
    assert said in told["output"]
    assert [(one["score"], one["status"]) for one in told["tests"]] == [(0.0, "failed")] * 4
    assert sum(one["max_score"] for one in told["tests"]) == 10


def test_the_notebook_is_found_by_its_content(harness: Harness) -> None:
    files = {
        "my work (1).ipynb": data(solved("neuron")),
        "neuron.ipynb": data(written("neuron")),
        "loss.ipynb": data(solved("loss")),
    }
    told = harness.results_here(files)
    assert told["output"].startswith("10 of 10 points.\nmy work (1).ipynb was graded")


def test_a_learners_code_reaches_no_answer_no_result_and_no_data(harness: Harness) -> None:
    files = [
        "source/solutions/neuron/neuron.md",
        "source/solutions/neuron/exercises.py",
        "source/playground/functions/finished.py",
        "source/grader/author/key.py",
        "source/autograder.json",
        "submission_metadata.json",
        "submission/neuron.ipynb",
    ]
    spy = SPY.format(root=str(harness.root), files=files)
    told = harness.results({"neuron.ipynb": data(written("neuron", relu=spy, sigmoid="..."))})
    tests = {one["name"]: one for one in told["tests"]}
    assert tests["sigmoid"]["score"] == 3.0
    assert tests["relu"]["score"] == 0.0
    assert "PermissionError" in tests["relu"]["output"], "nothing was read, nothing written"


def test_a_container_that_cannot_confine_code_gives_nobody_0_points(harness: Harness) -> None:
    launch = harness.root / "source" / "grader" / "sandbox" / "launch.py"
    before = launch.read_text(encoding="utf-8")
    harness.submit({"neuron.ipynb": data(solved("neuron"))})
    try:
        launch.write_text(before.replace("landlock_version() >= 1", "False"), encoding="utf-8")
        done = harness.run()
    finally:
        launch.write_text(before, encoding="utf-8")
    assert done.returncode == 1
    assert "not because of the submission: This machine can't confine" in done.stdout
    assert not (harness.root / "results" / "results.json").exists()


def test_the_archive_has_what_grading_needs_and_nobodys_data(harness: Harness) -> None:
    assert {"setup.sh", "run_autograder"} < {*harness.names}, "at the root"
    lessons = {name for name in harness.names if name.startswith("solutions/")}
    assert lessons == {"solutions/neuron/neuron.md", "solutions/neuron/exercises.py"}
    tops = {name.partition("/")[0] for name in harness.names} - {"setup.sh", "run_autograder"}
    licenses = {"LICENSE", "LICENSE-lessons"}
    settings = {"autograder.json", "pyproject.toml", "requirements.lock"}
    assert tops == {"grader", "playground", "solutions", *licenses, *settings}
    assert not any("__pycache__" in name for name in harness.names)


def test_the_same_lesson_makes_the_same_archive(author: Path, harness: Harness) -> None:
    first = written_archive(author, "neuron").read_bytes()
    assert written_archive(author, "neuron").read_bytes() == first
    with zipfile.ZipFile(written_archive(author, "neuron", "--visibility", "after_due_date")) as it:
        assert json.loads(it.read("autograder.json"))["visibility"] == "after_due_date"
        assert it.getinfo("run_autograder").external_attr >> 16 == 0o100755


@pytest.mark.parametrize("offered", ["3.13", "3.11", ""])
def test_setup_takes_the_newest_python_that_the_image_has(
    harness: Harness, tmp_path: Path, offered: str
) -> None:
    bin = tmp_path / "bin"
    bin.mkdir()
    for name in ("bash", "dirname", "echo", "mkdir", "cp", "chmod"):
        (bin / name).symlink_to(shutil.which(name) or "")
    log, fake = tmp_path / "log", tmp_path / "python"
    fake.write_text(
        f'#!/bin/bash\necho python "$@" >>{log}\n'
        'if [ "$2" = venv ]; then mkdir -p .venv/bin; cp "$0" .venv/bin/python; fi\n'
    )
    (bin / "python3").write_text("#!/bin/bash\nexit 1\n")  # too old
    (bin / "apt-get").write_text(
        f'#!/bin/bash\necho apt "$@" >>{log}\n[ "$1" = update ] && exit 0\n'
        f'[ "$3" = "python{offered}-venv" ] && cp {fake} {bin}/python{offered}\n'
    )
    for path in (fake, bin / "python3", bin / "apt-get"):
        path.chmod(0o755)
    (tmp_path / "source").mkdir()
    setup = shutil.copy(harness.root / "source" / "setup.sh", tmp_path / "source")
    done = subprocess.run(
        [shutil.which("bash") or "", setup],
        cwd="/",
        env={**os.environ, "PATH": str(bin)},
        capture_output=True,
        text=True,
        check=False,
    )
    if not offered:
        assert done.returncode == 1
        assert "no Python 3.11, 3.12 or 3.13" in done.stdout
        return
    assert done.returncode == 0, done.stdout + done.stderr
    said = log.read_text().splitlines()
    assert f"apt install -y python{offered}-venv" in said
    assert said[-3:] == [
        "python -m venv .venv",
        "python -m pip install --quiet --require-hashes -r requirements.lock",
        "python -m grader.cli doctor",
    ]


@pytest.mark.long
@pytest.mark.parametrize("lesson", LESSONS)
def test_each_lessons_reference_earns_all_points(lesson: str, tmp_path: Path) -> None:
    archive = written_archive(tmp_path / "author", lesson)
    told = Harness(tmp_path, archive).results({f"{lesson}.ipynb": data(solved(lesson))})
    assert {one["status"] for one in told["tests"]} == {"passed"}

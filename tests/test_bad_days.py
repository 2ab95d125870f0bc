"""Meet a full disk, no network, a taken port, a kill: each ends in a sentence, nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from classroom import Course, one_worker

from course import ROOT, STILLS, copy_of_the_course, solved, written
from grader.author import build
from grader.learner.workspace import make_work

GRADER = [sys.executable, "-m", "grader.cli"]
BWRAP = ["bwrap", "--dev-bind", "/", "/"]
CEILING = 900
"""Seconds; only a command that never ends takes longer."""
SPACE = 3_000_000
FILL = "head -c $(($(df --output=avail -B1 . | tail -1) - %d)) /dev/zero >fill"
"""A shell command that leaves %d bytes free on the disk of the current folder."""


def run(command: list[str], folder: Path, **environment: str) -> tuple[int, str, str]:
    """Return the exit code, the standard output and the standard error of a command."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=CEILING,
    )
    return done.returncode, done.stdout, done.stderr


def on_a_small_disk(folder: Path, script: str, size: int = SPACE) -> list[str]:
    """Return a command that runs a shell script with `folder` as an empty disk of `size` bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    return [*BWRAP, "--size", str(size), "--tmpfs", str(folder), "sh", "-c", script]


def on_a_read_only_disk(folder: Path, command: list[str]) -> list[str]:
    """Return a command that runs another with `folder` read-only."""
    return [*BWRAP, "--ro-bind", str(folder), str(folder), *command]


def without_a_network(command: list[str]) -> list[str]:
    """Return a command that runs another without a network."""
    return [*BWRAP, "--unshare-net", *command]


def fails_in_a_line(result: tuple[int, str, str], *phrases: str) -> bool:
    """Tell whether a command failed with one line of error that has these phrases."""
    code, said, complained = result
    assert (code, said) == (1, ""), complained
    assert len(complained.splitlines()) == 1, complained
    return all(phrase in complained for phrase in phrases)


CHECKS = """
import os
from pathlib import Path
from course import lesson
from grader import check
reference = lesson("neuron").reference
os.chdir("neuron")
print(check(reference["relu"])._repr_html_())
print("PROGRESS", *Path.cwd().glob("progress.json"), *Path.cwd().glob(".*"))
os.unlink("fill")
print(check(reference["dense"])._repr_html_())
print(Path("progress.json").read_text())
"""


@pytest.mark.long
def test_on_a_full_disk_a_check_says_what_is_not_kept_and_keeps_it_once_it_can(
    tmp_path: Path,
) -> None:
    script = (
        f"cp {ROOT}/course/neuron/answers.key neuron && cd neuron && {FILL % 0}; "
        f"cd .. && {sys.executable} -c '{CHECKS}'"
    )
    code, said, complained = run(
        on_a_small_disk(tmp_path / "neuron", script, 500_000),
        tmp_path,
        PYTHONPATH=f"{ROOT / 'tests'}",
    )
    assert code == 0, complained
    full, kept = said.split("PROGRESS")
    assert "✓ solved, 2 of 2 points" in full
    assert "progress.json can&#x27;t be written (No space left on device)" in full
    assert kept.startswith("\n")
    assert "can&#x27;t be written" not in kept
    assert json.loads(kept[kept.index('{\n "solved"') :])["solved"] == {"relu": 2.0, "dense": 3.0}


def test_a_copy_that_fills_the_disk_fails_and_is_whole_once_there_is_space(tmp_path: Path) -> None:
    copy_of_the_course(tmp_path)
    lab = f"""{sys.executable} -c "
from grader.cli import main
import jupyterlab.labapp as lab
lab.LabApp.launch_instance = print
exit(main(['lab', '--', '--allow-root']))"; echo "$?"; ls -A work"""
    script = f"cd work; {FILL % 300_000}; cd ..; {lab}; rm work/fill; {lab}"
    _, said, complained = run(on_a_small_disk(tmp_path / "work", script, 20_000_000), tmp_path)
    assert "No space left on device" in complained
    assert len(complained.splitlines()) == 1
    first, second = said.split("New in work/")
    assert first.startswith("1\n")
    assert "0\n" in second
    make_work(tmp_path)
    assert {path.name for path in (tmp_path / "work").iterdir()} <= set(second.split("\n"))


@pytest.fixture(scope="module")
def class_of_three(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return Course(tmp_path_factory.mktemp("Été à Zürich"))


@pytest.mark.long
@pytest.mark.parametrize("free", [0, 300_000])
def test_on_a_full_disk_grading_stops_in_a_sentence_and_resumes_once_there_is_space(
    class_of_three: Course, free: int
) -> None:
    """It depends on the space left whether journal, gradebook or graded notebooks find none."""
    folder = class_of_three.root / "class"
    notebook = json.dumps(solved("neuron"))
    grade = f"{sys.executable} -m grader.cli autograde neuron --workers 1"
    hand_in = "".join(
        f"mkdir -p submitted/{name}/neuron; cp ../notebook submitted/{name}/neuron/neuron.ipynb;"
        for name in ("ann", "bob", "cy")
    )
    (class_of_three.root / "notebook").write_text(notebook)
    script = f"""cd class; {hand_in} {FILL % free}; cd ..
        {grade} >said 2>&1; echo "$?"; cat said; rm class/fill; echo AGAIN; {grade}; echo "$?"
        {sys.executable} -c 'from nbgrader.api import Gradebook
with Gradebook("sqlite:///class/gradebook.db") as gradebook:
    print({{one.student.id: one.score for one in gradebook.assignment_submissions("neuron")}})'
        ls class/autograded/*/neuron/neuron.ipynb | wc -l"""
    disk = on_a_small_disk(folder, script, 4 * SPACE)
    _, said, complained = run(disk, class_of_three.root)
    assert complained == ""
    stopped, again = said.split("AGAIN")
    assert stopped.startswith("1\n")
    assert "No space left on device" in stopped or "disk is full" in stopped
    assert "Traceback" not in stopped
    assert "\n0\n" in again
    assert again.endswith("{'ann': 10.0, 'bob': 10.0, 'cy': 10.0}\n3\n")


@pytest.mark.long
@pytest.mark.parametrize("copied", [False, True], ids=["new", "copied"])
def test_in_a_read_only_folder_every_command_of_a_learner_says_so(
    tmp_path: Path, copied: bool
) -> None:
    root = copy_of_the_course(tmp_path / "course")
    for path in ("environment.sh", "requirements.lock"):
        shutil.copy(ROOT / path, root)
    for path in (
        "grader/kernelconfig",
        "playground/labconfig",
        "playground/jupyter_server_config.d",
    ):
        shutil.copytree(ROOT / path, root / path)
    if copied:
        make_work(root)
        notebook = json.dumps(written("neuron", sigmoid="..."))
        (root / "work" / "neuron" / "neuron.ipynb").write_text(notebook, encoding="utf-8")

    def try_to(*command: str) -> tuple[int, str, str]:
        read_only = on_a_read_only_disk(root, [*command])
        return run(read_only, root, PYTHONPATH=str(ROOT), PYTHON=sys.executable)

    code, _, complained = try_to("sh", "environment.sh")
    assert code == 1
    assert "Read-only file system" in complained
    assert "could not make .venv" in complained.splitlines()[-1]
    move = (f"{root}/work", "Read-only file system")
    assert fails_in_a_line(try_to(*GRADER, "reset", "neuron"), *move)
    if copied:
        code, checked, _ = try_to(*GRADER, "watch", "--once", "neuron")
        assert code == 1
        assert "progress.json can't be written (Read-only file system)" in checked
        assert fails_in_a_line(try_to(*GRADER, "export", "neuron"), *move)
    else:
        assert fails_in_a_line(try_to(*GRADER, "lab"), *move)
        assert fails_in_a_line(try_to(*GRADER, "watch"), *move)


@pytest.mark.long
@pytest.mark.parametrize("why", ["No space left on device", "Read-only file system"])
def test_a_class_without_disk_space_stops_in_a_sentence_and_is_made_once_there_is(
    tmp_path: Path, why: str
) -> None:
    root = copy_of_the_course(tmp_path)
    (root / "class").mkdir()
    make = [*GRADER, "sample-class", "neuron", "--students", "5"]
    small = [*on_a_small_disk(root / "class", 'exec "$@"', 20_000), "sh", *make]
    full = why == "No space left on device"
    hindered = small if full else on_a_read_only_disk(root, make)
    assert fails_in_a_line(run(hindered, root), why, "run the command again")
    assert run(make, root)[0] == 0


def files(root: Path) -> dict[str, bytes]:
    """Return the content of every file of an author's course, by its name."""
    paths = (
        path
        for folder in ("course", "solutions")
        for path in (root / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def descendants(process: int) -> list[int]:
    return [child.pid for child in psutil.Process(process).children(recursive=True)]


@pytest.mark.long
def test_a_course_whose_build_fails_or_is_killed_stays_as_it_was(tmp_path: Path) -> None:
    root, temporary = copy_of_the_course(tmp_path / "course", STILLS), tmp_path / "temporary"
    source = root / "solutions" / "neuron" / "neuron.md"
    source.write_text(
        source.read_text(encoding="utf-8").replace("A neuron gets", "A neuron has"),
        encoding="utf-8",
    )
    before = files(root)
    make = [*GRADER, "course", "neuron"]

    small = [*on_a_small_disk(temporary, 'exec "$@"', 20_000), "sh", *make]
    without_space = run(small, root, TMPDIR=str(temporary))
    assert fails_in_a_line(without_space, "No space left on device", "run the command again")
    process = subprocess.Popen(
        make, cwd=root, env=os.environ | {"TMPDIR": str(temporary)}, stderr=subprocess.DEVNULL
    )
    while not list(temporary.glob("course-*/solutions/neuron/answers.key")):
        assert process.poll() is None
        time.sleep(0.01)
    workers = descendants(process.pid)
    process.kill()
    process.wait()
    assert files(root) == before
    assert fails_in_a_line(run(on_a_read_only_disk(root, make), root), "Read-only file system")
    assert files(root) == before

    # The welcome page is as it was.
    made = "made course/neuron/neuron.ipynb\nmade solutions/neuron/neuron.ipynb\n"
    assert run(make, root)[:2] == (0, made)
    assert [worker for worker in workers if Path(f"/proc/{worker}").exists()] == []


def test_a_course_that_was_installed_in_part_is_completed_by_the_next_run(tmp_path: Path) -> None:
    built, root = tmp_path / "built", tmp_path / "root"
    for name in ("course/a/a.ipynb", "course/a/answers.key", "solutions/a/a.ipynb"):
        (built / name).parent.mkdir(parents=True, exist_ok=True)
        (built / name).write_text("new")
    (root / "course/a/answers.key").mkdir(parents=True)
    with pytest.raises(OSError, match=r"answers\.key"):
        build.install(built, root)
    assert files(root) == {"course/a/a.ipynb": b"new"}
    (root / "course/a/answers.key").rmdir()
    assert build.install(built, root) == ["course/a/answers.key", "solutions/a/a.ipynb"]
    assert files(root) == files(built)


@pytest.mark.long
def test_a_bundle_that_fills_the_disk_leaves_no_file_and_is_made_with_more_space(
    tmp_path: Path,
) -> None:
    dist = tmp_path / "dist"
    make = f"{sys.executable} -m grader.cli bundle --output {dist}/course.zip"
    script = f"""cd {dist}; {FILL % 100_000}; cd {ROOT}
        {make}; echo "$?"; ls -A {dist}; rm {dist}/fill
        {make} >/dev/null; echo "$?"; ls -A {dist}"""
    _, said, complained = run(on_a_small_disk(dist, script, 20_000_000), tmp_path)
    assert complained.startswith("Stopped: No space left on device")
    assert said.split() == ["1", "fill", "0", "course.zip"]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path / "Été à Zürich")


@pytest.mark.long
def test_names_with_spaces_accents_and_quotes_are_names(course: Course) -> None:
    names = ["Zoé O'Brien", '李 "四"']
    for name in names:
        course.hand_in(name, solved("neuron"))
    assert run([*GRADER, "autograde", "neuron", "--workers", "1"], course.root)[0] == 0
    course.nbgrader("generate_feedback", "neuron")
    course.nbgrader("autograde", "neuron", "--force", "--student", names[0])
    assert course.points() == dict.fromkeys(names, 10)
    assert {
        path.parent.parent.name
        for path in (course.root / "class" / "feedback").glob("*/neuron/neuron.html")
    } == set(names)
    grade = [*GRADER, "grade", f"class/submitted/{names[0]}/neuron/neuron.ipynb"]
    assert "10 of 10 points" in run(grade, course.root)[1]


@pytest.mark.long
def test_two_lessons_are_graded_at_once_and_one_lesson_by_one_run_at_a_time(course: Course) -> None:
    course.hand_in("ann", solved("neuron"))
    folder = course.root / "class" / "submitted" / "ann" / "loss"
    folder.mkdir()
    (folder / "loss.ipynb").write_text(json.dumps(solved("loss")))
    words = [
        [*GRADER, "autograde", lesson, "--workers", "1"] for lesson in ("neuron", "loss", "loss")
    ]
    runs = [
        subprocess.Popen(
            one, cwd=course.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for one in words
    ]
    ended = [(*one.communicate(timeout=CEILING), one.returncode) for one in runs]
    assert ended[0][1:] == ("", 0)
    assert sorted(code for _, _, code in ended[1:]) in ([0, 0], [0, 1])
    for _, complained, code in ended:
        assert ("another run" in complained) == bool(complained) == bool(code)
    with course.gradebook() as gradebook:
        scores = {
            lesson: [one.score for one in gradebook.assignment_submissions(lesson)]
            for lesson in ("neuron", "loss")
        }
    assert scores == {"neuron": [10], "loss": [12]}


def test_a_clock_that_was_set_back_costs_no_grade_and_no_work(course: Course) -> None:
    with one_worker():
        _graded_before_the_clock_was_set_back(course)
    make_work(course.root)
    mine = course.root / "work" / "neuron" / "neuron.ipynb"
    mine.write_text("mine", encoding="utf-8")
    os.utime(mine, (0, 0))
    assert make_work(course.root) == []
    assert mine.read_text(encoding="utf-8") == "mine"


def _graded_before_the_clock_was_set_back(course: Course) -> None:
    course.hand_in("ann", written("neuron"), "2031-01-01 12:00:00 UTC")
    course.autograde()
    records = course.journal()
    for record in records:
        if "started" in record:
            record["started"] += 1e9
    lines = "".join(f"{json.dumps(record)}\n" for record in records)
    course.journal_file.write_text(lines, encoding="utf-8")
    for path in course.root.rglob("*"):
        os.utime(path, (2e9, 2e9))
    course.hand_in("ann", solved("neuron"), "2026-01-01 12:00:00 UTC")
    course.hand_in("bob", solved("neuron"), "yesterday, I think")
    summary = course.autograde()
    assert (sorted(summary.graded), summary.errors) == (["ann", "bob"], {})
    assert course.points() == {"ann": 10, "bob": 10}
    assert course.autograde().graded == {}


LAB = """
import http.client, os, re, socket, subprocess, sys, time
taken = socket.create_server(("127.0.0.1", 0))
port = f"--port={taken.getsockname()[1]}"
words = [sys.executable, "-m", "grader.cli", "lab", "--", "--allow-root", port]
address_line = r" +http://127.0.0.1:(\\d+)(/lab/tree/welcome.ipynb)[?]token=(\\w+)"
environment = {**os.environ, "PATH": "/nowhere"}
environment.pop("BROWSER", None)

def answer(method, path, port, token):
    while True:
        server = http.client.HTTPConnection("127.0.0.1", int(port), timeout=600)
        try:
            server.request(method, path, headers={"Authorization": f"token {token}"})
            return server.getresponse().status
        except ConnectionRefusedError:
            time.sleep(0.1)

with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) as lab:
    try:
        address = None
        for line in lab.stderr:
            print(line, end="")
            if address := re.match(address_line, line):
                break
        notebook = "/api/contents/neuron/neuron.ipynb"
        for method, path in (("GET", address[2]), ("GET", notebook), ("POST", "/api/kernels")):
            print(method, path, answer(method, path, address[1], address[3]))
    finally:
        lab.terminate()
"""


@pytest.mark.long
def test_without_network_and_browser_and_on_a_taken_port_the_course_still_works(
    course: Course,
) -> None:
    """`make lab` and the instructor's commands need nothing but the environment."""
    course.hand_in("ann", written("neuron", relu="..."))
    for command in (
        ["autograde", "neuron", "--workers", "1"],
        ["grade", "class/submitted/ann/neuron/neuron.ipynb"],
        ["reset", "neuron"],
    ):
        code, _, complained = run(without_a_network([*GRADER, *command]), course.root)
        assert (code, complained) == (0, "")
    assert course.points() == {"ann": 2}
    code, said, complained = run(without_a_network([sys.executable, "-c", LAB]), course.root)
    assert code == 0, complained
    assert "is already in use, trying another port" in said
    assert "No web browser found" in said
    assert "copy and paste one of these URLs" in said
    assert said.splitlines()[-3:] == [
        "GET /lab/tree/welcome.ipynb 200",
        "GET /api/contents/neuron/neuron.ipynb 200",
        "POST /api/kernels 201",
    ]

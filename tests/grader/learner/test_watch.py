"""Test `grader watch` with real notebooks that are saved, renamed, deleted and damaged."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from course import ROOT, learners_notebook, lesson, named, solved, written
from grader import check
from grader.cli import main
from grader.execution.unconfined import Unconfined
from grader.learner.progress import load_progress
from grader.learner.watch import judged
from grader.learner.workspace import make_work

ABSOLUTE = "def relu(z):\n    print('called')\n    return np.abs(z)\n"
ENDLESS = "def sigmoid(z):\n    while True:\n        pass\n"
LOOPING = ENDLESS.replace("while", "open('looping', 'w').close()\n    while")
CEILING = 300
"""Seconds after which a test fails."""
HINT = "Hint: That is the absolute value"


def data(notebook: dict[str, Any]) -> bytes:
    return json.dumps(notebook).encode()


class Learner:
    """A learner's copy of the course, with `grader watch` running in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(
            ROOT / "course", root / "course", ignore=shutil.ignore_patterns("progress.json")
        )
        self.folder = root / "work" / "neuron"
        self.notebook = self.folder / "neuron.ipynb"
        self.process: subprocess.Popen[bytes] | None = None
        self.read = 0

    def watch(self, *words: str) -> None:
        with (self.root / "said").open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "grader.cli", "watch", *words],
                cwd=self.root,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def save(self, notebook: dict[str, Any] | bytes) -> None:
        self.notebook.write_bytes(notebook if isinstance(notebook, bytes) else data(notebook))

    def hears(self, *parts: str) -> str:
        """Return the new output once it has all these parts; fail after `CEILING`."""
        end = time.monotonic() + CEILING
        while time.monotonic() < end:
            new = (self.root / "said").read_bytes().decode()[self.read :]
            if all(part in new for part in parts) and new.endswith("\n\n"):
                self.read += len(new)
                return new
            time.sleep(0.05)
        raise AssertionError(
            f"{parts} are not in the output: {(self.root / 'said').read_text()[self.read :]}"
        )

    def waits_for(self, name: str) -> None:
        """Wait until the learner's code has made a file."""
        end = time.monotonic() + CEILING
        while not (self.folder / name).exists():
            assert time.monotonic() < end
            time.sleep(0.05)

    def end(self, how: int = signal.SIGINT) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(CEILING)


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[Learner]:
    learner = Learner(tmp_path)
    yield learner
    if learner.process is not None and learner.process.poll() is None:
        learner.process.kill()
        learner.process.wait()


def test_watch_and_check_give_the_same_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "course" / "neuron", tmp_path / "neuron")
    monkeypatch.chdir(tmp_path / "neuron")
    misconceptions = {
        name: item.misconceptions[0].function for name, item in lesson("neuron").exercises.items()
    }
    notebook = written(
        "neuron",
        **{
            name: f"def {name}(*inputs):\n    return answers.{name}(*inputs)\n"
            for name in misconceptions
        },
    )
    (tmp_path / "neuron" / "answers.py").write_text(
        "from solutions import exercises\n"
        + "".join(f"{name} = exercises.{one.__name__}\n" for name, one in misconceptions.items())
    )
    (tmp_path / "neuron" / "solutions").mkdir()
    shutil.copyfile(
        ROOT / "solutions" / "neuron" / "exercises.py",
        tmp_path / "neuron" / "solutions" / "exercises.py",
    )
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    first["source"] = "import answers\n" + "".join(first["source"])
    _, verdicts, odd = judged(
        tmp_path / "neuron" / "neuron.ipynb", data(notebook), Unconfined(10, tmp_path / "neuron")
    )
    checked = (check(named(name, function)).verdict for name, function in misconceptions.items())
    assert verdicts == [replace(one, picture=None) for one in checked]
    assert all(verdict.hint for verdict in verdicts)
    assert [one.partition(" ")[0] for one in odd] == ["answers.py"]


def test_each_save_is_checked_until_ctrl_c(learner: Learner) -> None:
    learner.watch("neuron")
    assert "weighted_sum is not written yet" in learner.hears("checked at")
    learner.save(written("neuron", weighted_sum="...", relu=ABSOLUTE))
    said = learner.hears("checked at")
    for part in (
        "●○○○ 1 of 4",
        "✓ weighted_sum  2 of 2",
        "✗ relu          0 of 2  missed: right values",
        "○ dense",
        "  yours ",
        "  expected ",
        "  it printed  called",
        HINT,
    ):
        assert part in said
    assert said.count("Hint:") == 1
    learner.save(solved("neuron"))
    assert "Every exercise of this lesson is solved." in learner.hears("●●●● 4 of 4", "checked at")
    assert load_progress(learner.folder)["solved"] == {
        "weighted_sum": 2.0,
        "sigmoid": 3.0,
        "relu": 2.0,
        "dense": 3.0,
    }
    assert learner.end() == 0
    assert (learner.root / "said").read_text().endswith("Stopped watching.\n")


@pytest.mark.long
def test_a_damaged_notebook_is_reported_and_the_next_save_is_checked(learner: Learner) -> None:
    learner.watch("neuron")
    learner.hears("checked at")
    learner.save(b"<<<<<<< mine\n{}\n=======\n>>>>>>> theirs\n")
    learner.hears(
        "neuron.ipynb can't be checked: it has conflict markers",
        "Settle the merge and save it again.",
    )
    (learner.folder / "answers.key").rename(learner.folder / "elsewhere")
    learner.save(solved("neuron"))
    learner.hears("answers.key is not in neuron/")
    (learner.folder / "elsewhere").rename(learner.folder / "answers.key")
    learner.save(solved("neuron"))
    learner.hears("4 of 4", "checked at")


@pytest.mark.long
def test_a_deleted_notebook_is_awaited_and_a_renamed_one_followed(learner: Learner) -> None:
    learner.watch("neuron")
    learner.hears("checked at")
    mine = learner.notebook.rename(learner.folder / "my neuron.ipynb")
    learner.hears("work/neuron/my neuron.ipynb, checked at")
    mine.write_bytes(data(solved("neuron")))
    learner.hears("4 of 4", "my neuron.ipynb, checked at")
    mine.unlink()
    learner.hears("work/neuron/neuron.ipynb is gone; waiting for it.")
    learner.save(written("neuron", weighted_sum="..."))
    learner.hears("1 of 4", "work/neuron/neuron.ipynb, checked at")


def test_a_syntax_error_costs_only_its_own_exercise(learner: Learner) -> None:
    make_work(learner.root)
    learner.save(
        written("neuron", weighted_sum="def weighted_sum(x, w, b)\n    return 1\n", relu="...")
    )
    learner.watch("neuron", "--once")
    said = learner.hears("checked at")
    assert "The cell of weighted_sum stops with SyntaxError: expected ':'" in said
    assert "✓ relu" in said


@pytest.mark.long
def test_an_endless_loop_costs_only_its_own_exercise(learner: Learner) -> None:
    make_work(learner.root)
    learner.save(written("neuron", weighted_sum="...", sigmoid=ENDLESS, relu="..."))
    learner.watch("neuron", "--seconds=20", "--once")
    said = learner.hears("checked at")
    assert "✓ weighted_sum" in said
    assert "✓ relu" in said
    assert (
        "sigmoid ran for more than 20 seconds and was stopped: is there a loop that never ends?"
        in " ".join(said.split())
    )


@pytest.mark.long
def test_a_save_during_a_check_replaces_it(learner: Learner) -> None:
    learner.watch("neuron", "--seconds=3600")
    learner.hears("checked at")
    learner.save(written("neuron", sigmoid=LOOPING))
    learner.waits_for("looping")
    learner.save(solved("neuron"))
    assert "0 of 4" not in learner.hears("4 of 4", "checked at")


@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_the_learners_code_ends_with_watch(learner: Learner, how: int) -> None:
    make_work(learner.root)
    learner.save(written("neuron", sigmoid=LOOPING))
    learner.watch("neuron", "--seconds=3600")
    learner.waits_for("looping")
    assert learner.process is not None
    children = psutil.Process(learner.process.pid).children(recursive=True)
    assert children
    assert learner.end(how) == (0 if how == signal.SIGINT else -signal.SIGKILL)
    assert psutil.wait_procs(children, timeout=CEILING)[1] == []


@pytest.mark.long
def test_without_a_name_every_saved_lesson_is_checked(learner: Learner) -> None:
    learner.watch()
    learner.hears("checked at")
    for name in ("loss", "neuron"):
        (learner.root / "work" / name / f"{name}.ipynb").write_bytes(data(solved(name)))
        learner.hears(lesson(name).title, "4 of 4", f"work/{name}/{name}.ipynb, checked at")


@pytest.mark.long
def test_of_several_saved_notebooks_the_last_is_reported_last(learner: Learner) -> None:
    order = ("neuron", "loss", "chain_rule")  # not as the course has them
    learner.watch()
    learner.hears("checked at")
    assert learner.process is not None
    learner.process.send_signal(signal.SIGSTOP)
    os.waitpid(learner.process.pid, os.WUNTRACED)
    for number, name in enumerate(order):
        notebook = learner.root / "work" / name / f"{name}.ipynb"
        notebook.write_bytes(data(solved(name)))
        os.utime(notebook, (2e9 + number,) * 2)
    learner.process.send_signal(signal.SIGCONT)
    said = learner.hears(*(f"work/{name}/{name}.ipynb, checked at" for name in order))
    assert [said.index(lesson(name).title) for name in order] == sorted(
        said.index(lesson(name).title) for name in order
    )
    assert all(
        load_progress(learner.root / "work" / name)["solved"].keys()
        == lesson(name).exercises.keys()
        for name in order
    )
    learner.save(written("neuron", weighted_sum="..."))
    said = learner.hears("1 of 4", "work/neuron/neuron.ipynb, checked at")
    assert said.count("checked at") == 1, "nothing was said of the others again"


@pytest.mark.long
def test_progress_that_cannot_be_saved_is_reported(learner: Learner) -> None:
    make_work(learner.root)
    (learner.folder / "progress.json").mkdir()
    learner.save(solved("neuron"))
    learner.watch("neuron", "--once")
    assert "progress.json can't be written (Is a directory)" in " ".join(
        learner.hears("4 of 4").split()
    )


@pytest.mark.skipif(os.name != "posix", reason="A pseudo terminal is Unix's.")
@pytest.mark.long
def test_a_terminal_shows_only_the_last_report_in_colour(learner: Learner) -> None:
    import pty

    ours, theirs = pty.openpty()
    learner.process = subprocess.Popen(
        [sys.executable, "-m", "grader.cli", "watch", "neuron"],
        cwd=learner.root,
        stdin=theirs,
        stdout=theirs,
        env={**os.environ, "COLUMNS": "60"},
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    while b"checked at" not in said:
        said += os.read(ours, 65536)
    assert "Checking work/neuron/neuron.ipynb …".encode() in said
    assert b"\x1b[2J\x1b[H\x1b[1mWhat is a neuron?" in said
    lines = said.decode().partition("\x1b[2J")[2].splitlines()
    assert max(map(len, lines)) <= 70  # 60, and what colours take
    assert learner.end() == 0
    os.close(ours)


def at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(
        ROOT / "course", folder / "course", ignore=shutil.ignore_patterns("progress.json")
    )
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.long
def test_once_exits_with_0_only_if_all_is_solved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at(tmp_path, monkeypatch)
    assert main(["watch", "--once"]) == 1
    (tmp_path / "work" / "loss" / "loss.ipynb").write_bytes(data(solved("loss")))
    assert main(["watch", "--once"]) == 0
    assert main(["watch", "--once", "course/neuron"]) == 1
    monkeypatch.chdir(tmp_path / "work" / "loss")
    assert main(["watch", "--once"]) == 0
    assert "loss.ipynb, checked at" in capsys.readouterr().out


def test_an_unknown_lesson_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at(tmp_path, monkeypatch)
    assert main(["watch", "--once", "nouron"]) == 1
    assert "There is no notebook or lesson nouron; the course has " in capsys.readouterr().err
    monkeypatch.chdir("/")
    assert main(["watch"]) == 1
    assert "There is no course/ in /" in capsys.readouterr().err


def test_a_tried_exercise_is_shown_before_an_untried_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at(tmp_path, monkeypatch)
    notebook = learners_notebook("neuron")
    next(cell for cell in notebook["cells"] if cell["id"] == "relu")["source"] = ABSOLUTE.replace(
        "called", "\\x1b[2J"
    )
    notebook["cells"].append(
        {
            "cell_type": "code",
            "id": "again",
            "metadata": "none",
            "source": "def dense():\n    raise NotImplementedError\n",
        }
    )
    (tmp_path / "mine.ipynb").write_bytes(data(notebook))
    shutil.copyfile(ROOT / "course" / "neuron" / "answers.key", tmp_path / "answers.key")
    assert main(["watch", "--once", "mine.ipynb"]) == 1
    said = capsys.readouterr().out
    assert HINT in said
    assert "\x1b" not in said
    assert "dense is defined in 2 cells; the last finished one counts." in said


@pytest.mark.parametrize("name", ["random.py", "types.py", "numpy.py"])
def test_a_file_with_the_name_of_a_module_changes_nothing(name: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "course" / "neuron", tmp_path / "neuron")
    (tmp_path / "neuron" / name).write_text("def something(): ...\n", encoding="utf-8")
    place = tmp_path / "neuron" / "neuron.ipynb"
    runner = Unconfined(60, tmp_path / "neuron")
    assert all(one.solved for one in judged(place, data(solved("neuron")), runner)[1])

"""Follow docs/instructor.md from top to bottom in a clean clone, with a class of made-up people."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from course import ROOT, solved, written

PAGE = ROOT / "docs" / "instructor.md"
ELSEWHERE = (
    "make ",
    "source ",
    "grader autograde neuron --scheduler",
    "grader insights neuron loss",
)
"""Commands that need an environment, a cluster or a second graded lesson; other tests run them."""
AGAIN = "grader archive neuron"
"""The only command that is run wherever the page has it: its last archive is restored."""
ROSTER = """\
First name,Last name,Username,Email address,ID
Anne,Müller,anne,anne@uni.example,1
Bob,Smith,bsmith1,bob@uni.example,2
Bob,Smith,bsmith2,smith@uni.example,3
Zoé,O'Neil,zoneil,zoe@uni.example,4
Ada,Absent,absent,ada@uni.example,5
"""
SLOPPY = "def sigmoid(z):\n    return 1 / (1 + np.exp(-np.asarray(z)))\n"


def clone(folder: Path) -> Path:
    """Copy what git tracks, as it is now, into a repository with one commit."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@uni.example"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Begin"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    return folder


def commands() -> list[str]:
    """Return the commands of the page in their order."""
    lines = re.findall(r"^    (?=grader|nbgrader|make|source)(.*)$", PAGE.read_text("utf-8"), re.M)
    return [re.sub(r"\s+#.*", "", line) for line in lines]


def prepare(root: Path) -> None:
    """Write the files that come from elsewhere: a roster, a download of Moodle's, a folder."""
    (root / "students.csv").write_text(ROSTER, encoding="utf-8")
    wrong = json.dumps(written("neuron", sigmoid=SLOPPY, relu="..."))
    uploads = {"Anne Müller_1234567": wrong, "Zoé O'Neil_4": json.dumps(solved("neuron"))}
    uploads |= {f"Bob Smith_{number}": json.dumps(written("neuron")) for number in (2, 3)}
    with zipfile.ZipFile(root / "download.zip", "w") as archive:
        for name, notebook in uploads.items():
            archive.writestr(f"{name}_assignsubmission_file/neuron.ipynb", notebook)
    for place in (root / "folder" / "bsmith2", root / "mail"):
        place.mkdir(parents=True)
        (place / "neuron.ipynb").write_text(wrong, encoding="utf-8")
    files = "students.csv\ndownload.zip\nfolder/\nmail/\n"
    (root / ".git" / "info" / "exclude").write_text(files)


def hand_in(root: Path) -> None:
    """Put a submission into the exchange, as `nbgrader submit` does, and read by its owner."""
    inbound = root / "class" / "exchange" / "neural_network_basics" / "inbound"
    name = f"{os.environ.get('USER', 'root')}+neuron+2026-11-30 12:00:00.000000 UTC+x"
    folder = inbound / name
    folder.mkdir()
    (folder / "neuron.ipynb").write_text(json.dumps(solved("neuron")), encoding="utf-8")
    (folder / "timestamp.txt").write_text("2026-11-30 12:00:00.000000 UTC")
    (folder / "submission_secret.txt").write_text("a secret")


def through_the_exchange(root: Path) -> None:
    """Give submissions from elsewhere what the exchange gives, and releasing feedback needs."""
    for folder in (root / "class" / "submitted").glob("*/neuron"):
        (folder / "submission_secret.txt").write_text(f"secret of {folder.parent.name}")
        (folder / "timestamp.txt").write_text("2026-11-30 12:00:00 UTC")


BEFORE: dict[str, Callable[[Path], None]] = {
    "nbgrader collect neuron": hand_in,
    "grader autograde neuron": through_the_exchange,
}


@pytest.mark.long
def test_the_whole_week_works_and_leaves_nothing_for_git(tmp_path: Path) -> None:
    root = clone(tmp_path)
    prepare(root)
    bin = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{bin}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    said = dict[str, str]()
    for command in commands():
        if command.startswith(ELSEWHERE) or (command in said and command != AGAIN):
            continue
        BEFORE.get(command, lambda _: None)(root)
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        said[command] = done.stdout + done.stderr
        assert done.returncode in (0, 3), f"{command}\n{said[command][-3000:]}"
        assert "Traceback" not in said[command], command
    assert "anne, neuron: 4.7 of 10 points" in said["grader explain neuron anne"]
    assert (
        "graded submissions; `grader" in said["grader archive --restore class/archive/neuron.zip"]
    )
    assert "6 students with pseudonyms" in said["grader anonymize neuron"]
    status = ["git", "status", "--porcelain"]
    assert subprocess.run(status, cwd=root, check=True, capture_output=True).stdout == b""

"""`grader doctor`, run by the tests' user and, if that is root, by an ordinary user too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from course import ROOT, SETTINGS
from grader.cli import main
from grader.errors import SandboxUnavailable
from grader.execution.unconfined import Unconfined
from grader.sandbox.doctor import COURSE_TRIALS, TRIALS, VISIBLE, try_out
from grader.sandbox.engine import Engine
from grader.sandbox.launch import Protection, protection

KINDS = [kind for kind in Protection if kind is not Protection.NONE]


def test_every_trial_fails_in_the_sandbox(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    if protection() is Protection.NONE:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "This machine can't confine notebooks."
        )
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert protection().value in lines[0]
    never = [f"  ✓ never {name}" for name in TRIALS | COURSE_TRIALS]
    landlock = protection() is Protection.LANDLOCK
    assert lines[1:-1] == [*never, *(f"  ○ may   {name}" for name in VISIBLE if landlock)]


def test_a_machine_without_protection_refuses() -> None:
    with pytest.raises(SandboxUnavailable, match="install bubblewrap"):
        Engine(None, kind=Protection.NONE)


def test_every_trial_works_without_a_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial that can't succeed proves nothing."""
    harmful = {"starts a process", "takes 4 GB of memory", "fills the disk", "runs forever"}
    trials = {name: trial for name, trial in TRIALS.items() if name not in harmful}
    trials |= COURSE_TRIALS | VISIBLE
    monkeypatch.chdir(tmp_path)
    assert try_out(Unconfined().run, SETTINGS, trials) == dict.fromkeys(trials, True)


def as_an_ordinary_user() -> list[str]:
    """Return the words that start a Python with this course's packages as a user without rights."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests"), sysconfig.get_path("purelib")])
    for python in (
        sys.executable,
        f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}",
    ):
        words = [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "env",
            "HOME=/nonexistent",
            "TMPDIR=/tmp",
            f"PYTHONPATH={paths}",
            python,
            "-B",
        ]
        if (
            Path(python).exists()
            and not subprocess.run(
                [*words, "-c", "import numpy"], cwd="/", capture_output=True, check=False
            ).returncode
        ):
            return words
    (pytest.fail if os.environ.get("CI") else pytest.skip)(
        "There is no Python here that an ordinary user may run."
    )
    raise AssertionError


AS_ROOT = pytest.mark.skipif(
    os.geteuid() != 0, reason="run by an ordinary user, as all other tests of the engine are then"
)


@pytest.mark.long
@AS_ROOT
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.lower())
def test_an_ordinary_user_is_protected_as_well(kind: Protection) -> None:
    script = (
        "import json\n"
        "from course import SETTINGS\n"
        "from grader.sandbox.doctor import LIMITS, trials_of, try_out\n"
        "from grader.sandbox.engine import Engine\n"
        "from grader.sandbox.launch import Protection\n"
        f"with Engine(SETTINGS, LIMITS, Protection.{kind.name}) as engine:\n"
        "    print(json.dumps(try_out(engine.run, SETTINGS, trials_of(SETTINGS))))"
    )
    done = subprocess.run(
        [*as_an_ordinary_user(), "-c", script], cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == dict.fromkeys(TRIALS | COURSE_TRIALS, False)


@AS_ROOT
@pytest.mark.long
def test_every_attack_fails_under_an_ordinary_user_too() -> None:
    files = [
        f"tests/grader/sandbox/test_{name}.py"
        for name in ("attacks", "limits", "installed", "stage")
    ]
    attacks = [
        *as_an_ordinary_user(),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "",
        "-n",
        "2",
        "-W",
        "ignore::ImportWarning",
        *files,
    ]
    done = subprocess.run(attacks, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "skipped" not in done.stdout
    assert len(KINDS) * 100 < int(done.stdout.split(" passed")[0].split()[-1])

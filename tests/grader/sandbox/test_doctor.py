"""`grader doctor`, as whoever runs the tests and, where that is root, as an ordinary user too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from course import ROOT
from grader.cli import main
from grader.errors import SandboxUnavailable
from grader.sandbox.doctor import TRIALS, try_out
from grader.sandbox.engine import Engine
from grader.sandbox.launch import Protection, protection

KINDS = [kind for kind in Protection if kind is not Protection.NONE]


def test_nothing_that_is_tried_gets_through(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    if protection() is Protection.NONE:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "This machine can't confine notebooks."
        )
    assert main(["doctor", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"protection": protection().value, "worked": dict.fromkeys(TRIALS, False)}


def test_a_machine_without_protection_refuses_and_says_what_to_do() -> None:
    with pytest.raises(SandboxUnavailable, match="Install bubblewrap, grade in a container"):
        Engine(kind=Protection.NONE)


def test_what_is_allowed_is_seen_to_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial that can't succeed proves nothing: this one is allowed."""
    if protection() is Protection.NONE:
        pytest.skip("This machine can't confine notebooks.")
    monkeypatch.setattr("grader.sandbox.doctor.TRIALS", {"adds": "probe = lambda x: x + 1"})
    assert try_out(protection()) == {"adds": True}


def as_an_ordinary_user() -> list[str]:
    """The words that start a Python with this course's packages as a user without rights; the test fails where CI should have one."""
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
        "import json\nfrom grader.sandbox.launch import Protection\nfrom grader.sandbox.doctor import try_out\n"
        f"print(json.dumps(try_out(Protection.{kind.name})))"
    )
    done = subprocess.run(
        [*as_an_ordinary_user(), "-c", script], cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == dict.fromkeys(TRIALS, False)


@AS_ROOT
@pytest.mark.long
def test_every_attack_fails_under_an_ordinary_user_too() -> None:
    files = [f"tests/grader/sandbox/test_{name}.py" for name in ("attacks", "installed", "stage")]
    attacks = [
        *as_an_ordinary_user(),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "",
        "-W",
        "ignore::ImportWarning",
        *files,
    ]
    done = subprocess.run(attacks, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "skipped" not in done.stdout
    assert len(KINDS) * 100 < int(done.stdout.split(" passed")[0].split()[-1])

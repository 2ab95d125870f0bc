"""`grader doctor`, as whoever runs the tests and, where that is root, as an ordinary user too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from course import ROOT
from grader.cli import main
from grader.engine import Engine, EngineRefused, Protection, protection
from grader.engine.doctor import TRIALS, try_out

KINDS = [kind for kind in Protection if kind is not Protection.NONE]


def test_nothing_that_is_tried_gets_through(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    if protection() is Protection.NONE:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("This machine can't confine notebooks.")
    assert main(["doctor", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"protection": protection().value, "worked": dict.fromkeys(TRIALS, False)}


def test_a_machine_without_protection_refuses_and_says_what_to_do() -> None:
    with pytest.raises(EngineRefused, match="Install bubblewrap, grade in a container"):
        Engine(kind=Protection.NONE)


def test_what_is_allowed_is_seen_to_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial that can't succeed proves nothing: this one is allowed."""
    if protection() is Protection.NONE:
        pytest.skip("This machine can't confine notebooks.")
    monkeypatch.setattr("grader.engine.doctor.TRIALS", {"adds": "probe = lambda x: x + 1"})
    assert try_out(protection()) == {"adds": True}


@pytest.mark.skipif(os.geteuid() != 0, reason="run by an ordinary user, as all other tests of the engine are then")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.lower())
def test_an_ordinary_user_is_protected_as_well(kind: Protection) -> None:
    packages = [str(ROOT), sysconfig.get_path("purelib")]
    script = (
        f"import sys, json; sys.path[:0] = {packages!r}\n"
        "from grader.engine import Protection\nfrom grader.engine.doctor import try_out\n"
        f"print(json.dumps(try_out(Protection.{kind.name})))"
    )
    for python in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        ordinary = [str(shutil.which("setpriv")), "--reuid=65534", "--regid=65534", "--clear-groups", "env", "HOME=/tmp", "TMPDIR=/tmp", python]
        if not Path(python).exists() or subprocess.run([*ordinary, "-c", "import sys"], cwd="/", capture_output=True, check=False).returncode:
            continue
        done = subprocess.run([*ordinary, "-c", script], cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == dict.fromkeys(TRIALS, False)
        return
    pytest.skip("There is no Python here that an ordinary user may run.")

"""The command line, where a learner uses it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grader.cli import main


def test_commands_start_where_linux_only_modules_are_missing() -> None:
    """On Windows there is no fcntl, no resource and no C library under that name."""
    script = (
        "import os, sys, ctypes\n"
        "sys.modules['fcntl'] = sys.modules['resource'] = None\n"
        "import grader.engine.kernel, grader.instructor.journal\n"
        "assert grader.instructor.journal.fcntl is None\n"
        "from grader.cli import main\n"
        "main(['lab', '--help'])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "usage: grader lab" in done.stdout


def test_the_kernel_module_is_imported_where_there_is_no_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    from grader.engine import kernel

    monkeypatch.setattr("os.name", "nt")
    fresh = importlib.util.module_from_spec(importlib.util.spec_from_file_location("fresh_kernel", kernel.__file__))
    assert fresh.__spec__ is not None
    assert fresh.__spec__.loader is not None
    fresh.__spec__.loader.exec_module(fresh)
    assert fresh._libc is None


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(command in shown for command in ("lab", "fresh", "watch", "export", "edition", "course", "verify", "grade", "validate", "autograde", "sample-class", "doctor"))

"""The command line of a learner."""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from grader import cli
from grader.cli import main, parser


def test_commands_start_where_linux_only_modules_are_missing() -> None:
    """On Windows there is no fcntl, no resource and no C library under that name."""
    script = (
        "import os, sys, ctypes\n"
        "sys.modules['fcntl'] = sys.modules['resource'] = None\n"
        "import grader.files, grader.instructor.journal, grader.sandbox.linux\n"
        "assert grader.files.fcntl is None and grader.files.locked(0)\n"
        "grader.files.fcntl = os  # as in a browser, without locks\n"
        "assert grader.files.locked(0)\n"
        "from grader.cli import main\n"
        "main(['lab', '--help'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "usage: grader lab" in done.stdout


def test_the_linux_module_is_imported_where_there_is_no_c_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import importlib

    from grader.sandbox import linux

    monkeypatch.setattr("os.name", "nt")
    fresh = importlib.util.module_from_spec(
        importlib.util.spec_from_file_location("fresh_linux", linux.__file__)
    )
    assert fresh.__spec__ is not None
    assert fresh.__spec__.loader is not None
    monkeypatch.setitem(sys.modules, "fresh_linux", fresh)
    fresh.__spec__.loader.exec_module(fresh)
    assert fresh._libc is None


def test_help_has_a_line_for_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """argparse leaves out a command that was registered without `help`."""
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = re.findall(r"^    ([a-z-]+)(?:  |$)", capsys.readouterr().out, re.MULTILINE)
    (commands,) = (action.choices for action in parser()._actions if action.dest == "command")
    assert listed == list(commands or ())
    assert len(listed) > 10


def running(monkeypatch: pytest.MonkeyPatch, run: Callable[[argparse.Namespace], int]) -> None:
    """Make the command line run a function."""
    arguments = SimpleNamespace(parse_args=lambda _: SimpleNamespace(run=run))
    monkeypatch.setattr(cli, "parser", lambda: arguments)


def say(_: object) -> int:
    print("✓ 1 − x")
    return 0


def test_a_terminal_without_a_sign_shows_another(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", terminal)
    running(monkeypatch, say)
    assert main([]) == 0
    assert terminal.buffer.getvalue() == b"? 1 ? x\n"  # type: ignore[attr-defined]


def say_much(_: object) -> int:
    print("x" * 100_000)
    return 0


@pytest.mark.parametrize("command", [say, say_much])
def test_a_reader_that_leaves_early_is_no_error(
    command: Callable[[object], int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    running(monkeypatch, command)
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as pipe:
        monkeypatch.setattr("sys.stdout", pipe)
        assert main([]) == 0
    assert capsys.readouterr().err == ""


def test_another_pipe_that_breaks_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    running(monkeypatch, fail)
    assert main([]) == 1
    assert "Stopped: Broken pipe." in capsys.readouterr().err

"""`grader doctor`: try hostile cells in the sandbox, and look at the rights in the exchange."""

from __future__ import annotations

import argparse
import contextlib
import stat
from pathlib import Path

from grader.errors import UserError
from grader.sandbox.doctor import LIMITS, VISIBLE, trials_of, try_out
from grader.sandbox.engine import Engine
from grader.settings import Settings, load_settings

WAY_OUT = "give the exchange mode 1777, and the course's folders in it 755."


def replaceable(exchange: Path, course: str) -> Path | None:
    """Return a folder of nbgrader's exchange in which any account can replace the course, or None.

    The exchange itself is open to all; with the sticky bit, each may rename only their own folders.
    """
    for folder in (exchange, exchange / course, exchange / course / "outbound"):
        mode = folder.stat().st_mode if folder.is_dir() else 0
        if mode & stat.S_IWOTH and not (folder == exchange and mode & stat.S_ISVTX):
            return folder
    return None


def open_folder(settings: Settings) -> Path | None:
    """Return the result of `replaceable` for the exchange of a course."""
    from nbgrader.exchange.default import ExchangeCollect

    from grader.instructor.gradebook import course_directory  # both take a second to import

    coursedir = course_directory(settings.root)
    exchange = ExchangeCollect(coursedir=coursedir, config=coursedir.config)
    return replaceable(Path(exchange.root), coursedir.course_id)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `doctor`."""
    what = "report this machine's protection against hostile notebooks, and test it"
    subparsers.add_parser("doctor", help=what).set_defaults(run=_run)


def _run(_: argparse.Namespace) -> int:
    settings = None
    with contextlib.suppress(UserError):
        settings = load_settings(Path.cwd())
    with Engine(settings, LIMITS) as engine:
        worked = try_out(engine.run, settings, trials_of(settings))
        visible = try_out(engine.run, settings, VISIBLE)
    print(f"Notebooks are confined by {engine.kind.value}. Tried: a notebook that")
    for name, success in worked.items():
        print(f"  {'✗ STILL' if success else '✓ never'} {name}")
    for name, success in visible.items():
        if success:
            print(f"  ○ may   {name}")
    if settings and (folder := open_folder(settings)):
        print(f"Any account can replace your course in {folder}: {WAY_OUT}")
        return 1
    if any(worked.values()):
        print("Some attempts worked: don't grade strangers' notebooks on this machine.")
        return 1
    print("All attempts failed.")
    return 0

"""Let nbgrader find files under any name, read certain times only, and collect as we do.

nbgrader takes the paths that it has built for patterns: in a folder called "week [1]" it finds
nothing, and its list of files to ignore ignores none. It stops at a time that it can't parse, and
takes a zone that it doesn't know for UTC. It reads a folder once more for each file in it. Its
zip_collect needs an expression for the names, and unpacks whatever an archive holds.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

from nbgrader import utils
from nbgrader.apps.api import NbGraderAPI
from nbgrader.apps.zipcollectapp import ZipCollectApp
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import FileNameCollectorPlugin

from grader.errors import UserError
from grader.instructor.received import collect
from grader.instructor.submissions import matches, read_time

CALL_GLOB = ("utils", "apps.api", "converters.base")
EXCHANGE = ("collect", "exchange", "fetch_feedback", "list", "release_feedback")
MODULES = (*CALL_GLOB, *(f"exchange.default.{name}" for name in EXCHANGE))
"""The modules of nbgrader that look for files with `glob.glob`."""

NBGRADERS_OWN_PLACE = "downloaded"
"""Folder where nbgrader's manual has archives put."""

_start = ZipCollectApp.start


def use_certain_files() -> None:
    """Replace what nbgrader's commands and formgrader call, for which nbgrader has no setting.

    If nbgrader moves one of these, tests/grader/instructor/test_nbgrader_files.py fails.
    """
    for name in MODULES:
        module = import_module(f"nbgrader.{name}")
        assert module.glob.glob
        module.glob = SimpleNamespace(glob=paths_like)  # type: ignore[attr-defined]
    assert utils.is_ignored
    utils.is_ignored = _is_ignored
    CourseDirectory.get_existing_timestamp = _existing_timestamp
    NbGraderAPI.get_submitted_timestamp = _submitted_timestamp
    ZipCollectApp.start = _collect_archives


def paths_like(pattern: str) -> list[str]:
    """Return the paths that match a pattern; parts that are there under their own name are names.

    A part with `*` is always a pattern: nbgrader means all students or all notebooks by it.
    """
    known: list[str] = []
    rest = pattern.split(os.sep)
    while rest and "*" not in rest[0] and os.path.lexists(os.sep.join([*known, rest[0]]) or os.sep):
        known.append(rest.pop(0))
    return glob.glob(os.sep.join([*map(glob.escape, known), *rest]))


def _is_ignored(path: str, ignore_globs: Sequence[str] | None = None) -> bool:
    return matches(os.path.basename(path), ignore_globs or ())


def _existing_timestamp(_: CourseDirectory, folder: str) -> datetime | None:
    return read_time(Path(folder))[0]


def _submitted_timestamp(self: NbGraderAPI, lesson: str, student: str) -> datetime | None:
    course = self.coursedir
    return read_time(Path(course.format_path(course.submitted_directory, student, lesson)))[0]


def _collect_archives(self: ZipCollectApp) -> None:
    """Run `grader collect`, unless the instructor has set an expression for the names."""
    if FileNameCollectorPlugin(parent=self).named_regexp:
        _start(self)
        return
    super(ZipCollectApp, self).start()
    root, lesson = Path(self.coursedir.root), self.coursedir.assignment_id
    place = Path(self._format_collect_path(self.archive_directory))
    places = (place, root / NBGRADERS_OWN_PLACE / lesson / self.archive_directory)
    files = [path for one in places if one.is_dir() for path in sorted(one.iterdir())]
    try:
        if not files:
            raise UserError(f"There is no archive in {place}. Put the download there.")
        print(collect(root, lesson, files).text())
    except UserError as error:
        self.fail(f"{error}")

"""Identify a run: by the versions of the grader and the lesson, and the seed of its inputs."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict, cast

from grader.author.lesson import Lesson


class RunFields(TypedDict):
    """The fields of a `RunId`."""

    grader_version: str
    lesson_version: str
    seed: int


@dataclass(frozen=True)
class RunId:
    """The grader, the lesson and the seed of the inputs: together they decide about points."""

    grader_version: str
    lesson_version: str
    seed: int

    def key(self, student: str, digest: str) -> str:
        """Return the name under which the grading of one notebook is found again."""
        return digest_of(json.dumps([*vars(self).values(), student, digest]).encode())

    @property
    def versions(self) -> tuple[str, str]:
        """The versions of the grader and the lesson."""
        return self.grader_version, self.lesson_version

    def record(self) -> RunFields:
        """Return the fields that go into a record."""
        return cast(RunFields, vars(self))


def digest_of(data: bytes) -> str:
    """Return a digest of a notebook's content."""
    return hashlib.sha256(data).hexdigest()[:32]


def lesson_version(lesson: Lesson) -> str:
    """Return a digest of a lesson's two files and of the packages that its cases may come from."""
    files = [lesson.folder / f"{lesson.name}.md", lesson.folder / "exercises.py"]
    for package in lesson.settings.packages:
        files += _modules(lesson.settings.root / package)
    return _digest_of_files(files)


@cache
def grader_version() -> str:
    """Return a digest of the grader's code as it was when this process first asked."""
    return _digest_of_files(_modules(Path(__file__).parents[1]))


def commit_of(folder: Path) -> str:
    """Return the commit that is checked out, marked where files differ from it; "" without git."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return run.stdout.strip()


def _modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def _digest_of_files(files: Iterable[Path]) -> str:
    return digest_of(b"\0".join(path.read_bytes() for path in files))

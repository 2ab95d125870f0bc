"""What a grading run did comes in, a record at a time, and is on disk before the next step; after a kill the journal says what is left to do."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from grader.author.lesson import Lesson

try:
    import fcntl
except ImportError:  # Windows, where learners use the other commands
    fcntl = None  # type: ignore[assignment]

JUDGING = (
    *(f"comparison/{name}" for name in ("compare", "judge", "observe", "plain", "sample", "vocabulary")),
    *(f"execution/{name}" for name in ("answers", "attempt", "limits", "runner", "submission")),
    "author/key",
    "instructor/run",
)
"""Modules of the grader that decide about points."""

Record = dict[str, Any]


class JournalBusy(Exception):
    """Another run writes this journal; the message says so in one sentence."""


@dataclass(frozen=True)
class Basis:
    """What the points of a run rest on: the grader, the lesson, and the seed of the inputs."""

    version: str
    edition: str
    seed: int

    def key(self, student: str, digest: str) -> str:
        """The name under which the grading of one notebook is found again."""
        return _digest(json.dumps([self.version, self.edition, self.seed, student, digest]).encode())


@dataclass
class Journal:
    """One lesson's journal: JSON lines that are only ever appended.

    ``{"run": {"version", "edition", "seed"}, "at"}`` starts a run, ``{"graded": key, "student", "digest", "version",
    "edition", "seed", "result"}`` holds what a notebook got, and ``{"written": key, "timestamp"}`` says that the
    gradebook has it.

    Attributes:
        runs: the runs so far, in order.
        graded: what each notebook got, by key.
        latest: the last grading of each student.
        written: by key, the time of handing in with which the gradebook has it.
    """

    file: BinaryIO | None = None
    runs: list[Record] = field(default_factory=list)
    graded: dict[str, Record] = field(default_factory=dict)
    latest: dict[str, Record] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)

    def append(self, *records: Record) -> None:
        """Add records; when this returns, they outlive a loss of power."""
        assert self.file is not None, "this journal was opened for reading"
        for record in records:
            self.file.write(json.dumps(record).encode() + b"\n")
            self._take(record)
        self.file.flush()
        os.fsync(self.file.fileno())

    def start(self, basis: Basis) -> None:
        """Note the beginning of a run, unless it goes on with the last one."""
        run = vars(basis)
        if not self.runs or self.runs[-1] != run:
            self.append({"run": run, "at": round(time.time(), 3)})

    def add_grading(self, basis: Basis, student: str, digest: str, result: Record) -> Record:
        """Note what a notebook got."""
        record = {"graded": basis.key(student, digest), "student": student, "digest": digest, **vars(basis), "result": result}
        self.append(record)
        return record

    def add_written(self, record: Record, timestamp: str) -> None:
        """Note that the gradebook and `autograded/` have what a record says."""
        self.append({"written": record["graded"], "timestamp": timestamp})

    def seed(self, version: str, edition: str) -> int | None:
        """The seed of the last run of this grader and this lesson, or None."""
        return next((int(run["seed"]) for run in reversed(self.runs) if (run["version"], run["edition"]) == (version, edition)), None)

    def _take(self, record: Record) -> None:
        if "run" in record:
            self.runs.append(record["run"])
        elif "graded" in record:
            self.graded[record["graded"]] = self.latest[record["student"]] = record
        elif "written" in record:
            self.written[record["written"]] = record["timestamp"]


@contextmanager
def open_journal(path: Path) -> Iterator[Journal]:
    """The journal at `path`, for this process alone as long as the block lasts; what a kill left of a line is cut off.

    Raises:
        JournalBusy: another process has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b") as file:
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalBusy(f"{path.name}: another run grades this lesson right now; wait until it has ended") from None
        journal = read_journal(path)
        file.truncate(_whole_lines(path))
        journal.file = file
        yield journal


def read_journal(path: Path) -> Journal:
    """What a journal says now; an absent one says nothing."""
    journal = Journal()
    if path.exists():
        with open(path, "rb") as file:
            for line in file:
                if line.endswith(b"\n") and (record := _record(line)) is not None:
                    journal._take(record)
    return journal


def digest_of(notebook: bytes) -> str:
    """What stands for the content of a notebook."""
    return _digest(notebook)


def journal_path(root: Path, lesson: Lesson) -> Path:
    """Where the journal of a lesson lies."""
    return root / "class" / "journal" / f"{lesson.name}.jsonl"


def edition_of(lesson: Lesson) -> str:
    """What stands for a lesson as its author wrote it."""
    return _digest(b"\0".join((lesson.folder / name).read_bytes() for name in (f"{lesson.name}.md", "exercises.py")))


def grader_version() -> str:
    """What stands for the part of the grader that decides about points."""
    here = Path(__file__).parents[1]
    return _digest(b"\0".join((here / f"{name}.py").read_bytes() for name in JUDGING))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _record(line: bytes) -> Record | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _whole_lines(path: Path) -> int:
    """Bytes up to the end of the last whole line."""
    data = path.read_bytes()
    return data.rfind(b"\n") + 1

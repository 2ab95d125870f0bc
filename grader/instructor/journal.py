"""The journal of a run: each record is on disk before the next step, so that a run resumes."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from grader.author.lesson import Lesson
from grader.errors import UserError
from grader.instructor.sources import Seen, seen, with_imports

try:
    import fcntl
except ImportError:  # Windows, where learners use the other commands
    fcntl = None  # type: ignore[assignment]

GRADER = Path(__file__).parents[1]
SILENT = ("comparison/fingerprint", "comparison/present", "sandbox/doctor")
JUDGING = (
    *sorted(
        name
        for room in ("comparison", "execution", "sandbox")
        for path in (GRADER / room).glob("[!_]*.py")
        if (name := f"{room}/{path.stem}") not in SILENT
    ),
    *("author/key", "author/lesson", "instructor/run"),
)
"""Modules of the grader that decide about points: those of three rooms, but for the silent ones, and three of others."""

Record = dict[str, Any]


class JournalBusy(UserError):
    """Another run writes this journal; the message says so in one sentence."""


@dataclass(frozen=True)
class RunId:
    """What the points of a run rest on: the grader, the lesson, and the seed of the inputs."""

    version: str
    edition: str
    seed: int

    def key(self, student: str, digest: str) -> str:
        """The name under which the grading of one notebook is found again."""
        return _digest(
            json.dumps([self.version, self.edition, self.seed, student, digest]).encode()
        )


@dataclass(frozen=True, slots=True)
class Grading:
    """A grading as it is kept in memory; what the notebook got is only in the file, see `Journal.result`.

    Attributes:
        key: the name under which it is found again.
        digest: of the notebook.
        place: where its line begins, in bytes.
        before: the last grading of the same notebook on another basis; None where there is none.
    """

    key: str
    student: str
    digest: str
    basis: RunId
    place: int
    before: Grading | None


@dataclass
class Journal:
    """One lesson's journal: JSON lines that are only ever appended.

    ``{"run": {"version", "edition", "seed"}, "at"}`` starts a run, ``{"graded": key, "student", "digest", "version",
    "edition", "seed", "result"}`` holds what a notebook got, and ``{"written": key, "timestamp"}`` says that the
    gradebook has it.

    Attributes:
        runs: the runs so far, in order.
        graded: by key, the last grading under it.
        latest: the last grading of each student.
        written: by key, the time of handing in with which the gradebook has it.
        end: bytes of the whole lines.
    """

    path: Path
    file: BinaryIO | None = None
    runs: list[RunId] = field(default_factory=list)
    graded: dict[str, Grading] = field(default_factory=dict)
    latest: dict[str, Grading] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    end: int = 0

    def append(self, *records: Record) -> None:
        """Add records; when this returns, they outlive a loss of power."""
        assert self.file is not None, "this journal was opened for reading"
        for record in records:
            line = json.dumps(record).encode() + b"\n"
            self.file.write(line)
            self._take(record, len(line))
        self.file.flush()
        os.fsync(self.file.fileno())

    def result(self, grading: Grading) -> Record:
        """What a notebook got, see `grader.instructor.workers.Result`; read from the file."""
        with open(self.path, "rb") as file:
            file.seek(grading.place)
            result: Record = json.loads(file.readline())["result"]
        return result

    def start(self, basis: RunId) -> None:
        """Note the beginning of a run, unless it goes on with the last one."""
        if not self.runs or self.runs[-1] != basis:
            self.append({"run": vars(basis), "at": round(time.time(), 3)})

    def add_grading(self, basis: RunId, student: str, digest: str, result: Record) -> Grading:
        """Note what a notebook got."""
        self.append(
            {
                "graded": basis.key(student, digest),
                "student": student,
                "digest": digest,
                **vars(basis),
                "result": result,
            }
        )
        return self.latest[student]

    def add_written(self, grading: Grading, timestamp: str) -> None:
        """Note that the gradebook and `autograded/` have what a grading says."""
        self.append({"written": grading.key, "timestamp": timestamp})

    def seed(self, version: str, edition: str) -> int | None:
        """The seed of the last run of this grader and this lesson, or None."""
        return next(
            (
                run.seed
                for run in reversed(self.runs)
                if (run.version, run.edition) == (version, edition)
            ),
            None,
        )

    def _take(self, record: Record, length: int) -> None:
        if "run" in record:
            self.runs.append(_basis(**record["run"]))
        elif "graded" in record:
            self._take_grading(record)
        elif "written" in record:
            self.written[sys.intern(record["written"])] = record["timestamp"]
        self.end += length

    def _take_grading(self, record: Record) -> None:
        key, student, digest = sys.intern(record["graded"]), record["student"], record["digest"]
        basis, last = (
            _basis(record["version"], record["edition"], int(record["seed"])),
            self.latest.get(student),
        )
        before = (
            None
            if last is None or last.digest != digest
            else last.before
            if last.basis == basis
            else last
        )
        self.graded[key] = self.latest[student] = Grading(
            key, student, digest, basis, self.end, before
        )
        self.written.pop(key, None)


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
            raise JournalBusy(
                f"{path.name}: another run grades this lesson right now; wait until it has ended"
            ) from None
        journal = read_journal(path)
        file.truncate(journal.end)
        journal.file = file
        yield journal


def read_journal(path: Path) -> Journal:
    """What a journal says now; an absent one says nothing."""
    journal = Journal(path)
    if path.exists():
        with open(path, "rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    journal._take(_record(line), len(line))
    return journal


def digest_of(notebook: bytes) -> str:
    """What stands for the content of a notebook."""
    return _digest(notebook)


def journal_path(root: Path, lesson: Lesson) -> Path:
    """Where the journal of a lesson lies."""
    return root / "class" / "journal" / f"{lesson.name}.jsonl"


def edition_of(lesson: Lesson) -> str:
    """What stands for a lesson as its author wrote it, with the project's modules that its exercises take their cases from."""
    return _of_files(
        (seen(lesson.folder / f"{lesson.name}.md"), *with_imports(lesson.folder / "exercises.py"))
    )


@cache
def grader_version() -> str:
    """What stands for the part of the grader that decides about points, as it was when this process first asked."""
    return _of_files(tuple(seen(GRADER / f"{name}.py") for name in JUDGING))


@lru_cache(maxsize=64)
def _of_files(files: tuple[Seen, ...]) -> str:
    """What stands for the content of files; they are read again only when one has changed."""
    return _digest(b"\0".join(path.read_bytes() for path, *_ in files))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


@cache
def _basis(version: str, edition: str, seed: int) -> RunId:
    """One object for all the gradings on a basis."""
    return RunId(version, edition, seed)


def _record(line: bytes) -> Record:
    """A line's record; an empty one where a line was damaged."""
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}

"""The journal of a lesson: each record is on disk before the next step, so a killed run resumes.

It is a file of JSON lines that only grows. There are four kinds of records:

started   A run started: seconds since 1970, the fields of its `RunId`, git's commit.
graded    A notebook was graded: its key, student, digest, the fields of its `RunId`, the result,
          the seconds since 1970.
          Of `grader serve`, which of the student's attempts it is, and whether it counts.
written   The gradebook holds a grading: its key, and the timestamp of the submission.
shown     The student can fetch a page about an attempt: which page, student, attempt.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import BinaryIO, NotRequired, TypedDict, cast, final

from grader.errors import UserError
from grader.files import locked, parsed
from grader.instructor.run import Result
from grader.instructor.run_id import RunFields, RunId, commit_of, digest_of

JOURNAL_TIMEOUT = 10.0  # seconds to wait for `grader serve`, or for another run of the lesson


@final
class StartedRecord(RunFields):
    """A run started."""

    started: float
    commit: NotRequired[str]


@final
class GradedRecord(RunFields):
    """A notebook was graded."""

    graded: str
    student: str
    digest: str
    result: Result
    at: NotRequired[float]
    attempt: NotRequired[str]
    counts: NotRequired[bool]


@final
class WrittenRecord(TypedDict):
    """The gradebook holds a grading."""

    written: str
    timestamp: str


@final
class ShownRecord(TypedDict):
    """A student can fetch a page about an attempt."""

    shown: str
    student: str
    attempt: str


Record = StartedRecord | GradedRecord | WrittenRecord | ShownRecord


class JournalBusy(UserError):
    """Another run writes this journal."""


@dataclass(frozen=True, slots=True)
class Grading:
    """A grading in memory; its result stays in the file, in the line at byte `offset`.

    `before` is the last grading of the same notebook by another run, `at` the time of this one in
    seconds since 1970, where it is known.
    """

    key: str
    student: str
    digest: str
    run_id: RunId
    offset: int
    before: Grading | None
    at: float | None


@dataclass
class Journal:
    """The records of one lesson: its runs, the last grading of each key and of each student.

    `previous` holds each student's grading before the last, of an earlier notebook or run.

    `notebooks` holds each student's notebooks by digest, in the order in which they came, `written`
    the timestamps of gradings in the gradebook by key, `commits` git's commit where it is known, by
    the versions of grader and lesson, `end` the length of all complete lines in bytes. By student
    and attempt, `attempts` holds first gradings, and `shown` last pages; by student and digest,
    `seeds` those of attempts that counted.
    """

    path: Path
    file: BinaryIO | None = None
    runs: list[RunId] = field(default_factory=list)
    commits: dict[tuple[str, str], str] = field(default_factory=dict)
    graded: dict[str, Grading] = field(default_factory=dict)
    latest: dict[str, Grading] = field(default_factory=dict)
    previous: dict[str, Grading] = field(default_factory=dict)
    notebooks: dict[str, list[str]] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    attempts: dict[tuple[str, str], Grading] = field(default_factory=dict)
    shown: dict[tuple[str, str], str] = field(default_factory=dict)
    seeds: dict[tuple[str, str], int] = field(default_factory=dict)
    end: int = 0

    def start(self, run_id: RunId) -> None:
        """Record the start of a run, unless it resumes the last one."""
        if not self.runs or self.runs[-1] != run_id:
            started, commit = round(time.time(), 3), commit_of(self.path.parent)
            self._append({"started": started, **run_id.record(), "commit": commit})

    def add_grading(
        self,
        run_id: RunId,
        student: str,
        digest: str,
        result: Result,
        attempt: str = "",
        counts: bool = True,
    ) -> Grading:
        """Record the result of a notebook; one that does not count is not a student's latest."""
        record: GradedRecord = {
            "graded": run_id.key(student, digest),
            "student": student,
            "digest": digest,
            "grader_version": run_id.grader_version,
            "lesson_version": run_id.lesson_version,
            "seed": run_id.seed,
            "result": result,
            "at": round(time.time(), 3),
        }
        if attempt:
            record["attempt"], record["counts"] = attempt, counts
        self._append(record)
        return self.graded[record["graded"]]

    def add_shown(self, student: str, attempt: str, page: str) -> None:
        """Record which page about an attempt its student can fetch."""
        self._append({"shown": page, "student": student, "attempt": attempt})

    def add_written(self, grading: Grading, timestamp: str) -> None:
        """Record that the gradebook and `class/autograded` hold a grading."""
        self._append({"written": grading.key, "timestamp": timestamp})

    def result(self, grading: Grading) -> Result:
        """Read a grading's result from the file."""
        with open(self.path, "rb") as file:
            file.seek(grading.offset)
            return cast(Result, json.loads(file.readline())["result"])

    def before(self, run_id: RunId, student: str, digest: str) -> Grading | None:
        """Return the last grading of the same notebook by another run, or None."""
        last = self.latest.get(student)
        if last is None or last.digest != digest:
            return None
        return last.before if last.run_id == run_id else last

    def is_latest(self, grading: Grading) -> bool:
        """Return whether a student's latest grading is one of the same notebook and inputs."""
        latest = self.latest.get(grading.student)
        same = grading.digest, grading.run_id.seed
        return latest is not None and (latest.digest, latest.run_id.seed) == same

    def run_for(self, run_id: RunId, student: str, digest: str) -> RunId:
        """Return the run for one notebook: a student's further notebooks get other inputs.

        The feedback on an earlier one may have shown some of its inputs and expected values. An
        attempt keeps the inputs that it got.
        """
        if (seed := self.seeds.get((student, digest))) is not None:
            return replace(run_id, seed=seed)
        earlier = self.notebooks.get(student, [])
        place = earlier.index(digest) if digest in earlier else len(earlier)
        seed = int(digest_of(f"{run_id.seed} {place}".encode())[:8], 16)
        return replace(run_id, seed=seed) if place else run_id

    def seed(self, versions: tuple[str, str]) -> int | None:
        """Return the seed of the last run of a grader and a lesson, or None."""
        same = (run for run in reversed(self.runs) if run.versions == versions)
        return next((run.seed for run in same), None)

    def _append(self, record: Record) -> None:
        """Add a record; when this returns, it survives a loss of power."""
        assert self.file is not None, "this journal was opened for reading"
        line = json.dumps(record).encode() + b"\n"
        self.file.write(line)
        self.file.flush()
        os.fsync(self.file.fileno())
        self.take(record, len(line))

    def take(self, record: Record | None, length: int) -> None:
        """Take in a record, or None for a damaged one, whose line is `length` bytes long."""
        if record is None:
            pass
        elif "started" in record:
            self.runs.append(run_id := _run_id(record))
            if commit := record.get("commit"):
                self.commits[run_id.versions] = commit
        elif "graded" in record:
            key, student, digest = sys.intern(record["graded"]), record["student"], record["digest"]
            run_id = _run_id(record)
            before = self.before(run_id, student, digest)
            at = record.get("at")
            grading = Grading(key, student, digest, run_id, self.end, before, at)
            if digest not in (earlier := self.notebooks.setdefault(student, [])):
                earlier.append(digest)
            self.graded[key] = grading
            self.written.pop(key, None)
            if attempt := record.get("attempt"):
                self.attempts[student, attempt] = grading
            if record.get("counts", True):
                if (last := self.latest.get(student)) and last.key != key:
                    self.previous[student] = last
                self.latest[student] = grading
                if attempt:
                    self.seeds[student, digest] = run_id.seed
        elif "shown" in record:
            self.shown[record["student"], record["attempt"]] = record["shown"]
        else:
            self.written[sys.intern(record["written"])] = record["timestamp"]
        self.end += length


@contextmanager
def open_journal(path: Path, timeout: float = 0) -> Iterator[Journal]:
    """Open a journal for this process alone; half a line that a kill left is cut off.

    Raises:
        JournalBusy: another process still has it after `timeout` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + timeout
    with open(path, "a+b") as file:
        while not locked(file):
            if time.monotonic() >= end:
                wait = "another run is grading this lesson; wait until it has ended"
                raise JournalBusy(f"{path.name}: {wait}")
            time.sleep(0.1)
        journal = read_journal(path)
        file.truncate(journal.end)
        journal.file = file
        yield journal


def read_journal(path: Path) -> Journal:
    """Read a journal; a missing one is empty."""
    journal = Journal(path)
    if path.exists():
        with open(path, "rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    journal.take(_record(line), len(line))
    return journal


def journal_path(root: Path, lesson: str) -> Path:
    """Return the path of a lesson's journal."""
    return root / "class" / "journal" / f"{lesson}.jsonl"


_shared_run_id = cache(RunId)  # one object a run keeps a long journal small in memory


def _run_id(record: RunFields) -> RunId:
    return _shared_run_id(record["grader_version"], record["lesson_version"], record["seed"])


def _record(line: bytes) -> Record | None:
    with contextlib.suppress(ValueError):
        return cast(Record, parsed(line, Record))
    return None

"""The limits on a learner's notebook, and the sentence about each that a learner reads."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass

from grader.comparison.schema import Outcome

GRADED = "While it is graded, a notebook may"
ALONE = f"{GRADED} start no other process or thread, use no network, and use only its own files."


@dataclass(frozen=True)
class Limits:
    """Limits of one notebook's run; see `grader.comparison.observe` for printed text."""

    cell_seconds: float = 10
    exercise_seconds: float = 10  # wall time of all calls of one exercise
    total_seconds: float = 60  # wall time of the notebook, with new starts after a crash
    cpu_seconds: int = 60  # of one child, by the kernel; total_seconds should end it before
    memory_bytes: int = 1 << 30
    scratch_bytes: int = 64 << 20  # files in a child's scratch folder
    open_files: int = 64
    result_bytes: int = 24 << 20  # encoded results of one exercise
    starts: int = 8  # child processes for one notebook

    def reason(self, outcome: Outcome) -> str | None:
        """Return the limit that may have caused an outcome's exception, or None."""
        names, message = outcome.get("error", ()), outcome.get("message", "")
        if "MemoryError" in names:
            return self.memory
        if "RuntimeError" in names and message == "can't start new thread":
            return ALONE
        number = re.match(r"\[Errno (\d{1,4})\]", message) if "OSError" in names else None
        match int(number[1]) if number else None:
            case errno.ENOSPC | errno.EFBIG | errno.EDQUOT:
                return self.files
            case errno.EPERM | errno.EACCES | errno.EROFS | errno.EAGAIN:
                return ALONE
            case errno.ENOMEM:
                return self.memory
            case errno.EMFILE:
                return f"{GRADED} have {self.open_files} files open."
        return None

    @property
    def memory(self) -> str:
        """The sentence about memory."""
        return f"{GRADED} use {self.memory_bytes / 2**30:g} GB of memory."

    @property
    def files(self) -> str:
        """The sentence about files in the scratch folder."""
        return f"{GRADED} write {self.scratch_bytes >> 20} MB of files."


@dataclass(frozen=True)
class Budget:
    """Limits of the work for one submission outside the sandbox: read, judge, render, copy it.

    Seconds are processor time. A submission whose first try is too slow, or runs too long in the
    sandbox, is tried again once all others are graded, so that nobody waits for it.
    """

    first_seconds: float = 0.25
    choice_seconds: float = 1  # to find out which of a student's notebooks counts
    first_run_seconds: float = 2  # wall time of all its requests in the sandbox
    explain_seconds: float = 1  # besides those, for hints and figures
    seconds: float = 5
    page_seconds: float = 2  # one page of feedback
    memory_bytes: int = 150 << 20  # besides what the process has before
    files: int = 1_000
    file_bytes: int = 50_000_000  # all files together
    depth: int = 20  # folders in each other


OUTSIDE = Budget()


def too_slow(subject: str, seconds: float) -> str:
    """Return the sentence about a limit of time."""
    why = "is there a loop that never ends?"
    return f"{subject} ran for more than {seconds:g} seconds and was stopped: {why}"


def ended(subject: str) -> str:
    """Return the sentence about a lost process."""
    why = "it may have used too much memory or processor time, called exit, or crashed Python"
    return f"{subject} ended its own process: {why}."


def too_large(subject: str, limit: int) -> str:
    """Return the sentence about results over a limit of bytes."""
    return f"{subject} returned more than {limit / 2**20:.0f} MB, or too many numbers and lists."


def unreadable(subject: str) -> str:
    """Return the sentence about data that is no result."""
    return f"{subject} sent back something that can't be read as a result."

"""The limits on a learner's notebook, and the sentence for each that a learner reads."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass

from grader.comparison.schema import Outcome


@dataclass(frozen=True)
class Limits:
    """Limits of one notebook's run.

    Attributes:
        cell_seconds: wall time of one cell.
        exercise_seconds: wall time of all calls of one exercise.
        total_seconds: wall time of the whole notebook, fresh starts after a crash included.
        cpu_seconds: processor time of one child; the kernel ends it, whatever it ignores. Not less than the total of wall time, which a busy notebook would else never see.
        memory_bytes: memory of one child.
        scratch_bytes: what it may write to its own scratch folder.
        open_files: descriptors.
        result_bytes: of the results of one exercise, as they are sent.
        starts: children for one notebook.

    No process, no thread, no network and nothing outside of its own folder is allowed at all; what a cell or a call prints is bounded by
    `grader.comparison.observe.MAX_PRINTED`, for a learner's own check as well.
    """

    cell_seconds: float = 10
    exercise_seconds: float = 10
    total_seconds: float = 60
    cpu_seconds: int = 60
    memory_bytes: int = 1 << 30
    scratch_bytes: int = 64 << 20
    open_files: int = 64
    result_bytes: int = 24 << 20
    starts: int = 8

    def reason(self, outcome: Outcome) -> str | None:
        """Why a call may have met an exception that the same code does not raise in a learner's notebook; None where nothing points to a limit."""
        names, message = outcome.get("error", ()), outcome.get("message", "")
        if "MemoryError" in names:
            return self.memory
        if "RuntimeError" in names and message == "can't start new thread":
            return ALONE
        number = re.match(r"\[Errno (\d{1,4})\]", message) if "OSError" in names else None
        return self._of_the_system().get(int(number[1])) if number else None

    @property
    def memory(self) -> str:
        """The sentence for memory."""
        return f"While it is graded, a notebook may use {self.memory_bytes / 2**30:g} GB of memory."

    @property
    def files(self) -> str:
        """The sentence for what is written to its own folder."""
        return f"While it is graded, a notebook may write {self.scratch_bytes >> 20} MB of files."

    def _of_the_system(self) -> dict[int, str]:
        return {
            **dict.fromkeys((errno.ENOSPC, errno.EFBIG, errno.EDQUOT), self.files),
            **dict.fromkeys((errno.EPERM, errno.EACCES, errno.EROFS, errno.EAGAIN), ALONE),
            errno.ENOMEM: self.memory,
            errno.EMFILE: f"While it is graded, a notebook may have {self.open_files} files open.",
        }


ALONE = "While it is graded, a notebook may start no other process or thread, use no network, and read and write only files of its own."


def too_slow(what: str, seconds: float) -> str:
    """The sentence for a limit of time."""
    return f"{what} ran for more than {seconds:g} seconds and was stopped: is there a loop that never ends?"


def ended(what: str) -> str:
    """The sentence for a process that was lost."""
    return f"{what} ended its own process: it may have used more memory or processor time than is allowed, called exit, or crashed Python."


def too_large(what: str, limit: int) -> str:
    """The sentence for results that are too large to send."""
    return f"{what} returned more than {limit / 2**20:.0f} MB of results, or more numbers and lists than are read."


def unreadable(what: str) -> str:
    """The sentence for what is no result at all."""
    return f"{what} sent back something that can't be read as a result."

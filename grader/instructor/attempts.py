"""Receive submissions from nbgrader's exchange, each once, and put pages about them there.

An attempt is one submission of a student. Its files are copied to
`class/attempts/ID/STUDENT/LESSON`; ID is the time and the random text that `nbgrader submit` gives.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default import ExchangeReleaseFeedback
from nbgrader.utils import notebook_hash

from grader.comparison.present import one_line
from grader.errors import UserError
from grader.files import atomic_write, locked, open_regular, read_regular
from grader.instructor.blame import is_the_machines, reason
from grader.instructor.collect import SafeCollect, owner_of
from grader.instructor.grade import seed_from
from grader.instructor.locate import SECRET, TIME
from grader.instructor.people import UNSAFE
from grader.instructor.received import keep
from grader.instructor.release import names_of_pages
from grader.instructor.submissions import read_time

MAX_SECRET = 1000  # bytes; nbgrader's has 128
MAX_STORED = 1_000_000_000  # bytes of a student's attempts; further ones are refused

SETS = 16
"""Sets of inputs from which students' attempts take turns: keys of many seeds would take minutes.

Each student meets them in another order, and new ones after sixteen attempts."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attempt:
    """One submission of a student, received at `time` in UTC."""

    student: str
    lesson: str
    id: str
    folder: Path
    time: datetime

    @property
    def key(self) -> tuple[str, str]:
        """The student and the attempt, as a journal has them."""
        return self.student, self.id


@contextmanager
def open_exchange(root: Path, coursedir: CourseDirectory) -> Iterator[Exchange]:
    """Open the exchange of a course for this process alone.

    Raises:
        UserError: another process has it open.
    """
    folder = root / "class" / "attempts"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "wb") as lock:
        if not locked(lock):
            raise UserError("Another `grader serve` runs for this course; end it first.")
        yield Exchange(folder, coursedir)


class Exchange:
    """The exchange of a course: `receive` takes from it, `show` puts pages into it."""

    def __init__(self, attempts: Path, coursedir: CourseDirectory) -> None:
        given = {"coursedir": coursedir, "config": coursedir.config}
        self._collect, self._feedback = SafeCollect(**given), ExchangeReleaseFeedback(**given)
        # A day's limit counts: with a grace, a later submission could be an earlier one.
        self._collect.grace = timedelta()
        self.attempts = attempts
        self._stored: Counter[str] = Counter()
        self._inbound = Path(self._collect.root, coursedir.course_id, "inbound")
        self._left: set[str] = set()

    def received(self, lesson: str) -> list[Attempt]:
        """Return all attempts at a lesson that were received."""
        found = [_attempt(folder) for folder in self.attempts.glob(f"*/*/{lesson}")]
        for one in found:
            self._stored[one.student] += _size(one.folder)
        return sorted(found, key=lambda one: (one.time, one.id))

    def receive(self, lesson: str) -> Iterator[Attempt]:
        """Copy complete new submissions from the exchange, at most one of each student.

        Those of another account are refused, and further ones of a student with too many bytes.
        """
        mark, new = f"+{lesson}+", set[str]()
        for name in sorted(os.listdir(self._inbound) if self._inbound.is_dir() else ()):
            student, found, identity = name.partition(mark)
            if not found or name in self._left:
                continue
            target = self.attempts / identity / student / lesson
            if UNSAFE.search(student or "*") or "." in (student[0], identity[:1]):
                self._refuse(name, "its name is not one that nbgrader gives")
            elif target.is_dir():
                self._left.add(name)
            elif self._collect.check_owner and _owner(self._inbound / name) != student:
                self._refuse(name, "it belongs to another account")
            elif self._stored[student] > MAX_STORED:
                most = f"{MAX_STORED / 1e9:g} GB"
                self._refuse(name, f"class/attempts holds more than {most} of this student")
            elif student not in new and _is_complete(self._inbound / name):
                self._left.add(name)
                new.add(student)
                yield self._copied(self._inbound / name, target)

    def show(self, attempt: Attempt, page: bytes) -> bool:
        """Let the student fetch a page about an attempt; return False where no secret is known."""
        try:
            secret = read_regular(attempt.folder / SECRET, MAX_SECRET).decode()
        except (OSError, ValueError):
            secret = ""
        if not secret:
            return False
        self._feedback.init_dest()
        for name in names_of_pages(attempt.folder, attempt.lesson):
            hashed = notebook_hash(secret=secret, notebook_id=name)
            atomic_write(Path(self._feedback.dest_path, f"{hashed}.html"), page, 0o644)
        return True

    def _copied(self, source: Path, target: Path) -> Attempt:
        """Copy a submission; one that can't be copied is empty."""
        partial = target.with_name(f".{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._collect.do_copy(str(source), str(partial))
        except Exception as error:
            if is_the_machines(error):
                raise
            log.warning("%s: %s", one_line(source.name), reason(error))
        if not (partial / TIME).is_file():  # too large, gone, or not copied whole
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            with open(partial / SECRET, "wb") as file:
                file.write(_secret(source))
        now = datetime.now(UTC).replace(tzinfo=None)
        time = read_time(partial)[0]
        if time is None or time > now:
            (partial / TIME).write_text(f"{now:%Y-%m-%d %H:%M:%S.%f} UTC", encoding="utf-8")
        partial.rename(target)
        self._stored[target.parent.name] += _size(target)
        return _attempt(target)

    def _refuse(self, name: str, why: str) -> None:
        self._left.add(name)
        log.warning("%s is not collected: %s", one_line(name), why)


def install(attempt: Attempt, folder: Path) -> None:
    """Put the files of an attempt into a student's folder in `class/submitted`, whole."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(attempt.folder, partial)
    if folder.is_dir() and not (folder / SECRET).exists():  # no attempt: it came in another way
        keep(folder, attempt.folder.parents[3] / "received")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def seeds(root: Path) -> Callable[[str, int], int]:
    """Return the function of a student and the number of an attempt, from 0, that draws its seed.

    The secret of the class decides, made where there is none.
    """
    path = root / "class" / "attempts" / ".secret"
    if not path.exists():
        atomic_write(path, secrets.token_bytes(32), 0o600)
    secret = path.read_bytes()

    def drawn(*words: object) -> int:
        text = "\0".join(map(str, words)).encode(errors="surrogateescape")
        return seed_from(secret, text)

    def seed(student: str, number: int) -> int:
        turn, place = divmod(number, SETS)
        order = sorted(range(SETS), key=lambda one: drawn("order", student, turn, one))
        return drawn("seed", turn, order[place])

    return seed


def _attempt(folder: Path) -> Attempt:
    time = read_time(folder)[0] or datetime.min
    return Attempt(folder.parent.name, folder.name, folder.parents[1].name, folder, time)


def _is_complete(folder: Path) -> bool:
    """Return whether `nbgrader submit` has ended: it lets everyone write, after all else."""
    try:
        mode = folder.lstat().st_mode
        return stat.S_ISDIR(mode) and bool(mode & 0o002) and bool(_secret(folder))
    except OSError:
        return False


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*"))


def _secret(folder: Path) -> bytes:
    """Read a submission's secret; a folder that is a link could lead to somebody else's."""
    with suppress(OSError), ExitStack() as held:
        opened = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
        held.callback(os.close, opened)
        file = held.enter_context(open_regular(SECRET, opened))
        found = os.fstat(file.fileno())
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.fstat(opened).st_uid:
            return file.read(MAX_SECRET)
    return b""


def _owner(folder: Path) -> str:
    try:
        return owner_of(str(folder))
    except OSError:  # it is gone
        return ""

"""Collect submissions from nbgrader's exchange: ordinary files only, no links, true times."""

from __future__ import annotations

import os
import pwd
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbgrader.exchange.default import ExchangeCollect

from grader.instructor.blame import costs_only
from grader.instructor.copying import TOO_LARGE, copy_ordinary_files
from grader.instructor.locate import TIME

GRACE = timedelta(minutes=10)
"""Between the time that a submission gives itself and its arrival by the kernel's clock."""


class SafeCollect(ExchangeCollect):  # type: ignore[misc]
    """`nbgrader collect` without links; a learner's word on the time and the name doesn't count.

    nbgrader's own follows the links in a learner's folder, with the rights of the instructor, and
    believes the name and the timestamp.txt of a folder that the learner made. Where the folder
    belongs to somebody else than its name says, it only warns, and collects it all the same. A
    folder that it can't read stops it.
    """

    grace = GRACE
    src_records: list[dict[str, Any]]

    def copy_files(self) -> None:
        """Collect the submissions, each at its own risk (nbgrader's hook)."""
        errors: dict[str, str] = {}
        for record in [*self.src_records]:
            self.src_records = [record]
            with costs_only(record["username"], errors):
                super().copy_files()
        for student, why in errors.items():
            self.log.error("%s: nothing was collected: %s", student, why)

    def _path_to_record(self, path: str) -> dict[str, Any]:
        """Return whose submission a folder is, and its time (nbgrader's hook)."""
        try:
            arrived = os.lstat(path).st_ctime
            owner = owner_of(path) if self.check_owner else ""
        except FileNotFoundError:  # it is gone, and nobody's
            name, time = os.path.basename(path), datetime.min
            return {"username": name, "filename": name, "timestamp": time, "claimed": time}
        record = self._by_name(path)
        record["timestamp"] = believed(record["claimed"], arrived)
        if owner and record["username"] != owner:
            self.log.warning("%s counts as a submission of its owner, %s", path, owner)
            record["username"] = owner
        return record

    def _by_name(self, path: str) -> dict[str, Any]:
        """Read a submission's folder name, with the time that it claims."""
        try:
            record: dict[str, Any] = super()._path_to_record(path)
        except (ValueError, ArithmeticError):
            self.log.warning("%s: its name has no time that can be read", path)
            name = os.path.basename(path)
            return {"username": name.rsplit("+", 3)[0], "filename": name, "claimed": datetime.min}
        return record | {"claimed": record["timestamp"]}

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy one submission, and give it the time that counts (nbgrader's hook)."""
        record, limit = self._path_to_record(src), self.coursedir.max_dir_size
        student = record["username"]
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            copied = copy_ordinary_files(Path(src), copy, most_bytes=1000 * limit)
            if TOO_LARGE in copied.left_out.values():
                why = "the folder holds more than %s kB (CourseDirectory.max_dir_size)"
                self.log.warning(f"%s: nothing was collected: {why}", student, limit)
                return
            for name, why in copied.left_out.items():
                self.log.warning("%s: %s was left out: %s", student, name, why)
            if copy.is_dir():
                time = believed(record["claimed"], copied.changed, self.grace)
                text = f"{time:%Y-%m-%d %H:%M:%S.%f} UTC"
                if abs(time - record["claimed"]) > GRACE:
                    self.log.warning("%s gives another time than %s, which counts", student, text)
                if (copy / TIME).is_dir():
                    shutil.rmtree(copy / TIME)
                (copy / TIME).write_text(text, encoding="utf-8")
                super().do_copy(str(copy), dest, log)


def owner_of(path: str) -> str:
    """Return the account that made a folder, or a link in its place."""
    owner = os.lstat(path).st_uid
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:  # the account is gone
        return f"user {owner}"


def believed(claimed: datetime, changed: float, grace: timedelta = GRACE) -> datetime:
    """Return a submission's time in UTC: what it says, unless that is clearly not its arrival.

    The kernel sets `changed`, the time of the last change of a file, and nobody can set it back.
    """
    arrived = datetime.fromtimestamp(changed, UTC).replace(tzinfo=None)
    return claimed if abs(arrived - claimed) <= grace else arrived

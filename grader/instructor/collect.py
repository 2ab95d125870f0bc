"""Collect submissions from nbgrader's exchange: ordinary files only, no links, true times."""

from __future__ import annotations

import os
import pwd
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbgrader.exchange.default import ExchangeCollect

from grader.execution.limits import OUTSIDE
from grader.instructor.copying import TOO_LARGE, copy_ordinary_files

GRACE = timedelta(minutes=10)
"""Between the time that a submission gives itself and its arrival by the kernel's clock."""


class SafeCollect(ExchangeCollect):  # type: ignore[misc]
    """`nbgrader collect` without links; a learner's word on the time and the name doesn't count.

    nbgrader's own follows the links in a learner's folder, with the rights of the instructor, and
    believes the name and the timestamp.txt of a folder that the learner made. Where the folder
    belongs to somebody else than its name says, it only warns, and collects it all the same.
    """

    def _path_to_record(self, path: str) -> dict[str, Any]:
        """Return whose submission a folder is, and its time (nbgrader's hook)."""
        record = self._by_name(path)
        if self.check_owner and record["username"] != (owner := owner_of(path)):
            self.log.warning("%s counts as a submission of its owner, %s", path, owner)
            record["username"] = owner
        return record

    def _by_name(self, path: str) -> dict[str, Any]:
        """Read a submission's folder name; one without a readable time is the oldest."""
        try:
            record: dict[str, Any] = super()._path_to_record(path)
        except (ValueError, ArithmeticError):
            self.log.warning("%s: its name has no time that can be read", path)
            name = os.path.basename(path)
            username = name.rsplit("+", 3)[0]
            return {"username": username, "filename": name, "timestamp": datetime.min}
        record["claimed"] = record["timestamp"]
        record["timestamp"] = believed(record["timestamp"], Path(path))
        return record

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy one submission (nbgrader's hook)."""
        record, limit = self._path_to_record(src), self.coursedir.max_dir_size
        student, time = record["username"], f"{record['timestamp']:%Y-%m-%d %H:%M:%S.%f} UTC"
        with TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            left_out = copy_ordinary_files(Path(src), copy, most_bytes=1000 * limit)
            if TOO_LARGE in left_out.values():
                why = "the folder holds more than %s kB (CourseDirectory.max_dir_size)"
                self.log.warning(f"%s: nothing was collected: {why}", student, limit)
                return
            for name, why in left_out.items():
                self.log.warning("%s: %s was left out: %s", student, name, why)
            if copy.is_dir():
                if record["timestamp"] != record.get("claimed", record["timestamp"]):
                    self.log.warning(
                        "%s gives an earlier time than %s, which counts", student, time
                    )
                    (copy / "timestamp.txt").write_text(time, encoding="utf-8")
                super().do_copy(str(copy), dest, log)


def owner_of(path: str) -> str:
    """Return the account that made a folder, or a link in its place."""
    owner = os.lstat(path).st_uid
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:  # the account is gone
        return f"user {owner}"


def believed(claimed: datetime, folder: Path) -> datetime:
    """Return a submission's time in UTC: what it says, unless it arrived clearly later.

    The kernel sets the time of the last change of a file, and nobody can set it back.
    """
    inside = folder.iterdir() if folder.is_dir() and not folder.is_symlink() else ()
    last = max(path.lstat().st_ctime for path in (folder, *islice(inside, OUTSIDE.files)))
    arrived = datetime.fromtimestamp(last, UTC).replace(tzinfo=None)
    return claimed if arrived - claimed <= GRACE else arrived

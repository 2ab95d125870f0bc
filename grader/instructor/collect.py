"""Collect submissions from nbgrader's exchange: ordinary files only, no links."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbgrader.exchange.default import ExchangeCollect

from grader.instructor.copying import TOO_LARGE, copy_ordinary_files


class SafeCollect(ExchangeCollect):  # type: ignore[misc]
    """`nbgrader collect` without links.

    nbgrader's own follows the links in a learner's folder, with the rights of the instructor.
    """

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy one submission (nbgrader's hook)."""
        student, limit = self._path_to_record(src)["username"], self.coursedir.max_dir_size
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
                super().do_copy(str(copy), dest, log)

"""Put pages of feedback into nbgrader's exchange, where learners fetch them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from nbgrader.exchange.default import ExchangeReleaseFeedback
from nbgrader.utils import notebook_hash

from grader.instructor.blame import costs_only
from grader.instructor.gradebook import course_directory
from grader.instructor.locate import SECRET
from grader.instructor.nbgrader_files import paths_like

MAX_PAGES = 5  # of one submission, one for each notebook in it
NOT_BY_EXCHANGE = f"it did not come through the exchange: it has no {SECRET}"


class ReleaseFeedback(ExchangeReleaseFeedback):  # type: ignore[misc]
    """nbgrader's release, which does not stop for all at a page that it can't address.

    Attributes:
        students: whose pages are released; none means everyone's.
        released: whose pages were.
        left_out: why others were not, by student.
    """

    students: Sequence[str] = ()
    src_path: str

    def copy_files(self) -> None:
        """Release the pages (nbgrader's hook)."""
        self.released: list[str] = []
        self.left_out: dict[str, str] = {}
        excluded = self.coursedir.student_id_exclude.split(",")
        for folder in sorted(map(Path, paths_like(self.src_path))):
            student = folder.parent.name
            if student in excluded or (self.students and student not in self.students):
                continue
            if not (folder / SECRET).exists():
                self.left_out[student] = NOT_BY_EXCHANGE
                continue
            with costs_only(student, self.left_out):
                if self._release(folder):
                    self.released.append(student)
        for student, why in self.left_out.items():
            self.log.warning("%s was left out: %s", student, why)

    def _release(self, folder: Path) -> bool:
        """Release the pages of a student; return whether there are any."""
        secret, pages = (folder / SECRET).read_text(encoding="utf-8"), [*folder.glob("*.html")]
        student, lesson, course = folder.parent.name, folder.name, self.coursedir
        submitted = Path(course.format_path(course.submitted_directory, student, lesson))
        for page in pages:
            names = names_of_pages(submitted, lesson) if page.stem == lesson else {page.stem}
            for name in names:
                target = Path(self.dest_path, notebook_hash(secret=secret, notebook_id=name))
                shutil.copy(page, f"{target}-tmp.html")
                Path(f"{target}-tmp.html").replace(f"{target}.html")
        return bool(pages)


def names_of_pages(submission: Path, lesson: str) -> set[str]:
    """Return the names under which a learner's nbgrader looks for a page: the notebooks' own."""
    paths = sorted(submission.glob("*.ipynb"))[:MAX_PAGES]
    return {lesson, *(path.stem.encode(errors="replace").decode() for path in paths)}


def release(root: Path, lesson: str, students: Sequence[str] = ()) -> ReleaseFeedback:
    """Put pages of a lesson, of `students` or of all, into the exchange."""
    coursedir = course_directory(root)
    coursedir.assignment_id = lesson
    exchange = ReleaseFeedback(coursedir=coursedir, config=coursedir.config)
    exchange.students = students
    exchange.start()
    return exchange

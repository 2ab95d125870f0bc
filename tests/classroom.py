"""Give tests a copy of the course with a class: submissions, grading, gradebook."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from course import copy_of_the_course
from grader.author.lesson import load_lesson
from grader.instructor.autograde import AutogradeOptions, autograde
from grader.instructor.gradebook import course_directory
from grader.instructor.journal import journal_path
from grader.instructor.report import Summary

LATE, EARLY = "2026-10-02 12:00:00 UTC", "2026-10-01 12:00:00 UTC"


@contextmanager
def one_worker() -> Iterator[None]:
    """Grade all classes in one thread of this process, with one warm sandbox.

    Commands that a test starts as processes still start workers.
    """
    with ThreadPoolExecutor(1) as pool, pytest.MonkeyPatch.context() as patch:

        @contextmanager
        def workers(_: int) -> Iterator[Any]:
            yield lambda _: pool

        for module in ("autograde", "serve"):
            patch.setattr(f"grader.instructor.{module}.local_workers", workers)
        yield


class Course:
    """A copy of the course with a class in it."""

    def __init__(self, root: Path) -> None:
        self.root = copy_of_the_course(root)

    def copy(self, root: Path) -> Course:
        """Return a copy of the course with its class, graded as far as this one."""
        other = object.__new__(Course)
        other.root = Path(shutil.copytree(self.root, root / "copy"))
        return other

    def hand_in(
        self, student: str, notebook: dict[str, Any] | bytes, when: str | None = EARLY
    ) -> Path:
        folder = self.root / "class" / "submitted" / student / "neuron"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "neuron.ipynb").write_bytes(
            notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
        )
        if when:
            (folder / "timestamp.txt").write_text(when, encoding="utf-8")
        return folder

    def punish_lateness(self) -> None:
        """Set a due date between `EARLY` and `LATE` and nbgrader's penalty of all points."""
        with (self.root / "nbgrader_config.py").open("a", encoding="utf-8") as config:
            config.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
        self.generate()
        with self.gradebook() as gradebook:
            gradebook.update_or_create_assignment("neuron", duedate="2026-10-01 18:00:00 UTC")

    def generate(self) -> None:
        """Press formgrader's button Generate."""
        done = self.formgrader().generate_assignment("neuron", force=True)
        assert done["success"], done

    def autograde(self, **options: Any) -> Summary:
        return autograde(
            self.root,
            load_lesson(self.root / "solutions" / "neuron"),
            AutogradeOptions(**{"workers": 1, **options}),
        )

    def nbgrader(self, *words: str, folder: str = ".", fails: bool = False) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *words],
            cwd=self.root / folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stderr[-3000:]
        return done.stdout + done.stderr

    def gradebook(self) -> Any:
        from nbgrader.api import Gradebook

        return Gradebook(course_directory(self.root).db_url, "neural_network_basics")

    def points(self) -> dict[str, float]:
        with self.gradebook() as gradebook:
            graded = gradebook.assignment_submissions("neuron")
            return {one.student.id: round(one.score, 6) for one in graded}

    def formgrader(self) -> Any:
        from nbgrader.apps import NbGraderAPI

        coursedir = course_directory(self.root)
        return NbGraderAPI(coursedir, config=coursedir.config)

    def marked(self, student: str) -> dict[str, Any]:
        path = self.root / "class" / "autograded" / student / "neuron" / "neuron.ipynb"
        notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return notebook

    def journal(self) -> list[dict[str, Any]]:
        return [
            json.loads(line) for line in self.journal_file.read_text(encoding="utf-8").splitlines()
        ]

    @property
    def journal_file(self) -> Path:
        return journal_path(self.root, "neuron")

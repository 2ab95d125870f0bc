"""Make the pages that `grader serve` shows a student."""

from __future__ import annotations

import contextlib
import logging
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict
from nbgrader.coursedir import CourseDirectory

from grader.execution.limits import OUTSIDE
from grader.instructor.blame import reason
from grader.instructor.feedback import Json, ReleasedLesson
from grader.instructor.feedback_page import FeedbackExporter, Pages
from grader.instructor.grades import Grades
from grader.instructor.nbgrader_feedback import CurrentFeedback
from grader.instructor.run import Result
from grader.processes import Guard

NOTICE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{lesson}</title>
<meta name="viewport" content="width=device-width">
<style>:root {{ color-scheme: light dark }} body {{ font: 16px/1.5 sans-serif; max-width: 44em;
margin: 2em auto; padding: 0 1em }}</style></head>
<body><h1>{lesson}</h1><p>{text}</p></body></html>
"""


class AttemptPages:
    """Makes the pages of results, as `grader feedback` does; keeps the cells of the lessons."""

    def __init__(self, coursedir: CourseDirectory) -> None:
        self._config = coursedir.config
        self._lessons: dict[str, CurrentFeedback] = {}
        exporter = FeedbackExporter(template_name="classic", config=self._config)  # type: ignore[no-untyped-call]
        self._pages = Pages(exporter)
        self._warm: set[str] = set()

    def in_gradebook(self, lesson: str, student: str) -> bytes:
        """Write a student's feedback to `class/feedback`; return the page in it.

        Raises:
            NbGraderException, GradebookUnusable: it can't be made.
        """
        known = self._lessons.get(lesson)
        one = known or self._opened(lesson)
        one.coursedir.student_id = student
        one.failed.clear()
        if known:
            one.init_notebooks()
            with contextlib.chdir(one.coursedir.root):
                one.convert_notebooks()
        else:
            one.start()
            self._lessons[lesson] = one
        course = one.coursedir
        folder = Path(course.format_path(course.feedback_directory, student, lesson))
        return (folder / f"{lesson}.html").read_bytes()

    def of_result(
        self, release: ReleasedLesson, notebook: Json, result: Result, note: str = ""
    ) -> bytes:
        """Return the page of a feedback notebook that the gradebook doesn't have.

        Args:
            release: its lesson.
            notebook: the feedback notebook.
            result: its points; an exercise of none shows none.
            note: a sentence for the top of the page.
        """
        grades = Grades(comments=dict.fromkeys(result["exercises"]))
        for name, one in result["exercises"].items():
            grades.scores[f"check-{name}"] = one["points"], one["max_points"]
        lesson = release.folder.name
        about = {"notebook": lesson, "note": note, **grades.totals()}
        nb: NotebookNode = from_dict(notebook)  # type: ignore[no-untyped-call]
        if lesson not in self._warm:
            self._pages.warm_up(nb, {*map(release.text, release.cells)}, grades, about)
            self._warm.add(lesson)
        make = partial(self._pages.graded, nb, grades, about)
        with contextlib.closing(Guard(make, OUTSIDE.memory_bytes)) as guard:
            try:
                page = guard.call(OUTSIDE.page_seconds)
            except Exception as error:  # of memory that is used up, C code raises any kind
                page = make(reason(error))
        return page.encode(errors="replace")

    def _opened(self, lesson: str) -> CurrentFeedback:
        course, log = CourseDirectory(config=self._config), logging.getLogger(__name__)
        course.assignment_id = lesson
        return CurrentFeedback(course, config=self._config, log=log)


def without_points(result: Result) -> Result:
    """Return a result whose verdicts show no points."""
    exercises = result["exercises"].items()
    hidden: Any = {name: {**one, "points": 0.0, "max_points": 0.0} for name, one in exercises}
    return {**result, "exercises": hidden}


def notice(lesson: str, text: str) -> bytes:
    """Return a page with a sentence or two."""
    return NOTICE.format(lesson=escape(lesson), text=escape(text)).encode()

"""Make the pages that `grader serve` shows a student."""

from __future__ import annotations

import contextlib
import logging
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from nbformat import from_dict
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory

from grader.instructor.feedback import LoadedNotebook, ReleasedLesson, feedback_notebook
from grader.instructor.feedback_page import FeedbackExporter
from grader.instructor.journal import Grading
from grader.instructor.run import Result
from grader.learner.export import TEMPLATE

NOTICE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{lesson}</title>
<meta name="viewport" content="width=device-width">
<style>:root {{ color-scheme: light dark }} body {{ font: 16px/1.5 sans-serif; max-width: 44em;
margin: 2em auto; padding: 0 1em }}</style></head>
<body><h1>{lesson}</h1><p>{text}</p></body></html>
"""


class FeedbackPages:
    """Writes feedback as `nbgrader generate_feedback` does, one student at a time."""

    def __init__(self, coursedir: CourseDirectory) -> None:
        self._coursedir = CourseDirectory(config=coursedir.config)
        self._converter: Any = None

    def write(self, lesson: str, student: str) -> bytes:
        """Write a student's folder in `class/feedback`; return the page in it.

        Raises:
            NbGraderException: nbgrader can't read the gradebook or write the page.
        """
        course = self._coursedir
        course.assignment_id, course.student_id = lesson, student
        if self._converter is None:
            log = logging.getLogger(__name__)
            log.setLevel(logging.ERROR)  # nbgrader warns of each page that it replaces
            self._converter = GenerateFeedback(
                coursedir=course, config=course.config, force=True, log=log
            )
            self._converter.start()
        else:
            self._converter.init_notebooks()
            with contextlib.chdir(course.root):
                self._converter.convert_notebooks()
        folder = Path(course.format_path(course.feedback_directory, student, lesson))
        return (folder / f"{lesson}.html").read_bytes()


class ResultPages:
    """Renders the results of one attempt, whether it counts or not."""

    def __init__(self) -> None:
        without_prompts = {"exclude_input_prompt": True, "exclude_output_prompt": True}
        self._exporter = FeedbackExporter(raw_template=TEMPLATE, theme="light", **without_prompts)  # type: ignore[no-untyped-call]

    def render(
        self,
        release: ReleasedLesson,
        loaded: LoadedNotebook,
        result: Result,
        grading: Grading,
        submitted: datetime,
        summary: str,
    ) -> bytes:
        """Return a page with a summary on top of the notebook with its verdicts."""
        notebook = feedback_notebook(release, loaded, result, grading, submitted)
        made = from_dict(notebook)  # type: ignore[no-untyped-call]
        page: str = self._exporter.from_notebook_node(made, {"summary": escape(summary)})[0]
        return page.encode()


def without_points(result: Result) -> Result:
    """Return a result whose verdicts show no points."""
    exercises = result["exercises"].items()
    hidden: Any = {name: {**one, "points": 0.0, "max_points": 0.0} for name, one in exercises}
    return {**result, "exercises": hidden}


def notice(lesson: str, text: str) -> bytes:
    """Return a page with a sentence or two."""
    return NOTICE.format(lesson=escape(lesson), text=escape(text)).encode()

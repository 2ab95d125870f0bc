"""Make the pages that `grader serve` shows a student."""

from __future__ import annotations

import contextlib
import logging
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict
from nbgrader.coursedir import CourseDirectory

from grader.execution.limits import OUTSIDE
from grader.instructor.blame import reason
from grader.instructor.feedback import LoadedNotebook, ReleasedLesson, feedback_notebook
from grader.instructor.feedback_page import verdicts_of
from grader.instructor.journal import Grading
from grader.instructor.nbgrader_feedback import CurrentFeedback
from grader.instructor.run import Result
from grader.learner.export import TEMPLATE, OfflineExporter
from grader.processes import Guard

NOTICE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{lesson}</title>
<meta name="viewport" content="width=device-width">
<style>:root {{ color-scheme: light dark }} body {{ font: 16px/1.5 sans-serif; max-width: 44em;
margin: 2em auto; padding: 0 1em }}</style></head>
<body><h1>{lesson}</h1><p>{text}</p></body></html>
"""


class FeedbackPages:
    """Writes `class/feedback` one student at a time; keeps the cells of the lesson."""

    def __init__(self, coursedir: CourseDirectory) -> None:
        self._config = coursedir.config
        self._lessons: dict[str, CurrentFeedback] = {}

    def write(self, lesson: str, student: str) -> bytes:
        """Write a student's feedback; return the page in it.

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

    def _opened(self, lesson: str) -> CurrentFeedback:
        course, log = CourseDirectory(config=self._config), logging.getLogger(__name__)
        course.assignment_id = lesson
        return CurrentFeedback(course, config=self._config, log=log)


class ResultPages:
    """Renders the results of one attempt, whether it counts or not."""

    def __init__(self) -> None:
        without_prompts = {"exclude_input_prompt": True, "exclude_output_prompt": True}
        self._exporter = OfflineExporter(raw_template=TEMPLATE, theme="light", **without_prompts)  # type: ignore[no-untyped-call]
        empty = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        self._html(from_dict(empty), "")  # type: ignore[no-untyped-call]  # reads the templates

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
        made: NotebookNode = from_dict(notebook)  # type: ignore[no-untyped-call]
        with contextlib.closing(Guard(self._html, OUTSIDE.memory_bytes)) as guard:
            try:
                page = guard.call(OUTSIDE.page_seconds, made, summary)
            except Exception as error:  # of memory that is used up, C code raises any kind
                page = self._html(verdicts_of(made, reason(error)), summary)
        return page.encode(errors="replace")

    def _html(self, notebook: NotebookNode, summary: str) -> str:
        page: str = self._exporter.from_notebook_node(notebook, {"summary": escape(summary)})[0]
        return page


def without_points(result: Result) -> Result:
    """Return a result whose verdicts show no points."""
    exercises = result["exercises"].items()
    hidden: Any = {name: {**one, "points": 0.0, "max_points": 0.0} for name, one in exercises}
    return {**result, "exercises": hidden}


def notice(lesson: str, text: str) -> bytes:
    """Return a page with a sentence or two."""
    return NOTICE.format(lesson=escape(lesson), text=escape(text)).encode()

"""The overview on the welcome page: progress in each lesson, and where to continue."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from grader.comparison.schema import AnswerKey
from grader.learner.notebook import lesson_keys
from grader.learner.progress import load_progress
from grader.learner.questions import fits, is_right

STYLE = """<style>
.overview{border-collapse:collapse;font-family:var(--jp-ui-font-family,sans-serif);\
font-size:14px;color:var(--jp-ui-font-color1,#222)}
.overview th,.overview td{text-align:left!important;padding:.35em .8em .35em 0;\
white-space:nowrap;border-bottom:1px solid var(--jp-border-color2,#ccc)}
.overview a{color:var(--jp-content-link-color,#0b5cad)}
.overview-page,.overview-page>tbody>tr,.overview-page>tbody>tr:hover{border:0;background:none}
.overview-page>tbody>tr>td{text-align:left;vertical-align:middle;padding:0 1em 0 0}
.overview-next a{display:inline-block;margin-left:.5em;padding:.3em 1em;border-radius:4px;\
background:#0b5cad;color:#fff!important;text-decoration:none}
</style>"""


@dataclass(frozen=True)
class LessonProgress:
    """Progress in one lesson: exercises solved, and questions answered and answered right."""

    lesson: str
    title: str
    solved: int
    exercises: int
    right: int
    answered: int
    optional: bool = False
    minutes: int | None = None

    @property
    def finished(self) -> bool:
        """Return whether every exercise is solved."""
        return self.solved == self.exercises

    @property
    def notebook(self) -> str:
        """Return the path of the lesson's notebook, relative to the welcome page."""
        return f"{self.lesson}/{self.lesson}.ipynb"

    @property
    def questions(self) -> str:
        """Return how many answers are right."""
        return f"{self.right} of {self.answered} right" if self.answered else "none answered yet"


@dataclass(frozen=True)
class CourseProgress:
    """Progress in all lessons; as a cell's output it is a table with a link to each lesson."""

    rows: list[LessonProgress]
    picture: Any = None

    @property
    def next(self) -> LessonProgress | None:
        """Return the first lesson that isn't finished, leaving out optional ones."""
        return next((row for row in self.rows if not row.finished and not row.optional), None)

    def advice(self) -> str:
        """Return where to continue, in one sentence."""
        if not self.rows:
            return "No lesson is next to this page: keep the folders of the course together."
        if self.next is None:
            rest = "" if all(row.finished for row in self.rows) else ", except in an optional one"
            return f"Every exercise of every lesson is solved{rest}."
        begun = any(row.solved for row in self.rows)
        return f"{'Continue' if begun else 'Begin'} with “{self.next.title}”."

    def __repr__(self) -> str:
        return self.advice()

    def _repr_html_(self) -> str:
        columns = ("Lesson", "Minutes", "Exercises", "Questions")
        head = "".join(f"<th scope='col'>{name}</th>" for name in columns)
        rows = "".join(
            f'<tr><td><a href="{escape(row.notebook)}">{escape(row.title)}</a>'
            f"{' (optional)' * row.optional}</td><td>{row.minutes or '–'}</td>"
            f"<td>{'●' * row.solved}{'○' * (row.exercises - row.solved)}"
            f" {row.solved} of {row.exercises}</td><td>{row.questions}</td></tr>"
            for row in self.rows
        )
        link = f' <a href="{escape(self.next.notebook)}">Open it</a>' if self.next else ""
        table = f'<table class="overview"><tr>{head}</tr>{rows}</table>'
        advice = f'<p class="overview-next">{escape(self.advice())}{link}</p>'
        picture = self.picture._repr_mimebundle_()["text/html"] if self.picture else ""
        # A table, as JupyterLab removes styles before the cell is run.
        row = f"<tr><td>{table}{advice}</td><td>{picture}</td></tr>"
        return f'{STYLE}<table class="overview-page" role="presentation">{row}</table>'


def overview(
    *order: str,
    optional: Collection[str] = (),
    minutes: Mapping[str, int] | None = None,
    picture: Any = None,
) -> CourseProgress:
    """Return the learner's progress in each lesson next to the current notebook.

    Args:
        order: lessons in the order in which they are taught; others follow, without the copies
            like neuron-1 that `grader reset` keeps.
        optional: those of them that a learner may leave out.
        minutes: how long a lesson takes someone who is new to all of it.
        picture: what is shown next to the table, an object that IPython displays as HTML.
    """
    here = Path.cwd()
    keys = lesson_keys(here)
    others = [name for name in keys if name not in order and "-" not in name]
    names = [*(name for name in order if name in keys), *others]
    return CourseProgress(
        [
            _row(here / name, keys[name], name in optional, (minutes or {}).get(name))
            for name in names
        ],
        picture,
    )


def _row(folder: Path, key: AnswerKey, optional: bool, minutes: int | None) -> LessonProgress:
    progress, questions = load_progress(folder), key["questions"]
    answers = {
        name: chosen
        for name, chosen in progress["answers"].items()
        if name in questions and fits(questions[name], chosen)
    }
    return LessonProgress(
        lesson=folder.name,
        title=key["title"],
        solved=sum(name in progress["solved"] for name in key["exercises"]),
        exercises=len(key["exercises"]),
        right=sum(is_right(questions[name], chosen) for name, chosen in answers.items()),
        answered=len(answers),
        optional=optional,
        minutes=minutes,
    )

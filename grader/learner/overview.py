"""The overview on the welcome page: progress in each lesson, and where to continue."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from grader.comparison.answer_key import KEY_FILE, KeyMissing, load_key
from grader.comparison.schema import AnswerKey
from grader.learner.progress import load_progress

STYLE = """<style>
.overview{border-collapse:collapse;font-family:var(--jp-ui-font-family,sans-serif);font-size:14px;color:var(--jp-ui-font-color1,#222)}
.overview th,.overview td{text-align:left!important;padding:.35em 1.2em .35em 0;border-bottom:1px solid var(--jp-border-color2,#ccc)}
.overview a{color:var(--jp-content-link-color,#0b5cad)}
</style>"""


@dataclass(frozen=True)
class Row:
    """How far one lesson is: exercises solved of all, questions answered rightly at the first try of all."""

    lesson: str
    title: str
    solved: int
    exercises: int
    right: int
    answered: int
    questions: int

    @property
    def finished(self) -> bool:
        """Whether every exercise is solved."""
        return self.solved == self.exercises

    @property
    def page(self) -> str:
        """Where its notebook lies, seen from the page."""
        return f"{self.lesson}/{self.lesson}.ipynb"


class CourseProgress:
    """A learner's progress over all lessons; as the last expression of a cell it shows a table with a link to each lesson."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    @property
    def next(self) -> Row | None:
        """The first lesson that isn't finished."""
        return next((row for row in self.rows if not row.finished), None)

    def advice(self) -> str:
        """Where to go on, in one sentence."""
        if not self.rows:
            return "No lesson lies beside this page: keep the folders of the course together."
        if self.next is None:
            return "Every exercise of every lesson is solved."
        begun = any(row.solved for row in self.rows)
        return f"{'Go on' if begun else 'Begin'} with “{self.next.title}”."

    def __repr__(self) -> str:
        lines = [
            f"{row.title}: {row.solved} of {row.exercises} exercises solved" for row in self.rows
        ]
        return "\n".join([*lines, self.advice()])

    def _repr_html_(self) -> str:
        head = "<tr><th scope='col'>Lesson</th><th scope='col'>Exercises</th><th scope='col'>Questions</th></tr>"
        rows = "".join(
            f'<tr><td><a href="{escape(row.page)}">{escape(row.title)}</a></td>'
            f"<td>{'●' * row.solved}{'○' * (row.exercises - row.solved)} {row.solved} of {row.exercises}</td>"
            f"<td>{_questions(row)}</td></tr>"
            for row in self.rows
        )
        link = f' <a href="{escape(self.next.page)}">Open it.</a>' if self.next else ""
        return f'{STYLE}<table class="overview">{head}{rows}</table><p>{escape(self.advice())}{link}</p>'


def overview(*order: str) -> CourseProgress:
    """How far the learner is in each lesson beside this page.

    Args:
        order: names of lessons in the order in which they are taught; others that are there follow.
    """
    here = Path.cwd()
    there = sorted(path.parent.name for path in here.glob(f"*/{KEY_FILE}"))
    names = [name for name in order if name in there] + [
        name for name in there if name not in order and "-" not in name
    ]
    return CourseProgress([row for name in names if (row := _row(here / name))])


def _row(folder: Path) -> Row | None:
    try:
        key: AnswerKey = load_key(folder)
    except KeyMissing:
        return None
    progress = load_progress(folder)
    answers = {
        name: chosen for name, chosen in progress["answers"].items() if name in key["questions"]
    }
    return Row(
        lesson=folder.name,
        title=key["title"],
        solved=sum(name in progress["solved"] for name in key["exercises"]),
        exercises=len(key["exercises"]),
        right=sum(chosen == key["questions"][name]["answer"] for name, chosen in answers.items()),
        answered=len(answers),
        questions=len(key["questions"]),
    )


def _questions(row: Row) -> str:
    return f"{row.right} of {row.answered} right" if row.answered else "none asked yet"

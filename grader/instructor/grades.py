"""Read points and comments from the gradebook, and put them into a notebook of feedback."""

from __future__ import annotations

from dataclasses import dataclass, field

from nbformat import NotebookNode
from nbgrader import api
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import select

from grader.instructor.gradebook import reading


@dataclass
class Grades:
    """A notebook in the gradebook: scores with the most possible, and comments.

    Both are by the names of cells; `penalty` is the price of a late submission.
    """

    penalty: float = 0.0
    scores: dict[str, tuple[float, float]] = field(default_factory=dict)
    comments: dict[str, str | None] = field(default_factory=dict)

    def put_into(self, nb: NotebookNode) -> None:
        """Write points and comments into a notebook, as nbgrader's GetGrades does.

        Raises:
            KeyError: it has another graded cell than the gradebook.
        """
        for cell in nb.cells:
            about = cell.metadata.get("nbgrader", {})
            if about.get("solution") or about.get("task"):
                about["comment"] = self.comments[about["grade_id"]]
            if about.get("grade") or about.get("task"):
                about["score"], about["points"] = self.scores[about["grade_id"]]

    def totals(self) -> dict[str, float]:
        """Return the sums, under nbgrader's names."""
        score = sum(score for score, _ in self.scores.values()) - self.penalty
        most = sum(most for _, most in self.scores.values())
        return {"score": score, "max_score": most, "late_penalty": self.penalty}


def grades_of(
    coursedir: CourseDirectory, assignment: str, student: str = ""
) -> dict[tuple[str, str], Grades]:
    """Return the grades of an assignment, of a student or of all, by student and notebook.

    Raises:
        GradebookUnusable: the gradebook can't be read.
    """
    submission, notebook, cell = api.SubmittedAssignment, api.SubmittedNotebook, api.BaseCell
    of_notebooks = (
        select(submission.student_id, api.Notebook.name, notebook.late_submission_penalty)
        .select_from(notebook)
        .join(submission, notebook.assignment_id == submission.id)
        .join(api.Notebook, notebook.notebook_id == api.Notebook.id)
        .join(api.Assignment, submission.assignment_id == api.Assignment.id)
        .where(api.Assignment.name == assignment)
    )
    if student:
        of_notebooks = of_notebooks.where(submission.student_id == student)
    names = submission.student_id, api.Notebook.name, cell.name
    of_cells = of_notebooks.with_only_columns(*names).add_columns
    found: dict[tuple[str, str], Grades] = {}
    with reading(coursedir) as connection:
        if connection is None:
            return found
        for who, name, penalty in connection.execute(of_notebooks):
            found[who, name] = Grades(penalty or 0.0)
        scores = of_cells(api.Grade.score, api.Grade.max_score)
        scores = scores.join(api.Grade, api.Grade.notebook_id == notebook.id)
        for who, name, id, score, most in connection.execute(
            scores.join(cell, api.Grade.cell_id == cell.id)
        ):
            found[who, name].scores[id] = score, most
        comments = of_cells(api.Comment.comment)
        comments = comments.join(api.Comment, api.Comment.notebook_id == notebook.id)
        for who, name, id, comment in connection.execute(
            comments.join(cell, api.Comment.cell_id == cell.id)
        ):
            found[who, name].comments[id] = comment
    return found

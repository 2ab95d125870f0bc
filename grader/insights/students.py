"""Write the parts of the page that are about single students, or about several lessons."""

from __future__ import annotations

from statistics import mean

from grader.comparison.present import count_of
from grader.insights.gather import NO_SUBMISSION, ClassResults
from grader.insights.tables import MAX_ROWS, Linked, more, paragraph, table


def lessons(classes: list[ClassResults], with_names: bool) -> str:
    """Return the tables about several lessons: the class in each, and each student in all."""
    rows, shares = [], []
    for one in classes:
        average = mean(student.points for student in one.graded)
        counts = [str(len(one.graded)), str(len(one.absent))]
        rows.append([one.lesson.name, *counts, f"{average:.2f}", f"{one.most:g}"])
        shares.append(average / one.most)
    heads = ["lesson", "graded", "handed in nothing", "mean", "possible"]
    both = table("The class, and the mean as a share of the points", heads, rows, shares)
    if not with_names:
        return both
    earned: dict[str, dict[str, float]] = {}
    for one in classes:
        for student in one.graded:
            earned.setdefault(student.student, {})[one.lesson.name] = student.points
    names = [one.lesson.name for one in classes]
    ranked = sorted(earned.items(), key=lambda item: sum(item[1].values()))
    students = [
        [
            student,
            f"{sum(of.values()):g}",
            *(f"{of[name]:g}" if name in of else "" for name in names),
        ]
        for student, of in ranked
    ]
    return both + table("Students, the fewest points first", ["student", "all", *names], students)


def needing(results: ClassResults) -> str:
    """Return the table of students whom a teacher's word would help, and who handed in nothing."""
    ungraded = results.ungraded.items()
    found = [(-1.0, student, why) for student, why in ungraded if why != NO_SUBMISSION]
    for one in results.graded:
        open_answers = sum("unexplained" in answer for answer in one.exercises.values())
        reasons = {
            "less than half of the points": one.points < results.most / 2,
            f"{count_of(open_answers, 'wrong answer')} that no hint explains": open_answers > 0,
            "handed in again since the grading": one.student in results.resubmitted,
        }
        if why := "; ".join(reason for reason, holds in reasons.items() if holds):
            student = Linked.to(one.label, results.pages.get(one.student))
            found.append((one.points, student, why))
    rows = [[who, f"{points:g}" if points >= 0 else "", why] for points, who, why in sorted(found)]
    absent = f"Nothing came from {', '.join(results.absent)}." if results.absent else ""
    first = table("The fewest points first", ["student", "points", "why"], rows[:MAX_ROWS])
    return first + more(len(rows)) + (paragraph(absent) if absent else "")


def students(results: ClassResults) -> str:
    """Return the table of all students and their points."""
    rows = []
    for one in results.graded:
        row = one.row
        scores = [f"{row.scores.get(exercise, 0):g}" for exercise in results.lesson.exercises]
        at = f"{row.timestamp:%Y-%m-%d %H:%M}" if row.timestamp else ""
        student = Linked.to(one.label, results.pages.get(one.student))
        rows.append([student, f"{one.points:g}", f"{row.penalty:g}", *scores, at])
    heads = ["student", "total", "penalty", *results.lesson.exercises, "handed in (UTC)"]
    return table("Points of each student", heads, rows)

"""Plan a run over a class: which submissions to grade, to write, or to leave as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from grader.instructor.blame import costs_only
from grader.instructor.journal import Grading, Journal
from grader.instructor.run_id import RunId, digest_of
from grader.instructor.submissions import Submission


@dataclass
class Plan:
    """The work of a run.

    Submissions `to_grade` are kept by their run: its seed differs for a student's further ones.
    Gradings `to_write` are in the journal, but not in the gradebook. `unreadable` holds reasons by
    student, `outdated` the number of gradings by another version of the lesson or of the grader.
    """

    to_grade: dict[RunId, list[Submission]] = field(default_factory=dict)
    to_write: list[tuple[Submission, Grading]] = field(default_factory=list)
    up_to_date: list[Grading] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    outdated: int = 0

    @property
    def students(self) -> list[str]:
        """The students whose grade is missing or will change."""
        graded = (one.student for submissions in self.to_grade.values() for one in submissions)
        return [*graded, *(one.student for one, _ in self.to_write)]


def make_plan(
    submissions: Iterable[Submission],
    journal: Journal,
    in_gradebook: Mapping[str, datetime | None],
    run_id: RunId,
    regrade: bool,
    dry: bool = False,
) -> Plan:
    """Plan a run; with `regrade`, gradings by other runs don't count.

    A first notebook is read only when it is graded, unless that never happens in a `dry` run.
    `in_gradebook` holds the timestamps of the submissions in the gradebook, by student.
    """
    plan = Plan()
    for submission in submissions:
        student, digest = submission.student, ""
        if student not in journal.notebooks and not dry:
            plan.to_grade.setdefault(run_id, []).append(submission)
            continue
        with costs_only(student, plan.unreadable):
            timestamp, digest = submission.timestamp, digest_of(submission.read())
        if not digest:
            continue
        latest, own = journal.latest.get(student), journal.run_for(run_id, student, digest)
        if regrade:
            grading = journal.graded.get(own.key(student, digest))
        else:
            grading = latest if latest and latest.digest == digest else None
        if grading is None:
            plan.to_grade.setdefault(own, []).append(submission)
            continue
        written = (
            grading is latest
            and journal.written.get(grading.key) == str(timestamp)
            and submission.has_feedback()
            and student in in_gradebook
            and in_gradebook[student] == timestamp
        )
        if written:
            plan.up_to_date.append(grading)
        else:
            plan.to_write.append((submission, grading))
        plan.outdated += grading.run_id.versions != run_id.versions
    return plan

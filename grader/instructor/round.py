"""Do one round of `grader serve` for a lesson: what happens to each of its submissions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from grader.comparison.present import one_line
from grader.execution.limits import OUTSIDE
from grader.instructor.attempt_page import notice, without_points
from grader.instructor.attempts import Attempt, install
from grader.instructor.blame import costs_only
from grader.instructor.feedback import LoadedNotebook, feedback_notebook
from grader.instructor.journal import Grading, Journal
from grader.instructor.lesson_gradebook import LessonGradebook
from grader.instructor.policy import Counting, Results, Shown
from grader.instructor.steps import Step, Task, current_run, scores_of, write_grade

if TYPE_CHECKING:
    from grader.instructor.desk import Desk

MOST = 16  # submissions graded in one round; what comes meanwhile waits for its end
LOOK_AGAIN = timedelta(minutes=1)  # for a due date that was changed, and after an error

RESULTS, REPLACED, FAILED = "results", "replaced", "failed"
"""Last pages about an attempt; earlier ones say until when it waits.

An attempt that could not be graded is tried again when the process starts again."""

IS_REPLACED = "A later submission of yours came on the same day; it is graded in place of this one."
IS_WAITING = (
    "You have submitted more often today than is graded on one day ({most}). Your last submission"
    " of today is graded after {until}."
)
IS_HIDDEN = "This submission is graded. Its results are here after {until}."
HAS_FAILED = (
    "This submission could not be graded: {why}. Check that your notebook opens and runs from the"
    " top, then submit again, or ask your instructor."
)
UNCOUNTED = "This submission does not count: your submission of {counted} does."


class Round:
    """One round of a desk, while this process has the journal and the gradebook."""

    def __init__(
        self, desk: Desk, journal: Journal, gradebook: LessonGradebook, now: datetime
    ) -> None:
        self.desk, self.journal, self.gradebook, self.now = desk, journal, gradebook, now
        self.again: list[datetime] = []

    def do(self) -> datetime | None:
        """Do the round; return when the next one is due even if nothing new comes."""
        for student, (attempt, future) in [*self.desk.slow.items()]:
            if future.done():
                del self.desk.slow[student]
                steps, errors = future.result()
                self._settle({student: attempt}, steps, errors)
        found = map(self._attend, sorted({student for student, _ in self.desk.open}))
        attempts = self.desk.attempts  # students with few come first
        if to_grade := sorted(
            filter(None, found), key=lambda one: (len(attempts[one.student]), one.time)
        ):
            self._grade({one.student: one for one in to_grade[:MOST]})
            self.again.append(self.now)
        return min(self.again, default=None)

    def _attend(self, student: str) -> Attempt | None:
        """Bring the pages of a student up to date; return the attempt to grade next, if any."""
        attempts, policy = self.desk.attempts[student], self.desk.policy
        for attempt, start in zip(
            attempts, policy.graded_from([one.time for one in attempts]), strict=True
        ):
            if attempt.key not in self.desk.open:
                continue
            if self.journal.shown.get(attempt.key) in (RESULTS, REPLACED):
                self.desk.open.discard(attempt.key)
            elif grading := self.journal.attempts.get(attempt.key):
                self._finish(attempt, grading)
            elif start is None:
                self._notice(attempt, REPLACED, IS_REPLACED)
            elif start > self.now:
                self.again.append(start)
                until = policy.local(start)
                text = IS_WAITING.format(most=policy.most_a_day, until=until)
                self._notice(attempt, f"waiting until {until}", text)
            else:
                return None if student in self.desk.slow else attempt
        return None

    def _grade(self, attempts: dict[str, Attempt]) -> None:
        """Grade an attempt of each student."""
        desk, run_id = self.desk, current_run(self.journal, self.desk.lesson)
        self.journal.start(run_id)
        tasks: list[Task] = []
        for student, attempt in attempts.items():
            number = sum(one == student for one, _ in self.journal.attempts)
            seed = self.desk.common.seed(student, number)
            tasks.append((replace(run_id, seed=seed), desk.submission(attempt)))
        slow, errors = list[Task](), dict[str, str]()
        self._settle(attempts, desk.first_pass(slow, errors).steps(tasks), errors)
        for task in slow:
            desk.grade_slowly(attempts[task[1].student], task)

    def _settle(
        self, attempts: dict[str, Attempt], steps: Iterable[Step], errors: dict[str, str]
    ) -> None:
        """Record the results of attempts, and write those that count; show their pages."""
        for step in steps:
            student = step.submission.student
            with costs_only(student, errors):
                attempt, result = attempts[student], step.result
                best = self.desk.policy.counts is Counting.BEST
                scores = scores_of(result)
                counts = self.gradebook.counts(student, attempt.time, scores, best)
                grading = self.journal.add_grading(
                    step.run_id, student, step.digest, result, attempt.id, counts
                )
                if counts:
                    self._write(attempt, step, grading)
                self._finish(attempt, grading)
        for student, why in errors.items():
            if attempts[student].key in self.journal.attempts:  # `_finish` tries again to write it
                self._log(attempts[student], f"graded, and not written yet: {why}")
                self.again.append(self.now + LOOK_AGAIN)
                continue
            self._log(attempts[student], f"not graded: {why}")
            self._notice(attempts[student], FAILED, HAS_FAILED.format(why=for_students(why)))

    def _write(self, attempt: Attempt, step: Step, grading: Grading) -> None:
        """Put an attempt that counts where autograde and nbgrader have it."""
        course = self.desk.common.coursedir
        folder = course.format_path(course.submitted_directory, attempt.student, attempt.lesson)
        install(attempt, Path(folder))
        write_grade(step, grading, self.journal, self.gradebook, self.desk.release)

    def _finish(self, attempt: Attempt, grading: Grading) -> None:
        """Write a grading that counts and is not written yet; show its results when it is time."""
        errors: dict[str, str] = {}
        with costs_only(attempt.student, errors):
            latest = self.journal.latest.get(attempt.student)
            if latest is grading and grading.key not in self.journal.written:
                given = grading.digest, grading.run_id, self.journal.result(grading)
                step = Step(self.desk.submission(attempt), self._loaded(attempt), *given)
                self._write(attempt, step, grading)
            self._show_results(attempt, grading)
        for why in errors.values():
            self._log(attempt, f"its page could not be made: {why}")
            self.again.append(self.now + LOOK_AGAIN)

    def _show_results(self, attempt: Attempt, grading: Grading) -> None:
        if self.desk.policy.results is Results.AFTER_DUE:
            due = self.gradebook.due(attempt.student)
            if due is None or self.now < due:
                self.again.append(min(due or datetime.max, self.now + LOOK_AGAIN))
                until = self.desk.policy.local(due) if due else "the due date"
                text = IS_HIDDEN.format(until=until)
                self._notice(attempt, f"hidden until {until}", text)
                return
        self._page(attempt, RESULTS, lambda: self._results(attempt, grading))
        points = self.journal.result(grading)["points"]
        self._log(attempt, f"{points:g} points, seed {grading.run_id.seed}")

    def _results(self, attempt: Attempt, grading: Grading) -> bytes:
        """Return the page with an attempt's results; the gradebook's, where that can be shown."""
        policy, pages, student = self.desk.policy, self.desk.common.pages, attempt.student
        hints, result = policy.shown is Shown.HINTS, self.journal.result(grading)
        if not hints and self.journal.is_latest(grading):
            return pages.in_gradebook(attempt.lesson, student)
        counted = self.gradebook.timestamp(student)
        when = policy.local(counted) if counted else "another time"
        result = without_points(result) if hints else result
        release, loaded = self.desk.release, self._loaded(attempt)
        notebook = feedback_notebook(release, loaded, result, grading, attempt.time)
        note = "" if hints else UNCOUNTED.format(counted=when)
        return pages.of_result(release, notebook, result, note)

    def _loaded(self, attempt: Attempt) -> LoadedNotebook:
        return self.desk.reader.call(OUTSIDE.seconds, self.desk.submission(attempt).read())

    def _notice(self, attempt: Attempt, page: str, text: str) -> None:
        submitted = f"Your submission of {self.desk.policy.local(attempt.time)} has arrived. "
        self._page(attempt, page, lambda: notice(attempt.lesson, submitted + text))

    def _page(self, attempt: Attempt, page: str, make: Callable[[], bytes]) -> None:
        """Show a page about an attempt, unless it is there already."""
        if self.journal.shown.get(attempt.key) != page:
            if not self.desk.common.exchange.show(attempt, make()):
                self._log(attempt, "it has no secret, so its student can't fetch a page")
            self.journal.add_shown(*attempt.key, page)
        if page in (RESULTS, REPLACED, FAILED):
            self.desk.open.discard(attempt.key)

    def _log(self, attempt: Attempt, text: str) -> None:
        when = f"{attempt.time:%Y-%m-%d %H:%M:%S} UTC"
        print(one_line(f"{attempt.lesson}: {attempt.student}, {when}: {text}"), flush=True)


def for_students(why: str) -> str:
    """Return the beginning of a reason, without the command for an instructor after it."""
    return re.split(r"[.;] (?=[^.;`]*`)", why)[0]

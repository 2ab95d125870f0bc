"""The penalty for a late submission, where nbgrader_config.py asks for one."""

from __future__ import annotations

from math import ceil

from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Float


class DailyPenalty(LateSubmissionPlugin):  # type: ignore[misc]
    """Take off a share of the points for each day begun after the due date.

    In nbgrader_config.py:

        c.AssignLatePenalties.plugin_class = "grader.instructor.late.DailyPenalty"
        c.DailyPenalty.share = 0.2
    """

    share = Float(0.1, min=0.0, max=1.0, help="of the points, for each day").tag(config=True)

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float:
        """Return the points taken off, at most `score` (nbgrader's hook)."""
        return min(1.0, self.share * ceil(total_seconds_late / (24 * 60 * 60))) * score

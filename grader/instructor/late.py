"""The penalty for a late submission, where nbgrader_config.py asks for one."""

from __future__ import annotations

from math import ceil

from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Float

DAY = 24 * 60 * 60


class DailyPenalty(LateSubmissionPlugin):  # type: ignore[misc]
    """Takes a share of the points for each day that has begun since the due date; never more than there are.

    In nbgrader_config.py: ``c.AssignLatePenalties.plugin_class = "grader.instructor.late.DailyPenalty"`` and, for another share,
    ``c.DailyPenalty.share = 0.2``.
    """

    share = Float(0.1, min=0.0, max=1.0, help="of the points, for each day").tag(config=True)

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float:
        """nbgrader's hook: the points that are taken off."""
        return min(1.0, self.share * ceil(total_seconds_late / DAY)) * score

"""The errors that end a command with exit code 1.

UserError             a problem that the user can fix; the message says how
├── SandboxUnavailable    this machine can't confine a learner's code
├── KeyMissing            the answer key is missing or damaged      (grader.comparison.answer_key)
├── LessonError           an author's mistake in a lesson              (grader.author.lesson)
├── JournalBusy           another run grades the lesson                (grader.instructor.journal)
├── TooLarge              an archive holds more than is read           (grader.instructor.unpack)
└── GradebookUnusable     the gradebook can't be read or written       (grader.instructor.gradebook)
"""

from __future__ import annotations

SOME_LEFT_OUT = 3
"""Exit code of a command that did its work for all but some students."""


class UserError(Exception):
    """A problem that the user can fix; the message says what happened, where, and what to do."""

    def _render_traceback_(self) -> list[str]:
        """Return the message for IPython to show instead of a traceback."""
        return [str(self)]


class SandboxUnavailable(UserError):
    """This machine can't confine a learner's code."""

"""Let an error that one submission causes cost only this submission."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from grader.comparison.present import one_line
from grader.errors import UserError
from grader.execution.notebook import UnreadableNotebook
from grader.instructor.copying import MACHINE_ERRORS
from grader.processes import OverBudget

MAX_REASON = 300  # characters of a reason


@contextmanager
def costs_only(student: str, errors: dict[str, str], what: str = "") -> Iterator[None]:
    """Note an error of this block in `errors`, as the reason why the student has no grade.

    The machine's errors (a full disk) and the gradebook's own (it is locked) end the run all the
    same, as every submission would meet them.
    """
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        if is_the_machines(error):
            raise
        errors[student] = what + reason(error)


def is_the_machines(error: Exception) -> bool:
    """Return whether every submission would meet this error."""
    from sqlalchemy.exc import OperationalError  # with nbgrader, which takes a second to import

    return isinstance(error, OperationalError) or getattr(error, "errno", None) in MACHINE_ERRORS


def reason(error: Exception) -> str:
    """Return an error as a clause for an instructor."""
    told = isinstance(error, (UnreadableNotebook, OverBudget))
    text = f"{error}" if told else f"{type(error).__name__}: {error}"
    return one_line(text[:MAX_REASON])

"""Open nbgrader's gradebook, and say in a sentence what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import nbgrader.api
from nbgrader.api import Assignment, Grade, Gradebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.dbutil import ALEMBIC_DIR
from sqlalchemy import Connection, Engine, create_engine, func, inspect, make_url, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from grader.errors import UserError
from grader.files import folder_lock
from grader.instructor.report import Standing

OLDER = "an older nbgrader made it; copy the file to a safe place, then run nbgrader db upgrade"
DAMAGED = "it is damaged; restore a copy, or rename it, and a new one is made"
ADVICE = {
    "locked": "another program is writing to it; wait until it has ended",
    "no such": OLDER,
    "not a database": DAMAGED,
    "malformed": DAMAGED,
}
"""Ways out, by a part of SQLite's message."""


def newest_schema() -> str | None:
    """Return the version of the tables that nbgrader makes."""
    from alembic.script import ScriptDirectory  # takes a while to import, once for a gradebook

    return ScriptDirectory(ALEMBIC_DIR).get_current_head()


# For each new gradebook nbgrader asks the program alembic, which takes seconds. If it ever asks in
# another way, tests/grader/instructor/test_nbgrader_files.py fails.
nbgrader.api.get_alembic_version = newest_schema


class GradebookUnusable(UserError):
    """The gradebook can't be read or written."""


def course_directory(root: Path) -> CourseDirectory:
    """Return nbgrader's view of the course at `root`: its folders and settings.

    Raises:
        UserError: the settings can't be read.
    """
    try:
        config: Config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
        return CourseDirectory(config=config)
    except OSError:
        raise
    except Exception as error:  # an instructor's file runs here
        why = f"{type(error).__name__}: {error}"
        raise UserError(f"nbgrader_config.py, or the one in class/, can't be read: {why}") from None


@contextmanager
def open_gradebook(coursedir: CourseDirectory) -> Iterator[Gradebook]:
    """Open nbgrader's gradebook, created where there is none.

    Raises:
        GradebookUnusable: it is locked, too old, damaged or read-only; inside the block as well.
    """
    with _explained(coursedir):
        # Of two processes that create the tables at once, both may fail.
        with folder_lock(database_of(coursedir).parent, timeout=60):
            gradebook = Gradebook(coursedir.db_url, coursedir.course_id)
        with gradebook:
            yield gradebook


def timestamps_in(coursedir: CourseDirectory, lesson: str) -> dict[str, datetime | None]:
    """Return the timestamps of a lesson's submissions in the gradebook; see `reading`."""
    columns = SubmittedAssignment.student_id, SubmittedAssignment.timestamp
    rows = select(*columns).join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
    with reading(coursedir) as connection:
        if connection is None:
            return {}
        found = connection.execute(rows.where(Assignment.name == lesson))
        return {row.student_id: row.timestamp for row in found}


def standing_of(coursedir: CourseDirectory, lesson: str, student: str) -> Standing | None:
    """Return a student's points in the gradebook, those given by hand included; see `reading`."""
    query = (
        select(func.sum(Grade.score), func.max(SubmittedNotebook.late_submission_penalty))
        .select_from(Grade)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .where(Assignment.name == lesson, SubmittedAssignment.student_id == student)
    )
    with reading(coursedir) as connection:
        earned, penalty = connection.execute(query).one() if connection else (None, None)
    return None if earned is None else Standing(earned, penalty or 0.0)


@contextmanager
def copy_for_dry_run(coursedir: CourseDirectory) -> Iterator[CourseDirectory]:
    """Give the course a copy of its gradebook, in which a dry run may write.

    Raises:
        GradebookUnusable: it can't be read, or is no file of SQLite's.
    """
    if not coursedir.db_url.startswith("sqlite"):
        raise GradebookUnusable("--dry-run copies a gradebook in SQLite; leave it out")
    with TemporaryDirectory() as folder:
        copy = CourseDirectory(config=coursedir.config)
        copy.db_url = f"sqlite:///{folder}/gradebook.db"
        with reading(coursedir) as connection:
            if connection is not None:
                connection.exec_driver_sql("VACUUM INTO ?", (f"{folder}/gradebook.db",))
        yield copy


@contextmanager
def reading(coursedir: CourseDirectory) -> Iterator[Connection | None]:
    """Open the gradebook for reading, without creating anything; None where there is none.

    Raises:
        GradebookUnusable: it can't be read; inside the block as well.
    """
    if coursedir.db_url.startswith("sqlite") and not database_of(coursedir).is_file():
        yield None
        return
    with _explained(coursedir), _engine(coursedir.db_url).connect() as connection:
        # A file in which nbgrader has not created its tables yet counts as none.
        made = inspect(connection).has_table(SubmittedAssignment.__tablename__)
        yield connection if made else None


@lru_cache(4)
def _engine(url: str) -> Engine:
    """Return what reads a gradebook: it keeps its compiled queries, and no connection."""
    return create_engine(url, poolclass=NullPool)


def database_of(coursedir: CourseDirectory) -> Path:
    """Return the gradebook's file."""
    return Path(make_url(coursedir.db_url).database or "the gradebook")


@contextmanager
def _explained(coursedir: CourseDirectory) -> Iterator[None]:
    """Turn a database error into a sentence."""
    try:
        yield
    except DatabaseError as error:
        message = f"{database_of(coursedir).name}: {error.orig}"
        advice = next((f": {way}" for part, way in ADVICE.items() if part in message), "")
        raise GradebookUnusable(message + advice) from error

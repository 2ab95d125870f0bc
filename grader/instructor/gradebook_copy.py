"""Copy the rows of some lessons from one gradebook to another: all tables of nbgrader, by keys."""

from __future__ import annotations

from pathlib import Path

from nbgrader.api import Assignment, Base
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import URL, Connection, create_engine, delete, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from grader.errors import UserError
from grader.instructor.gradebook import database_of, open_gradebook, reading

DATABASES = ("main", "archived")
"""SQLite's names of the course's gradebook and of the copy."""


def copy_lessons(coursedir: CourseDirectory, lessons: list[str], target: Path) -> bool:
    """Write a gradebook with all students and the rows of some lessons; return False without one.

    Raises:
        GradebookUnusable: it can't be read.
        UserError: it is not in SQLite.
    """
    if not coursedir.db_url.startswith("sqlite"):
        raise UserError("This needs a gradebook in SQLite, which it copies.")
    with reading(coursedir) as connection:
        if connection is None:
            return False
        connection.exec_driver_sql("VACUUM INTO ?", (str(target),))
    with writing(target) as connection, connection.begin():
        connection.execute(delete(Assignment).where(Assignment.name.not_in(lessons)))
        for table in Base.metadata.sorted_tables:  # a row's owners come before it
            for key in table.foreign_keys:
                owners = select(key.column)
                orphans = key.parent.is_not(None) & key.parent.not_in(owners)
                connection.execute(delete(table).where(orphans))
    compact(target)
    return True


def compact(file: Path) -> None:
    """Rewrite a database, so that nothing of deleted rows is left in the file."""
    with writing(file) as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM")


def writing(file: Path) -> Connection:
    """Return a connection to a database, to be closed by a with block."""
    url = URL.create("sqlite", database=str(file))
    return create_engine(url, poolclass=NullPool).connect()


def merge(coursedir: CourseDirectory, archived: Path, lessons: list[str], dry: bool) -> None:
    """Add the rows of a copy to the course's gradebook; rows that are there stay.

    With `dry`, only check that it can be done.

    Raises:
        UserError: the course's gradebook has one of the lessons from elsewhere, or another form, or
            the copy is none.
        GradebookUnusable: the course's gradebook can't be written.
    """
    _refuse_programs(archived)
    if not database_of(coursedir).exists():
        if not dry:
            archived.replace(database_of(coursedir))
        return
    with open_gradebook(coursedir):  # explains what is wrong with it
        pass
    with writing(database_of(coursedir)) as connection:
        connection.exec_driver_sql("ATTACH DATABASE ? AS archived", (str(archived),))
        version = "SELECT version_num FROM {}.alembic_version"
        forms = [connection.execute(text(version.format(one))).all() for one in DATABASES]
        if forms[0] != forms[1]:
            raise UserError("The two gradebooks are of different versions of nbgrader.")
        ids = "SELECT id, name FROM {}.assignment"
        mine, theirs = (
            {name: id for id, name in connection.execute(text(ids.format(one)))}
            for one in DATABASES
        )
        both = mine.keys() & theirs.keys() & {*lessons}
        if other := sorted(name for name in both if mine[name] != theirs[name]):
            raise UserError(
                f"The gradebook here has {other[0]} already, and not from this archive. "
                "Rename class/ to keep it, and restore again."
            )
        if dry:
            return
        for table in Base.metadata.sorted_tables:
            columns = ", ".join(column.name for column in table.columns)
            rows = f"SELECT {columns} FROM archived.{table.name}"
            connection.execute(text(f"INSERT OR IGNORE INTO main.{table.name} ({columns}) {rows}"))
        connection.commit()


def _refuse_programs(file: Path) -> None:
    """Raise UserError unless a file is a gradebook of tables alone: triggers run at each change."""
    try:
        with writing(file) as connection:
            kinds = {kind for (kind,) in connection.execute(text("SELECT type FROM sqlite_master"))}
            connection.execute(text("SELECT version_num FROM alembic_version"))
    except DatabaseError:
        kinds = {"nothing"}
    if kinds - {"table", "index"}:
        what = "is damaged, or holds more than tables"
        raise UserError(f"The archive's gradebook {what}. Nothing was changed.")

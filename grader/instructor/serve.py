"""`grader serve`: grade submissions on a class server as they come, and show each its results.

Each lesson has a `Desk` (`desk.py`), which works in rounds (`round.py`): receive new submissions
(`attempts.py`), grade them with the steps of `steps.py`, write those that count, show pages
(`attempt_page.py`), all by the rules of `policy.py`. Each step is in the journal, so after a kill
the next round does the missing ones.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from grader.author.lesson import authors_root, load_lesson, named_lessons
from grader.comparison.present import one_line
from grader.instructor.journal import JournalBusy
from grader.instructor.policy import read_policy
from grader.instructor.workers import Job, grade_batch, local_workers

if TYPE_CHECKING:  # nbgrader takes a second to import
    from grader.instructor.desk import Common

POLL = 0.5  # seconds between two looks into the exchange


def _now() -> datetime:
    """Return the time in UTC, without a zone as nbgrader has it."""
    return datetime.now(UTC).replace(tzinfo=None)


@contextmanager
def open_common(root: Path, workers: int) -> Iterator[Common]:
    """Open the exchange of a course for this process alone; workers start when they are needed.

    Raises:
        UserError: another process serves this course, or nbgrader's settings can't be read.
    """
    from grader.instructor.attempt_page import AttemptPages
    from grader.instructor.attempts import open_exchange, seeds
    from grader.instructor.desk import Common
    from grader.instructor.gradebook import course_directory

    coursedir = course_directory(root)
    with (
        open_exchange(root, coursedir) as exchange,
        local_workers(workers) as quick,
        local_workers(1) as slow,
        ThreadPoolExecutor(1) as thread,
    ):
        pages, width = AttemptPages(coursedir), 2 * workers
        try:
            yield Common(root, coursedir, exchange, pages, seeds(root), quick, width, slow, thread)
        finally:
            thread.shutdown(cancel_futures=True)  # the next start takes the rest


def serve(
    common: Common, names: Sequence[str], once: bool = False, now: Callable[[], datetime] = _now
) -> None:
    """Serve lessons until something ends it, or `once` until nothing is left to do.

    Raises:
        Changed: a lesson or a setting is out of date.
        UserError: a lesson can't be graded, class/serve.toml holds something that is no rule, or
            this machine can't confine learners' code.
    """
    from grader.instructor.desk import Desk
    from grader.instructor.gradebook import GradebookUnusable

    folders, root = named_lessons(common.root, [*names]), common.root
    desks = [Desk(common, load_lesson(one), read_policy(root, one.name)) for one in folders]
    idle = Job(folders[0], "", 0)
    for started in [
        common.workers(None).submit(grade_batch, idle, [], True) for _ in range(common.width)
    ]:
        started.result()  # with a sandbox, so that no student waits for that
    print(f"Serving {', '.join(names)}.", flush=True)
    told = ""
    while True:
        problem = ""
        for desk in desks:
            try:
                desk.round(now())
            except (JournalBusy, GradebookUnusable) as error:
                problem = f"{error}"
        if problem != told:
            print(one_line(f"Waiting: {problem}" if problem else "Resumed."), flush=True)
            told = problem
        at_once = any(desk.look_at and desk.look_at <= now() for desk in desks)
        if once and not at_once and not any(desk.slow for desk in desks):
            return
        if problem or not at_once:
            time.sleep(POLL)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `serve`."""
    parser = subparsers.add_parser(
        "serve",
        help="on a class server: grade submissions as they come, and show each student the results",
        epilog="class/serve.toml has the rules; docs/class-server.md, section 7, explains them.",
    )
    parser.add_argument("lessons", nargs="+", metavar="LESSON")
    cores = os.cpu_count() or 1
    parser.add_argument(
        "--workers", type=int, default=cores, help="processes (default: one per core)"
    )
    once = "end when nothing is left to do now"
    parser.add_argument("--once", action="store_true", help=once)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from grader.instructor.desk import Changed

    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        with open_common(authors_root(Path.cwd()), arguments.workers) as common:
            serve(common, arguments.lessons, arguments.once)
    except Changed:
        print("The lesson, the course, the grader or a setting has changed: starting again.")
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    return 0

"""The course comes in; the learner's own copy of it, `work/`, goes out and is never overwritten; JupyterLab opens it."""

from __future__ import annotations

import argparse
import contextlib
import errno
import hashlib
import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

COURSE, WORK = "course", "work"
ORDER = "order.txt"
"""In `course/`: names of lessons, one a line, in the order in which they are taught; lessons that it leaves out follow."""
EDITION = ".edition"
"""In a copied lesson: the digest of the lesson that it was copied from."""
COPYING = ".copying-"
"""How a folder's name begins while it is being copied."""


class WorkError(Exception):
    """Why there is no copy, in one sentence with the way out."""


def find_root(start: Path) -> Path:
    """The nearest folder upwards that holds `course/`.

    Raises:
        WorkError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / COURSE).is_dir():
            return folder
    raise WorkError(f"There is no {COURSE}/ in {start} or above it; go to the folder that you unpacked or cloned, and start again there.")


def lessons(root: Path) -> list[str]:
    """The lessons of the course in the order in which they are taught."""
    there = sorted(folder.name for folder in (root / COURSE).iterdir() if (folder / f"{folder.name}.ipynb").is_file())
    order = root / COURSE / ORDER
    first = order.read_text(encoding="utf-8").split() if order.is_file() else []
    return [name for name in first if name in there] + [name for name in there if name not in first]


def make_work(root: Path) -> list[str]:
    """Copy to `work/` what is not there yet; returns the sentences that a learner should read.

    Raises:
        WorkError: the copy can't be made.
    """
    course, work = root / COURSE, root / WORK
    with _writing(work):
        for page in course.iterdir():
            if page.is_file() and page.name != ORDER and not (work / page.name).exists():
                _copy_page(page, work)
        names = lessons(root)
        added = [name for name in names if not (work / name).exists()]
        for name in added:
            _copy_lesson(course / name, work).rename(work / name)
        newer = [name for name in names if _edition_copied(work / name) not in (None, edition(course / name))]
        return [f"New in {WORK}/: {', '.join(added)}."] * bool(added) + [_announcement(work, name) for name in newer]


def fresh(root: Path, lesson: str | None) -> str:
    """Put the course's edition of a lesson in `work/`, the learner's copy beside it; returns the sentence that says where.

    Raises:
        WorkError: the course has no such lesson, or the copy can't be made.
    """
    course, work = root / COURSE, root / WORK
    if lesson not in lessons(root):
        raise WorkError(f"{f'The course has no lesson {lesson}' if lesson else 'Say which lesson'}: it has {', '.join(lessons(root))}.")
    with _writing(work):
        copy = _copy_lesson(course / lesson, work)
        kept = _free_name(work, lesson)
        if old := (work / lesson).exists():
            (work / lesson).rename(kept)
        copy.rename(work / lesson)
    return f"{WORK}/{lesson} is fresh" + (f"; your copy is now {WORK}/{kept.name}." if old else ".")


def edition(lesson: Path) -> str:
    """Digest of a lesson's files, their names and what is in them."""
    digest = hashlib.sha256()
    for path in _files(lesson):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(lesson).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def first_page(root: Path) -> str:
    """What JupyterLab opens, as a path in `work/`: the welcome page where the course has one, else the first lesson."""
    if (root / WORK / "welcome.ipynb").is_file():
        return "welcome.ipynb"
    return next((f"{name}/{name}.ipynb" for name in lessons(root)), "")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands `lab` and `fresh`."""
    lab = subparsers.add_parser("lab", help="open JupyterLab at the welcome page, in your own copy of the course")
    lab.add_argument("options", nargs="*", help="given to JupyterLab, after --: grader lab -- --no-browser")
    lab.set_defaults(run=_run_lab)
    again = subparsers.add_parser("fresh", help="get a lesson anew; your copy stays beside it")
    again.add_argument("lesson", nargs="?")
    again.set_defaults(run=_run_fresh)


def _run_lab(arguments: argparse.Namespace) -> int:
    try:
        root = find_root(Path.cwd())
        for line in make_work(root):
            print(line)
    except WorkError as error:
        print(error, file=sys.stderr)
        return 1
    from jupyterlab.labapp import LabApp  # half a second that no other command needs

    # A kernel's commands (pip, nbgrader) are this environment's, also where nobody activated it.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    LabApp.launch_instance(
        [f"--ServerApp.root_dir={root / WORK}", f"--LabApp.default_url=/lab/tree/{quote(first_page(root))}", *arguments.options]
    )
    return 0


def _run_fresh(arguments: argparse.Namespace) -> int:
    try:
        print(fresh(find_root(Path.cwd()), arguments.lesson))
    except WorkError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _files(lesson: Path) -> list[Path]:
    """A lesson's files in a fixed order, without what Jupyter and Python leave behind."""
    relative = (path.relative_to(lesson) for path in lesson.rglob("*") if path.is_file())
    return [lesson / path for path in sorted(relative) if not any(part.startswith((".", "__pycache__")) for part in path.parts)]


def _copy_lesson(lesson: Path, work: Path) -> Path:
    """A whole copy under a name of its own, for the caller to rename; writable, whatever the original is."""
    copy = work / f"{COPYING}{lesson.name}-{os.getpid()}"
    for path in _files(lesson):
        target = copy / path.relative_to(lesson)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (copy / EDITION).write_text(edition(lesson) + "\n", encoding="utf-8")
    return copy


def _copy_page(page: Path, work: Path) -> None:
    half = work / f"{COPYING}{page.name}-{os.getpid()}"
    shutil.copyfile(page, half)
    half.rename(work / page.name)


def _edition_copied(copy: Path) -> str | None:
    """Of which edition a copy is; None where it doesn't say."""
    try:
        return (copy / EDITION).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None


def _announcement(work: Path, lesson: str) -> str:
    return (
        f"A newer edition of {lesson} is there; make fresh LESSON={lesson} (without make: grader fresh {lesson})"
        f" gives you it and keeps your copy as {WORK}/{_free_name(work, lesson).name}."
    )


def _free_name(work: Path, lesson: str) -> Path:
    return next(path for number in itertools.count(1) if not (path := work / f"{lesson}-{number}").exists())


@contextlib.contextmanager
def _writing(work: Path) -> Iterator[None]:
    """Make `work/`, clear away what an interrupted copy left, and turn what the system refuses into a sentence."""
    try:
        work.mkdir(exist_ok=True)
        for half in work.glob(f"{COPYING}*"):
            shutil.rmtree(half) if half.is_dir() else half.unlink()
        yield
    except OSError as error:
        raise WorkError(_why(error, work)) from error


def _why(error: OSError, work: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full; make room and start again. Nothing was half copied, and your own notebooks are untouched."
    if isinstance(error, FileExistsError | NotADirectoryError) and not work.is_dir():
        return f"{work} is a file, and your copy of the course belongs there; rename it and start again."
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return (
            f"{error.filename or work} can't be changed: if it is open in JupyterLab, shut that down;"
            " if the folder is not yours to write, move the course to one that is, and start again."
        )
    return f"Your copy of the course could not be made: {error.strerror} ({error.filename}). Start again once that is mended; your own notebooks are untouched."

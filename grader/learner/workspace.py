"""`grader lab`: make the learner's copy of the course, `work/`, and open JupyterLab there."""

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

from grader.errors import UserError
from grader.files import folder_lock

COURSE, WORK = "course", "work"
ORDER = "order.txt"
"""In `course/`: names of lessons, one a line, in the order in which they are taught; lessons that it leaves out follow."""
VERSION = ".version"
"""In a copied lesson: the digest of the lesson that it was copied from. A page's is beside it, with its name."""
COPYING = ".copying-"
"""How a folder's name begins while it is being copied."""
PATIENCE = 20.0
"""Seconds that another `lab` or `reset` in the same folder is waited for; copying takes less than one."""


class WorkspaceError(UserError):
    """Why there is no copy, in one sentence with the way out."""


def find_root(start: Path) -> Path:
    """The nearest folder upwards that holds `course/`.

    Raises:
        WorkspaceError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / COURSE).is_dir():
            return folder
    raise WorkspaceError(
        f"There is no {COURSE}/ in {start} or above it; go to the folder that you unpacked or cloned, and start again there."
    )


def lessons(root: Path) -> list[str]:
    """The lessons of the course in the order in which they are taught."""
    there = sorted(
        folder.name
        for folder in (root / COURSE).iterdir()
        if (folder / f"{folder.name}.ipynb").is_file()
    )
    order = root / COURSE / ORDER
    first = order.read_text(encoding="utf-8").split() if order.is_file() else []
    return [name for name in first if name in there] + [name for name in there if name not in first]


def pages(root: Path) -> dict[str, Path]:
    """The pages of the course that are no lessons, like welcome.ipynb, by what a learner calls them."""
    return {
        path.stem: path
        for path in sorted((root / COURSE).iterdir())
        if path.is_file() and path.name != ORDER
    }


def make_work(root: Path) -> list[str]:
    """Copy to `work/` what is not there yet; returns the sentences that a learner should read.

    Raises:
        WorkspaceError: the copy can't be made.
    """
    course, work = root / COURSE, root / WORK
    with _writing(work):
        for page in pages(root).values():
            if not (work / page.name).exists():
                _put_page(_copy_page(page, work), page, work)
        names = lessons(root)
        added = [name for name in names if not (work / name).exists()]
        for name in added:
            _copy_lesson(course / name, work).rename(work / name)
        said = [f"New in {WORK}/: {', '.join(added)}."] * bool(added)
        said += [
            _announcement(name, _free_name(work / name))
            for name in names
            if _is_older(work / name / VERSION, course / name)
        ]
        return said + [
            _announcement(name, _free_name(work / page.name))
            for name, page in pages(root).items()
            if _is_older(_version_of(work, page), page)
        ]


def reset(root: Path, lesson: str | None) -> str:
    """Put the course's version of a lesson, or of a page like welcome, in `work/`, the learner's copy beside it; returns the sentence that says where.

    Raises:
        WorkspaceError: the course has no such lesson, or the copy can't be made.
    """
    course, work = root / COURSE, root / WORK
    page = pages(root).get(lesson or "")
    if page is None and lesson not in lessons(root):
        there = ", ".join([*lessons(root), *pages(root)])
        raise WorkspaceError(
            f"{f'The course has no lesson {lesson}' if lesson else 'Say which lesson'}: it has {there}."
        )
    with _writing(work):
        original = page or course / str(lesson)
        copy = _copy_page(page, work) if page else _copy_lesson(original, work)
        place, kept = work / original.name, _free_name(work / original.name)
        if old := place.exists():
            place.rename(kept)
        if page:
            _put_page(copy, page, work)
        else:
            copy.rename(place)
    return f"{WORK}/{place.name} is new" + (
        f"; your copy is now {WORK}/{kept.name}." if old else "."
    )


def version(lesson: Path) -> str:
    """Digest of a lesson's files, their names and what is in them; or of a page."""
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
    """Add the commands `lab` and `reset`."""
    lab = subparsers.add_parser(
        "lab", help="open JupyterLab at the welcome page, in your own copy of the course"
    )
    lab.add_argument(
        "options", nargs="*", help="given to JupyterLab, after --: grader lab -- --no-browser"
    )
    lab.set_defaults(run=_run_lab)
    again = subparsers.add_parser("reset", help="get a fresh copy of a lesson; yours is kept")
    again.add_argument("lesson", nargs="?")
    again.set_defaults(run=_run_reset)


def _run_lab(arguments: argparse.Namespace) -> int:
    root = find_root(Path.cwd())
    for line in make_work(root):
        print(line)
    if _jupyter_refuses_root(arguments.options):
        raise WorkspaceError(
            "JupyterLab starts for root only if you allow it: make lab ARGS=--allow-root"
            " (without make: grader lab -- --allow-root)."
        )
    from jupyterlab.labapp import LabApp  # half a second that no other command needs

    # A kernel's commands (pip, nbgrader) are this environment's, also where nobody activated it.
    os.environ["PATH"] = os.pathsep.join(
        [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    )
    LabApp.launch_instance(
        [
            f"--ServerApp.root_dir={root / WORK}",
            f"--LabApp.default_url=/lab/tree/{quote(first_page(root))}",
            *arguments.options,
        ]
    )
    return 0


def _jupyter_refuses_root(options: list[str]) -> bool:
    """Return whether root runs this, and neither an option nor Jupyter's configuration allows it."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    if any("allow_root" in option.replace("-", "_") for option in options):
        return False
    from jupyter_server.serverapp import ServerApp
    from jupyterlab.labapp import LabApp

    for app in (ServerApp(), LabApp()):
        app.load_config_file()
        if app.config.ServerApp.get("allow_root", False):
            return False
    return True


def _run_reset(arguments: argparse.Namespace) -> int:
    print(reset(find_root(Path.cwd()), arguments.lesson))
    return 0


def _files(lesson: Path) -> list[Path]:
    """A lesson's files in a fixed order, without what Jupyter and Python leave behind; a page is one."""
    if lesson.is_file():
        return [lesson]
    relative = (path.relative_to(lesson) for path in lesson.rglob("*") if path.is_file())
    return [
        lesson / path
        for path in sorted(relative)
        if not any(part.startswith((".", "__pycache__")) for part in path.parts)
    ]


def _copy_lesson(lesson: Path, work: Path) -> Path:
    """A whole copy under a name of its own, for the caller to rename; writable, whatever the original is."""
    copy = work / f"{COPYING}{lesson.name}-{os.getpid()}"
    for path in _files(lesson):
        target = copy / path.relative_to(lesson)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (copy / VERSION).write_text(version(lesson) + "\n", encoding="utf-8")
    return copy


def _copy_page(page: Path, work: Path) -> Path:
    """Likewise of a page."""
    half = work / f"{COPYING}{page.name}-{os.getpid()}"
    shutil.copyfile(page, half)
    return half


def _put_page(copy: Path, page: Path, work: Path) -> None:
    """Put the copy of a page in its place, where none is; which edition it is first, so that a kill leaves no page without it."""
    _version_of(work, page).write_text(version(page) + "\n", encoding="utf-8")
    copy.rename(work / page.name)


def _version_of(work: Path, page: Path) -> Path:
    return work / f"{VERSION}-{page.stem}"


def _is_older(noted: Path, original: Path) -> bool:
    """Whether a copy is of another version than the course's; one that doesn't say is not."""
    try:
        return noted.read_text(encoding="utf-8").strip() != version(original)
    except (OSError, ValueError):
        return False


def _announcement(name: str, kept: Path) -> str:
    return (
        f"A newer version of {name} is there; make reset LESSON={name} (without make: grader reset {name})"
        f" gives you it and keeps your copy as {WORK}/{kept.name}."
    )


def _free_name(place: Path) -> Path:
    return next(
        path
        for number in itertools.count(1)
        if not (path := place.with_name(f"{place.stem}-{number}{place.suffix}")).exists()
    )


@contextlib.contextmanager
def _writing(work: Path) -> Iterator[None]:
    """Make `work/`, clear away what an interrupted copy left, and turn what the system refuses into a sentence."""
    try:
        work.mkdir(exist_ok=True)
        with folder_lock(work, PATIENCE):
            for half in work.glob(f"{COPYING}*"):
                shutil.rmtree(half) if half.is_dir() else half.unlink()
            yield
    except OSError as error:
        raise WorkspaceError(_why(error, work)) from error


def _why(error: OSError, work: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full; make room and start again. Nothing was half copied, and your own notebooks are untouched."
    if isinstance(error, FileExistsError | NotADirectoryError) and not work.is_dir():
        return f"{work} is a file, and your copy of the course belongs there; rename it and start again."
    if error.errno == errno.EROFS:
        return f"{work} can't be written, its disk is read-only; copy the course to a folder of yours and start again there."
    if isinstance(error, PermissionError):
        return (
            f"{error.filename or work} can't be changed: if it is open in JupyterLab, shut that down;"
            " if the folder is not yours to write, move the course to one that is, and start again."
        )
    return f"Your copy of the course could not be made: {error.strerror} ({error.filename}). Start again once that is mended; your own notebooks are untouched."

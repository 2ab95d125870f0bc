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

from grader.comparison.answer_key import KEY_FILE
from grader.errors import UserError
from grader.files import folder_lock

COURSE, WORK = "course", "work"
ORDER = "order.txt"
"""In `course/`: names of lessons in the order of teaching, one a line; others follow."""
VERSION = ".version"
"""In a copied lesson: digest of the original. That of a page is beside it: .version-welcome."""
COPYING = ".copying-"
"""Prefix of a copy that isn't complete yet."""
LOCK_TIMEOUT = 20.0
"""Seconds to wait for another `lab` or `reset`; copying takes less than one."""


class WorkspaceError(UserError):
    """The learner's folder work/ can't be made or changed."""


def find_root(start: Path) -> Path:
    """Return the nearest folder, from `start` upwards, that holds `course/`.

    Raises:
        WorkspaceError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / COURSE).is_dir():
            return folder
    raise WorkspaceError(
        f"There is no {COURSE}/ in {start} or above it; go to the folder that you unpacked or"
        " cloned, and start again there."
    )


def lessons(root: Path) -> list[str]:
    """Return the lessons of the course in the order of teaching."""
    there = sorted(
        folder.name
        for folder in (root / COURSE).iterdir()
        if (folder / f"{folder.name}.ipynb").is_file()
    )
    order = root / COURSE / ORDER
    first = order.read_text(encoding="utf-8").split() if order.is_file() else []
    return [name for name in first if name in there] + [name for name in there if name not in first]


def pages(root: Path) -> dict[str, Path]:
    """Return the course's other pages by name, like welcome for welcome.ipynb."""
    return {
        path.stem: path
        for path in sorted((root / COURSE).iterdir())
        if path.is_file() and path.name != ORDER
    }


def notebook_places(start: Path, wanted: str | None) -> list[Path]:
    """Return the path of the notebook that a learner means, or of every lesson's notebook.

    Args:
        start: the current folder.
        wanted: a notebook, a lesson's folder or name, or None for the lesson in `start`, if any.

    Raises:
        WorkspaceError: there is no such lesson.
    """
    path = start / wanted if wanted else start
    if path.is_file():
        return [path]
    if (path / KEY_FILE).is_file():
        return [path / f"{path.name}.ipynb"]
    root = find_root(start)
    names = lessons(root)
    if wanted and wanted not in names:
        raise WorkspaceError(
            f"There is no notebook or lesson {wanted}; the course has {', '.join(names)}."
        )
    return [root / WORK / name / f"{name}.ipynb" for name in ([wanted] if wanted else names)]


def make_work(root: Path) -> list[str]:
    """Copy missing lessons and pages to `work/`; return sentences for the learner.

    Raises:
        WorkspaceError: the copy can't be made.
    """
    course, work = root / COURSE, root / WORK
    with _writing(work):
        for page in pages(root).values():
            if not (work / page.name).exists():
                _put(_copy(page, work), page, work)
        added = [name for name in lessons(root) if not (work / name).exists()]
        for name in added:
            _put(_copy(course / name, work), course / name, work)
        originals = [*(course / name for name in lessons(root)), *pages(root).values()]
        return [f"New in {WORK}/: {', '.join(added)}."] * bool(added) + [
            f"A newer version of {original.stem} is there; make reset LESSON={original.stem}"
            f" (without make: grader reset {original.stem}) gives you it and keeps your copy as"
            f" {WORK}/{_free_name(work / original.name).name}."
            for original in originals
            if _is_outdated(original, work)
        ]


def reset(root: Path, lesson: str | None) -> str:
    """Put a fresh copy of a lesson or page in `work/`; return the sentence for the learner.

    The learner's copy is renamed.

    Raises:
        WorkspaceError: the course has no such lesson, or the copy can't be made.
    """
    work = root / WORK
    originals = {name: root / COURSE / name for name in lessons(root)} | pages(root)
    original = originals.get(lesson or "")
    if original is None:
        start = f"The course has no lesson {lesson}" if lesson else "Say which lesson"
        raise WorkspaceError(f"{start}: it has {', '.join(originals)}.")
    with _writing(work):
        copy = _copy(original, work)
        place, kept = work / original.name, _free_name(work / original.name)
        if old := place.exists():
            place.rename(kept)
        _put(copy, original, work)
    now = f"; your copy is now {WORK}/{kept.name}" if old else ""
    return f"{WORK}/{place.name} is new{now}."


def version(original: Path) -> str:
    """Return a digest of the names and contents of a lesson's files, or of a page."""
    digest = hashlib.sha256()
    for path in _files(original):
        name, content = path.relative_to(original).as_posix(), path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def first_page(root: Path) -> str:
    """Return the path in `work/` that JupyterLab opens: the welcome page, or the first lesson."""
    if (root / WORK / "welcome.ipynb").is_file():
        return "welcome.ipynb"
    return next((f"{name}/{name}.ipynb" for name in lessons(root)), "")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands `lab` and `reset`."""
    lab = subparsers.add_parser("lab", help="open JupyterLab in your own copy of the course")
    lab.add_argument(
        "options", nargs="*", help="JupyterLab's options, after --: grader lab -- --no-browser"
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

    # Kernels find this environment's commands (pip, nbgrader) though nobody activated it.
    bin_folder = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([bin_folder, os.environ.get("PATH", "")])
    LabApp.launch_instance(
        [
            f"--ServerApp.root_dir={root / WORK}",
            f"--LabApp.default_url=/lab/tree/{quote(first_page(root))}",
            *arguments.options,
        ]
    )
    return 0


def _jupyter_refuses_root(options: list[str]) -> bool:
    """Return whether root runs this, and neither options nor configuration allow it."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    if any("allow_root" in option.replace("-", "_") for option in options):
        return False
    from jupyterlab.labapp import LabApp

    app = LabApp()
    app.load_config_file()
    return not app.config.ServerApp.get("allow_root", False)


def _run_reset(arguments: argparse.Namespace) -> int:
    print(reset(find_root(Path.cwd()), arguments.lesson))
    return 0


def _files(original: Path) -> list[Path]:
    """Return a lesson's sorted files without Jupyter's and Python's caches; or a page."""
    if original.is_file():
        return [original]
    relative = (path.relative_to(original) for path in original.rglob("*") if path.is_file())
    return [
        original / path
        for path in sorted(relative)
        if not any(part.startswith((".", "__pycache__")) for part in path.parts)
    ]


def _copy(original: Path, work: Path) -> Path:
    """Copy a lesson or page under a temporary name in `work/`; copies are writable."""
    copy = work / f"{COPYING}{original.name}-{os.getpid()}"
    for path in _files(original):
        target = copy / path.relative_to(original)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    if copy.is_dir():
        (copy / VERSION).write_text(version(original) + "\n", encoding="utf-8")
    return copy


def _put(copy: Path, original: Path, work: Path) -> None:
    """Rename a complete copy; a page's version is written before, so that a kill can't lose it."""
    if copy.is_file():
        _version_file(original, work).write_text(version(original) + "\n", encoding="utf-8")
    copy.rename(work / original.name)


def _version_file(original: Path, work: Path) -> Path:
    if original.is_dir():
        return work / original.name / VERSION
    return work / f"{VERSION}-{original.stem}"


def _is_outdated(original: Path, work: Path) -> bool:
    """Return whether the copy's version is known and differs from the course's."""
    try:
        copied = _version_file(original, work).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return False
    return copied != version(original)


def _free_name(place: Path) -> Path:
    names = (place.with_name(f"{place.stem}-{n}{place.suffix}") for n in itertools.count(1))
    return next(path for path in names if not path.exists())


@contextlib.contextmanager
def _writing(work: Path) -> Iterator[None]:
    """Make and lock `work/`, remove incomplete copies, and explain an error of the system."""
    try:
        work.mkdir(exist_ok=True)
        with folder_lock(work, LOCK_TIMEOUT):
            for partial in work.glob(f"{COPYING}*"):
                shutil.rmtree(partial) if partial.is_dir() else partial.unlink()
            yield
    except OSError as error:
        raise WorkspaceError(_why(error, work)) from error


def _why(error: OSError, work: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full; free some space and start again. Your notebooks are untouched."
    if isinstance(error, FileExistsError | NotADirectoryError) and not work.is_dir():
        return f"{work} is a file, but your copy of the course goes there; rename it, start again."
    if isinstance(error, PermissionError):
        return (
            f"{error.filename or work} can't be changed: if it is open in JupyterLab, shut that"
            " down; if you may not write in that folder, move the course to one of yours."
        )
    return (
        f"Your copy of the course could not be made: {error.strerror} ({error.filename})."
        " Fix this and start again; your notebooks are untouched."
    )

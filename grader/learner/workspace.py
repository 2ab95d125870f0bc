"""`grader lab`: make the learner's copy of the course, `work/`, and open JupyterLab there."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from grader.comparison.answer_key import reset_command
from grader.errors import UserError
from grader.files import folder_lock
from grader.learner.notebook import has_key

COURSE, WORK = "course", "work"
ORDER = "order.txt"
"""In `course/`: names of lessons in the order of teaching, one a line; others follow."""
VERSION = ".version-"
"""Prefix of the file in `work/` with the digest of a copied lesson or page."""
COPYING = ".copying-"
"""Prefix of a copy that isn't complete yet."""
CONFIG = Path(__file__).parent / "jupyter"
"""Settings of a learner's JupyterLab: no buttons of nbgrader's, and no answer key in the list."""
FIRST_VIEW = {
    "data": {"layout-restorer:data": {"left": {"collapsed": True, "visible": True}}},
    "metadata": {"id": "default"},
}
"""What JupyterLab shows at first: the welcome page, which lists the lessons in their order, and no
file list, which sorts them by name."""
LOCK_TIMEOUT = 20.0
"""Seconds to wait for another `lab` or `reset`; copying takes less than one."""


def find_root(start: Path) -> Path:
    """Return the nearest folder, from `start` upwards, that holds `course/`.

    Raises:
        UserError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / COURSE).is_dir():
            return folder
    where = "go to the folder that you unpacked or cloned, and start again there"
    raise UserError(f"There is no {COURSE}/ in {start} or above it; {where}.")


def lessons(root: Path) -> list[str]:
    """Return the lessons of the course in the order of teaching."""
    course = root / COURSE
    notebooks = sorted(course.glob("*/*.ipynb"))
    there = [path.stem for path in notebooks if path.stem == path.parent.name]
    order = course / ORDER
    first = order.read_text(encoding="utf-8", errors="replace").split() if order.is_file() else []
    return [name for name in first if name in there] + [name for name in there if name not in first]


def originals(root: Path) -> dict[str, Path]:
    """Return the course's lessons by name, then its other pages, like welcome for welcome.ipynb."""
    course = root / COURSE
    files = (path for path in sorted(course.iterdir()) if path.is_file() and path.name != ORDER)
    pages = (path for path in files if not path.name.startswith("."))  # a Mac adds .DS_Store
    return {name: course / name for name in lessons(root)} | {path.stem: path for path in pages}


def notebook_places(start: Path, wanted: str | None) -> list[Path]:
    """Return the path of the notebook that a learner means, or of every lesson's notebook.

    `wanted` is a notebook, a lesson's folder or name, or None for the lesson in `start`, if any.

    Raises:
        UserError: there is no such lesson.
    """
    path = start / wanted if wanted else start
    if path.is_file():
        return [path]
    if has_key(path):
        return [path / f"{path.name}.ipynb"]
    root = find_root(start)
    names = lessons(root)
    if wanted and wanted not in names:
        there = ", ".join(names)
        raise UserError(f"There is no notebook or lesson {wanted}; the course has {there}.")
    return [root / WORK / name / f"{name}.ipynb" for name in ([wanted] if wanted else names)]


def make_work(root: Path) -> list[str]:
    """Copy missing lessons and pages to `work/`; return sentences for the learner."""
    work, there = root / WORK, originals(root)
    with _writing(work):
        added = [name for name, original in there.items() if not (work / original.name).exists()]
        for name in added:
            _install(there[name], work)
    return [f"New in {WORK}/: {', '.join(added)}."] * bool(added) + [
        f"A newer version of {name} is there; {reset_command(name)} gives you it and keeps your"
        " copy."
        for name, original in there.items()
        if _is_outdated(original, work)
    ]


def reset(root: Path, lesson: str | None) -> str:
    """Put a fresh copy of a lesson or page in `work/`, rename the old; return a sentence on both.

    Raises:
        UserError: the course has no such lesson.
    """
    there, work = originals(root), root / WORK
    if lesson not in there:
        start = (
            f"The course has no lesson {lesson}: it" if lesson else "Say which lesson: the course"
        )
        raise UserError(f"{start} has {', '.join(there)}.")
    with _writing(work):
        kept = _install(there[lesson], work)
    now = f"; your copy is now {WORK}/{kept.name}" if kept else ""
    return f"{WORK}/{there[lesson].name} is new{now}."


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
    options = "JupyterLab's options, after --: grader lab -- --no-browser"
    lab.add_argument("options", nargs="*", help=options)
    lab.set_defaults(run=_run_lab)
    again = subparsers.add_parser("reset", help="get a fresh copy of a lesson; yours is kept")
    again.add_argument("lesson", nargs="?")
    again.set_defaults(run=_run_reset)


def _run_lab(arguments: argparse.Namespace) -> int:
    root = find_root(Path.cwd())
    for line in make_work(root):
        print(line)
    if _jupyter_refuses_root(arguments.options):
        how = "make lab ARGS=--allow-root (without make: grader lab -- --allow-root)"
        raise UserError(f"JupyterLab starts for root only if you allow it: {how}.")
    from jupyterlab.labapp import LabApp  # half a second that no other command needs

    # Kernels find this environment's commands (pip, nbgrader) though nobody activated it.
    bin_folder = str(Path(sys.executable).parent)
    _prepend("PATH", bin_folder)
    _prepend("JUPYTER_CONFIG_PATH", str(CONFIG))
    folder = f"--ServerApp.root_dir={root / WORK}"
    page = f"--LabApp.default_url=/lab/tree/{quote(first_page(root))}"
    view = f"--LabApp.workspaces_dir={_view_folder(root / WORK)}"
    LabApp.launch_instance([folder, page, view, *arguments.options])
    return 0


def _view_folder(work: Path) -> Path:
    """Return the folder where JupyterLab keeps its view of `work/`; a new one has the first."""
    from jupyterlab_server.workspaces_handler import WorkspacesManager

    folder = work / ".jupyterlab"
    if not folder.exists():
        WorkspacesManager(str(folder)).save("default", json.dumps(FIRST_VIEW))
    return folder


def _prepend(variable: str, path: str) -> None:
    os.environ[variable] = os.pathsep.join(filter(None, [path, os.environ.get(variable)]))


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


def _install(original: Path, work: Path) -> Path | None:
    """Copy a lesson or page to `work/`; return the new name of an older copy.

    The names change only once the copy is complete, and the version is written while there is no
    copy under the name: a kill at any point loses nothing. Copies are writable.
    """
    place, partial = work / original.name, work / f"{COPYING}{original.name}-{os.getpid()}"
    for path in _files(original):
        target = partial / path.relative_to(original)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        if path.suffix == ".ipynb":
            _name_this_python(target)
    kept = None
    if place.exists():
        names = (place.with_name(f"{place.stem}-{n}{place.suffix}") for n in itertools.count(1))
        kept = place.rename(next(path for path in names if not path.exists()))
    _version_file(original, work).write_text(version(original), encoding="utf-8")
    partial.rename(place)
    return kept


def _name_this_python(notebook: Path) -> None:
    """Name this Python in a notebook, as JupyterLab does at first sight: a change to be saved."""
    from ipykernel.ipkernel import IPythonKernel

    with contextlib.suppress(ValueError, KeyError, TypeError):
        content = json.loads(notebook.read_text(encoding="utf-8"))
        content["metadata"]["language_info"] = IPythonKernel.language_info
        text = json.dumps(content, indent=1, ensure_ascii=False)
        notebook.write_text(f"{text}\n", encoding="utf-8")


def _version_file(original: Path, work: Path) -> Path:
    return work / f"{VERSION}{original.stem}"


def _is_outdated(original: Path, work: Path) -> bool:
    """Return whether the copy's version is known and differs from the course's."""
    file = _version_file(original, work)
    return file.is_file() and file.read_bytes() != version(original).encode()


@contextlib.contextmanager
def _writing(work: Path) -> Iterator[None]:
    """Make and lock `work/`, and remove incomplete copies."""
    work.mkdir(exist_ok=True)
    with folder_lock(work, LOCK_TIMEOUT):
        for partial in work.glob(f"{COPYING}*"):
            shutil.rmtree(partial) if partial.is_dir() else partial.unlink()
        yield

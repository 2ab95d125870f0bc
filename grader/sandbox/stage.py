"""Make the folder of modules that a sandbox gets, and remove those that a kill left behind."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from grader.errors import UserError
from grader.sandbox.scratch import remove
from grader.settings import Settings

GRADER = Path(__file__).parents[1]
INSIDE = (
    *("comparison/codec", "comparison/observe", "comparison/schema"),
    *("execution/limits", "execution/runner"),
    *("sandbox/linux", "sandbox/scratch", "sandbox/server"),
)
"""The modules of the grader that the fork server imports; `stub` answers for all others."""

PREFIX = "grader-stage-"


@dataclass(frozen=True)
class Stage:
    """A folder of packages, and the descriptor of a shared lock on it."""

    folder: Path
    packages: tuple[str, ...]
    """Names of all packages; the sandbox hides installed copies of them."""
    lock: int

    def close(self) -> None:
        """Remove the folder and release the lock."""
        remove(str(self.folder))
        os.close(self.lock)


def make_stage(settings: Settings | None) -> Stage:
    """Return a stage with the grader's modules for the sandbox and the course's packages.

    Raises:
        UserError: the settings name a package or a module that does not exist.
    """
    import fcntl  # here, because learners on Windows import this module

    _remove_stale()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    packages = settings.packages if settings else ()
    stage = Stage(folder, ("grader", *packages), os.open(folder, os.O_RDONLY))
    try:
        fcntl.flock(stage.lock, fcntl.LOCK_SH)
        _copy(GRADER / "sandbox" / "stub", folder / "grader")
        for name in INSIDE:
            target = folder / "grader" / f"{name}.py"
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(GRADER / f"{name}.py", target)
        if settings:
            _copy_packages(settings, folder)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    except BaseException:
        stage.close()
        raise
    return stage


def _copy_packages(settings: Settings, folder: Path) -> None:
    """Copy the course's packages without their hidden modules."""
    wrong = f"{settings.root / 'pyproject.toml'}: [tool.grader] names"
    for package in settings.packages:
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise UserError(f"{wrong} a package {package} that can't be imported. Install it.")
        _copy(Path(spec.submodule_search_locations[0]), folder / package)
    for module in settings.hidden:
        path = folder / f"{module.replace('.', '/')}.py"
        if not path.is_file():
            raise UserError(f"{wrong} a hidden module {module} that does not exist. Correct it.")
        path.unlink()


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))


def _remove_stale() -> None:
    """Remove stages without a lock; not new ones, whose lock may be still to come."""
    import fcntl

    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # a link, another user's, or removed by another grader
            continue
        found = os.fstat(lock)
        try:
            if found.st_uid == os.geteuid() and abs(time.time() - found.st_mtime) >= 60:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(str(folder))
        except BlockingIOError:
            pass
        finally:
            os.close(lock)

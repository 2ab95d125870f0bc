"""Make the folder of modules that a sandbox gets."""

from __future__ import annotations

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from grader.errors import UserError
from grader.sandbox.scratch import remove
from grader.settings import Settings

GRADER = Path(__file__).parents[1]
INSIDE = (
    *("comparison/codec", "comparison/observe", "comparison/schema"),
    *("execution/cell_facts", "execution/limits", "execution/runner"),
    *("sandbox/linux", "sandbox/scratch", "sandbox/server"),
)
"""The modules of the grader that the fork server imports; `stub` answers for all others."""


def make_stage(settings: Settings | None) -> Path:
    """Return a new folder with the grader's modules for the sandbox and the course's packages.

    Raises:
        UserError: the settings name a package or a module that does not exist.
    """
    folder = Path(tempfile.mkdtemp(prefix="grader-sandbox-"))
    try:
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
        remove(str(folder))
        raise
    return folder


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

"""Start the fork server in the best protection of this machine, or refuse where there is none."""

from __future__ import annotations

import enum
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from pathlib import Path

from grader.execution.limits import Limits
from grader.processes import ONE_THREAD
from grader.sandbox.linux import Confinement, known_machine, landlock_version

SYSTEM = (
    *("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/etc/ld.so.cache"),
    *("/usr/share/zoneinfo", "/etc/fonts", "/usr/share/fonts"),
)
DEVICES = ("/dev/null", "/dev/urandom", "/dev/zero")
STAGE, SCRATCH = "/course", "/scratch"
"""Places of the modules and of a child's files under bubblewrap; /tmp could be Python's own."""

NAMESPACES = (
    *("--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534"),
    *("--cap-add", "CAP_SYS_ADMIN", "--die-with-parent", "--new-session"),
)
"""CAP_SYS_ADMIN counts only inside. The server needs it for namespaces; no child keeps it."""


class Protection(enum.Enum):
    """The means that confine a learner's code."""

    NAMESPACES = "bubblewrap, namespaces and seccomp"
    LANDLOCK = "Landlock and seccomp"
    NONE = "nothing"


@cache
def protection() -> Protection:
    """Return the best protection of this machine, found by trying."""
    if not sys.platform.startswith("linux") or not known_machine():
        return Protection.NONE
    if (bwrap := shutil.which("bwrap")) and _namespaces_work(bwrap):
        return Protection.NAMESPACES
    return Protection.LANDLOCK if landlock_version() >= 1 else Protection.NONE


def command(
    kind: Protection, stage: Path, packages: Sequence[str], limits: Limits
) -> tuple[list[str], dict[str, str]]:
    """Return the fork server's command line and its whole environment.

    The stage has the packages; the sandbox hides installed copies of them and of the grader.
    """
    namespaces = kind is Protection.NAMESPACES
    place = STAGE if namespaces else str(stage)
    scratch = SCRATCH if namespaces else tempfile.mkdtemp(prefix="scratch-", dir=stage)
    confinement = Confinement(
        scratch=scratch,
        namespaces=namespaces,
        readable=(place, *_python_folders(), *SYSTEM, *DEVICES),
        hidden=_installed(("grader", *packages)),
        limits=limits,
    )
    script = (
        f"import sys; sys.path[:0] = {[place, *_site_packages()]!r}\n"
        "from grader.execution.limits import Limits\n"
        "from grader.sandbox.linux import Confinement\n"
        "from grader.sandbox.server import Server\n"
        f"Server({confinement!r}, packages={packages!r}).serve()"
    )
    python = [sys.executable, "-P", "-s", "-S", "-X", "utf8", "-c", script]
    environment = {
        **{"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": scratch},
        **{"MPLBACKEND": "agg", "MPLCONFIGDIR": scratch},
        **ONE_THREAD,
        "PYTHONHASHSEED": "0",  # the order of a set of strings is the same in every run
    }
    if not namespaces:
        return python, environment
    variables = [word for item in environment.items() for word in ("--setenv", *item)]
    return [*_bwrap(stage, confinement.hidden), *variables, "--", *python], environment


def _bwrap(stage: Path, hidden: Iterable[str]) -> list[str]:
    """Return the words that start bubblewrap, up to the environment and the program."""
    folders = [*_python_folders(), *SYSTEM]
    copies = ((str(stage / path.name), str(path)) for path in _aliases(hidden, folders))
    return [
        *(str(shutil.which("bwrap")), *NAMESPACES, "--clearenv"),
        *_binds("--ro-bind-try", folders),
        *(word for copy in copies for word in ("--ro-bind", *copy)),
        *("--size", "33554432", "--tmpfs", SCRATCH, "--dir", "/tmp", "--dir", "/dev"),
        *_binds("--dev-bind-try", DEVICES),
        *("--ro-bind", str(stage), STAGE, "--remount-ro", "/", "--chdir", "/"),
    ]


def _binds(option: str, paths: Iterable[str]) -> list[str]:
    return [word for path in paths for word in (option, path, path)]


def _installed(packages: Iterable[str]) -> tuple[str, ...]:
    """Return installed copies of the packages in readable folders: they may hold answers."""
    folders, between = (*_python_folders(), *SYSTEM), ("", "*-packages/", "python3*/*-packages/")
    found = {
        str(path.resolve())
        for folder, middle, package in product(folders, between, packages)
        for path in Path(folder).glob(middle + package)
        if path.is_dir()
    }
    return tuple(sorted(found))


def _aliases(paths: Iterable[str], folders: Iterable[str]) -> list[Path]:
    """Return every name of the paths below the folders, which may be links to each other."""
    return [
        Path(folder, Path(path).relative_to(real))
        for folder, path in product(folders, paths)
        if Path(path).is_relative_to(real := Path(folder).resolve())
    ]


def _namespaces_work(bwrap: str) -> bool:
    attempt = "import ctypes; raise SystemExit(ctypes.CDLL(None).unshare(0x28020000) != 0)"
    binds = _binds("--ro-bind-try", [*_python_folders(), *SYSTEM])
    python = [sys.executable, "-I", "-S", "-c", attempt]
    words = [bwrap, *NAMESPACES, *binds, "--dir", "/tmp", "--", *python]
    try:
        return subprocess.run(words, capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _python_folders() -> list[str]:
    """Return the interpreter, its library and the packages; not an editable install's folder."""
    executable = Path(sys.executable)
    found = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), *_site_packages()]
    found += [str(executable), str(executable.resolve())]
    others = Path(sys.base_prefix) / "lib", Path(sys.prefix) / "pyvenv.cfg"
    found += [str(path) for path in others if path.exists() and str(path) not in SYSTEM]
    while executable.is_symlink():
        executable = executable.parent / os.readlink(executable)
        found.append(str(executable))
    return list(dict.fromkeys(found))


def _site_packages() -> list[str]:
    """Return the folders that packages are imported from, a user's own included."""
    here = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    paths = (*here, sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    return [path for path in dict.fromkeys(paths) if Path(path).is_dir()]

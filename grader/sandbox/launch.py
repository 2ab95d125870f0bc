"""Start the fork server in the best protection of this machine, or say why there is none."""

from __future__ import annotations

import ctypes
import enum
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import asdict
from functools import cache
from pathlib import Path

from grader.errors import SandboxUnavailable
from grader.execution.limits import Limits
from grader.sandbox.linux import known_machine
from grader.sandbox.scratch import remove

try:
    import fcntl
except ImportError:  # Windows, where nothing is confined and learners use the other commands
    fcntl = None  # type: ignore[assignment]

PACKAGE = Path(__file__).parents[1]
INSIDE = {
    "": ("__init__", "files"),
    "comparison": (
        "__init__",
        "answer_key",
        "codec",
        "compare",
        "distribution",
        "judge",
        "observe",
        "present",
        "schema",
        "vocabulary",
    ),
    "execution": ("__init__", "cell_facts", "notebook", "runner", "submission"),
    "sandbox": ("__init__", "linux", "scratch", "server"),
    "learner": ("__init__", "check", "earlier", "notebook", "progress", "questions"),
}
"""Modules of the grader that the sandbox has: what setup cells import, and the runner. None holds an answer."""

OURS, NEVER_INSIDE = ("grader", "playground"), ("finished.py",)
"""Packages of which the sandbox has only what the stage holds, also where they are installed among others; and what it never has of them."""
SYSTEM = (
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/usr/share/zoneinfo",
    "/etc/fonts",
    "/usr/share/fonts",
)
STAGE_PREFIX = "grader-stage-"
STAGE, SCRATCH = "/course", "/scratch"
"""Where the sandbox has the grader's and the playground's modules, and where each child may write. Not /tmp: Python itself may lie there."""


class Protection(enum.Enum):
    """What stands between a learner's code and this machine."""

    NAMESPACES = "bubblewrap, namespaces and seccomp"
    LANDLOCK = "Landlock and seccomp"
    NONE = "nothing"


@cache
def protection() -> Protection:
    """The best protection that this machine gives, found by trying."""
    if not known_machine() or not sys.platform.startswith("linux"):
        return Protection.NONE
    if (bwrap := shutil.which("bwrap")) and _namespaces_work(bwrap):
        return Protection.NAMESPACES
    has_landlock = ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint32(1)) >= 1
    return Protection.LANDLOCK if has_landlock else Protection.NONE


def refusal() -> SandboxUnavailable:
    """Why nothing is run, and the way out."""
    return SandboxUnavailable(
        "This machine can't confine learners' code: bubblewrap is missing or may not make namespaces, and there is no Landlock."
        " Install bubblewrap, grade in a container or a virtual machine that allows it, or give --unsafe for notebooks that you would run yourself."
    )


def make_stage() -> tuple[Path, int]:
    """A folder with the modules that the sandbox has, and no other; and the lock that says it is in use, to be closed."""
    _remove_what_a_kill_left()
    stage = Path(tempfile.mkdtemp(prefix=STAGE_PREFIX))
    lock = os.open(stage, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_SH)
    for room, names in INSIDE.items():
        (stage / "grader" / room).mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copyfile(PACKAGE / room / f"{name}.py", stage / "grader" / room / f"{name}.py")
    (stage / "playground").mkdir()
    if (playground := PACKAGE.parent / "playground").is_dir():
        shutil.copytree(
            playground,
            stage / "playground",
            ignore=shutil.ignore_patterns("__pycache__", *NEVER_INSIDE),
            dirs_exist_ok=True,
        )
    for path in (stage, *stage.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return stage, lock


def _remove_what_a_kill_left() -> None:
    """A stage that nobody holds a lock on; the minute is for one that has just been made; a clock may have been set back."""
    for stage in Path(tempfile.gettempdir()).glob(f"{STAGE_PREFIX}*"):
        try:
            if (
                stage.is_symlink()
                or stage.stat().st_uid != os.geteuid()
                or abs(time.time() - stage.stat().st_mtime) < 60
            ):
                continue
            lock = os.open(stage, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # another grader was faster
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(str(stage))
        except BlockingIOError:
            pass
        finally:
            os.close(lock)


def command(kind: Protection, stage: Path, limits: Limits) -> tuple[list[str], dict[str, str]]:
    """What starts the fork server: words, and its environment, with nothing of ours in it."""
    namespaces = kind is Protection.NAMESPACES
    where = STAGE if namespaces else str(stage)
    scratch = SCRATCH if namespaces else tempfile.mkdtemp(prefix="scratch-", dir=stage)
    readable = [where, *_python_folders(), *SYSTEM, "/dev/null", "/dev/urandom", "/dev/zero"]
    settings = json.dumps(
        {
            "scratch": scratch,
            "namespaces": namespaces,
            "readable": readable,
            "hidden": _installed(),
            "limits": asdict(limits),
        }
    )
    start = f"import sys; sys.path[:0] = {[where, *_site_packages()]!r}; sys.argv = ['server', {settings!r}]; from grader.sandbox.server import main; main()"
    python = [sys.executable, "-P", "-s", "-S", "-X", "utf8", "-c", start]
    environment = {
        "PATH": "/usr/bin",
        "LANG": "C.UTF-8",
        "HOME": scratch,
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": scratch,
    }
    environment["PYTHONHASHSEED"] = "0"  # sets of texts have the same order in every run
    environment |= dict.fromkeys(
        ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"
    )
    return [*_bwrap(stage, environment), *python] if namespaces else python, environment


def _bwrap(stage: Path, environment: dict[str, str]) -> list[str]:
    folders = [*_python_folders(), *SYSTEM]
    binds = [word for path in folders for word in ("--ro-bind-try", path, path)]
    binds += [
        word
        for path in _seen_as(folders, _installed())
        for word in ("--ro-bind", str(stage / path.name), str(path))
    ]
    devices = [
        word
        for name in ("null", "zero", "urandom")
        for word in ("--dev-bind-try", f"/dev/{name}", f"/dev/{name}")
    ]
    names = [word for name, value in environment.items() for word in ("--setenv", name, value)]
    return [
        str(shutil.which("bwrap")), *_namespace_words(), "--clearenv", *names, *binds, "--size", "33554432", "--tmpfs", SCRATCH, "--dir", "/tmp", "--dir", "/dev", *devices,
        "--ro-bind", str(stage), STAGE, "--remount-ro", "/", "--chdir", "/", "--",
    ]  # fmt: skip


def _installed() -> list[str]:
    """Copies of our packages in folders that the sandbox has: an installed playground holds finished functions."""
    folders, among = (*_python_folders(), *SYSTEM), ("", "*-packages/", "python3*/*-packages/")
    found = [
        place
        for folder in folders
        for between in among
        for name in OURS
        for place in Path(folder).glob(between + name)
        if place.is_dir()
    ]
    return sorted({str(place.resolve()) for place in found})


def _seen_as(folders: list[str], hidden: list[str]) -> list[Path]:
    """Where the hidden folders are in the sandbox: one may be bound under several names."""
    resolved = [(Path(folder), Path(folder).resolve()) for folder in folders]
    return [
        folder / Path(path).relative_to(real)
        for folder, real in resolved
        for path in hidden
        if Path(path).is_relative_to(real)
    ]


def _namespace_words() -> list[str]:
    """CAP_SYS_ADMIN counts only inside: the server needs it to give each child namespaces of its own, and no child keeps it."""
    return [
        "--unshare-all",
        "--unshare-user",
        "--uid",
        "65534",
        "--gid",
        "65534",
        "--cap-add",
        "CAP_SYS_ADMIN",
        "--die-with-parent",
        "--new-session",
    ]


def _namespaces_work(bwrap: str) -> bool:
    try_it = "import ctypes; raise SystemExit(ctypes.CDLL(None).unshare(0x28020000) != 0)"
    binds = [
        word for path in (*_python_folders(), *SYSTEM) for word in ("--ro-bind-try", path, path)
    ]
    words = [
        bwrap,
        *_namespace_words(),
        *binds,
        "--dir",
        "/tmp",
        "--",
        sys.executable,
        "-I",
        "-S",
        "-c",
        try_it,
    ]
    try:
        return subprocess.run(words, capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _python_folders() -> list[str]:
    """Python itself, its standard library and the packages; not the folder of an editable install."""
    executable = Path(sys.executable)
    folders = [
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("platstdlib"),
        *_site_packages(),
        str(executable),
        str(Path(sys.executable).resolve()),
    ]
    library = Path(sys.base_prefix) / "lib"
    folders += (
        [str(library)] if library.is_dir() and str(library) not in ("/usr/lib", "/lib") else []
    )
    folders += [
        str(path)
        for path in (Path(sys.prefix) / "pyvenv.cfg", *_links(executable))
        if path.exists()
    ]
    return list(dict.fromkeys(folders))


def _links(executable: Path) -> list[Path]:
    """The links between the interpreter's name and the interpreter."""
    found = []
    while executable.is_symlink():
        executable = executable.parent / os.readlink(executable)
        found.append(executable)
    return found


def _site_packages() -> list[str]:
    """Where packages are imported from here; a user's own included."""
    here = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    return [
        path
        for path in dict.fromkeys(
            [*here, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
        )
        if Path(path).is_dir()
    ]

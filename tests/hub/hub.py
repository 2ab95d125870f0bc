"""Run the server that docs/class-server.md describes, with test accounts and folders."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from lab import free_port

from course import ROOT

RECIPE = "docs/class-server.md"


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


ENVIRONMENT = (
    ROOT / "build" / "hub-env"
    if _open_to_all(ROOT / "build")
    else Path(tempfile.gettempdir()) / f"hub-env-{os.getuid()}"
)
"""Folder of the shared environment; every account must reach it, so it is in no closed home."""

SUDO = [] if os.geteuid() == 0 else ["sudo", "-n"]
PEOPLE = ("teacher", "ada", "bob")


def require_root() -> None:
    """Skip the test where accounts can't be made, which needs root, and fail in CI."""
    if subprocess.run([*SUDO, "true"], capture_output=True, check=False).returncode:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "A class server needs accounts, and only root makes them: run this as root, or where "
            "sudo asks for no password."
        )


class ClassServer:
    """A running class server; `close` removes everything but the environment, which is kept."""

    def __init__(self) -> None:
        _remove_what_a_kill_left()
        self.base = Path(tempfile.mkdtemp(prefix=f"class-server-{os.getpid()}-"))
        self.base.chmod(0o755)
        self.names = {name: f"nnb{os.getpid()}-{name}" for name in PEOPLE}
        self.password, self.port = secrets.token_hex(8), free_port()
        self.dask_port = free_port()
        self.repository = self.base / "repository"
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.base / "hub.log"
        try:
            self._set_up()
            self._start()
        except BaseException:
            self.close()
            raise

    def url(self, path: str) -> str:
        """Return the address of a page of the hub."""
        return f"http://127.0.0.1:{self.port}/{path}"

    def home(self, person: str) -> Path:
        """Return a person's home folder."""
        return self.base / "home" / self.names[person]

    def run(self, script: str, person: str | None = None, fails: bool = False) -> str:
        """Run a script as root, or as a person in their home, and return its output."""
        done = subprocess.run(
            self._command(script, person),
            cwd=self.repository,
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )
        assert (done.returncode != 0) == fails, (
            f"{script}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        )
        return done.stdout + done.stderr

    def start(self, script: str, person: str, log: Path) -> subprocess.Popen[bytes]:
        """Start a script as a person, with a log of what it prints; `close` ends it."""
        with log.open("ab") as file:
            return subprocess.Popen(self._command(script, person), stdout=file, stderr=file)

    def _command(self, script: str, person: str | None) -> list[str]:
        command = ["sh", "-euc", script]
        if person:
            name, home = self.names[person], str(self.home(person))
            path = f"{ENVIRONMENT}/bin:/usr/local/bin:/usr/bin:/bin"
            command = [
                "runuser",
                "-u",
                name,
                "--",
                "env",
                "-i",
                f"--chdir={home}",
                f"HOME={home}",
                f"USER={name}",
                f"PATH={path}",
                "LANG=C.UTF-8",
                *command,
            ]
        return [*SUDO, *command]

    def block(self, name: str) -> str:
        """Return the recipe's commands of a name, with this server's folders, accounts and port."""
        found = re.search(
            rf"```sh {name}\n(.*?)```",
            (self.repository / RECIPE).read_text(encoding="utf-8"),
            re.DOTALL,
        )
        assert found, f"{RECIPE} has no commands named {name}."
        return found[1]

    def close(self) -> None:
        """Stop the hub and everybody's servers; remove accounts, group and folders."""
        if self.process is not None:
            _end(self.process)
        _remove_accounts(f"nnb{os.getpid()}-")
        subprocess.run([*SUDO, "rm", "-rf", str(self.base)], check=False)

    def _set_up(self) -> None:
        _copy_of_the_repository(self.repository, self._here)
        _environment(self.block("environment"), self.repository)
        self.repository.chmod(0o700)  # root's copy, which holds the solutions
        self.run(f"mkdir {self.base}/home")
        self.run(self.block("settings"))
        self.run(self.block("people"))
        self.run(
            "chpasswd <<END\n"
            + "".join(f"{name}:{self.password}\n" for name in self.names.values())
            + "END"
        )
        course, name = self.home("teacher") / "neural-network-basics", self.names["teacher"]
        self.run(f"cp -r {self.repository} {course}; chown -R {name}: {course}")
        self.run(self.block("teacher"), "teacher")

    def _here(self, text: str) -> str:
        """Replace the recipe's folders, accounts and ports by this server's."""
        people = " ".join(self.names.values())
        words = {
            "python3 -m venv": f"{_everybodys_python()} -m venv",
            "/opt/course": str(ENVIRONMENT),
            "/srv/": f"{self.base}/srv/",
            "useradd ": f"useradd --base-dir {self.base}/home ",
            "/home/$name": f"{self.base}/home/$name",
            "in teacher ada bob": f"in {people}",
            "groupadd course": f"groupadd nnb{os.getpid()}-course",
            "--groups course": f"--groups nnb{os.getpid()}-course",
            '{"course"}': f'{{"nnb{os.getpid()}-course"}}',
            "127.0.0.1:8000": f"127.0.0.1:{self.port}",
            "8786": str(self.dask_port),
        }
        for word, ours in words.items():
            text = text.replace(word, ours)
        return text

    def _start(self) -> None:
        """Start it as the recipe does, with other inner ports, and JupyterLab open to tests."""
        ours = [
            f"--JupyterHub.hub_port={free_port()}",
            f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{free_port()}",
            "--Spawner.args=--LabApp.expose_app_in_browser=True",
            "--Spawner.start_timeout=600",  # a busy machine needs more than 60 and 30 seconds
            "--Spawner.http_timeout=600",
        ]
        script = self.block("start").rstrip() + " " + " ".join(ours)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    *SUDO,
                    "sh",
                    "-euc",
                    script.replace("\n" + str(ENVIRONMENT), f"\nexec {ENVIRONMENT}"),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until = time.monotonic() + 600
        while time.monotonic() < until:
            with suppress(OSError), urllib.request.urlopen(self.url("hub/health"), timeout=60):
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.2)
        raise AssertionError("JupyterHub did not start:\n" + self.log.read_text())


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started, by force after a while."""
    if process.poll() is None:
        started = [
            psutil.Process(process.pid),
            *psutil.Process(process.pid).children(recursive=True),
        ]
        subprocess.run(
            [*SUDO, "kill", "-TERM", *(str(one.pid) for one in started)],
            capture_output=True,
            check=False,
        )
        _, left = psutil.wait_procs(started, timeout=150)
        subprocess.run(
            [*SUDO, "kill", "-KILL", *(str(one.pid) for one in left)],
            capture_output=True,
            check=False,
        )
        process.wait(150)


def _copy_of_the_repository(into: Path, here: Callable[[str], str]) -> None:
    """Copy all files that git tracks or would add; adapt the recipe and its settings by `here`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, into / name)
    settings = into / "docs" / "class-server"
    for path in (into / RECIPE, *settings.glob("*.py"), *settings.glob("*.service")):
        path.write_text(here(path.read_text(encoding="utf-8")), encoding="utf-8")


def _environment(block: str, repository: Path) -> None:
    """Make the shared environment if its locks changed; else install only the course again."""
    stamp = ENVIRONMENT / "installed"
    quiet = {**os.environ, "PIP_QUIET": "2", "NPM_CONFIG_LOGLEVEL": "error"}
    locks = [
        (repository / "docs/class-server" / name).read_bytes()
        for name in ("requirements.lock", "package-lock.json")
    ]
    wanted = hashlib.sha256(
        b"".join([block.encode(), *locks]).replace(str(repository).encode(), b"")
    ).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        subprocess.run([*SUDO, "rm", "-rf", str(ENVIRONMENT)], check=True)
        subprocess.run(["sh", "-euc", block], cwd=repository, env=quiet, check=True, timeout=6000)
        stamp.write_text(wanted)
    else:
        again = next(line for line in block.splitlines() if line.endswith(" ."))
        subprocess.run(["sh", "-euc", again], cwd=repository, env=quiet, check=True, timeout=1200)


def _everybodys_python() -> str:
    """Return a Python that other accounts may run, which one in root's home is not."""
    for candidate in (
        str(Path(sys.executable).resolve()),
        "/usr/bin/python3",
        "/usr/local/bin/python3",
    ):
        test = "import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"
        if not (Path(candidate).exists() and _open_to_all(Path(candidate))):
            continue
        done = subprocess.run([candidate, "-c", test], capture_output=True, check=False)
        if done.returncode == 0:
            return candidate
    raise AssertionError(
        "No Python 3.11 to 3.13 on this machine may be run by every account, so learners can't "
        "share one: apt install python3-venv brings one."
    )


def _remove_what_a_kill_left() -> None:
    for account in pwd.getpwall():
        if (found := re.match(r"nnb(\d+)-", account.pw_name)) and not Path(
            f"/proc/{found[1]}"
        ).exists():
            _remove_accounts(found[0])
    for folder in Path(tempfile.gettempdir()).glob("class-server-*-*"):
        if not Path(f"/proc/{folder.name.split('-')[2]}").exists():
            subprocess.run([*SUDO, "rm", "-rf", str(folder)], check=False)


def _remove_accounts(prefix: str) -> None:
    for account in pwd.getpwall():
        if account.pw_name.startswith(prefix):
            _end_processes_of(account.pw_uid)
            subprocess.run(
                [*SUDO, "userdel", "--remove", account.pw_name], capture_output=True, check=False
            )
    subprocess.run([*SUDO, "groupdel", f"{prefix}course"], capture_output=True, check=False)


def _end_processes_of(uid: int) -> None:
    for _ in range(600):
        running = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and entry.stat().st_uid == uid:
                    running.append(entry.name)
        if not running:
            return
        subprocess.run([*SUDO, "kill", "-KILL", *running], capture_output=True, check=False)
        time.sleep(0.1)

"""A lock comes in; whether the checks pass with the newest versions that pyproject.toml allows goes out, and if not, which upgrades are to blame.

    make newest
    python tests/newest.py requirements-test.lock --group build --group test --group lock -- pytest -x

Everything happens in build/newest; the lock and the environment in use stay as they are. A trial upgrades some packages, with whatever
they need, and leaves the others at the versions of the lock. The guilty are found by halving, one after the other.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOM = Path("build") / "newest"


@dataclass(frozen=True)
class Trials:
    """What tries upgrades of the project in the current folder."""

    lock: Path
    groups: tuple[str, ...]
    checks: tuple[str, ...]

    def versions(self, *upgrade: str) -> dict[str, str]:
        """The version of each package; `upgrade` is what uv is asked to take newer than the lock has it."""
        solved = ROOM / "requirements.lock"
        shutil.copyfile(self.lock, solved)
        groups = [word for group in self.groups for word in ("--group", group)]
        uv("pip", "compile", "--quiet", "--no-emit-index-url", "--no-annotate", *upgrade, *groups, "pyproject.toml", "--output-file", str(solved))
        return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", solved.read_text(encoding="utf-8"), re.MULTILINE))

    def fail(self, upgraded: dict[str, str]) -> bool:
        """Whether the checks fail with these packages at these versions; by name alone uv would rather keep what they need old."""
        self.versions(*(word for name, version in upgraded.items() for word in ("--upgrade-package", f"{name}=={version}")))
        python = ROOM / "venv" / "bin" / "python"
        uv("venv", "--quiet", "--clear", "--python", sys.executable, str(ROOM / "venv"))
        uv("pip", "sync", "--quiet", "--python", str(python), str(ROOM / "requirements.lock"))
        uv("pip", "install", "--quiet", "--python", str(python), "--no-deps", "--no-build-isolation", "--editable", ".")
        path = os.pathsep.join([str(python.parent.absolute()), os.environ.get("PATH", "")])
        failed = subprocess.run(self.checks, env={**os.environ, "PATH": path}, check=False).returncode != 0
        print(f"{'✗' if failed else '✓'} with {', '.join(upgraded) or 'no'} upgraded", flush=True)
        return failed


def uv(*words: str) -> None:
    """Run the uv of this environment.

    Raises:
        CalledProcessError: it refuses; its own words are on the screen.
    """
    subprocess.run([Path(sys.executable).with_name("uv"), *words], check=True)


def to_blame(names: Sequence[str], fail: Callable[[Sequence[str]], bool]) -> list[str]:
    """The fewest neighbours among `names`, which fail together, that still do; one name where one is to blame."""
    while len(names) > 1:
        halves = names[: len(names) // 2], names[len(names) // 2 :]
        guilty = next((half for half in halves if fail(half)), None)
        if guilty is None:
            break
        names = guilty
    return list(names)


def all_to_blame(names: Sequence[str], fail: Callable[[Sequence[str]], bool]) -> list[list[str]]:
    """Every group of names that fails by itself, found one after the other; `names` fail together."""
    found: list[list[str]] = []
    rest = list(names)
    while rest and (not found or fail(rest)):
        found.append(to_blame(rest, fail))
        rest = [name for name in rest if name not in found[-1]]
    return found


def report(trials: Trials) -> int:
    """Print what the newest versions do; 0 where all is well, 1 where an upgrade breaks the checks, 2 where no upgrade is to blame."""
    old, new = trials.versions(), trials.versions("--upgrade")
    changes = {name: f"{name} {old.get(name, '(new)')} → {version}" for name, version in new.items() if old.get(name) != version}
    print("\n".join(["Newer than in the lock:", *changes.values()]) if changes else "The lock has the newest of everything.", flush=True)

    def fail(names: Sequence[str]) -> bool:
        return trials.fail({name: new[name] for name in names})

    if not fail(list(changes)):
        print("The checks pass with the newest versions; make lock ARGS=--upgrade takes them.")
        return 0
    if not changes or fail([]):
        print("The checks fail with the versions of the lock as well: no upgrade is to blame.")
        return 2
    for names in all_to_blame(list(changes), fail):
        print(f"TO BLAME: {' together with '.join(changes[name] for name in names)}")
    return 1


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Try the newest versions of all packages and say which break the checks.")
    parser.add_argument("lock", type=Path)
    parser.add_argument("--group", action="append", default=[], help="of pyproject.toml's dependency groups; may be given several times")
    parser.add_argument("checks", nargs="+", help="the command that has to end with 0, after --")
    arguments = parser.parse_args()
    ROOM.mkdir(parents=True, exist_ok=True)
    try:
        return report(Trials(arguments.lock, tuple(arguments.group), tuple(arguments.checks)))
    except subprocess.CalledProcessError as error:
        print(f"uv {error.cmd[1]} {error.cmd[2]} failed; its own words are above, and nothing was tried.", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

"""`grader gradescope LESSON`: write the autograder that Gradescope runs for each submission.

The archive follows Gradescope's "Autograder Specifications": `setup.sh` installs Python and
the locked packages, `run_autograder` starts `grader.instructor.gradescope_run`.
"""

from __future__ import annotations

import argparse
import json
import secrets
from collections.abc import Iterator
from os.path import relpath
from pathlib import Path

from grader.author.bundle import files_below, left_out, write_archive
from grader.author.lesson import Lesson, authors_root, load_lesson, named_lessons
from grader.comparison.present import count_of
from grader.files import atomic_write
from grader.instructor.gradescope_run import SETTINGS, VISIBILITY, Autograder

PARTS = ("pyproject.toml", "requirements.lock", "LICENSE", "LICENSE-lessons", "grader")
"""Files and folders of the archive besides the course's packages and the lesson's two files."""

SETUP = """\
#!/bin/bash
# Gradescope runs this once, as root: install a Python that fits, and the locked packages.
set -eu
cd "$(dirname "$0")"
export DEBIAN_FRONTEND=noninteractive
fits() { "$1" -c 'import ensurepip, sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13)'; }
pick() {
    for python in python3 python3.13 python3.12 python3.11; do
        if fits "$python" 2>/dev/null; then return; fi
    done
    return 1
}
if ! pick; then
    apt-get update
    for version in 3.13 3.12 3.11; do ! apt-get install -y "python$version-venv" || break; done
    pick || { echo "This image offers no Python 3.11, 3.12 or 3.13: choose a newer one."; exit 1; }
fi
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --require-hashes -r requirements.lock
.venv/bin/python -m grader.cli doctor || echo "Test the autograder before you publish it."
"""

RUN = """\
#!/bin/sh
# Gradescope runs this for each submission, in a new container.
root=$(cd "${0%/*}" && pwd)
cd "$root/source" && exec .venv/bin/python -m grader.instructor.gradescope_run "$root"
"""


def autograder_files(root: Path, lesson: Lesson, visibility: str) -> dict[str, bytes]:
    """Return the content of each file of the archive, by path.

    Raises:
        LessonError: a part of the course is missing.
    """
    settings: Autograder = {
        "lesson": lesson.name,
        "secret": secret_of(root),
        "visibility": visibility,
    }
    paths = [path for part in _parts(lesson) for path in files_below(root, part)]
    paths += [lesson.source_file, lesson.exercises_file]
    return {
        "setup.sh": SETUP.encode(),
        "run_autograder": RUN.encode(),
        SETTINGS: json.dumps(settings, indent=1).encode(),
        **{path: (root / path).read_bytes() for path in sorted(paths)},
    }


def _parts(lesson: Lesson) -> tuple[str, ...]:
    return (*PARTS, *lesson.settings.packages)


def secret_of(root: Path) -> str:
    """Return the secret from which inputs are drawn, made at the first call.

    It stays the same, so that a submission meets its inputs again when its autograder changes.
    """
    file = root / "class" / "gradescope" / "secret.txt"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(file, secrets.token_hex(32), 0o600)
    return file.read_text(encoding="ascii")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `gradescope`."""
    does = "write the autograder of a lesson for Gradescope to class/gradescope/"
    parser = subparsers.add_parser("gradescope", help=does)
    parser.add_argument("lesson", metavar="LESSON")
    when = "when students see points and hints (default: %(default)s)"
    parser.add_argument("--visibility", choices=VISIBILITY, default=VISIBILITY[0], help=when)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    lesson = load_lesson(named_lessons(root, [arguments.lesson])[0])
    archive = root / "class" / "gradescope" / f"{lesson.name}.zip"
    write_archive(autograder_files(root, lesson, arguments.visibility), archive, "")
    print(end="".join(left_out(root, _parts(lesson))))
    print("\n".join(_next_steps(lesson, archive)))
    return 0


def _next_steps(lesson: Lesson, archive: Path) -> Iterator[str]:
    most = sum(float(one.points or 0) for one in lesson.exercises.values())
    exercises = count_of(len(lesson.exercises), "exercise")
    yield f"{relpath(archive)}: {exercises}, {most:g} points. It holds the answers: keep it."
    yield "In Gradescope: Programming Assignment, Configure Autograder, upload it, test it."

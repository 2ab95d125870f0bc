"""Write the learners' archive: the course without any answer, but for the figures' targets."""

from __future__ import annotations

import argparse
import os
import tomllib
import zipfile
from pathlib import Path

from grader.author.leaks import leaks
from grader.author.lesson import Lesson, LessonError, authors_root, lessons_in, load_lesson
from grader.author.trimmed import trimmed_conda, trimmed_lock, trimmed_project

GRADERS = (
    "__init__.py",
    "cli.py",
    "errors.py",
    "files.py",
    "startup.py",
    "comparison",
    "execution",
    "learner",
)
"""What a learner has of the grader: the rooms that know no answer, and the command line, which finds no other commands then."""

AS_THEY_ARE = ("LICENSE", "LICENSE-lessons", "environment.sh", "requirements-uv.lock")
TRIMMED = {
    "pyproject.toml": trimmed_project,
    "environment.yml": trimmed_conda,
    "requirements.lock": trimmed_lock,
}
LEARNERS_OWN = "bundle"
"""The folder with files that a learner gets in place of an author's, like README.md."""

AUTHORS_ENDINGS = (".py", ".md")
"""Of files that a lesson has under solutions/ and never under course/."""

ALWAYS = (2026, 1, 1, 0, 0, 0)
"""When every file of the archive was changed, so that the same course makes the same archive."""


def files_of_bundle(root: Path) -> dict[str, bytes]:
    """What a learner gets: the content of each file by its place.

    Raises:
        LessonError: an answer is among it, or something of the course is missing.
    """
    lessons = [load_lesson(folder) for folder in lessons_in(root)]
    places = [*_course(root, lessons), *_code(root), *AS_THEY_ARE]
    files = {place: _content(root, place) for place in places}
    files |= {
        place: trim(_content(root, place).decode()).encode() for place, trim in TRIMMED.items()
    }
    files |= {
        path.name: path.read_bytes() for path in (root / LEARNERS_OWN).iterdir() if path.is_file()
    }
    if found := leaks(lessons, files):
        raise LessonError(
            f"The bundle is not made, an answer would be in it: {found[0]}. Run make course, or take the line out."
        )
    return dict(sorted(files.items()))


def write_archive(files: dict[str, bytes], into: Path, folder: str) -> None:
    """Write files as a zip archive, in one folder; the same files give the same archive."""
    into.parent.mkdir(parents=True, exist_ok=True)
    half = into.with_name(f".{into.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for place, data in files.items():
                entry = zipfile.ZipInfo(f"{folder}/{place}", ALWAYS)
                entry.create_system = 3  # the mode is Unix's, wherever the archive is made
                entry.external_attr = (0o100755 if place.endswith(".sh") else 0o100644) << 16
                archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
        half.replace(into)
    finally:
        half.unlink(missing_ok=True)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `bundle`."""
    parser = subparsers.add_parser(
        "bundle", help="make the archive that learners get: the course without the author's answers"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="dist/NAME-VERSION.zip where it is not given"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    place = arguments.output or root / "dist" / f"{project['name']}-{project['version']}.zip"
    files = files_of_bundle(root)
    try:
        write_archive(files, place, project["name"])
    except OSError as error:
        raise LessonError(f"{place} can't be written: {error.strerror}.") from None
    print(
        f"{place}: {len(files)} files, {place.stat().st_size / 1e6:.1f} MB. No line of an answer is in it; working functions that figures draw are in playground/functions/finished.py."
    )
    return 0


def _course(root: Path, lessons: list[Lesson]) -> list[str]:
    """The places of the files of course/; each lesson has to be there, and no file of an author."""
    for lesson in lessons:
        if not (root / "course" / lesson.name / f"{lesson.name}.ipynb").is_file():
            raise LessonError(f"course/{lesson.name} is missing; run make course")
    places = [place for place in _below(root, "course") if not place.endswith("/progress.json")]
    if stray := [place for place in places if place.endswith(AUTHORS_ENDINGS)]:
        raise LessonError(
            f"{stray[0]} is an author's file; take it out of course/, which make course makes"
        )
    return places


def _code(root: Path) -> list[str]:
    """The places of the code and of the settings that its installation puts among Jupyter's."""
    project = tomllib.loads(_content(root, "pyproject.toml").decode())
    settings = [
        folder
        for folder in project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
        if folder.startswith("grader/")
    ]
    return [
        place
        for room in [*(f"grader/{name}" for name in GRADERS), *settings, "playground"]
        for place in _below(root, room)
    ]


def _below(root: Path, place: str) -> list[str]:
    """The places of all files in a folder, without what Python and Jupyter leave there; a file's own."""
    if not (root / place).exists():
        raise LessonError(f"{place} is missing; a bundle needs it")
    relative = [
        path.relative_to(root)
        for path in [root / place, *(root / place).rglob("*")]
        if path.is_file()
    ]
    return sorted(
        path.as_posix()
        for path in relative
        if not any(part.startswith((".", "__pycache__")) for part in path.parts)
    )


def _content(root: Path, place: str) -> bytes:
    try:
        return (root / place).read_bytes()
    except OSError as error:
        raise LessonError(f"{place} can't be read: {error.strerror}; a bundle needs it") from None

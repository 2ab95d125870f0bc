"""`grader archive`: a class in one file, from which another machine continues.

archive.json     the lessons, their versions, git's commit
class/           submissions, gradebook, journals, settings, secrets
release/         the lessons as learners got them
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import re
import shutil
import stat
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from os.path import relpath
from pathlib import Path, PurePath, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TypedDict, cast

from grader.author.bundle import ALWAYS
from grader.author.lesson import Lesson, authors_root, load_lesson, named_lessons
from grader.comparison.present import count_of, one_line
from grader.errors import UserError
from grader.execution.limits import OUTSIDE
from grader.files import open_regular, parsed
from grader.instructor.journal import journal_path, open_journal, read_journal
from grader.instructor.locate import OF_NBGRADER
from grader.instructor.run_id import commit_of, grader_version, lesson_version
from grader.instructor.unpack import DAMAGED, Bounds, Unpacked, store

FORMAT = 1
MANIFEST, GRADEBOOK = "archive.json", "class/gradebook.db"
BY_STUDENT = ("submitted", "autograded", "feedback")
"""Folders of `class/` with a folder for each student, and in it one for each lesson."""
MADE_AGAIN = ("archive", "cache", "downloaded", "exchange", "insights", "return", "solution")
"""Folders of `class/` that a command makes again; the exchange belongs to a machine's users."""
LEFT_BY_A_KILL = re.compile(r"\.(unpacked-|restored-|.*\.partial$)")
COLLECT = "Collect submissions first: grader collect."
AGAIN = "Nothing was changed: copy the file again, or name another."
BOUNDS = Bounds(files=500_000, bytes=20_000_000_000, file_bytes=2_000_000_000, whole=True)
MAX_BYTES, MIN_SIZE = 2 * OUTSIDE.file_bytes, 50_000
"""Most bytes of one submission, its notebook and other files; so much a file counts at least."""
MAX_DEPTH = OUTSIDE.depth + 5


class Manifest(TypedDict):
    """The manifest of an archive; versions by lesson."""

    format: int
    commit: str
    grader_version: str
    lessons: dict[str, str]
    anonymous: bool


def write_archive(root: Path, lessons: Sequence[Lesson], target: Path) -> list[str]:
    """Write the archive of some lessons; return a line about each file that was left out.

    Raises:
        JournalBusy: a run is grading one of the lessons.
        UserError: there is nothing of them.
        GradebookUnusable: the gradebook can't be read.
        OSError: the archive can't be written.
    """
    from grader.instructor.gradebook import course_directory
    from grader.instructor.gradebook_copy import copy_lessons

    names = [one.name for one in lessons]
    with ExitStack() as stack:
        for path in (journal_path(root, one) for one in names):
            if path.exists():
                stack.enter_context(open_journal(path))
        files, left_out = class_files(root, names)
        # A submitted notebook of any name may be a lesson's; those of others are left out already.
        own = ("submitted", *names)
        if all({*own}.isdisjoint(re.split("[/.]", place)) for place in files):
            raise UserError(f"class/ holds nothing of {', '.join(names)}. {COLLECT}")
        folder = Path(stack.enter_context(TemporaryDirectory()))
        if copy_lessons(course_directory(root), names, folder / "gradebook.db"):
            files[GRADEBOOK] = folder / "gradebook.db"
        for lesson in lessons:
            pages = (path for path in sorted(lesson.release.iterdir()) if path.is_file())
            files |= {f"release/{lesson.name}/{path.name}": path for path in pages}
        write_zip(target, manifest_of(root, lessons), files)
    return [f"{place} was left out: {why}." for place, why in left_out.items()]


def manifest_of(root: Path, lessons: Sequence[Lesson], anonymous: bool = False) -> Manifest:
    """Return the manifest of an archive that is made now."""
    return {
        "format": FORMAT,
        "commit": commit_of(root),
        "grader_version": grader_version(),
        "lessons": {one.name: lesson_version(one) for one in lessons},
        "anonymous": anonymous,
    }


def class_files(root: Path, lessons: Sequence[str]) -> tuple[dict[str, Path], dict[str, str]]:
    """Return the files of some lessons, and those of all, by their names in an archive.

    Also return why others are left out, by their places: links, and what is beyond all limits.
    """
    others = {folder.name for folder in named_lessons(root, [])} - {*lessons}
    home, files, left_out = root / "class", dict[str, Path](), dict[str, str]()
    room: dict[str, int] = {}
    for here, folders, names in os.walk(home):
        inside = Path(here).relative_to(home)
        folders[:] = sorted(one for one in folders if _is_kept(inside / one, others))
        names += [one for one in folders if os.path.islink(os.path.join(here, one))]
        if len(inside.parts) > MAX_DEPTH:
            left_out[f"{inside}"] = f"it is more than {MAX_DEPTH} folders deep"
            folders.clear()
            continue
        names = [one for one in names if _is_kept(inside / one, others)]
        for name in sorted(names, key=lambda one: (not _is_first(one), one)):
            path, place = Path(here, name), (inside / name).as_posix()
            found, submission = path.lstat(), "/".join(place.split("/")[:3])
            size = max(found.st_size, MIN_SIZE)
            room.setdefault(submission, MAX_BYTES if submission != place else BOUNDS.file_bytes)
            if not stat.S_ISREG(found.st_mode):
                left_out[place] = "it is a link or no ordinary file"
            elif not is_text(place):
                left_out[place] = "its name is no text"
            elif size > room[submission]:
                left_out[f"More of {submission}"] = "it is too large, or has too many files"
            else:
                room[submission] -= size
                files[f"class/{place}"] = path
    return files, left_out


def is_text(name: str) -> bool:
    """Return whether a file's name can be written as text: one in an old encoding can't."""
    return name.encode(errors="replace").decode() == name


def _is_first(name: str) -> bool:
    """Return whether a file of a submission is needed to grade it: those get their room first."""
    return name.endswith(".ipynb") or name in OF_NBGRADER


def _is_kept(path: PurePath, others: set[str]) -> bool:
    """Return whether a file or folder of `class/` is kept, and of no other lesson."""
    top, name = path.parts[0], path.name
    if top in MADE_AGAIN or top.startswith("gradebook.db") or LEFT_BY_A_KILL.match(name):
        return False
    place = 3 if top == "attempts" else 2 if top in BY_STUDENT else 1
    return len(path.parts) <= place or path.parts[place].partition(".")[0] not in others


def write_zip(target: Path, manifest: Manifest, files: Mapping[str, Path]) -> None:
    """Write an archive whole or not at all; a file keeps the rights of its owner."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
            for name, source in files.items():
                info = zipfile.ZipInfo(name, ALWAYS)
                info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
                info.external_attr = (stat.S_IFREG | source.stat().st_mode & 0o644) << 16
                with open_regular(source) as file, archive.open(info, "w") as copy:
                    shutil.copyfileobj(file, copy)
        partial.chmod(0o600)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def restore(root: Path, source: Path) -> list[str]:
    """Add the content of an archive to `class/`; return lines about it.

    Nothing that is there is overwritten, and nothing is changed where a file of the archive's
    lessons is there with other content. Restored twice, or once more after a kill, it is the same.

    Raises:
        UserError: it is no archive of `grader archive`, or `class/` holds something else.
        OSError: the files can't be written.
    """
    from grader.instructor.gradebook import course_directory
    from grader.instructor.gradebook_copy import merge

    coursedir, home = course_directory(root), root / "class"
    home.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=".restored-", dir=home) as folder:
        manifest, files = _unpacked(source, Path(folder, "files"))
        names = [*manifest["lessons"]]
        lessons = [load_lesson(path) for path in named_lessons(root, names)]
        _refuse_strange(files, source, {one.name for one in named_lessons(root, [])} - {*names})
        gradebook = files.pop(GRADEBOOK, None)
        new, kept = _compare(root, files, names)
        for dry in (True, False):
            if gradebook:
                merge(coursedir, gradebook, names, dry)
        with zipfile.ZipFile(source) as archive:
            modes = {one.filename: one.external_attr >> 16 & 0o644 for one in archive.infolist()}
        for name, path in new.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            path.chmod(modes.get(name, 0o600) | 0o400)
            path.replace(root / name)
    told = [f"{name} here is another than the archive's, and stays." for name in kept]
    if "class/nbgrader_config.py" in new:
        told.append("class/nbgrader_config.py came with it: nbgrader runs that file, so read it.")
    return [*(_state(root, one, manifest) for one in lessons), *told]


def _unpacked(source: Path, folder: Path) -> tuple[Manifest, dict[str, Path]]:
    """Unpack an archive of `grader archive`; return its manifest, and its files below `class/`."""
    found, wrong = Unpacked(folder), f"{source} is no archive of `grader archive`"
    if not zipfile.is_zipfile(source):
        raise UserError(f"{wrong}, or is damaged. {AGAIN}")
    try:
        store(source, source.name, "", found, BOUNDS)
    except DAMAGED as error:
        raise UserError(f"{wrong}, or is damaged: {error}. {AGAIN}") from None
    if found.left_out:
        name, why = next(iter(found.left_out.items()))
        raise UserError(f"{wrong}: {one_line(name)}: {why}. Nothing was changed.")
    try:
        manifest = cast(Manifest, parsed(found.files[MANIFEST].read_bytes(), Manifest))
    except (KeyError, ValueError):
        raise UserError(
            f"{wrong}: {MANIFEST} is missing or damaged. Nothing was changed."
        ) from None
    if manifest["format"] != FORMAT or not manifest["lessons"]:
        raise UserError(f"{source} is of another form; restore it with the grader that made it.")
    return manifest, {name: path for name, path in found.files.items() if name.startswith("class/")}


def _refuse_strange(files: dict[str, Path], source: Path, others: set[str]) -> None:
    """Raise UserError if an archive has a file that `write_archive` doesn't put into one."""
    for name in files.keys() - {GRADEBOOK}:
        place = PurePosixPath(name).relative_to("class")
        parents = {str(one) for one in PurePosixPath(name).parents}
        if not _is_kept(place, others) or not files.keys().isdisjoint(parents):
            wrong = f"{source} is no archive of `grader archive`: {one_line(name)} is never in one"
            raise UserError(f"{wrong}. Nothing was changed.")


def _compare(
    root: Path, files: dict[str, Path], lessons: Sequence[str]
) -> tuple[dict[str, Path], list[str]]:
    """Return the files that are not there, and the names of settings that are, and differ.

    Raises:
        UserError: a lesson's file is there with other content, or a link leads elsewhere.
    """
    new, kept = dict[str, Path](), list[str]()
    for name, path in files.items():
        there, top = root / name, root.joinpath(*Path(name).parts[:2])
        if not there.resolve().is_relative_to(top.resolve()):
            raise UserError(f"{one_line(name)} leads out of class/ by a link. Nothing was changed.")
        if not os.path.lexists(there):
            new[name] = path
        elif not there.is_file() or not filecmp.cmp(there, path, shallow=False):
            if any(part.partition(".")[0] in lessons for part in Path(name).parts[2:]):
                raise UserError(
                    f"{name} is here already, and another than the archive's. Rename class/ to "
                    "keep it, and restore again. Nothing was changed."
                )
            kept.append(name)
    return new, kept


def _state(root: Path, lesson: Lesson, manifest: Manifest) -> str:
    """Return the line about a restored lesson: is the version here the one that was graded?"""
    graded = count_of(
        len(read_journal(journal_path(root, lesson.name)).latest), "graded submission"
    )
    text = f"{lesson.name}: {graded}"
    versions = manifest["grader_version"], manifest["lessons"][lesson.name]
    if versions == (grader_version(), lesson_version(lesson)):
        return f"{text}; `grader autograde {lesson.name}` continues."
    commit = (
        f"commit {manifest['commit'].removesuffix('-dirty')}"
        if manifest["commit"]
        else "a version without git"
    )
    return f"{text}, by another version of the lesson or the grader: check out {commit}."


def default_target(root: Path, names: Sequence[str], suffix: str = "") -> Path:
    """Return where an archive of some lessons is written, of all where none is named."""
    return root / "class" / "archive" / f"{'-'.join(names) or 'all'}{suffix}.zip"


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `archive`."""
    does = "write a class to one file, or continue from such a file on another machine"
    parser = subparsers.add_parser("archive", help=does)
    parser.add_argument("lessons", metavar="LESSON", nargs="*", help="default: all lessons")
    parser.add_argument("--output", type=Path, help="default: class/archive/LESSON.zip")
    back = "add what the archive FILE holds to class/; nothing that is there is overwritten"
    parser.add_argument("--restore", metavar="FILE", type=Path, help=back)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    root = authors_root(Path.cwd())
    if arguments.restore:
        print("\n".join(map(one_line, restore(root, arguments.restore))))
        return 0
    target = arguments.output or default_target(root, arguments.lessons)
    lessons = [load_lesson(folder) for folder in named_lessons(root, arguments.lessons)]
    left_out = write_archive(root, lessons, target)
    print("\n".join(map(one_line, [*left_out, *_told(target, commit_of(root))])))
    return 0


def _told(target: Path, commit: str) -> Iterator[str]:
    size = target.stat().st_size / 1e6
    yield f"{relpath(target)}: {size:.1f} MB, with names, grades and secrets: keep it like class/."
    version = commit.removesuffix("-dirty") or "this version"
    yield f"On another machine: check out {version}, then `grader archive --restore {target.name}`."
    if commit.endswith("-dirty"):
        yield "Some files differ from that commit: commit them, so that it can be checked out."

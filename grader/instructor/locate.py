"""Find a student's notebook for a lesson, by its content and not by its name.

A notebook belongs to the lesson most of whose exercises it holds, by the ids of its cells or by the
functions that they define. It is taken where it is the only one of its kind; otherwise an error
names the candidates, and the command that settles which one counts.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from grader.execution.limits import OUTSIDE
from grader.execution.notebook import MAX_BYTES, UnreadableNotebook, cells_of, load_notebook
from grader.files import read_regular
from grader.instructor.run_id import digest_of
from grader.learner.notebook import lesson_keys
from grader.processes import Guard, OverBudget

MAX_NOTEBOOKS = 50  # of one student; more are not looked at
MAX_DEPTH = 8  # folders below a student's
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")
TIME, SECRET = OF_NBGRADER = ("timestamp.txt", "submission_secret.txt")
"""Files that the exchange adds to a submission."""
OUR_FOLDERS = ("work", "course")
"""Folders of a learner's copy, which some hand in with the lesson in it."""


class Content(NamedTuple):
    """The lesson that a notebook belongs to, if any, and whether it answers an exercise of it.

    The digest is empty where the file can't be read.
    """

    lesson: str | None
    written: bool
    digest: str = ""


@dataclass(frozen=True)
class Found:
    """The notebook that counts, and a sentence about each other one."""

    path: Path
    notes: tuple[str, ...] = ()


class Lessons:
    """The exercises of a course's lessons, read from `release` when they are needed."""

    def __init__(self, release: Path) -> None:
        self.release = release

    @cached_property
    def exercises(self) -> dict[str, Collection[str]]:
        """The names of the exercises by lesson."""
        return {name: key["exercises"].keys() for name, key in lesson_keys(self.release).items()}

    @cached_property
    def names(self) -> set[str]:
        """The names of the lessons."""
        return {path.parent.name for path in self.release.glob("*/*.ipynb")}

    def may_hold(self, home: Path, lesson: str) -> bool:
        """Return whether a file, or a folder without the lesson's, may hold its notebook."""
        paths = [*_files(home, self.names - {lesson})] if home.is_dir() else [home]
        if any(map(_is_archive, paths)):
            return True
        notebooks = [*filter(is_notebook, paths)][:MAX_NOTEBOOKS]
        try:
            found = self.contents(notebooks, lesson) if notebooks else []
        except UnreadableNotebook:
            return True
        return any(one.lesson in (lesson, None) for one in found)

    def contents(self, paths: list[Path], wanted: str) -> list[Content]:
        """Return the contents of files of a student, with preference for the lesson `wanted`.

        Raises:
            UnreadableNotebook: together they take too much time or memory to read.
        """
        assert self.exercises is not None  # read once, and not in each process
        try:
            with closing(Guard(self._contents, OUTSIDE.memory_bytes)) as reader:
                return reader.call(OUTSIDE.choice_seconds, paths, wanted)
        except OverBudget as error:
            counts = f"it is not certain which of {len(paths)} notebooks counts"
            way_out = "Remove those that are not meant"
            raise UnreadableNotebook(f"{counts}: to look, {error}", way_out) from None

    def _contents(self, paths: list[Path], wanted: str) -> list[Content]:
        return [content_of(path, wanted, self.exercises) for path in paths]


def content_of(path: Path, wanted: str, exercises: Mapping[str, Collection[str]]) -> Content:
    """Return the content of a file."""
    digest = ""
    try:
        data = read_regular(path, MAX_BYTES + 1)
        digest = digest_of(data)
        return content(data, wanted, exercises)._replace(digest=digest)
    except (OSError, UnreadableNotebook):
        return Content(None, False, digest)


def content(data: bytes, wanted: str, exercises: Mapping[str, Collection[str]]) -> Content:
    """Return what a notebook holds.

    Raises:
        UnreadableNotebook: it is no notebook.
    """
    raw, names, written = load_notebook(data), set(), set()
    for one, cell in zip(raw, cells_of(raw), strict=True):
        metadata = one.get("metadata")
        nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
        grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
        names |= {cell.id.removeprefix("check-"), str(grade_id).removeprefix("check-")}
        if cell.type == "code":
            found = cell.facts
            names |= {*found.functions}
            written |= {*found.functions} - found.stubs | found.assigned
    counts = {lesson: len(names & {*known}) for lesson, known in exercises.items()}
    best = max(counts, key=lambda one: (counts[one], one == wanted), default=wanted)
    if not counts.get(best):
        return Content(None, False)
    return Content(best, bool(written & {*exercises[best]}))


def find_notebook(home: Path, lesson: str, lessons: Lessons) -> Found:
    """Return the notebook of a lesson in a student's folder `home`.

    Raises:
        UnreadableNotebook: there is none, or it is not certain which one counts.
    """
    folder = home / lesson
    wanted = folder / f"{lesson}.ipynb"
    if home.is_symlink() or folder.is_symlink():
        raise UnreadableNotebook("its folder is a link")
    if home.name in lessons.names and not os.path.lexists(wanted):
        raise UnreadableNotebook(
            "this folder has a lesson's name, not a student's."
            f" {collect_command(lesson, home)} sorts its files by student"
        )
    files = [*_files(home, lessons.names - {lesson})]
    paths = [path for path in files if is_notebook(path)][:MAX_NOTEBOOKS]
    if paths in ([], [wanted]):
        if not os.path.lexists(wanted):
            raise _missing(files, wanted)
        return Found(wanted)
    return _choose(home, wanted, paths, lessons)


def _choose(home: Path, wanted: Path, paths: list[Path], lessons: Lessons) -> Found:
    """Return the one of several notebooks, or of one in another place, that is certain."""
    lesson, folder = wanted.stem, wanted.parent
    contents = dict(zip(paths, lessons.contents(paths, lesson), strict=True))
    mine = _distinct([path for path in paths if contents[path].lesson == lesson], wanted, contents)
    answered = [path for path in mine if contents[path].written]
    equal = answered or mine
    certain = len(equal) == 1 and _is_near(equal[0].relative_to(home), lesson)
    if wanted in equal or (not mine and os.path.lexists(wanted)):
        chosen = wanted
    elif certain:
        (chosen,) = equal
    elif len(equal) > 1:
        names = " and ".join(_shown(path, folder) for path in equal[:3])
        right = f"cp {_quoted(equal[0])} {_quoted(wanted)}"
        raise UnreadableNotebook(f"{names} could both be meant. If it is the first: `{right}`")
    elif equal:
        command = f"{collect_command(lesson, equal[0], home.name)} uses it"
        raise UnreadableNotebook(
            f"{_shown(equal[0], folder)} is in an unexpected folder. {command}"
        )
    else:
        others = "; ".join(f"{_shown(path, folder)} {_other(contents[path])}" for path in paths[:3])
        raise UnreadableNotebook(f"{wanted.name} is missing; {others}")
    notes = [
        f"{_shown(path, folder)} was not graded: {_shown(chosen, folder)} was."
        for path in paths
        if path != chosen
        and (path in mine or (contents[path].lesson is None and path.is_relative_to(folder)))
    ]
    if chosen != wanted:
        what = f"the only notebook of {lesson}{' with answers' * bool(answered)}"
        notes.insert(0, f"{_shown(chosen, folder)} was graded: it is {what}.")
    return Found(chosen, tuple(notes[:5]))


def collect_command(lesson: str, path: Path, student: str = "") -> str:
    """Return the command that takes a file, an archive or a folder, as Markdown's code."""
    whose = f" --student {shlex.quote(student)}" if student else ""
    return f"`grader collect {lesson} {_quoted(path)}{whose}`"


def _quoted(path: Path) -> str:
    return shlex.quote(os.path.relpath(path))


def _missing(files: list[Path], wanted: Path) -> UnreadableNotebook:
    """Return the error for a folder without a notebook; one may be in an archive."""
    archive = next(filter(_is_archive, files), None)
    if archive is None:
        own = [path.name for path in files if path.name not in OF_NBGRADER]
        there = f"; {own[0]} is there" if own else ""
        return UnreadableNotebook(f"{wanted.name} is missing{there}")
    command = collect_command(wanted.stem, archive, wanted.parents[1].name)
    return UnreadableNotebook(f"{wanted.name} is missing; {command} unpacks {archive.name}")


def _other(content: Content) -> str:
    return f"is of {content.lesson}" if content.lesson else "has no exercise of a lesson"


def _shown(path: Path, folder: Path) -> str:
    """Return the path of a notebook as a student knows it."""
    inside = path.is_relative_to(folder)
    return str(path.relative_to(folder if inside else folder.parent))


def _is_near(path: Path, lesson: str) -> bool:
    """Return whether a path below a student's folder can only be that student's."""
    folders = path.parts[:-1]
    known = {lesson, *OUR_FOLDERS}
    return folders[:1] == (lesson,) or all(one.casefold() in known for one in folders)


def _distinct(paths: list[Path], wanted: Path, contents: Mapping[Path, Content]) -> list[Path]:
    """Return one path of each content, the wanted one first."""
    ordered = sorted(paths, key=lambda path: path != wanted)
    by_content = {contents[path].digest: path for path in reversed(ordered)}
    return [path for path in ordered if path in by_content.values()]


def is_notebook(path: Path) -> bool:
    """Return whether a name is a notebook's; it may have got an ending more: neuron.ipynb.txt."""
    return ".ipynb" in path.name.lower() and not _is_archive(path)


def _is_archive(path: Path) -> bool:
    return path.suffix.lower() in ARCHIVES


def _files(home: Path, others: set[str]) -> Iterator[Path]:
    """Yield the files below a student's folder, without hidden ones and the folders `others`."""
    for here, folders, names in os.walk(home):
        depth = len(Path(here).relative_to(home).parts)
        skipped = others if depth == 0 else set()
        folders[:] = sorted(
            name
            for name in folders
            if depth < MAX_DEPTH and name not in skipped and not name.startswith((".", "__"))
        )
        yield from (Path(here, name) for name in sorted(names) if not name.startswith((".", "~")))

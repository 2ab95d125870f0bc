"""Take a lesson's submissions from a download of an LMS, or from a folder, to `class/submitted`."""

from __future__ import annotations

import json
import shlex
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from os.path import commonpath
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import NotRequired, TypedDict, cast
from unicodedata import normalize

from grader.comparison.present import count_of, listed, one_line
from grader.errors import UserError
from grader.execution.notebook import UnreadableNotebook
from grader.files import atomic_write, folder_lock, parsed
from grader.instructor.copying import MACHINE_ERRORS
from grader.instructor.gradebook import course_directory
from grader.instructor.locate import OF_NBGRADER, TIME, Lessons, find_notebook, is_notebook
from grader.instructor.people import UNSAFE, roster, students_of
from grader.instructor.run_id import digest_of
from grader.instructor.unpack import Unpacked, unpack
from grader.instructor.uploads import Upload, uploads_in

LOCK_TIMEOUT = 60.0
"""Seconds to wait for another `grader collect`."""


class Record(TypedDict):
    """What a system said of a submission: what a way back to it needs."""

    system: str
    id: str
    name: str
    late: bool
    archive: str
    files: dict[str, str]
    digest: str
    uploaded: NotRequired[str]
    """The digest of the system's last upload, where another way in came after it."""


@dataclass
class Report:
    """What became of the submissions in a download, by student or by the system's name."""

    lesson: str
    collected: dict[str, str] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return the report, for a terminal."""
        return "\n".join(map(one_line, self._lines()))

    def _lines(self) -> Iterator[str]:
        states = [*self.collected.values()]
        counts = ", ".join(f"{states.count(one)} {one}" for one in ("new", "updated", "unchanged"))
        yield f"{self.lesson}: {count_of(len(states), 'submission')} ({counts})."
        if self.late:
            names = ", ".join(self.late)
            yield f"Late according to Canvas: {names}. Without a time, no points are taken off."
        if self.problems:
            yield "Not certain:"
        yield from (f"  {one}" for one in self.problems)
        yield from listed("Left out", self.left_out.items())
        if self.missing:
            yield f"Missing: {len(self.missing)} of the roster: {', '.join(self.missing)}."


@dataclass(frozen=True)
class _Collected:
    """An upload with the places of its files, and the archive or folder that it came in."""

    upload: Upload
    files: dict[str, Path]
    source: Path
    left_out: dict[str, str] = field(default_factory=dict)

    def record(self) -> Record:
        """Return what is kept of it."""
        one, digests = self.upload, []
        for name, path in sorted(self.files.items()):
            digests.append(f"{name}\0{digest_of(path.read_bytes())}")
        return Record(
            system=one.system,
            id=one.id,
            name=one.name,
            late=one.late,
            archive=self.source.name,
            files=one.files,
            digest=digest_of("\n".join(digests).encode(errors="surrogateescape")),
        )


def collect(
    root: Path, lesson: str, sources: Sequence[Path], students: Sequence[str] = ()
) -> Report:
    """Copy the submissions in `sources` to `class/submitted`; of two of a student the last counts.

    Args:
        root: of the course.
        lesson: the lesson's name.
        sources: archives, folders or notebooks.
        students: NAME for files that are all one student's, or ID=NAME for one upload.

    Raises:
        UserError: a source can't be read or holds too much; nothing was changed.
    """
    coursedir = course_directory(root)
    submitted = Path(coursedir.format_path(coursedir.submitted_directory, "x", lesson)).parents[1]
    received = root / "class" / "received"
    received.mkdir(parents=True, exist_ok=True)
    people, report = roster(coursedir), Report(lesson)
    lessons = Lessons(root / coursedir.release_directory)
    unused = {one.rpartition("=")[0] for one in students} - {""}
    taken: dict[str, _Collected] = {}
    with (
        folder_lock(received, LOCK_TIMEOUT),
        TemporaryDirectory(prefix=".unpacked-", dir=received) as folder,
    ):
        records = read_records(root, lesson)
        given = _given(students, records)
        for source, unpacked in _unpacked(sources, Path(folder), report):
            uploads = _uploads([*unpacked.files], students, lessons.names, report)
            unused -= {upload.label for upload in uploads}
            whose = students_of(uploads, people, given, lessons.names)
            for upload, who in zip(uploads, whose, strict=True):
                if isinstance(who, str):
                    report.problems.append(_not_collected(upload, who, lesson, source))
                elif own := _of_lesson(upload, lesson, lessons.names):
                    files = {name: unpacked.files[inside] for name, inside in own.items()}
                    taken |= dict.fromkeys(who, _Collected(upload, files, source))
        report.problems += [
            f"--student {one}=…: no upload has the name or id {one}" for one in sorted(unused)
        ]
        for student, number in _corrected(given, records):
            if number not in unused:
                del records[student]
                report.problems.append(
                    f"{student}: upload {number} was theirs until now. If it is a group's, name all"
                    " its members at once; if it isn't theirs, look whether"
                    f" class/submitted/{student}/{lesson} is"
                )
        for student, one in sorted(taken.items()):
            home = _home(submitted, student)
            report.collected[home.name] = _install(one, home / lesson, received, records)
            report.left_out |= one.left_out
            report.late += [home.name] * one.upload.late
            report.problems += _problem(home, lesson, lessons, one.upload)
        atomic_write(_file(root, lesson), json.dumps(records, ensure_ascii=False, indent=1))
    there = {normalize("NFC", path.parent.name) for path in submitted.glob(f"*/{lesson}")}
    report.missing = [
        one.id for one in people if one.name and normalize("NFC", one.id) not in there
    ]
    return report


def _file(root: Path, lesson: str) -> Path:
    return root / "class" / "received" / f"{lesson}.json"


def read_records(root: Path, lesson: str) -> dict[str, Record]:
    """Return the records of earlier uploads, by student; UserError where the file is damaged."""
    file = _file(root, lesson)
    if not file.exists():
        return {}
    try:
        return cast(dict[str, Record], parsed(file.read_bytes(), dict[str, Record]))
    except ValueError:
        raise UserError(f"{file} is damaged. Rename it, and collect again.") from None


def _unpacked(
    sources: Sequence[Path], folder: Path, report: Report
) -> Iterator[tuple[Path, Unpacked]]:
    """Yield each source with its files, those of an archive unpacked in `folder`."""
    for number, source in enumerate(sources):
        if source.is_file() and is_notebook(source):
            yield source, Unpacked(folder, {source.name: source})
        else:
            unpacked = unpack(source, folder / f"{number}")
            report.left_out |= unpacked.left_out
            yield source, unpacked


def _uploads(
    names: list[str], students: Sequence[str], lessons: set[str], report: Report
) -> list[Upload]:
    """Return the uploads in a download; all of it is one where the instructor names its student."""
    if not (whole := _whole(students)):
        uploads, nobodys = uploads_in(names, lessons)
        report.left_out |= dict.fromkeys(nobodys, "no student's name is in its path")
        return uploads
    common = commonpath([PurePosixPath(name).parent for name in names]) if names else ""
    files = {str(PurePosixPath(name).relative_to(common)): name for name in names}
    return [Upload("folder", whole[0], files=files)]


def _whole(students: Sequence[str]) -> list[str]:
    return [one for one in students if "=" not in one]


def _not_collected(upload: Upload, why: str, lesson: str, source: Path) -> str:
    label = shlex.quote(f"{upload.label}=NAME")
    command = f"grader collect {lesson} {shlex.quote(str(source))} --student {label}"
    return f"{upload.shown}: {why}. If you know whose it is: `{command}`"


def _given(students: Sequence[str], records: dict[str, Record]) -> dict[str, list[str]]:
    """Return students by label: those that the instructor names, and those of earlier times."""
    for name in (one.rpartition("=")[2] for one in students):
        if not name or name.startswith(".") or UNSAFE.search(name):
            raise UserError(f"{name or '--student'} can't be a student's folder; name another.")
    before: dict[str, list[str]] = defaultdict(list)
    now: dict[str, list[str]] = defaultdict(list)
    for label, _, name in (one.rpartition("=") for one in students):
        now[label or _whole(students)[0]].append(name)
    named = {normalize("NFC", name) for names in now.values() for name in names}
    for student, record in records.items():
        if record["id"] and normalize("NFC", student) not in named:  # the last word counts
            before[record["id"]].append(student)
    return before | now


def _corrected(
    given: Mapping[str, list[str]], records: Mapping[str, Record]
) -> list[tuple[str, str]]:
    """Return students and the number of an upload of theirs that is now given to others."""
    named = {normalize("NFC", student) for students in given.values() for student in students}
    return [
        (student, record["id"])
        for student, record in records.items()
        if record["id"] in given and normalize("NFC", student) not in named
    ]


def _problem(home: Path, lesson: str, lessons: Lessons, upload: Upload) -> Iterator[str]:
    """Yield why a student's notebook can't be graded, if so."""
    try:
        find_notebook(home, lesson, lessons)
    except UnreadableNotebook as error:
        text = " (a text was submitted in place of a file)" * upload.text
        yield f"{home.name}: {error}{text}."


def _of_lesson(upload: Upload, lesson: str, lessons: set[str]) -> dict[str, str]:
    """Return the files of one lesson, where an upload has a folder for each.

    A file beside that folder keeps its name; one of the same name in the folder stays in there.

    The time of a submission is for the system to say, not for one of the student's files.
    """
    others = tuple(f"{name}/" for name in lessons - {lesson})
    forged = TIME if upload.system != "folder" else ""
    return {
        (own if (short := own.removeprefix(f"{lesson}/")) in upload.files else short): inside
        for own, inside in upload.files.items()
        if not own.startswith(others) and own.removeprefix(f"{lesson}/") != forged
    }


def _way_back(old: Record | None, new: Record) -> Record:
    """Return what stays of a system's upload after one without a number, by mail for example."""
    if old is None or new["id"] or not old["id"]:
        return new
    uploaded = old.get("uploaded", old["digest"])
    return {**old, "archive": new["archive"], "digest": new["digest"], "uploaded": uploaded}


def _home(submitted: Path, student: str) -> Path:
    """Return a student's folder: one whose name is spelled with other accents is the same."""
    homes = submitted.iterdir() if submitted.is_dir() else iter(())
    same = normalize("NFC", student)
    return next((one for one in homes if normalize("NFC", one.name) == same), submitted / same)


def _install(one: _Collected, folder: Path, received: Path, records: dict[str, Record]) -> str:
    """Put the files of an upload in place, whole; keep an earlier submission in `received`."""
    student, record = folder.parent.name, one.record()
    old = records.get(student)
    there = old if folder.is_dir() else None
    if there and record["id"] and there.get("uploaded") == record["digest"]:
        return "unchanged"  # since then, a file was taken for this student in another way
    records[student] = _way_back(old, record)
    if there and there["digest"] == record["digest"]:
        return "unchanged"
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    files = dict(one.files)
    if one.source.resolve().is_relative_to(folder.resolve()):  # a part of it was meant
        files |= {name: folder / name for name in OF_NBGRADER if (folder / name).is_file()}
    for name, path in files.items():
        if ".." in PurePosixPath(name).parts:  # Moodle's NAME_1_assignsubmission_file_..
            one.left_out[f"{student}: {name}"] = "its path leads out of the submission"
            continue
        try:
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, partial / name)
        except OSError as error:  # a name that is too long, a file where another needs a folder
            if error.errno in MACHINE_ERRORS:
                raise
            one.left_out[f"{student}: {name}"] = f"{error.strerror}"
    earlier = folder.exists()
    if earlier:
        keep(folder, received)
    partial.rename(folder)
    return "updated" if earlier else "new"


def keep(folder: Path, received: Path) -> None:
    """Move a submission to `received`, under the next free number of its student."""
    kept = (received / folder.name / f"{folder.parent.name}-{number}" for number in count(1))
    place = next(path for path in kept if not path.exists())
    place.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(place)
